"""The experiments of a diagnosis, one after the other."""

import time
from dataclasses import replace

import numpy as np

from lossutils.checks import _network
from lossutils.checks._diagnosis import _changes, _floors, _inside, _judge
from lossutils.checks._diagnosis._report import Diagnosis
from lossutils.checks._diagnosis._splits import Splits
from lossutils.checks._diagnosis._task import task_of
from lossutils.checks._diagnosis._trials import (
    MEMORIZED_ROWS,
    MEMORIZING_STEPS,
    OutOfTime,
    Trials,
    seeded,
)
from lossutils.checks._setup import resolve_loss
from lossutils.training._progress import progress_bar

AS_GIVEN = "as given"


def run(source, x, y, held_out, settings, seeds, seconds, findings, verbose):
    """Make all experiments.

    Parameters
    ----------
    source : Source
    x, y : ndarray
        Targets have the shape (n, 1) or (n, k).
    held_out : tuple of ndarray or None
    settings : Settings
    seeds : list of int
    seconds : float
    findings : Findings
        Of `check_setup`.
    verbose : bool or "auto"

    Returns
    -------
    Diagnosis
    """
    deadline = time.monotonic() + seconds
    with seeded(seeds[0]):
        model = source.model()
    (output,) = _network.outputs(model, x[:1])
    loss = resolve_loss(model.loss, y.shape, output.shape)
    task = task_of(y, output, loss)
    splits = Splits(x, y, task, held_out)
    trials = Trials(task, splits, seeds, deadline)
    experiments = _Experiments(source, model, task, splits, trials, settings, verbose)
    return experiments.diagnosis(output, loss, findings, seconds)


class _Experiments:
    def __init__(self, source, model, task, splits, trials, settings, verbose):
        self._source, self._model, self._task = source, model, task
        self._splits, self._trials, self._settings = splits, trials, settings
        self._seeds, self._verbose = trials.seeds, verbose
        self._scores, self._left_out = {}, {}

    def diagnosis(self, output, loss, findings, seconds):
        references = self._references()
        floor = references.pop("constant")
        found = {
            "metric": self._task.metric,
            "references": {"constant": floor, **references},
            "checked": findings,
            "seeds": self._seeds,
            "epochs": self._settings.epochs,
            "splits_drawn": self._splits.drawn,
            "seconds": seconds,
        }
        inside = self._look_inside()
        try:
            memorized = self._memorize()
            self._scores[AS_GIVEN] = self._train(None)
        except OutOfTime:
            return Diagnosis(**found, inside=inside, left_out=self._left_out)
        ceiling = max([floor.mean(), *(v.mean() for v in references.values())])
        evidence = _changes.Evidence(
            self._model,
            self._splits.of(self._seeds[0]),
            self._task,
            self._settings,
            inside,
            memorized["share"],
            self._scores[AS_GIVEN],
            loss.name if loss else None,
            output.activation is None or output.activation.name == "linear",
            _nonlinear_gain(floor, references, ceiling),
        )
        to_try, needless = _changes.changes(evidence)
        self._try(to_try)
        judged = _Judged(self._scores, to_try, floor, references, self._splits.test_to_train)
        pair = judged.pair()
        if pair is not None:
            self._try([pair])
            judged.add_pair(pair)
        return Diagnosis(
            **found,
            inside=inside,
            memorized=memorized,
            scores=self._scores,
            judged=judged,
            needless=needless,
            left_out=self._left_out,
        )

    def _references(self):
        found = {}
        rows = [self._splits.of(seed) for seed in self._seeds]
        if not self._splits.drawn:
            rows = rows[:1]
        kinds = {
            "constant": _floors.constant,
            "linear model": _floors.linear,
            "gradient boosting": _floors.boosting,
        }
        for name, measure in kinds.items():
            values = [measure(each, self._task) for each in rows]
            if any(value is None for value in values):
                self._left_out[name] = "it would take longer than the trainings"
                continue
            values = values if self._splits.drawn else values * len(self._seeds)
            found[name] = np.array(values)
        return found

    def _look_inside(self):
        with seeded(self._seeds[0]):
            return _inside.look_inside(
                self._source.model(), self._splits.of(self._seeds[0]), self._task, self._settings
            )

    def _memorize(self):
        values = self._trials.memorize(self._source.model, self._settings)
        floor = 1 / self._task.classes if self._task.classes else 0.0
        finite = np.nan_to_num(values, nan=floor)
        value = float(np.median(finite))
        return {
            "value": value,
            "share": max(0.0, (value - floor) / (1 - floor)),
            "rows": MEMORIZED_ROWS,
            "steps": MEMORIZING_STEPS,
        }

    def _train(self, *changes):
        """Train without a change, or with changes that differ in the learning rate only."""
        first = changes[0]
        if first is None:
            return self._trials.run(self._source.model, self._settings)[0]
        settings = first.apply(self._settings)
        if len(changes) > 1:
            settings = _with_rates(settings, [change.rate for change in changes])
        build = self._source.model
        if first.network is not None:

            def build():
                return first.network(self._source)

        return self._trials.run(build, settings, first.prepared, first.scaled_targets)

    def _try(self, to_try):
        """Train with each change, all seeds or none; note what the time does not suffice for."""
        with progress_bar(len(to_try), "change", self._verbose) as bar:
            for group in _grouped(to_try):
                try:
                    scores = self._train(*group)
                except OutOfTime:
                    self._left_out.update((change.title, "for want of time") for change in group)
                except (ValueError, TypeError, NotImplementedError, AttributeError) as error:
                    why = str(error).splitlines()[0][:80] if str(error) else "it cannot be made"
                    self._left_out.update((change.title, why) for change in group)
                else:
                    self._scores.update(
                        (change.title, score) for change, score in zip(group, scores, strict=True)
                    )
                bar.update(len(group))


def _with_rates(settings, rates):
    return replace(settings, rates=tuple(rates))


def _grouped(changes):
    """Put changes together that differ in the learning rate only, which one build serves."""
    groups = []
    for change in changes:
        plain = change.rate is not None and change.network is None and change.prepared is None
        if plain and groups and groups[-1][0].code == change.code:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _nonlinear_gain(floor, references, ceiling):
    if "gradient boosting" not in references or ceiling <= floor.mean():
        return 0.0
    linear = references.get("linear model", floor).mean()
    return (references["gradient boosting"].mean() - linear) / (ceiling - floor.mean())


class _Judged:
    """What the trainings say of each change.

    Attributes
    ----------
    table : dict of str to dict
        By title: ``value``, ``std``, ``diverged``, ``difference``, ``low``, ``verdict``.
    learnable : bool
        Whether anything is better than the constant, clear of chance.
    causes : list of Change
        The most important first.
    better_together : Change or None
        Two causes, where both are better than the first, clear of chance.
    """

    def __init__(self, scores, changes, floor, references, test_to_train):
        self._scores, self._floor, self._ratio = scores, floor, test_to_train
        self._tried = len(changes) + 1  # and the best two together
        self._changes = {change.title: change for change in changes}
        values = [_judge.at_least(score.held_out, floor) for score in scores.values()]
        everything = [*references.values(), *values]
        best = max(value.mean() for value in everything)
        self.gap = max(best - floor.mean(), 0.0)
        self.learnable = any(
            self._clear(value - floor) and (value - floor).mean() > 0 for value in everything
        )
        self._as_given = _judge.at_least(scores[AS_GIVEN].held_out, floor)
        self.table = {title: self._row(title) for title in scores}
        self.causes = self._in_order()
        self.better_together = None

    def _clear(self, differences):
        return _judge.lower_bound(differences, self._tried, self._ratio) > 0

    def _row(self, title):
        held_out = self._scores[title].held_out
        row = {
            "value": held_out.mean(),
            "std": held_out.std(ddof=1) if len(held_out) > 1 else np.nan,
            "diverged": int(np.isnan(held_out).sum()),
        }
        if title == AS_GIVEN:
            return {**row, "difference": np.nan, "low": np.nan, "verdict": ""}
        differences = _judge.at_least(held_out, self._floor) - self._as_given
        low = _judge.lower_bound(differences, self._tried, self._ratio)
        verdict = _judge.verdict(differences.mean(), low, self.gap)
        if not self.learnable and verdict != "worse":
            verdict = "no effect"
        return {**row, "difference": differences.mean(), "low": low, "verdict": verdict}

    def _in_order(self):
        causes = [
            change
            for title, change in self._changes.items()
            if title in self.table and self.table[title]["verdict"] == "cause"
        ]
        causes.sort(key=self._gain, reverse=True)
        of_each_kind = list({change.code: change for change in reversed(causes)}.values())[::-1]
        of_each_kind.sort(key=self._gain, reverse=True)
        if not of_each_kind:
            return []
        # Differences below a tenth of the gap do not matter: the larger suspect goes first.
        best = self._gain(of_each_kind[0])
        equal = [c for c in of_each_kind if best - self._gain(c) < _judge.MATTERS * self.gap]
        rest = of_each_kind[len(equal) :]
        return sorted(equal, key=lambda c: -c.suspicion) + rest

    def _gain(self, change):
        return self.table[change.title]["difference"]

    def pair(self):
        """Return the first cause with the next that can be had with it, or None."""
        for second in self.causes[1:]:
            if _changes.fit_together(self.causes[0], second):
                return _changes.together(self.causes[0], second)
        return None

    def add_pair(self, pair):
        """Judge the pair against the first cause."""
        if pair.title not in self._scores:
            return
        self.table[pair.title] = self._row(pair.title)
        first = self._scores[self.causes[0].title].held_out
        values = _judge.at_least(self._scores[pair.title].held_out, self._floor)
        differences = values - _judge.at_least(first, self._floor)
        if self._clear(differences) and differences.mean() >= _judge.MATTERS * self.gap:
            self.better_together = pair
