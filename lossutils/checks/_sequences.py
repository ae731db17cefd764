"""Rules on sequences: numbers of words, padding, and recurrent layers."""

import numpy as np
from keras import layers

from lossutils.checks import _arrays
from lossutils.checks._activations import probed
from lossutils.checks._findings import rule

RULES = {}

# Steps of padding that a recurrent layer forgets the words over, and their share of a row.
_FORGOTTEN = 20
_SHARE = 0.5

# Columns of 0 and 1 that are words, each by itself.
_SEVERAL = 5

# Rows that tell of padding, their share, and how often it stands at their ends.
_FEW, _FILLED, _REPEATS = 20, 0.2, 2

# Steps from which on a recurrent layer hardly sees the first ones.
_LONG = 1000

# Steps over which an activation without an upper end multiplies up.
_MANY = 100

# What stands between an embedding and a recurrent layer without a change of steps.
_BETWEEN = (
    *(layers.Dropout, layers.SpatialDropout1D, layers.GaussianNoise, layers.LayerNormalization),
    *(layers.BatchNormalization, layers.Identity, layers.InputLayer),
)


@rule(RULES, "embedding-range", "error", "Numbers that an Embedding has no row for")
def embedding_range(setup):
    """
    An Embedding is a table with input_dim rows, for the numbers 0 to input_dim - 1. Others stop the
    training on a CPU and become zeros on a GPU. Fractions are cut off, so scaled numbers are all 0.
    A row of 0 and 1, one for each word, is no row of numbers of words.
    """
    for front in setup.fronts:
        if not isinstance(front.first, layers.Embedding):
            continue
        values, size = front.values, front.first.input_dim
        if _are_indicators(values, size):
            yield (
                f"{front.name} have {size} columns of 0 and 1, and {front.first.name!r} takes "
                f"numbers from 0 to {size - 1}",
                "the number of each word: x.argmax(axis=1); for rows of 0 and 1, a Dense layer",
            )
            continue
        fractions = values[np.floor(values) != values]
        if fractions.size:
            yield (
                f"{front.name} hold numbers such as {fractions[0]:g}, and "
                f" {front.first.name!r} cuts them to whole ones",
                "pass the numbers of the words, not scaled",
            )
        elif values.min() < 0 or values.max() >= size:
            yield (
                f"{front.name} go from {values.min():g} to {values.max():g}, and "
                f"{front.first.name!r} has rows for 0 to {size - 1}",
                f"Embedding(input_dim={int(max(values.max(), 0)) + 1}, ...): the largest number "
                "and 1",
            )


def _are_indicators(values, size):
    """Tell whether each column says of one word whether it is there, and all columns are given."""
    if values.ndim != 2 or values.shape[1] != size or size < _SEVERAL:
        return False
    return bool(((values == 0) | (values == 1)).all())


@rule(RULES, "unmasked-padding", "warning", "Padding that counts as words")
def unmasked_padding(setup):
    """
    Rows that are filled up with zeros at the end give a recurrent layer nothing but zeros last, and
    its last state has forgotten the words. In targets that are filled up, the padding is the class
    that is right most of the time. A mask leaves both out, if it looks for the number that the rows
    were filled up with: after a scaling that is not 0 any more.
    """
    yield from _masks_nothing(setup)
    for front in setup.fronts:
        values = _steps(front)
        if values is None or not _is_last_state(front):
            continue
        zeros = np.median(_trailing_zeros(values))
        if zeros >= max(_FORGOTTEN, _SHARE * values.shape[1]):
            yield (
                f"half of the rows of {front.name} end in {zeros:.0f} zeros or more of "
                f"{values.shape[1]} steps, and no mask leaves them out",
                "Embedding(..., mask_zero=True) or Masking(), or pad in front: "
                "pad_sequences(..., padding='pre')",
            )
    yield from _padded_targets(setup)


def _masks_nothing(setup):
    """Look for a mask that leaves out no step, where rows are filled up with something else."""
    masking = [layer for layer in setup.layers if isinstance(layer, layers.Masking)]
    for front in setup.fronts:
        values, words = front.values, isinstance(front.first, layers.Embedding)
        if values is None or front.reshaped or len(values) < _FEW:
            continue
        if values.ndim == 3 and front.masked and masking:
            name, wanted, steps = masking[0].name, masking[0].mask_value, values
        elif values.ndim == 2 and words and front.first.mask_zero:
            name, wanted, steps = front.first.name, 0, values[..., None]
        else:
            continue
        if np.isclose(steps, wanted).all(axis=2).any():
            continue
        with_what = _filled_up_with(steps)
        if with_what is not None:
            shown = ", ".join(f"{value:.4g}" for value in with_what[:4])
            same = len(np.unique(with_what)) == 1
            fix = f"Masking(mask_value={with_what[0]:g})" if same else "pad after the scaling"
            yield (
                f"{name!r} leaves out steps of {wanted:g}, of which {front.name} have none; many "
                f"rows are filled up with {shown}",
                "pad_sequences(..., value=0)" if words else fix,
            )


def _filled_up_with(steps):
    """Return the step that many rows repeat at one of their ends, or None."""
    for rows in (steps[:, ::-1], steps):
        kinds, numbers = np.unique(rows[:, 0], axis=0, return_counts=True)
        step = kinds[numbers.argmax()]
        equal = (rows == step).all(axis=2)
        run = np.where(equal.all(axis=1), equal.shape[1], equal.argmin(axis=1))
        run = run[equal[:, 0]]
        if len(run) >= _FILLED * len(rows) and np.median(run) >= _REPEATS and np.ptp(run) > 0:
            return step
    return None


def _steps(front):
    """Return the steps of an input: numbers of words, or 1 where a row of numbers is not zero."""
    values = front.values
    if values is None or front.reshaped or front.masked:
        return None
    if values.ndim == 2 and isinstance(front.first, layers.Embedding):
        return None if front.first.mask_zero else values
    if values.ndim == 3 and values.shape[2] > 1 and isinstance(front.first, layers.RNN):
        return (values != 0).any(axis=2)
    return None


def _is_last_state(front):
    """Tell whether recurrent layers end in the state after the last step."""
    for operation in (front.first, *front.after):
        if isinstance(operation, layers.RNN):
            if operation.go_backwards:
                return False
            if not operation.return_sequences:
                return True
        elif not isinstance(operation, (*_BETWEEN, layers.Embedding)):
            return False
    return False


def _trailing_zeros(values):
    """Count the zeros at the end of each row."""
    backwards = values[:, ::-1] != 0
    first = backwards.argmax(axis=1)
    return np.where(backwards.any(axis=1), first, values.shape[1])


def _padded_targets(setup):
    heads = [head for head in setup.heads if head.loss is not None and head.rows is not None]
    if len(heads) != 1 or setup.weights or len(setup.data.inputs) != 1:
        return
    head, (_, x) = heads[0], setup.data.inputs[0]
    accuracy = any("accuracy" in metric.name for metric in head.metrics)
    y = head.rows[..., 0] if head.rows.ndim == 3 and head.rows.shape[2] == 1 else head.rows
    one_hot = head.loss.name == "categorical_crossentropy" and head.y.one_hot and y.ndim == 3
    if not accuracy or x.ndim != 2:
        return
    if one_hot:
        y = y.argmax(axis=-1)
    elif head.loss.name != "sparse_categorical_crossentropy":
        return
    if len(x) != head.y.rows:
        return
    x = x[_arrays.rows_read(head.y.shape)]
    if x.shape != y.shape or x.dtype.kind not in "iuf" or y.dtype.kind not in "iuf":
        return
    masked = any(
        isinstance(layer, layers.Masking) or getattr(layer, "mask_zero", False)
        for layer in setup.layers
    )
    if masked or head.loss.parameters.get("ignore_class") is not None:
        return
    of_both = np.minimum(_trailing_zeros(x), _trailing_zeros(y))
    if x.any() and of_both.sum() >= _SHARE * y.size:
        what = "the class 0" if one_hot else "zeros"
        yield (
            f"{of_both.sum() / y.size:.0%} of the targets are {what} and fill up the rows, and "
            "loss and accuracy count them",
            "Embedding(..., mask_zero=True), or the loss "
            "SparseCategoricalCrossentropy(ignore_class=0) and sample_weight=(y > 0)",
        )


@rule(RULES, "long-sequence", "warning", "More steps than a recurrent layer remembers")
def long_sequence(setup):
    """
    The gradient of a recurrent layer passes through all steps, one after another. After a thousand
    little of it is left, so what stands at the beginning of a row is not learned.
    """
    for layer, steps in _recurrent(setup):
        if steps and steps >= _LONG:
            yield (
                f"{layer.name!r} gets {steps:,} steps",
                "shorten the rows, or put Conv1D(..., strides=...) or a pooling before it",
            )


@rule(RULES, "recurrent-activation", "warning", "A recurrent layer that multiplies up")
def recurrent_activation(setup):
    """
    A recurrent layer applies its functions at each step to what it gave at the step before. The
    gates of LSTM and GRU have to stay between 0 and 1, and the state needs an upper end, as tanh
    has, or it grows from step to step until it is infinite.
    """
    for layer, steps in _recurrent(setup):
        cell = getattr(layer, "cell", layer)
        gate = getattr(cell, "recurrent_activation", None)
        gate = probed(gate) if gate is not None else None
        if gate is not None and not gate.probabilities:
            yield (
                f"the gates of {layer.name!r} are {gate.name!r}, which leaves 0 to 1",
                "recurrent_activation='sigmoid', which is the default",
            )
        state = getattr(cell, "activation", None)
        state = probed(state) if state is not None else None
        if state is not None and state.high == np.inf and steps and steps >= _MANY:
            yield (
                f"the activation of {layer.name!r} is {state.name!r}, over {steps:,} steps",
                "activation='tanh', which is the default",
            )


def _recurrent(setup):
    """Yield the recurrent layers with how many steps each gets, or None."""
    first = {id(front.first): front for front in setup.fronts}
    after = {}
    for front in setup.fronts:
        if isinstance(front.first, layers.Embedding) and front.values.ndim == 2:
            following = [op for op in front.after if not isinstance(op, _BETWEEN)]
            if following:
                after[id(following[0])] = front.values.shape[1]
    both = [layer for layer in setup.layers if isinstance(layer, layers.Bidirectional)]
    parts = {id(part) for layer in both for part in (layer.forward_layer, layer.backward_layer)}
    for layer in setup.layers:
        inner = getattr(layer, "forward_layer", layer)
        if not isinstance(inner, layers.RNN) or id(layer) in parts:
            continue
        steps = after.get(id(layer))
        front = first.get(id(layer))
        if steps is None and front is not None and front.values.ndim == 3 and not front.reshaped:
            steps = front.values.shape[1]
        if steps is None:
            steps = _built_for(layer)
        yield inner, steps


def _built_for(layer):
    try:
        return layer.input.shape[1]
    except (AttributeError, ValueError):  # not built, or called several times
        return None
