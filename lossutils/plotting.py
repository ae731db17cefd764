"""Every figure of the book, in one style.

Each function takes plain arrays, a training history, the runs of ``training.repeat`` or an entry
of the catalogue of losses. It draws into ``ax``, or into a new figure of the book's size, and
returns the Axes (functions that draw several panels take and return an array of Axes). What
Matplotlib does well is left to Matplotlib: change a limit, a scale or a title on the Axes that
come back.

The functions draw inside a style context, so importing this module or calling it changes no global
setting. For axes of your own in the same style::

    with plotting.style():
        figure, axes = plt.subplots(1, 2, figsize=plotting.WIDE)
"""

from collections.abc import Mapping, Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import offset_copy
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import ConfusionMatrixDisplay

from ._style import (
    BLUE,
    CLASS_COLORS,
    CLASS_MARKERS,
    DASHES,
    INK,
    LOSS_COLORS,
    PALETTE,
    PAPER,
    QUIET,
    SPLIT_COLORS,
    SQUARE,
    STYLE,
    TEXT,
    VERMILLION,
    WIDE,
    color_of,
    colors_of,
    mix,
    shades,
    style,
    styled,
    styles_of,
)

__all__ = [
    "CLASS_COLORS",
    "CLASS_MARKERS",
    "LOSS_COLORS",
    "PALETTE",
    "SPLIT_COLORS",
    "SQUARE",
    "TEXT",
    "WIDE",
    "calibration",
    "color_of",
    "confusion_matrix",
    "curves_over_seeds",
    "decision_regions",
    "digits",
    "histogram",
    "learning_curves",
    "loss_curve",
    "paired",
    "predictions",
    "scatter",
    "seeds",
    "style",
    "threshold_curves",
]

# --- Parts that several figures share ---------------------------------------------------------


def _new_axes(ax, size=TEXT):
    return _subplots(1, 1, size)[0] if ax is None else ax


def _new_panels(axes, number, size=WIDE):
    """Return ``number`` Axes: the caller's, or those of a new figure."""
    if axes is None:
        return _subplots(1, number, size)
    axes = np.ravel(axes)
    if len(axes) != number:
        raise ValueError(
            f"axes holds {len(axes)} Axes, but {number} panels are drawn; pass {number}."
        )
    return axes


def _subplots(rows, columns, size):
    axes = np.ravel(plt.subplots(rows, columns, figsize=size, squeeze=False)[1])
    for ax in axes:
        # The number of ticks that fit is worked out when the figure is shown, after the style
        # has ended, unless the size of their labels is known here.
        ax.tick_params(labelsize=STYLE["xtick.labelsize"])
    return axes


def _legend(ax, over_figure=False, lift=0):
    """Label the data in a line above the axes, where it covers nothing and costs no width."""
    handles, labels = ax.get_legend_handles_labels()
    inches = ax.figure.get_figwidth() * (1 if over_figure else ax.get_position().width / 0.8)
    columns = _columns_that_fit(labels, inches)
    # Matplotlib fills column by column; people read row by row.
    order = [i for column in range(columns) for i in range(column, len(labels), columns)]
    rows = {
        "handles": [handles[i] for i in order],
        "labels": [labels[i] for i in order],
        "ncols": columns,
    }
    if over_figure:
        ax.figure.legend(loc="outside upper left", **rows)
    else:
        above = offset_copy(ax.transAxes, ax.figure, y=4 + lift, units="points")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), bbox_transform=above, **rows)


def _columns_that_fit(labels, inches):
    """Count the columns of the legend with the fewest rows whose labels fit."""
    letters = inches / 0.085
    handle = 5  # in letters, with the space around it
    for rows in range(1, len(labels)):
        columns = -(-len(labels) // rows)
        width = sum(max(map(len, labels[i::columns])) + handle for i in range(columns))
        if width <= letters:
            return columns
    return 1


def _say(measure):
    """How a measure is called on an axis: ``"test_mean_absolute_error"`` as words."""
    words = str(measure).replace("_", " ")
    return words[:1].upper() + words[1:]


_HALO = [withStroke(linewidth=3, foreground=PAPER)]


def _level(ax, references):
    """Draw horizontal reference lines, each labeled where the curves leave most room."""
    if not references:
        return
    curves = [line.get_xydata() for line in ax.get_lines()]
    ax.margins(y=0.12)
    for value in references.values():
        ax.axhline(value, color=QUIET, linewidth=1, linestyle=(0, (4, 2)), zorder=1.5)
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    for label, value in references.items():

        def room(place, value=value):
            at_right, above = place
            near = (right - 0.4 * (right - left), right) if at_right else (left, left + 0.4 * right)
            middle = value + (0.04 if above else -0.04) * (top - bottom)
            gaps = [
                np.abs(xy[(xy[:, 0] >= near[0]) & (xy[:, 0] <= near[1]), 1] - middle)
                for xy in curves
            ]
            return np.nanmin(np.concatenate([*gaps, [0.1 * (top - bottom)]]))

        at_right, above = max(
            [(True, True), (False, True), (True, False), (False, False)], key=room
        )
        ax.annotate(
            label,
            xy=(1 if at_right else 0, value),
            xycoords=ax.get_yaxis_transform(),
            xytext=(-2 if at_right else 4, 3 if above else -3),
            textcoords="offset points",
            ha="right" if at_right else "left",
            va="bottom" if above else "top",
            fontsize=9,
            color=QUIET,
            path_effects=_HALO,
        )


def _mark(ax, references):
    """Draw vertical reference lines labeled above the axes; return the height of the labels."""
    marks = sorted((references or {}).items(), key=lambda item: item[1])
    low, high = ax.get_xlim()
    end_of_row = []
    for label, value in marks:
        ax.axvline(value, color=QUIET, linewidth=1, linestyle=(0, (4, 2)), zorder=1.5)
        place = (value - low) / (high - low)
        width = 0.017 * len(label)
        align = "left" if place < width / 2 else "right" if place > 1 - width / 2 else "center"
        start = place - width * {"left": 0, "center": 0.5, "right": 1}[align]
        row = next((i for i, end in enumerate(end_of_row) if start > end), len(end_of_row))
        end_of_row[row : row + 1] = [start + width + 0.02]
        ax.annotate(
            label,
            xy=(value, 1),
            xycoords=ax.get_xaxis_transform(),
            xytext=(0, 3 + 12 * row),
            textcoords="offset points",
            ha=align,
            va="bottom",
            fontsize=9,
            color=QUIET,
            annotation_clip=False,
        )
    return 12 * len(end_of_row)


def _check_references(references):
    if references is not None and not isinstance(references, Mapping):
        raise TypeError(
            "references maps a label to a value, such as {'Bayes ceiling': 0.86}; "
            f"got {type(references).__name__}."
        )


def _column(values, name):
    """Return floats of shape (n,) from (n,), (n, 1) or a column of a DataFrame."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{name} must have shape (n,) or (n, 1) with n > 0; got {values.shape}.")
    return values


def _check_scale(scale, values):
    if scale not in ("linear", "log"):
        raise ValueError(f"scale must be 'linear' or 'log'; got {scale!r}.")
    if scale == "log" and values.min() <= 0:
        raise ValueError(f"scale='log' needs positive values; the smallest is {values.min():g}.")


def _classes(y, name="y"):
    """Integer labels of shape (n,) from integers (n,) or (n, 1), or from rows of shape (n, K)."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1)
    if y.dtype.kind not in "biufOUS" or y.ndim not in (1, 2) or y.size == 0:
        raise ValueError(f"{name} must hold labels of shape (n,), (n, 1) or (n, K); got {y.shape}.")
    y = y.reshape(-1)
    if y.dtype.kind in "OUS":
        raise ValueError(f"{name} holds text; pass integer labels and the text as class_names.")
    if y.dtype.kind == "f" and not np.array_equal(y, np.round(y)):
        raise ValueError(
            f"{name} holds values that are no labels, such as {y[y != np.round(y)][0]:g}; "
            "turn probabilities into labels with a threshold first."
        )
    labels = y.astype(int)
    # Labels of -1 and 1, which some hinge losses take, are classes 0 and 1.
    return (labels + 1) // 2 if set(np.unique(labels)) <= {-1, 1} and labels.min() == -1 else labels


def _points(x):
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x must have shape (n, 2), one column for each axis; got {x.shape}.")
    return x


def _name_of_class(label, class_names):
    if class_names is None:
        return f"class {label}"
    if label >= len(class_names):
        raise ValueError(
            f"y holds class {label}, but class_names has {len(class_names)} names; pass one each."
        )
    return str(class_names[label])


def _frames(runs, measure, needs=()):
    """Rows of one measure for each name, checked so that an error says what to change."""
    if not isinstance(runs, Mapping) or not runs:
        raise ValueError(
            "runs must map a name to the DataFrame that training.repeat returns, "
            "such as {'hinge': training.repeat(...)}."
        )
    frames = {}
    for name, frame in runs.items():
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"runs[{name!r}] must be a DataFrame; got {type(frame).__name__}.")
        missing = [c for c in ("seed", "measure", "value", *needs) if c not in frame.columns]
        if missing:
            remedy = " Repeat the training with curves=True." if missing == ["epoch"] else ""
            raise ValueError(
                f"runs[{name!r}] has no column {missing[0]!r}; "
                f"its columns are {list(frame.columns)}.{remedy}"
            )
        rows = frame[frame["measure"] == measure]
        if rows.empty:
            raise ValueError(
                f"runs[{name!r}] has no measure {measure!r}; "
                f"it has {sorted(frame['measure'].unique())}."
            )
        frames[name] = rows
    return frames


def _last(frames):
    """Take the value of each seed (after the last epoch, where every epoch is kept)."""
    last = {}
    for name, rows in frames.items():
        if "epoch" in rows.columns:
            rows = rows[rows["epoch"] == rows["epoch"].max()]
        last[name] = rows.set_index("seed")["value"].astype(float)
    return last


def _spread_out(number):
    """Offsets in (-0.5, 0.5) that look random and are the same every time (golden ratio)."""
    return (0.5 + np.arange(number) * 0.6180339887498949) % 1 - 0.5


def _rows_with_names(ax, names):
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.grid(axis="x")


# --- Data -------------------------------------------------------------------------------------


@styled
def scatter(x, y, ax=None, *, class_names=None, feature_names=("$x_1$", "$x_2$")):
    """Draw two-dimensional data by class.

    Classes differ by color and by marker. Both axes have the same scale, since a distance in the
    plane is what most models see.

    Parameters
    ----------
    x : array of shape (n, 2)
        The points.
    y : array of shape (n,), (n, 1) or (n, K)
        Integer labels, or one-hot rows.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    class_names : sequence of str, optional
        Name of each class. By default ``"class 0"``, ``"class 1"`` and so on.
    feature_names : sequence of two str, optional
        Labels of the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If ``x`` does not have two columns, the numbers of rows differ, or ``y`` holds no labels.
    """
    x, y = _points(x), _classes(y)
    _check_rows(x, y)
    names = {label: _name_of_class(label, class_names) for label in np.unique(y)}
    ax = _new_axes(ax, SQUARE)
    _draw_classes(ax, x, y, names, feature_names, size=22)
    return ax


def _check_rows(x, y):
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; pass one label a point.")


def _draw_classes(ax, x, y, names, feature_names, size):
    for label, name in names.items():
        rows = x[y == label]
        ax.scatter(
            rows[:, 0],
            rows[:, 1],
            s=size,
            marker=CLASS_MARKERS[label % len(CLASS_MARKERS)],
            color=CLASS_COLORS[label % len(CLASS_COLORS)],
            edgecolor=PAPER,
            linewidth=0.5,
            label=name,
        )
    ax.set_aspect("equal")
    ax.set_xlabel(feature_names[0])
    ax.set_ylabel(feature_names[1])
    _legend(ax)


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
        Number of bins, shared by all groups.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a group has another shape, or ``scale="log"`` meets a value that is not positive.
    """
    groups = values if isinstance(values, Mapping) else {None: values}
    groups = {
        name: _column(group, "values" if name is None else f"values[{name!r}]")
        for name, group in groups.items()
    }
    everything = np.concatenate(list(groups.values()))
    _check_scale(scale, everything)
    if scale == "log":
        edges = np.exp(np.histogram_bin_edges(np.log(everything), bins))
    else:
        edges = np.histogram_bin_edges(everything, bins)
    ax = _new_axes(ax)
    colors = colors_of(groups)
    for name, group in groups.items():
        color = colors[name] if name is not None else BLUE
        ax.hist(group, edges, histtype="stepfilled", color=color, alpha=0.25)
        ax.hist(group, edges, histtype="step", color=color, linewidth=1.6, label=name)
    ax.set_xscale(scale)
    ax.set_xlabel(label)
    ax.set_ylabel("Number of rows")
    if len(groups) > 1:
        _legend(ax)
    return ax


@styled
def digits(images, axes=None, *, labels=None, predictions=None, columns=8):
    """Draw small images in a grid, each with what it shows.

    With both ``labels`` and ``predictions``, a wrong prediction is written beside the true label
    and stands out by color and by its arrow: ``4 → 9`` is a four read as a nine.

    Parameters
    ----------
    images : array of shape (n, height, width) or (n, height, width, 1)
        Gray values; 0 is drawn as paper, the largest as ink.
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
    ValueError
        If the shapes do not fit together.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or len(images) == 0:
        raise ValueError(
            f"images must have shape (n, height, width) or (…, 1); got {images.shape}."
        )
    captions = [""] * len(images)
    wrong = np.zeros(len(images), dtype=bool)
    given = {
        name: _classes(value, name)
        for name, value in (("labels", labels), ("predictions", predictions))
        if value is not None
    }
    for name, value in given.items():
        if len(value) != len(images):
            raise ValueError(
                f"{name} has {len(value)} rows for {len(images)} images; pass one each."
            )
        captions = [str(label) for label in value]
    if len(given) == 2:
        wrong = given["labels"] != given["predictions"]
        pairs = zip(given["labels"], given["predictions"], strict=True)
        captions = [str(a) if a == b else f"{a} → {b}" for a, b in pairs]
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    if axes is None:
        side = TEXT[0] / max(columns, 5)
        height = side + (0.22 if given else 0.04)
        axes = _subplots(rows, columns, (side * columns, height * rows))
        for empty in axes[len(images) :]:
            empty.remove()
        axes = axes[: len(images)]
    axes = _new_panels(axes, len(images))
    paper_to_ink = LinearSegmentedColormap.from_list("paper_to_ink", [PAPER, INK])
    for ax, image, caption, is_wrong in zip(axes, images, captions, wrong, strict=True):
        ax.imshow(image, cmap=paper_to_ink, vmin=0)
        ax.set_axis_off()
        ax.set_title(
            caption,
            loc="center",
            pad=2,
            color=VERMILLION if is_wrong else INK,
            fontweight="bold" if is_wrong else "normal",
        )
    return axes


# --- Losses -----------------------------------------------------------------------------------


@styled
def loss_curve(losses, axes=None, *, target=None, xlabel=None, **parameters):
    """Draw a loss and its gradient, side by side, along the line that its entry describes.

    The loss says what a prediction costs; the gradient says what the training does about it. One
    thing varies in a figure: the target, a parameter, or the loss.

    Parameters
    ----------
    losses : Entry, sequence of Entry, or mapping of str to Entry
        Entries of ``losses.CATALOGUE``. Several are compared in shape only, since their values
        have different units.
    axes : array of two Axes, optional
        Where to draw. A new figure by default.
    target : str, optional
        Draw this target only, by its name in ``entry.curve.targets``. By default one loss is drawn
        for each of its targets; several losses or several values of a parameter are drawn for
        the first.
    xlabel : str, optional
        Label of the horizontal axes. By default ``entry.curve.label``.
    **parameters
        Parameters of the loss, such as ``delta=1.0``, or several values of one,
        ``delta=[0.5, 1, 2]``.

    Returns
    -------
    array of two matplotlib.axes.Axes
        The loss and the gradient.

    Raises
    ------
    TypeError
        If ``losses`` holds something else than catalogue entries.
    ValueError
        If more than one thing varies, a target or a parameter is unknown, or the horizontal axes
        of several losses mean different things.
    """
    entries = _entries(losses)
    first = next(iter(entries.values()))
    _check_curves(entries, parameters, target)
    if len(entries) > 1:
        styles = styles_of(entries, [entry.name for entry in entries.values()])
        curves = [
            (name, styles[name], *_along(entry, target, parameters))
            for name, entry in entries.items()
        ]
    elif varying := [name for name, value in parameters.items() if np.ndim(value) > 0]:
        symbol, values = _symbol(varying[0]), parameters[varying[0]]
        curves = [
            (
                f"{symbol} = {value:g}",
                look,
                *_along(first, target, parameters | {varying[0]: value}),
            )
            for value, look in zip(values, shades(color_of(first.name), len(values)), strict=True)
        ]
    else:
        names = [target] if target else list(first.curve.targets)
        looks = _target_styles(first, names)
        curves = [
            (name, look, *_along(first, name, parameters))
            for name, look in zip(names, looks, strict=True)
        ]

    own_figure = axes is None
    axes = _new_panels(axes, 2)
    for name, look, abscissa, loss, slope in curves:
        axes[0].plot(abscissa, loss, label=name, **look)
        axes[1].plot(abscissa, _broken_at_jumps(slope), label=name, **look)
    axes[1].axhline(0, color=QUIET, linewidth=0.8, zorder=1.5)
    _cut_poles(axes[1], np.concatenate([slope for *_, slope in curves]))
    axes[0].set_ylabel("Loss" if len(entries) == 1 else "Loss, each in its own unit")
    axes[1].set_ylabel("Gradient")
    for ax in axes:
        ax.set_xlabel(fill(xlabel or _say(first.curve.label), 32))
        ax.grid(axis="y")
    if len(curves) > 1:
        _legend(axes[0], over_figure=own_figure)
    return axes


def _entries(losses):
    """Name the entries, by the caller's names or by their titles."""
    if isinstance(losses, Mapping):
        entries = dict(losses)
    else:
        several = (
            losses if isinstance(losses, Sequence) and not isinstance(losses, str) else [losses]
        )
        entries = {getattr(entry, "title", entry): entry for entry in several}
    if not entries:
        raise ValueError("losses is empty; pass at least one entry of losses.CATALOGUE.")
    for entry in entries.values():
        if not hasattr(entry, "along_curve"):
            raise TypeError(
                f"losses must be entries of the catalogue; got {entry!r}. "
                "Use losses.CATALOGUE['huber'], for example."
            )
    return entries


def _check_curves(entries, parameters, target):
    varying = [name for name, value in parameters.items() if np.ndim(value) > 0]
    several = (["losses"] if len(entries) > 1 else []) + varying
    if len(several) > 1:
        raise ValueError(
            f"one thing may vary in a figure, but {' and '.join(several)} do; "
            "give single values, or draw a figure for each."
        )
    for name, entry in entries.items():
        unknown = sorted(set(parameters) - set(entry.parameters))
        if unknown:
            raise ValueError(
                f"{name!r} has no parameter {unknown[0]!r}; it has {sorted(entry.parameters)}."
            )
        if target is not None and target not in entry.curve.targets:
            raise ValueError(
                f"{name!r} has no target {target!r}; it has {list(entry.curve.targets)}."
            )
    labels = {entry.curve.label for entry in entries.values()}
    if len(labels) > 1:
        raise ValueError(
            f"the losses are drawn over different things: {sorted(labels)}; "
            "draw a figure for each, or give them one curve with dataclasses.replace."
        )


def _along(entry, target, parameters):
    abscissa, curves = entry.along_curve(**parameters)
    loss, slope = curves[target or next(iter(curves))]
    return abscissa, np.asarray(loss), np.asarray(slope)


def _target_styles(entry, targets):
    """Style the targets of one loss: classes have their colors, numbers get shades."""
    if "classification" in entry.task:
        classes = [_hard_class(entry.curve.targets[target]) for target in targets]
        if None not in classes and len(set(classes)) == len(classes):
            return [
                {"color": CLASS_COLORS[label], "linestyle": dash}
                for label, dash in zip(classes, DASHES * len(classes), strict=False)
            ]
    return shades(color_of(entry.name), len(targets))


def _hard_class(target):
    """Class of a one-hot row or of a single label; None where the target is neither."""
    target = np.ravel(target)
    if not np.isin(target, (-1, 0, 1)).all():
        return None
    return int(target.argmax()) if target.size > 1 else int(target[0] > 0)


def _symbol(parameter):
    greek = {"delta": "δ", "gamma": "γ", "alpha": "α", "beta": "β", "tau": "τ"}
    return greek.get(parameter, parameter.replace("_", " "))


def _cut_poles(ax, values):
    """Let a gradient without bound leave the axes, so that the rest can be read."""
    reach = np.quantile(np.abs(values), 0.95)
    if np.abs(values).max() > 4 * reach > 0:
        low, high = np.clip([values.min(), values.max()], -reach, reach)
        room = 0.05 * (high - low)
        ax.set_ylim(low - room, high + room)


def _broken_at_jumps(values):
    """Put a gap where a gradient jumps, since a line there would be a slope that is not."""
    steps = np.abs(np.diff(values))
    # A jump may take two steps, through a value in the middle: compare with the steps beyond.
    around = np.zeros_like(steps)
    around[2:] = steps[:-2]
    around[:-2] = np.maximum(around[:-2], steps[2:])
    jumps = np.flatnonzero((steps > 0.05 * np.ptp(values)) & (steps > 5 * around)) + 1
    broken = np.array(values, dtype=float)
    broken[jumps] = np.nan
    return broken


# --- Training ---------------------------------------------------------------------------------


@styled
def learning_curves(history, measure="loss", ax=None, *, references=None, label=None):
    """Draw a measure on training and test data after each epoch.

    The two curves belong together: the distance between them is what the model learned by heart.

    Parameters
    ----------
    history : keras.callbacks.History, or mapping of str to list
        What ``training.fit`` returns. ``train_<measure>`` and ``test_<measure>`` are drawn.
    measure : str or sequence of str, optional
        Measure without ``train_`` or ``test_``. Several are drawn side by side.
    ax : Axes, or array of Axes where measure is a sequence; optional
        Where to draw. A new figure by default.
    references : mapping of str to float, optional
        Horizontal lines by label, such as ``{"Bayes ceiling": 0.86}``. For one measure only.
    label : str, optional
        Label of the vertical axis, with a unit. By default the measure in words.

    Returns
    -------
    Axes, or array of Axes where measure is a sequence

    Raises
    ------
    ValueError
        If the history lacks the measure, or there are references for several measures.

    Notes
    -----
    A training that diverges records NaN. The curve ends there, and a label tells the epoch.
    """
    record = getattr(history, "history", history)
    measures = [measure] if isinstance(measure, str) else list(measure)
    _check_references(references)
    if len(measures) > 1 and (references or label):
        raise ValueError(
            "references and label belong to one measure; "
            "draw each measure into its own Axes with ax=."
        )
    for name in measures:
        missing = [key for key in (f"train_{name}", f"test_{name}") if key not in record]
        if missing:
            known = sorted(key.removeprefix("test_") for key in record if key.startswith("test_"))
            raise ValueError(
                f"the history has no {missing[0]!r}; its measures are {known}. "
                "training.fit records them for the loss and each metric of the model."
            )
    if isinstance(measure, str):
        panels = [_new_axes(ax)]
    else:
        panels = _new_panels(ax, len(measures), WIDE if len(measures) > 1 else TEXT)
    for panel, name in zip(panels, measures, strict=True):
        train = np.asarray(record[f"train_{name}"], dtype=float)
        test = np.asarray(record[f"test_{name}"], dtype=float)
        _draw_curves(panel, train, test)
        panel.set_ylabel(label or _say(name))
    _legend(panels[0])
    _level(panels[0], references)
    return panels[0] if isinstance(measure, str) else panels


def _draw_curves(ax, train, test):
    epochs = np.arange(1, len(test) + 1)
    for split, values, dash in (("train", train, DASHES[1]), ("test", test, "-")):
        # A single epoch is a point, not a line.
        marker = "o" if len(values) == 1 else None
        ax.plot(
            epochs, values, label=split, color=SPLIT_COLORS[split], linestyle=dash, marker=marker
        )
    lost = np.flatnonzero(~(np.isfinite(train) & np.isfinite(test)))
    if lost.size:
        # After this line nothing is drawn, so its label has room.
        first = epochs[lost[0]]
        ax.axvline(first, color=QUIET, linewidth=1, linestyle=":")
        ax.annotate(
            f"diverged in epoch {first}",
            xy=(first, 0.5),
            xycoords=ax.get_xaxis_transform(),
            xytext=(3, 0),
            textcoords="offset points",
            rotation=90,
            va="center",
            fontsize=9,
            color=QUIET,
            annotation_clip=False,
        )
    ax.set_xlabel("Epoch")
    _epochs_axis(ax, epochs)


def _epochs_axis(ax, epochs):
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(axis="y")
    if len(epochs) > 1:
        ax.set_xlim(epochs[0], epochs[-1] + 0.02 * (epochs[-1] - epochs[0]))


@styled
def curves_over_seeds(runs, measure, ax=None, *, references=None, label=None):
    """Draw a measure over the epochs for many seeds: the median and where most runs lie.

    The line is the median, the band holds the middle 80 % of the seeds. Neither moves much when
    a few runs diverge.

    Parameters
    ----------
    runs : mapping of str to DataFrame
        Results of ``training.repeat(..., curves=True)`` by name: columns ``seed``, ``epoch``,
        ``measure``, ``value``. A name that is a loss has its color.
    measure : str
        As in the column ``measure``, such as ``"test_accuracy"``.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    references : mapping of str to float, optional
        Horizontal lines by label.
    label : str, optional
        Label of the vertical axis, with a unit. By default the measure in words.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the runs lack the column ``epoch`` or the measure.
    """
    frames = _frames(runs, measure, needs=("epoch",))
    _check_references(references)
    ax = _new_axes(ax)
    styles = styles_of(list(frames))
    for name, rows in frames.items():
        by_epoch = rows.groupby("epoch")["value"].quantile([0.1, 0.5, 0.9]).unstack()  # noqa: PD010
        epochs = by_epoch.index.to_numpy()
        ax.fill_between(
            epochs, by_epoch[0.1], by_epoch[0.9], color=styles[name]["color"], alpha=0.18, lw=0
        )
        ax.plot(epochs, by_epoch[0.5], label=name, **styles[name])
    ax.set_xlabel("Epoch (line: median, band: middle 80 % of the seeds)")
    ax.set_ylabel(label or _say(measure))
    _epochs_axis(ax, epochs)
    _legend(ax)
    _level(ax, references)
    return ax


@styled
def seeds(runs, measure, ax=None, *, references=None, label=None):
    """Draw the result of every seed, with mean and standard deviation, a row for each name.

    Points show what a bar hides: two groups of runs, one that failed, a ceiling. They are moved
    apart vertically, the same way every time.

    Parameters
    ----------
    runs : mapping of str to DataFrame
        Results of ``training.repeat`` by name: columns ``seed``, ``measure``, ``value``. Where
        every epoch is kept, the last one counts. A name that is a loss has its color.
    measure : str
        As in the column ``measure``, such as ``"test_accuracy"``.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    references : mapping of str to float, optional
        Vertical lines by label, such as a baseline, a ceiling or a published value.
    label : str, optional
        Label of the horizontal axis, with a unit. By default the measure in words.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the runs lack a column or the measure.

    Notes
    -----
    Runs that diverged have no value. They are left out, and their number is written under the name.
    """
    values = _last(_frames(runs, measure))
    _check_references(references)
    ax = _new_axes(ax, (TEXT[0], 1.3 + 0.55 * len(values)))
    colors = colors_of(list(values))
    names = []
    for row, (name, by_seed) in enumerate(values.items()):
        finite = by_seed[np.isfinite(by_seed)].to_numpy()
        names.append(_with_lost(name, len(by_seed) - len(finite), len(by_seed)))
        _draw_points(ax, finite, row, colors[name])
        if finite.size > 1:
            _draw_mean(ax, finite.mean(), finite.std(ddof=1), row, colors[name])
    _rows_with_names(ax, names)
    ax.set_xlabel(f"{label or _say(measure)}\n(point: a seed, bar: mean ± standard deviation)")
    _include(ax, references)
    _mark(ax, references)
    return ax


@styled
def paired(runs, measure, ax=None, *, label=None):
    """Draw the difference to the first name, seed by seed, with its mean and 95 % interval.

    Runs with the same seed share the order of the data, and often the first weights, so their
    difference varies less than the runs themselves. An interval that leaves out zero says that
    the mean difference is more than chance among seeds.

    Parameters
    ----------
    runs : mapping of str to DataFrame
        Results of ``training.repeat`` by name, all with the same seeds; the first is what the
        others are compared with.
    measure : str
        As in the column ``measure``, such as ``"test_accuracy"``.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    label : str, optional
        What is compared, with its unit. By default the measure in words.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are fewer than two names, the seeds differ, or fewer than two pairs are finite.

    Notes
    -----
    The interval is Student's, mean ± t · s / √n over the n pairs, as in ``training.compare``.
    """
    values = _last(_frames(runs, measure))
    if len(values) < 2:
        raise ValueError("paired compares with the first of runs; pass at least two.")
    first, *others = values
    differences = {}
    for name in others:
        if set(values[name].index) != set(values[first].index):
            raise ValueError(
                f"{name!r} and {first!r} have different seeds; repeat both with the same seeds."
            )
        pairs = (values[name] - values[first]).replace([np.inf, -np.inf], np.nan)
        if pairs.notna().sum() < 2:
            raise ValueError(
                f"{name!r} and {first!r} have fewer than two pairs of finite values; "
                "repeat both with more seeds."
            )
        differences[name] = pairs
    ax = _new_axes(ax, (TEXT[0], 1.3 + 0.55 * len(others)))
    colors = colors_of(list(values))
    names = []
    for row, (name, pairs) in enumerate(differences.items()):
        finite = pairs.dropna().to_numpy()
        names.append(_with_lost(name, len(pairs) - len(finite), len(pairs)))
        half = stats.t.ppf(0.975, len(finite) - 1) * stats.sem(finite)
        _draw_points(ax, finite, row, colors[name])
        _draw_mean(ax, finite.mean(), half, row, colors[name])
    _rows_with_names(ax, names)
    _include(ax, {"": 0.0})
    _mark(ax, {f"same as {first}": 0.0})
    what = f"{label or _say(measure)}, difference to {first}"
    ax.set_xlabel(f"{what}\n(point: a seed, bar: mean and 95 % interval)")
    return ax


def _with_lost(name, lost, total):
    return f"{name}\n({lost} of {total} diverged)" if lost else str(name)


def _draw_points(ax, values, row, color):
    # Below the bar, so that neither hides the other.
    heights = row + 0.14 + 0.26 * (_spread_out(len(values)) + 0.5)
    ax.scatter(values, heights, s=13, color=color, alpha=0.55, linewidth=0)


def _draw_mean(ax, mean, half, row, color):
    ax.errorbar(
        mean,
        row - 0.08,
        xerr=half,
        color=color,
        marker="D",
        markersize=6,
        markeredgecolor=PAPER,
        elinewidth=2.4,
        capsize=0,
    )


def _include(ax, references):
    """Widen the horizontal axis so that every reference lies inside it."""
    places = [*ax.get_xlim(), *(references or {}).values()]
    low, high = min(places), max(places)
    room = 0.04 * (high - low)
    inside = ax.get_xlim()
    ax.set_xlim(low - room * (low < inside[0]), high + room * (high > inside[1]))


# --- Models -----------------------------------------------------------------------------------


@styled
def decision_regions(
    predict,
    x,
    y,
    ax=None,
    *,
    class_names=None,
    feature_names=("$x_1$", "$x_2$"),
    posterior=None,
    threshold=0.5,
    resolution=160,
):
    """Draw what a model predicts over the plane, with the data on top.

    For two classes the tint is the predicted probability (or the score, where values leave
    [0, 1]) and the line is the decision boundary; for more the tint is the predicted class.

    Parameters
    ----------
    predict : callable
        Takes points of shape (m, 2); returns shape (m, 1) for two classes, or (m, K) for K
        classes. A Keras model is such a callable.
    x : array of shape (n, 2)
        The data.
    y : array of shape (n,), (n, 1) or (n, K)
        Integer labels, or one-hot rows.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    class_names, feature_names : sequence of str, optional
        As for `scatter`.
    posterior : callable, optional
        The true class probabilities, where they are known: ``data.posterior``. Their boundary is
        drawn dashed. No model does better on new data than this one.
    threshold : float, optional
        Where two classes part: 0.5 for a probability, 0 for the score of a hinge loss.
    resolution : int, optional
        Points along each axis at which the model is evaluated.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If ``x`` does not have two columns, or ``predict`` returns another shape or NaN.
    """
    x, y = _points(x), _classes(y)
    _check_rows(x, y)
    names = {label: _name_of_class(label, class_names) for label in np.unique(y)}
    low, high = x.min(axis=0), x.max(axis=0)
    room = 0.08 * (high - low)
    across = np.linspace(low[0] - room[0], high[0] + room[0], resolution)
    up = np.linspace(low[1] - room[1], high[1] + room[1], resolution)
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    predicted = _over_plane(predict, points, "predict", resolution)
    truth = None if posterior is None else _over_plane(posterior, points, "posterior", resolution)

    ax = _new_axes(ax, SQUARE)
    if predicted.shape[-1] == 1:
        _tint_two(ax, across, up, predicted[..., 0], threshold)
        ax.contour(across, up, predicted[..., 0], [threshold], colors=INK, linewidths=1.6)
    else:
        _tint_many(ax, across, up, predicted)
    if truth is not None:
        _draw_boundaries(ax, across, up, truth)
    _draw_classes(ax, x, y, names, feature_names, size=14)
    if truth is not None:
        ax.plot([], [], color=INK, label="model")
        ax.plot([], [], color=INK, linestyle=DASHES[2], label="best possible")
        _legend(ax)
    ax.set_xlim(across[0], across[-1])
    ax.set_ylim(up[0], up[-1])
    return ax


def _over_plane(predict, points, name, resolution):
    values = np.asarray(predict(points), dtype=float)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or len(values) != len(points):
        raise ValueError(
            f"{name} must return shape (m, 1) or (m, K) for m points; "
            f"got {values.shape} for {len(points)} points."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} returns values that are not finite: has the training diverged?")
    return values.reshape(resolution, resolution, -1)


def _tint_two(ax, across, up, values, threshold):
    """Fill contours from the tint of class 0 over paper to that of class 1."""
    if values.min() >= 0 and values.max() <= 1 and 0 < threshold < 1:
        levels = np.linspace(0, 1, 11)
        label, extend = "Predicted probability of class 1", "neither"
    else:
        reach = float(f"{np.quantile(np.abs(values - threshold), 0.95):.1g}") or 1.0
        levels = threshold + np.linspace(-reach, reach, 11)
        label, extend = "Predicted score", "both"
    tints = LinearSegmentedColormap.from_list(
        "tints", [mix(CLASS_COLORS[0], PAPER, 0.6), PAPER, mix(CLASS_COLORS[1], PAPER, 0.6)]
    )
    filled = ax.contourf(across, up, values, levels, cmap=tints, extend=extend)
    # An inset is as high as the axes even where an equal aspect makes them low.
    beside = ax.inset_axes((1.03, 0, 0.03, 1))
    bar = ax.figure.colorbar(filled, cax=beside, label=label, ticks=levels[::5])
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)


def _tint_many(ax, across, up, values):
    winner = values.argmax(axis=-1)
    tints = [mix(color, PAPER, 0.72) for color in CLASS_COLORS[: values.shape[-1]]]
    levels = np.arange(values.shape[-1] + 1) - 0.5
    ax.pcolormesh(
        across,
        up,
        winner,
        cmap=LinearSegmentedColormap.from_list("classes", tints, N=len(tints)),
        vmin=levels[0],
        vmax=levels[-1],
        rasterized=True,
    )
    _boundary_between(ax, across, up, values, linestyles="-", linewidths=1.4)


def _boundary_between(ax, across, up, values, **look):
    """Where the largest of several values changes: zero of each one's lead over all others."""
    for k in range(values.shape[-1] - 1):
        lead = values[..., k] - np.delete(values, k, axis=-1).max(axis=-1)
        ax.contour(across, up, lead, [0], colors=INK, **look)


def _draw_boundaries(ax, across, up, truth):
    dashed = {"linestyles": [DASHES[2]], "linewidths": 1.6}
    if truth.shape[-1] == 1:
        ax.contour(across, up, truth[..., 0], [0.5], colors=INK, **dashed)
    else:
        _boundary_between(ax, across, up, truth, **dashed)


@styled
def predictions(y_true, y_pred, ax=None, *, label="value", scale="linear"):
    """Draw predicted against observed values; a perfect model lies on the diagonal.

    Both axes have the same limits, so the distance from the diagonal is the error.

    Parameters
    ----------
    y_true, y_pred : array of shape (n,) or (n, 1)
        Observed and predicted values, best in the target's own unit.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    label : str, optional
        What is predicted, with its unit: ``"disease progression (points)"``.
    scale : {"linear", "log"}, optional
        Scale of both axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the shapes differ, or ``scale="log"`` meets a value that is not positive.
    """
    y_true, y_pred = _column(y_true, "y_true"), _column(y_pred, "y_pred")
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} rows and y_pred has {len(y_pred)}; pass pairs.")
    _check_scale(scale, np.concatenate([y_true, y_pred]))
    ax = _new_axes(ax, SQUARE)
    ax.scatter(y_true, y_pred, s=18, color=SPLIT_COLORS["test"], alpha=0.55, linewidth=0)
    ax.set(xscale=scale, yscale=scale, xlabel=f"Observed {label}", ylabel=f"Predicted {label}")
    limits = (min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1]))
    ax.plot(limits, limits, color=QUIET, linewidth=1, linestyle=DASHES[1], zorder=1.5)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.annotate(
        "perfect",
        xy=(limits[1], limits[1]),
        xytext=(-3, -8),
        textcoords="offset points",
        ha="right",
        va="top",
        rotation=45,
        rotation_mode="anchor",
        fontsize=9,
        color=QUIET,
    )
    return ax


@styled
def confusion_matrix(y_true, y_pred, ax=None, *, class_names=None, normalize=None):
    """Draw how often each class is predicted as each class.

    Parameters
    ----------
    y_true, y_pred : array of shape (n,), (n, 1) or (n, K)
        Labels; of rows of K values, the largest counts.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    class_names : sequence of str, optional
        Names of the classes that occur, in the order of their labels.
    normalize : {"true", "pred", "all"}, optional
        Draw shares of the rows, the columns or everything instead of counts.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If ``y_pred`` holds probabilities instead of labels, or the numbers of rows differ.
    """
    y_true, y_pred = _classes(y_true, "y_true"), _classes(y_pred, "y_pred")
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} rows and y_pred has {len(y_pred)}; pass pairs.")
    number = len(np.union1d(y_true, y_pred))
    if class_names is not None and len(class_names) != number:
        raise ValueError(f"class_names has {len(class_names)} names for {number} classes.")
    ax = _new_axes(ax, SQUARE if number > 3 else (4.0, 3.6))
    ConfusionMatrixDisplay.from_predictions(
        y_true,
        y_pred,
        ax=ax,
        display_labels=class_names,
        normalize=normalize,
        values_format=".2f" if normalize else "d",
        cmap=LinearSegmentedColormap.from_list("paper_to_blue", [PAPER, BLUE]),
        colorbar=False,
        text_kw={"fontsize": 11 if number <= 4 else 8},
    )
    ax.set_xlabel("Predicted", labelpad=6)
    ax.set_ylabel("True", labelpad=12)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


@styled
def threshold_curves(thresholds, curves, ax=None, *, marks=None, label=None):
    """Draw what depends on the threshold above which a model says yes.

    A model gives probabilities; a decision needs a threshold, and 0.5 is seldom the best. Marks
    show the ones to compare.

    Parameters
    ----------
    thresholds : array of shape (m,)
        Thresholds, in increasing order.
    curves : mapping of str to array of shape (m,)
        What to draw, by name: ``{"precision": …, "recall": …}`` or ``{"cost": …}``.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    marks : mapping of str to float, optional
        Thresholds to mark, by label: ``{"usual": 0.5, "cheapest": 0.23}``.
    label : str, optional
        Label of the vertical axis, with a unit. By default the name of a single curve.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a curve does not have one value for each threshold.
    """
    thresholds = _column(thresholds, "thresholds")
    _check_references(marks)
    if not isinstance(curves, Mapping) or not curves:
        raise ValueError("curves must map a name to values, such as {'cost': cost}.")
    curves = {name: _column(values, f"curves[{name!r}]") for name, values in curves.items()}
    for name, values in curves.items():
        if len(values) != len(thresholds):
            raise ValueError(
                f"curves[{name!r}] has {len(values)} values for {len(thresholds)} thresholds; "
                "pass one each."
            )
    ax = _new_axes(ax)
    # The order of the palette, not the name: these curves are no losses and meet in one figure.
    for (name, values), color, dash in zip(curves.items(), PALETTE, DASHES * 3, strict=False):
        ax.plot(thresholds, values, label=name, color=color, linestyle=dash)
        for place in (marks or {}).values():
            ax.plot(place, np.interp(place, thresholds, values), "o", color=color, markersize=6)
    ax.set_xlabel("Threshold on the predicted probability")
    ax.set_ylabel(label or (_say(next(iter(curves))) if len(curves) == 1 else "Value"))
    ax.grid(axis="y")
    height = _mark(ax, marks)
    if len(curves) > 1:
        _legend(ax, lift=height)
    return ax


@styled
def calibration(y_true, probabilities, ax=None, *, bins=10):
    """Draw how often the event happens against how likely the model calls it.

    A calibrated model lies on the diagonal: of the rows to which it gives 30 %, 30 % are positive.
    Each point stands for the same number of rows.

    Parameters
    ----------
    y_true : array of shape (n,) or (n, 1)
        Labels 0 and 1.
    probabilities : array of shape (n,) or (n, 1), or mapping of str to such arrays
        Predicted probabilities of class 1, of one model or of several by name.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    bins : int, optional
        Number of points.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a probability lies outside [0, 1], or the numbers of rows differ.
    """
    y_true = _classes(y_true, "y_true")
    models = probabilities if isinstance(probabilities, Mapping) else {None: probabilities}
    points = {}
    for name, values in models.items():
        values = _column(values, "probabilities")
        if len(values) != len(y_true):
            raise ValueError(f"y_true has {len(y_true)} rows and probabilities has {len(values)}.")
        if values.min() < 0 or values.max() > 1:
            raise ValueError(
                f"probabilities must lie in [0, 1]; got {values.min():g} to {values.max():g}. "
                "Apply a sigmoid to logits first."
            )
        points[name] = calibration_curve(y_true, values, n_bins=bins, strategy="quantile")
    ax = _new_axes(ax, SQUARE)
    ax.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=DASHES[1], label="calibrated")
    colors = colors_of([name for name in points if name is not None]) | {None: BLUE}
    for (name, (share, mean)), marker in zip(points.items(), CLASS_MARKERS, strict=False):
        ax.plot(mean, share, marker=marker, markersize=5, color=colors[name], label=name or "model")
    ax.set(xlabel="Predicted probability", ylabel="Share of positives", aspect="equal")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _legend(ax)
    return ax
