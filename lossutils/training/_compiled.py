"""What a compiled Keras model is, checked for training in one graph."""

import contextlib

import keras
import tensorflow as tf

from lossutils import _internals


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
