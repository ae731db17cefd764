"""Losses of classification by a margin: they ask for a score on the right side and beyond it."""

import numpy as np

from ._arrays import same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values

SIGN_TARGETS = Values(
    "sign",
    low=-1.0,
    high=1.0,
    description="-1 or 1, or 0 or 1 throughout, in the shape of the predictions",
)
SCORE_PREDICTIONS = Values("score", description="any real number, shape (n, d); its sign decides")
ONE_HOT_TARGETS = Values("one-hot", low=0.0, high=1.0, description="one-hot, shape (n, K)")
CLASS_SCORES = Values("score", description="K real numbers, shape (n, K); the largest decides")
CRAMMER_SINGER = Source(
    "K. Crammer and Y. Singer (2001). On the algorithmic implementation of multiclass kernel-based "
    "vector machines. Journal of Machine Learning Research 2, 265–292.",
    "https://www.jmlr.org/papers/v2/crammer01a.html",
)
# Two classes, the second with a fixed score: the picture follows the score of the first.
TWO_SCORES = Curve(
    label="score of class 0, that of class 1 being −1",
    low=-4.0,
    high=4.0,
    origin=(0.0, -1.0),
    direction=(1.0, 0.0),
    targets={"class 0": (1.0, 0.0), "class 1": (0.0, 1.0)},
)
MARGIN_CURVE = Curve(
    label="score", low=-3.0, high=3.0, targets={"target 1": (1.0,), "target −1": (-1.0,)}
)


def _signs(y_true):
    """Turn labels 0 and 1 into -1 and 1, as Keras does if every label of the batch is 0 or 1."""
    return 2 * y_true - 1 if np.isin(y_true, (0, 1)).all() else y_true


def hinge(y_true, y_pred):
    """Mean over the outputs of how far a score falls short of a margin of 1.

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Labels, -1 or 1. If all of them are 0 or 1, then 0 means -1.
    y_pred : array_like, shape (n, d)
        Scores.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> hinge([[1], [-1]], [[0.85], [0.85]])
    array([0.15, 1.85])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.mean(np.maximum(0, 1 - _signs(y_true) * y_pred), axis=-1)


def hinge_gradient(y_true, y_pred):
    """Differentiate `hinge` with respect to `y_pred`; at the kink the slope of its left side."""
    y_true, y_pred = same_shape(y_true, y_pred)
    signs = _signs(y_true)
    return np.where(signs * y_pred <= 1, -signs, 0.0) / y_pred.shape[-1]


def squared_hinge(y_true, y_pred):
    """Mean over the outputs of the squared shortfall of a score from a margin of 1.

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Labels, -1 or 1. If all of them are 0 or 1, then 0 means -1.
    y_pred : array_like, shape (n, d)
        Scores.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> squared_hinge([[1], [-1]], [[0.5], [0.5]])
    array([0.25, 2.25])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return np.mean(np.maximum(0, 1 - _signs(y_true) * y_pred) ** 2, axis=-1)


def squared_hinge_gradient(y_true, y_pred):
    """Differentiate `squared_hinge` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    signs = _signs(y_true)
    return -2 * signs * np.maximum(0, 1 - signs * y_pred) / y_pred.shape[-1]


def categorical_hinge(y_true, y_pred):
    """How far the score of the true class falls short of 1 above the other scores, and above 0.

    Parameters
    ----------
    y_true : array_like, shape (n, K)
        One-hot labels, 0 and 1.
    y_pred : array_like, shape (n, K)
        Scores.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> categorical_hinge([[1, 0, 0]], [[2.0, 1.5, -1.0]])
    array([0.5])

    The score of the true class enters the maximum as 0. So it must exceed 1 even where all
    others are far below it:

    >>> categorical_hinge([[1, 0]], [[-3.0, -5.0]])
    array([4.])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    true_score = np.sum(y_true * y_pred, axis=-1)
    other_score = np.max((1 - y_true) * y_pred, axis=-1)
    return np.maximum(0, 1 + other_score - true_score)


def categorical_hinge_gradient(y_true, y_pred):
    """Differentiate `categorical_hinge` with respect to `y_pred`; equal scores share the slope."""
    y_true, y_pred = same_shape(y_true, y_pred)
    others = (1 - y_true) * y_pred
    return _short_of_margin(y_true, y_pred, others, slope=1 - y_true)


def multiclass_hinge(y_true, y_pred):
    """How far the score of the true class falls short of 1 above the best other score.

    Parameters
    ----------
    y_true : array_like, shape (n, K)
        One-hot labels, 0 and 1.
    y_pred : array_like, shape (n, K)
        Scores.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> multiclass_hinge([[1, 0, 0], [1, 0, 0]], [[2.0, 1.5, -1.0], [-3.0, -5.0, -5.0]])
    array([0.5, 0. ])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    true_score = np.sum(y_true * y_pred, axis=-1)
    other_score = np.max(np.where(y_true == 1, -np.inf, y_pred), axis=-1)
    return np.maximum(0, 1 + other_score - true_score)


def multiclass_hinge_gradient(y_true, y_pred):
    """Differentiate `multiclass_hinge` with respect to `y_pred`; equal scores share the slope."""
    y_true, y_pred = same_shape(y_true, y_pred)
    others = np.where(y_true == 1, -np.inf, y_pred)
    return _short_of_margin(y_true, y_pred, others, slope=1.0)


def _short_of_margin(y_true, y_pred, others, slope):
    """Differentiate max(0, 1 + max(others) - true score), given the slope of each other score."""
    best = others.max(axis=-1, keepdims=True)
    short = 1 + best - np.sum(y_true * y_pred, axis=-1, keepdims=True) >= 0
    share = (others == best) / np.sum(others == best, axis=-1, keepdims=True)
    return np.where(short, slope * share - y_true, 0.0)


ENTRIES = (
    Entry(
        title="Hinge loss",
        task="binary classification",
        keras_class="keras.losses.Hinge",
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} \max(0,\; 1 - y_d \hat y_d), "
        r"\quad y_d \in \{-1, 1\}",
        activation=("linear", "tanh"),
        targets=SIGN_TARGETS,
        predictions=SCORE_PREDICTIONS,
        numpy=hinge,
        gradient=hinge_gradient,
        curve=MARGIN_CURVE,
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.margin_ranking_loss(y_pred, torch.zeros_like(y_pred), y_true, margin=1.0)",
                note="Labels must be -1 or 1.",
            ),
            Equivalent(
                "PyTorch",
                "F.hinge_embedding_loss(y_pred, y_true)",
                relation="different",
                note="A loss of distances: the input itself for label 1, max(0, 1 - input) for "
                "label -1. It can be negative.",
            ),
            Equivalent(
                "optax", "optax.hinge_loss(y_pred, y_true).mean()", note="Labels must be -1 or 1."
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.hinge_loss(y_true.ravel(), y_pred.ravel())",
                note="Takes one output, as 1-D arrays.",
            ),
        ),
        traps=(
            "Labels 0 and 1 are converted only if every label of the batch is 0 or 1. Labels 1 and "
            "2, or smoothed ones, are taken as they are.",
            "`metrics=['accuracy']` compares scores with 0.5. Use labels 0 and 1 with "
            "`keras.metrics.BinaryAccuracy(threshold=0)`.",
            "With `tanh` a score never reaches 1, so the loss never reaches 0 and no sample drops "
            "out of the fit. A linear output is the usual choice.",
            "A score is not a probability. Calibrate it before you read it as one.",
        ),
        sources=(
            Source(
                "C. Cortes and V. Vapnik (1995). Support-vector networks. Machine Learning 20, "
                "273–297.",
                "https://doi.org/10.1007/BF00994018",
            ),
        ),
    ),
    Entry(
        title="Squared hinge loss",
        task="binary classification",
        keras_class="keras.losses.SquaredHinge",
        formula=r"\ell(y, \hat y) = \frac{1}{D} \sum_{d=1}^{D} \max(0,\; 1 - y_d \hat y_d)^2, "
        r"\quad y_d \in \{-1, 1\}",
        activation=("linear", "tanh"),
        targets=SIGN_TARGETS,
        predictions=SCORE_PREDICTIONS,
        numpy=squared_hinge,
        gradient=squared_hinge_gradient,
        curve=MARGIN_CURVE,
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.relu(1 - y_true * y_pred).square().mean()",
                note="PyTorch has no function of its own for it. Labels must be -1 or 1.",
            ),
            Equivalent(
                "optax",
                "jnp.square(optax.hinge_loss(y_pred, y_true)).mean()",
                note="Labels must be -1 or 1.",
            ),
        ),
        traps=(
            "As for the hinge loss: labels 0 and 1 are converted only if all are 0 or 1, and "
            "accuracy needs a threshold of 0.",
            "A mislabeled sample far on the wrong side counts by the square of its distance.",
        ),
        sources=(
            Source(
                "Y. Tang (2013). Deep learning using linear support vector machines. "
                "arXiv:1306.0239.",
                "https://arxiv.org/abs/1306.0239",
            ),
        ),
    ),
    Entry(
        title="Categorical hinge loss",
        task="multiclass classification",
        keras_class="keras.losses.CategoricalHinge",
        formula=r"\ell(y, s) = \max\Bigl(0,\; 1 + \max_k\, (1 - y_k)\, s_k "
        r"- \sum_k y_k s_k \Bigr)",
        activation=("linear",),
        targets=ONE_HOT_TARGETS,
        predictions=CLASS_SCORES,
        numpy=categorical_hinge,
        gradient=categorical_hinge_gradient,
        curve=TWO_SCORES,
        equivalents=(
            Equivalent(
                "NumPy",
                "np.mean([\n"
                "    max(0, 1 + max(0, *np.delete(scores, label)) - scores[label])\n"
                "    for label, scores in zip(y_true.argmax(-1), y_pred)\n"
                "])",
                note="No other framework has it, because of its extra 0. Compare the multiclass "
                "hinge loss.",
            ),
            Equivalent(
                "PyTorch",
                "F.multi_margin_loss(y_pred, y_true.argmax(-1))",
                relation="different",
                note="Adds up the shortfall from each other class and divides by K.",
            ),
            Equivalent(
                "optax",
                "optax.losses.multiclass_hinge_loss(y_pred, y_true.argmax(-1)).mean()",
                relation="different",
                note="The loss of Crammer and Singer, without the extra 0.",
            ),
        ),
        traps=(
            "The score of the true class enters the inner maximum as 0. Where all other scores are "
            "negative, the true one must exceed 1: the scores (-3, -5) for class 1 are right by "
            "a margin of 2 and cost 4. The multiclass hinge loss has no such 0.",
            "Labels are 0 and 1, one-hot. Labels -1 and 1 give another loss without an error.",
            "A softmax output keeps the scores between 0 and 1, so that the loss cannot reach 0 "
            "unless a class is certain.",
        ),
        sources=(CRAMMER_SINGER,),
    ),
    Entry(
        title="Multiclass hinge loss",
        task="multiclass classification",
        keras_class="lossutils.losses.keras_losses.MulticlassHinge",
        formula=r"\ell(y, s) = \max\Bigl(0,\; 1 + \max_{k \neq y} s_k - s_y \Bigr)",
        activation=("linear",),
        targets=ONE_HOT_TARGETS,
        predictions=CLASS_SCORES,
        numpy=multiclass_hinge,
        gradient=multiclass_hinge_gradient,
        curve=TWO_SCORES,
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.relu(\n"
                "    1 + torch.where(y_true == 1, -torch.inf, y_pred).amax(-1)"
                " - (y_true * y_pred).sum(-1)\n"
                ").mean()",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "PyTorch",
                "F.multi_margin_loss(y_pred, y_true.argmax(-1))",
                relation="different",
                note="Adds up the shortfall from each other class and divides by K.",
            ),
            Equivalent(
                "optax",
                "optax.losses.multiclass_hinge_loss(y_pred, y_true.argmax(-1)).mean()",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.hinge_loss(\n"
                "    y_true.argmax(-1), y_pred, labels=range(y_pred.shape[1])\n"
                ")",
                note="For three classes or more: for two it wants one score a sample, and raises "
                "an error for this call.",
            ),
        ),
        traps=(
            "Labels are 0 and 1, one-hot; the largest score decides, whatever its sign.",
            "Only the best other class gets a gradient. With many classes training is slow at "
            "first.",
        ),
        sources=(CRAMMER_SINGER,),
    ),
)
