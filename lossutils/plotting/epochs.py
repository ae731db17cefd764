"""Figures over the epochs: of one training, and of many that differ by their seed."""

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
from ._inputs import rows_of
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
    ValueError
        If the history lacks the measure, or there are references for several measures.

    Notes
    -----
    A training that diverges records NaN. The curve ends there, and a label tells the epoch.
    """
    record = getattr(history, "history", history)
    measures = [measure] if isinstance(measure, str) else list(measure)
    check_references(references)
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
        panels = [new_axes(ax)]
    else:
        panels = new_panels(ax, len(measures), WIDE if len(measures) > 1 else TEXT)
    for panel, name in zip(panels, measures, strict=True):
        train = np.asarray(record[f"train_{name}"], dtype=float)
        test = np.asarray(record[f"test_{name}"], dtype=float)
        _draw_curves(panel, train, test)
        panel.set_ylabel(label or in_words(name))
    draw_legend(panels[0])
    draw_levels(panels[0], references)
    return panels[0] if isinstance(measure, str) else panels


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
    frames = rows_of(runs, measure, needs=("epoch",))
    check_references(references)
    ax = new_axes(ax)
    styles = styles_of(frames)
    for name, rows in frames.items():
        by_epoch = rows.groupby("epoch")["value"].quantile([0.1, 0.5, 0.9]).unstack()
        epochs = by_epoch.index.to_numpy()
        ax.fill_between(
            epochs, by_epoch[0.1], by_epoch[0.9], color=styles[name]["color"], alpha=0.18, lw=0
        )
        ax.plot(epochs, by_epoch[0.5], label=name, **styles[name])
    ax.set_xlabel("Epoch (line: median, band: middle 80 % of the seeds)")
    ax.set_ylabel(label or in_words(measure))
    _epochs_axis(ax, epochs)
    draw_legend(ax)
    draw_levels(ax, references)
    return ax


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
