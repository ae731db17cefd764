"""Losses that compare a target with a predicted distribution, beyond cross-entropy."""

import numpy as np

from ._arrays import EPSILON, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values


def kl_divergence(y_true, y_pred):
    """Kullback–Leibler divergence of the predicted from the true class probabilities.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, K)
        Rows of probabilities. Both are kept between 1e-7 and 1.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample, in nats.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(4)
    array([0.1438])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
    return np.sum(y * np.log(y / p), axis=-1)


def kl_divergence_gradient(y_true, y_pred):
    """Differentiate `kl_divergence` with respect to `y_pred`; 0 where it is clipped."""
    y_true, y_pred = same_shape(y_true, y_pred)
    y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
    return np.where((y_pred >= EPSILON) & (y_pred <= 1), -y / p, 0.0)


ENTRIES = (
    Entry(
        title="Kullback–Leibler divergence",
        task="multiclass classification",
        keras_class="keras.losses.KLDivergence",
        aliases=("kld", "KLD"),
        formula=r"\ell(y, p) = \sum_{k=1}^{K} y_k \ln \frac{y_k}{p_k}",
        activation=("softmax",),
        targets=Values(
            "distribution",
            low=0.0,
            high=1.0,
            description="a row of probabilities with sum 1, shape (n, K)",
        ),
        predictions=Values(
            "distribution",
            low=0.0,
            high=1.0,
            description="a row of K probabilities with sum 1, shape (n, K)",
        ),
        numpy=kl_divergence,
        gradient=kl_divergence_gradient,
        curve=Curve(
            label="predicted probability of class 1",
            low=0.005,
            high=0.995,
            origin=(0.0, 1.0),
            direction=(1.0, -1.0),
            targets={"target (0.7, 0.3)": (0.7, 0.3), "target (1, 0)": (1.0, 0.0)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.kl_div(torch.log(y_pred), y_true, reduction='batchmean')",
                note="Takes the logarithm of the prediction.",
            ),
            Equivalent(
                "PyTorch",
                "F.kl_div(torch.log(y_pred), y_true, reduction='mean')",
                relation="different",
                note="Its default reduction divides by the number of classes as well.",
            ),
            Equivalent(
                "optax",
                "optax.kl_divergence(jnp.log(y_pred), y_true).mean()",
                note="Takes the logarithm of the prediction.",
            ),
            Equivalent("SciPy", "scipy.special.rel_entr(y_true, y_pred).sum(axis=-1)"),
            Equivalent("SciPy", "scipy.stats.entropy(y_true, y_pred, axis=-1)"),
        ),
        traps=(
            "For fixed targets it is cross-entropy less a constant: the gradient is the same, and "
            "on hard labels so is the value. It pays only where you want 0 to mean a perfect fit.",
            "It needs probabilities on both sides and has no `from_logits`. Logits are clipped "
            "without a word.",
            "It is not symmetric. Swapped arguments give another number and no error.",
            "The string is `kl_divergence` or `kld`. The `kullback_leibler_divergence` of Keras 2 "
            "is unknown to Keras 3, which says so at `fit`, not at `compile`.",
            "Keras uses the natural logarithm: the unit is the nat, not the bit.",
        ),
        sources=(
            Source(
                "S. Kullback and R. A. Leibler (1951). On information and sufficiency. The Annals "
                "of Mathematical Statistics 22(1), 79–86.",
                "https://doi.org/10.1214/aoms/1177729694",
            ),
        ),
    ),
)
