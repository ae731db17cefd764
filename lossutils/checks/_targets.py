"""Rules on targets: whether they are what the loss and the output layer take."""

import keras
import numpy as np

from lossutils.checks._findings import rule

RULES = {}

# Different inputs up to which a set is a demonstration, such as XOR, which squared error can learn.
_DEMONSTRATION = 16

# The share of targets beyond the reach of the output from which on it matters.
_BEYOND = 0.005


def _numeric(head):
    """Whether there are targets, and all of them numbers."""
    return head.y is not None and head.y.text is None and not np.isnan(head.y.low)


def _span(y):
    if y.counts is not None and len(y.counts) <= 4:
        return ", ".join(f"{value:g}" for value in y.values)
    return f"{y.low:g} to {y.high:g}"


def _continuous(y):
    """Whether these are numbers rather than labels of any kind."""
    return y.counts is None or (not y.whole and len(y.counts) > 10)


def _shape(shape):
    sizes = ["n", *("…" if size is None else str(size) for size in shape[1:])]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"


@rule(RULES, "string-targets", "error", "Targets that are words")
def string_targets(head):
    """
    A loss computes with numbers. Names of classes need numbers first, and each class always the
    same.
    """
    if head.y is not None and head.y.text is not None:
        yield (
            f"the targets hold {str(head.y.text)!r}",
            "number the classes: labels, y = numpy.unique(y, return_inverse=True)",
        )


@rule(RULES, "integer-labels-dense-loss", "error", "Numbered labels with a loss for one-hot rows")
def integer_labels_dense_loss(head):
    """
    Categorical cross-entropy and its relatives take a row of K numbers for each sample. Given the
    number of the class they fail, or stretch it over the row without a word.
    """
    loss = head.loss
    if not loss or not _numeric(head) or loss.targets not in ("one-hot", "distribution"):
        return
    if (head.units or 0) > 1 and head.aligned is False and _numbered(head):
        sparse = loss.name == "categorical_crossentropy"
        yield (
            f"{loss.name} takes rows of {head.units} numbers, and the targets have the shape "
            f"{_shape(head.y.shape)}",
            f"keras.utils.to_categorical(y, {head.units})"
            + (", or the loss 'sparse_categorical_crossentropy'" if sparse else ""),
        )


def _numbered(head):
    """Whether there is one number for each row of the output."""
    y, output = head.y.shape, head.output.shape
    return head.y.row_sums is None or (head.y.whole and len(y) == len(output) - 1 > 1)


@rule(RULES, "one-hot-sparse-loss", "error", "One-hot rows with a loss for numbered labels")
def one_hot_sparse_loss(head):
    """
    Sparse categorical cross-entropy takes the number of the class, from 0. A one-hot row is the
    other encoding of the same label, for the loss without "sparse".
    """
    loss, y = head.loss, head.y
    if not loss or not _numeric(head) or loss.targets != "integer" or loss.name == "circle":
        return
    units = head.units or 0
    if y.row_sums is not None and len(y.shape) == len(head.output.shape or ()):
        if units > 1 and y.shape[-1] > 1:
            yield (
                f"{loss.name} takes one class number a sample, and the targets have the shape "
                f"{_shape(y.shape)}",
                "pass y.argmax(axis=-1), or use 'categorical_crossentropy'",
            )


@rule(RULES, "label-out-of-range", "error", "A label without an output")
def label_out_of_range(head):
    """
    K outputs stand for the labels 0 to K - 1. Any other label stops the training on a CPU, gives
    NaN on some GPUs, and passes in silence with the JAX backend.
    """
    loss, y, units = head.loss, head.y, head.units
    if not loss or not _numeric(head) or not units or units < 2 or not y.whole:
        return
    if loss.name not in (
        "sparse_categorical_crossentropy",
        "categorical_generalized_cross_entropy",
        "ctc",
    ):
        return
    ignored = loss.parameters.get("ignore_class")
    low, high = y.low, y.high
    if ignored is not None and y.counts is not None:
        rest = [value for value in y.values if value != ignored]
        low, high = (rest[0], rest[-1]) if rest else (0, 0)
    elif ignored is not None and ignored in (low, high):
        return
    if low < 0 or high >= units:
        counted_from_1 = low == 1 and high == units
        yield (
            f"the labels go from {low:g} to {high:g}, and {head.name} has {units} units, for 0 to "
            f"{units - 1}",
            "pass y - 1: classes are numbered from 0"
            if counted_from_1
            else "number the classes 0 to K - 1 (numpy.unique(y, return_inverse=True)), and give "
            "the output layer K units",
        )


@rule(RULES, "fractional-labels", "error", "Class numbers with a fraction")
def fractional_labels(head):
    """
    The number of a class is whole. A loss for numbered labels cuts fractions off, so 2.7 trains
    class 2. Masks that were resized like pictures have such numbers between two classes.
    """
    loss, y = head.loss, head.y
    if loss and _numeric(head) and loss.targets == "integer" and not y.whole:
        of_places = 2 < len(y.shape) == len(head.output.shape or ()) - 1  # pixels or steps
        if of_places or (y.row_sums is None and not _continuous(y)):
            yield (
                f"{loss.name} takes whole class numbers, and the targets are {_span(y)}",
                "number the classes 0 to K - 1; for rows of probabilities use "
                "'categorical_crossentropy'",
            )


@rule(RULES, "binary-label-range", "error", "Labels outside 0 to 1 with binary cross-entropy")
def binary_label_range(head):
    """
    Binary cross-entropy takes 0, 1, or a probability between them. Other labels, -1 and 1 or 1 and
    2 or the numbers of several classes, give a loss that falls below zero and has no minimum.
    """
    loss, y = head.loss, head.y
    if loss and _numeric(head) and loss.targets == "binary" and (y.low < 0 or y.high > 1):
        if _continuous(y) and not y.whole:
            return  # classification-loss-for-numbers
        if y.only(-1, 1):
            fix = "pass (y + 1) / 2, or use a hinge loss"
        elif y.high == 255 and y.low == 0:
            fix = "divide the targets by 255"
        elif y.counts is not None and len(y.counts) == 2:
            fix = f"pass (y == {y.values[1]:g}).astype(int)"
        else:
            fix = (
                "for K classes: Dense(K, activation='softmax') with "
                "'sparse_categorical_crossentropy'; for numbers: Dense(1) with "
                "'mean_squared_error'"
            )
        yield f"{loss.name} takes labels from 0 to 1, and the targets are {_span(y)}", fix


@rule(RULES, "hinge-labels", "error", "Labels that a hinge loss does not convert")
def hinge_labels(head):
    """
    A hinge loss takes the labels -1 and 1. Keras converts 0 and 1, if all labels of a batch are 0
    or 1, and nothing else: 1 and 2, or smoothed labels, are taken as they are.
    """
    loss, y = head.loss, head.y
    if loss and _numeric(head) and loss.targets == "sign":
        if not (y.zero_one or y.only(-1, 1)) and not _continuous(y):
            yield (
                f"{loss.name} takes the labels -1 and 1, or 0 and 1, and the targets are "
                f"{_span(y)}",
                "convert the labels to 0 and 1; for more than two classes use "
                "'sparse_categorical_crossentropy'",
            )


@rule(RULES, "several-labels-one-softmax", "error", "Several labels at once with one distribution")
def several_labels_one_softmax(head):
    """
    A softmax shares out one certainty among the classes, and a categorical loss expects rows that
    add up to 1. Two labels that both hold cannot both get a probability near 1.
    """
    loss, y = head.loss, head.y
    if not loss or not _numeric(head) or not y.several_labels or not head.aligned:
        return
    softmax = head.activation is not None and head.activation.distribution
    if loss.targets in ("one-hot", "distribution") or (softmax and loss.targets == "binary"):
        if loss.name in ("dice", "tversky"):
            return
        yield (
            f"rows of the targets have up to {y.row_sums[1]:.0f} labels",
            "activation='sigmoid' with 'binary_crossentropy', one yes or no for each label",
        )


@rule(RULES, "targets-no-distribution", "error", "Target rows that are no distribution")
def targets_no_distribution(head):
    """
    Categorical cross-entropy and Kullback–Leibler divergence compare two distributions: numbers
    from 0 that add up to 1. Other rows scale the loss or turn its sign, and it no longer says how
    far prediction and target are apart.
    """
    loss, y = head.loss, head.y
    if not loss or not _numeric(head) or loss.targets not in ("one-hot", "distribution"):
        return
    if y.row_sums is None or not head.aligned or y.several_labels or y.missing:
        return
    if _weighted_one_hot(head.rows):
        return  # one-hot rows times an advantage, as in policy gradients
    # Rows of zeros alone belong to no class and weigh nothing; that may be meant.
    wrong_sum = y.row_sums[1] > 1.02 or (y.row_sums[0] < 0.98 and not y.zero_one)
    if y.low < 0 or wrong_sum or y.row_sums[1] < 0.98:
        yield (
            f"{loss.name} takes rows from 0 that add up to 1, and the targets go from {y.low:g} "
            f"to {y.high:g} with sums from {y.row_sums[0]:.3g} to {y.row_sums[1]:.3g}",
            "one-hot encode labels with keras.utils.to_categorical, divide counts by their sum, "
            "and use 'mean_squared_error' for numbers",
        )


def _weighted_one_hot(rows):
    few = rows[:1000].reshape(-1, rows.shape[-1])
    single = ((few != 0).sum(axis=1) <= 1).all()
    return bool(single) and len(np.unique(few[few != 0])) > 2


@rule(RULES, "shape-mismatch", "error", "Targets of another shape than the output")
def shape_mismatch(head):
    """
    Most losses compare targets and predictions number by number. Where the shapes differ, training
    fails, or NumPy's broadcasting stretches one over the other and trains something else.
    """
    loss, y, output = head.loss, head.y, head.output.shape
    if not loss or y is None or y.text is not None or not output or loss.entry is None:
        return
    if loss.name in ("circle", "ctc"):
        return
    if loss.targets == "integer":
        wanted, seen = output[1:-1], y.shape[1:]
        seen = seen[:-1] if len(seen) == len(wanted) + 1 and seen[-1:] == (1,) else seen
        if len(seen) == len(output[1:]) and seen and seen[-1] > 1:
            return  # one-hot-sparse-loss
        if len(seen) != len(wanted) or any(
            b is not None and a != b for a, b in zip(seen, wanted, strict=True)
        ):
            yield (
                f"the targets have the shape {_shape(y.shape)}, and the output "
                f"{_shape(output)} needs {_shape((0, *wanted))}",
                "one label for each row of the output; is a Flatten, a pooling or "
                "return_sequences=False missing?",
            )
    elif loss.targets == "real" and loss.predictions == "mean and log variance":
        width = y.shape[-1] if len(y.shape) > 1 else 1
        if head.units and head.units != 2 * width:
            yield (
                f"{loss.name} needs 2 outputs for each target, and the model has {head.units} "
                f"for {width}",
                f"end in Dense({2 * width})",
            )
    elif head.aligned is False:
        labels = loss.targets in ("one-hot", "distribution") and _numbered(head)
        if labels and (head.units or 0) > 1:
            return  # integer-labels-dense-loss
        yield (
            f"the targets have the shape {_shape(y.shape)}, and the output has {_shape(output)}",
            "give the output layer as many units as the targets have columns, or reshape the "
            "targets",
        )


@rule(RULES, "regression-loss-for-classes", "warning", "A regression loss for classes")
def regression_loss_for_classes(head):
    """
    Mean squared error measures how far off a number is. For classes it rewards little where a
    prediction is far wrong: behind a sigmoid or softmax its gradient vanishes there, and some
    trainings never start. Cross-entropy has no such flat region.
    """
    loss, y, activation = head.loss, head.y, head.activation
    if not loss or not _numeric(head) or not loss.for_numbers or len(y.counts or ()) < 2:
        return
    if head.units == 1 and y.zero_one and activation is not None and activation.name == "relu":
        yield (
            f"the targets are 0 and 1, the output is a relu and the loss is {loss.name}",
            "activation='sigmoid' with 'binary_crossentropy'",
        )
        return
    if _is_demonstration(head):
        return
    probabilities = activation is not None and activation.probabilities
    known = probabilities or any("accuracy" in metric.name.lower() for metric in head.metrics)
    units = head.units or 0
    if y.one_hot and head.aligned and units > 1 and known:
        sums = activation is not None and activation.distribution
        fix = "'categorical_crossentropy'" + ("" if sums else " after activation='softmax'")
    elif units == 1 and y.zero_one and len(y.shape) <= 2 and known:
        fix = "activation='sigmoid' with 'binary_crossentropy'"
    elif units == 1 and y.class_numbers and len(y.counts) > 2 and known and not probabilities:
        fix = "Dense(K, activation='softmax') with 'sparse_categorical_crossentropy'"
    else:
        return
    yield f"the targets are classes ({_span(y)}), and the loss is {loss.name}", fix


def _is_demonstration(head):
    """Tell whether there are but a few different inputs, as in XOR."""
    inputs = head.setup.inputs
    if head.y.rows <= _DEMONSTRATION:
        return True
    if len(inputs) != 1 or inputs[0][1].rows_read is None or len(inputs[0][1].shape) != 2:
        return False
    few = inputs[0][1].rows_read[:1000, :100]
    return len(np.unique(few, axis=0)) <= _DEMONSTRATION


@rule(RULES, "classification-loss-for-numbers", "error", "A classification loss for numbers")
def classification_loss_for_numbers(head):
    """
    Cross-entropy and hinge losses take labels. Numbers such as prices or temperatures give them no
    meaning, and the loss no minimum at the right answer.
    """
    loss, y = head.loss, head.y
    if not loss or not _numeric(head) or y.whole or not _continuous(y):
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
    if not loss or not _numeric(head) or activation is None or _only_softmax(head):
        return
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
            "end in a linear layer, Dense(1), or scale the targets into this range",
        )


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
    if loss and _numeric(head) and loss.name == "mean_squared_logarithmic_error" and y.low < 0:
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
    if not loss or not _numeric(head) or loss.name != "mean_absolute_percentage_error":
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
    if not loss or not _numeric(head):
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
    if not _numeric(head) or y.partial or y.rows < 10 or y.missing:
        return
    # Own losses may ignore the targets, and a generator is trained to be taken for real.
    if head.loss is None or head.loss.entry is None or _partly_frozen(head.setup.model):
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
    if not loss or not _numeric(head) or not loss.for_numbers or setup.optimizer is None:
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
