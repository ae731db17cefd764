"""Whether a network is shown what it is to find: words, classes, or the next steps."""

import numpy as np
from keras import layers

from lossutils.checks import _arrays
from lossutils.checks._chain import operations_from

# What gives each step an answer from that step among others, without a bottleneck.
_STEP_BY_STEP = (
    *(layers.InputLayer, layers.Embedding, layers.Dense, layers.Dropout, layers.SpatialDropout1D),
    *(layers.LayerNormalization, layers.BatchNormalization, layers.Activation, layers.Softmax),
    *(layers.RNN, layers.Bidirectional),
)

# Rows and steps from which on equal sequences are no chance.
_ROWS, _STEPS = 10, 3

# Rows from which on equal columns are no chance.
_MANY_ROWS = 50


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
