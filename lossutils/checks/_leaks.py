"""Whether a network is shown what it is to find: words, classes, or the next steps."""

import numpy as np
from keras import layers

from lossutils import _internals
from lossutils.checks import _arrays
from lossutils.checks._chain import operations_from

# What gives each step an answer from that step among others, without a bottleneck.
_STEP_BY_STEP = (
    *(layers.InputLayer, layers.Embedding, layers.Dense, layers.Dropout, layers.SpatialDropout1D),
    *(layers.LayerNormalization, layers.BatchNormalization, layers.Activation, layers.Softmax),
    *(layers.RNN, layers.Bidirectional),
)

# What may move the steps, so that nothing is known of what stands where.
_MOVING = (
    *(layers.Lambda, layers.Permute, layers.Reshape, layers.Flatten, layers.Cropping1D),
    *(layers.ZeroPadding1D, layers.RepeatVector, layers.UpSampling1D, layers.Conv1DTranspose),
)
_ATTENTION = (
    *(layers.MultiHeadAttention, layers.GroupQueryAttention, layers.Attention),
    layers.AdditiveAttention,
)

# How far from 1 the correlation of a column with the targets may be, where one is made of the
# other and both are rounded.
_ON_A_LINE = 1e-8

# Rows and steps from which on equal sequences are no chance.
_ROWS, _STEPS = 10, 3

# Rows from which on equal columns are no chance.
_MANY_ROWS = 50

# Columns that may be the target in another unit; more of them are no mistake of one column.
_MANY_COLUMNS = 5


def words_not_moved(setup):
    """Look for sequences of words that are inputs and targets, step by step the same.

    Parameters
    ----------
    setup : Setup

    Yields
    ------
    tuple of str
        Message and fix.
    """
    head = _only_judged(setup)
    if head is None or len(setup.heads) != 1:
        return
    if head.loss.name not in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        return
    y, inputs = _words(head.rows, head), _sequences(setup, head)
    if y is None or not inputs:
        return
    equal = [name for name, x in inputs if x.shape == y.shape and np.array_equal(x, y)]
    moved = any(x.shape == y.shape and _moved_by_one(x, y) for _, x in inputs)
    if len(equal) != 1 or moved:
        return
    if len(inputs) > 1:
        called = f"the inputs {equal[0]!r}" if equal[0] else "one of the inputs"
        yield (
            f"{called} and the targets are the same words, step by step",
            "give the decoder the targets moved by one: a start word, then y[:, :-1]",
        )
    elif len(setup.inputs) == 1 and _answers_each_step(setup):
        yield (
            "the inputs and the targets are the same words, step by step",
            "the next word of each: x[:, :-1] and y = x[:, 1:]",
        )


def _words(rows, head):
    """Return whole numbers of shape (rows, steps), or one-hot rows, or None."""
    sparse = head.loss.targets == "integer"
    if sparse and rows.ndim == 3 and rows.shape[2] == 1:
        rows = rows[..., 0]
    if rows.ndim != (2 if sparse else 3) or rows.dtype.kind not in "iuf":
        return None
    if len(rows) < _ROWS or rows.shape[1] < _STEPS or (rows == rows[:1]).all():
        return None
    return rows


def _sequences(setup, head):
    """Return (name, array) of the inputs that have steps, as far as the targets were read."""
    read = _arrays.rows_read(head.y.shape)
    found = []
    for name, x in setup.data.inputs:
        if len(x) == head.y.rows and x.ndim in (2, 3) and x.shape[1] >= _STEPS:
            found.append((name, _squeezed(x[read])))
    return found


def _squeezed(x):
    return x[..., 0] if x.ndim == 3 and x.shape[2] == 1 else x


def _moved_by_one(x, y):
    return np.array_equal(x[:, 1:], y[:, :-1])


def _answers_each_step(setup):
    chain = list(operations_from(setup.model))
    if None in chain or not any(isinstance(op, layers.Embedding) for op in chain):
        return False
    for operation in chain:
        inner = getattr(operation, "forward_layer", operation)
        if not isinstance(operation, _STEP_BY_STEP):
            return False
        if isinstance(inner, layers.RNN) and not inner.return_sequences:
            return False
    return True


def classes_as_columns(setup):
    """Look for a column of 0 and 1 for each class, as of get_dummies() over the whole table.

    Parameters
    ----------
    setup : Setup

    Yields
    ------
    tuple of str
        Message and fix.
    """
    head, x = _only_table(setup)
    if head is None or not (head.y.class_numbers or head.y.one_hot) or len(x) < _MANY_ROWS:
        return
    labels = head.rows.argmax(axis=1) if head.y.one_hot else head.rows.reshape(-1)
    classes = np.unique(labels)
    if not 3 <= len(classes) < x.shape[1] or len(labels) != len(x):
        return
    found = []
    for k in classes:
        its = labels == k
        columns = np.flatnonzero((x[:_MANY_ROWS] == its[:_MANY_ROWS, None]).all(axis=0))
        found += [c for c in columns if (x[:, c] == its).all()][:1]
    if len(found) == len(classes):
        yield (
            f"the columns {', '.join(map(str, found[:4]))} of the inputs are 1 where the class is "
            f"{', '.join(f'{k:g}' for k in classes[:4])}, and else 0",
            f"drop them: x = numpy.delete(x, {found}, axis=1)",
        )


def horizon_in_window(setup):
    """Look for windows of a series whose last step is among the steps to be predicted.

    Parameters
    ----------
    setup : Setup

    Yields
    ------
    tuple of str
        Message and fix.
    """
    head = _only_judged(setup)
    if head is None or len(setup.data.inputs) != 1 or not head.loss.for_numbers:
        return
    (_, x), y = setup.data.inputs[0], head.rows
    if x.ndim != 3 or y.ndim != 2 or not 1 < y.shape[1] != x.shape[1]:
        return
    if len(x) != head.y.rows or len(y) < _MANY_ROWS or y.dtype.kind != "f":
        return
    last = x[_arrays.rows_read(head.y.shape)][:, -1]
    for feature in range(last.shape[1]):
        for step in range(y.shape[1]):
            if np.ptp(y[:, step]) > 0 and np.array_equal(last[:, feature], y[:, step]):
                yield (
                    f"feature {feature} of the last step of the inputs equals step {step} of the "
                    f"targets in all {len(y):,} rows",
                    "end the rows one step before the first target",
                )
                return


def target_rescaled(setup):
    """Look for a column that is the target in another unit, as of scaling the whole table.

    Targets that are a whole multiple of a column were made so, for an exercise.

    Parameters
    ----------
    setup : Setup

    Yields
    ------
    tuple of str
        Message and fix.
    """
    head, x = _only_table(setup)
    if head is None or len(x) < _MANY_ROWS or x.shape[1] < 3 or head.rows.size != len(x):
        return
    y = head.rows.reshape(-1)
    if y.dtype.kind not in "iuf" or (head.y.counts is not None and len(head.y.counts) <= 10):
        return
    few = np.flatnonzero(_on_a_line(x[:_MANY_ROWS], y[:_MANY_ROWS]))
    columns = [c for c in few[:_MANY_COLUMNS] if _on_a_line(x[:, [c]], y)[0]]
    if len(columns) != 1 or np.array_equal(x[:, columns[0]], y):
        return
    slope, start = np.polyfit(x[:, columns[0]].astype(float), y.astype(float), 1)
    if not all(_is_round(number, y.std()) for number in (slope, start)):
        yield (
            f"column {columns[0]} of the inputs is the targets in another unit: they are "
            f"{slope:.4g} times the column {'+' if start >= 0 else '-'} {abs(start):.4g} in all "
            f"{len(y):,} rows",
            f"drop it: x = numpy.delete(x, {columns[0]}, axis=1)",
        )


def _on_a_line(columns, y):
    """Tell of each column whether it and the targets lie on a line; of NaN they do not."""
    columns, y = columns.astype(np.float64), y.astype(np.float64)
    with np.errstate(all="ignore"):
        columns, y = columns - columns.mean(axis=0), y - y.mean()
        sizes = np.sqrt((columns**2).sum(axis=0) * (y @ y))
        return (sizes > 0) & (np.abs(y @ columns) > (1 - _ON_A_LINE) * sizes)


def _is_round(number, scale):
    """Tell whether a number has at most two digits, such as people write."""
    return abs(number) < 1e-5 * scale or abs(float(f"{number:.2g}") - number) < 1e-5 * abs(number)


def steps_ahead(setup):
    """Look for a layer that shows each step those after it, where the next is to be found.

    Parameters
    ----------
    setup : Setup

    Yields
    ------
    tuple of str
        Message and fix.
    """
    head = _only_judged(setup)
    if head is None or len(setup.data.inputs) != 1 or setup.custom_training or head.rows.ndim < 2:
        return
    inputs, y = _sequences(setup, head), _squeezed(head.rows)
    if not inputs or len(y) < _ROWS or inputs[0][1].shape != y.shape:
        return
    few = slice(None, _ROWS)  # nearly all others differ there
    if (y[few] == y[few, :1]).all() or not _moved_by_one(inputs[0][1][few], y[few]):
        return
    if not _moved_by_one(inputs[0][1], y) or head.output.shape is None:
        return
    if any(isinstance(layer, _MOVING) for layer in setup.layers) or setup.weights:
        return  # weights may leave out all but the last step
    inner = {id(part) for layer in setup.layers for part in _parts(layer)}
    for layer in setup.layers:
        fix = None if id(layer) in inner else _without_looking_ahead(layer)
        if fix:
            yield (
                f"each step of the targets is the next one of the inputs, and {layer.name!r} shows "
                "it to the step that is to find it",
                fix,
            )
            return


def _parts(layer):
    if isinstance(layer, layers.Bidirectional):
        return layer.forward_layer, layer.backward_layer
    return (layer.layer,) if isinstance(layer, layers.TimeDistributed) else ()


def _without_looking_ahead(layer):
    """Return how a layer that looks ahead is told not to, or None where it does not."""
    if isinstance(layer, layers.Bidirectional) and layer.return_sequences:
        return f"leave out Bidirectional: {type(layer.forward_layer).__name__}(...) by itself"
    if isinstance(layer, layers.RNN) and layer.go_backwards and layer.return_sequences:
        return "go_backwards=False"
    if isinstance(layer, (layers.Conv1D, layers.SeparableConv1D)):
        wide = layer.padding == "same" and layer.kernel_size[0] > 1
        return "padding='causal'" if wide and type(layer) is layers.Conv1D else None
    if isinstance(layer, _ATTENTION):
        calls = _internals.call_arguments_of(layer)
        masked = [
            call.get("use_causal_mask") or call.get("attention_mask") is not None for call in calls
        ]
        if masked and not any(masked):
            return "use_causal_mask=True where the layer is called"
    return None


def _only_judged(setup):
    """Return the only head of which loss and targets are known, or None."""
    heads = [head for head in setup.heads if head.loss is not None and head.rows is not None]
    return heads[0] if len(heads) == 1 else None


def _only_table(setup):
    """Return the head and the table of a model with one of each, as far as both were read."""
    head = _only_judged(setup)
    if head is None or len(setup.data.inputs) != 1:
        return None, None
    _, x = setup.data.inputs[0]
    if x.ndim != 2 or x.dtype.kind not in "iufb" or len(x) != head.y.rows or head.rows.ndim > 2:
        return None, None
    return head, x[_arrays.rows_read(head.y.shape)]
