"""Losses of the user's own that compute what one of Keras does, such as a wrapper around it."""

import keras
import numpy as np

from lossutils.checks import _gradients
from lossutils.losses import CATALOGUE

# Rows on which both are compared, and how close they have to be.
_ROWS = 7
_NEAR = 1e-4

# Larger outputs are left alone.
_NUMBERS = 20_000


def same_as(given, shape):
    """Return which loss of Keras a function or an instance computes.

    It is tried on targets and predictions that are made up, so the data decide nothing.

    Parameters
    ----------
    given : callable or keras.losses.Loss
    shape : tuple of (int or None)
        Of the output, with the batch first.

    Returns
    -------
    entry : Entry or None
        None where it is like none of them.
    parameters : dict
        ``from_logits``; or ``swapped``, the name of a loss that gets predictions for targets.
    """
    if not callable(given) or not shape or len(shape) < 2 or shape[-1] is None:
        return None, {}
    inner = tuple(3 if size is None else size for size in shape[1:])
    if int(np.prod(inner)) > _NUMBERS:
        return None, {}
    for name in _possible(inner[-1]):
        drawn = [_drawn(name, inner, seed) for seed in range(2)]
        drawn.append(_sure_and_wrong(*drawn[0]))  # where one without a clip is infinite
        seen = [_gradients.value(given, y, p) for y, p in drawn]
        if None in seen or not np.isfinite(seen).all():
            continue
        function = getattr(keras.losses, name)
        for from_logits in (False, True):
            for swapped in (False, True):
                if swapped and name == "sparse_categorical_crossentropy":
                    continue
                if _agree(function, drawn, seen, from_logits, swapped):
                    if swapped:
                        return None, {"swapped": name}
                    return CATALOGUE[name], {"from_logits": from_logits}
    return None, {}


def _possible(units):
    if units == 1:
        return ("binary_crossentropy",)
    return (
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
        "binary_crossentropy",
    )


def _drawn(name, inner, seed):
    """Draw targets, among them all classes, and predictions that are no perfect answers."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(_ROWS, *inner))
    if name == "binary_crossentropy":
        y = rng.integers(2, size=logits.shape)
        return y.astype("float32"), (1 / (1 + np.exp(-logits))).astype("float32")
    p = np.exp(logits)
    p = (p / p.sum(axis=-1, keepdims=True)).astype("float32")
    labels = np.arange(int(np.prod(p.shape[:-1]))).reshape(p.shape[:-1]) % inner[-1]
    if name.startswith("sparse"):
        return labels.astype("float32"), p
    return np.eye(inner[-1], dtype="float32")[labels], p


def _sure_and_wrong(y, p):
    """Make some predictions exactly 0 and 1."""
    p = p.copy()
    p[: _ROWS // 2] = np.round(p[: _ROWS // 2] - 0.2)
    p[0], p[1] = 0.0, 1.0
    return y, p


def _agree(function, drawn, seen, from_logits, swapped):
    def its(y_true, y_pred):
        pair = (y_pred, y_true) if swapped else (y_true, y_pred)
        return function(*pair, from_logits=from_logits)

    for (y, p), value in zip(drawn, seen, strict=True):
        expected = _gradients.value(its, y, p)
        if expected is None or not abs(expected - value) <= _NEAR * max(1.0, abs(expected)):
            return False
    return True
