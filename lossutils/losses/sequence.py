"""The loss of sequences whose alignment with their labels is unknown."""

import numpy as np
from scipy.special import log_softmax

from ._arrays import numbers, predictions
from ._entry import Curve, Entry, Equivalent, Source, Values

BLANK = 0


def ctc(y_true, y_pred):
    """Negative log-likelihood of a label sequence, summed over all its alignments.

    An alignment names a class or the blank (class 0) for each time step. It spells the labels
    once repetitions are merged and blanks are removed.

    Parameters
    ----------
    y_true : array_like of int, shape (n, L)
        Class numbers from 1 to K - 1, filled up with 0 at the end.
    y_pred : array_like, shape (n, T, K)
        Logits for each time step.

    Returns
    -------
    ndarray, shape (n,)
        The loss of each sequence, in nats; infinite where it is too long for T steps.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is not one of the classes, or a 0 comes before a label.

    Examples
    --------
    Two steps, two classes, all logits equal: three of the four alignments spell "1".

    >>> np.exp(-ctc([[1]], [[[0.0, 0.0], [0.0, 0.0]]])).round(4)
    array([0.75])
    """
    sequences, y_pred = _sequences(y_true, y_pred)
    log_p = log_softmax(y_pred, axis=-1)
    return np.array([-_log_likelihood(s, lp) for s, lp in zip(sequences, log_p, strict=True)])


def ctc_gradient(y_true, y_pred):
    """Differentiate `ctc` with respect to the logits: the softmax less the expected alignment.

    It is NaN where the loss is infinite.
    """
    sequences, y_pred = _sequences(y_true, y_pred)
    log_p = log_softmax(y_pred, axis=-1)
    slope = np.exp(log_p)
    for sample, (sequence, lp) in enumerate(zip(sequences, log_p, strict=True)):
        states = _states(sequence)
        # Paths through a state at a step: those that reach it, times those that go on from it.
        # The second are those that reach it backwards; its own probability counts once.
        before = _forward(states, lp)
        after = _forward(states[::-1], lp[::-1])[::-1, ::-1]
        through = np.exp(before + after - lp[:, states] - _log_likelihood(sequence, lp))
        for state, visits in zip(states, through.T, strict=True):
            slope[sample, :, state] -= visits
    return slope


def _sequences(y_true, y_pred):
    """Check both and return each label sequence without its padding."""
    labels, y_pred = numbers("y_true", y_true), predictions(y_pred)
    if y_pred.ndim != 3 or labels.ndim != 2 or len(labels) != len(y_pred):
        raise ValueError(
            f"y_true has shape {labels.shape}, y_pred has shape {y_pred.shape}, and this loss "
            "needs labels of shape (n, L) and logits of shape (n, T, K). For one sequence use "
            "y_true[None] and y_pred[None]."
        )
    classes = y_pred.shape[-1]
    wrong = ~((labels >= 0) & (labels < classes) & (labels == np.floor(labels)))
    if wrong.any():
        raise ValueError(
            f"y_true holds {labels[wrong][0]:g}, but y_pred of shape {y_pred.shape} has the "
            f"classes 1 to {classes - 1} beside the blank. Number the classes from 1."
        )
    is_padding = labels == BLANK
    if (is_padding[:, :-1] & ~is_padding[:, 1:]).any():
        raise ValueError(
            "y_true has a 0 before a label. 0 is the blank and the padding: number the classes "
            "from 1, and pad at the end."
        )
    return [row[row != BLANK].astype(np.int64) for row in labels], y_pred


def _states(sequence):
    """Put a blank before, between and after the labels."""
    states = np.full(2 * len(sequence) + 1, BLANK)
    states[1::2] = sequence
    return states


def _forward(states, log_p):
    """Return for each step and state the log-probability of all paths that reach it."""
    # A blank may be left out where it separates two different labels.
    may_skip = np.zeros(len(states), dtype=bool)
    may_skip[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    reach = np.full((len(log_p), len(states)), -np.inf)
    reach[0, :2] = log_p[0, states[:2]]
    for t in range(1, len(log_p)):
        stay = reach[t - 1]
        step = np.concatenate([[-np.inf], stay[:-1]])
        skip = np.where(
            may_skip, np.concatenate([[-np.inf, -np.inf], stay])[: len(states)], -np.inf
        )
        reach[t] = np.logaddexp.reduce([stay, step, skip]) + log_p[t, states]
    return reach


def _log_likelihood(sequence, log_p):
    """Sum over the paths that end in the last label or the blank after it."""
    return np.logaddexp.reduce(_forward(_states(sequence), log_p)[-1, -2:])


ENTRIES = (
    Entry(
        title="Connectionist temporal classification",
        task="sequence labeling",
        keras_class="keras.losses.CTC",
        formula=r"\ell(y, z) = -\ln \sum_{\pi \in B^{-1}(y)} \prod_{t=1}^{T} "
        r"\operatorname{softmax}(z_t)_{\pi_t}, \quad B \text{ merges repetitions, then removes "
        r"blanks}",
        activation=("linear",),
        targets=Values(
            "sequence",
            low=0.0,
            description="class numbers from 1 to K - 1, filled up with 0 at the end, shape (n, L)",
        ),
        predictions=Values(
            "scores in time",
            description="logits for each time step, shape (n, T, K); class 0 is the blank",
        ),
        numpy=ctc,
        gradient=ctc_gradient,
        curve=Curve(
            label="logit of the label at each of three steps, 0 for the blank",
            low=-4.0,
            high=4.0,
            origin=((0.0, 0.0), (0.0, 0.0), (0.0, 0.0)),
            direction=((0.0, 1.0), (0.0, 1.0), (0.0, 1.0)),
            targets={"label 1": (1, 0), "labels 1, 1": (1, 1)},
        ),
        equivalents=(
            Equivalent(
                "PyTorch",
                "F.ctc_loss(\n"
                "    F.log_softmax(y_pred, -1).transpose(0, 1),\n"
                "    y_true,\n"
                "    torch.full((len(y_pred),), y_pred.shape[1]),\n"
                "    (y_true > 0).sum(-1),\n"
                "    reduction='none',\n"
                ")",
                note="Takes log-probabilities with time on axis 0, and the lengths.",
            ),
            Equivalent(
                "PyTorch",
                "F.ctc_loss(\n"
                "    F.log_softmax(y_pred, -1).transpose(0, 1),\n"
                "    y_true,\n"
                "    torch.full((len(y_pred),), y_pred.shape[1]),\n"
                "    (y_true > 0).sum(-1),\n"
                ")",
                relation="different",
                note="The default reduction divides each loss by the number of its labels first.",
            ),
            Equivalent(
                "optax",
                "optax.ctc_loss(\n"
                "    y_pred, jnp.zeros(y_pred.shape[:2]), y_true, (y_true == 0).astype(float)\n"
                ")",
            ),
        ),
        traps=(
            "Class 0 is both the blank and the padding. A class numbered 0 is lost, and a 0 before "
            "a label makes Keras count the wrong labels.",
            "Keras takes all T steps of every sequence, also those that pad the input.",
            "A sequence of L labels with r immediate repetitions needs L + r steps. Where T is "
            "smaller the true loss is infinite; Keras on TensorFlow gives about 700 and a "
            "gradient that leads nowhere.",
            "TensorFlow computes it in float32 also for float64 logits.",
        ),
        sources=(
            Source(
                "A. Graves, S. Fernández, F. Gomez and J. Schmidhuber (2006). Connectionist "
                "temporal classification: labelling unsegmented sequence data with recurrent "
                "neural networks. ICML 2006, 369–376.",
                "https://doi.org/10.1145/1143844.1143891",
            ),
        ),
    ),
)
