"""What can come out of a Keras model: how many numbers, in which range, after which activation."""

import contextlib
import dataclasses
import inspect
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks import _gradients
from lossutils.checks._activations import LINEAR, Activation, probed
from lossutils.checks._state import unchanged, unchanged_random_state

# Inputs of a `Lambda` that is tried.
_TRIED_NUMBERS = 10_000

# What changes the shape or the mean of numbers, but neither their range nor their kind.
_PASSES_ON = (
    layers.Identity,
    layers.Reshape,
    layers.Flatten,
    layers.Permute,
    layers.RepeatVector,
    layers.ActivityRegularization,
    layers.Masking,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Cropping3D,
    layers.UpSampling1D,
    layers.UpSampling2D,
    layers.UpSampling3D,
)
_DROPOUTS = (
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.AlphaDropout,
    layers.GaussianDropout,
)
_POOLINGS = (
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalAveragePooling3D,
)
# Operations of keras.ops whose gradient is 0 or missing.
_FLAT = {
    *("Argmax", "Argmin", "Argsort", "Round", "Sign", "Floor", "Ceil", "Greater", "GreaterEqual"),
    *("Less", "LessEqual", "Equal", "NotEqual", "StopGradient"),
}
# Layers and operations of keras.ops that compare two vectors, or two scores.
_COMPARING = {"Dot", "Matmul", "Einsum", "Tensordot", "Subtract"}
# Operations of keras.ops, by the name of their class.
_OPS_PASSING_ON = {"Reshape", "Squeeze", "ExpandDims", "Transpose", "GetItem", "Cast", "Flatten"}
_ACTIVATION_LAYERS = (
    layers.Activation,
    layers.Softmax,
    layers.ReLU,
    layers.LeakyReLU,
    layers.ELU,
)
_ANY_NUMBER = (layers.BatchNormalization, layers.LayerNormalization, layers.PReLU)


@dataclass(frozen=True)
class Output:
    """One output of a model.

    Attributes
    ----------
    name : str
    shape : tuple of (int or None) or None
        With the batch first.
    activations : tuple of Activation or None
        From the output backwards, up to the first layer with weights; None where unknown.
    dropout : bool
        Whether a dropout comes after the activation.
    flat : str or None
        What stands behind the last weights and has no gradient, such as ``"Argmax"``.
    dtype : str or None
        Of its numbers, None where unknown.
    compared : str or None
        What compares parts of the network behind its last weights, such as ``"Dot"``.
    """

    name: str
    shape: tuple | None
    activations: tuple | None
    dropout: bool = False
    flat: str | None = None
    dtype: str | None = None
    compared: str | None = None

    @property
    def activation(self):
        """The last activation, or None where unknown."""
        return self.activations[0] if self.activations else None

    @property
    def units(self):
        """The length of the last axis, or None where unknown."""
        return self.shape[-1] if self.shape and len(self.shape) > 1 else None


def outputs(model, x):
    """Return a list of the outputs of a model; empty where nothing can be said.

    Parameters
    ----------
    model : keras.Model
    x : nested ndarrays or None
        Inputs, which say what a model takes that has no input shape yet.
    """
    if isinstance(model, keras.Sequential):
        shape = _sequential_shape(model, x)
        (name,) = _names(model, None, 1)
        last = model.layers[-1] if model.layers else None
        dtype = getattr(last, "compute_dtype", None)
        return [_output(name, shape, _backwards_through(model), dtype)]
    tensors = getattr(model, "outputs", None)
    if tensors:
        structure = _internals.outputs_structure_of(model)
        if structure is None:
            structure = tensors
        names = _names(model, structure, len(tensors))
        return [_of_tensor(name, tensor) for name, tensor in zip(names, tensors, strict=True)]
    return _outputs_of_subclass(model, x)


def _names(model, structure, number):
    if isinstance(structure, dict):
        names = list(structure)
        return keras.tree.flatten(type(structure)(zip(names, names, strict=True)))  # Keras's order
    names = getattr(model, "output_names", None) or []
    return names if len(names) == number else [""] * number


def _output(name, shape, operations, dtype=None):
    operations = list(operations)
    kinds = [type(operation).__name__ for operation in _unweighted(operations)]
    compared = next((kind for kind in kinds if kind in _COMPARING), None)
    return Output(name, shape, *_read(operations), _flat(operations), dtype, compared)


def _of_tensor(name, tensor):
    output = _output(name, tuple(tensor.shape), _history(tensor), _dtype_of(tensor))
    if output.activations is None:
        return dataclasses.replace(output, activations=_of_joined(tensor))
    return output


def _of_joined(tensor):
    """Return the activation that all parts of a concatenation end in, or None."""
    history = _internals.keras_history(tensor)
    if history is None or type(history.operation).__name__ != "Concatenate":
        return None
    parts = _internals.inputs_of_node(history.operation, history.node_index)
    ends = {(_read(_history(part))[0] or (None,))[0] for part in parts}
    end = ends.pop()
    return None if ends or end is None or end.distribution else (end,)


def _dtype_of(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def _sequential_shape(model, x):
    try:
        if model.built:
            return tuple(model.output_shape)
        return tuple(model.compute_output_shape((None, *x.shape[1:])))
    except Exception:  # not built and no inputs given, or inputs that do not fit
        return None


def _backwards_through(model):
    """Yield the layers of a Sequential, the last one first."""
    for layer in reversed(model.layers):
        yield from _unfolded(layer)


def _unfolded(operation):
    """Yield an operation, or where it is a model of its own what that does, backwards."""
    if isinstance(operation, keras.Sequential):
        yield from _backwards_through(operation)
    elif isinstance(operation, keras.Model) and len(getattr(operation, "outputs", None) or []) == 1:
        yield from _history(operation.outputs[0])
    elif isinstance(operation, layers.TimeDistributed):
        yield from _unfolded(operation.layer)
    else:
        yield operation


def _history(tensor):
    """Yield what made a symbolic tensor, the last operation first, as long as it is a chain."""
    while True:
        history = _internals.keras_history(tensor)
        if history is None:
            return
        operation = history.operation
        if operation is None:
            return
        if isinstance(operation, keras.Model) and len(operation.outputs or []) > 1:
            yield from _history(operation.outputs[history.tensor_index])
            return
        yield from _unfolded(operation)
        inputs = _internals.inputs_of_node(operation, history.node_index)
        if len(inputs) != 1:
            return
        tensor = inputs[0]


def _read(operations):
    """Return the activations that end a chain of operations, and whether dropout comes last."""
    activations, dropout, moved = [], False, False
    for operation in operations:
        if isinstance(operation, _PASSES_ON) or type(operation).__name__ in _OPS_PASSING_ON:
            moved = moved or (not activations and not _keeps_last_axis(operation))
            continue
        if isinstance(operation, _DROPOUTS):
            dropout = dropout or not activations
            continue
        if isinstance(operation, _POOLINGS):
            if activations:
                break  # a mean of positive numbers is as good a logit as any
            continue
        activation = _activation(operation)
        if _is_activation(operation):
            if activation is None:
                return None, dropout
            if activation.name != "linear":
                activations.append(activation)
            continue
        if isinstance(operation, _ANY_NUMBER):
            activations.append(LINEAR)
        elif activation is not None and (not activations or activation.name != "linear"):
            activations.append(activation)
        break
    else:
        dropout = dropout and bool(activations)
    if moved and any(a.distribution or a.name.startswith("softmax") for a in activations):
        return None, dropout  # what adds up to 1 may be spread over other axes now
    return tuple(activations) or None, dropout


def _unweighted(operations):
    """Yield what stands between the output and the last weights, these included."""
    for operation in operations:
        yield operation
        if getattr(operation, "weights", None):
            return


def _flat(operations):
    """Return what in a chain, from the output back to the last weights, has no gradient."""
    found = (without_gradient(operation) for operation in _unweighted(operations))
    return next((name for name in found if name), None)


def without_gradient(operation):
    """Return how an operation that passes no gradient back is called, or None."""
    name = type(operation).__name__
    if name in _FLAT or (isinstance(operation, layers.Lambda) and _has_no_gradient(operation)):
        return getattr(operation, "name", name) if name == "Lambda" else name
    return None


def _has_no_gradient(layer):
    """Try the function of a `Lambda` on some numbers."""
    try:
        shape = [4 if size is None else size for size in layer.input.shape]
    except (AttributeError, TypeError, ValueError):  # not built, or of several inputs
        return False
    if int(np.prod(shape)) > _TRIED_NUMBERS:
        return False
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    with unchanged_random_state():
        value, gradient = _gradients.sum_and_gradient(layer.function, x)
    return value is not None and gradient is None


def _keeps_last_axis(operation):
    moves = isinstance(operation, (layers.Permute, layers.RepeatVector))
    if moves or type(operation).__name__ in ("GetItem", "Transpose", "Squeeze", "ExpandDims"):
        return False
    if not isinstance(operation, (layers.Reshape, layers.Flatten)):
        return type(operation).__name__ not in ("Reshape", "Flatten")
    try:
        return operation.input.shape[-1] == operation.output.shape[-1]
    except (AttributeError, ValueError):  # not built yet
        return False


# Activations as operations of keras.ops, by the name of their class.
_ACTIVATION_OPERATIONS = {
    *("Softmax", "Sigmoid", "Relu", "Relu6", "Softplus", "Softsign", "Tanh", "Elu", "Selu", "Celu"),
    *("Silu", "Gelu", "HardSigmoid", "HardTanh", "HardSilu", "LogSoftmax", "LogSigmoid", "Exp"),
    *("LeakyRelu", "Sparsemax"),
}


def _is_activation(operation):
    named = type(operation).__name__ in _ACTIVATION_OPERATIONS
    return named or isinstance(operation, (*_ACTIVATION_LAYERS, layers.Lambda))


def _activation(operation):
    """Return the activation of a layer or of an operation, or None where unknown."""
    if isinstance(operation, layers.Softmax) or type(operation).__name__ == "Softmax":
        return _softmax(operation)
    if isinstance(operation, (layers.RNN, layers.Bidirectional)):
        inner = getattr(operation, "forward_layer", operation)
        function = getattr(getattr(inner, "cell", inner), "activation", None)
        return probed(function) if function is not None else None
    function = getattr(operation, "activation", None)
    if function is None:
        if isinstance(operation, layers.Lambda):
            found = probed(operation.function)
            # Anything else may keep what comes before within its range.
            return found if found and found.probabilities else None
        if _is_activation(operation):
            function = operation
        elif isinstance(operation, keras.layers.Layer) and operation.weights:
            return _with_weights(operation)
        else:
            return None
    return probed(function)


def _softmax(operation):
    axis = operation.axis
    if axis in (-1, None):
        return Activation("softmax", 0.0, 1.0, distribution=True)
    try:
        rank = len(operation.output.shape)
    except (AttributeError, ValueError):  # not built yet, or of several inputs
        return None
    if not isinstance(axis, int):
        return None
    if axis % rank == rank - 1:
        return Activation("softmax", 0.0, 1.0, distribution=True)
    return Activation(f"softmax over axis {axis}", 0.0, 1.0)


def _with_weights(layer):
    known = (layers.Dense, layers.EinsumDense, layers.Embedding, layers.BatchNormalization)
    return LINEAR if isinstance(layer, known) else None


def _outputs_of_subclass(model, x):
    """Trace the `call` of a subclassed model, or where that fails look at some predictions."""
    if x is None or not isinstance(model, keras.Model):
        return []
    found = []
    with contextlib.suppress(Exception), unchanged(model):  # such as TensorFlow's functions
        found = _traced(model, x)
    if not found or any(output.activation is None for output in found):
        with contextlib.suppress(Exception), unchanged(model):
            found = _from_predictions(model, x, found)
    return found


def _traced(model, x):
    """Call a model's own `call` on symbolic inputs."""
    inputs = keras.tree.map_structure(
        lambda a: keras.KerasTensor((None, *a.shape[1:]), dtype=_dtype(a)), x
    )
    names, results = _named(model.call(inputs, **_in_inference(model)))
    return [_of_tensor(name, tensor) for name, tensor in zip(names, results, strict=True)]


def _named(results):
    """Return the names and the tensors of what a model returns."""
    if isinstance(results, dict):
        return list(results), list(results.values())
    results = keras.tree.flatten(results)
    return [""] * len(results), results


def _from_predictions(model, x, found):
    """Say of the outputs what the predictions for a few rows tell."""
    if any(getattr(layer, "stateful", False) for layer in _internals.layers_of(model)):
        return found
    few = keras.tree.map_structure(lambda a: keras.ops.convert_to_tensor(a[:8]), x)
    names, results = _named(model(few, **_in_inference(model)))
    outputs = []
    for i, tensor in enumerate(results):
        values = keras.ops.convert_to_numpy(tensor)
        activations = found[i].activations if found else None
        outputs.append(
            Output(
                names[i],
                (None, *values.shape[1:]),
                activations or _guessed(values),
            )
        )
    return outputs


def _guessed(values):
    rows = values.ndim > 1 and values.shape[-1] > 1 and (values >= 0).all()
    if rows and np.abs(values.sum(axis=-1) - 1).max() < 1e-4:
        return (Activation("softmax", 0.0, 1.0, distribution=True),)
    if values.size and (values.min() < 0 or values.max() > 1):
        low = -np.inf if values.min() < 0 else np.nan  # perhaps by chance
        return (Activation("something that exceeds 0 to 1", low),)
    return None


def _in_inference(model):
    return {"training": False} if "training" in inspect.signature(model.call).parameters else {}


def _dtype(array):
    return "float32" if array.dtype.kind == "f" else keras.backend.standardize_dtype(array.dtype)
