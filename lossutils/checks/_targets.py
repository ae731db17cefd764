"""Rules on targets: whether they are what the loss and the output layer take."""

import numpy as np

from lossutils.checks import _paths
from lossutils.checks._findings import rule

RULES = {}

# Different inputs up to which a set is a demonstration, such as XOR, which squared error can learn.
_DEMONSTRATION = 16

# Sums of a row above which numbers from 0 to 1 are a map, not one distribution.
_MANY_TIMES = 2

# What to do with a mask that is stored as a picture.
_OF_BYTES = "divide the targets by 255"


def numeric(head):
    """Whether there are targets, and all of them numbers."""
    return head.y is not None and head.y.text is None and not np.isnan(head.y.low)


def _span(y):
    if y.counts is not None and len(y.counts) <= 4:
        return ", ".join(f"{value:g}" for value in y.values)
    return f"{y.low:g} to {y.high:g}"


def continuous(y):
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
    if not loss or not numeric(head) or loss.targets not in ("one-hot", "distribution"):
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
    if not loss or not numeric(head) or loss.targets != "integer" or loss.name == "circle":
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
    if not loss or not numeric(head) or not units or units < 2 or not y.whole:
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
    if loss and numeric(head) and loss.targets == "integer" and not y.whole:
        of_places = 2 < len(y.shape) == len(head.output.shape or ()) - 1  # pixels or steps
        if of_places or (y.row_sums is None and not continuous(y)):
            yield (
                f"{loss.name} takes whole class numbers, and the targets are {_span(y)}",
                "number the classes 0 to K - 1; for rows of probabilities use "
                "'categorical_crossentropy'",
            )


@rule(RULES, "binary-label-range", "error", "Labels outside 0 to 1 with binary cross-entropy")
def binary_label_range(head):
    """
    Binary cross-entropy takes 0, 1, or a probability between them. Other labels, -1 and 1 or 1 and
    2 or the numbers of several classes, give a loss that falls below zero and has no minimum. A
    mask of 0 and 1 that is divided by 255 like a picture says that hardly anything is there. To a
    loss of your own, such as an overlap, one of 0 and 255 is 255 times there.
    """
    loss, y = head.loss, head.y
    if loss and loss.entry is None and numeric(head) and y.only(0, 255) and y.low < y.high:
        if _paths.counts_255_times(head):
            name = getattr(loss.given, "__name__", type(loss.given).__name__)
            yield f"the targets are 0, 255, and {name} takes labels from 0 to 1", _OF_BYTES
    if loss and numeric(head) and loss.targets == "binary" and y.only(0, y.high):
        if abs(255 * y.high - 1) < 1e-3:
            yield (
                f"the targets are 0 and {y.high:.3g}, as of a mask of 0 and 1 that was divided by "
                "255",
                "leave a mask of 0 and 1 as it is",
            )
    if loss and numeric(head) and loss.targets == "binary" and (y.low < 0 or y.high > 1):
        if continuous(y) and not y.whole:
            return  # classification-loss-for-numbers
        if y.low == 0 and len(y.counts or ()) == 2 and _paths.makes_labels_itself(head):
            return
        if y.only(-1, 1):
            fix = "pass (y + 1) / 2, or use a hinge loss"
        elif y.high == 255 and y.low == 0:
            fix = _OF_BYTES
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
    if loss and numeric(head) and loss.targets == "sign":
        if not (y.zero_one or y.only(-1, 1)) and not continuous(y):
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
    if not loss or not numeric(head) or not y.several_labels or not head.aligned:
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
    if not loss or not numeric(head) or loss.targets not in ("one-hot", "distribution"):
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
            "for maps of numbers from 0 to 1: activation='sigmoid' with 'binary_crossentropy' or "
            "'mean_squared_error'"
            if fractions_of_0_to_1(y) and y.row_sums[0] > _MANY_TIMES
            else "one-hot encode labels with keras.utils.to_categorical, divide counts by their "
            "sum, and use 'mean_squared_error' for numbers",
        )


def fractions_of_0_to_1(y):
    """Whether targets are rows of numbers from 0 to 1, such as pixels, that are no distribution."""
    if y.row_sums is None or (y.counts is not None and len(y.counts) <= 2):
        return False
    return y.low >= 0 and 0.5 < y.high <= 1 and continuous(y) and y.row_sums[1] > 1.02


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
        if numbers_for_softmax(head):
            yield (
                f"the targets are the numbers of classes, {y.low:g} to {y.high:g}, and {loss.name} "
                f"compares each of them with all {head.units} probabilities",
                "the loss 'sparse_categorical_crossentropy'",
            )
            return
        of_last_step = len(output) == 3 and _columns(y.shape) == (output[2],)
        recurrent = any(getattr(layer, "return_sequences", False) for layer in head.setup.layers)
        yield (
            f"the targets have the shape {_shape(y.shape)}, and the output has {_shape(output)}",
            "return_sequences=False in the last recurrent layer, for one answer for each row"
            if of_last_step and recurrent
            else "give the output layer as many units as the targets have columns, or reshape the "
            "targets",
        )


def _columns(shape):
    return (shape[1:] or (1,)) if len(shape) < 3 else None


def numbers_for_softmax(head):
    """Whether numbers of classes meet a softmax over these classes, and a loss for numbers."""
    loss, y, output = head.loss, head.y, head.output.shape
    if not loss or not numeric(head) or not output or not loss.for_numbers or head.aligned:
        return False
    if head.activation is None or not head.activation.distribution or (head.units or 0) < 2:
        return False
    inner = y.shape[1:-1] if len(y.shape) == len(output) and y.shape[-1] == 1 else y.shape[1:]
    fits = len(inner) == len(output) - 2 and all(
        b is None or a == b for a, b in zip(inner, output[1:-1], strict=True)
    )
    return fits and y.whole and 0 <= y.low < y.high < head.units and y.counts is not None


@rule(RULES, "regression-loss-for-classes", "warning", "A regression loss for classes")
def regression_loss_for_classes(head):
    """
    Mean squared error measures how far off a number is. For classes it rewards little where a
    prediction is far wrong: behind a sigmoid or softmax its gradient vanishes there, and some
    trainings never start. Cross-entropy has no such flat region.
    """
    loss, y, activation = head.loss, head.y, head.activation
    if not loss or not numeric(head) or not loss.for_numbers or len(y.counts or ()) < 2:
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
