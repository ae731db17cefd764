"""What a compiled Keras model is, checked for training in one graph."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from lossutils import _internals
from lossutils.training import _rows

# What a model may compute in its own way, in its class or on the object.
_STEPS = (
    "train_step",
    "test_step",
    "make_train_function",
    "make_test_function",
    "compute_loss",
    "compute_metrics",
    "get_metrics_result",
)


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
        for name in _STEPS
        if getattr(type(model), name) is not getattr(keras.Model, name) or name in vars(model)
    ]
    unsupported = (
        (keras.config.backend() != "tensorflow", f"the {keras.config.backend()} backend of Keras"),
        (overridden, f"a model with its own {', '.join(overridden)}"),
        (
            isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer),
            "loss scaling (a LossScaleOptimizer, which mixed_float16 brings)",
        ),
        (any(map(_internals.metrics_of_layer, _internals.layers_of(model))), "metrics of a layer"),
        (_has_fixed_batch(model), "a fixed batch size, which stateful layers need"),
        (model.run_eagerly, "compile(run_eagerly=True), since it trains in a graph"),
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


@contextlib.contextmanager
def unmoved(variables):
    """Put variables back afterwards: some layers change them in inference too."""
    kept = [tf.identity(variable.value) for variable in variables]
    yield
    for variable, value in zip(variables, kept, strict=True):
        variable.value.assign(value)


def build(model, x):
    """Make sure that a model has its variables, which some have after a first call only."""
    if model.built:
        return
    row = first_row(x)
    with _internals.generators_put_back():
        call(model, row, training=False)
        _, moved = called_without_effect(model, row)
    generators = {id(state) for state in generator_states(model)}
    for variable in moved:
        if id(variable) not in generators:
            raise ValueError(
                f"a layer changes {variable.path} in inference, too: change it only where "
                "training=True, or build the model before, as by keras.Input as its first layer"
            )


def first_row(x):
    """Return the inputs of one row, as a model is called with them."""
    return keras.tree.lists_to_tuples(_rows.take(x, slice(1)))


def called_without_effect(model, x, training=False):
    """Return a prediction, and the variables that it changed, which are put back.

    They say where random numbers stand, or what a layer counts.
    """
    variables = model.non_trainable_variables
    before = [variable.numpy() for variable in variables]
    with unmoved(variables):
        y_pred = call(model, x, training=training)
        moved = [
            variable
            for variable, value in zip(variables, before, strict=True)
            if not _equal(variable.numpy(), value)
        ]
    return y_pred, moved


def build_optimizer(model):
    """Make sure that an optimizer has its variables."""
    if not model.trainable_variables:
        raise ValueError("the model has no weights to train: add a layer or set trainable=True")
    if model.optimizer.built:
        return
    model.optimizer.build(model.trainable_variables)
    if _copies_weights(model):
        raise ValueError(
            f"{type(model.optimizer).__name__} starts from the model's weights; model.fit of Keras "
            "loses that start where it builds the optimizer itself: call "
            "model.optimizer.build(model.trainable_variables) after model.compile"
        )


def _copies_weights(model):
    weights = [variable.numpy() for variable in model.trainable_variables]
    slots = [variable.numpy() for variable in model.optimizer.variables]
    return any(
        weight.size and np.any(weight != weight.flat[0]) and np.array_equal(weight, slot)
        for weight in weights
        for slot in slots
        if slot.shape == weight.shape
    )


def _equal(a, b):
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def call(model, x, training):
    """Call a model as Keras's training step does."""
    return model(x, training=training) if _internals.call_takes_training(model) else model(x)


def constant_learning_rate(model):
    """Return the learning rate as it was written, or None where it is not one constant.

    Keras stores it in float32. The shortest decimal that rounds to the stored number is what the
    reader wrote: 0.01, not 0.009999999776.
    """
    several = getattr(keras.optimizers, "MultiOptimizer", ())  # absent in older versions
    stored = _internals.learning_rate_of(model.optimizer)
    if isinstance(model.optimizer, several) or not isinstance(stored, keras.Variable):
        return None
    return float(str(stored.numpy()))
