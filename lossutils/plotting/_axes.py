"""Parts that several figures share: new axes, legends, reference lines and their labels."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke
from matplotlib.transforms import offset_copy

from ._inputs import column
from ._style import PAPER, QUIET, STYLE, TEXT, WIDE

# How a remark beside the data is written, and the look of the lines that such remarks name.
REMARK = {"textcoords": "offset points", "fontsize": 9, "color": QUIET}
_REFERENCE = {"color": QUIET, "linewidth": 1, "linestyle": (0, (4, 2)), "zorder": 1.5}
_HALO = [withStroke(linewidth=3, foreground=PAPER)]


def new_axes(ax, size=TEXT):
    return subplots(1, 1, size)[0] if ax is None else ax


def new_panels(axes, number, size=WIDE):
    """Return ``number`` Axes: the caller's, or those of a new figure."""
    if axes is None:
        return subplots(1, number, size)
    axes = np.ravel(axes)
    if len(axes) != number:
        raise ValueError(
            f"axes holds {len(axes)} Axes, but {number} panels are drawn; pass {number}."
        )
    return axes


def subplots(rows, columns, size):
    axes = np.ravel(plt.subplots(rows, columns, figsize=size)[1])
    for ax in axes:
        # The number of ticks that fit is worked out when the figure is shown, after the style
        # has ended, unless the size of their labels is known here.
        ax.tick_params(labelsize=STYLE["xtick.labelsize"])
    return axes


def in_words(measure):
    """How a measure is called on an axis: ``"test_mean_absolute_error"`` as words."""
    words = str(measure).replace("_", " ")
    return words[:1].upper() + words[1:]


def draw_legend(ax, over_figure=False, lift=0):
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


def check_references(references, name="references"):
    """Return the places by label, as floats."""
    if references is None:
        return {}
    if not isinstance(references, Mapping):
        raise TypeError(
            f"{name} maps a label to a value, such as {{'Bayes ceiling': 0.86}}; "
            f"got {type(references).__name__}."
        )
    return {label: column([value], f"{name}[{label!r}]")[0] for label, value in references.items()}


def draw_levels(ax, references):
    """Draw horizontal reference lines, each labeled where the curves leave most room."""
    if not references:
        return
    curves = np.concatenate([line.get_xydata() for line in ax.get_lines()])
    ax.margins(y=0.12)
    for value in references.values():
        ax.axhline(value, **_REFERENCE)
    for label, value in references.items():
        at_right, above = _roomiest_place(ax, curves, value)
        ax.annotate(
            label,
            xy=(1 if at_right else 0, value),
            xycoords=ax.get_yaxis_transform(),
            xytext=(-2 if at_right else 4, 3 if above else -3),
            ha="right" if at_right else "left",
            va="bottom" if above else "top",
            path_effects=_HALO,
            **REMARK,
        )


def _roomiest_place(ax, curves, value):
    """Whether a label at the height ``value`` has most room at the right, and above the line."""
    # In shares of the axes, where a logarithmic scale is none.
    ax.autoscale_view()  # the transform does not wait for limits that are still to be found
    to_axes = ax.transData + ax.transAxes.inverted()
    x, y = to_axes.transform(curves).T
    _, level = to_axes.transform((ax.get_xlim()[0], value))

    def room(place):
        at_right, above = place
        beside = x >= 0.6 if at_right else x <= 0.4
        gaps = np.abs(y[beside] - level - (0.04 if above else -0.04))
        return np.nanmin([*gaps, 0.1])

    return max([(True, True), (False, True), (True, False), (False, False)], key=room)


def draw_marks(ax, references):
    """Draw vertical reference lines labeled above the axes; return the height of the labels."""
    low, high = ax.get_xlim()
    ends = []  # of the last label in each row, as a share of the width
    for label, value in sorted(references.items(), key=lambda item: item[1]):
        ax.axvline(value, **_REFERENCE)
        place = (value - low) / (high - low)
        width = 0.017 * len(label)
        align = "left" if place < width / 2 else "right" if place > 1 - width / 2 else "center"
        start = place - width * {"left": 0, "center": 0.5, "right": 1}[align]
        row = next((i for i, end in enumerate(ends) if start > end), len(ends))
        ends[row : row + 1] = [start + width + 0.02]
        ax.annotate(
            label,
            xy=(value, 1),
            xycoords=ax.get_xaxis_transform(),
            xytext=(0, 3 + 12 * row),
            ha=align,
            va="bottom",
            annotation_clip=False,
            **REMARK,
        )
    return 12 * len(ends)
