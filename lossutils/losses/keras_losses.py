"""Keras versions of the losses of the catalogue that Keras lacks.

Import this module before you load a saved model that was compiled with one of them: that
registers the classes with Keras.
"""

import keras
import numpy as np
from keras import ops

from ._arrays import in_range

register = keras.saving.register_keras_serializable(package="lossutils")


class _ShapeCheckedLoss(keras.losses.Loss):
    """A loss that refuses shapes which would broadcast.

    Keras reshapes targets of shape (n,) for its own losses, but not for subclasses of `Loss`: there
    they broadcast against predictions of shape (n, 1) to an n by n table.
    """

    outputs_per_target = 1

    def call(self, y_true, y_pred):
        """Return the loss of each sample."""
        targets, outputs = tuple(y_true.shape), tuple(y_pred.shape)
        expected = None if outputs[-1] is None else outputs[-1] / self.outputs_per_target
        if len(targets) != len(outputs) or targets[-1] != expected:
            raise ValueError(
                f"y_true has shape {targets}, y_pred has shape {outputs}, and "
                f"{type(self).__name__} needs {self.outputs_per_target} output(s) for each target. "
                "Use y_true.reshape(-1, 1) for one target."
            )
        return self._losses(y_true, y_pred)

    def get_config(self):
        """Return the arguments that make an equal loss; Keras leaves out the dtype."""
        return {**super().get_config(), "dtype": self.dtype}


@register
class Pinball(_ShapeCheckedLoss):
    """Pinball loss, whose minimum is a quantile.

    Parameters
    ----------
    quantile : float or sequence of float
        Between 0 and 1: one for all outputs, or one for each.
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.pinball : the definition.

    Examples
    --------
    >>> loss = Pinball(quantile=0.9, dtype="float64")
    >>> round(float(loss(np.array([[100.0], [100.0]]), np.array([[92.0], [108.0]]))), 4)
    4.0
    """

    def __init__(self, quantile=0.5, reduction="sum_over_batch_size", name="pinball", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        in_range("quantile", quantile, 0, 1)
        # A list can be saved, an array cannot.
        self.quantile = np.asarray(quantile, dtype=float).tolist()

    def _losses(self, y_true, y_pred):
        q = ops.convert_to_tensor(self.quantile, dtype=y_pred.dtype)
        error = y_true - y_pred
        return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=-1)

    def get_config(self):
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "quantile": self.quantile}


@register
class GaussianNegativeLogLikelihood(_ShapeCheckedLoss):
    """Negative log-likelihood of a normal distribution whose mean and log variance are predicted.

    For targets of shape (n, d) the model has 2 d linear outputs: d means, then d log variances.

    Parameters
    ----------
    full : bool
        Whether to add the constant log(2 pi) / 2.
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.gaussian_negative_log_likelihood : the definition.

    Examples
    --------
    >>> loss = GaussianNegativeLogLikelihood(dtype="float64")
    >>> round(float(loss(np.array([[3.0]]), np.array([[1.0, np.log(4.0)]]))), 4)
    1.1931
    """

    outputs_per_target = 2

    def __init__(
        self,
        full=False,
        reduction="sum_over_batch_size",
        name="gaussian_negative_log_likelihood",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.full = full

    def _losses(self, y_true, y_pred):
        mean, log_variance = ops.split(y_pred, 2, axis=-1)
        loss = (log_variance + ops.square(y_true - mean) / ops.exp(log_variance)) / 2
        return ops.mean(loss + float(np.log(2 * np.pi) / 2 * self.full), axis=-1)

    def get_config(self):
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "full": self.full}


@register
class MulticlassHinge(_ShapeCheckedLoss):
    """Multiclass hinge loss of Crammer and Singer, for one-hot labels and linear outputs.

    Parameters
    ----------
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.multiclass_hinge : the definition.

    Examples
    --------
    >>> loss = MulticlassHinge(dtype="float64")
    >>> round(float(loss(np.array([[1, 0, 0]]), np.array([[2.0, 1.5, -1.0]]))), 4)
    0.5
    """

    def __init__(self, reduction="sum_over_batch_size", name="multiclass_hinge", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def _losses(self, y_true, y_pred):
        true_score = ops.sum(y_true * y_pred, axis=-1)
        other_score = ops.max(ops.where(y_true == 1, -float("inf"), y_pred), axis=-1)
        return ops.maximum(1 + other_score - true_score, 0)
