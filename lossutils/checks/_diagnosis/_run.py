"""The experiments of a diagnosis, one after the other."""

import textwrap
import time
from dataclasses import replace

import numpy as np
import tensorflow as tf

from lossutils.checks import _network
from lossutils.checks._diagnosis import _changes, _floors, _inside, _judge
from lossutils.checks._diagnosis._causes import AS_GIVEN, Causes
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
from lossutils.training import _compiled
from lossutils.training._progress import progress_bar

# Further seeds for each one given, where a difference is large and not clear of chance.
_MORE_SEEDS = 2

_FOR_WANT_OF_TIME = "for want of time"


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
    trials = Trials(task, splits, deadline, _runs_compiled(model))
    experiments = _Experiments(source, model, trials, settings, seeds, verbose)
    return experiments.diagnosis(output, loss, findings)


def _runs_compiled(model):
    try:
        _compiled.check_model(model)
    except ValueError:  # it names what only model.fit does
        return False
    return True


class _Experiments:
    def __init__(self, source, model, trials, settings, seeds, verbose):
        self._source, self._model, self._trials = source, model, trials
        self._task, self._splits = trials.task, trials.splits
        self._settings, self._seeds, self._verbose = settings, seeds, verbose
        self._scores, self._left_out = {}, {}

    def diagnosis(self, output, loss, findings):
        """Make the experiments in their order."""
        references, signal = self._references(self._seeds)
        inside = self._look_inside()
        if inside is not None:
            self._trials.expect(inside.step_seconds, self._settings)
        found = Diagnosis(self._task.metric, references, inside, findings, self._left_out)
        try:
            memorized = self._memorize()
            self._scores[AS_GIVEN] = self._train([None], self._seeds)[0]
        except OutOfTime:
            return found
        except ValueError as error:
            seen = f"\n\n{findings}" if findings else ""
            raise ValueError(
                f"the model cannot be trained as it is given: {error}{seen}"
            ) from error
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
            _nonlinear_gain(references),
        )
        changes, needless = _changes.changes(evidence)
        self._try(changes, self._seeds)
        causes = self._judged(changes, references, signal)
        if causes.unclear and len(self._seeds) > 1:
            self._try_again(causes.unclear)
            causes = self._judged(changes, references, signal)
        pair = causes.pair()
        if pair is not None:
            self._try([pair], self._seeds)
            causes.add_pair(pair)
        return found.with_causes(memorized, causes, self._scores, needless)

    def _judged(self, changes, references, signal):
        floor = references["constant"]
        further = len(self._scores[AS_GIVEN].held_out) - len(floor)
        if further:
            floor = np.concatenate([floor, self._constants(self._further_seeds())])
        ratio = self._splits.test_to_train
        return Causes(self._scores, changes, floor, references, signal, ratio)

    def _constants(self, seeds):
        return np.array([_floors.constant(self._splits.of(seed), self._task) for seed in seeds])

    def _references(self, seeds):
        """Return what others reach, and whether one of them finds anything to learn."""
        given = seeds if self._splits.drawn else [seeds[0]] * len(seeds)
        found, chances = {"constant": self._constants(given)}, []
        kinds = {"linear model": _floors.linear, "gradient boosting": _floors.boosting}
        for name, measure in kinds.items():
            if self._splits.drawn:
                chosen = seeds
                if measure is _floors.boosting:
                    rows = self._splits.of(seeds[0])
                    chosen = seeds[: _floors.splits_to_boost(rows, self._task, len(seeds))]
                measured = [measure(self._splits.of(seed), self._task) for seed in chosen]
            else:
                measured = [measure(self._splits.of(0), self._task)] * len(seeds)
            if any(each is None for each in measured):
                self._left_out[name] = "it would take longer than the trainings"
            else:
                found[name] = np.array([each.value for each in measured])
                chances.append([each.chance for each in measured])
        return found, _judge.is_signal(chances)

    def _look_inside(self):
        if not self._trials.compiled:
            self._left_out["a look inside"] = "the model trains in a way of its own"
            return None
        seed = self._seeds[0]
        try:
            with seeded(seed):
                return _inside.look_inside(
                    self._source.model(), self._splits.of(seed), self._task, self._settings
                )
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            # Keras adds up losses of two precisions only in a compiled program.
            self._left_out["a look inside"] = _first_line(error)
            return None

    def _memorize(self):
        values = self._trials.memorize(self._source.model, self._settings, self._seeds)
        floor = 1 / self._task.classes if self._task.classes else 0.0
        value = float(np.median(np.nan_to_num(values, nan=floor)))
        return {
            "value": value,
            "share": max(0.0, (value - floor) / (1 - floor)),
            "rows": MEMORIZED_ROWS,
            "steps": MEMORIZING_STEPS,
        }

    def _train(self, changes, seeds):
        """Train without a change, or with changes that differ in the learning rate only."""
        first = changes[0]
        if first is None:
            return self._trials.run(self._source.model, self._settings, seeds)
        settings = first.apply(self._settings)
        if first.rate is not None:
            settings = replace(settings, rates=tuple(change.rate for change in changes))
        build = self._source.model
        if first.network is not None:

            def build():
                return first.network(self._source)

        return self._trials.run(build, settings, seeds, first.prepared, first.scaled_targets)

    def _try(self, changes, seeds):
        """Train with each change, all seeds or none; note what cannot be tried."""
        with progress_bar(len(changes), "change", self._verbose) as bar:
            for group in _grouped(changes):
                try:
                    scores = self._train(group, seeds)
                except OutOfTime:
                    self._left_out.update((c.title, _FOR_WANT_OF_TIME) for c in group)
                except (ValueError, TypeError, NotImplementedError, AttributeError) as error:
                    why = _first_line(error) or "the network cannot be changed so"
                    self._left_out.update((c.title, why) for c in group)
                else:
                    titles = [change.title for change in group]
                    self._scores.update(zip(titles, scores, strict=True))
                bar.update(len(group))

    def _further_seeds(self):
        start = max(self._seeds) + 1
        return list(range(start, start + _MORE_SEEDS * len(self._seeds)))

    def _try_again(self, changes):
        """Train what is large and unclear on further seeds, all of them or none."""
        seeds = self._further_seeds()
        more = {}
        try:
            more[AS_GIVEN] = self._train([None], seeds)[0]
            for group in _grouped(changes):
                titles = [change.title for change in group]
                more.update(zip(titles, self._train(group, seeds), strict=True))
        except OutOfTime:
            self._left_out["further seeds"] = _FOR_WANT_OF_TIME
            return
        for title, scores in more.items():
            self._scores[title] = self._scores[title].and_more(scores)


def _first_line(error):
    return textwrap.shorten(str(error).partition("\n")[0], 100)


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


def _nonlinear_gain(references):
    """Return what boosting reaches above a linear model, as a share of the way from a constant."""
    means = {name: value.mean() for name, value in references.items()}
    if len(means) < 3:
        return 0.0
    floor, linear, boosting = means.values()
    ceiling = max(means.values())
    return (boosting - max(linear, floor)) / (ceiling - floor) if ceiling > floor else 0.0
