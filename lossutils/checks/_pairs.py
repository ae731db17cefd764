"""Pairs that are compared by their distance, and which of them a loss of the user's own parts."""

import keras
import numpy as np

from lossutils.checks import _gradients
from lossutils.checks._chain import shared_by
from lossutils.checks._state import unchanged

# Rows from which on, and up to which, pairs are compared number by number.
_FEW, _ROWS = 50, 500

# How often one kind of pair has to be nearer in the inputs than the other.
_SURELY = 0.9

# Distances between pairs that are close and those that are far, below the usual margin of 1.
_DISTANCES = (0.2, 0.4, 0.6)


def parted_though_alike(head):
    """Tell which label, 0 or 1, marks pairs that are alike and that the loss drives apart.

    Parameters
    ----------
    head : Head
        Of a model with two inputs.

    Returns
    -------
    int or None
    """
    setup, y = head.setup, head.y
    if len(setup.data.inputs) != 2 or y is None or not y.zero_one or y.row_sums is not None:
        return None
    (one, a), (other, b) = setup.data.inputs
    if a.shape != b.shape or len(a) != y.rows or len(a) < _FEW or len(head.rows) != len(a):
        return None
    if {a.dtype.kind, b.dtype.kind} - set("iuf") or head.units != 1:
        return None
    if not shared_by(setup.model, (one, other)):
        return None
    parted = _parted(head.loss.given)
    if parted is None or _alike(a, b, head.rows.reshape(-1)) != parted:
        return None
    return parted if _is_distance(setup, a, b) else None


def _parted(loss):
    """Return the label whose pairs a loss drives apart while it draws the others together."""
    signs = []
    for label in (0.0, 1.0):
        y = np.full((len(_DISTANCES), 1), label, "float32")
        d = np.array(_DISTANCES, "float32")[:, None]
        value, gradient = _gradients.value_and_gradient(loss, y, d)
        if value is None or gradient is None or not np.isfinite(gradient).all():
            return None
        signs.append({*np.sign(gradient.ravel())})
    return {(-1, 1): 0, (1, -1): 1}.get(tuple(s.pop() if len(s) == 1 else 0 for s in signs))


def _alike(a, b, y):
    """Return the label whose pairs are surely nearer to each other in the inputs, or None."""
    a, b, y = a[:_ROWS], b[:_ROWS], y[:_ROWS]
    apart = (a.astype(np.float64) - b.astype(np.float64)).reshape(len(a), -1)
    apart = np.square(apart).sum(axis=1)
    zeros, ones = apart[y == 0], apart[y == 1]
    if min(len(zeros), len(ones)) < 10 or not np.isfinite(apart).all():
        return None
    nearer = (ones[:, None] < zeros).mean() + 0.5 * (ones[:, None] == zeros).mean()
    return 1 if nearer > _SURELY else 0 if nearer < 1 - _SURELY else None


def _is_distance(setup, a, b):
    """Tell whether the model answers 0 for what is compared with itself, and more for the rest."""
    try:
        with unchanged(setup.model):
            pairs = [
                [keras.ops.convert_to_tensor(part[:16]) for part in pair]
                for pair in ((a, a), (a, b))
            ]
            same, others = (
                keras.ops.convert_to_numpy(setup.model(pair, training=False)) for pair in pairs
            )
    except Exception:  # inputs by names, or what cannot be called here
        return False
    return bool(others.min() >= 0 and np.abs(same).max() < 0.05 * np.median(others))
