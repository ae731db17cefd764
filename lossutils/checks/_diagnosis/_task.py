"""What a model is to learn, and the metric in which floor, ceiling and every training are measured.

All metrics here are better when larger, and do not depend on the unit of the targets.
"""

from dataclasses import dataclass

import keras
import numpy as np

# Losses of absolute errors, whose best constant is the median.
_ABSOLUTE = {
    "mean_absolute_error",
    "huber",
    "log_cosh",
    "mean_absolute_percentage_error",
}

# Names of what a model is measured by.
MEASURE, WORST_CLASS = "diagnosed", "worst_class"

# With so large a share of one class, or so small a one of another, accuracy says little.
_LARGEST = 0.75
_SMALLEST = 0.25  # of an equal share


@dataclass(frozen=True)
class Task:
    """What is predicted, and how well that is done is measured.

    Attributes
    ----------
    kind : {"numbers", "two classes", "classes"}
    metric : {"R²", "D² (absolute error)", "accuracy", "balanced accuracy"}
    labels : ndarray of shape (n,) or None
        The class of each row, counted from 0; None for numbers.
    classes : int
        How many classes there are; 0 for numbers.
    values : tuple
        The targets of the two classes, or of none.
    threshold : float
        The prediction above which a row is of the second of two classes.
    """

    kind: str
    metric: str
    labels: np.ndarray | None = None
    classes: int = 0
    values: tuple = ()
    threshold: float = 0.5

    @property
    def balanced(self):
        """Whether each class counts the same."""
        return self.metric == "balanced accuracy"

    def keras_metrics(self):
        """Return metrics to compile a model with; `score` turns the first one's value into ours."""
        if self.kind == "numbers":
            if self.metric == "R²":
                return [keras.metrics.MeanSquaredError(name=MEASURE)]
            return [keras.metrics.MeanAbsoluteError(name=MEASURE)]
        middle = sum(self.values) / 2 if self.values else None
        over = "classes" if self.balanced else "rows"
        return [
            ShareCorrect(self.classes, over, middle, self.threshold, name=MEASURE),
            ShareCorrect(self.classes, "worst class", middle, self.threshold, name=WORST_CLASS),
        ]

    def score(self, value, y, scale=1.0):
        """Turn the value of the first of `keras_metrics` into the task's metric.

        Parameters
        ----------
        value : float
        y : ndarray
            The targets that it was measured on, in their own unit.
        scale : float
            What targets were divided by before the training.
        """
        if self.kind != "numbers":
            return value
        if self.metric == "R²":
            return 1 - value * scale**2 / max(np.var(y), 1e-300)
        return 1 - value * scale / max(np.abs(y - np.median(y)).mean(), 1e-300)

    def of_predictions(self, y, predicted):
        """Measure numbers, or labels, that were predicted for targets of shape (n, 1) or (n, k)."""
        predicted = np.asarray(predicted, dtype=float).reshape(len(y), -1)
        if self.kind == "numbers":
            error = predicted - y
            size = np.mean(error**2) if self.metric == "R²" else np.mean(np.abs(error))
            return self.score(float(size), y)
        hit = predicted[:, 0] == self.labels_of(y)
        if not self.balanced:
            return float(hit.mean())
        of_class = [hit[self.labels_of(y) == label] for label in np.unique(self.labels_of(y))]
        return float(np.mean([each.mean() for each in of_class]))

    def labels_of(self, y):
        """Return the class of each target of shape (n, 1) or (n, k), counted from 0."""
        if self.kind == "two classes":
            return (y[:, 0] > sum(self.values) / 2).astype(int)
        return y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0].astype(int)

    def predicted_labels(self, predictions):
        """Return the class that each row of predictions, shape (n, units), stands for."""
        if self.kind == "two classes":
            return (predictions[:, 0] > self.threshold).astype(int)
        return predictions.argmax(axis=1)


def task_of(y, output, loss):
    """Tell what a model with this output and loss is to learn from these targets.

    Parameters
    ----------
    y : ndarray of shape (n, 1) or (n, k)
    output : Output
    loss : Loss or None
        As the catalogue knows it.

    Raises
    ------
    ValueError
        If rows have several numbers or labels, or another shape, or a label has no output.
    """
    units, name = output.units, loss.name if loss else None
    if y.ndim != 2 or (output.shape is not None and len(output.shape) != 2):
        raise ValueError(
            f"{_SUPPORTED}; got targets of shape (n, {', '.join(map(str, y.shape[1:]))}) and "
            f"outputs of shape {output.shape}"
        )
    if y.shape[1] > 1:
        if not np.allclose(y.sum(axis=1), 1, atol=1e-3) or y.min() < 0:
            raise ValueError(
                f"{_SUPPORTED}; got {y.shape[1]} targets a row that do not add up to 1: diagnose "
                "one column at a time, with a model of one output"
            )
        return _classification("classes", y.argmax(axis=1), y.shape[1])
    for_numbers = loss is not None and loss.for_numbers
    values = np.unique(y)
    if units is not None and units > 1 and np.array_equal(values, np.round(values)):
        if values.min() < 0 or values.max() >= units:
            raise ValueError(
                f"the labels run from {values.min():g} to {values.max():g}, but a model with "
                f"{units} outputs takes 0 to {units - 1}: number the classes from 0 or change the "
                "outputs"
            )
        return _classification("classes", y[:, 0].astype(int), units)
    sure = output.activation is not None and output.activation.probabilities
    if len(values) == 2 and (sure or not for_numbers):
        labels = (y[:, 0] > values.mean()).astype(int)
        return _classification("two classes", labels, 2, tuple(values), 0.5 if sure else 0.0)
    return Task("numbers", "D² (absolute error)" if name in _ABSOLUTE else "R²")


_SUPPORTED = (
    "diagnose takes models with one input and one output, and as targets a number a row, labels "
    "of two classes, or labels of several classes as whole numbers or one-hot rows"
)


def _classification(kind, labels, classes, values=(), threshold=0.5):
    counts = np.unique(labels, return_counts=True)[1] / len(labels)
    uneven = counts.max() > _LARGEST or counts.min() < _SMALLEST / classes
    metric = "balanced accuracy" if uneven else "accuracy"
    return Task(kind, metric, labels, classes, tuple(map(float, values)), threshold)


@keras.saving.register_keras_serializable("lossutils")
class ShareCorrect(keras.metrics.Metric):
    """The share of rows whose class is predicted.

    Parameters
    ----------
    classes : int
    over : {"rows", "classes", "worst class"}
        Whether the share is of all rows, the mean of the shares of the classes, or the smallest.
    middle : float or None
        The target above which a row is of the second of two classes; None for several classes.
    threshold : float
        The prediction above which it is.
    """

    def __init__(self, classes, over, middle, threshold, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.classes, self.over = classes, over
        self.middle, self.threshold = middle, threshold
        counts = {"shape": (classes,), "initializer": "zeros", "dtype": self.dtype}
        self.hits = self.add_weight(name="hits", **counts)
        self.rows = self.add_weight(name="rows", **counts)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count rows of a batch; weights of rows do not matter."""
        ops = keras.ops
        # Labels are whole numbers, or one-hot rows.
        y_true, y_pred = ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)
        if self.middle is not None:
            truth = ops.reshape(y_true, (-1,)) > self.middle
            predicted = ops.reshape(y_pred, (-1,)) > self.threshold
        else:
            one_hot = len(y_true.shape) == 2 and y_true.shape[-1] == self.classes
            truth = ops.argmax(y_true, axis=-1) if one_hot else ops.reshape(y_true, (-1,))
            predicted = ops.argmax(y_pred, axis=-1)
        truth, predicted = ops.cast(truth, "int32"), ops.cast(predicted, "int32")
        of_class = ops.one_hot(truth, self.classes, dtype=self.dtype)
        hit = ops.cast(truth == predicted, self.dtype)
        # A network that gives NaN predicts no class.
        known = ops.all(ops.isfinite(ops.reshape(y_pred, (-1, y_pred.shape[-1]))), axis=-1)
        hit = hit * ops.cast(known, self.dtype)
        self.rows.assign_add(ops.sum(of_class, axis=0))
        self.hits.assign_add(ops.sum(of_class * hit[:, None], axis=0))

    def result(self):
        """Return the share."""
        ops = keras.ops
        if self.over == "rows":
            return ops.sum(self.hits) / ops.sum(self.rows)
        seen = self.rows > 0
        shares = self.hits / ops.maximum(self.rows, 1)
        if self.over == "worst class":
            return ops.min(ops.where(seen, shares, ops.ones_like(shares)))
        return ops.sum(shares) / ops.maximum(ops.sum(ops.cast(seen, self.dtype)), 1)

    def get_config(self):
        """Return what the metric is made again from."""
        return {
            **super().get_config(),
            "classes": self.classes,
            "over": self.over,
            "middle": self.middle,
            "threshold": self.threshold,
        }
