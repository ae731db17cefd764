"""Rules on layers, their weights and their penalties."""

import itertools

import keras
import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks import _arrays, _network
from lossutils.checks._chain import operations_from, unused_inputs
from lossutils.checks._findings import rule

RULES = {}

_NORMALIZERS = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)

# Rows that tell whether inputs and targets are the same.
_COMPARED = 50

# The share of numbers that a dropout may set to zero.
_DROPPED = 0.8

# Frozen layers that make a backbone; fewer may be random on purpose.
_BACKBONE = 4

# Saturating layers in a row that hardly pass a gradient.
_SATURATING = 4

# Penalties that leave no weights, as measured on 5 tables: on all of so many layers, and on two.
_PENALTY, _LAYERS_PENALIZED = 0.3, 3
_STRONG_PENALTY = 10.0

# A penalty on each value of a layer that is worth more than the whole cross-entropy.
_PENALTY_OF_VALUES = 1.0

# How many times larger than another a loss has to be to drown it.
_DROWNS = 10_000

_WITH_KERNEL = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.SeparableConv2D)
_INERT = (
    *(layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.Flatten),
    *(layers.Reshape, layers.Normalization, layers.Rescaling, layers.ZeroPadding1D),
    *(layers.ZeroPadding2D, layers.AveragePooling1D, layers.AveragePooling2D),
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D),
)
_DROPOUTS = (
    *(layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
    *(layers.AlphaDropout, layers.GaussianDropout),
)


@rule(RULES, "linear-stack", "warning", "Layers without an activation between them")
def linear_stack(setup):
    """
    Dense layers without an activation collapse: their product is one matrix, so the deep network
    can do no more than a single layer. So do convolutions, where neither an activation nor a
    maximum stands between them.
    """
    if len(setup.heads) != 1 or len(setup.inputs) != 1:
        return
    chain = list(operations_from(setup.model))
    if None in chain:
        return
    chain = [op for op in chain if not isinstance(op, (keras.Model, layers.InputLayer))]
    *hidden, last = chain or [None]
    weighted = [layer for layer in hidden if isinstance(layer, _WITH_KERNEL)]
    if not weighted or not isinstance(last, (*_WITH_KERNEL, layers.Activation, layers.Softmax)):
        return
    for layer in hidden:
        linear = layer in weighted and layer.activation is keras.activations.linear
        if not linear and not isinstance(layer, _INERT):
            return
    if not isinstance(last, _WITH_KERNEL) and len(weighted) < 2:
        return  # one layer and its activation
    dense = all(isinstance(layer, layers.Dense) for layer in weighted)
    if not dense and (setup.heads[0].loss is None or setup.heads[0].loss.entry is None):
        return
    if not dense and setup.heads[0].loss.for_numbers:
        return  # a filter of pictures may well be linear
    if not _is_linear_problem(setup):
        yield (
            f"{len(weighted) + isinstance(last, _WITH_KERNEL)} {'Dense ' if dense else ''}layers "
            "follow each other without an activation",
            "give the hidden layers activation='relu'",
        )


def _is_linear_problem(setup):
    """Tell whether a straight line explains the targets, so that nothing more is needed."""
    head, inputs = setup.heads[0], setup.data.inputs
    if head.rows is None or len(inputs) != 1 or inputs[0][1].dtype.kind not in "iufb":
        return False
    x, y = inputs[0][1], head.rows
    if len(x) != head.y.rows:
        return False
    if x.shape == head.y.shape and np.array_equal(x[:_COMPARED], y[:_COMPARED]):
        return True  # an autoencoder that finds principal components
    x = x[_arrays.rows_read(head.y.shape)]
    if y.dtype.kind not in "iuf" or (head.loss and not head.loss.for_numbers):
        return False
    part = slice(None, None, -(-len(x) // 2000))
    x = x[part].reshape(len(x[part]), -1).astype(np.float64)
    y = y[part].reshape(len(y[part]), -1).astype(np.float64)
    if x.shape[1] > min(100, len(x) // 2) or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return False
    x = np.column_stack([np.ones(len(x)), x])
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return bool(rest.var() <= 0.05 * y.var())


@rule(RULES, "nothing-to-train", "error", "A model, or a part of it, that is not trained")
def nothing_to_train(setup):
    """
    All layers are frozen, or none has weights: fit() runs and changes nothing. Where the output is
    rounded, or the number of the largest class, no gradient comes back from it. The same in the
    midst of a network leaves all layers before it as they were. What was built on an input, and
    then not joined to what leads to the output, is no part of the model. Frozen layers keep what
    they have: where no trained weights were loaded, these are the random ones that they began with.
    """
    model = setup.model
    if getattr(model, "built", False) and getattr(model, "compiled", False) and model.layers:
        if not model.trainable_weights:
            yield "no weight of the model is trainable", _to_thaw(setup)
    if setup.custom_training:
        return
    for head in setup.heads:
        if head.loss is not None and head.output.flat:
            yield (
                f"{head.name} ends in {head.output.flat!r}, which has no gradient",
                "train on what it gets, and round or compare what predict() returns",
            )
    yield from _cut_off(setup)
    for name in unused_inputs(setup.model):
        yield (
            f"the input {name!r} leads to no output",
            "join what is built on it to the rest, such as by Concatenate(), or leave it out of "
            "keras.Model",
            "warning",
        )
    yield from _frozen_at_random(setup)


def _to_thaw(setup):
    """Say what to make trainable: of a frozen backbone with a new head, the head."""
    *before, last = [layer for layer in setup.layers if layer.weights] or [None]
    if isinstance(last, layers.Dense) and any(isinstance(la, _CONVOLUTIONS) for la in before):
        return f"freeze the layers before {last.name!r} only: {last.name}.trainable = True, compile"
    return "set layer.trainable = True, and compile"


def _frozen_at_random(setup):
    """Look for frozen layers in front with the weights that they were initialized with."""
    weighted = [
        la for la in setup.layers if la.weights and not isinstance(la, layers.Normalization)
    ]
    frozen = list(itertools.takewhile(lambda layer: not layer.trainable_weights, weighted))
    if len(frozen) == len(weighted):
        return  # no weight of the model is trainable
    for layer in frozen:
        if isinstance(layer, layers.Embedding) and _as_drawn(layer):
            yield (
                f"{layer.name!r} is frozen, and its rows are the random ones that it began with",
                "give it the trained rows: layer.set_weights([matrix]), or leave it trainable",
                "warning",
            )
    kernels = [layer for layer in frozen if isinstance(layer, _WITH_KERNEL)]
    norms = [layer for layer in frozen if isinstance(layer, layers.BatchNormalization)]
    if len(kernels) >= _BACKBONE and len(norms) > 1 and all(map(_saw_nothing, norms)):
        yield (
            f"the first {len(frozen)} layers with weights are frozen, and their weights are the "
            "random ones that they began with",
            "load trained weights, as weights='imagenet' does, unless random features are meant",
            "info",
        )


def _as_drawn(embedding):
    """Tell whether the rows of an `Embedding` are still those of its default initializer."""
    start = embedding.embeddings_initializer
    if not isinstance(start, keras.initializers.RandomUniform):
        return False
    size = np.abs(np.asarray(embedding.get_weights()[0])).max()
    return bool(0.9 * start.maxval < size <= start.maxval == -start.minval)


def _saw_nothing(norm):
    mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
    return bool((mean == 0).all() and (variance == 1).all())


def _cut_off(setup):
    """Look for weights before an operation without a gradient, with others behind it."""
    chain, trained = list(operations_from(setup.model)), []
    for i, operation in enumerate(chain):
        if getattr(operation, "trainable_weights", None) and not isinstance(operation, keras.Model):
            trained.append(operation.name)
        elif trained and (cut := _network.without_gradient(operation)):
            if any(getattr(after, "trainable_weights", None) for after in chain[i + 1 :]):
                yield (
                    f"{cut!r} has no gradient, so {trained[-1]!r} and all before it stay as "
                    "they are",
                    "pass on the numbers themselves; instead of the largest, their softmax",
                )
            return


@rule(RULES, "dropout-rate", "warning", "A dropout that leaves hardly anything")
def dropout_rate(setup):
    """
    The rate of a Dropout is the share that is set to zero, not the share that is kept. With 0.9 one
    number of ten gets through, ten times as large, and what the layers behind see is mostly noise.
    """
    for layer in setup.layers:
        rates = {"Dropout({})": layer.rate} if isinstance(layer, _DROPOUTS) else {}
        if isinstance(layer, layers.RNN):
            names = ("dropout", "recurrent_dropout")
            rates = {f"{name}={{}}": getattr(layer, name, 0) or 0 for name in names}
        for how, rate in rates.items():
            if rate >= _DROPPED:
                yield (
                    f"{layer.name!r} sets {rate:.0%} of its inputs to zero",
                    f"{how.format(f'{1 - rate:.2g}')}, if {rate:g} is what you want to keep; usual "
                    "are 0.1 to 0.5",
                )
                break


@rule(RULES, "equal-weights", "error", "Hidden weights that are all equal")
def equal_weights(setup):
    """
    Units that begin with equal weights compute the same, get the same gradient, and stay equal: the
    layer is one unit. With weights and biases of zero a relu is 0, without a gradient.
    """
    weighted = [layer for layer in setup.chain if isinstance(layer, _WITH_KERNEL)]
    if not getattr(setup.model, "built", False):
        return
    for layer, following in itertools.pairwise(weighted):
        if not layer.built or not following.built or not layer.trainable:
            continue
        value, other = _only_value(layer), _only_value(following)
        relu = getattr(layer, "activation", None) is keras.activations.relu
        bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(1)
        dead = value == 0 and relu and not bias.any()
        if dead or (
            value is not None and other is not None and layer.get_weights()[0].shape[-1] > 1
        ):
            yield (
                f"all weights of {layer.name!r} are {value:g}",
                "leave out kernel_initializer, or use 'glorot_uniform' or 'he_normal'",
            )


def _only_value(layer):
    """Return the value that all weights of the kernel have, or None."""
    kernel = np.asarray(layer.get_weights()[0]).ravel()
    equal = kernel.size > 1 and bool((kernel == kernel[0]).all())
    return float(kernel[0]) if equal else None


@rule(RULES, "narrow-layer", "warning", "A hidden layer of a single unit")
def narrow_layer(setup):
    """
    What a layer passes on is all that the layers behind it know. Through one unit with a relu go
    the classes on a line, and where it is 0 none at all.
    """
    heads = [head for head in setup.heads if head.loss is not None]
    if len(heads) != 1 or heads[0].loss.for_numbers or (heads[0].units or 0) < 3:
        return
    *hidden, _ = [la for la in setup.chain if isinstance(la, layers.Dense)] or [None]
    for layer in hidden:
        if layer.units == 1 and heads[0].loss.entry is not None:
            yield (
                f"the hidden layer {layer.name!r} has 1 unit, and {heads[0].units} classes follow",
                f"give it at least as many units as there are classes: Dense({heads[0].units})",
            )


@rule(RULES, "saturating-stack", "warning", "Hidden layers that saturate")
def saturating_stack(setup):
    """
    The slope of a sigmoid is at most 1/4. Through four such layers a gradient loses 99.6 % and more
    on its way back, and the first layers do not move. The numbers of a softmax add up to 1: over a
    hidden layer of n units each is about 1/n, and hardly moves.
    """
    *hidden, _ = [layer for layer in setup.chain if isinstance(layer, _WITH_KERNEL)] or [None]
    for layer in hidden:
        units = layer.units if isinstance(layer, layers.Dense) else layer.filters
        if layer.activation is keras.activations.softmax and units > 1:
            yield (
                f"the hidden layer {layer.name!r} ends in a softmax",
                "activation='relu' in the hidden layers",
            )
    longest = run = 0
    for layer in setup.chain:
        if isinstance(layer, layers.BatchNormalization):
            run = 0
        activation = getattr(layer, "activation", None)
        if isinstance(layer, (layers.Dense, layers.Activation)) and activation is not None:
            if activation is keras.activations.sigmoid:
                run += 1
            elif isinstance(layer, layers.Activation) or activation is not keras.activations.linear:
                run = 0
        longest = max(longest, run)
    last = getattr((setup.chain or [None])[-1], "activation", None)
    number = longest - (last is keras.activations.sigmoid and run == longest)
    if number >= _SATURATING:
        yield (
            f"{number} hidden layers in a row end in a sigmoid",
            "activation='relu' in the hidden layers",
        )


@rule(RULES, "loss-balance", "warning", "A loss that drowns the others")
def loss_balance(setup):
    """
    What is trained is the sum of the losses of all outputs, each times its loss weight. A squared
    error in large units is thousands of times a cross-entropy, and the layers that both share learn
    for it alone. The penalties of regularizers are added as well: with l2(1.0) in each layer all
    weights go to 0, and every input gets the same answer.
    """
    heads = [head for head in setup.heads if head.loss is not None]
    yield from _penalized(setup, heads)
    if len(heads) < 2 or setup.custom_training or not getattr(setup.model, "compiled", False):
        return
    if _internals.loss_weights_of(setup.model):
        return
    sizes = [(size, head) for head in heads if (size := _first_loss(head)) is not None]
    if len(sizes) < 2:
        return
    (small, least), *_, (large, most) = sorted(sizes, key=lambda pair: pair[0])
    if small > 0 and large > _DROWNS * small:
        yield (
            f"before the training the loss of {most.name} is about {large:.1g}, that of "
            f"{least.name} {small:.1g}",
            "standardize the targets that are numbers, or compile(..., loss_weights=...)",
        )


def _penalized(setup, heads):
    """Look for penalties under which a deep network ends at weights of 0."""
    if len(heads) != 1 or "crossentropy" not in (heads[0].loss.name or ""):
        return
    if getattr(heads[0].loss.given, "reduction", "") == "sum" or setup.custom_training:
        return
    if any(isinstance(layer, _NORMALIZERS) for layer in setup.layers):
        return  # the size of weights before one does not matter
    for layer in setup.chain:
        of_values = _strength(layer.activity_regularizer)
        if of_values >= _PENALTY_OF_VALUES:
            yield (
                f"{layer.name!r} has a penalty of {of_values:g} on what it gives, under which that "
                "shrinks to 0",
                "activity_regularizer=keras.regularizers.L1(1e-5)",
            )
    kernels = [layer for layer in setup.chain if isinstance(layer, _WITH_KERNEL)]
    sizes = [_strength(layer.kernel_regularizer) for layer in kernels]
    strong = [size for size in sizes if size >= _STRONG_PENALTY]
    if len(sizes) >= _LAYERS_PENALIZED and min(sizes) >= _PENALTY:
        strong = sizes
    if len(strong) > 1:
        yield (
            f"each of {len(strong)} layers has a penalty of {min(strong):g} or more on its "
            "weights, under which all of them shrink to 0",
            "kernel_regularizer=keras.regularizers.L2(1e-4)",
        )


def _strength(regularizer):
    """Return the larger factor of a penalty on sizes or squares, 0 where there is none."""
    return max(float(getattr(regularizer, name, 0) or 0) for name in ("l1", "l2"))


def _first_loss(head):
    """Estimate a loss at a prediction of 0, or of equal probabilities; None where unknown."""
    y, loss = head.y, head.loss
    if y is None or np.isnan(y.mean) or loss.entry is None:
        return None
    if loss.name == "mean_squared_error":
        return y.mean**2 + y.std**2
    if loss.name in ("mean_absolute_error", "huber", "log_cosh"):
        return max(abs(y.mean), y.std)
    if loss.name == "binary_crossentropy":
        return float(np.log(2))
    if loss.name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        return float(np.log(head.units)) if (head.units or 0) > 1 else None
    return None
