"""Figures of data before any model: how values are distributed, what images show."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from ._axes import draw_legend, new_axes, new_panels, subplots
from ._inputs import check_number, check_scale, column, finite, labels_of
from ._style import BLUE, INK, PAPER, TEXT, VERMILLION, colors_of, styled


@styled
def histogram(values, ax=None, *, label="Target", scale="linear", bins=30):
    """Draw how values are distributed: one outline for each group.

    Outlines on top of each other compare groups better than bars side by side. A logarithmic
    scale shows positive values that spread over orders of magnitude.

    Parameters
    ----------
    values : array of shape (n,) or (n, 1), or mapping of str to such arrays
        The values, or the values of each group by name. The groups ``"train"`` and ``"test"`` have
        their colors.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    label : str, optional
        What is counted, with its unit.
    scale : {"linear", "log"}, optional
        Scale of the axis of values. The bins are equally wide on that scale.
    bins : int, optional
        Number of bins, shared by all groups; at most 1,000.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If a group has another shape or holds something else than finite numbers, or
        ``scale="log"`` meets a value that is not positive.

    Examples
    --------
    >>> from lossutils import datasets, plotting
    >>> data = datasets.positive_targets()
    >>> ax = plotting.histogram(
    ...     {"train": data.y_train, "test": data.y_test}, scale="log", label=data.target_name
    ... )
    """
    check_number(bins, "bins", 1, 1000)
    groups = values if isinstance(values, Mapping) else {None: values}
    groups = {
        name: column(group, "values" if name is None else f"values[{name!r}]")
        for name, group in groups.items()
    }
    if not groups:
        raise ValueError("values is empty; pass at least one group.")
    everything = np.concatenate(list(groups.values()))
    check_scale(scale, everything)
    if scale == "log":
        edges = np.exp(np.histogram_bin_edges(np.log(everything), bins))
    else:
        edges = np.histogram_bin_edges(everything, bins)
    ax = new_axes(ax)
    colors = colors_of(groups)
    for name, group in groups.items():
        color = colors[name] if name is not None else BLUE
        ax.hist(group, edges, histtype="stepfilled", color=color, alpha=0.25)
        ax.hist(group, edges, histtype="step", color=color, linewidth=1.6, label=name)
    ax.set_xscale(scale)
    ax.set_xlabel(label)
    ax.set_ylabel("Number of rows")
    if len(groups) > 1:
        draw_legend(ax)
    return ax


@styled
def digits(images, axes=None, *, labels=None, predictions=None, columns=8):
    """Draw small images in a grid, each with what it shows.

    With both ``labels`` and ``predictions``, a wrong prediction is written beside the true label
    and stands out by color and by its arrow: ``4 → 9`` is a four read as a nine.

    Parameters
    ----------
    images : array of shape (n, height, width) or (n, height, width, 1)
        Gray values; 0 is drawn as paper, the largest as ink. At most 200 images.
    axes : array of n Axes, optional
        Where to draw. A new figure by default.
    labels, predictions : array of shape (n,) or (n, 1), optional
        True labels and predicted labels.
    columns : int, optional
        Images in a row of the new figure.

    Returns
    -------
    array of matplotlib.axes.Axes
        One for each image.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit together, or a pixel is no finite number.

    Examples
    --------
    >>> import numpy as np
    >>> from lossutils import plotting
    >>> images = np.eye(8)[np.newaxis].repeat(3, axis=0)
    >>> axes = plotting.digits(images, labels=[1, 1, 7], predictions=[1, 7, 7])
    >>> [ax.get_title() for ax in axes]
    ['1', '1 → 7', '7']
    """
    images = finite(images, "images")
    check_number(columns, "columns", 1, 200)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or len(images) == 0:
        raise ValueError(
            f"images must have shape (n, height, width) or (…, 1); got {images.shape}."
        )
    if len(images) > 200:
        raise ValueError(
            f"images holds {len(images):,} images, too many for a figure; "
            "pass some of them, such as images[:40]."
        )
    given = {
        name: labels_of(value, name)
        for name, value in (("labels", labels), ("predictions", predictions))
        if value is not None
    }
    for name, value in given.items():
        if len(value) != len(images):
            raise ValueError(
                f"{name} has {len(value)} rows for {len(images)} images; pass one each."
            )
    if axes is None:
        axes = _grid(len(images), columns, captions=bool(given))
    else:
        axes = new_panels(axes, len(images))
    paper_to_ink = LinearSegmentedColormap.from_list("paper_to_ink", [PAPER, INK])
    said = zip(*given.values(), strict=True) if given else [()] * len(images)
    for ax, image, names in zip(axes, images, said, strict=True):
        ax.imshow(image, cmap=paper_to_ink, vmin=0)
        ax.set_axis_off()
        names = list(dict.fromkeys(names))  # a right prediction repeats the label
        wrong = len(names) > 1
        ax.set_title(
            " → ".join(map(str, names)),
            loc="center",
            pad=2,
            color=VERMILLION if wrong else INK,
            fontweight="bold" if wrong else "normal",
        )
    return axes


def _grid(number, columns, captions):
    """Return the Axes of a new figure, row by row, with room for captions."""
    columns = min(columns, number)
    rows = -(-number // columns)
    side = TEXT[0] / max(columns, 5)
    height = side + (0.22 if captions else 0.04)
    axes = subplots(rows, columns, (side * columns, height * rows))
    for empty in axes[number:]:
        empty.remove()
    return axes[:number]
