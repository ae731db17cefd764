"""What a Keras model was compiled with, resolved and checked for training in one graph.

Keras resolves names such as ``"accuracy"`` at the first batch, and computes what was given by name
in ``floatx``, whatever the precision of the model. Here both follow the model.
"""

import contextlib
import copy
import itertools

import keras
import numpy as np
import tensorflow as tf

from lossutils import _internals
from lossutils.losses._names import closest_loss, known_losses
from lossutils.training._signature import description

_LABEL_VECTOR = {"CategoricalGeneralizedCrossEntropy", "Circle"}  # labels of shape (n,)
_LABELS = {"SparseCategoricalCrossentropy", "CTC"} | _LABEL_VECTOR
_OVER_THE_BATCH = {"Dice", "Tversky", "Circle"}


def check_model(model):
    """Raise where `training.fit` cannot stand in for `model.fit`."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model, got {type(model).__name__}")
    if not model.compiled or model.optimizer is None:
        raise ValueError(
            "the model is not compiled with an optimizer and a loss: "
            "call model.compile(optimizer=..., loss=...) first"
        )
    if model.loss is None:
        raise ValueError(
            "the model is compiled without a loss: give compile(loss=...) one; a model that is "
            "trained by add_loss alone needs model.fit"
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
        (any(map(_internals.metrics_of_layer, _internals.layers_of(model))), "metrics of a layer"),
        (_has_fixed_batch(model), "a fixed batch size, which stateful layers need"),
    )
    for met, what in unsupported:
        if met:
            raise ValueError(f"training.fit does not support {what}: use model.fit instead")


def _has_fixed_batch(model):
    inputs = getattr(model, "inputs", None) or []
    return any(tensor.shape[0] is not None for tensor in inputs)


def precision(model):
    """Return the dtype that loss and metrics of a model are computed in, such as ``"float64"``.

    It is that of its weights; half precision overflows in sums over rows, so that it becomes
    float32, as in Keras.
    """
    weights = model.trainable_variables
    dtype = weights[0].dtype if weights else model.variable_dtype
    dtype = keras.backend.standardize_dtype(dtype)
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def generator_states(model):
    """Return the variables that hold where a model's random numbers stand."""
    return [
        generator.state
        for layer in _internals.layers_of(model)
        for generator in _internals.seed_generators_of(layer)
    ]


def drawn_without_seed():
    """Return how far Keras's own generator has come, or None before its first number."""
    state = _internals.global_generator_state()
    return None if state is None else state.numpy().tolist()


@contextlib.contextmanager
def unmoved(states):
    """Put generators back afterwards: some layers draw random numbers in inference too."""
    kept = [tf.identity(state.value) for state in states]
    yield
    for state, value in zip(states, kept, strict=True):
        state.value.assign(value)


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
    return model(x, training=training) if _internals.call_takes_training(model) else model(x)


def constant_learning_rate(model):
    """Return the learning rate as it was written, or 0.0 where a schedule gives it.

    Keras stores it in float32. The shortest decimal that rounds to the stored number is what the
    reader wrote: 0.01, not 0.009999999776.
    """
    stored = _internals.learning_rate_of(model.optimizer)
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
        weights = _internals.loss_weights_of(model)
        self._factor = 1.0 if weights is None else keras.tree.flatten(weights)[0]
        self.kind = _kind(self._keras_loss)
        self._called_whole = type(self._keras_loss).__call__ is not keras.losses.Loss.__call__
        if self.kind is None:
            self._check_own(y, y_pred)

    def _check_own(self, y, y_pred):
        """Compute a loss of the reader's own once, with errors that name it."""
        function = getattr(self._keras_loss, "fn", None)
        module = getattr(function, "__module__", None) or ""
        if module.startswith("lossutils.losses.") and not module.endswith("keras_losses"):
            raise ValueError(
                f"{function.__name__} of lossutils.losses is the definition in NumPy, which has no "
                f'gradient for training: compile with the loss of Keras, "{function.__name__}", or '
                "one from lossutils.losses.keras_losses"
            )
        try:
            value = self(y, y_pred)
        except (AttributeError, ValueError) as error:
            raise ValueError(
                f"the loss {self.name} cannot be computed: {error}. It has to return a tensor, "
                "written with keras.ops"
            ) from error
        if value.shape != ():
            raise ValueError(
                f"the loss {self.name} gives an array of shape {tuple(value.shape)}: "
                "reduce it to one number"
            )

    def call(self, y_true, y_pred):
        """Compute the loss of each row."""
        if self.kind in _LABEL_VECTOR:
            y_true = keras.ops.squeeze(y_true, -1)
        return self._keras_loss.call(y_true, y_pred)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Compute the reduced loss, times the loss weight that the model is compiled with."""
        if self._called_whole:  # a reader's class that reduces in its own way
            loss = self._keras_loss(y_true, y_pred, sample_weight=sample_weight)
            return self._factor * keras.ops.cast(loss, self.dtype)
        return self._factor * super().__call__(y_true, y_pred, sample_weight)

    @property
    def takes_whole_batches(self):
        """Whether a reader's class computes the reduced loss itself."""
        return self._called_whole

    @property
    def ignored_label(self):
        """The label that the loss leaves out, where there is one."""
        if isinstance(self._keras_loss, keras.losses.SparseCategoricalCrossentropy):
            return self._keras_loss.get_config().get("ignore_class")
        return None


def _resolve(loss, y, y_pred):
    try:
        return _internals.get_loss(loss, y, y_pred)
    except ValueError as error:
        close = closest_loss(str(loss))
        hint = f"did you mean {close!r}?" if close else f"Keras knows {', '.join(known_losses())}"
        raise ValueError(f"unknown loss {loss!r}: {hint}") from error


def _kind(loss):
    if type(loss) is not _internals.LossFunctionWrapper:
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
        if loss.kind != "CTC" and not _labels_fit(loss, y, y_pred):
            wanted = ", ".join(["n", *map(str, y_pred.shape[1:-1])])
            wanted = f"({wanted})" if y_pred.ndim > 2 else "(n, 1)"
            raise ValueError(
                f"{shapes}: {loss.name} takes whole-number labels of shape {wanted}; "
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


def _labels_fit(loss, y, y_pred):
    """Tell whether there is a label for each row, or for each step or pixel of it."""
    if loss.kind in _LABEL_VECTOR:
        return y.shape[1:] == (1,)
    labels, outputs = tuple(y.shape[1:]), tuple(y_pred.shape[1:-1])
    return labels in (outputs, (*outputs, 1))


def _check_own_loss(loss, y, y_pred, shapes):
    """Find a loss of the reader's own that pairs every target with every prediction."""
    rows = max(y_pred.shape[1:], default=0) + max(y.shape[1:], default=0) + 1
    if loss.takes_whole_batches:
        return
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
    return tuple(keras.tree.flatten(given or []) for given in _internals.metrics_of(model))


def metrics(model, y, y_pred, precision):
    """Return metrics like the model's, in its precision and with a state of their own."""
    own = _internals.CompileMetrics(*given_metrics(model))
    own.build(y, y_pred)
    for group in _internals.metric_groups_of(own):
        if group is not None:
            group.metrics = [_metric_in_precision(metric, precision) for metric in group.metrics]
    own.update_state(y, y_pred)  # some metrics create their variables at the first update
    for name, value in own.result().items():
        if isinstance(value, dict) or len(getattr(value, "shape", ())) > 0:
            raise ValueError(
                f"the metric {name} gives several numbers, not one: give it an average, such as "
                'keras.metrics.F1Score(average="macro", threshold=0.5), or one metric for each'
            )
    own.reset_state()
    return own


def direction(metrics, name):
    """Return ``"up"`` or ``"down"``, which is better for a metric, or None if it does not say."""
    named = (metric for metric in metrics.metrics if metric.name == name)
    return next(map(_internals.direction_of, named), None)


def _metric_in_precision(metric, precision):
    if type(metric) is keras.metrics.MeanMetricWrapper:
        function, arguments = _internals.metric_function_of(metric)
        return keras.metrics.MeanMetricWrapper(
            function, name=metric.name, dtype=precision, **arguments
        )
    try:
        same = type(metric).from_config(metric.get_config())
        in_precision = type(metric).from_config({**metric.get_config(), "dtype": precision})
    except (TypeError, ValueError, NotImplementedError):
        return _copied(metric)
    if _is_of_keras(type(metric)) or _same_parameters(same, metric):
        return in_precision
    return _copied(metric)  # its config leaves parameters out


def _copied(metric):
    """Copy a metric with variables of its own; it keeps its precision.

    Python's own copy of a Keras object goes through its config.
    """
    copied = object.__new__(type(metric))
    copied.__dict__.update(copy.deepcopy(vars(metric), {id(metric): copied}))
    return copied


def _same_parameters(rebuilt, metric):
    theirs = description(metric)
    return theirs is not None and theirs == description(rebuilt)


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
        or _internals.keras_mask(y_pred) is not None
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
