"""The layers of a model in the order in which its inputs meet them."""

from dataclasses import dataclass, field

import keras
import numpy as np
from keras import layers

from lossutils import _internals

# Numbers that are followed through the first layers.
_NUMBERS = 400_000

# What leaves numbers of about the size that they have.
_PASSES_ON = (
    *(layers.InputLayer, layers.Identity, layers.Reshape, layers.Flatten, layers.Permute),
    *(layers.RepeatVector, layers.Masking, layers.Dropout, layers.SpatialDropout1D),
    *(layers.SpatialDropout2D, layers.SpatialDropout3D, layers.GaussianNoise),
    *(layers.GaussianDropout, layers.AlphaDropout, layers.ActivityRegularization),
    *(layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D, layers.Cropping1D),
    *(layers.Cropping2D, layers.Cropping3D, layers.UpSampling1D, layers.UpSampling2D),
    *(layers.UpSampling3D, layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
    *(layers.Resizing, layers.CenterCrop, layers.RandomCrop, layers.RandomFlip),
    *(layers.RandomRotation, layers.RandomTranslation, layers.RandomZoom),
    *(layers.RandomContrast, layers.RandomBrightness, layers.Concatenate),
)
_WEIGHTED = (
    *(layers.Dense, layers.EinsumDense, layers.Conv1D, layers.Conv2D, layers.Conv3D),
    *(layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose),
    *(layers.SeparableConv1D, layers.SeparableConv2D, layers.DepthwiseConv1D),
    *(layers.DepthwiseConv2D, layers.RNN, layers.Bidirectional),
    *(layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D),
)
_NORMALIZERS = (
    *(layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization),
    *(layers.UnitNormalization, layers.Normalization),
)


def operations_from(model, index=0):
    """Yield what an input meets, layer by layer; None, and nothing more, where its way divides.

    A model within the model is yielded itself, and then what it consists of.

    Parameters
    ----------
    model : keras.Model
    index : int
        Which of its inputs.
    """
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            yield from _unfolded(layer)
        return
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        yield None  # a subclass, which does what it likes
        return
    takers = _takers(model)
    tensor = model.inputs[index]
    while takers.get(id(tensor)):
        (operation, results), *others = takers[id(tensor)]
        if others or len(results) != 1:
            yield None
            return
        yield from _unfolded(operation)
        tensor = results[0]


def unused_inputs(model):
    """Return the names of the inputs of a functional model that lead to none of its outputs."""
    if isinstance(model, keras.Sequential) or not getattr(model, "outputs", None):
        return []
    takers, results = _takers(model), {id(tensor) for tensor in model.outputs}
    return [
        tensor.name
        for tensor in getattr(model, "inputs", None) or []
        if not takers.get(id(tensor)) and id(tensor) not in results
    ]


def shared_by(model, names):
    """Tell whether one layer, or model within a model, takes two inputs, one after the other.

    Parameters
    ----------
    model : keras.Model
    names : tuple of str
        Of the inputs, or two empty ones of a model with just two.
    """
    if isinstance(model, keras.Sequential) or not getattr(model, "outputs", None):
        return False
    tensors = [tensor for tensor in model.inputs if tensor.name in names]
    if len(model.inputs) == 2:
        tensors = model.inputs
    takers = _takers(model)
    each = [{id(taker) for taker, _ in takers.get(id(tensor), [])} for tensor in tensors]
    alone = [_internals.inputs_of_node(taker, 0) for taker, _ in takers.get(id(tensors[0]), [])]
    return len(each) == 2 and bool(each[0] & each[1]) and all(len(given) == 1 for given in alone)


def _unfolded(operation):
    if isinstance(operation, keras.Model):
        yield operation
        inputs = getattr(operation, "inputs", None) or [None]
        if len(inputs) > 1:
            yield None
        else:
            yield from operations_from(operation)
    elif isinstance(operation, layers.TimeDistributed):
        yield from _unfolded(operation.layer)
    else:
        yield operation


def _takers(model):
    """Return {id of a tensor: [(operation that takes it, what that makes of it), ...]}."""
    takers, seen, waiting = {}, {}, list(model.outputs)
    while waiting:
        tensor = waiting.pop()
        history = _internals.keras_history(tensor)
        if history is None or history.operation is None:
            continue
        node = id(history.operation), history.node_index
        if node in seen:
            if all(tensor is not result for result in seen[node]):
                seen[node].append(tensor)
            continue
        seen[node] = [tensor]
        if any(tensor is given for given in model.inputs):
            continue
        for given in _internals.inputs_of_node(history.operation, history.node_index):
            takers.setdefault(id(given), []).append((history.operation, seen[node]))
            waiting.append(given)
    return takers


@dataclass
class Front:
    """An input on its way to the first weights.

    Attributes
    ----------
    name : str
        How messages call the input.
    given : ndarray
        Some of its rows.
    values : ndarray or None
        These rows as the first weights get them; None where that is unknown.
    first : keras.layers.Layer or None
        The first layer with weights.
    reshaped : bool
        Whether it gets the numbers in another shape.
    masked : bool
        Whether a mask leaves out some steps.
    normalized : bool
        Whether a normalizing layer follows before the next weights.
    entered : list of (keras.Model, ndarray)
        Models within the model, with what they get.
    rescaled : list of (keras.layers.Layer, ndarray, ndarray)
        Rescaling layers, with what they get and give.
    unadapted : list of (keras.layers.Layer, ndarray)
        Normalization layers that never saw data, with what they get.
    after : list
        What follows on the first layer.
    """

    name: str
    given: np.ndarray
    values: np.ndarray | None = None
    first: object = None
    reshaped: bool = False
    masked: bool = False
    normalized: bool = False
    entered: list = field(default_factory=list)
    rescaled: list = field(default_factory=list)
    unadapted: list = field(default_factory=list)
    after: list = field(default_factory=list)


def fronts(model, inputs):
    """Return a `Front` for each input of numbers.

    Parameters
    ----------
    model : keras.Model
    inputs : list of (str, Inputs)
    """
    order = _input_names(model)
    found = []
    for i, (name, seen) in enumerate(inputs):
        if seen.rows_read is None:
            continue
        index = order.index(name) if name in order else i
        if name not in order and name and len(inputs) > 1:
            continue  # given by names that are not the model's
        if not isinstance(model, keras.Sequential) and index >= len(order):
            continue
        called = f"the inputs {name!r}" if name else "the inputs"
        found.append(_followed(called, _some(seen.rows_read), operations_from(model, index)))
    return found


def _input_names(model):
    try:
        return [tensor.name for tensor in model.inputs]
    except Exception:  # not built, or a subclass
        return []


def _some(rows):
    rows = rows[:: max(1, -(-rows.size // _NUMBERS))]
    return rows[np.isfinite(rows.reshape(len(rows), -1)).all(axis=1)]


def _followed(name, values, operations):
    front = Front(name, values)
    if not values.size:
        return front
    values = values.astype(np.float64)
    for operation in operations:
        if front.first is not None:
            front.after.append(operation)
            continue
        if operation is None:
            break
        if isinstance(operation, keras.Model):
            front.entered.append((operation, values))
        elif isinstance(operation, layers.Rescaling):
            scale, offset = (np.asarray(part, dtype=float) for part in line_of(operation))
            scaled = values * scale + offset
            front.rescaled.append((operation, values, scaled))
            values = scaled
        elif isinstance(operation, layers.Normalization):
            if _never_adapted(operation):
                front.unadapted.append((operation, values))
            else:
                values = _normalized(operation, values)
        elif isinstance(operation, (*_WEIGHTED, layers.Embedding)):
            front.first, front.values = operation, values
        elif isinstance(operation, _PASSES_ON):
            moves = isinstance(operation, (layers.Reshape, layers.Flatten, layers.Permute))
            front.reshaped = front.reshaped or moves
            front.masked = front.masked or isinstance(operation, layers.Masking)
        else:
            break  # a layer that may do anything
    for operation in front.after:
        if operation is None or isinstance(operation, (*_WEIGHTED, keras.Model)):
            break
        front.normalized = front.normalized or isinstance(operation, _NORMALIZERS)
    return front


def line_of(rescaling):
    """Return what a `Rescaling` multiplies by and adds."""
    return rescaling.scale, rescaling.offset


def _never_adapted(layer):
    if layer.input_mean is not None:
        return False
    if not layer.built:
        return True
    mean, variance = (np.asarray(w) for w in layer.get_weights()[:2])
    return bool((mean == 0).all() and (variance == 1).all())


def _normalized(layer, values):
    if layer.invert or layer.mean is None:
        return values
    mean, variance = map(keras.ops.convert_to_numpy, (layer.mean, layer.variance))
    if mean.ndim > values.ndim:
        values = values.reshape(*values.shape, *(1,) * (mean.ndim - values.ndim))
    return (values - mean) / np.maximum(np.sqrt(variance), keras.config.epsilon())
