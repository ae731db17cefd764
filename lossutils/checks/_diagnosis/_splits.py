"""Rows to train on and rows held out, the same for each change of a seed."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

_HELD_OUT = 0.25


@dataclass(frozen=True)
class Rows:
    """Arrays of one split; targets have the shape (n, 1) or (n, k)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_held_out: np.ndarray
    y_held_out: np.ndarray


class Splits:
    """A split for each seed, or one for all where the caller gives the rows to measure on.

    Parameters
    ----------
    x, y : ndarray
        Targets have the shape (n, 1) or (n, k).
    task : Task
    held_out : tuple of ndarray or None
        The caller's validation data.
    """

    def __init__(self, x, y, task, held_out=None):
        self._x, self._y, self._task, self._held_out = x, y, task, held_out
        self._kept = {}

    @property
    def drawn(self):
        """Whether each seed holds other rows out."""
        return self._held_out is None

    @property
    def test_to_train(self):
        """Rows held out for each row to train on, where splits overlap; else 0."""
        if not self.drawn:
            return 0.0
        rows = self.of(0)
        return len(rows.x_held_out) / len(rows.x_train)

    def of(self, seed):
        """Return the rows of a seed; those to train on stay in their order."""
        if not self.drawn:
            seed = 0
        if seed not in self._kept:
            self._kept[seed] = self._split(seed)
        return self._kept[seed]

    def _split(self, seed):
        if not self.drawn:
            return Rows(self._x, self._y, *self._held_out)
        labels = self._task.labels
        if labels is not None and np.unique(labels, return_counts=True)[1].min() < 2:
            labels = None  # a class of one row cannot be shared out
        train, held_out = train_test_split(
            np.arange(len(self._x)), test_size=_HELD_OUT, random_state=seed, stratify=labels
        )
        train, held_out = np.sort(train), np.sort(held_out)
        return Rows(self._x[train], self._y[train], self._x[held_out], self._y[held_out])


def standardized_inputs(rows):
    """Return rows whose inputs have mean 0 and standard deviation 1 in the rows to train on.

    Columns of a table are standardized each; pictures and sequences by one mean and one deviation.
    """
    axis = 0 if rows.x_train.ndim == 2 else None
    x_train = rows.x_train.astype(float)
    mean, deviation = x_train.mean(axis=axis), x_train.std(axis=axis)
    deviation = np.where(deviation > 0, deviation, 1.0)
    dtype = rows.x_train.dtype if rows.x_train.dtype.kind == "f" else np.float64
    return Rows(
        ((x_train - mean) / deviation).astype(dtype),
        rows.y_train,
        ((rows.x_held_out.astype(float) - mean) / deviation).astype(dtype),
        rows.y_held_out,
    )


def standardized_targets(rows):
    """Return rows whose targets have mean 0 and standard deviation 1 in the rows to train on."""
    mean, deviation = rows.y_train.mean(), target_scale(rows)
    return Rows(
        rows.x_train,
        (rows.y_train - mean) / deviation,
        rows.x_held_out,
        (rows.y_held_out - mean) / deviation,
    )


def target_scale(rows):
    """Return the standard deviation of the targets to train on, 1 where it is 0."""
    return float(rows.y_train.std()) or 1.0


def telling_rows(rows, task, number):
    """Return a few rows: of each class as many, or evenly over the targets."""
    number = min(number, len(rows.x_train))
    order = np.random.default_rng(0).permutation(len(rows.x_train))
    if task.kind == "numbers":
        by_target = order[np.argsort(rows.y_train[order, 0], kind="stable")]
        chosen = by_target[np.linspace(0, len(order) - 1, number).round().astype(int)]
    else:
        labels = task.labels_of(rows.y_train)[order]
        turn = np.zeros(len(order), dtype=int)
        for label in np.unique(labels):
            of_class = labels == label
            turn[of_class] = np.arange(of_class.sum())
        chosen = order[np.argsort(turn, kind="stable")[:number]]
    return rows.x_train[chosen], rows.y_train[chosen]
