"""Cross-entropy: the negative log-likelihood of labels under predicted probabilities.

From probabilities, Keras keeps the arguments of a logarithm at least 1e-7 away from 0 and 1, so a
loss cannot exceed 16.12. From logits it needs no such limit, and neither do these definitions.
"""

import numpy as np
from scipy.special import expit, log_softmax, softmax

from ._arrays import EPSILON, class_numbers, in_range, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values

COX = Source(
    "D. R. Cox (1958). The regression analysis of binary sequences. Journal of the Royal "
    "Statistical Society, Series B 20(2), 215–232.",
    "https://doi.org/10.1111/j.2517-6161.1958.tb00292.x",
)
BRIDLE = Source(
    "J. S. Bridle (1990). Probabilistic interpretation of feedforward classification network "
    "outputs, with relationships to statistical pattern recognition. In: Neurocomputing, "
    "Springer, 227–236.",
    "https://doi.org/10.1007/978-3-642-76153-9_28",
)
SZEGEDY = Source(
    "C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna (2016). Rethinking the Inception "
    "architecture for computer vision. CVPR 2016 (label smoothing).",
    "https://arxiv.org/abs/1512.00567",
)
CLASS_PROBABILITIES = Values(
    "distribution",
    low=0.0,
    high=1.0,
    description="a row of K probabilities with sum 1, shape (n, K); logits with from_logits=True",
)
# Two classes: the picture follows the probability of the first.
TWO_CLASSES = {"origin": (0.0, 1.0), "direction": (1.0, -1.0), "low": 0.005, "high": 0.995}


def smooth_labels(y_true, label_smoothing, classes):
    """Move labels towards the uniform distribution over the classes."""
    in_range("label_smoothing", label_smoothing, 0, 1)
    return y_true * (1 - label_smoothing) + label_smoothing / classes


def is_unclipped(p):
    """Say where Keras does not clip a probability, so where a gradient passes."""
    return (p >= EPSILON) & (p <= 1 - EPSILON)


def binary_crossentropy(y_true, y_pred, *, from_logits=False, label_smoothing=0.0):
    """Mean over the outputs of the negative log-likelihood of a 0/1 label.

    Parameters
    ----------
    y_true : array_like, shape (n, d)
        Labels, 0 or 1, or probabilities between them.
    y_pred : array_like, shape (n, d)
        The predicted probability of label 1, or its logit.
    from_logits : bool
        Whether `y_pred` holds logits.
    label_smoothing : float
        Between 0 and 1: labels are pulled by this fraction towards 1/2.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats.

    Raises
    ------
    ValueError
        If the shapes differ, or `label_smoothing` is outside its range.

    Examples
    --------
    >>> binary_crossentropy([[1]], [[0.85]]).round(4)
    array([0.1625])
    >>> binary_crossentropy([[1]], [[-1000.0]], from_logits=True)
    array([1000.])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    y = smooth_labels(y_true, label_smoothing, 2)
    if from_logits:
        # -y log p - (1 - y) log(1 - p) with p = 1 / (1 + exp(-z))
        return np.mean(np.logaddexp(0, y_pred) - y * y_pred, axis=-1)
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p), axis=-1)


def binary_crossentropy_gradient(y_true, y_pred, *, from_logits=False, label_smoothing=0.0):
    """Differentiate `binary_crossentropy` with respect to `y_pred`; 0 where it is clipped."""
    y_true, y_pred = same_shape(y_true, y_pred)
    y = smooth_labels(y_true, label_smoothing, 2)
    if from_logits:
        return (expit(y_pred) - y) / y_pred.shape[-1]
    p = np.clip(y_pred, EPSILON, 1 - EPSILON)
    return np.where(is_unclipped(y_pred), (p - y) / (p * (1 - p)), 0.0) / y_pred.shape[-1]


def categorical_crossentropy(y_true, y_pred, *, from_logits=False, label_smoothing=0.0):
    """Negative log-likelihood of a one-hot label, or cross-entropy with a soft one.

    Parameters
    ----------
    y_true : array_like, shape (n, K)
        One-hot labels, or rows of probabilities.
    y_pred : array_like, shape (n, K)
        Predicted class probabilities, divided by their sum, or logits.
    from_logits : bool
        Whether `y_pred` holds logits.
    label_smoothing : float
        Between 0 and 1: labels are pulled by this fraction towards 1/K.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats.

    Raises
    ------
    ValueError
        If the shapes differ, or `label_smoothing` is outside its range.

    Examples
    --------
    >>> categorical_crossentropy([[1, 0, 0]], [[0.16, 0.12, 0.72]]).round(4)
    array([1.8326])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    y = smooth_labels(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        return -np.sum(y * log_softmax(y_pred, axis=-1), axis=-1)
    p = y_pred / y_pred.sum(axis=-1, keepdims=True)
    return -np.sum(y * np.log(np.clip(p, EPSILON, 1 - EPSILON)), axis=-1)


def categorical_crossentropy_gradient(y_true, y_pred, *, from_logits=False, label_smoothing=0.0):
    """Differentiate `categorical_crossentropy` with respect to `y_pred`.

    From logits it is the softmax less the label, for labels with sum 1.
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    y = smooth_labels(y_true, label_smoothing, y_true.shape[-1])
    if from_logits:
        return softmax(y_pred, axis=-1) - y
    total = y_pred.sum(axis=-1, keepdims=True)
    p = y_pred / total
    by_p = np.where(is_unclipped(p), -y / np.clip(p, EPSILON, 1 - EPSILON), 0.0)
    # Division by the sum couples the classes: raising one probability lowers the others.
    return (by_p - np.sum(by_p * p, axis=-1, keepdims=True)) / total


def sparse_categorical_crossentropy(y_true, y_pred, *, from_logits=False, ignore_class=None):
    """Negative log-likelihood of a label given as a class number.

    Parameters
    ----------
    y_true : array_like of int, shape (n,) or (n, 1)
        Class numbers from 0 to K - 1.
    y_pred : array_like, shape (n, K)
        Predicted class probabilities, or logits.
    from_logits : bool
        Whether `y_pred` holds logits.
    ignore_class : int, optional
        Samples with this label have loss 0, and Keras leaves them out of the mean.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a label is not one of the classes.

    Examples
    --------
    >>> sparse_categorical_crossentropy([0], [[0.16, 0.12, 0.72]]).round(4)
    array([1.8326])
    """
    label, counted, y_pred = class_numbers(y_true, y_pred, ignore_class)
    logits = y_pred if from_logits else np.log(np.clip(y_pred, EPSILON, 1 - EPSILON))
    log_p = np.take_along_axis(log_softmax(logits, axis=-1), label[..., None], axis=-1)[..., 0]
    return np.where(counted, -log_p, 0.0)


def sparse_categorical_crossentropy_gradient(
    y_true, y_pred, *, from_logits=False, ignore_class=None
):
    """Differentiate `sparse_categorical_crossentropy` with respect to `y_pred`."""
    label, counted, y_pred = class_numbers(y_true, y_pred, ignore_class)
    one_hot = np.eye(y_pred.shape[-1])[label]
    if from_logits:
        slope = softmax(y_pred, axis=-1) - one_hot
    else:
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        slope = np.where(is_unclipped(y_pred), 1 / p.sum(axis=-1, keepdims=True) - one_hot / p, 0.0)
    return np.where(counted[..., None], slope, 0.0)


ENTRIES = (
    Entry(
        title="Binary cross-entropy",
        task="binary classification",
        keras_class="keras.losses.BinaryCrossentropy",
        aliases=("bce", "BCE"),
        fixed={"axis": -1},
        formula=r"\ell(y, p) = -\frac{1}{D} \sum_{d=1}^{D} "
        r"\bigl[ y_d \ln p_d + (1 - y_d) \ln(1 - p_d) \bigr]",
        activation=("sigmoid",),
        targets=Values(
            "binary",
            low=0.0,
            high=1.0,
            description="0 or 1, or a probability, in the shape of the predictions",
        ),
        predictions=Values(
            "probability",
            low=0.0,
            high=1.0,
            description="the probability of label 1, shape (n, d); its logit with from_logits=True",
        ),
        numpy=binary_crossentropy,
        gradient=binary_crossentropy_gradient,
        curve=Curve(
            label="predicted probability of label 1",
            low=0.005,
            high=0.995,
            targets={"label 1": (1.0,), "label 0": (0.0,)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.binary_cross_entropy(y_pred, y_true)",
                note="Limits the logarithm at -100, where Keras limits the probability at 1e-7: a "
                "certain and wrong prediction costs 100 there and 16.12 here.",
            ),
            Equivalent(
                "PyTorch",
                "F.binary_cross_entropy_with_logits(y_pred, y_true)",
                parameters={"from_logits": True},
                note="Its pos_weight has no counterpart in Keras.",
            ),
            Equivalent(
                "PyTorch",
                "F.binary_cross_entropy_with_logits(y_pred, y_true)",
                relation="different",
                note="On probabilities it applies the sigmoid a second time.",
            ),
            Equivalent(
                "optax",
                "optax.sigmoid_binary_cross_entropy(y_pred, y_true).mean()",
                parameters={"from_logits": True},
                note="From logits only.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.log_loss(y_true.ravel(), y_pred.ravel())",
                note="Takes hard labels of one output, as 1-D arrays.",
            ),
        ),
        traps=(
            "On a linear output without `from_logits=True`, scores outside 0 to 1 are clipped and "
            "get no gradient. On a sigmoid with `from_logits=True` the sigmoid is applied twice, "
            "unless Keras finds the logits again.",
            "Keras on TensorFlow computes the loss of a sigmoid from the logits behind it, if the "
            "output has the dtype of the loss. In mixed precision, or float64 with the default "
            "loss, it has not: then the loss is clipped at about 16 without a word. Keep the "
            "output layer in float32, or give it no activation and the loss `from_logits=True`.",
            "Labels outside 0 to 1 (-1 and 1, or 1 and 2) give negative losses without an error.",
            "`Dense(1, activation='softmax')` predicts 1 for every sample.",
            "With soft or smoothed labels the smallest possible loss is above 0.",
        ),
        sources=(COX,),
    ),
    Entry(
        title="Categorical cross-entropy",
        task="multiclass classification",
        keras_class="keras.losses.CategoricalCrossentropy",
        fixed={"axis": -1},
        formula=r"\ell(y, p) = -\sum_{k=1}^{K} y_k \ln \frac{p_k}{\sum_j p_j}",
        activation=("softmax",),
        targets=Values(
            "one-hot",
            low=0.0,
            high=1.0,
            description="one-hot, or a row of probabilities with sum 1, shape (n, K)",
        ),
        predictions=CLASS_PROBABILITIES,
        numpy=categorical_crossentropy,
        gradient=categorical_crossentropy_gradient,
        curve=Curve(
            label="predicted probability of class 0",
            targets={"class 0": (1.0, 0.0), "class 1": (0.0, 1.0)},
            **TWO_CLASSES,
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.cross_entropy(y_pred, y_true)",
                parameters={"from_logits": True},
                note="Takes class numbers as well. In a sequence PyTorch has the classes on axis "
                "1, Keras on the last, and soft targets do not tell PyTorch.",
            ),
            Equivalent(
                "PyTorch",
                "F.cross_entropy(y_pred, y_true, label_smoothing=0.1)",
                parameters={"from_logits": True, "label_smoothing": 0.1},
            ),
            Equivalent(
                "PyTorch",
                "F.nll_loss(torch.log(y_pred), y_true.argmax(-1))",
                note="For one-hot targets: of a soft target it takes the largest class only.",
            ),
            Equivalent(
                "PyTorch",
                "F.cross_entropy(y_pred, y_true)",
                relation="different",
                note="On probabilities it applies the softmax a second time.",
            ),
            Equivalent(
                "optax",
                "optax.softmax_cross_entropy(y_pred, y_true).mean()",
                parameters={"from_logits": True},
                note="From logits only.",
            ),
            Equivalent(
                "optax",
                "optax.softmax_cross_entropy(y_pred, optax.smooth_labels(y_true, 0.1)).mean()",
                parameters={"from_logits": True, "label_smoothing": 0.1},
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.log_loss(y_true, y_pred)",
                note="For one-hot targets: soft ones raise an error.",
            ),
        ),
        traps=(
            "Integer labels raise an error here. They belong to the sparse form.",
            "On a linear output without `from_logits=True` the scores are divided by their sum and "
            "clipped, which has no meaning and little gradient.",
            "With a sigmoid output the predicted rows do not have sum 1. On TensorFlow, in "
            "float32, training still looks right, since Keras finds the logits again.",
            "The logits behind a softmax are found and lost as those behind the sigmoid of [binary "
            "cross-entropy](#binary-cross-entropy): a softmax in mixed precision is clipped.",
            "With label smoothing the smallest possible loss is above 0, and a certain prediction "
            "costs more than a cautious one.",
            "With `label_smoothing`, leave the classes on the last axis: with another `axis` Keras "
            "3.15 smooths by the wrong number of classes (keras#23451).",
        ),
        sources=(BRIDLE, SZEGEDY),
    ),
    Entry(
        title="Sparse categorical cross-entropy",
        task="multiclass classification",
        keras_class="keras.losses.SparseCategoricalCrossentropy",
        fixed={"axis": -1},
        formula=r"\ell(y, p) = -\ln p_y",
        activation=("softmax",),
        targets=Values(
            "integer", low=0.0, description="a class number from 0 to K - 1, shape (n,) or (n, 1)"
        ),
        predictions=CLASS_PROBABILITIES,
        numpy=sparse_categorical_crossentropy,
        gradient=sparse_categorical_crossentropy_gradient,
        curve=Curve(
            label="predicted probability of class 0",
            targets={"class 0": (0,), "class 1": (1,)},
            **TWO_CLASSES,
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.cross_entropy(y_pred, y_true)",
                parameters={"from_logits": True},
                note="Labels of shape (n,). In a sequence PyTorch has the classes on axis 1, Keras "
                "on the last.",
            ),
            Equivalent(
                "PyTorch",
                "F.cross_entropy(y_pred, y_true, ignore_index=2, reduction='none')",
                parameters={"from_logits": True, "ignore_class": 2},
                note="Both leave ignored samples out of the mean. Where all are ignored, the mean "
                "is 0 in Keras and NaN in PyTorch.",
            ),
            Equivalent("PyTorch", "F.nll_loss(torch.log(y_pred), y_true)"),
            Equivalent(
                "PyTorch",
                "F.cross_entropy(y_pred, y_true)",
                relation="different",
                note="On probabilities it applies the softmax a second time.",
            ),
            Equivalent(
                "optax",
                "optax.softmax_cross_entropy_with_integer_labels(y_pred, y_true).mean()",
                parameters={"from_logits": True},
                note="From logits only.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.log_loss(y_true, y_pred, labels=range(y_pred.shape[1]))",
                note="Without `labels` a class that is missing in y_true raises an error.",
            ),
        ),
        traps=(
            "One-hot labels raise an error here. They belong to the form without 'sparse'.",
            "Labels that start at 1, or a -1 for 'unknown': an error on a CPU, NaN on a GPU, and "
            "silently a wrong number under JAX. `ignore_class=-1` leaves the unknown ones out.",
            "An ignored class stays one of the classes of the softmax, and gets probability.",
            "It has no `label_smoothing` in Keras 3.15. Encode the labels one-hot and use the form "
            "without 'sparse'.",
            "An `axis` other than the last is an error on TensorFlow, and Keras 3.15 does not save "
            "it (keras#23286).",
            "On a linear output without `from_logits=True` negative scores are clipped to 1e-7 and "
            "get no gradient.",
        ),
        sources=(BRIDLE,),
    ),
)
