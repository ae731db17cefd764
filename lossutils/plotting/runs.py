"""Figures of results that vary from seed to seed: each loss's own, and their differences."""

import numpy as np
from matplotlib.ticker import MaxNLocator
from scipy import stats

from ._axes import check_references, draw_marks, in_words, new_axes
from ._inputs import rows_of
from ._style import PAPER, TEXT, colors_of, styled


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
    values = _last(rows_of(runs, measure))
    check_references(references)
    ax = _draw_rows(ax, values, colors_of(values), _deviation, references or {})
    ax.set_xlabel(f"{label or in_words(measure)}\n(point: a seed, bar: mean ± standard deviation)")
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
    values = _last(rows_of(runs, measure))
    if len(values) < 2:
        raise ValueError("paired compares with the first of runs; pass at least two.")
    first, *others = values
    differences = {}
    for name in others:
        if set(values[name].index) != set(values[first].index):
            raise ValueError(
                f"{name!r} and {first!r} have different seeds; repeat both with the same seeds."
            )
        pairs = values[name] - values[first]
        if np.isfinite(pairs).sum() < 2:
            raise ValueError(
                f"{name!r} and {first!r} have fewer than two pairs of finite values; "
                "repeat both with more seeds."
            )
        differences[name] = pairs
    ax = _draw_rows(ax, differences, colors_of(values), _half_interval, {f"same as {first}": 0.0})
    what = f"{label or in_words(measure)}, difference to {first}"
    ax.set_xlabel(f"{what}\n(point: a seed, bar: mean and 95 % interval)")
    return ax


def _last(frames):
    """Take the value of each seed (after the last epoch, where every epoch is kept)."""
    last = {}
    for name, rows in frames.items():
        if "epoch" in rows.columns:
            rows = rows[rows["epoch"] == rows["epoch"].max()]
        last[name] = rows.set_index("seed")["value"].astype(float)
    return last


def _deviation(values):
    return values.std(ddof=1)


def _half_interval(values):
    """Half the width of Student's 95 % interval of the mean."""
    return stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)


def _draw_rows(ax, values, colors, half, references):
    """Draw the value of each seed and their mean ± ``half(values)``, a row for each name."""
    ax = new_axes(ax, (TEXT[0], 1.3 + 0.55 * len(values)))
    names = []
    for row, (name, by_seed) in enumerate(values.items()):
        finite = by_seed[np.isfinite(by_seed)].to_numpy()
        lost = len(by_seed) - len(finite)
        names.append(f"{name}\n({lost} of {len(by_seed)} diverged)" if lost else str(name))
        # Steps of the golden ratio look random and are the same every time.
        spread = (0.5 + 0.6180339887498949 * np.arange(len(finite))) % 1
        # The points lie below the bar, so that neither hides the other.
        heights = row + 0.14 + 0.26 * spread
        ax.scatter(finite, heights, s=13, color=colors[name], alpha=0.55, linewidth=0)
        if finite.size > 1:
            ax.errorbar(
                finite.mean(),
                row - 0.08,
                xerr=half(finite),
                color=colors[name],
                marker="D",
                markersize=6,
                markeredgecolor=PAPER,
                elinewidth=2.4,
                capsize=0,
            )
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.grid(axis="x")
    _include(ax, references.values())
    draw_marks(ax, references)
    return ax


def _include(ax, values):
    """Widen the horizontal axis so that each of the values lies inside it."""
    low, high = ax.get_xlim()
    lowest, highest = min([low, *values]), max([high, *values])
    room = 0.04 * (highest - lowest)
    ax.set_xlim(lowest - room * (lowest < low), highest + room * (highest > high))
