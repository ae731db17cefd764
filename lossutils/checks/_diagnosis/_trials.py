"""Trainings of the model as it is given and with one thing changed, on the same seeds."""

import contextlib
import random
import time
from dataclasses import dataclass, field, replace

import keras
import numpy as np

from lossutils import _internals, training
from lossutils.checks._diagnosis import _copies, _splits
from lossutils.checks._diagnosis._task import MEASURE, WORST_CLASS
from lossutils.checks._network import unchanged_random_state
from lossutils.datasets import Dataset

MEMORIZED_ROWS = 32
MEMORIZING_STEPS = 1000
_MEMORIZING_SEEDS = 3
_EPOCHS_OF_FIT = 10

# What calling a step from Python costs, which a compiled program does not pay.
_CALL_SECONDS = 0.01


class OutOfTime(Exception):
    """Raised where the time does not suffice for a training."""


@dataclass(frozen=True)
class Settings:
    """What `fit` is called with.

    Attributes
    ----------
    epochs, batch_size : int
    shuffle : bool
    class_weight : dict or None
    rates : tuple of float
        Learning rates to train with, each from the same initial weights; empty for the model's.
    """

    epochs: int
    batch_size: int
    shuffle: bool
    class_weight: dict | None = None
    rates: tuple = ()


@dataclass(frozen=True)
class Scores:
    """What the trainings of all seeds gave, in the task's metric.

    Attributes
    ----------
    held_out, trained_on : ndarray of shape (seeds,)
        NaN where a training diverged.
    worst_class : ndarray of shape (seeds,)
        Share of the held-out rows of a class that is predicted right, of the worst class.
    """

    held_out: np.ndarray
    trained_on: np.ndarray
    worst_class: np.ndarray

    def and_more(self, scores):
        """Return these scores with those of further seeds after them."""
        pairs = zip(vars(self).values(), vars(scores).values(), strict=True)
        return Scores(*(np.concatenate(pair) for pair in pairs))


@dataclass
class Trials:
    """Trains fresh models on the splits of the seeds, until the time is over.

    Attributes
    ----------
    task : Task
    splits : Splits
    deadline : float
        Of `time.monotonic`.
    compiled : bool
        Whether trainings run as one compiled program; else `model.fit` trains.
    """

    task: object
    splits: object
    deadline: float
    compiled: bool
    _seconds: float = field(default=0.0, repr=False)

    def expect(self, step_seconds, settings):
        """Note how long a step takes, so that what cannot end in time does not begin."""
        steps = settings.epochs * -(-len(self.splits.of(0).x_train) // settings.batch_size)
        self._seconds = steps * max(0.0, step_seconds - _CALL_SECONDS)

    def run(self, build, settings, seeds, prepared=None, scaled_targets=False):
        """Train with each seed.

        Parameters
        ----------
        build : callable
            Returns a fresh compiled model.
        settings : Settings
        seeds : list of int
        prepared : callable, optional
            Turns the rows of a split into those to train on.
        scaled_targets : bool
            Whether it divides the targets by their standard deviation.

        Returns
        -------
        list of Scores
            One for each learning rate, or one.

        Raises
        ------
        OutOfTime
            If the time does not suffice for all seeds.
        """

        def rows_of(seed):
            rows = self.splits.of(seed)
            return rows if prepared is None else prepared(rows)

        started = time.monotonic()
        results = self._results(build, rows_of, settings, seeds)
        trainings = len(seeds) * max(1, len(settings.rates))
        self._seconds = (time.monotonic() - started) / trainings
        return [self._scores(values, seeds, scaled_targets) for values in results]

    def memorize(self, build, settings, seeds):
        """Train on a few rows; return the task's metric on them, for some of the seeds."""
        rows = self.splits.of(seeds[0])
        x, y = _splits.telling_rows(rows, self.task, MEMORIZED_ROWS)
        few = _splits.Rows(x, y, x, y)
        epochs = MEMORIZING_STEPS
        if not self.compiled:  # an epoch of `fit` costs as much as many steps
            epochs = _EPOCHS_OF_FIT
            times = MEMORIZING_STEPS // epochs
            few = _splits.Rows(np.concatenate([x] * times), np.concatenate([y] * times), x, y)
        steps = replace(
            settings, epochs=epochs, batch_size=len(x), shuffle=False, class_weight=None
        )
        (values,) = self._results(build, lambda _: few, steps, seeds[:_MEMORIZING_SEEDS])
        return [self.task.score(value, y) for value in values[f"test_{MEASURE}"]]

    def _scores(self, values, seeds, scaled_targets):
        def in_task(part):
            scores = []
            for seed, value in zip(seeds, values[f"{part}_{MEASURE}"], strict=True):
                rows = self.splits.of(seed)
                y = rows.y_held_out if part == "test" else rows.y_train
                scale = _splits.target_scale(rows) if scaled_targets else 1.0
                scores.append(self.task.score(value, y, scale))
            scores = np.array(scores, dtype=float)
            return np.where(np.isfinite(scores), scores, np.nan)

        worst = values.get(f"test_{WORST_CLASS}", np.full(len(seeds), np.nan))
        return Scores(in_task("test"), in_task("train"), np.array(worst, dtype=float))

    def _results(self, build, rows_of, settings, seeds):
        """Return a dict of measures, with a value for each seed, for each learning rate."""

        def in_time():
            if time.monotonic() + self._seconds > self.deadline:
                raise OutOfTime
            return build()

        train = self._repeated if self.compiled else self._fitted
        return train(in_time, rows_of, settings, seeds)

    def _repeated(self, build, rows_of, settings, seeds):
        def measured():
            return _copies.measured_by(build(), self.task.keras_metrics())

        def draw(seed):
            rows = rows_of(seed)
            return Dataset(
                x_train=rows.x_train,
                y_train=rows.y_train,
                x_test=rows.x_held_out,
                y_test=rows.y_held_out,
            )

        runs = training.repeat(
            measured,
            draw if self.splits.drawn else draw(seeds[0]),
            epochs=settings.epochs,
            seeds=seeds,
            batch_size=settings.batch_size,
            shuffle=settings.shuffle,
            class_weight=settings.class_weight,
            learning_rates=settings.rates or None,
            choose_by=None if settings.rates else "loss",
            verbose=False,
        )
        parts = [runs]
        if settings.rates:
            parts = [runs[runs["learning_rate"] == rate] for rate in settings.rates]
        return [
            {name: of_one["value"].to_numpy() for name, of_one in part.groupby("measure")}
            for part in parts
        ]

    def _fitted(self, build, rows_of, settings, seeds):
        results = []
        for rate in settings.rates or [None]:
            of_seeds = [self._fitted_once(build, rows_of(s), settings, s, rate) for s in seeds]
            results.append({name: np.array([m[name] for m in of_seeds]) for name in of_seeds[0]})
        return results

    def _fitted_once(self, build, rows, settings, seed, rate):
        with seeded(seed):
            model = build()
            if rate is not None:
                model.optimizer.learning_rate = rate
            model.fit(
                rows.x_train,
                rows.y_train,
                epochs=settings.epochs,
                batch_size=settings.batch_size,
                shuffle=settings.shuffle,
                class_weight=settings.class_weight,
                callbacks=[_Clock(self.deadline)],
                verbose=0,
            )
            measured = {}
            parts = (
                ("train", rows.x_train, rows.y_train),
                ("test", rows.x_held_out, rows.y_held_out),
            )
            for part, x, y in parts:
                predictions = model.predict(x, verbose=0)
                for metric in self.task.keras_metrics():
                    metric.update_state(y, predictions)
                    measured[f"{part}_{metric.name}"] = float(metric.result())
        return measured


class _Clock(keras.callbacks.Callback):
    """Ends a training when the time is over."""

    def __init__(self, deadline):
        super().__init__()
        self._deadline = deadline

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() > self._deadline:
            raise OutOfTime


@contextlib.contextmanager
def seeded(seed):
    """Do what `keras.utils.set_random_seed` does, and leave the random state as it was."""
    with unchanged_random_state():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        with _internals.seeded(seed):
            yield
