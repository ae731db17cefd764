"""What a diagnosis shows."""

import html
import textwrap

import numpy as np
import pandas as pd

from lossutils.checks._findings import Finding, Findings

_WIDTH = 88
_MEMORIZED = 0.9
_NOT_MEMORIZED = 0.5
_SMALL_STEP, _LARGE_STEP = 1e-5, 0.1


class Diagnosis:
    """What experiments say about a model that does not learn as it should.

    It prints as a short text, and shows as tables in a notebook.

    Attributes
    ----------
    metric : str
        The metric of all values, better when larger: ``"R²"``, ``"D² (absolute error)"``,
        ``"accuracy"`` or, where classes are of very different size, ``"balanced accuracy"``.
    references : pandas.Series
        What a constant, a linear model and gradient boosting reach on the rows held out.
    memorized : dict or None
        ``value``, the metric on ``rows`` rows that the model was trained on for ``steps`` steps;
        ``share``, how far that is from a constant (0) to perfect (1).
    inside : pandas.DataFrame
        A row for each layer with a kernel, from the first epochs of one training: ``units``;
        ``scale`` of its initial weights, 1 for those of He; ``dead_at_start`` and ``dead``, the
        share of its units that give each row the same number; ``saturated``, the share of its
        values at an end of the activation; ``gradient`` and ``update``, the norms of gradient and
        step relative to that of the weights.
    table : pandas.DataFrame
        A row for the trainings ``as given`` and for each change that was tried: ``value`` and
        ``std`` over ``seeds``; ``diverged``, how many trainings did; ``difference``, the mean
        paired difference; ``low``, the lower end of its interval; ``verdict``: ``"cause"``;
        ``"learns less"``, another rate that is better since it learns the training rows less, as
        fewer epochs do; ``"unclear"``, large enough and not clear of chance; ``"small"``, clear of
        chance and less than a tenth of the gap; ``"no effect"`` or ``"worse"``.
    causes : list of str
        Codes of the changes that are causes, the most important first.
    findings : list of Finding
        Those of `check_setup`, then one for each cause.
    recipe : str
        What to write instead, as code; empty where there is no cause.
    left_out : dict of str to str
        What was not tried or measured, and why: for want of time, or because it cannot be.
    not_needed : dict of str to str
        Changes that need no trial, and why.
    """

    def __init__(self, metric, references, inside, checked, left_out):
        self.metric = metric
        self.references = pd.Series(
            {name: value.mean() for name, value in references.items()}, name=metric, dtype=float
        )
        self.inside = pd.DataFrame() if inside is None else inside.layers
        self.left_out = left_out
        self.memorized = None
        self._inside, self._checked = inside, checked
        self.not_needed = {}
        self._judged, self._scores = None, {}

    def with_causes(self, memorized, judged, scores, not_needed):
        """Return this diagnosis with what the trainings say."""
        self.memorized, self.not_needed = memorized, not_needed
        self._judged, self._scores = judged, scores
        return self

    @property
    def table(self):
        """What was tried, a row each, as a DataFrame."""
        rows = {} if self._judged is None else self._judged.table
        columns = ["value", "std", "seeds", "diverged", "difference", "low", "verdict"]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        return table.rename_axis("change")

    @property
    def causes(self):
        """Codes of the changes that are causes, the most important first."""
        return [change.code for change in self._changes]

    @property
    def findings(self):
        """What `check_setup` finds, then what the trainings say."""
        return Findings([*self._checked, *self._own_findings()])

    @property
    def _changes(self):
        return [] if self._judged is None else self._judged.causes

    @property
    def learnable(self):
        """Whether anything that was tried is better than a constant; None where nothing was."""
        return None if self._judged is None else self._judged.learnable

    @property
    def recipe(self):
        """What to write instead, as code."""
        if not self._changes:
            return ""
        chosen = self._judged.better_together or self._changes[0]
        return f"# {chosen.title}\n{chosen.recipe}"

    def plot(self, ax=None):
        """Draw each change, seed by seed, with the references.

        What is far below the constant is drawn a little below it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. A new figure by default.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ValueError
            If the time sufficed for no training.
        """
        from lossutils import plotting  # only here: nobody who does not draw needs Matplotlib

        if not self._scores:
            raise ValueError("no training was made in the time given: raise seconds=")
        floor = self.references["constant"]
        lowest = floor - 0.25 * max(self._judged.gap, 0.1)
        runs = {
            title.replace(" + ", "\n+ "): pd.DataFrame(
                {
                    "seed": np.arange(len(score.held_out)),
                    "measure": "value",
                    "value": np.maximum(score.held_out, lowest),
                }
            )
            for title, score in self._scores.items()
        }
        label = f"{self.metric[:1].upper()}{self.metric[1:]} on the rows held out"
        if any((score.held_out < lowest).any() for score in self._scores.values()):
            label += f", at least {lowest:.2f}"
        return plotting.seeds(runs, "value", ax, references=dict(self.references), label=label)

    def _own_findings(self):
        if self._judged is None:
            return
        if not self._judged.learnable:
            yield Finding(
                "nothing-to-learn",
                "warning",
                f"nothing that was tried predicts held-out rows better than a constant "
                f"({self.metric} {self.references['constant']:.2f})",
                "look at the data: are rows of x and y still in the same order, and do the inputs "
                "say anything about the targets?",
            )
        for change in self._changes:
            row = self.table.loc[change.title]
            yield Finding(
                change.code,
                "warning",
                f"{change.message}: with {change.title}, {self.metric} goes from "
                f"{self.table['value'].iloc[0]:.2f} to {row['value']:.2f} "
                f"({row['difference']:+.2f}, at least {row['low']:+.2f})",
                change.recipe,
            )

    def __str__(self):
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self):
        for finding in self._checked:
            told = f"{finding.severity}: {finding.code}: {finding.message}"
            yield from _wrapped(f"check_setup: {told}")
        yield from _wrapped(self._on_references())
        yield from _wrapped(self._on_inside())
        if self._judged is None:
            yield from _wrapped(
                "The time did not suffice for the trainings of the model as it is given: raise "
                "seconds=, or lower epochs= or seeds=."
            )
            return
        yield from self._on_causes()
        if self.left_out:
            listed = "; ".join(f"{title} ({why})" for title, why in self.left_out.items())
            yield from _wrapped(f"Left out: {listed}.")
        if self.recipe:
            yield "Write:"
            yield textwrap.indent(self.recipe, "    ")

    def _on_references(self):
        listed = " · ".join(f"{name} {value:.2f}" for name, value in self.references.items())
        text = f"{self.metric[:1].upper()}{self.metric[1:]} on the rows held out: {listed}"
        if self._scores:
            text += f" · your network {self.table['value'].iloc[0]:.2f}"
            text += (
                "."
                if self.learnable
                else (
                    ". Nothing is clearly better than the constant: there may be nothing to learn."
                )
            )
        return text

    def _on_inside(self):
        parts = []
        if self.memorized is not None:
            parts.append(self._on_memory())
        if self._inside is not None and self._inside.nan_step is not None:
            parts.append(f"The loss is NaN after step {self._inside.nan_step}.")
        update = self.inside["update"].median() if len(self.inside) else np.nan
        if update < _SMALL_STEP:
            parts.append(f"A step moves the weights by {update:.0e} of their size: hardly at all.")
        if update > _LARGE_STEP:
            parts.append(f"A step moves the weights by {update:.0%} of their size.")
        for name, layer in self.inside.iterrows():
            if layer["dead"] > 0.5 and name != self.inside.index[-1]:
                parts.append(f"In {name}, {layer['dead']:.0%} of the units are dead.")
            if layer["saturated"] > 0.5 and name != self.inside.index[-1]:
                parts.append(f"In {name}, {layer['saturated']:.0%} of the values are saturated.")
        return " ".join(parts)

    def _on_memory(self):
        told = self.memorized
        reached = f"{self.metric} {told['value']:.2f}"
        start = f"{told['rows']} rows, after {told['steps']:,} steps: {reached}"
        if told["share"] >= _MEMORIZED:
            return f"It memorizes {start}."
        if told["share"] >= _NOT_MEMORIZED or not self.learnable:
            return f"It memorizes in part {start}."
        return (
            f"It does not memorize {start}. The fault is in its wiring, its size or its step, "
            "not in the data."
        )

    def _on_causes(self):
        tried = self.table.iloc[1:]
        if self._changes:
            yield "Causes, each tried alone:"
        for number, change in enumerate(self._changes, 1):
            row = self.table.loc[change.title]
            text = (
                f"{number}. {change.message}. With {change.title}: {row['value']:.2f} "
                f"({row['difference']:+.2f}, at least {row['low']:+.2f})"
            )
            yield textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="     ")
        others = {
            verdict: [t for t in tried.index if tried.loc[t, "verdict"] == verdict]
            for verdict in ("learns less", "unclear", "small", "no effect", "worse")
        }
        if not self._changes:
            yield "No cause among what was tried."
        words = {
            "learns less": "Better, since it learns the training rows less, as fewer epochs do",
            "unclear": "Better, but not clear of chance",
            "small": "Better, by less than a tenth of what is possible",
            "no effect": "Tried without effect",
            "worse": "Worse",
        }
        for verdict, titles in others.items():
            if titles:
                yield from _wrapped(f"{words[verdict]}: {', '.join(titles)}.")

    def _repr_html_(self):
        text = html.escape(str(self))
        return f"<pre>{text}</pre>{self.table.round(3).to_html()}{self.inside.round(3).to_html()}"


def _wrapped(text):
    return textwrap.wrap(text, _WIDTH) if text else []
