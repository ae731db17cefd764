"""Rules on what `fit` gets: inputs, targets and weights of rows."""

import itertools

import keras
import numpy as np
from keras import layers

from lossutils.checks import _arrays, _leaks, _trials
from lossutils.checks._chain import shared_by
from lossutils.checks._findings import rule

RULES = {}

# Numbers that are written for missing values.
_MARKERS = (-999, -9999, -99999)

# How often a number has to be there that may stand for a missing value, how many ranges of the
# others it lies below them, and how many different ones these are.
_SEVERAL, _GAP, _DIFFERENT = 5, 3, 10
_SURELY_WRITTEN = -50

# Rows in which a column of the inputs equals the targets before it is called a copy.
_COPIED = 50

# Rows from which on weights that add up to 1 are tiny.
_MANY = 100

# Losses that add up over areas before they are weighed.
_OF_AREAS = ("dice", "tversky", "dice_crossentropy")

_WITH_KERNEL = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D)


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
            if _judged_elsewhere(head) or _trials.leaves_out_missing(head):
                continue
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


def _judged_elsewhere(head):
    """Tell whether the loss stands in a training step of the user's own."""
    return head.loss is None and head.setup.custom_training


def _marked(head):
    """Look for a number that stands for a missing target, far below all others."""
    y, rows = head.y, head.rows
    if rows.dtype.kind not in "iuf" or y.row_sums is not None:
        return
    if y.low not in _MARKERS:
        if y.low <= _SURELY_WRITTEN and head.loss.for_numbers and _far_below(rows.reshape(-1)):
            number = int((rows == y.low).sum())
            yield (
                f"{number:,} targets are exactly {y.low:.4g}, far below all others, from "
                f"{rows[rows > y.low].min():.4g} to {y.high:.4g}, as if it stood for a missing "
                "value",
                "if it does, drop these rows, or give them the sample weight 0",
                "warning",
            )
        return
    marked = rows == y.low
    others = rows[~marked]
    if others.size and others.min() > 0.5 * y.low and marked.sum() >= 2:
        yield (
            f"{int(marked.sum()):,} targets are {y.low:g}, and all others {others.min():g} or more",
            "drop these rows, or give them the sample weight 0",
            "warning",
        )


def _far_below(values):
    """Tell whether one negative number is repeated, far below all others that are measurements.

    It is whole and large, as people write it: the logarithm of a zero to which something was added
    is no such number. Nor is -100, which is a loss of all in percent.
    """
    values = values[np.isfinite(values)]
    low = float(values.min(initial=0))
    if low == -100 or not low.is_integer():
        return False
    marked = values == low
    number = int(marked.sum())
    if number < _SEVERAL or number < 0.01 * values.size or number > 0.5 * values.size:
        return False
    others = values[~marked]
    spread = np.ptp(others)
    return bool(others.min() - low > _GAP * spread > 0 and len(np.unique(others)) > _DIFFERENT)


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
    column was not dropped, or a window of a series ends with the value that is to be predicted. A
    decoder gets the words before the one that it has to find: the targets, moved by one step. What
    reads these from both ends has read the answer.
    """
    yield from _leaks.words_not_moved(setup)
    yield from _leaks.classes_as_columns(setup)
    yield from _leaks.horizon_in_window(setup)
    yield from _leaks.target_rescaled(setup)
    yield from _leaks.steps_ahead(setup)
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
    that number by their mean, so pixels of weight 0 count like all others. Weights are not divided
    by their sum: those that add up to 1 make the steps of plain SGD tiny.
    """
    for weights in setup.weights:
        if weights.dtype.kind not in "iuf" or not weights.size:
            continue
        if weights.min() < 0:
            if not _are_advantages(setup, weights):
                yield f"sample_weight goes down to {weights.min():g}", "use weights of 0 and above"
        elif weights.max() == 0:
            yield "all sample weights are 0", "give the rows that count a positive weight"
        else:
            yield from _of_small_steps(setup, weights)
    heads = [head for head in setup.heads if head.loss is not None]
    if len(heads) == len(setup.weights) == 1:
        yield from _of_areas(heads[0], setup.weights[0])


def _are_advantages(setup, weights):
    """Tell whether weights are how much better than expected an action was, of a policy."""
    heads = [head for head in setup.heads if head.loss is not None]
    if len(heads) != 1 or "crossentropy" not in (heads[0].loss.name or ""):
        return False
    worse = (weights < 0).mean()
    return weights.ndim <= 2 and 0.2 <= worse <= 0.8 and len(np.unique(weights)) > 10


def _of_small_steps(setup, weights):
    """Look for weights that add up to 1; Keras divides by the rows of a batch as well."""
    rate, by_weight = setup.learning_rate, "mean_with_sample_weight"
    if setup.adaptive or rate is None or setup.partial or len(weights) < _MANY:
        return
    if any(
        getattr(head.loss and head.loss.given, "reduction", "") == by_weight for head in setup.heads
    ):
        return
    total = float(weights.sum(dtype=np.float64))
    if weights.size == len(weights) and abs(total - 1) < 1e-3:
        yield (
            f"the weights of {len(weights):,} rows add up to 1, so with SGD each step is that many "
            "times smaller",
            "sample_weight * len(y), so that their mean is 1",
            "warning",
        )


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
    Where all rows are equal, no model can tell them apart. Usually a conversion went wrong. A
    PyDataset whose __getitem__ takes no notice of the index gives the same rows in each batch. Of
    pairs that are to be compared, both parts are the same where one was passed twice.
    """
    if setup.data.batches_equal:
        yield (
            f"the first {setup.data.batches_equal} batches are all the same",
            "let __getitem__(self, index) return x[index * size : (index + 1) * size]",
        )
        return
    yield from _equal_pair(setup)
    if not setup.partial and (setup.rows or 0) >= 10 and setup.inputs:
        if all(inputs.constant for _, inputs in setup.inputs):
            yield f"all {setup.rows:,} rows of the inputs are equal", "look at how x is read"


def _equal_pair(setup):
    """Look for two inputs that a shared layer is to compare, and that are the same array."""
    inputs = setup.data.inputs
    for (one, x), (other, again) in itertools.pairwise(inputs):
        if x.dtype.kind not in "iuf" or x.shape != again.shape or len(x) < 10:
            continue
        if (x[:1] == x).all() or not np.array_equal(x, again):
            continue
        if shared_by(setup.model, (one, other)):
            yield (
                f"two inputs{f', {one!r} and {other!r},' if one and other else ''} are equal in "
                "all rows, and the same layer takes both, so it gives the same for both",
                "look at how the pairs are made",
                "warning",
            )
            return
