"""Rules on targets that are numbers: whether the output reaches them, and their scale."""

import keras
import numpy as np

from lossutils.checks._findings import rule
from lossutils.checks._targets import continuous, numbers_for_softmax, numeric

RULES = {}

# The share of targets beyond the reach of the output from which on it matters.
_BEYOND = 0.005


@rule(RULES, "classification-loss-for-numbers", "error", "A classification loss for numbers")
def classification_loss_for_numbers(head):
    """
    Cross-entropy and hinge losses take labels. Numbers such as prices or temperatures give them no
    meaning, and the loss no minimum at the right answer.
    """
    loss, y = head.loss, head.y
    if not loss or not numeric(head) or y.whole or not continuous(y):
        return
    # Labels with a little noise, as for a discriminator, are labels.
    outside = loss.targets == "binary" and (y.low < -0.5 or y.high > 1.5)
    if outside or loss.targets == "sign" or (loss.targets == "integer" and y.row_sums is None):
        yield (
            f"{loss.name} takes labels, and the targets are numbers from {y.low:g} to {y.high:g}",
            "for numbers: Dense(1) with 'mean_squared_error'",
        )


@rule(RULES, "targets-outside-output", "error", "Targets that the output cannot reach")
def targets_outside_output(head):
    """
    A sigmoid or softmax ends at 0 and 1, tanh at -1 and 1, relu at 0. Targets beyond are never
    reached, however long the training.
    """
    loss, y, activation = head.loss, head.y, head.activation
    if not loss or not numeric(head) or activation is None or _only_softmax(head):
        return
    if numbers_for_softmax(head):
        return  # shape-mismatch
    if loss.targets not in ("real", "count") or loss.predictions == "mean and log variance":
        return
    if activation.distribution and head.aligned and y.row_sums is not None:
        if y.row_sums[0] < 0.98 or y.row_sums[1] > 1.02:
            yield (
                f"rows of a softmax add up to 1, and rows of the targets to {y.row_sums[0]:.3g} "
                f"up to {y.row_sums[1]:.3g}",
                "end in a linear layer, or a sigmoid for targets from 0 to 1",
            )
            return
    tolerance = 1e-3 * max(abs(y.low), abs(y.high))
    below, above = y.low < activation.low - tolerance, y.high > activation.high + tolerance
    if (below or above) and _share_beyond(head, activation, tolerance) >= _BEYOND:
        low, high = (f"{bound:.4g}" for bound in (activation.low, activation.high))
        reach = f"from {low} to {high}" if np.isfinite(activation.high) else f"from {low} up"
        yield (
            f"the targets go from {y.low:g} to {y.high:g}, and {head.name} ends in "
            f"{activation.name!r}, which goes {reach}",
            _reaching(head),
        )


def _reaching(head):
    """Say what output reaches the targets, or how to change these."""
    y, output = head.y, head.output.shape or ()
    if len(output) < 4:
        return "end in a linear layer, Dense(1), or scale the targets into this range"
    signed = -1.01 <= y.low < 0 and y.high <= 1.01
    better = "activation='tanh'" if signed else "no activation"
    return f"{better} in the last layer, or scale the targets into this range"


def _only_softmax(head):
    return head.units == 1 and head.activation.distribution


def _share_beyond(head, activation, tolerance):
    rows, beyond = head.rows, 0
    if rows.dtype.kind not in "iufb":
        return 1.0
    step = max(1, (1 << 18) // max(1, rows[:1].size))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        low, high = activation.low - tolerance, activation.high + tolerance
        beyond += int(((block < low) | (block > high)).sum())
    return beyond / rows.size


@rule(RULES, "msle-negative-targets", "error", "Negative targets with squared logarithmic error")
def msle_negative_targets(head):
    """
    Mean squared logarithmic error compares log(1 + y). Keras sets negative targets and predictions
    to 0 before: for a negative target every negative prediction is perfect, without a gradient.
    """
    loss, y = head.loss, head.y
    if loss and numeric(head) and loss.name == "mean_squared_logarithmic_error" and y.low < 0:
        yield (
            f"the targets go down to {y.low:g}, and {loss.name} treats all below 0 as 0",
            "use 'mean_squared_error', and this loss only for targets of 0 and above "
            "(standardized targets are negative by half)",
        )


@rule(RULES, "mape-zero-targets", "error", "Targets of zero with a percentage error")
def mape_zero_targets(head):
    """
    The percentage error divides by the target. Keras divides by 1e-7 where the target is zero, so
    a few such rows make up all of the loss.
    """
    loss, rows = head.loss, head.rows
    if not loss or not numeric(head) or loss.name != "mean_absolute_percentage_error":
        return
    if rows.dtype.kind in "iufb" and head.y.low <= 1e-6 and head.y.high >= -1e-6:
        zeros = int((np.abs(rows) <= 1e-6).sum())
        if zeros:
            yield (
                f"{zeros:,} of {rows.size:,} targets are zero, and {loss.name} divides by them",
                "use 'mean_absolute_error', or leave rows with zero targets out",
            )


@rule(RULES, "poisson-targets", "error", "Targets below what a loss of positive means takes")
def poisson_targets(head):
    """
    The Poisson loss is for counts, and for means of counts; the Tweedie deviance for amounts, zero
    included. For a negative target they are smallest at a prediction of zero, whatever the target.
    The gamma deviance takes amounts above zero: for a target of zero it is infinite, and early
    stopping sees nothing but infinity.
    """
    loss, y = head.loss, head.y
    if not loss or not numeric(head):
        return
    if loss.name in ("poisson", "tweedie_deviance") and y.low < 0:
        yield (
            f"{loss.name} takes {'counts' if loss.name == 'poisson' else 'amounts'} from 0, and "
            f"the targets go down to {y.low:g}",
            "pass them as they are, not standardized; for other numbers use 'mean_squared_error'",
        )
    if loss.name == "gamma_deviance" and y.low <= 0:
        yield (
            f"gamma_deviance takes amounts above 0, and the targets go down to {y.low:g}",
            "for amounts with zeros TweedieDeviance(); no standardized targets: divide by the mean",
        )


@rule(RULES, "generalized-column-labels", "error", "A column of labels that becomes a table")
def generalized_column_labels(head):
    """
    CategoricalGeneralizedCrossEntropy takes labels of shape (n,). A column of shape (n, 1) is
    compared with all rows of the batch instead of its own.
    """
    loss, rows = head.loss, head.rows
    if loss and loss.name == "categorical_generalized_cross_entropy" and rows is not None:
        if rows.ndim == 2 and rows.shape[1] == 1:
            yield f"the labels have the shape (n, 1), and {loss.name} takes (n,)", "pass y.ravel()"


@rule(RULES, "ctc-blank-label", "error", "A label 0 within a sequence")
def ctc_blank_label(head):
    """
    CTC in Keras keeps 0 for the blank and for filling up short rows. A 0 before another label is
    dropped or ends the sequence.
    """
    loss, rows = head.loss, head.rows
    if loss and loss.name == "ctc" and rows is not None and rows.ndim == 2:
        if rows.dtype.kind in "iuf" and bool(((rows[:, :-1] == 0) & (rows[:, 1:] > 0)).any()):
            yield "a label 0 stands before other labels", "number the classes from 1"


@rule(RULES, "constant-targets", "error", "Targets that are all the same")
def constant_targets(head):
    """
    Where all targets are equal there is nothing to learn: a constant answer is perfect. Usually a
    conversion went wrong.
    """
    y = head.y
    if not numeric(head) or y.partial or y.rows < 10 or y.missing:
        return
    # Own losses may ignore the targets, and a generator is trained to be taken for real.
    if head.loss is None or head.loss.entry is None or _partly_frozen(head.setup.model):
        return
    # Of several candidates the right one may well stand first in each row, of two the better one.
    compared = head.output.compared
    if compared == "Subtract" or (compared and (head.units or 0) > 1):
        return
    same = y.low == y.high
    if y.one_hot and y.row_counts is not None and len(y.shape) == 2:
        same = y.row_counts.max() == y.rows_read
    if same:
        what = "the same class" if y.one_hot else f"{y.low:g}"
        left = head.setup.weights and y.rows < (head.setup.rows or 0)
        yield (
            f"all {y.rows:,} targets{' of weight above 0' if left else ''} are {what}",
            "look at how the weights are made"
            if left
            else "look at how the targets are read and converted",
        )


def _partly_frozen(model):
    parts = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return any(not part.trainable for part in parts)


@rule(RULES, "targets-scale", "warning", "Targets of a very different scale")
def targets_scale(head):
    """
    The gradient of squared error grows with the targets: with plain SGD, targets in the hundreds
    give NaN within an epoch. Adam takes steps of about the learning rate, whatever the gradient, so
    targets in the millions need as many steps to be reached at all.
    """
    loss, y, setup = head.loss, head.y, head.setup
    if not loss or not numeric(head) or not loss.for_numbers or setup.optimizer is None:
        return
    if head.activation is None:
        return  # perhaps a layer that scales back
    if loss.name in ("mean_squared_logarithmic_error", "mean_absolute_percentage_error"):
        return
    size, rate = max(abs(y.mean), y.std), setup.learning_rate
    if rate is None or y.class_numbers or not np.isfinite(size):
        return
    clipped = any(
        getattr(setup.optimizer, name, None)
        for name in ("clipnorm", "clipvalue", "global_clipnorm")
    )
    bounded = loss.name in ("mean_absolute_error", "huber", "log_cosh", "pinball")
    rate /= 1 - (getattr(setup.optimizer, "momentum", 0) or 0)
    steep = size > 10 and size * rate > 1
    explodes = steep and not (setup.adaptive or bounded or clipped)
    if explodes or (setup.adaptive and size * min(1.0, 1e-3 / max(rate, 1e-12)) > 1e6):
        yield (
            f"the targets have the mean {y.mean:.4g} and the standard deviation {y.std:.4g}",
            "train on (y - y.mean()) / y.std(), and undo that after predict()",
        )
