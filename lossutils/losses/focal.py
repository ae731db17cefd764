"""Cross-entropy that weighs samples by how certain their prediction is.

The focal losses turn away from samples that are already right, the generalized one from samples
that stay wrong, since their label may be.
"""

import numpy as np
from scipy.special import expit, softmax

from ._arrays import EPSILON, class_numbers, for_each_output, in_range, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values
from .crossentropy import CLASS_PROBABILITIES, TWO_CLASSES, is_unclipped, smooth_labels

LIN = Source(
    "T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár (2017). Focal loss for dense object "
    "detection. ICCV 2017.",
    "https://arxiv.org/abs/1708.02002",
)
CHAROENPHAKDEE = Source(
    "N. Charoenphakdee, J. Vongkulbhisal, N. Chairatanakul and M. Sugiyama (2021). On focal loss "
    "for class-posterior probability estimation: a theoretical perspective. CVPR 2021.",
    "https://arxiv.org/abs/2011.09172",
)


def _power_slope(base, exponent):
    """Differentiate base ** exponent; a constant has slope 0 also at base 0."""
    return exponent * base ** (exponent - 1) if exponent else np.zeros_like(base)


def binary_focal_crossentropy(
    y_true,
    y_pred,
    *,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
):
    """Binary cross-entropy, times a power of the probability given to the wrong label.

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Labels, 0 or 1.
    y_pred : array_like, shape (n, d)
        The predicted probability of label 1, or its logit.
    apply_class_balancing : bool
        Whether to weigh label 1 by `alpha` and label 0 by 1 - `alpha`.
    alpha : float
        The weight of label 1. It has no effect without `apply_class_balancing`.
    gamma : float
        The power, from 0 on: 0 is cross-entropy.
    from_logits : bool
        Whether `y_pred` holds logits.
    label_smoothing : float
        Between 0 and 1: labels are pulled by this fraction towards 1/2.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ, or `gamma` or `label_smoothing` is outside its range.

    Examples
    --------
    >>> binary_focal_crossentropy([[1], [1]], [[0.9], [0.3]]).round(4)
    array([0.0011, 0.5899])
    """
    in_range("gamma", gamma, 0, np.inf)
    y_true, y_pred = same_shape(y_true, y_pred)
    y = smooth_labels(y_true, label_smoothing, 2)
    wrong, crossentropy, _ = _wrong_and_crossentropy(y, y_pred, from_logits)
    weight = y * alpha + (1 - y) * (1 - alpha) if apply_class_balancing else 1.0
    return np.mean(weight * wrong**gamma * crossentropy, axis=-1)


def binary_focal_crossentropy_gradient(
    y_true,
    y_pred,
    *,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
):
    """Differentiate `binary_focal_crossentropy` with respect to `y_pred`."""
    in_range("gamma", gamma, 0, np.inf)
    y_true, y_pred = same_shape(y_true, y_pred)
    y = smooth_labels(y_true, label_smoothing, 2)
    wrong, crossentropy, slope = _wrong_and_crossentropy(y, y_pred, from_logits)
    wrong_slope = 1 - 2 * y
    if from_logits:
        wrong_slope = wrong_slope * expit(y_pred) * expit(-y_pred)
    weight = y * alpha + (1 - y) * (1 - alpha) if apply_class_balancing else 1.0
    product_slope = _power_slope(wrong, gamma) * wrong_slope * crossentropy + wrong**gamma * slope
    return weight * product_slope / y_pred.shape[-1]


def _wrong_and_crossentropy(y, y_pred, from_logits):
    """Return the probability of the wrong label, the cross-entropy and its slope."""
    if from_logits:
        p, q = expit(y_pred), expit(-y_pred)
        crossentropy = np.logaddexp(0, y_pred) - y * y_pred
        return y * q + (1 - y) * p, crossentropy, p - y
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    crossentropy = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    slope = np.where(is_unclipped(y_pred), (p - y) / (p * (1 - p)), 0.0)
    return y * (1 - y_pred) + (1 - y) * y_pred, crossentropy, slope


def categorical_focal_crossentropy(
    y_true, y_pred, *, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0
):
    """Categorical cross-entropy, times alpha and a power of the probability of the other classes.

    Parameters
    ----------
    y_true : array_like, shape (n, K)
        One-hot labels.
    y_pred : array_like, shape (n, K)
        Predicted class probabilities, divided by their sum, or logits.
    alpha : float or sequence of K floats
        The weight of all classes, or of each.
    gamma : float
        The power, from 0 on: 0 is alpha times cross-entropy.
    from_logits : bool
        Whether `y_pred` holds logits.
    label_smoothing : float
        Between 0 and 1: labels are pulled by this fraction towards 1/K.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ, `gamma` or `label_smoothing` is outside its range, or `alpha` is
        neither one number nor one for each class.

    Examples
    --------
    >>> categorical_focal_crossentropy([[0, 1, 0]], [[0.1, 0.6, 0.3]]).round(4)
    array([0.0204])
    """
    in_range("gamma", gamma, 0, np.inf)
    y_true, y_pred = same_shape(y_true, y_pred)
    alpha = for_each_output("alpha", alpha, y_pred)
    y = smooth_labels(y_true, label_smoothing, y_true.shape[-1])
    p = softmax(y_pred, axis=-1) if from_logits else y_pred / y_pred.sum(axis=-1, keepdims=True)
    p = np.clip(p, EPSILON, 1 - EPSILON)
    return -np.sum(alpha * (1 - p) ** gamma * y * np.log(p), axis=-1)


def categorical_focal_crossentropy_gradient(
    y_true, y_pred, *, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0
):
    """Differentiate `categorical_focal_crossentropy` with respect to `y_pred`."""
    in_range("gamma", gamma, 0, np.inf)
    y_true, y_pred = same_shape(y_true, y_pred)
    alpha = for_each_output("alpha", alpha, y_pred)
    y = smooth_labels(y_true, label_smoothing, y_true.shape[-1])
    total = y_pred.sum(axis=-1, keepdims=True)
    unclipped = softmax(y_pred, axis=-1) if from_logits else y_pred / total
    p = np.clip(unclipped, EPSILON, 1 - EPSILON)
    by_p = alpha * y * (_power_slope(1 - p, gamma) * np.log(p) - (1 - p) ** gamma / p)
    by_p = np.where(is_unclipped(unclipped), by_p, 0.0)
    # Softmax and division by the sum both couple the classes.
    coupled = by_p - np.sum(by_p * unclipped, axis=-1, keepdims=True)
    return coupled * unclipped if from_logits else coupled / total


def categorical_generalized_cross_entropy(y_true, y_pred, *, q=0.5):
    """Return (1 - p^q) / q for the probability p of the true class.

    Between cross-entropy, its limit for q to 0, and the absolute error 1 - p at q = 1.

    Parameters
    ----------
    y_true : array_like of int, shape (n,) or (n, 1)
        Class numbers from 0 to K - 1.
    y_pred : array_like, shape (n, K)
        Predicted class probabilities.
    q : float
        Between 0 and 1, both excluded.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is not one of the classes, or `q` is outside its range.

    Examples
    --------
    >>> categorical_generalized_cross_entropy([0, 1], [[0.64, 0.36], [0.96, 0.04]])
    array([0.4, 1.6])
    """
    p, _, _ = _probability_of_label(y_true, y_pred, q)
    return (1 - p**q) / q


def categorical_generalized_cross_entropy_gradient(y_true, y_pred, *, q=0.5):
    """Differentiate `categorical_generalized_cross_entropy` with respect to `y_pred`.

    It is without limit for a probability of 0.
    """
    p, label, y_pred = _probability_of_label(y_true, y_pred, q)
    with np.errstate(divide="ignore"):
        slope = -(p ** (q - 1))
    return np.where(np.arange(y_pred.shape[-1]) == label[..., None], slope[..., None], 0.0)


def _probability_of_label(y_true, y_pred, q):
    if not 0 < q < 1:
        raise ValueError(f"q={q!r} must lie between 0 and 1, both excluded.")
    label, _, y_pred = class_numbers(y_true, y_pred)
    return np.take_along_axis(y_pred, label[..., None], axis=-1)[..., 0], label, y_pred


ENTRIES = (
    Entry(
        title="Binary focal cross-entropy",
        task="binary classification",
        keras_class="keras.losses.BinaryFocalCrossentropy",
        fixed={"axis": -1},
        formula=r"\ell(y, p) = -\frac{1}{D} \sum_{d=1}^{D} (1 - p_{t,d})^\gamma \ln p_{t,d}, \quad "
        r"p_{t,d} = \begin{cases} p_d & y_d = 1 \\ 1 - p_d & y_d = 0 \end{cases}",
        activation=("sigmoid",),
        targets=Values(
            "binary", low=0.0, high=1.0, description="0 or 1, in the shape of the predictions"
        ),
        predictions=Values(
            "probability",
            low=0.0,
            high=1.0,
            description="the probability of label 1, shape (n, d); its logit with from_logits=True",
        ),
        numpy=binary_focal_crossentropy,
        gradient=binary_focal_crossentropy_gradient,
        curve=Curve(
            label="predicted probability of label 1",
            low=0.005,
            high=0.995,
            targets={"label 1": (1.0,), "label 0": (0.0,)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "(\n"
                "    (1 - torch.exp(-(ce := F.binary_cross_entropy(y_pred, y_true, "
                "reduction='none')))) ** 2 * ce\n"
                ").mean()",
                note="torchvision.ops.sigmoid_focal_loss takes logits; its default alpha=0.25 "
                "balances the classes, alpha=-1 does not.",
            ),
            Equivalent(
                "optax",
                "optax.sigmoid_focal_loss(y_pred, y_true, gamma=2.0).mean()",
                parameters={"from_logits": True},
                note="From logits only.",
            ),
            Equivalent(
                "optax",
                "optax.sigmoid_focal_loss(y_pred, y_true, alpha=0.25, gamma=2.0).mean()",
                parameters={"from_logits": True, "apply_class_balancing": True},
            ),
            Equivalent(
                "optax",
                "optax.sigmoid_focal_loss(y_pred, y_true, alpha=0.25, gamma=2.0).mean()",
                relation="different",
                parameters={"from_logits": True, "alpha": 0.25},
                note="Keras ignores alpha unless `apply_class_balancing=True`.",
            ),
        ),
        traps=(
            "`alpha` has no effect unless `apply_class_balancing=True`.",
            "On a sigmoid output `from_logits=True` applies the sigmoid twice, in every precision: "
            "Keras does not look for logits here, as it does for plain cross-entropy.",
            "With `gamma` below 1 the gradient in Keras is NaN where a prediction is right and "
            "exactly 0 or 1, as a float32 sigmoid is from a logit of 17 on, also with "
            "`from_logits=True`. For `gamma=0` use plain cross-entropy.",
            "It is not a proper scoring rule: the best prediction for a true probability of 0.8 is "
            "0.63. Its probabilities need calibration.",
        ),
        sources=(LIN, CHAROENPHAKDEE),
    ),
    Entry(
        title="Categorical focal cross-entropy",
        task="multiclass classification",
        keras_class="keras.losses.CategoricalFocalCrossentropy",
        fixed={"axis": -1},
        formula=r"\ell(y, p) = -\sum_{k=1}^{K} \alpha_k\, y_k\, (1 - p_k)^\gamma \ln p_k",
        activation=("softmax",),
        targets=Values("one-hot", low=0.0, high=1.0, description="one-hot, shape (n, K)"),
        predictions=CLASS_PROBABILITIES,
        numpy=categorical_focal_crossentropy,
        gradient=categorical_focal_crossentropy_gradient,
        curve=Curve(
            label="predicted probability of class 0",
            targets={"class 0": (1.0, 0.0), "class 1": (0.0, 1.0)},
            **TWO_CLASSES,
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "(-0.25 * (1 - (p := (y_true * y_pred).sum(-1))) ** 2 * torch.log(p)).mean()",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "PyTorch",
                "F.nll_loss(torch.log(y_pred), y_true.argmax(-1))",
                relation="different",
                parameters={"gamma": 0.0},
                note="With gamma=0 it is alpha times cross-entropy, a quarter by default.",
            ),
            Equivalent(
                "optax",
                "(-0.25 * y_true * (1 - y_pred) ** 2 * jnp.log(y_pred)).sum(-1).mean()",
                note="optax has no function of its own for it.",
            ),
        ),
        traps=(
            "`alpha=0.25` always applies: with gamma=0 the loss is a quarter of cross-entropy, and "
            "the gradient with it. A single number weighs all classes alike; a list with one "
            "weight a class balances them.",
            "From logits it clips the probabilities at 1e-7, unlike plain cross-entropy: a certain "
            "and wrong prediction gets no gradient.",
            "It is not a proper scoring rule: its predicted probabilities need calibration.",
            "With `label_smoothing`, leave the classes on the last axis: with another `axis` Keras "
            "3.15 smooths by the wrong number of classes (keras#23451).",
        ),
        sources=(LIN, CHAROENPHAKDEE),
    ),
    Entry(
        title="Generalized cross-entropy",
        task="multiclass classification with noisy labels",
        keras_class="keras.losses.CategoricalGeneralizedCrossEntropy",
        takes_name=False,
        formula=r"\ell(y, p) = \frac{1 - p_y^q}{q}, \quad 0 < q < 1",
        activation=("softmax",),
        targets=Values(
            "integer", low=0.0, description="a class number from 0 to K - 1, shape (n,)"
        ),
        predictions=Values(
            "distribution",
            low=0.0,
            high=1.0,
            description="a row of K probabilities with sum 1, shape (n, K)",
        ),
        numpy=categorical_generalized_cross_entropy,
        gradient=categorical_generalized_cross_entropy_gradient,
        curve=Curve(
            label="predicted probability of class 0",
            targets={"class 0": (0,), "class 1": (1,)},
            **TWO_CLASSES,
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "((1 - y_pred[torch.arange(len(y_pred)), y_true] ** 0.5) / 0.5).mean()",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "optax",
                "((1 - y_pred[jnp.arange(len(y_pred)), y_true] ** 0.5) / 0.5).mean()",
                note="optax has no function of its own for it.",
            ),
            Equivalent(
                "SciPy",
                "-scipy.special.boxcox(y_pred[np.arange(len(y_pred)), y_true], 0.5).mean()",
                note="Minus the Box–Cox transformation of the probability.",
            ),
        ),
        traps=(
            "Despite its name it takes integer labels. One-hot labels raise an error, or give "
            "wrong numbers where the batch has as many rows as there are classes.",
            "Keras 3.15 knows no string for it. Pass the class to `compile`.",
            "Keras broadcasts labels of shape (n, 1) to an n by n table without an error. Use "
            "shape (n,).",
            "It takes probabilities only, without a limit: at a probability of 0 the gradient is "
            "infinite for the true class and NaN for the others.",
        ),
        sources=(
            Source(
                "Z. Zhang and M. R. Sabuncu (2018). Generalized cross entropy loss for training "
                "deep neural networks with noisy labels. NeurIPS 2018.",
                "https://arxiv.org/abs/1805.07836",
            ),
        ),
    ),
)
