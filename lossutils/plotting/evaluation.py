"""Figures of how good a trained model's predictions are."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from sklearn.calibration import calibration_curve
from sklearn.metrics import ConfusionMatrixDisplay

from ._axes import REMARK, check_references, draw_legend, draw_marks, in_words, new_axes
from ._inputs import check_number, check_scale, column, labels_of, real
from ._style import (
    BLUE,
    CLASS_MARKERS,
    DASHES,
    PALETTE,
    PAPER,
    QUIET,
    SPLIT_COLORS,
    SQUARE,
    colors_of,
    styled,
)


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
    TypeError, ValueError
        If the shapes differ, a value is no finite number, or ``scale="log"`` meets one that is not
        positive.

    Examples
    --------
    >>> from lossutils import plotting
    >>> ax = plotting.predictions([1.0, 2.0, 4.0], [1.5, 2.0, 3.0], label="price (€)")
    >>> ax.get_ylabel()
    'Predicted price (€)'
    """
    y_true, y_pred = column(y_true, "y_true"), column(y_pred, "y_pred")
    _check_pairs(y_true, y_pred)
    check_scale(scale, np.concatenate([y_true, y_pred]))
    ax = new_axes(ax, SQUARE)
    ax.scatter(y_true, y_pred, s=18, color=SPLIT_COLORS["test"], alpha=0.55, linewidth=0)
    ax.set(xscale=scale, yscale=scale, xlabel=f"Observed {label}", ylabel=f"Predicted {label}")
    limits = (min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1]))
    ax.plot(limits, limits, color=QUIET, linewidth=1, linestyle=DASHES[1], zorder=1.5)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.annotate(
        "perfect",
        xy=(limits[1], limits[1]),
        xytext=(-3, -8),
        ha="right",
        va="top",
        rotation=45,
        rotation_mode="anchor",
        **REMARK,
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
    TypeError, ValueError
        If ``y_pred`` holds probabilities instead of labels, the numbers of rows differ, or more
        than 100 classes occur.

    Examples
    --------
    >>> from lossutils import plotting
    >>> ax = plotting.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], class_names=["stays", "leaves"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '0', '2']
    """
    y_true, y_pred = labels_of(y_true, "y_true"), labels_of(y_pred, "y_pred")
    _check_pairs(y_true, y_pred)
    number = len(np.union1d(y_true, y_pred))
    if number > 100:
        raise ValueError(
            f"y_true and y_pred hold {number} different labels, too many to draw; "
            "pass classes, or plotting.predictions for numbers."
        )
    if class_names is not None and len(class_names) != number:
        raise ValueError(f"class_names has {len(class_names)} names for {number} classes.")
    ax = new_axes(ax, SQUARE if number > 3 else (4.0, 3.6))
    ConfusionMatrixDisplay.from_predictions(
        y_true,
        y_pred,
        ax=ax,
        display_labels=class_names,
        normalize=normalize,
        values_format=".2f" if normalize else "d",
        cmap=LinearSegmentedColormap.from_list("paper_to_blue", [PAPER, BLUE]),
        colorbar=False,
        text_kw={"fontsize": 11 if number <= 4 else 9},
    )
    ax.set_xlabel("Predicted", labelpad=6)
    ax.set_ylabel("True", labelpad=12)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def _check_pairs(y_true, y_pred):
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} rows and y_pred has {len(y_pred)}; pass pairs.")


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
    TypeError, ValueError
        If the thresholds do not increase, or a curve does not have one value for each.

    Examples
    --------
    >>> from lossutils import plotting
    >>> ax = plotting.threshold_curves(
    ...     [0.2, 0.5, 0.8], {"cost": [30, 20, 40]}, marks={"usual": 0.5}, label="Cost (€)"
    ... )
    """
    thresholds = column(thresholds, "thresholds")
    if (np.diff(thresholds) < 0).any():
        raise ValueError("thresholds must increase; sort them, and the curves with them.")
    marks = check_references(marks, "marks")
    if not isinstance(curves, Mapping) or not curves:
        raise ValueError("curves must map a name to values, such as {'cost': cost}.")
    # A precision is NaN above the last prediction.
    curves = {
        name: column(values, f"curves[{name!r}]", check=real) for name, values in curves.items()
    }
    for name, values in curves.items():
        if len(values) != len(thresholds):
            raise ValueError(
                f"curves[{name!r}] has {len(values)} values for {len(thresholds)} thresholds; "
                "pass one each."
            )
    ax = new_axes(ax)
    # The order of the palette, not the name: these curves are no losses and meet in one figure.
    for (name, values), color, dash in zip(curves.items(), PALETTE, DASHES * 3, strict=False):
        ax.plot(thresholds, values, label=name, color=color, linestyle=dash)
        for place in marks.values():
            ax.plot(place, np.interp(place, thresholds, values), "o", color=color, markersize=6)
    ax.set_xlabel("Threshold on the predicted probability")
    ax.set_ylabel(label or (in_words(next(iter(curves))) if len(curves) == 1 else "Value"))
    ax.grid(axis="y")
    height = draw_marks(ax, marks)
    if len(curves) > 1:
        draw_legend(ax, lift=height)
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
        Number of points, at most that of the rows.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If a probability lies outside [0, 1] or is NaN, a label is neither 0 nor 1, or the numbers
        of rows differ.

    Examples
    --------
    >>> from lossutils import datasets, plotting
    >>> data = datasets.circles()
    >>> ax = plotting.calibration(data.y_test, data.posterior(data.x_test), bins=5)
    """
    y_true = labels_of(y_true, "y_true")
    if not np.isin(y_true, (0, 1)).all():
        raise ValueError(
            f"y_true must hold the labels 0 and 1; got {sorted(set(y_true.tolist()))[:5]}. "
            "Compare one class with the others, such as y == 2."
        )
    check_number(bins, "bins", 1, len(y_true))
    models = probabilities if isinstance(probabilities, Mapping) else {None: probabilities}
    if not models:
        raise ValueError("probabilities is empty; pass those of at least one model.")
    points = {}
    for name, values in models.items():
        values = column(values, "probabilities")
        if len(values) != len(y_true):
            raise ValueError(f"y_true has {len(y_true)} rows and probabilities has {len(values)}.")
        if values.min() < 0 or values.max() > 1:
            raise ValueError(
                f"probabilities must lie in [0, 1]; got {values.min():g} to {values.max():g}. "
                "Apply a sigmoid to logits first."
            )
        points[name] = calibration_curve(y_true, values, n_bins=bins, strategy="quantile")
    ax = new_axes(ax, SQUARE)
    ax.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=DASHES[1], label="calibrated")
    colors = colors_of([name for name in points if name is not None]) | {None: BLUE}
    for (name, (share, mean)), marker in zip(points.items(), CLASS_MARKERS, strict=False):
        ax.plot(mean, share, marker=marker, markersize=5, color=colors[name], label=name or "model")
    ax.set(xlabel="Predicted probability", ylabel="Share of positives", aspect="equal")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    draw_legend(ax)
    return ax
