"""The value of a loss and its gradient with respect to the predictions, under any backend."""

import keras
import numpy as np

from lossutils import _internals


def value_and_gradient(loss, y, p):
    """Compute a loss as `fit` does.

    Parameters
    ----------
    loss : callable or keras.losses.Loss
    y, p : ndarray of float32, shape (n, ...)

    Returns
    -------
    value : float or None
        None where the loss does not take these arrays.
    gradient : ndarray or None
        With respect to `p`; None where there is none.
    """
    if not isinstance(loss, keras.losses.Loss):
        loss = _internals.LossFunctionWrapper(loss)
    compute = {"tensorflow": _with_tensorflow, "torch": _with_torch, "jax": _with_jax}
    try:
        with np.errstate(all="ignore"):
            return compute[keras.backend.backend()](loss, y, p)
    except Exception:  # a loss that wants other shapes, or that this backend cannot run
        return None, None


def value(loss, y, p):
    """Compute a loss as `fit` does, without its gradient; None where it does not take these."""
    if not isinstance(loss, keras.losses.Loss):
        loss = _internals.LossFunctionWrapper(loss)
    try:
        with np.errstate(all="ignore"):
            return float(loss(*map(keras.ops.convert_to_tensor, (y, p))))
    except Exception:  # a loss that wants other shapes
        return None


def sum_and_gradient(function, x):
    """Apply a function to numbers; return the sum of what it gives, and the gradient of that.

    Parameters
    ----------
    function : callable
    x : ndarray of float32

    Returns
    -------
    value : float or None
        None where the function does not take this array.
    gradient : ndarray or None
    """
    return value_and_gradient(_Sum(function), x, x)


class _Sum(keras.losses.Loss):
    """The sum of a function of the predictions, as a loss."""

    def __init__(self, function):
        super().__init__(reduction=None)
        self.function = function

    def call(self, y_true, y_pred):
        return keras.ops.sum(keras.ops.cast(self.function(y_pred), y_pred.dtype))


def _with_tensorflow(loss, y, p):
    import tensorflow as tf

    p = tf.convert_to_tensor(p)
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = loss(tf.convert_to_tensor(y), p)
    gradient = tape.gradient(value, p)
    return float(value), None if gradient is None else tf.convert_to_tensor(gradient).numpy()


def _with_torch(loss, y, p):
    import torch

    p = torch.as_tensor(p, device=keras.ops.convert_to_tensor(y).device).requires_grad_()
    value = loss(keras.ops.convert_to_tensor(y), p)
    if value.requires_grad:
        value.backward()
    gradient = None if p.grad is None else p.grad.cpu().numpy()
    return float(value), gradient


def _with_jax(loss, y, p):
    import jax

    value, gradient = jax.value_and_grad(lambda q: loss(keras.ops.convert_to_tensor(y), q))(p)
    return float(value), np.asarray(gradient)
