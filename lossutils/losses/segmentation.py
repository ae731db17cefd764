"""Losses of segmentation: the overlap of a predicted with a true mask.

With ``axis=None``, Keras's default, the sums run over the whole batch and the loss is a single
number. To get a loss for each image of shape (n, height, width, channels), use ``axis=(1, 2, 3)``.
"""

import numpy as np

from ._arrays import EPSILON, check_axes, in_range, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values
from .crossentropy import is_unclipped

MASK_TARGETS = Values(
    "binary", low=0.0, high=1.0, description="a mask of 0 and 1, in the shape of the predictions"
)
MASK_PREDICTIONS = Values(
    "probability",
    low=0.0,
    high=1.0,
    description="for each pixel the probability of 1, shape (n, height, width, channels)",
)
# One image of four pixels, two of them inside the mask; outside the model predicts 0.2.
FOUR_PIXELS = {
    "label": "predicted probability inside the mask, 0.2 outside",
    "low": 0.0,
    "high": 1.0,
    "origin": ((0.0, 0.0, 0.2, 0.2),),
    "direction": ((1.0, 1.0, 0.0, 0.0),),
    "targets": {"mask of two pixels": ((1.0, 1.0, 0.0, 0.0),)},
}


def dice(y_true, y_pred, *, axis=None):
    """One minus twice the overlap of two masks, divided by the sum of their sizes.

    Parameters
    ----------
    y_true : array_like, shape (n, ...)
        Masks of 0 and 1.
    y_pred : array_like, shape (n, ...)
        Predicted probabilities.
    axis : int or tuple of int, optional
        The axes that belong to one mask. None takes the whole batch as one mask.

    Returns
    -------
    float or ndarray
        The loss between 0 and 1, of the shape that is left without `axis`.

    Raises
    ------
    ValueError
        If the shapes differ, or `axis` is none of the axes.

    Examples
    --------
    >>> round(float(dice([[1, 1, 0, 0]], [[0.9, 0.7, 0.2, 0.2]])), 4)
    0.2
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    check_axes(axis, y_pred)
    overlap = np.sum(y_true * y_pred, axis=axis)
    return 1 - 2 * overlap / (np.sum(y_true, axis=axis) + np.sum(y_pred, axis=axis) + EPSILON)


def dice_gradient(y_true, y_pred, *, axis=None):
    """Differentiate the sum of `dice` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    check_axes(axis, y_pred)
    overlap = np.sum(y_true * y_pred, axis=axis, keepdims=True)
    size = np.sum(y_true + y_pred, axis=axis, keepdims=True) + EPSILON
    return -2 * (y_true * size - overlap) / size**2


def tversky(y_true, y_pred, *, alpha=0.5, beta=0.5, axis=None):
    """One minus the overlap of two masks, divided by itself plus the weighted errors.

    Keras 3.15 computes it with alpha and beta exchanged. This definition follows its
    documentation and the paper.

    Parameters
    ----------
    y_true : array_like, shape (n, ...)
        Masks of 0 and 1.
    y_pred : array_like, shape (n, ...)
        Predicted probabilities.
    alpha : float
        The weight of false positives: predicted outside the mask.
    beta : float
        The weight of false negatives: missed inside the mask.
    axis : int or tuple of int, optional
        The axes that belong to one mask. None takes the whole batch as one mask.

    Returns
    -------
    float or ndarray
        The loss between 0 and 1, of the shape that is left without `axis`.

    Raises
    ------
    ValueError
        If the shapes differ, or `axis` is none of the axes.

    Examples
    --------
    >>> round(float(tversky([[1, 1, 0, 0]], [[1.0, 1.0, 1.0, 0.0]], alpha=0.9, beta=0.1)), 4)
    0.3103
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    check_axes(axis, y_pred)
    hit = np.sum(y_true * y_pred, axis=axis)
    false_positive = np.sum((1 - y_true) * y_pred, axis=axis)
    false_negative = np.sum(y_true * (1 - y_pred), axis=axis)
    return 1 - hit / (hit + alpha * false_positive + beta * false_negative + EPSILON)


def tversky_gradient(y_true, y_pred, *, alpha=0.5, beta=0.5, axis=None):
    """Differentiate the sum of `tversky` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    check_axes(axis, y_pred)
    hit = np.sum(y_true * y_pred, axis=axis, keepdims=True)
    errors = alpha * (1 - y_true) * y_pred + beta * y_true * (1 - y_pred)
    total = hit + np.sum(errors, axis=axis, keepdims=True) + EPSILON
    total_slope = y_true + alpha * (1 - y_true) - beta * y_true
    return -(y_true * total - hit * total_slope) / total**2


def dice_crossentropy(y_true, y_pred, *, dice_weight=1.0, axis=None):
    """Mean binary cross-entropy of the pixels, plus the Dice loss.

    Cross-entropy gives each pixel a gradient from the start, also where nothing overlaps; the Dice
    loss counts a small mask as much as a large one.

    Parameters
    ----------
    y_true : array_like, shape (n, ...)
        Masks of 0 and 1.
    y_pred : array_like, shape (n, ...)
        Predicted probabilities.
    dice_weight : float
        What the Dice loss is multiplied by, 0 or above.
    axis : int or tuple of int, optional
        The axes that belong to one mask. None takes the whole batch as one mask.

    Returns
    -------
    float or ndarray
        The loss, of the shape that is left without `axis`.

    Raises
    ------
    ValueError
        If the shapes differ, `axis` is none of the axes, or `dice_weight` is negative.

    Examples
    --------
    >>> round(float(dice_crossentropy([[1, 1, 0, 0]], [[0.9, 0.7, 0.2, 0.2]])), 4)
    0.4271
    """
    in_range("dice_weight", dice_weight, 0, np.inf)
    y_true, y_pred = same_shape(y_true, y_pred)
    check_axes(axis, y_pred)
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    crossentropy = -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p), axis=axis)
    return crossentropy + dice_weight * dice(y_true, y_pred, axis=axis)


def dice_crossentropy_gradient(y_true, y_pred, *, dice_weight=1.0, axis=None):
    """Differentiate the sum of `dice_crossentropy` with respect to `y_pred`."""
    in_range("dice_weight", dice_weight, 0, np.inf)
    y_true, y_pred = same_shape(y_true, y_pred)
    check_axes(axis, y_pred)
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    of_pixel = np.where(is_unclipped(y_pred), (p - y_true) / (p * (1 - p)), 0.0)
    pixels = y_pred.size / np.size(np.sum(y_pred, axis=axis))
    return of_pixel / pixels + dice_weight * dice_gradient(y_true, y_pred, axis=axis)


ENTRIES = (
    Entry(
        title="Dice loss",
        task="segmentation",
        keras_class="keras.losses.Dice",
        formula=r"\ell(y, p) = 1 - \frac{2 \sum_i y_i p_i}{\sum_i y_i + \sum_i p_i + 10^{-7}}",
        activation=("sigmoid", "softmax"),
        targets=MASK_TARGETS,
        predictions=MASK_PREDICTIONS,
        numpy=dice,
        gradient=dice_gradient,
        curve=Curve(**FOUR_PIXELS),
        whole_batch=True,
        equivalents=(
            Equivalent(
                "PyTorch",
                "1 - 2 * (y_true * y_pred).sum() / (y_true.sum() + y_pred.sum())",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "optax",
                "optax.losses.dice_loss(\n"
                "    jnp.log(y_pred / (1 - y_pred))[..., None], y_true[..., None], smooth=0.0\n"
                ")",
                parameters={"axis": (1, 2, 3)},
                note="Takes logits with an axis of classes at the end, and gives one loss for each "
                "image.",
            ),
            Equivalent(
                "optax",
                "optax.losses.dice_loss(\n"
                "    jnp.log(y_pred / (1 - y_pred))[..., None], y_true[..., None]\n"
                ")",
                relation="different",
                parameters={"axis": (1, 2, 3)},
                note="By default it adds 1 to numerator and denominator.",
            ),
        ),
        traps=(
            "With `axis=None` the loss is one number for the whole batch: it depends on which "
            "images share a batch, and `reduction` has no effect. Large masks outweigh small ones. "
            "`axis=(1, 2, 3)` gives a loss for each image.",
            "`axis=-1` gives a loss for each pixel. With one channel a pixel of the background "
            "then costs 1 whatever is predicted and has no gradient, so that nothing keeps the "
            "model from predicting the mask everywhere.",
            "An empty mask that is rightly predicted as empty costs 1, the same as a complete "
            "miss. Other frameworks add a smoothing constant.",
            "It takes probabilities and has no `from_logits`. Logits give values outside 0 to 1 "
            "without an error.",
            "The paper adds up the squares of targets and predictions in the denominator, Keras "
            "the plain numbers: the two agree only for masks of 0 and 1 predicted with certainty.",
        ),
        sources=(
            Source(
                "F. Milletari, N. Navab and S.-A. Ahmadi (2016). V-Net: Fully convolutional neural "
                "networks for volumetric medical image segmentation. 3DV 2016, 565–571.",
                "https://arxiv.org/abs/1606.04797",
            ),
        ),
    ),
    Entry(
        title="Tversky loss",
        task="segmentation",
        keras_class="keras.losses.Tversky",
        formula=r"\ell(y, p) = 1 - \frac{\sum_i y_i p_i}{\sum_i y_i p_i "
        r"+ \alpha \sum_i (1 - y_i)\, p_i + \beta \sum_i y_i (1 - p_i) + 10^{-7}}",
        activation=("sigmoid", "softmax"),
        targets=MASK_TARGETS,
        predictions=MASK_PREDICTIONS,
        numpy=tversky,
        gradient=tversky_gradient,
        curve=Curve(**FOUR_PIXELS, parameters={"alpha": 0.3, "beta": 0.7}),
        whole_batch=True,
        equivalents=(
            Equivalent(
                "PyTorch",
                "1 - (y_true * y_pred).sum() / (\n"
                "    (y_true * y_pred).sum()\n"
                "    + 0.3 * ((1 - y_true) * y_pred).sum()\n"
                "    + 0.7 * (y_true * (1 - y_pred)).sum()\n"
                ")",
                parameters={"alpha": 0.3, "beta": 0.7},
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "optax",
                "optax.losses.dice_loss(\n"
                "    jnp.log(y_pred / (1 - y_pred))[..., None],\n"
                "    y_true[..., None],\n"
                "    smooth=0.0,\n"
                "    alpha=0.3,\n"
                "    beta=0.7,\n"
                ")",
                parameters={"alpha": 0.3, "beta": 0.7, "axis": (1, 2, 3)},
                note="Takes logits with an axis of classes at the end, and gives one loss for each "
                "image.",
            ),
        ),
        traps=(
            "Keras 3.15 exchanges alpha and beta: `keras.losses.Tversky(alpha=a, beta=b)` weighs "
            "false negatives by a. Its documentation, the paper and this definition weigh false "
            "positives by alpha. It is repaired after 3.15 (keras#23333), so state the version "
            "with the result.",
            "As for the Dice loss: one number for the whole batch by default, no gradient in the "
            "background with `axis=-1`, and 1 for an empty mask rightly predicted as empty.",
        ),
        sources=(
            Source(
                "S. S. M. Salehi, D. Erdogmus and A. Gholipour (2017). Tversky loss function for "
                "image segmentation using 3D fully convolutional deep networks. MLMI 2017, "
                "379–387.",
                "https://arxiv.org/abs/1706.05721",
            ),
        ),
    ),
    Entry(
        title="Dice loss with cross-entropy",
        task="segmentation",
        keras_class="lossutils.losses.keras_losses.DiceCrossentropy",
        formula=r"\ell(y, p) = -\frac{1}{n} \sum_i \bigl( y_i \ln p_i + (1 - y_i) \ln(1 - p_i) "
        r"\bigr) + w \left( 1 - \frac{2 \sum_i y_i p_i}{\sum_i y_i + \sum_i p_i + 10^{-7}} "
        r"\right)",
        activation=("sigmoid",),
        targets=MASK_TARGETS,
        predictions=MASK_PREDICTIONS,
        numpy=dice_crossentropy,
        gradient=dice_crossentropy_gradient,
        curve=Curve(**{**FOUR_PIXELS, "low": 0.02, "high": 0.98}),
        whole_batch=True,
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.binary_cross_entropy(y_pred, y_true) + (\n"
                "    1 - 2 * (y_true * y_pred).sum() / (y_true.sum() + y_pred.sum())\n"
                ")",
                note="PyTorch has no function of its own for it. The package MONAI has "
                "`DiceCELoss`, from logits, with 1e-5 added to numerator and denominator.",
            ),
            Equivalent(
                "optax",
                "optax.sigmoid_binary_cross_entropy(\n"
                "    jnp.log(y_pred / (1 - y_pred)), y_true\n"
                ").mean(axis=(1, 2, 3)) + optax.losses.dice_loss(\n"
                "    jnp.log(y_pred / (1 - y_pred))[..., None], y_true[..., None], smooth=0.0\n"
                ")",
                parameters={"axis": (1, 2, 3)},
                note="From logits, with an axis of classes at the end for the Dice loss.",
            ),
        ),
        traps=(
            "The two parts do not have one scale: cross-entropy over many pixels of background is "
            "soon far below 1, and the Dice loss then decides. Compare models by a metric such as "
            "the intersection over union.",
            "An empty mask costs 1 in the Dice part whatever is predicted, as for the Dice loss; "
            "here the cross-entropy still teaches that it is empty.",
            "With `axis=None` the loss is one number for the whole batch. `axis=(1, 2, 3)` gives a "
            "loss for each image.",
            "It takes probabilities and has no `from_logits`.",
        ),
        sources=(
            Source(
                "F. Isensee, P. F. Jaeger, S. A. A. Kohl, J. Petersen and K. H. Maier-Hein (2021). "
                "nnU-Net: a self-configuring method for deep learning-based biomedical image "
                "segmentation. Nature Methods 18(2), 203–211.",
                "https://doi.org/10.1038/s41592-020-01008-z",
            ),
        ),
    ),
)
