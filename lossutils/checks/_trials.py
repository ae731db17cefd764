"""Targets and predictions that a loss of the user's own is tried on, and what that tells."""

import numpy as np

from lossutils.checks import _gradients

# Rows and numbers that a loss is tried on, and how often; two draws may be right equally often.
_DRAWS = 3
_ROWS = 64
_NUMBERS = 200_000

# How far predictions go below 0, and beyond what is wrong, where they should be probabilities.
_BELOW = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_WORSE = (0.5, 4.0, 16.0)

# Above this the loss of a wrong 0 or 1 has a logarithm in it.
_OF_A_LOGARITHM = 5.0


def tried_on(head):
    """Return targets and predictions to try a loss on, or None where it cannot be tried."""
    loss, rows, shape = head.loss, head.rows, head.output.shape
    if loss is None or loss.entry is not None or rows is None or not shape or len(rows) < 2:
        return None
    if head.activation is None or rows.dtype.kind not in "iufb" or not rows.size:
        return None
    inner = shape[1:]
    if None in inner:
        if len(rows.shape) != len(shape):
            return None
        inner = tuple(b if a is None else a for a, b in zip(inner, rows.shape[1:], strict=True))
    number = int(max(2, min(_ROWS, _NUMBERS // max(1, int(np.prod(inner)), rows[0].size))))
    y = _telling_rows(rows, number).astype("float32")
    if not np.isfinite(y).all():
        return None
    rng = np.random.default_rng(0)
    return y, [_predictions(head, rng, (len(y), *inner)) for _ in range(_DRAWS)]


def leaves_out_missing(head):
    """Tell whether a loss of the user's own, and its gradient, are numbers beside missing targets.

    Parameters
    ----------
    head : Head
        Some targets of which are NaN.
    """
    loss, rows, shape = head.loss, head.rows, head.output.shape
    if loss is None or loss.entry is not None or not shape or rows.dtype.kind != "f":
        return False
    finite = np.isfinite(rows.reshape(len(rows), -1)).all(axis=1)
    y = np.concatenate([rows[~finite][:8], rows[finite][:8]]).astype("float32")
    inner = shape[1:]
    if finite.all() or (None in inner and rows.ndim != len(shape)):
        return False
    inner = tuple(b if a is None else a for a, b in zip(inner, (*rows.shape[1:], 1), strict=False))
    p = np.random.default_rng(0).uniform(0.1, 0.9, (len(y), *inner)).astype("float32")
    value, gradient = _gradients.value_and_gradient(loss.given, y, p)
    return (
        value is not None
        and gradient is not None
        and bool(np.isfinite([value, *gradient.flat]).all())
    )


def takes_probabilities(head):
    """Tell whether a loss of the user's own has a meaning for predictions from 0 to 1 only.

    An overlap, such as Dice, divides by a sum of predictions: where those of the background are
    negative it is better than perfect first, and then worse than none. A logarithm of what was cut
    off to 0 to 1 is flat beyond.

    Parameters
    ----------
    head : Head
        With targets of 0 and 1, and an output without ends.
    """
    tried = tried_on(head)
    if tried is None or not head.aligned or not head.y.zero_one or head.y.low == head.y.high:
        return False
    y, right = tried[0], tried[0].reshape(tried[1][0].shape)

    def at(p):
        value = _gradients.value(head.loss.given, y, p.astype("float32"))
        return np.nan if value is None else value

    perfect, undecided, wrong = at(right), at(0 * right + 0.5), at(1 - right)
    if not perfect < undecided < wrong < np.inf:
        return False
    margin = 0.05 * (undecided - perfect)
    below = np.array([at(right - k * (1 - right)) for k in _BELOW])
    first = (below < perfect - margin).argmax()
    if below[first] < perfect - margin and (below[first:] > perfect + margin).any():
        return True
    beyond = [at(1 - right + k * (1 - 2 * right)) for k in _WORSE]
    return wrong > 3 * undecided and bool(np.abs(np.array(beyond) - wrong).max() < 1e-6 * wrong)


def has_a_logarithm(head):
    """Tell whether a loss of the user's own is large where a prediction of 0 or 1 is wrong."""
    tried = tried_on(head)
    if tried is None or not head.aligned or not head.y.zero_one:
        return False
    y, wrong = tried[0], 1 - tried[0].reshape(tried[1][0].shape)
    value = _gradients.value(head.loss.given, y, wrong)
    return value is not None and value > _OF_A_LOGARITHM


def _telling_rows(rows, number):
    """Return some rows, among them those with the smallest and the largest sum."""
    few = rows[:: max(1, len(rows) // number)][:number]
    sums = rows[:10_000].reshape(len(rows[:10_000]), -1).sum(axis=1, dtype=np.float64)
    return np.concatenate([few[: max(0, number - 2)], rows[[sums.argmin(), sums.argmax()]]])


def _predictions(head, rng, shape):
    """Draw predictions that an output layer may well give before the training."""
    activation = head.activation
    logits = rng.normal(size=shape)
    if activation.distribution:
        values = np.exp(logits)
        return (values / values.sum(axis=-1, keepdims=True)).astype("float32")
    if activation.probabilities:
        return (1 / (1 + np.exp(-logits))).astype("float32")
    if activation.low >= 0:
        return np.abs(logits).astype("float32") + np.float32(0.01)
    if np.isfinite([activation.low, activation.high]).all():
        return np.tanh(logits).astype("float32")
    return (0.5 * logits).astype("float32")


def sure_answers(p, activation):
    """Return what a sigmoid or softmax gives in float32 for logits of -30 and 30."""
    if activation.distribution:
        top = p == p.max(axis=-1, keepdims=True)
        return np.where(top, 1.0, np.exp(-60.0)).astype("float32")
    return np.where(p > 0.5, 1.0, np.exp(-30.0)).astype("float32")
