"""Figures over the epochs: of one training, and of many that differ by their seed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from ._axes import (
    REMARK,
    check_references,
    draw_legend,
    draw_levels,
    in_words,
    new_axes,
    new_panels,
)
from ._inputs import column, real, rows_of
from ._style import DASHES, QUIET, SPLIT_COLORS, TEXT, WIDE, styled, styles_of


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
    TypeError
        If ``history`` is none, or ``measure`` names nothing.
    ValueError
        If the history lacks the measure, or there are references for several measures.

    Notes
    -----
    A training that diverges records NaN. The curve ends there, and a label tells the epoch.

    Examples
    --------
    >>> from lossutils import plotting
    >>> history = {"train_loss": [0.9, 0.5, 0.4], "test_loss": [0.9, 0.6, 0.6]}
    >>> ax = plotting.learning_curves(history)
    >>> ax.get_ylabel()
    'Loss'
    """
    record = getattr(history, "history", history)
    if not isinstance(record, Mapping):
        raise TypeError(
            "history must be what training.fit returns, or a mapping such as "
            f"{{'train_loss': [...], 'test_loss': [...]}}; got {type(history).__name__}."
        )
    measures = [measure] if isinstance(measure, str) else measure
    if not _are_names(measures):
        raise TypeError(
            f"measure must be a name such as 'loss', or a list of names; got {measure!r}."
        )
    references = check_references(references)
    if len(measures) > 1 and (references or label):
        raise ValueError(
            "references and label belong to one measure; "
            "draw each measure into its own Axes with ax=."
        )
    for name in measures:
        missing = [key for key in (f"train_{name}", f"test_{name}") if key not in record]
        if missing:
            tested = [key for key in map(str, record) if key.startswith("test_")]
            known = sorted(key.removeprefix("test_") for key in tested)
            raise ValueError(
                f"the history has no {missing[0]!r}; its measures are {known}. "
                "training.fit records them for the loss and each metric of the model."
            )
    curves = {name: _train_and_test(record, name) for name in measures}
    if isinstance(measure, str):
        panels = [new_axes(ax)]
    else:
        panels = new_panels(ax, len(measures), WIDE if len(measures) > 1 else TEXT)
    for panel, (name, (train, test)) in zip(panels, curves.items(), strict=True):
        _draw_curves(panel, train, test)
        panel.set_ylabel(label or in_words(name))
    draw_legend(panels[0])
    draw_levels(panels[0], references)
    return panels[0] if isinstance(measure, str) else panels


@styled
def curves_over_seeds(runs, measure, ax=None, *, references=None, label=None):
    """Draw a measure over the epochs for many seeds: the median and where most runs lie.

    The line is the median, the band holds the middle 80 % of the seeds.

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
    TypeError, ValueError
        If the runs lack the column ``epoch`` or the measure.

    Notes
    -----
    A run that diverged is left out from that epoch on, and the legend says how many did: line and
    band are then those of the others. A run that stopped early keeps its last value.

    Examples
    --------
    >>> import pandas as pd
    >>> from lossutils import plotting
    >>> runs = pd.DataFrame(
    ...     {"seed": [0, 0, 1, 1], "epoch": [1, 2, 1, 2], "measure": "test_accuracy",
    ...      "value": [0.6, 0.8, 0.5, 0.7]}
    ... )
    >>> ax = plotting.curves_over_seeds({"hinge": runs}, "test_accuracy")
    >>> ax.lines[0].get_ydata().round(2).tolist()
    [0.55, 0.75]
    """
    frames = rows_of(runs, measure, needs=("epoch",))
    references = check_references(references)
    ax = new_axes(ax)
    styles = styles_of(frames)
    last = 1
    for name, rows in frames.items():
        values = _by_epoch(rows)
        low, middle, high = np.array([values.quantile(q, axis=1) for q in (0.1, 0.5, 0.9)])
        epochs = values.index.to_numpy()
        last = max(last, epochs[-1])
        lost = int(values.iloc[-1].isna().sum())
        told = f"{name} ({lost} of {values.shape[1]} diverged)" if lost else str(name)
        ax.fill_between(epochs, low, high, color=styles[name]["color"], alpha=0.18, lw=0)
        ax.plot(epochs, middle, label=told, **styles[name])
    ax.set_xlabel("Epoch (line: median, band: middle 80 % of the seeds)")
    ax.set_ylabel(label or in_words(measure))
    _epochs_axis(ax, np.arange(1, last + 1))
    draw_legend(ax)
    draw_levels(ax, references)
    return ax


def _are_names(measures):
    return (
        isinstance(measures, Sequence)
        and len(measures) > 0
        and all(isinstance(name, str) for name in measures)
    )


def _train_and_test(record, measure):
    train, test = (
        column(record[key], f"history[{key!r}]", check=real)
        for key in (f"train_{measure}", f"test_{measure}")
    )
    if len(train) != len(test):
        raise ValueError(
            f"the history has {len(train)} values of 'train_{measure}' and {len(test)} of "
            f"'test_{measure}'; it needs one each for every epoch."
        )
    return train, test


def _by_epoch(rows):
    """Return a row for each epoch and a column for each seed, NaN from where a run diverged."""
    lost = np.inf  # tells a run that diverged from one that stopped early, which has no row
    table = rows.assign(value=rows["value"].fillna(lost)).pivot(
        index="epoch", columns="seed", values="value"
    )
    return table.ffill().replace(lost, np.nan)


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
            rotation=90,
            va="center",
            annotation_clip=False,
            **REMARK,
        )
    ax.set_xlabel("Epoch")
    _epochs_axis(ax, epochs)


def _epochs_axis(ax, epochs):
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(axis="y")
    if len(epochs) > 1:
        ax.set_xlim(epochs[0], epochs[-1] + 0.02 * (epochs[-1] - epochs[0]))
