"""Figures of results that vary from seed to seed: each loss's own, differences, learning rates."""

import numpy as np
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from lossutils.training import compare

from ._axes import (
    REMARK,
    check_references,
    draw_legend,
    draw_levels,
    draw_marks,
    in_words,
    new_axes,
)
from ._inputs import last_epoch, rows_of
from ._style import PAPER, TEXT, colors_of, styled, styles_of


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
    TypeError, ValueError
        If the runs lack a column or the measure, or a seed occurs twice.

    Notes
    -----
    Runs that diverged have no value, and their number is written under the name. Where there are
    any, neither mean nor standard deviation is drawn: those of the others would favor a loss that
    fails where it is hard.

    Examples
    --------
    >>> import pandas as pd
    >>> from lossutils import plotting
    >>> runs = pd.DataFrame(
    ...     {"seed": [0, 1, 2], "measure": "test_accuracy", "value": [0.82, 0.84, 0.83]}
    ... )
    >>> ax = plotting.seeds({"hinge": runs}, "test_accuracy", references={"ceiling": 0.86})
    >>> ax.get_xlabel().splitlines()[0]
    'Test accuracy'
    """
    values = _last(rows_of(runs, measure))
    references = check_references(references)
    bars = {name: _mean_and_deviation(by_seed) for name, by_seed in values.items()}
    ax = _draw_rows(ax, values, _diverged(values), bars, colors_of(values), references)
    ax.set_xlabel(f"{label or in_words(measure)}\n(point: a seed, bar: mean ± standard deviation)")
    return ax


@styled
def paired(runs, measure, ax=None, *, label=None, test_to_train=None):
    """Draw the difference to the first name, seed by seed, with its mean and 95 % interval.

    Runs with the same seed share the order of the data, often the first weights, and with draws
    the data itself, so their difference varies less than the runs themselves. An interval that
    leaves out zero says that the mean difference is more than chance among seeds.

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
    test_to_train : float, optional
        As in ``training.compare``: for seeds that split the same table anew.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two names or seeds, the seeds differ, or one occurs twice.

    Notes
    -----
    Means and intervals are those of ``training.compare``; several of them hold together. A name
    with a run that diverged has neither, and the number is written under it.

    Examples
    --------
    >>> import pandas as pd
    >>> from lossutils import plotting
    >>> def runs(values):
    ...     return pd.DataFrame({"seed": range(3), "measure": "test_accuracy", "value": values})
    >>> ax = plotting.paired(
    ...     {"hinge": runs([0.82, 0.84, 0.83]), "mse": runs([0.81, 0.82, 0.82])}, "test_accuracy"
    ... )
    >>> [text.get_text() for text in ax.texts]
    ['same as hinge']
    """
    values = _last(rows_of(runs, measure))
    if len(values) < 2:
        raise ValueError("paired compares with the first of runs; pass at least two.")
    first, *others = values
    if len(values[first]) < 2:
        raise ValueError("an interval needs at least two seeds; repeat with more of them.")
    table = compare(dict(runs), measure, test_to_train)
    differences = {name: values[name] - values[first] for name in others}
    bars = {name: tuple(table.loc[name, ["difference", "low", "high"]]) for name in others}
    diverged = _diverged(values)
    same = f"same as {first}{_told(diverged[first], len(values[first]), ' ')}"
    ax = _draw_rows(ax, differences, diverged, bars, colors_of(values), {same: 0.0})
    what = f"{label or in_words(measure)}, difference to {first}"
    interval = "95 % interval" if len(others) == 1 else "simultaneous 95 % interval"
    ax.set_xlabel(f"{what}\n(point: a seed, bar: mean and {interval})")
    return ax


@styled
def rates(sweep, measure, ax=None, *, references=None, label=None):
    """Draw a measure against the learning rate, a line for each name.

    Each loss has learning rates that suit it, so that a comparison at a common rate compares the
    rates as well. Look whether the best one lies inside the range. Choose it on rows that are kept
    out of the test set, as ``training.repeat(..., learning_rates=[...])`` does.

    Parameters
    ----------
    sweep : mapping of str to DataFrame
        Results of ``training.repeat(..., learning_rates=[...], choose_by=None)`` by name: columns
        ``seed``, ``learning_rate``, ``measure``, ``value``, with several rates for each seed. Where
        every epoch is kept, the last one counts. A name that is a loss has its color.
    measure : str
        As in the column ``measure``, such as ``"test_accuracy"``.
    ax : matplotlib.axes.Axes, optional
        Where to draw. A new figure by default.
    references : mapping of str to float, optional
        Horizontal lines by label, such as a ceiling.
    label : str, optional
        Label of the vertical axis, with a unit. By default the measure in words.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If the runs lack a column or the measure, a learning rate is not positive, or a seed occurs
        twice at one rate.

    Notes
    -----
    Points are seeds, moved apart sideways; the line joins the means. Where runs diverged, their
    number is written at the top (``× 3``) and the line has a gap, since the mean of the others
    would favor a rate that fails where it is hard.

    Examples
    --------
    >>> import pandas as pd
    >>> from lossutils import plotting
    >>> sweep = pd.DataFrame(
    ...     {"seed": [0, 1, 0, 1], "learning_rate": [0.01, 0.01, 0.1, 0.1],
    ...      "measure": "test_accuracy", "value": [0.7, 0.8, 0.8, 0.9]}
    ... )
    >>> ax = plotting.rates({"hinge": sweep}, "test_accuracy")
    >>> ax.lines[0].get_ydata().round(2).tolist()
    [0.75, 0.85]
    """
    key = ("seed", "learning_rate")
    frames = rows_of(sweep, measure, key=key)
    references = check_references(references)
    tables = {name: _by_rate(last_epoch(rows, key), name) for name, rows in frames.items()}
    every_rate = sorted({rate for table in tables.values() for rate in table.columns})
    ax = new_axes(ax)
    ax.set_xscale("log")
    reach = 0.12 * min(np.diff(np.log(every_rate)), default=1.0)
    offsets = np.linspace(-reach, reach, len(tables)) if len(tables) > 1 else [0.0]
    looks = styles_of(tables)
    for (name, table), offset in zip(tables.items(), offsets, strict=True):
        _draw_rates(ax, table, np.exp(offset), name, looks[name])
    height = _draw_diverged(ax, tables, looks)
    _rates_axis(ax, every_rate)
    ax.set_xlabel("Learning rate\n(line: mean, point: a seed, ×: number of seeds that diverged)")
    ax.set_ylabel(label or in_words(measure))
    ax.grid(axis="y")
    draw_legend(ax, lift=height)
    draw_levels(ax, references)
    return ax


def _by_rate(rows, name):
    """Return a row for each seed and a column for each learning rate."""
    bad = rows["learning_rate"][~(rows["learning_rate"] > 0)]
    if len(bad):
        raise ValueError(
            f"runs[{name!r}] has the learning rate {bad.iloc[0]}; a log axis needs positive ones."
        )
    table = rows.pivot(index="seed", columns="learning_rate", values="value")
    if len(rows) < table.size:
        raise ValueError(
            f"runs[{name!r}] lacks some seeds at some learning rates; "
            "repeat each rate with the same seeds."
        )
    return table


def _draw_rates(ax, table, shift, name, look):
    """Draw means and seeds; a mean is missing where a run diverged."""
    rate = table.columns.to_numpy()
    ax.plot(rate, table.mean(skipna=False), label=name, marker="D", markersize=5, **look)
    finished = table.stack().dropna()
    x = finished.index.get_level_values("learning_rate") * shift
    ax.scatter(x, finished, s=11, color=look["color"], alpha=0.4, linewidth=0, zorder=1.8)


def _rates_axis(ax, rates):
    # Not from the data: a rate where every run diverged has none.
    room = np.exp(0.08 * np.log(rates[-1] / rates[0]) or 1.0)
    ax.set_xlim(rates[0] / room, rates[-1] * room)
    if len(rates) <= 8:
        ax.xaxis.set_major_locator(FixedLocator(rates))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(NullLocator())


def _draw_diverged(ax, tables, looks):
    """Write above the axes how many runs diverged; return the height of what is written."""
    lost = {name: table.isna().sum() for name, table in tables.items()}
    lost = {name: numbers[numbers > 0] for name, numbers in lost.items() if numbers.any()}
    # A line of text for each loss: at one rate, the numbers of several would overlap.
    for row, (name, numbers) in enumerate(lost.items()):
        for rate, number in numbers.items():
            ax.annotate(
                f"× {number}",
                xy=(rate, 1),
                xycoords=ax.get_xaxis_transform(),
                xytext=(0, 2 + 12 * row),
                ha="center",
                va="bottom",
                annotation_clip=False,
                **(REMARK | {"color": looks[name]["color"]}),
            )
    return 12 * len(lost)


def _last(frames):
    """Take the value of each seed (after the last epoch, where every epoch is kept)."""
    return {name: last_epoch(rows).set_index("seed")["value"] for name, rows in frames.items()}


def _diverged(values):
    return {name: int(by_seed.isna().sum()) for name, by_seed in values.items()}


def _told(lost, number, before):
    return f"{before}({lost} of {number} diverged)" if lost else ""


def _mean_and_deviation(values):
    """Return the mean and the ends of its bar, NaN if a run diverged or there is one only."""
    mean, deviation = values.mean(skipna=False), values.std(ddof=1, skipna=False)
    return mean, mean - deviation, mean + deviation


def _draw_rows(ax, values, diverged, bars, colors, references):
    """Draw the value of each seed and a bar of (center, low, high), a row for each name."""
    ax = new_axes(ax, (TEXT[0], 1.3 + 0.55 * len(values)))
    names = []
    for row, (name, by_seed) in enumerate(values.items()):
        finite = by_seed.dropna().to_numpy()
        names.append(f"{name}{_told(diverged[name], len(by_seed), chr(10))}")
        # Steps of the golden ratio look random and are the same every time.
        spread = (0.5 + 0.6180339887498949 * np.arange(len(finite))) % 1
        # The points lie below the bar, so that neither hides the other.
        heights = row + 0.14 + 0.26 * spread
        ax.scatter(finite, heights, s=13, color=colors[name], alpha=0.55, linewidth=0)
        center, low, high = bars[name]
        if np.isfinite([center, low, high]).all():
            ax.errorbar(
                center,
                row - 0.08,
                xerr=[[center - low], [high - center]],
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
