"""Rules on inputs, weights, network and optimizer."""

import itertools

import keras
import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks import _arrays, _network
from lossutils.checks._chain import operations_from
from lossutils.checks._findings import rule

RULES = {}

# Above these a learning rate leaves every minimum, and below the last it does not move.
_LARGEST = {"SGD": 10.0, "Adam": 1.0, "AdamW": 1.0, "Nadam": 1.0, "Adamax": 1.0, "RMSprop": 1.0}
_SMALLEST = 1e-8

# With so many layers of relu, less is too large: as measured on 20 tables, and on 5.
_LARGEST_DEEP = {4: 0.1, 3: 0.5}

# Steps after which a learning rate has to be there still; with fewer rows these are many epochs.
_GONE_AFTER, _FEW_ROWS = 100, 300

# What is left of a learning rate that is gone.
_GONE = 1e-3

# Larger batches are rare, so an epoch has at least one step for so many rows.
_LARGEST_BATCH = 256

_NORMALIZERS = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)

# Numbers that are written for missing values.
_MARKERS = (-999, -9999, -99999)

# Rows in which a column of the inputs equals the targets before it is called a copy.
_COPIED = 50

# The share of numbers that a dropout may set to zero.
_DROPPED = 0.8

# Saturating layers in a row that hardly pass a gradient.
_SATURATING = 4

# Penalties on so many layers in a row that leave no weights, as measured on 5 tables.
_PENALTY, _LAYERS_PENALIZED = 0.3, 3

# How many times larger than another a loss has to be to drown it.
_DROWNS = 10_000

# Losses that add up over areas before they are weighed.
_OF_AREAS = ("dice", "tversky", "dice_crossentropy")

_WITH_KERNEL = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)
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
    df[column].fillna(0, inplace=True) changes nothing. A number that stands for a missing value,
    such as -999, is learned as a number, and in a column of small numbers drowns all others.
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
    for front in setup.fronts:
        yield from _marked_inputs(front)


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


def _marked_inputs(front):
    """Look for a column, of a table or of windows, with a number for what is missing."""
    values = front.values
    if values is None or values.ndim not in (2, 3) or isinstance(front.first, layers.Embedding):
        return
    if front.masked:
        return
    values = values.reshape(-1, values.shape[-1])
    lows = values.min(axis=0, initial=0)
    for column in np.flatnonzero(np.isin(lows, _MARKERS)):
        marked = values[:, column] == lows[column]
        others = values[~marked, column]
        if others.size and others.min() > 0.5 * lows[column] and marked.sum() >= 2:
            yield (
                f"column {column} of {front.name} is {lows[column]:g} in {marked.mean():.2g} of "
                f"the rows, and {others.min():.3g} or more in all others",
                "fill them with the median of the training rows, and add a column that says where",
                "warning",
            )
            return


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
    row, and with all weights zero it learns nothing. A loss of areas, such as Dice, is one number
    for the batch, or one for each image: nothing of it belongs to a pixel. Its weights multiply
    that number by their mean, so pixels of weight 0 count like all others.
    """
    for weights in setup.weights:
        if weights.dtype.kind not in "iuf" or not weights.size:
            continue
        if weights.min() < 0:
            yield f"sample_weight goes down to {weights.min():g}", "use weights of 0 and above"
        elif weights.max() == 0:
            yield "all sample weights are 0", "give the rows that count a positive weight"
    heads = [head for head in setup.heads if head.loss is not None]
    if len(heads) == len(setup.weights) == 1:
        yield from _of_areas(heads[0], setup.weights[0])


def _of_areas(head, weights):
    """Look for weights of what a loss of areas adds up before they come."""
    loss, output = head.loss, head.output
    if loss.name not in _OF_AREAS or not output.shape or weights.min() == weights.max():
        return
    axis = loss.parameters.get("axis")
    if weights.ndim > 1 or axis is None:
        yield (
            f"sample_weight has the shape {weights.shape}, and {loss.name} with axis={axis} is one "
            f"number for {'the batch' if axis is None else 'each image'}",
            "for weights of images: axis=(1, 2, 3); to leave out pixels: a loss of your own that "
            "multiplies targets and predictions there by 0",
        )


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
    if x.shape == head.y.shape and np.array_equal(x[:_COPIED], y[:_COPIED]):
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


@rule(RULES, "learning-rate", "warning", "A learning rate that cannot work")
def learning_rate(setup):
    """
    Adam and its relatives move every weight by about the learning rate in each step, so 1 and above
    leave every minimum. In a network of several hidden layers 0.1 does: the step of each layer
    multiplies that of the others. A rate of zero, or far below any weight, does not move at all. A
    schedule counts steps, and each batch is one: decay_steps=20 is over within the first epoch.
    """
    rate, optimizer = setup.learning_rate, setup.optimizer
    yield from _of_schedule(setup)
    if rate is None or optimizer is None:
        return
    kind = type(optimizer).__name__
    largest = _LARGEST.get(kind)
    if largest == 1.0:
        relus = _relus(setup)
        largest = next((rate for n, rate in _LARGEST_DEEP.items() if relus >= n), largest)
    if rate < _SMALLEST or (largest is not None and rate >= largest):
        usual = "0.01" if kind == "SGD" else "0.001"
        yield f"{kind} has the learning rate {rate:g}", f"start from {usual}"


def _of_schedule(setup):
    """Look for a schedule whose rate is gone before the first epoch is over, or was never there."""
    schedule = setup.optimizer and _internals.learning_rate_of(setup.optimizer)
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return
    if type(schedule).__module__.startswith("keras."):
        highest = max(float(schedule(step)) for step in (0, 10, 100, 1000, 10_000))
        if highest < _SMALLEST:
            yield (
                f"{type(schedule).__name__} gives the learning rate {highest:g} at most",
                "start from 0.001, and from 0.01 with SGD",
            )
            return
    kinds, rows = keras.optimizers.schedules, None if setup.partial else setup.rows
    if isinstance(schedule, (kinds.ExponentialDecay, kinds.InverseTimeDecay)):
        steps = _GONE_AFTER if rows is None or rows >= _FEW_ROWS else None
    elif isinstance(schedule, (kinds.CosineDecay, kinds.PolynomialDecay)):
        ends = schedule.decay_steps + (getattr(schedule, "warmup_steps", 0) or 0)
        over = rows is not None and ends <= rows // _LARGEST_BATCH
        steps = ends if over and not getattr(schedule, "cycle", False) else None
    else:
        return
    if not steps:
        return
    first, last = (max(float(schedule(step)) for step in at) for at in ((0, steps // 2), (steps,)))
    if last < _GONE * first:
        of_an_epoch = f"; an epoch has {-(-rows // 32):,} in batches of 32" if rows else ""
        yield (
            f"{type(schedule).__name__} goes from {first:.3g} to {last:.2g} within {steps} steps"
            + of_an_epoch,
            "decay_steps = number of epochs * (len(x) // batch_size)",
        )


def _relus(setup):
    """Count the layers with a relu, of a network in which nothing normalizes."""
    if any(isinstance(layer, _NORMALIZERS) for layer in setup.layers):
        return 0
    relu = keras.activations.relu
    return sum(isinstance(la, _WITH_KERNEL) and la.activation is relu for la in _chain(setup))


@rule(RULES, "nothing-to-train", "error", "A model without weights to train")
def nothing_to_train(setup):
    """
    All layers are frozen, or none has weights: fit() runs and changes nothing. Where the output is
    rounded, or the number of the largest class, no gradient comes back from it. The same in the
    midst of a network leaves all layers before it as they were.
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
    yield from _cut_off(setup)


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
    *hidden, _ = [layer for layer in _chain(setup) if isinstance(layer, _WITH_KERNEL)] or [None]
    for layer in hidden:
        units = layer.units if isinstance(layer, layers.Dense) else layer.filters
        if layer.activation is keras.activations.softmax and units > 1:
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
    kernels = [layer for layer in _chain(setup) if isinstance(layer, _WITH_KERNEL)]
    sizes = [
        max(float(getattr(layer.kernel_regularizer, name, 0) or 0) for name in ("l1", "l2"))
        for layer in kernels
    ]
    if len(sizes) >= _LAYERS_PENALIZED and min(sizes) >= _PENALTY:
        yield (
            f"each of {len(sizes)} layers has a penalty of {min(sizes):g} or more on its weights, "
            "under which all of them shrink to 0",
            "kernel_regularizer=keras.regularizers.L2(1e-4)",
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
