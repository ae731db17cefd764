"""Losses of embeddings by pairs: a batch with its labels says which belong together.

Each embedding is compared with all others of its batch, so the loss of one alone has no meaning.
"""

import numpy as np
from scipy.special import logsumexp, softmax

from ._arrays import labels_of_a_batch, one_of, positive
from ._entry import Curve, Entry, Equivalent, Source, Values

MINING = ("hard", "semi-hard")
NEVER = -1e30  # the logit of what a softmax must not choose; -inf would give NaN in a batch of one

BATCH_LABELS = Values("integer", description="any integer labels, shape (n,) or (n, 1)")
UNIT_VECTORS = Values(
    "embedding",
    low=-1.0,
    high=1.0,
    description="vectors of length 1, from keras.layers.UnitNormalization, shape (n, d)",
)
# Three embeddings on a line: the second moves past the others.
SECOND_MOVES = {
    "label": "position of the second embedding, the others at 0 and 1",
    "low": -0.5,
    "high": 1.5,
    "origin": ((0.0,), (0.0,), (1.0,)),
    "direction": ((0.0,), (1.0,), (0.0,)),
    "targets": {"label of the one at 0": (0, 0, 1), "label of the one at 1": (1, 0, 0)},
}


def contrastive(y_true, y_pred, *, margin=1.0):
    """Contrastive loss of each embedding against all others of the batch.

    Parameters
    ----------
    y_true : array_like of int, shape (n,) or (n, 1)
        Labels; embeddings of the same label belong together.
    y_pred : array_like, shape (n, d)
        Embeddings.
    margin : float
        The distance from which on embeddings of different labels are far enough. Above 0.

    Returns
    -------
    ndarray, shape (n,)
        For each embedding the mean over its pairs: half of the squared distance for equal labels,
        half of the square of what is missing to the margin for different ones.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `margin` is not above 0.

    Examples
    --------
    >>> contrastive([0, 0, 1], [[0.0], [0.2], [0.5]]).round(4)
    array([0.0725, 0.1325, 0.185 ])
    """
    positive("margin", margin)
    label, y_pred = labels_of_a_batch(y_true, y_pred)
    distance, same = _distances(y_pred), label[:, None] == label
    cost = np.where(same, distance**2, np.maximum(margin - distance, 0) ** 2) / 2
    return np.sum(cost, axis=1) / max(len(label) - 1, 1)


def contrastive_gradient(y_true, y_pred, *, margin=1.0):
    """Differentiate the sum of `contrastive`; 0 between two embeddings at the same place."""
    positive("margin", margin)
    label, y_pred = labels_of_a_batch(y_true, y_pred)
    distance, same = _distances(y_pred), label[:, None] == label
    slope = np.where(same, distance, -np.maximum(margin - distance, 0))
    return _along_distances(slope / max(len(label) - 1, 1), distance, y_pred)


def triplet(y_true, y_pred, *, margin=1.0, mining="hard"):
    """Triplet loss of each embedding, with the triplets found in the batch.

    Parameters
    ----------
    y_true : array_like of int, shape (n,) or (n, 1)
        Labels; embeddings of the same label belong together.
    y_pred : array_like, shape (n, d)
        Embeddings.
    margin : float
        How much closer the same label should be than another. Above 0.
    mining : {"hard", "semi-hard"}
        Which embeddings are compared with each. With "hard" the farthest of its label and the
        nearest of another. With "semi-hard" each of its label, with the nearest of another that is
        farther than that one; where none is, with the farthest of another.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each embedding, 0 where the batch lacks a partner of its label or one of
        another; for "semi-hard" the mean over its partners.

    Raises
    ------
    ValueError
        If the shapes do not fit, `margin` is not above 0, or `mining` is unknown.

    Examples
    --------
    >>> triplet([0, 0, 1], [[0.0], [0.2], [0.5]], margin=0.4).round(4)
    array([0.1, 0.3, 0. ])
    """
    excess, *_ = _triplets(y_true, y_pred, margin, mining)
    return np.sum(np.maximum(excess, 0), axis=1)


def triplet_gradient(y_true, y_pred, *, margin=1.0, mining="hard"):
    """Differentiate the sum of `triplet`; 0 between two embeddings at the same place."""
    excess, share, partner, rival, distance, y_pred = _triplets(y_true, y_pred, margin, mining)
    active = np.where(excess > 0, share, 0.0)
    slope = np.zeros_like(distance)
    rows = np.broadcast_to(np.arange(len(distance))[:, None], active.shape)
    np.add.at(slope, (rows, partner), active)
    np.add.at(slope, (rows, rival), -active)
    return _along_distances(slope, distance, y_pred)


def _triplets(y_true, y_pred, margin, mining):
    """Return what each triplet lacks times its share, the share, partner and rival, by anchor."""
    positive("margin", margin)
    one_of("mining", mining, MINING)
    label, y_pred = labels_of_a_batch(y_true, y_pred)
    distance, same = _distances(y_pred), label[:, None] == label
    is_partner = same & ~np.eye(len(label), dtype=bool)
    to_rivals = np.where(same, np.inf, distance)
    if mining == "hard":
        partner = np.where(is_partner, distance, -np.inf).argmax(axis=1)[:, None]
        rival = to_rivals.argmin(axis=1)[:, None]
        share = is_partner.any(axis=1, keepdims=True).astype(float)
    else:
        partner = np.broadcast_to(np.arange(len(label)), distance.shape)
        # Rivals beyond a partner, on a third axis.
        beyond = np.where(to_rivals[:, None] > distance[:, :, None], to_rivals[:, None], np.inf)
        farthest = np.where(same, -np.inf, distance).argmax(axis=1)[:, None]
        rival = np.where(np.isfinite(beyond).any(axis=2), beyond.argmin(axis=2), farthest)
        share = is_partner / np.maximum(is_partner.sum(axis=1, keepdims=True), 1)
    share = np.where(~same.all(axis=1, keepdims=True), share, 0.0)
    to_partner, to_rival = (np.take_along_axis(distance, at, axis=1) for at in (partner, rival))
    return share * (margin + to_partner - to_rival), share, partner, rival, distance, y_pred


def info_nce(y_true, y_pred, *, temperature=0.1):
    """InfoNCE loss: a softmax over the batch in which the partners of an embedding should win.

    With one partner for each it is the loss of SimCLR (NT-Xent); with several, the mean over them
    (supervised contrastive learning).

    Parameters
    ----------
    y_true : array_like of int, shape (n,) or (n, 1)
        Labels; embeddings of the same label belong together. For two views of each of m samples:
        the numbers 0 to m - 1, twice.
    y_pred : array_like, shape (n, d)
        Embeddings of length 1. They are not normalized here.
    temperature : float
        What the similarities are divided by. Above 0; small ones look at the nearest only.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each embedding, in nats; 0 where the batch lacks a partner of its label.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `temperature` is not above 0.

    Examples
    --------
    >>> labels, embeddings = [0, 0, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]
    >>> info_nce(labels, embeddings, temperature=1.0).round(4)
    array([0.4375, 0.7981, 0.    ])
    """
    similarity, partners, _ = _similarities(y_true, y_pred, temperature)
    minus_log_p = logsumexp(similarity, axis=1, keepdims=True) - similarity
    return np.sum(partners * minus_log_p, axis=1)


def info_nce_gradient(y_true, y_pred, *, temperature=0.1):
    """Differentiate the sum of `info_nce` with respect to `y_pred`."""
    similarity, partners, y_pred = _similarities(y_true, y_pred, temperature)
    has_partner = partners.any(axis=1, keepdims=True)
    slope = np.where(has_partner, softmax(similarity, axis=1) - partners, 0.0) / temperature
    # A similarity depends on both of its embeddings.
    return (slope + slope.T) @ y_pred


def _similarities(y_true, y_pred, temperature):
    """Return the logits, but for itself, and for each embedding its partners' shares of 1."""
    positive("temperature", temperature)
    label, y_pred = labels_of_a_batch(y_true, y_pred)
    itself = np.eye(len(label), dtype=bool)
    similarity = np.where(itself, NEVER, y_pred @ y_pred.T / temperature)
    partner = (label[:, None] == label) & ~itself
    return similarity, partner / np.maximum(partner.sum(axis=1, keepdims=True), 1), y_pred


def _distances(y_pred):
    """Return the distance of each embedding to each other."""
    square = np.sum(y_pred**2, axis=1)
    return np.sqrt(np.maximum(square[:, None] + square - 2 * y_pred @ y_pred.T, 0))


def _along_distances(slope, distance, y_pred):
    """Turn a derivative by distances into one by embeddings."""
    both = slope + slope.T  # a distance depends on both of its embeddings
    pull = np.divide(both, distance, out=np.zeros_like(both), where=distance > 0)
    return pull.sum(axis=1, keepdims=True) * y_pred - pull @ y_pred


KHOSLA = Source(
    "P. Khosla, P. Teterwak, C. Wang, A. Sarna, Y. Tian, P. Isola, A. Maschinot, C. Liu and D. "
    "Krishnan (2020). Supervised contrastive learning. NeurIPS 2020.",
    "https://arxiv.org/abs/2004.11362",
)

ENTRIES = (
    Entry(
        title="Contrastive loss",
        task="metric learning",
        keras_class="lossutils.losses.keras_losses.Contrastive",
        formula=r"\ell_i = \frac{1}{n - 1} \sum_{j \neq i} \frac{1}{2} \begin{cases} d_{ij}^2 "
        r"& y_j = y_i \\ [m - d_{ij}]_+^2 & y_j \neq y_i \end{cases}, \quad "
        r"d_{ij} = \lVert \hat y_i - \hat y_j \rVert",
        activation=("linear",),
        targets=BATCH_LABELS,
        predictions=UNIT_VECTORS,
        numpy=contrastive,
        gradient=contrastive_gradient,
        curve=Curve(**SECOND_MOVES),
        whole_batch=True,
        equivalents=(
            Equivalent(
                "PyTorch",
                "torch.where(\n"
                "    y_true[:, None] == y_true,\n"
                "    torch.cdist(y_pred, y_pred) ** 2,\n"
                "    F.relu(1.0 - torch.cdist(y_pred, y_pred)) ** 2,\n"
                ").sum(1) / 2 / (len(y_pred) - 1)",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "PyTorch",
                "F.hinge_embedding_loss(\n"
                "    torch.cdist(y_pred, y_pred),\n"
                "    torch.where(y_true[:, None] == y_true, 1.0, -1.0),\n"
                ")",
                relation="different",
                note="Distances in place of half of their squares.",
            ),
        ),
        traps=(
            "It takes labels and finds the pairs in the batch. Definitions for given pairs take 0 "
            "and 1 for a pair, some with 1 for *equal*, some with 1 for *different*; exchanged, "
            "the model collapses.",
            "Where all embeddings lie at one place there is no gradient: nothing says in which "
            "direction to part. The loss then stays at half of the squared margin times the share "
            "of different labels.",
            "In a batch of n, each class of c samples has c − 1 partners and n − c others. With "
            "many classes and small batches hardly a pair is equal: draw batches by class.",
            "The margin has the unit of the embedding. With vectors of length 1 no distance "
            "exceeds 2.",
            "The loss depends on which samples share a batch; `evaluate` with another batch size "
            "gives another value.",
        ),
        sources=(
            Source(
                "R. Hadsell, S. Chopra and Y. LeCun (2006). Dimensionality reduction by learning "
                "an invariant mapping. CVPR 2006, 1735–1742.",
                "https://doi.org/10.1109/CVPR.2006.100",
            ),
        ),
    ),
    Entry(
        title="Triplet loss",
        task="metric learning",
        keras_class="lossutils.losses.keras_losses.Triplet",
        formula=r"\ell_i = \Bigl[ m + \max_{j:\, y_j = y_i} d_{ij} - \min_{j:\, y_j \neq y_i} "
        r"d_{ij} \Bigr]_+, \quad d_{ij} = \lVert \hat y_i - \hat y_j \rVert",
        activation=("linear",),
        targets=BATCH_LABELS,
        predictions=UNIT_VECTORS,
        numpy=triplet,
        gradient=triplet_gradient,
        curve=Curve(**SECOND_MOVES, parameters={"margin": 0.2}),
        whole_batch=True,
        equivalents=(
            Equivalent(
                "PyTorch",
                "(lambda d, same: F.triplet_margin_loss(\n"
                "    y_pred,\n"
                "    y_pred[d.masked_fill(~same, -1.0).argmax(1)],\n"
                "    y_pred[d.masked_fill(same, torch.inf).argmin(1)],\n"
                "    eps=0.0,\n"
                "    reduction='none',\n"
                ") * (same.sum(1) > 1))(\n"
                "    torch.cdist(y_pred, y_pred), y_true[:, None] == y_true\n"
                ")",
                note="It takes given triplets, so they are looked for first. By default it adds "
                "1e-6 to each difference, and averages over embeddings without a partner as well.",
            ),
            Equivalent(
                "PyTorch",
                "F.triplet_margin_loss(\n"
                "    y_pred, y_pred.roll(1, 0), y_pred.roll(2, 0), reduction='none'\n"
                ").mean()",
                relation="different",
                note="Triplets by position. What is anchor, partner and rival must come from the "
                "labels.",
            ),
        ),
        traps=(
            "With “hard” mining a training can collapse: all embeddings at one place give the loss "
            "m, the margin, exactly, and no gradient. “semi-hard” avoids it, as does a smaller "
            "learning rate at the start.",
            "A loss of 0 in a batch says that no triplet of this batch is violated. An embedding "
            "without a partner has the loss 0 as well: draw batches with several samples of each "
            "label.",
            "Some definitions square the distances. The margins of the two do not compare.",
            "“semi-hard” looks at all triplets: its memory grows with the cube of the batch.",
            "The loss depends on which samples share a batch; `evaluate` with another batch size "
            "gives another value.",
        ),
        sources=(
            Source(
                "F. Schroff, D. Kalenichenko and J. Philbin (2015). FaceNet: A unified embedding "
                "for face recognition and clustering. CVPR 2015, 815–823 (semi-hard).",
                "https://doi.org/10.1109/CVPR.2015.7298682",
            ),
            Source(
                "A. Hermans, L. Beyer and B. Leibe (2017). In defense of the triplet loss for "
                "person re-identification. arXiv:1703.07737 (hard).",
                "https://arxiv.org/abs/1703.07737",
            ),
        ),
    ),
    Entry(
        title="InfoNCE loss",
        task="metric learning",
        keras_class="lossutils.losses.keras_losses.InfoNCE",
        formula=r"\ell_i = -\frac{1}{\lvert P_i \rvert} \sum_{j \in P_i} \ln "
        r"\frac{e^{\hat y_i \cdot \hat y_j / \tau}}{\sum_{k \neq i} e^{\hat y_i \cdot \hat y_k "
        r"/ \tau}}, \quad P_i = \{ j \neq i : y_j = y_i \}",
        activation=("linear",),
        targets=BATCH_LABELS,
        predictions=UNIT_VECTORS,
        numpy=info_nce,
        gradient=info_nce_gradient,
        curve=Curve(
            label="cosine of the first two of three embeddings",
            low=-1.0,
            high=1.0,
            origin=((1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
            direction=((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
            targets={"same label": (0, 0, 1), "different labels": (0, 1, 0)},
            parameters={"temperature": 0.5},
        ),
        whole_batch=True,
        equivalents=(
            Equivalent(
                "PyTorch",
                "(lambda s, partner: -F.log_softmax(\n"
                "    s.masked_fill(torch.eye(len(s), dtype=torch.bool), -torch.inf), 1\n"
                ").masked_fill(~partner, 0.0).sum(1) / partner.sum(1).clamp(min=1))(\n"
                "    y_pred @ y_pred.T / 0.1,\n"
                "    (y_true[:, None] == y_true) & ~torch.eye(len(y_true), dtype=torch.bool),\n"
                ")",
                note="PyTorch has no function of its own for it.",
            ),
            Equivalent(
                "optax",
                "optax.losses.ntxent(y_pred, y_true, temperature=0.1)",
                relation="different",
                note="It leaves the other partners of an embedding out of the denominator, and "
                "averages over pairs. The two are equal where each label occurs twice.",
            ),
        ),
        traps=(
            "It does not normalize the embeddings: without `UnitNormalization` as the last layer "
            "the model makes the loss small by growing them, which is a smaller temperature.",
            "Its best value is not 0 where a label has several partners, and it grows with the "
            "logarithm of the batch: compare it at one batch size and temperature only.",
            "An embedding without a partner in the batch has the loss 0 and counts in the mean. "
            "Draw batches with at least two samples of each label.",
            "Two samples of one class under different labels, as when each sample is a label of "
            "its own, are pushed apart.",
        ),
        sources=(
            Source(
                "A. van den Oord, Y. Li and O. Vinyals (2018). Representation learning with "
                "contrastive predictive coding. arXiv:1807.03748.",
                "https://arxiv.org/abs/1807.03748",
            ),
            KHOSLA,
        ),
    ),
)
