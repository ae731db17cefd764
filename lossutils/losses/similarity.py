"""Losses of directions and embeddings: how alike vectors are, whatever their length."""

import numpy as np
from scipy.special import expit, logsumexp, softmax

from ._arrays import EPSILON, labels_of_a_batch, positive, same_shape
from ._entry import Curve, Entry, Equivalent, Source, Values


def cosine_similarity(y_true, y_pred):
    """Minus the cosine of the angle between two vectors.

    Parameters
    ----------
    y_true, y_pred : array_like, shape (n, d)
        Vectors. One shorter than 1e-7 counts as if it had that length.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sample: -1 for the same direction, 1 for the opposite one.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> cosine_similarity([[1.0, 0.0], [1.0, 0.0]], [[5.0, 0.0], [3.0, 4.0]])
    array([-1. , -0.6])
    """
    y_true, y_pred = same_shape(y_true, y_pred)
    return -np.sum(_unit(y_true) * _unit(y_pred), axis=-1)


def cosine_similarity_gradient(y_true, y_pred):
    """Differentiate `cosine_similarity` with respect to `y_pred`."""
    y_true, y_pred = same_shape(y_true, y_pred)
    target, direction = _unit(y_true), _unit(y_pred)
    length = np.linalg.norm(y_pred, axis=-1, keepdims=True)
    along = np.sum(target * direction, axis=-1, keepdims=True) * direction
    # Only the part of the target across the prediction turns it.
    return np.where(length > EPSILON, along - target, -target) / np.maximum(length, EPSILON)


def _unit(vectors):
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, EPSILON)


def circle(y_true, y_pred, *, gamma=80.0, margin=0.4, remove_diagonal=True):
    """Circle loss of each embedding against all others of the batch.

    Parameters
    ----------
    y_true : array_like of int, shape (n,) or (n, 1)
        Labels; embeddings of the same label belong together.
    y_pred : array_like, shape (n, d)
        Embeddings of length 1. They are not normalized here.
    gamma : float
        The scale of the similarities. Above 0.
    margin : float
        How far from 1 and 0 the similarities of equal and of different labels may stay.
    remove_diagonal : bool
        Whether to leave out the similarity of each embedding with itself.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each embedding, 0 where the batch lacks a partner of its label or one of
        another. Keras averages over those above 0.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `gamma` is not above 0.

    Examples
    --------
    >>> labels, embeddings = [0, 0, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]
    >>> circle(labels, embeddings, gamma=1.0).round(3)
    array([0.616, 0.962, 0.   ])
    """
    pull, push, *_ = _pulls_and_pushes(y_true, y_pred, gamma, margin, remove_diagonal)
    return np.logaddexp(0, logsumexp(pull, axis=1) + logsumexp(push, axis=1))


def circle_gradient(y_true, y_pred, *, gamma=80.0, margin=0.4, remove_diagonal=True):
    """Differentiate the sum of `circle` with respect to `y_pred`."""
    pull, push, distance, y_pred = _pulls_and_pushes(y_true, y_pred, gamma, margin, remove_diagonal)
    exponent = logsumexp(pull, axis=1) + logsumexp(push, axis=1)
    has_both = np.isfinite(exponent)
    weight = np.where(has_both, expit(exponent), 0.0)[:, None]
    pull, push = (np.where(has_both[:, None], logits, 0.0) for logits in (pull, push))
    pull_slope = 2 * gamma * distance
    push_slope = np.where(distance < 1 + margin, 2 * gamma * (distance - 1), 0.0)
    by_distance = weight * (softmax(pull, axis=1) * pull_slope + softmax(push, axis=1) * push_slope)
    # A similarity depends on both of its embeddings.
    return -(by_distance + by_distance.T) @ y_pred


def _pulls_and_pushes(y_true, y_pred, gamma, margin, remove_diagonal):
    """Return the exponents of equal and of different labels, -inf elsewhere, and the distances."""
    positive("gamma", gamma)
    label, y_pred = labels_of_a_batch(y_true, y_pred)
    distance = np.maximum(1 - y_pred @ y_pred.T, 0)
    same = label[:, None] == label
    partner = same & ~np.eye(len(label), dtype=bool) if remove_diagonal else same
    pull = np.where(partner, -gamma * (margin + distance) * (margin - distance), -np.inf)
    closeness = np.maximum(1 + margin - distance, 0)
    push = np.where(same, -np.inf, gamma * closeness * (1 - margin - distance))
    return pull, push, distance, y_pred


ENTRIES = (
    Entry(
        title="Cosine similarity",
        task="regression of directions",
        keras_class="keras.losses.CosineSimilarity",
        fixed={"axis": -1},
        formula=r"\ell(y, \hat y) = -\frac{\sum_d y_d \hat y_d}{\lVert y \rVert\, "
        r"\lVert \hat y \rVert}",
        activation=("linear",),
        targets=Values("direction", description="vectors other than 0, shape (n, d)"),
        predictions=Values("direction", description="vectors other than 0, shape (n, d)"),
        numpy=cosine_similarity,
        gradient=cosine_similarity_gradient,
        curve=Curve(
            label="second component of the prediction, the first being 1",
            low=-4.0,
            high=4.0,
            origin=(1.0, 0.0),
            direction=(0.0, 1.0),
            targets={"target (1, 0)": (1.0, 0.0), "target (1, 1)": (1.0, 1.0)},
        ),
        equivalents=(
            Equivalent("PyTorch", "-F.cosine_similarity(y_pred, y_true).mean()"),
            Equivalent(
                "PyTorch",
                "F.cosine_embedding_loss(y_pred, y_true, torch.ones(len(y_pred))) - 1",
                note="It is 1 less the cosine, so never negative.",
            ),
            Equivalent(
                "optax",
                "optax.cosine_distance(y_pred, y_true).mean() - 1",
                note="It is 1 less the cosine, so never negative.",
            ),
            Equivalent(
                "optax",
                "optax.cosine_similarity(y_pred, y_true).mean()",
                relation="different",
                note="The cosine itself, with the other sign: as a loss it turns vectors away.",
            ),
            Equivalent(
                "scikit-learn",
                "sklearn.metrics.pairwise.paired_cosine_distances(y_true, y_pred).mean() - 1",
            ),
        ),
        traps=(
            "The best value is -1, not 0. The Keras metric of the same name has the other sign.",
            "The length of the prediction has no effect on the loss, so nothing keeps it from "
            "growing.",
            "A target of zeros has the loss 0 and no gradient, whatever the prediction.",
            "Keras 3.15 does not save `axis`: after `load_model` it is the last one, without a "
            "word (keras#23286).",
        ),
        sources=(
            Source(
                "G. Salton, A. Wong and C. S. Yang (1975). A vector space model for automatic "
                "indexing. Communications of the ACM 18(11), 613–620.",
                "https://doi.org/10.1145/361219.361220",
            ),
        ),
    ),
    Entry(
        title="Circle loss",
        task="metric learning",
        keras_class="keras.losses.Circle",
        formula=r"\ell_i = \ln\Bigl( 1 + \sum_{j:\, y_j = y_i} "
        r"e^{-\gamma\, (m + d_{ij})(m - d_{ij})} \sum_{j:\, y_j \neq y_i} "
        r"e^{\gamma\, [1 + m - d_{ij}]_+ (1 - m - d_{ij})} \Bigr), \quad "
        r"d_{ij} = 1 - \hat y_i \cdot \hat y_j",
        activation=("linear",),
        targets=Values("integer", description="any integer labels, shape (n,) or (n, 1)"),
        predictions=Values(
            "embedding",
            low=-1.0,
            high=1.0,
            description="vectors of length 1, from keras.layers.UnitNormalization, shape (n, d)",
        ),
        numpy=circle,
        gradient=circle_gradient,
        # Three embeddings: the cosine of the first two is t, those with the third are 0.
        curve=Curve(
            label="cosine of the first two of three embeddings",
            low=-1.0,
            high=1.0,
            origin=((1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
            direction=((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
            targets={"same label": (0, 0, 1), "different labels": (0, 1, 0)},
        ),
        whole_batch=True,
        equivalents=(
            Equivalent(
                "NumPy",
                "np.array([\n"
                "    np.log1p(\n"
                "        np.sum(np.exp(-80 * np.maximum(1.4 - s, 0) * (s - 0.6))"
                "[(y_true == y) & (np.arange(len(s)) != i)])\n"
                "        * np.sum(np.exp(80 * np.maximum(s + 0.4, 0) * (s - 0.4))[y_true != y])\n"
                "    )\n"
                "    for i, (s, y) in enumerate(zip(y_pred @ y_pred.T, y_true))\n"
                "])",
                note="Neither PyTorch, optax nor scikit-learn has it. This is the formula of the "
                "paper, in similarities instead of distances. In float32 it overflows; the "
                "definition above does not.",
            ),
        ),
        traps=(
            "It does not normalize the embeddings: without `UnitNormalization` as the last layer "
            "the numbers have no meaning.",
            "An embedding without a partner in the batch has no loss, and Keras averages over the "
            "others only. Draw batches with at least two samples of each label.",
            "The loss depends on which samples share a batch; `evaluate` with another batch size "
            "gives another value.",
        ),
        sources=(
            Source(
                "Y. Sun, C. Cheng, Y. Zhang, C. Zhang, L. Zheng, Z. Wang and Y. Wei (2020). Circle "
                "loss: a unified perspective of pair similarity optimization. CVPR 2020.",
                "https://arxiv.org/abs/2002.10857",
            ),
        ),
    ),
)
