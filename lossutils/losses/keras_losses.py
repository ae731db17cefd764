"""Keras versions of the losses of the catalogue that Keras lacks.

Import this module before you load a saved model that was compiled with one of them: that
registers the classes with Keras.
"""

import keras
import numpy as np
from keras import ops

from ._arrays import between, in_range, one_of, positive
from .pairs import MINING, NEVER

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


class _LossOfLabels(keras.losses.Loss):
    """A loss that takes one class number for each row of predictions."""

    whole_batch = False

    def call(self, y_true, y_pred):
        """Return the loss of each sample."""
        targets, outputs = tuple(y_true.shape), tuple(y_pred.shape)
        column = len(targets) == len(outputs) and targets[-1] == 1
        if not column and len(targets) != len(outputs) - 1:
            raise ValueError(
                f"y_true has shape {targets}, y_pred has shape {outputs}, and "
                f"{type(self).__name__} needs one class number for each row of predictions. Use "
                "y_true.argmax(axis=-1) for one-hot labels."
            )
        if self.whole_batch and len(outputs) != 2:
            raise ValueError(
                f"y_pred has shape {outputs}, and {type(self).__name__} needs embeddings of shape "
                "(n, d). End the model in a Flatten or a pooling layer."
            )
        return self._losses(ops.squeeze(y_true, axis=-1) if column else y_true, y_pred)

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


@register
class GammaDeviance(_ShapeCheckedLoss):
    """Deviance of a gamma distribution, for amounts above 0 and a positive output.

    Parameters
    ----------
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.gamma_deviance : the definition.

    Examples
    --------
    >>> loss = GammaDeviance(dtype="float64")
    >>> round(float(loss(np.array([[100.0]]), np.array([[50.0]]))), 4)
    0.6137
    """

    def __init__(self, reduction="sum_over_batch_size", name="gamma_deviance", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def _losses(self, y_true, y_pred):
        log_ratio = ops.log(y_pred) - ops.log(y_true)
        return ops.mean(2 * (log_ratio + y_true / y_pred - 1), axis=-1)


@register
class TweedieDeviance(_ShapeCheckedLoss):
    """Deviance of a Tweedie distribution, for amounts of 0 or above and a positive output.

    Parameters
    ----------
    power : float
        The power of the mean with which the variance grows, between 1 and 2.
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.tweedie_deviance : the definition.

    Examples
    --------
    >>> loss = TweedieDeviance(power=1.5, dtype="float64")
    >>> float(loss(np.array([[4.0], [0.0]]), np.array([[1.0], [1.0]])))
    4.0
    """

    def __init__(
        self, power=1.5, reduction="sum_over_batch_size", name="tweedie_deviance", dtype=None
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        between("power", power, 1, 2)
        self.power = float(power)

    def _losses(self, y_true, y_pred):
        p = self.power
        at_target = y_true ** (2 - p) / ((1 - p) * (2 - p))
        at_prediction = y_true * y_pred ** (1 - p) / (1 - p) - y_pred ** (2 - p) / (2 - p)
        return ops.mean(2 * (at_target - at_prediction), axis=-1)

    def get_config(self):
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "power": self.power}


@register
class OrdinalCrossentropy(_LossOfLabels):
    """Cross-entropy of the thresholds between ordered classes, from logits.

    For K classes the model has K - 1 linear outputs.

    Parameters
    ----------
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.ordinal_crossentropy : the definition.

    Examples
    --------
    >>> loss = OrdinalCrossentropy(dtype="float64")
    >>> round(float(loss(np.array([1]), np.array([[0.0, 0.0]]))), 4)
    1.3863
    """

    def __init__(self, reduction="sum_over_batch_size", name="ordinal_crossentropy", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def _losses(self, y_true, y_pred):
        thresholds = ops.arange(y_pred.shape[-1], dtype=y_pred.dtype)
        above = ops.expand_dims(y_true, -1) > thresholds
        return ops.sum(ops.softplus(ops.where(above, -y_pred, y_pred)), axis=-1)


@register
class DiceCrossentropy(_ShapeCheckedLoss):
    """Mean binary cross-entropy of the pixels of a mask, plus the Dice loss.

    Parameters
    ----------
    dice_weight : float
        What the Dice loss is multiplied by, 0 or above.
    axis : int or tuple of int, optional
        The axes that belong to one mask. None takes the whole batch as one mask.
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.dice_crossentropy : the definition.

    Examples
    --------
    >>> loss = DiceCrossentropy(axis=(1, 2, 3), dtype="float64")
    >>> mask = np.array([1.0, 1.0, 0.0, 0.0]).reshape(1, 2, 2, 1)
    >>> predicted = np.array([0.9, 0.7, 0.2, 0.2]).reshape(1, 2, 2, 1)
    >>> round(float(loss(mask, predicted)), 4)
    0.4271
    """

    def __init__(
        self,
        dice_weight=1.0,
        axis=None,
        reduction="sum_over_batch_size",
        name="dice_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        in_range("dice_weight", dice_weight, 0, np.inf)
        self.dice_weight = float(dice_weight)
        self.axis = axis

    def _losses(self, y_true, y_pred):
        crossentropy = ops.mean(ops.binary_crossentropy(y_true, y_pred), axis=self.axis)
        return crossentropy + self.dice_weight * keras.losses.dice(y_true, y_pred, axis=self.axis)

    def get_config(self):
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "dice_weight": self.dice_weight, "axis": self.axis}


@register
class Contrastive(_LossOfLabels):
    """Contrastive loss over all pairs of a batch, from labels and embeddings.

    Parameters
    ----------
    margin : float
        The distance from which on embeddings of different labels are far enough. Above 0.
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.contrastive : the definition.

    Examples
    --------
    >>> loss = Contrastive(dtype="float64")
    >>> round(float(loss(np.array([0, 0, 1]), np.array([[0.0], [0.2], [0.5]]))), 4)
    0.13
    """

    whole_batch = True

    def __init__(self, margin=1.0, reduction="sum_over_batch_size", name="contrastive", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        positive("margin", margin)
        self.margin = float(margin)

    def _losses(self, y_true, y_pred):
        distance, same = _distances(y_pred), _same(y_true)
        missing = ops.maximum(self.margin - distance, 0)
        cost = ops.square(ops.where(same, distance, missing)) / 2
        partners = ops.maximum(ops.shape(y_pred)[0] - 1, 1)
        return ops.sum(cost, axis=1) / ops.cast(partners, cost.dtype)

    def get_config(self):
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "margin": self.margin}


@register
class Triplet(_LossOfLabels):
    """Triplet loss with the triplets found in the batch, from labels and embeddings.

    Parameters
    ----------
    margin : float
        How much closer the same label should be than another. Above 0.
    mining : {"hard", "semi-hard"}
        Which embeddings are compared with each.
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.triplet : the definition.

    Examples
    --------
    >>> loss = Triplet(margin=0.4, dtype="float64")
    >>> round(float(loss(np.array([0, 0, 1]), np.array([[0.0], [0.2], [0.5]]))), 4)
    0.1333
    """

    whole_batch = True

    def __init__(
        self,
        margin=1.0,
        mining="hard",
        reduction="sum_over_batch_size",
        name="triplet",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        positive("margin", margin)
        one_of("mining", mining, MINING)
        self.margin = float(margin)
        self.mining = mining

    def _losses(self, y_true, y_pred):
        distance, same = _distances(y_pred), _same(y_true)
        partner = ops.logical_and(same, ops.logical_not(_itself(y_pred)))
        to_rivals = ops.where(same, np.inf, distance)
        if self.mining == "hard":
            farthest_partner = ops.max(ops.where(partner, distance, -np.inf), axis=1)
            # Without a partner or a rival this is the maximum of minus infinity and 0.
            return ops.maximum(self.margin + farthest_partner - ops.min(to_rivals, axis=1), 0)
        beyond = ops.expand_dims(to_rivals, 1) > ops.expand_dims(distance, 2)
        to_rival = ops.min(ops.where(beyond, ops.expand_dims(to_rivals, 1), np.inf), axis=2)
        farthest = ops.max(ops.where(same, -np.inf, distance), axis=1, keepdims=True)
        farthest = ops.where(ops.isfinite(farthest), farthest, np.inf)  # there is no rival
        to_rival = ops.where(ops.isfinite(to_rival), to_rival, farthest)
        excess = ops.maximum(self.margin + distance - to_rival, 0)
        return ops.sum(_shares(partner, excess.dtype) * excess, axis=1)

    def get_config(self):
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "margin": self.margin, "mining": self.mining}


@register
class InfoNCE(_LossOfLabels):
    """Softmax over the batch in which the partners of an embedding should win.

    Parameters
    ----------
    temperature : float
        What the similarities are divided by. Above 0.
    reduction, name, dtype
        As for every Keras loss.

    See Also
    --------
    lossutils.losses.info_nce : the definition.

    Examples
    --------
    >>> loss = InfoNCE(temperature=1.0, dtype="float64")
    >>> embeddings = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    >>> round(float(loss(np.array([0, 0, 1]), embeddings)), 4)
    0.4119
    """

    whole_batch = True

    def __init__(
        self, temperature=0.1, reduction="sum_over_batch_size", name="info_nce", dtype=None
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        positive("temperature", temperature)
        self.temperature = float(temperature)

    def _losses(self, y_true, y_pred):
        itself = _itself(y_pred)
        similarity = ops.matmul(y_pred, ops.transpose(y_pred)) / self.temperature
        similarity = ops.where(itself, NEVER, similarity)
        partner = ops.logical_and(_same(y_true), ops.logical_not(itself))
        minus_log_p = ops.logsumexp(similarity, axis=1, keepdims=True) - similarity
        return ops.sum(_shares(partner, similarity.dtype) * minus_log_p, axis=1)

    def get_config(self):
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "temperature": self.temperature}


def _same(labels):
    """Say which samples of a batch have the label of which."""
    return ops.equal(ops.expand_dims(labels, 1), labels)


def _itself(y_pred):
    """Say where a row of the batch meets itself."""
    number = ops.arange(ops.shape(y_pred)[0])
    return ops.equal(ops.expand_dims(number, 1), number)


def _shares(partner, dtype):
    """Share out 1 among the partners of each embedding; nothing where it has none."""
    partner = ops.cast(partner, dtype)
    return partner / ops.maximum(ops.sum(partner, axis=1, keepdims=True), 1)


def _distances(y_pred):
    """Return the distance of each embedding to each other, with a gradient of 0 at distance 0."""
    square = ops.sum(ops.square(y_pred), axis=1)
    square = ops.expand_dims(square, 1) + square - 2 * ops.matmul(y_pred, ops.transpose(y_pred))
    apart = square > 0
    # The root has no slope at 0, and a chosen branch of `where` passes on NaN from the other.
    return ops.where(apart, ops.sqrt(ops.where(apart, square, 1)), 0)
