"""Floor and ceiling: a constant, a linear model and gradient boosting on the same rows."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lossutils.checks._diagnosis import _judge

# Numbers times classes that boosting is given in all splits together, and in one at most; above
# these it takes longer than the trainings.
_BOOSTED_NUMBERS = 2_000_000
_BOOSTED_AT_ONCE = 5_000_000
_LINEAR_COLUMNS = 3_000
_ROUNDS = 100


@dataclass(frozen=True)
class Reference:
    """What a model of scikit-learn reaches on the rows held out.

    Attributes
    ----------
    value : float
        In the task's metric.
    chance : float
        How probable so close a match with the targets is where there is nothing to learn.
    """

    value: float
    chance: float


def constant(rows, task):
    """Measure the best constant of the rows to train on, on the rows held out."""
    if task.kind == "numbers":
        center = np.mean if task.metric == "R²" else np.median
        value = center(rows.y_train)
    else:
        value = np.bincount(task.labels_of(rows.y_train)).argmax()
    return task.of_predictions(rows.y_held_out, np.full(len(rows.y_held_out), value))


def linear(rows, task):
    """Return a linear model's `Reference`, or None where there are too many columns."""
    if _flat(rows.x_train).shape[1] > _LINEAR_COLUMNS:
        return None
    if task.kind == "numbers":
        model = Ridge()
    else:
        model = LogisticRegression(max_iter=300, class_weight=_class_weight(task))
    return _measured(make_pipeline(StandardScaler(), model), rows, task)


def boosting(rows, task):
    """Return the `Reference` of gradient boosting, or None where it would take long."""
    if _boosted_numbers(rows, task) > _BOOSTED_AT_ONCE:
        return None
    if task.kind == "numbers":
        loss = "squared_error" if task.metric == "R²" else "absolute_error"
        model = HistGradientBoostingRegressor(loss=loss, max_iter=_ROUNDS, random_state=0)
    else:
        model = HistGradientBoostingClassifier(
            max_iter=_ROUNDS, random_state=0, class_weight=_class_weight(task)
        )
    return _measured(model, rows, task)


def splits_to_boost(rows, task, splits):
    """Return on how many of the splits boosting is worth its time."""
    return int(np.clip(_BOOSTED_NUMBERS // _boosted_numbers(rows, task), 1, splits))


def _boosted_numbers(rows, task):
    return rows.x_train.size * (task.classes if task.classes > 2 else 1)


def _class_weight(task):
    return "balanced" if task.balanced else None


def _measured(model, rows, task):
    y = rows.y_train[:, 0] if task.kind == "numbers" else task.labels_of(rows.y_train)
    if task.kind != "numbers" and len(np.unique(y)) < 2:
        return None
    x = _flat(rows.x_held_out)
    predicted = model.fit(_flat(rows.x_train), y).predict(x)
    value = task.of_predictions(rows.y_held_out, predicted)
    if task.kind == "numbers":
        return Reference(value, _judge.chance_of_numbers(rows.y_held_out[:, 0], predicted))
    probabilities = np.zeros((len(x), task.classes))
    probabilities[:, model.classes_] = model.predict_proba(x)
    labels = task.labels_of(rows.y_held_out)
    return Reference(value, _judge.chance_of_labels(labels, probabilities))


def _flat(x):
    return x.reshape(len(x), -1).astype(float)
