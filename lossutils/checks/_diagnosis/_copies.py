"""Fresh copies of the model to diagnose, and copies with one thing changed.

What the caller gave is never trained: each copy has weights, an optimizer and names of its own.
"""

import keras
import numpy as np

from lossutils import _internals

_SATURATING = {
    "sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "softsign", "softmax", "tanh_shrink",
}  # fmt: skip
_REGULARIZERS = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "recurrent_regularizer",
    "embeddings_regularizer",
)
_DROPOUTS = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)
_WITH_KERNEL = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
)
_ACTIVATION_LAYERS = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
)
_FIRST_HIDDEN_UNITS = 64


class Source:
    """Makes fresh, compiled models from what the caller gave.

    Parameters
    ----------
    given : keras.Model or callable
        A compiled model, or a function that builds one.
    row : ndarray of shape (1, ...)
        A row of inputs, which builds a model that has no input shape yet.
    """

    def __init__(self, given, row):
        self._given = given
        self._row = row

    def model(self):
        """Return a model with fresh initial weights, compiled as the one given."""
        if not isinstance(self._given, keras.Model):
            return self._built(self._given())
        model = self._built(self._cloned(self._given))
        if self._given.built:
            _keep_what_is_not_trained(model, self._given)
        return _compiled_like(model, self._given)

    def changed(self, change):
        """Return a model with one thing changed, from the same initial weights where they fit.

        Parameters
        ----------
        change : callable
            Takes and returns a layer's class and config: ``change(layer, config) -> config``, or
            None to leave the layer out.
        """
        model = self.model()
        copy = self._built(self._cloned(model, change))
        weights = model.get_weights()
        if [w.shape for w in weights] == [w.shape for w in copy.get_weights()]:
            copy.set_weights(weights)
        return _compiled_like(copy, model)

    def with_hidden_layer(self):
        """Return a `Sequential` with a hidden layer before its last, dense one."""
        model = self.model()
        last = output_layer(model)
        layers = [type(layer).from_config(layer.get_config()) for layer in model.layers]
        hidden = keras.layers.Dense(
            _FIRST_HIDDEN_UNITS,
            activation="relu",
            kernel_initializer="he_uniform",
            dtype=last.dtype_policy,
            name="added",
        )
        layers.insert(model.layers.index(last), hidden)
        copy = keras.Sequential([keras.Input(model.input_shape[1:], dtype=last.dtype), *layers])
        _keep_what_is_not_trained(copy, model, by_name=True)
        return _compiled_like(self._built(copy), model)

    def _built(self, model):
        if not isinstance(model, keras.Model):
            raise TypeError(f"build must return a keras.Model, got {type(model).__name__}")
        if not model.built:
            model(self._row)
        return model

    def _cloned(self, model, change=None):
        if isinstance(model, (keras.Sequential, _internals.Functional)):
            return keras.models.clone_model(model, clone_function=_cloner(change))
        if change is not None:
            raise NotImplementedError
        try:
            return type(model).from_config(model.get_config())
        except (NotImplementedError, TypeError) as error:
            raise ValueError(
                f"a {type(model).__name__} cannot be copied: {error}. Pass a function that builds "
                "and compiles it: diagnose(build, x, y, ...)"
            ) from error


def check(model):
    """Raise where a model is of a kind that is not diagnosed."""
    if not getattr(model, "compiled", False) or model.optimizer is None or model.loss is None:
        raise ValueError(
            "the model is not compiled with an optimizer and a loss: "
            "call model.compile(optimizer=..., loss=...) first"
        )
    if not model.trainable_variables:
        raise ValueError("the model has no weights to train: add a layer or set trainable=True")
    for what in ("inputs", "outputs"):
        number = len(getattr(model, what, None) or [0])
        if number > 1:
            raise ValueError(
                f"diagnose takes models with one input and one output, and this one has {number} "
                f"{what}: diagnose one of them at a time, with a model of its own"
            )


def _cloner(change):
    def clone(layer):
        config = layer.get_config()
        if change is not None:
            config = change(layer, config)
            if config is None:
                return keras.layers.Identity(name=layer.name, dtype=layer.dtype_policy)
        return type(layer).from_config(config)

    return clone


def _compiled_like(model, like, overrides=None):
    """Compile a model as another one is, with an optimizer of its own."""
    optimizer = like.optimizer
    config = {**optimizer.get_config(), **(overrides or {})}
    model.compile(
        optimizer=type(optimizer).from_config(config),
        loss=like.loss,
        loss_weights=_internals.loss_weights_of(like),
        run_eagerly=like.run_eagerly,
    )
    return model


def with_optimizer(model, **overrides):
    """Compile a model anew with settings of its optimizer changed."""
    return _compiled_like(model, model, overrides)


def measured_by(model, metrics):
    """Compile a model anew so that it measures these metrics only."""
    model.compile(
        optimizer=model.optimizer,
        loss=model.loss,
        loss_weights=_internals.loss_weights_of(model),
        metrics=metrics,
        run_eagerly=model.run_eagerly,
    )
    return model


def _keep_what_is_not_trained(copy, model, by_name=False):
    """Take over frozen weights and what `adapt` has learned, but no moving statistics."""
    theirs = _internals.layers_of(model, include_self=False)
    mine = _internals.layers_of(copy, include_self=False)
    if by_name:
        named = {layer.name: layer for layer in theirs}
        pairs = [(layer, named[layer.name]) for layer in mine if layer.name in named]
    else:
        pairs = list(zip(mine, theirs, strict=True))
    for own, its in pairs:
        if isinstance(own, keras.layers.BatchNormalization) and own.trainable:
            continue
        if isinstance(own, keras.Model):
            continue
        for variable, value in zip(
            own.non_trainable_weights, its.non_trainable_weights, strict=True
        ):
            variable.assign(value)
        if isinstance(own, keras.layers.Normalization) and its.built:
            own.finalize_state()


def leaf_layers(model):
    """Return the layers of a model that are no models, in the order in which they were added."""
    return [
        layer
        for layer in _internals.layers_of(model, include_self=False)
        if not isinstance(layer, (keras.Model, keras.layers.InputLayer))
    ]


def ordered_layers(model):
    """Return leaf layers in the order of the network, where that is known."""
    found = []
    for layer in getattr(model, "layers", []):
        if isinstance(layer, keras.layers.InputLayer):
            continue
        found += ordered_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def has_kernel(layer):
    """Tell whether a layer multiplies by weights that are drawn."""
    return isinstance(
        layer, (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    )


def output_layer(model):
    """Return the last layer that has a kernel, or None."""
    with_kernel = [layer for layer in ordered_layers(model) if has_kernel(layer)]
    return with_kernel[-1] if with_kernel else None


def hidden_layers(model):
    """Return the layers with a kernel before the last."""
    return [layer for layer in ordered_layers(model) if has_kernel(layer)][:-1]


def activation_of(layer):
    """Return the name of a layer's activation, or None."""
    activation = getattr(layer, "activation", None)
    if isinstance(activation, keras.layers.Layer):
        activation = type(activation)
    return getattr(activation, "__name__", None)


def activations_to_replace(model):
    """Return the names of hidden layers whose activation is missing or saturates."""
    last = output_layer(model)
    names, block = [], []
    for layer in ordered_layers(model):
        if has_kernel(layer):
            names += _linear(block)
            block = []
            if layer is last:
                return {*names}
        block.append(layer)
        if activation_of(layer) in _SATURATING and not isinstance(layer, keras.layers.RNN):
            names.append(layer.name)
    return {*names}


def _linear(block):
    """Return the name of a layer that nothing follows but the next one, as a list."""
    if not block or not has_kernel(block[0]) or activation_of(block[0]) != "linear":
        return []
    active = (
        isinstance(each, _ACTIVATION_LAYERS) and activation_of(each) != "linear"
        for each in block[1:]
    )
    # A linear bottleneck inside of convolutions is meant.
    meant = not isinstance(block[0], keras.layers.Dense)
    return [] if any(active) or meant else [block[0].name]


def with_relu(names):
    """Return a change of layers: relu in those that are named."""

    def change(layer, config):
        if layer.name in names:
            config = {**config, "activation": "relu"}
        return config

    return change


def without_dropout(layer, config):
    """Leave out dropout and noise, also those inside of recurrent layers."""
    if isinstance(layer, _DROPOUTS):
        return None
    return {
        name: 0.0 if name in ("dropout", "recurrent_dropout") and value else value
        for name, value in config.items()
    }


def without_regularization(layer, config):
    """Leave out regularizers."""
    if isinstance(layer, keras.layers.ActivityRegularization):
        return None
    return {name: None if name in _REGULARIZERS else value for name, value in config.items()}


def with_more_units(names, factor):
    """Return a change of layers: so many times the units in the dense layers that are named."""

    def change(layer, config):
        if layer.name in names and isinstance(layer, keras.layers.Dense):
            config = {**config, "units": factor * config["units"]}
        return config

    return change


def has_dropout(model):
    """Tell whether a model leaves units out or adds noise while it trains."""
    return any(
        isinstance(layer, _DROPOUTS) or getattr(layer, "dropout", 0) for layer in leaf_layers(model)
    )


def has_regularization(model):
    """Tell whether the size of weights or outputs adds to the loss."""
    return any(
        isinstance(layer, keras.layers.ActivityRegularization)
        or any(getattr(layer, name, None) is not None for name in _REGULARIZERS)
        for layer in leaf_layers(model)
    )


def weight_decay_of(model):
    """Return the optimizer's weight decay, 0 where it has none."""
    return float(getattr(model.optimizer, "weight_decay", None) or 0.0)


def he_initialized(model):
    """Draw the weights of dense and convolutional layers anew: He for hidden ones, biases zero."""
    last = output_layer(model)
    for layer in ordered_layers(model):
        if not has_kernel(layer) or not layer.trainable:
            continue
        kind = keras.initializers.GlorotUniform if layer is last else keras.initializers.HeUniform
        layer.kernel.assign(kind()(layer.kernel.shape, dtype=layer.kernel.dtype))
        if layer.bias is not None:
            layer.bias.assign(np.zeros(layer.bias.shape))
    return model
