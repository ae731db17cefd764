"""How a loss of the user's own moves with predictions of classes, from the wrong ones to the right.

Targets and predictions are those of `_trials.tried_on`.
"""

import itertools

import numpy as np

from lossutils.checks import _gradients
from lossutils.checks._trials import tried_on

# Logits of the ends of the way, at no symmetric places: a round() in it turns at 0.
_FROM, _TO = -6.0, 6.3

# Intervals of the way, and how often the one of the largest jump is halved.
_INTERVALS, _HALVINGS = 6, 15

# The part of the whole way that the gradient may miss, that a single jump has to be, and the change
# of a gradient across a jump that is no change.
_MISSED, _JUMP, _SAME = 0.05, 0.02, 0.02

# A wrong answer on what is there costs so many times a wrong one on the rest, where targets are
# 255 in place of 1; fewer times where the loss is far below what an overlap can be.
_LOPSIDED, _LOPSIDED_BELOW, _FAR_BELOW = 30, 3, -5

# Rows that tell whether a loss converts targets.
_ROWS = 32


def has_a_flat_term(head):
    """Tell whether a part of a loss jumps where its gradient takes no notice of it.

    A loss of hard samples jumps as well, but there the gradient changes with it. One that passes
    a gradient straight through a rounding misses nothing on the whole way.

    Parameters
    ----------
    head : Head

    Returns
    -------
    tuple of float or None
        How much the loss falls from wrong answers to right ones, and how much of it the gradient
        explains; None where nothing is missing.
    """
    tried = tried_on(head)
    way = None if tried is None else _way(head, tried)
    if way is None:
        return None
    y = tried[0]

    def at(t):
        p, slope = way(t)
        value, gradient = _gradients.value_and_gradient(head.loss.given, y, p)
        if value is None or gradient is None or not np.isfinite(gradient).all():
            return None
        return t, value, float((gradient * slope).sum(dtype=np.float64)), gradient

    places = []
    for t in np.linspace(_FROM, _TO, 2 * _INTERVALS + 1):
        places.append(at(t))
        if places[-1] is None or not np.isfinite(places[-1][1]):
            return None
    fallen = places[-1][1] - places[0][1]
    explained = _integral(places)
    if not fallen < 0 or abs(fallen - explained) < _MISSED * abs(fallen):
        return None
    left, right = max(itertools.pairwise(places), key=_missed)
    for _ in range(_HALVINGS):
        middle = at((left[0] + right[0]) / 2)
        if middle is None:
            return None
        left, right = max((left, middle), (middle, right), key=_missed)
    # What is left of an interval is too short for anything but a jump.
    jump = abs(right[1] - left[1])
    change = np.abs(right[3] - left[3]).max()
    if jump < _JUMP * abs(fallen) or change > _SAME * np.abs(left[3]).max():
        return None
    return -fallen, -explained


def _integral(places):
    """Integrate the slopes at evenly spaced places by Simpson's rule."""
    slopes = np.array([slope for _, _, slope, _ in places])
    step = (places[-1][0] - places[0][0]) / (len(places) - 1)
    return step / 3 * (slopes[0] + slopes[-1] + 4 * slopes[1::2].sum() + 2 * slopes[2:-1:2].sum())


def _missed(pair):
    """Return how much more two values differ than the slopes between them say."""
    (start, low, down, _), (end, high, up, _) = pair
    return abs(high - low - (end - start) * (down + up) / 2)


def _way(head, tried):
    """Return a function that gives predictions and their change along the way, or None."""
    activation, y = head.activation, head.y
    if not head.aligned or not activation.probabilities or y.low == y.high or not y.zero_one:
        return None
    right = tried[0].reshape(tried[1][0].shape)
    if activation.name == "sigmoid":
        return _of_sigmoids(right)
    return _of_softmax(right) if activation.distribution and y.one_hot else None


def _of_sigmoids(right):
    sign = 2 * right - 1

    def way(t):
        p = 1 / (1 + np.exp(-sign * t))
        return p.astype("float32"), sign * p * (1 - p)

    return way


def _of_softmax(right):
    direction = right - np.roll(right, 1, axis=-1)

    def way(t):
        p = np.exp(direction * t)
        p /= p.sum(axis=-1, keepdims=True)
        mean = (p * direction).sum(axis=-1, keepdims=True)
        return p.astype("float32"), p * (direction - mean)

    return way


def counts_255_times(head):
    """Tell whether a loss takes targets of 0 and 255 as they are, and is meant for 0 and 1.

    It is then better than perfect, below 0, and what is there counts some 255 times the rest. One
    that divides by 255 itself, or asks what is above 0, weighs both alike.

    Parameters
    ----------
    head : Head
        With targets of 0 and 255.
    """
    tried = tried_on(head)
    if tried is None or not head.aligned or not head.activation.probabilities:
        return False
    y = tried[0]
    there = (y > 0).reshape(tried[1][0].shape)
    share = there.mean()
    if not 0 < share < 1:
        return False
    missed, added = min(1.0, (1 - share) / share), min(1.0, share / (1 - share))
    right = np.where(there, 1 - 0.01 * missed, 0.01 * added)
    less, more = right - 0.49 * missed * there, right + 0.49 * added * ~there

    def at(targets, p):
        value = _gradients.value(head.loss.given, targets, p.astype("float32"))
        return np.nan if value is None else value

    perfect, too_little, too_much = (at(y, p) for p in (right, less, more))
    of_ones = at(y / 255, right)
    below = perfect < min(0, of_ones - 0.1)
    times = _LOPSIDED_BELOW if perfect < _FAR_BELOW else _LOPSIDED
    lopsided = too_little - perfect > times * abs(too_much - perfect)
    return bool(below and lopsided and of_ones < at(y / 255, np.where(there, 0.1, 0.9)))


def makes_labels_itself(head):
    """Tell whether a function of the user's own, of whatever kind, asks which targets are not 0.

    Parameters
    ----------
    head : Head
        With targets of 0 and a larger number.
    """
    loss, rows = head.loss.given, head.rows
    if not callable(loss) or (getattr(loss, "__module__", None) or "").startswith("keras."):
        return False
    if not head.aligned or rows is None or None in head.output.shape[1:]:
        return False
    y = rows[np.unique(np.linspace(0, len(rows) - 1, _ROWS).astype(int))].astype("float32")
    p = np.random.default_rng(0).uniform(0.1, 0.9, (len(y), *head.output.shape[1:]))
    given, of_ones, of_zeros = (
        _gradients.value(loss, t, p.astype("float32")) for t in (y, y / y.max(), 0 * y)
    )
    if None in (given, of_ones, of_zeros) or of_ones == of_zeros:
        return False
    return bool(np.isclose(given, of_ones, rtol=1e-5))
