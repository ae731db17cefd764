"""What a Keras model was compiled with, resolved and checked for training in one graph.

Keras resolves names such as ``"accuracy"`` at the first batch, and computes what was given by name
in ``floatx``, whatever the precision of the model. Here both follow the model.
"""

import difflib
import functools
import itertools

import keras
import numpy as np

# Keras has no public way to resolve "accuracy", "crossentropy" and functions as compile does.
from keras.src.losses.losses import LossFunctionWrapper
from keras.src.trainers.compile_utils import CompileMetrics, get_loss

_LABEL_VECTOR = {"CategoricalGeneralizedCrossEntropy", "Circle"}  # labels of shape (n,)
_LABELS = {"SparseCategoricalCrossentropy", "CTC"} | _LABEL_VECTOR
_OVER_THE_BATCH = {"Dice", "Tversky", "Circle"}


def check_model(model):
    """Raise where `training.fit` cannot stand in for `model.fit`."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    if not model.compiled or model.optimizer is None or model.loss is None:
        raise ValueError(
            "the model is not compiled with an optimizer and a loss: "
            "call model.compile(optimizer=..., loss=...) first"
        )
    overridden = [
        name
        for name in ("train_step", "test_step", "compute_loss", "compute_metrics")
        if getattr(type(model), name) is not getattr(keras.Model, name)
    ]
    unsupported = (
        (keras.config.backend() != "tensorflow", f"the {keras.config.backend()} backend of Keras"),
        (overridden, f"a model with its own {', '.join(overridden)}"),
        (
            isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer),
            "loss scaling (a LossScaleOptimizer, which mixed_float16 brings)",
        ),
        (len(getattr(model, "inputs", None) or [0]) > 1, "a model with several inputs"),
        (len(getattr(model, "outputs", None) or [0]) > 1, "a model with several outputs"),
        (len(keras.tree.flatten(model.loss)) != 1, "a model with several losses"),
    )
    for met, what in unsupported:
        if met:
            raise ValueError(f"training.fit does not support {what}: use model.fit instead")


def precision(model):
    """Return the dtype of a model's weights, such as ``"float64"``."""
    weights = model.trainable_variables
    return keras.backend.standardize_dtype(weights[0].dtype) if weights else model.variable_dtype


def build(model, x):
    """Make sure that model and optimizer have their variables; return the prediction for ``x``."""
    y_pred = call(model, x, training=False)
    if keras.tree.is_nested(y_pred):
        raise ValueError(
            f"training.fit does not support a model whose output is a {type(y_pred).__name__}: "
            "use model.fit instead"
        )
    if not model.trainable_variables:
        raise ValueError("the model has no weights to train: add a layer or set trainable=True")
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return y_pred


def call(model, x, training):
    """Call a model as Keras's training step does."""
    return model(x, training=training) if model._call_has_training_arg else model(x)


def constant_learning_rate(model):
    """Return the learning rate as it was written, or 0.0 where a schedule gives it.

    Keras stores it in float32. The shortest decimal that rounds to the stored number is what the
    reader wrote: 0.01, not 0.009999999776.
    """
    stored = model.optimizer._learning_rate
    return float(str(stored.numpy())) if isinstance(stored, keras.Variable) else 0.0


class Loss(keras.losses.Loss):
    """The loss that a model is compiled with, computed in the model's precision.

    Attributes
    ----------
    kind : str or None
        The class name, such as ``"Huber"``, if the loss is one of Keras's own.
    """

    def __init__(self, model, y, y_pred, precision):
        self._keras_loss = _resolve(keras.tree.flatten(model.loss)[0], y, y_pred)
        if self._keras_loss.reduction in (None, "none"):
            raise ValueError(
                "the loss has reduction=None, which leaves a value for each row: "
                "use the default, reduction='sum_over_batch_size'"
            )
        super().__init__(self._keras_loss.name, self._keras_loss.reduction, precision)
        weights = model._compile_loss._user_loss_weights
        self._factor = 1.0 if weights is None else keras.tree.flatten(weights)[0]
        self.kind = _kind(self._keras_loss)

    def call(self, y_true, y_pred):
        """Compute the loss of each row."""
        if self.kind in _LABEL_VECTOR:
            y_true = keras.ops.squeeze(y_true, -1)
        return self._keras_loss.call(y_true, y_pred)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Compute the reduced loss, times the loss weight that the model is compiled with."""
        return self._factor * super().__call__(y_true, y_pred, sample_weight)

    @property
    def ignored_label(self):
        """The label that the loss leaves out, where there is one."""
        if isinstance(self._keras_loss, keras.losses.SparseCategoricalCrossentropy):
            return self._keras_loss.get_config().get("ignore_class")
        return None


def _resolve(loss, y, y_pred):
    try:
        return get_loss(loss, y, y_pred)
    except ValueError as error:
        close = closest_loss(str(loss))
        hint = f"did you mean {close!r}?" if close else f"Keras knows {', '.join(_known_losses())}"
        raise ValueError(f"unknown loss {loss!r}: {hint}") from error


def closest_loss(name):
    """Return the name most like this one that Keras takes, or None."""
    return next(iter(difflib.get_close_matches(name, _known_losses(), n=1)), None)


@functools.cache
def _known_losses():
    return [name for name in dir(keras.losses) if name.islower() and _is_loss(name)]


def _is_loss(name):
    try:
        return callable(keras.losses.get(name))
    except (ValueError, TypeError):
        return False


def _kind(loss):
    if type(loss) is not LossFunctionWrapper:
        return type(loss).__name__ if _is_of_keras(type(loss)) else None
    if not _is_of_keras(loss.fn):
        return None
    folded = loss.fn.__name__.replace("_", "")
    return next((name for name in dir(keras.losses) if name.lower() == folded), None)


def _is_of_keras(thing):
    return (thing.__module__ or "").startswith("keras.")


def check_targets(loss, y, y_pred):
    """Raise where targets and predictions of a batch would broadcast, or a label has no output.

    Parameters
    ----------
    loss : Loss
    y : ndarray
        All targets.
    y_pred : tensor
        Predictions of some rows.
    """
    if loss.kind == "SparseCategoricalCrossentropy":
        _check_labels(y, y_pred.shape[-1], loss.ignored_label)
    shapes = f"targets have the shape {_shape(y)}, the model's output has {_shape(y_pred)}"
    if loss.kind in _LABELS:
        if loss.kind != "CTC" and y.shape[-1] != 1:
            raise ValueError(
                f"{shapes}: {loss.name} takes whole-number labels of shape (n, 1); "
                "use categorical_crossentropy for one-hot targets"
            )
    elif loss.kind is not None:
        if _squeezed(y) != _squeezed(y_pred):
            raise ValueError(
                f"{shapes}: {loss.name} needs equal shapes, and would broadcast them silently or "
                "fail; reshape the targets, one-hot encode the labels or change the output layer"
            )
    else:
        _check_own_loss(loss, y, y_pred, shapes)


def _check_own_loss(loss, y, y_pred, shapes):
    """Find a loss of the reader's own that pairs every target with every prediction."""
    rows = max(y_pred.shape[1:], default=0) + max(y.shape[1:], default=0) + 1
    y_pred = keras.ops.zeros((rows, *y_pred.shape[1:]), loss.dtype)
    values = loss.call(keras.ops.cast(y[:1].repeat(rows, axis=0), loss.dtype), y_pred)
    if list(values.shape).count(rows) > 1:
        raise ValueError(
            f"{shapes}: {loss.name} pairs every target with every prediction, with a result of "
            f"shape {tuple(values.shape)} for {rows} rows; give both the same shape"
        )


def _check_labels(y, outputs, ignored):
    labels = y[y != ignored] if ignored is not None else y
    if labels.size and (labels.min() < 0 or labels.max() >= outputs):
        raise ValueError(
            f"the labels run from {labels.min()} to {labels.max()}, but a model with {outputs} "
            f"outputs takes 0 to {outputs - 1}: number the classes from 0 or change the outputs"
        )


def _squeezed(array):
    """Return the shape of a row, where Keras treats (n,) and (n, 1) as the same."""
    shape = tuple(array.shape[1:])
    return shape[:-1] if shape and shape[-1] == 1 else shape


def _shape(array):
    return "(" + ", ".join(["n", *map(str, array.shape[1:])]) + ("," * (array.ndim == 1)) + ")"


def given_metrics(model):
    """Return the metrics and the weighted metrics as they were given to compile."""
    compiled = model._compile_metrics
    if compiled is None:
        return [], []
    given = compiled._user_metrics, compiled._user_weighted_metrics
    return tuple(keras.tree.flatten(metrics or []) for metrics in given)


def metrics(model, y, y_pred, precision):
    """Return metrics like the model's, in its precision and with a state of their own."""
    own = CompileMetrics(*given_metrics(model))
    own.build(y, y_pred)
    for group in own._flat_metrics + own._flat_weighted_metrics:
        if group is not None:
            group.metrics = [_metric_in_precision(metric, precision) for metric in group.metrics]
    own.update_state(y, y_pred)  # some metrics create their variables at the first update
    own.reset_state()
    return own


def _metric_in_precision(metric, precision):
    if type(metric) is keras.metrics.MeanMetricWrapper:
        return keras.metrics.MeanMetricWrapper(
            metric._fn, name=metric.name, dtype=precision, **metric._fn_kwargs
        )
    try:
        return type(metric).from_config({**metric.get_config(), "dtype": precision})
    except (TypeError, ValueError, NotImplementedError):
        return metric  # a reader's own class that cannot be rebuilt keeps its precision


def has_batchwise_measures(model, loss, metrics, y, y_pred):
    """Tell whether a measure of all rows may differ from the mean over larger parts of them.

    If so, measurements have to use the same batches as `model.evaluate` to agree with it.
    """
    regularized = [v for v in model.trainable_variables if getattr(v, "regularizer", None)]
    of_keras = loss.kind is not None and all(
        _is_of_keras(type(metric)) and _is_of_keras(getattr(metric, "_fn", type(metric)))
        for metric in metrics.metrics
    )
    return (
        loss.kind in _OVER_THE_BATCH
        or loss.reduction == "sum"
        or loss.ignored_label is not None  # a mean over the rows that are left in a batch
        or getattr(y_pred, "_keras_mask", None) is not None
        or len(model.losses) > len(regularized)
        or not (of_keras or _add_up(loss, metrics, y, y_pred))
    )


def _add_up(loss, metrics, y, y_pred):
    """Tell whether the measures of some rows follow from those of unequal parts of them."""
    rows = y.shape[0]
    if rows < 3:
        return False
    # Untrained models may predict the same for every row, which would hide what rows share.
    spread = np.random.default_rng(0).uniform(0.1, 1, y_pred.shape)
    spread = keras.ops.cast(spread, y_pred.dtype)
    y_pred = keras.ops.where(y_pred == 0, spread, y_pred * spread)

    def measured(*bounds):
        metrics.reset_state()
        total = 0.0
        for start, stop in itertools.pairwise(bounds):
            part = y[start:stop], y_pred[start:stop]
            metrics.update_state(*part)
            total += float(loss(*part)) * (stop - start)
        return np.array([total / rows, *map(float, metrics.result().values())])

    try:
        whole, in_parts = measured(0, rows), measured(0, 1, 1 + rows // 3, rows)
    except Exception:  # what takes no batch of one row is not computed row by row
        return False
    finally:
        metrics.reset_state()
    tolerance = 1e-12 if loss.dtype == "float64" else 1e-5
    return np.allclose(whole, in_parts, rtol=tolerance, atol=0)
