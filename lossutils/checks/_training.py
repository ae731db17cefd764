"""Rules on inputs, weights, network and optimizer."""

import itertools

import keras
import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks import _arrays
from lossutils.checks._chain import operations_from
from lossutils.checks._findings import rule

RULES = {}

# Above these a learning rate leaves every minimum, and below the last it does not move.
_LARGEST = {"SGD": 10.0, "Adam": 1.0, "AdamW": 1.0, "Nadam": 1.0, "Adamax": 1.0, "RMSprop": 1.0}
_SMALLEST = 1e-8

# Numbers that are written for missing values.
_MARKERS = (-999, -9999, -99999)

# Rows in which a column of the inputs equals the targets before it is called a copy.
_COPIED = 50

# The share of numbers that a dropout may set to zero.
_DROPPED = 0.8

# Saturating layers in a row that hardly pass a gradient.
_SATURATING = 4

# How many times larger than another a loss has to be to drown it.
_DROWNS = 10_000

_WITH_KERNEL = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
_DROPOUTS = (
    *(layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
    *(layers.AlphaDropout, layers.GaussianDropout),
)


@rule(RULES, "not-compiled", "error", "A model without a loss")
def not_compiled(setup):
    """
    fit() needs the loss and the optimizer that compile() sets.
    """
    if not getattr(setup.model, "compiled", False):
        yield "the model is not compiled", "call model.compile(optimizer=..., loss=...) first"


@rule(RULES, "non-finite", "error", "NaN or infinity in the data")
def non_finite(setup):
    """
    One NaN in a batch spreads to weights, and from them to all predictions. With pandas 3,
    df[column].fillna(0, inplace=True) changes nothing. A number that stands for a missing target,
    such as -999, is learned as a number.
    """
    for name, inputs in setup.inputs:
        if not inputs.finite:
            yield (
                f"the inputs {name!r} hold NaN or infinity"
                if name
                else ("the inputs hold NaN or infinity"),
                "fill or drop these rows: df[column] = df[column].fillna(...)",
            )
    for head in setup.heads:
        if head.y is not None and head.y.missing:
            yield (
                f"{head.y.missing:,} targets are NaN or infinite",
                "drop these rows, or give them the sample weight 0 and a finite target",
            )
        elif head.y is not None and head.loss is not None and head.loss.entry is not None:
            yield from _marked(head)
    for weights in setup.weights:
        if weights.dtype.kind == "f" and not np.isfinite(weights).all():
            yield "sample_weight holds NaN or infinity", "give every row a finite weight"


def _marked(head):
    """Look for a number that stands for a missing target, far below all others."""
    y, rows = head.y, head.rows
    if y.low not in _MARKERS or rows.dtype.kind not in "iuf" or y.row_sums is not None:
        return
    marked = rows == y.low
    others = rows[~marked]
    if others.size and others.min() > 0.5 * y.low and marked.sum() >= 2:
        yield (
            f"{int(marked.sum()):,} targets are {y.low:g}, and all others {others.min():g} or more",
            "drop these rows, or give them the sample weight 0",
            "warning",
        )


@rule(RULES, "text-inputs", "error", "Inputs that are no numbers")
def text_inputs(setup):
    """
    A network computes with numbers. A DataFrame with one column of words, or of mixed types,
    becomes an array of Python objects, and fit() stops. An id in words tells nothing; categories
    become columns of 0 and 1, or numbers for an Embedding.
    """
    if not _takes_numbers(setup):
        return
    for name, array in setup.data.inputs:
        if array.dtype.kind not in "OUSMm" or not array.size:
            continue
        called = f"the inputs {name!r}" if name else "the inputs"
        first = next((value for value in array.flat if isinstance(value, (str, bytes))), None)
        if first is None and array.dtype.kind == "O":
            seen, fix = "are Python objects", "x = x.astype('float32')"
        else:
            seen = f"hold {first if first is not None else array.flat[0]!r}"
            fix = "x = pandas.get_dummies(x, dtype='float32'), or drop the column"
        yield f"{called} {seen}, and the model takes numbers", fix


def _takes_numbers(setup):
    """Tell whether it is known that no input of the model may be text."""
    try:
        dtypes = [tensor.dtype for tensor in setup.model.inputs]
    except Exception:  # not built, or a subclass
        return bool(setup.layers) and isinstance(setup.layers[0], (*_WITH_KERNEL, layers.Flatten))
    return "string" not in [keras.backend.standardize_dtype(dtype) for dtype in dtypes]


@rule(RULES, "target-in-inputs", "warning", "The target among the inputs")
def target_in_inputs(setup):
    """
    Where a column of the inputs is the target itself, the network copies it: the loss falls to
    nothing within an epoch, and in use, where the answer is not known, it is of no help. Mostly a
    column was not dropped, or a window of a series ends with the value that is to be predicted.
    """
    heads = [head for head in setup.heads if head.loss is not None and head.rows is not None]
    if len(heads) != 1 or len(setup.data.inputs) != 1 or heads[0].rows.dtype.kind not in "iufb":
        return
    head, (_, x) = heads[0], setup.data.inputs[0]
    of_steps = x.ndim == 3 and (head.y.counts is None or len(head.y.counts) > 10)
    if of_steps:
        x = x[:, -1]
    if x.ndim != 2 or (x.shape[1] < 2 and not of_steps) or x.dtype.kind not in "iufb":
        return
    if len(x) != head.y.rows:
        return
    y = head.rows.reshape(len(head.rows), -1)
    if y.shape[1] != 1 or len(y) < _COPIED or head.y.low == head.y.high:
        return
    x = x[_arrays.rows_read(head.y.shape)]
    few = slice(None, _COPIED)  # nearly all columns differ there
    for column in np.flatnonzero((x[few] == y[few]).all(axis=0)):
        if (x[:, column] == y[:, 0]).all():
            what = f"feature {column} of the last step" if of_steps else f"column {column}"
            yield (
                f"{what} of the inputs equals the targets in all {len(y):,} rows",
                "end the rows one step before the target"
                if of_steps
                else f"drop it: x = numpy.delete(x, {column}, axis=1)",
            )


@rule(RULES, "rows-mismatch", "error", "Different numbers of rows")
def rows_mismatch(setup):
    """
    Inputs, targets and weights belong together row by row.
    """
    counts = {inputs.shape[0] for _, inputs in setup.inputs}
    counts |= {*setup.target_rows}
    counts |= {len(weights) for weights in setup.weights}
    if len(counts) > 1:
        listed = ", ".join(f"{count:,}" for count in sorted(counts))
        yield f"the arrays have {listed} rows", "split and filter all of them together"


@rule(RULES, "input-shape", "error", "Inputs of another shape than the model takes")
def input_shape(setup):
    """
    The model was built for inputs of one shape, and these have another.
    """
    expected = _input_shapes(setup.model)
    if len(expected) != len(setup.inputs):
        return
    if any(name for name, _ in setup.inputs) and len(expected) > 1:
        return  # matched by name
    for shape, (_, inputs) in zip(expected, setup.inputs, strict=True):
        seen, wanted = inputs.shape[1:], shape[1:]
        if seen == () and wanted == (1,):
            continue  # Keras makes a column of it
        if len(wanted) + 1 == len(seen) and seen[-1] == 1:
            seen = seen[:-1]
        elif len(seen) + 1 == len(wanted) and wanted[-1] == 1:
            wanted = wanted[:-1]
        fits = len(seen) == len(wanted) and all(
            b is None or a == b for a, b in zip(seen, wanted, strict=True)
        )
        if not fits:
            yield (
                f"the model takes rows of shape {tuple(shape[1:])}, and the inputs have "
                f"{tuple(inputs.shape[1:])}",
                "reshape the inputs, or change keras.Input",
            )


def _input_shapes(model):
    try:
        return [tuple(tensor.shape) for tensor in model.inputs]
    except Exception:  # not built, or a subclass without symbolic inputs
        return []


@rule(RULES, "sample-weights", "error", "Sample weights that cannot be meant")
def sample_weights(setup):
    """
    A weight says how often a row counts. With a negative weight the model learns to be wrong on the
    row, and with all weights zero it learns nothing.
    """
    for weights in setup.weights:
        if weights.dtype.kind not in "iuf" or not weights.size:
            continue
        if weights.min() < 0:
            yield f"sample_weight goes down to {weights.min():g}", "use weights of 0 and above"
        elif weights.max() == 0:
            yield "all sample weights are 0", "give the rows that count a positive weight"


@rule(RULES, "constant-inputs", "error", "Inputs that are all the same")
def constant_inputs(setup):
    """
    Where all rows are equal, no model can tell them apart. Usually a conversion went wrong.
    """
    if not setup.partial and (setup.rows or 0) >= 10 and setup.inputs:
        if all(inputs.constant for _, inputs in setup.inputs):
            yield f"all {setup.rows:,} rows of the inputs are equal", "look at how x is read"


@rule(RULES, "linear-stack", "warning", "Layers without an activation between them")
def linear_stack(setup):
    """
    Dense layers without an activation collapse: their product is one matrix, so the deep network
    can do no more than a single layer.
    """
    if not isinstance(setup.model, keras.Sequential) or len(setup.heads) != 1:
        return
    *hidden, _ = [la for la in setup.model.layers if not isinstance(la, layers.InputLayer)] or [
        None
    ]
    inert = (layers.Dropout, layers.Flatten, layers.Reshape, layers.Normalization, layers.Rescaling)
    dense = [layer for layer in hidden if isinstance(layer, layers.Dense)]
    if not dense or not isinstance(setup.model.layers[-1], (layers.Dense, layers.Activation)):
        return
    for layer in hidden:
        linear = isinstance(layer, layers.Dense) and layer.activation is keras.activations.linear
        if not linear and not isinstance(layer, inert):
            return
    last = setup.model.layers[-1]
    if isinstance(last, layers.Activation) and len(dense) < 2:
        return  # one layer and its activation
    if not _is_linear_problem(setup):
        yield (
            f"{len(dense) + isinstance(last, layers.Dense)} Dense layers follow each other without "
            "an activation",
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


@rule(RULES, "learning-rate", "warning", "A learning rate that cannot work")
def learning_rate(setup):
    """
    Adam and its relatives move every weight by about the learning rate in each step, so 1 and above
    leave every minimum. A rate of zero, or far below any weight, does not move at all.
    """
    rate, optimizer = setup.learning_rate, setup.optimizer
    if rate is None or optimizer is None:
        return
    kind = type(optimizer).__name__
    largest = _LARGEST.get(kind)
    if rate < _SMALLEST or (largest is not None and rate >= largest):
        usual = "0.01" if kind == "SGD" else "0.001"
        yield f"{kind} has the learning rate {rate:g}", f"start from {usual}"


@rule(RULES, "nothing-to-train", "error", "A model without weights to train")
def nothing_to_train(setup):
    """
    All layers are frozen, or none has weights: fit() runs and changes nothing. Where the output is
    rounded, or the number of the largest class, no gradient comes back from it.
    """
    model = setup.model
    if getattr(model, "built", False) and getattr(model, "compiled", False) and model.layers:
        if not model.trainable_weights:
            yield "no weight of the model is trainable", "set layer.trainable = True, and compile"
    if setup.custom_training:
        return
    for head in setup.heads:
        if head.loss is not None and head.output.flat:
            yield (
                f"{head.name} ends in {head.output.flat!r}, which has no gradient",
                "train on what it gets, and round or compare what predict() returns",
            )


@rule(RULES, "dropout-rate", "warning", "A dropout that leaves hardly anything")
def dropout_rate(setup):
    """
    The rate of a Dropout is the share that is set to zero, not the share that is kept. With 0.9 one
    number of ten gets through, ten times as large, and what the layers behind see is mostly noise.
    """
    for layer in setup.layers:
        if isinstance(layer, _DROPOUTS) and layer.rate >= _DROPPED:
            yield (
                f"{layer.name!r} sets {layer.rate:.0%} of its inputs to zero",
                f"Dropout({1 - layer.rate:.2g}), if {layer.rate:g} is what you want to keep; usual "
                "are 0.1 to 0.5",
            )


def _chain(setup):
    """Return the layers of a model of one input in their order, up to where its way divides."""
    if len(setup.inputs) != 1:
        return []
    chain = [op for op in operations_from(setup.model) if not isinstance(op, keras.Model)]
    return [op for op in chain if isinstance(op, layers.Layer)]


@rule(RULES, "equal-weights", "error", "Hidden weights that are all equal")
def equal_weights(setup):
    """
    Units that begin with equal weights compute the same, get the same gradient, and stay equal: the
    layer is one unit. With weights and biases of zero a relu is 0, without a gradient.
    """
    weighted = [layer for layer in _chain(setup) if isinstance(layer, _WITH_KERNEL)]
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
    *hidden, _ = [la for la in _chain(setup) if isinstance(la, layers.Dense)] or [None]
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
    *hidden, _ = [layer for layer in _chain(setup) if isinstance(layer, layers.Dense)] or [None]
    for layer in hidden:
        if layer.activation is keras.activations.softmax and layer.units > 1:
            yield (
                f"the hidden layer {layer.name!r} ends in a softmax",
                "activation='relu' in the hidden layers",
            )
    longest = run = 0
    for layer in _chain(setup):
        if isinstance(layer, layers.BatchNormalization):
            run = 0
        activation = getattr(layer, "activation", None)
        if isinstance(layer, (layers.Dense, layers.Activation)) and activation is not None:
            if activation is keras.activations.sigmoid:
                run += 1
            elif isinstance(layer, layers.Activation) or activation is not keras.activations.linear:
                run = 0
        longest = max(longest, run)
    last = getattr((_chain(setup) or [None])[-1], "activation", None)
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
    for it alone.
    """
    heads = [head for head in setup.heads if head.loss is not None]
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
