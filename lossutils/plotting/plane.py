"""Figures of two-dimensional data: the classes, and what a model predicts between them."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from ._axes import draw_legend, new_axes
from ._inputs import check_number, column, finite, labels_of, real
from ._style import CLASS_COLORS, CLASS_MARKERS, DASHES, INK, PAPER, SQUARE, mix, styled


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
    TypeError, ValueError
        If ``x`` does not have two columns of finite numbers, the numbers of rows differ, or ``y``
        holds no labels.

    Examples
    --------
    >>> from lossutils import datasets, plotting
    >>> data = datasets.circles()
    >>> ax = plotting.scatter(data.x_train, data.y_train, class_names=data.class_names)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['outer circle', 'inner circle']
    """
    x, y, names = _labeled_points(x, y, class_names)
    ax = new_axes(ax, SQUARE)
    _draw_classes(ax, x, y, names, feature_names, size=22)
    draw_legend(ax)
    return ax


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
        Points along each axis at which the model is evaluated, from 2 to 2,000.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If ``x`` does not have two columns of finite numbers, or ``predict`` returns another shape
        or NaN.

    Examples
    --------
    >>> from lossutils import datasets, models, plotting
    >>> data = datasets.circles()
    >>> model = models.mlp(inputs=2, hidden=[5], outputs=1, activation="sigmoid")
    >>> ax = plotting.decision_regions(
    ...     model, data.x_test, data.y_test, posterior=data.posterior, resolution=40
    ... )
    """
    check_number(resolution, "resolution", 2, 2000)
    if not callable(predict) or not (posterior is None or callable(posterior)):
        raise TypeError("predict and posterior must be callable, such as a model or its predict.")
    threshold = column([threshold], "threshold")[0]
    x, y, names = _labeled_points(x, y, class_names)
    low, high = x.min(axis=0), x.max(axis=0)
    room = 0.08 * (high - low)
    across = np.linspace(low[0] - room[0], high[0] + room[0], resolution)
    up = np.linspace(low[1] - room[1], high[1] + room[1], resolution)
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    predicted = _over_plane(predict, points, "predict", resolution)
    truth = None if posterior is None else _over_plane(posterior, points, "posterior", resolution)

    ax = new_axes(ax, SQUARE)
    if predicted.shape[-1] == 1:
        _tint_two(ax, across, up, predicted[..., 0], threshold)
        _draw_boundary(ax, across, up, predicted, threshold, linewidths=1.6)
    else:
        _tint_many(ax, across, up, predicted)
        _draw_boundary(ax, across, up, predicted, threshold, linewidths=1.4)
    if truth is not None:
        _draw_boundary(ax, across, up, truth, 0.5, linewidths=1.6, linestyles=[DASHES[2]])
    _draw_classes(ax, x, y, names, feature_names, size=14)
    if truth is not None:
        ax.plot([], [], color=INK, label="model")
        ax.plot([], [], color=INK, linestyle=DASHES[2], label="best possible")
    draw_legend(ax)
    ax.set_xlim(across[0], across[-1])
    ax.set_ylim(up[0], up[-1])
    return ax


def _labeled_points(x, y, class_names):
    """Return the points, their labels and the name of each class that occurs."""
    x = finite(x, "x").astype(float)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"x must have shape (n, 2), one column for each axis; got {x.shape}.")
    y = labels_of(y)
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; pass one label a point.")
    return x, y, {label: _name_of_class(label, class_names) for label in np.unique(y)}


def _name_of_class(label, class_names):
    if class_names is None:
        return f"class {label}"
    if label >= len(class_names):
        raise ValueError(
            f"y holds class {label}, but class_names has {len(class_names)} names; pass one each."
        )
    return str(class_names[label])


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


def _over_plane(predict, points, name, resolution):
    values = real(predict(points), f"what {name} returns").astype(float)
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
    tints = [mix(color, PAPER, 0.72) for color in CLASS_COLORS[: values.shape[-1]]]
    ax.pcolormesh(
        across,
        up,
        values.argmax(axis=-1),
        cmap=LinearSegmentedColormap.from_list("classes", tints, N=len(tints)),
        vmin=-0.5,
        vmax=values.shape[-1] - 0.5,
        rasterized=True,
    )


def _draw_boundary(ax, across, up, values, threshold, **look):
    """Draw where one value passes the threshold, or where the largest of several changes."""
    if values.shape[-1] == 1:
        ax.contour(across, up, values[..., 0], [threshold], colors=INK, **look)
        return
    for k in range(values.shape[-1] - 1):
        lead = values[..., k] - np.delete(values, k, axis=-1).max(axis=-1)
        ax.contour(across, up, lead, [0], colors=INK, **look)
