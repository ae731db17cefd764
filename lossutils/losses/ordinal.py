"""The loss of classes that have an order, such as low, medium and high."""

import numpy as np
from scipy.special import expit

from ._arrays import labels
from ._entry import Curve, Entry, Equivalent, Source, Values


def ordinal_crossentropy(y_true, y_pred):
    """Sum over the thresholds of the cross-entropy of lying above or below them.

    The classes 0 to D are taken as D questions with yes or no: above 0? above 1? ... The softmax
    asks which class it is, and knows no order; here a prediction that is off by two classes has two
    wrong answers.

    Parameters
    ----------
    y_true : array_like of int, shape (n,) or (n, 1)
        Class numbers from 0 to D in their order.
    y_pred : array_like, shape (n, D)
        For each threshold k from 0 to D - 1 the logit of the probability that the class lies above
        k.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a target is not one of the classes 0 to D.

    Examples
    --------
    Three classes, so two thresholds, both undecided; then a prediction that is sure of class 2.

    >>> ordinal_crossentropy([1, 0], [[0.0, 0.0], [9.0, 9.0]]).round(4)
    array([ 1.3863, 18.0002])
    """
    above, y_pred = _above(y_true, y_pred)
    # -log p where the answer is yes, -log(1 - p) where it is no, with p = 1 / (1 + exp(-z))
    return np.sum(np.logaddexp(0, np.where(above, -y_pred, y_pred)), axis=-1)


def ordinal_crossentropy_gradient(y_true, y_pred):
    """Differentiate `ordinal_crossentropy` with respect to the logits."""
    above, y_pred = _above(y_true, y_pred)
    return expit(y_pred) - above


def _above(y_true, y_pred):
    """Say for each sample and threshold whether the class lies above it."""
    label, y_pred = labels(y_true, y_pred)
    thresholds = y_pred.shape[-1]
    wrong = ~((label >= 0) & (label <= thresholds) & (label == np.floor(label)))
    if wrong.any():
        raise ValueError(
            f"y_true holds {label[wrong].flat[0]:g}, but y_pred of shape {y_pred.shape} has the "
            f"classes 0 to {thresholds}: one more than thresholds. Number the classes from 0 in "
            "their order."
        )
    return label[..., None] > np.arange(thresholds), y_pred


ENTRIES = (
    Entry(
        title="Ordinal cross-entropy",
        task="multiclass classification with an order",
        keras_class="lossutils.losses.keras_losses.OrdinalCrossentropy",
        formula=r"\ell(y, z) = \sum_{k=0}^{D-1} \ln\bigl( 1 + e^{-s_k z_k} \bigr), \quad "
        r"s_k = \begin{cases} 1 & y > k \\ -1 & y \le k \end{cases}",
        activation=("linear",),
        targets=Values(
            "integer", low=0.0, description="class numbers from 0 to D in their order, shape (n,)"
        ),
        predictions=Values(
            "cumulative logits",
            description="for each of D thresholds the logit of lying above it, shape (n, D): one "
            "unit less than classes",
        ),
        numpy=ordinal_crossentropy,
        gradient=ordinal_crossentropy_gradient,
        # Thresholds two apart, as the biases of one shared score would set them.
        curve=Curve(
            label="score of the sample, for thresholds at −1 and 1",
            low=-4.0,
            high=4.0,
            origin=(1.0, -1.0),
            direction=(1.0, 1.0),
            targets={"class 0": 0, "class 1": 1, "class 2": 2},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.binary_cross_entropy_with_logits(\n"
                "    y_pred,\n"
                "    (y_true[:, None] > torch.arange(y_pred.shape[1])).double(),\n"
                "    reduction='none',\n"
                ").sum(-1)",
                note="PyTorch has no function of its own for it. The package coral-pytorch has "
                "`coral_loss`, for the levels of the second line.",
            ),
            Equivalent(
                "PyTorch",
                "F.binary_cross_entropy_with_logits(\n"
                "    y_pred, (y_true[:, None] > torch.arange(y_pred.shape[1])).double()\n"
                ")",
                relation="different",
                note="The default reduction divides by the number of thresholds as well.",
            ),
            Equivalent(
                "optax",
                "optax.sigmoid_binary_cross_entropy(\n"
                "    y_pred, y_true[:, None] > jnp.arange(y_pred.shape[1])\n"
                ").sum(-1)",
            ),
        ),
        traps=(
            "K classes need K − 1 units. With K units nothing fails: the model then knows a class "
            "K that no sample has.",
            "The units are logits. A sigmoid before the loss is applied twice, without a word.",
            "Free units may cross, so that “above 1” comes out likelier than “above 0”: the "
            "difference would be a negative probability. One unit for the score and a bias for "
            "each threshold (CORAL) keeps them in order where the training has reached its "
            "minimum, and says that all thresholds weigh the inputs alike.",
            "Class numbers in another order, such as that of the alphabet, train without an error: "
            "high, low, medium. The Keras class does not see labels above D either: it takes them "
            "for D.",
            "`predict` gives logits of thresholds. The probability of class k is the difference of "
            "two neighbors after a sigmoid; the class in the middle of the distribution is the "
            "number of logits above 0, not their `argmax`.",
        ),
        sources=(
            Source(
                "P. McCullagh (1980). Regression models for ordinal data. Journal of the Royal "
                "Statistical Society, Series B 42(2), 109–142.",
                "https://doi.org/10.1111/j.2517-6161.1980.tb01109.x",
            ),
            Source(
                "W. Cao, V. Mirjalili and S. Raschka (2020). Rank consistent ordinal regression "
                "for neural networks with application to age estimation. Pattern Recognition "
                "Letters 140, 325–331 (CORAL).",
                "https://doi.org/10.1016/j.patrec.2020.11.008",
            ),
        ),
    ),
)
