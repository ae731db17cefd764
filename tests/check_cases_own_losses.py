"""Set-ups for the rules that try a loss of the user's own; see test_checks_rules.py."""

import numpy as np
from check_cases_samples import own_step
from check_setups import (
    BINARY,
    COUNTS,
    IMAGES,
    MASKS,
    NUMBERS,
    ONE_HOT,
    POSITIVE,
    SEVERAL,
    SHARES,
    X,
    built_perceptron,
    check,
    column,
    compiled,
    functional,
    image_to_image,
    sequential,
)
from keras import losses, ops


def bare_crossentropy(y, p):
    return -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p))


def safe_crossentropy(y, p):
    return bare_crossentropy(y, ops.clip(p, 1e-7, 1 - 1e-7))


def logarithmic(y, p):
    return ops.mean(ops.square(ops.log(1 + y) - ops.log(1 + p)))


def by_number_of_labels(y, p):
    """Pairs of a label that holds and one that does not, divided by how many there are."""
    pairs = ops.sum(y, axis=1) * ops.sum(1 - y, axis=1)
    return ops.mean(ops.sum(y * (1 - p), axis=1) / pairs)


def relative(y, p):
    return ops.mean(ops.abs(y - p) / y)


class RootOfDifference(losses.Loss):
    def call(self, y_true, y_pred):
        return ops.sqrt(y_true - y_pred)


def rounded(y, p):
    return ops.mean(ops.square(y - ops.round(p)), axis=-1)


def counted(y, p):
    return 1 - ops.mean(ops.cast(ops.equal(y, ops.cast(p > 0.5, y.dtype)), "float32"))


class OverlapOfMasks(losses.Loss):
    def call(self, y_true, y_pred):
        mask = ops.cast(y_pred > 0.5, "float32")
        both = ops.sum(y_true * mask)
        return 1 - both / (ops.sum(y_true) + ops.sum(mask) - both + 1e-6)


def by_the_largest(y, p):
    return ops.mean(ops.cast(ops.not_equal(ops.argmax(y, -1), ops.argmax(p, -1)), "float32"))


def exchanged(y_true, y_pred):
    return losses.binary_crossentropy(y_pred, y_true)


def constant(y, p):
    return ops.zeros_like(p)


def root(y, p):
    return ops.sqrt(ops.mean(ops.square(y - p)))


def quantile(y, p):
    return ops.mean(ops.maximum(0.9 * (y - p), 0.1 * (p - y)))


WRONG = {
    "own-loss-not-finite": {
        "logarithm of 1 - p": lambda: check(
            compiled(sequential(1, "sigmoid"), bare_crossentropy), X, column(BINARY)
        ),
        "logarithm of a linear output": lambda: check(
            compiled(functional(1), logarithmic), 10 * X, column(POSITIVE - 3)
        ),
        "rows without a label": lambda: check(
            compiled(sequential(3, "sigmoid"), by_number_of_labels), X, SEVERAL
        ),
        "targets of zero": lambda: check(
            compiled(built_perceptron(1), relative), X, column(COUNTS)
        ),
        "root": lambda: check(compiled(sequential(1), RootOfDifference()), X, column(NUMBERS)),
        "masks": lambda: check(
            compiled(image_to_image(1, "sigmoid"), bare_crossentropy), IMAGES, MASKS
        ),
    },
    "own-loss-no-gradient": {
        "round": lambda: check(
            compiled(sequential(1, "sigmoid"), rounded), X, column(BINARY).astype("float32")
        ),
        "accuracy": lambda: check(
            compiled(functional(1, "sigmoid"), counted), X, column(BINARY).astype("float32")
        ),
        "overlap": lambda: check(
            compiled(image_to_image(1, "sigmoid"), OverlapOfMasks()), IMAGES, MASKS
        ),
        "argmax": lambda: check(compiled(sequential(3, "softmax"), by_the_largest), X, ONE_HOT),
    },
    "broadcasting-loss": {"a step of its own": lambda: check(own_step(), X, NUMBERS)},
    "wrong-sign-loss": {
        "exchanged within": lambda: check(compiled(sequential(3, "sigmoid"), exchanged), X, SHARES),
    },
}

NEAR = {
    "own-loss-not-finite": {
        "clipped": lambda: check(
            compiled(sequential(1, "sigmoid"), safe_crossentropy), X, column(BINARY)
        ),
        "root of the mean": lambda: check(compiled(sequential(1), root), X, column(NUMBERS)),
        "positive outputs": lambda: check(
            compiled(sequential(1, "softplus"), logarithmic), X, column(POSITIVE)
        ),
        "logarithm of a softmax": lambda: check(
            compiled(
                sequential(3, "softmax"), lambda y, p: -ops.mean(ops.sum(y * ops.log(p), axis=-1))
            ),
            X,
            ONE_HOT,
        ),
    },
    "own-loss-no-gradient": {
        "left to add_loss": lambda: check(compiled(sequential(1), constant), X, NUMBERS),
        "quantile": lambda: check(compiled(sequential(1), quantile), X, column(NUMBERS)),
        "the output is the loss": lambda: check(
            compiled(functional(1), lambda y, p: p), X, np.zeros((len(X), 1))
        ),
    },
    "broadcasting-loss": {
        "a step of its own": lambda: check(own_step(columns=True), X, NUMBERS),
        "columns": lambda: check(own_step(), X, column(NUMBERS)),
    },
    "wrong-sign-loss": {
        "not exchanged": lambda: check(
            compiled(sequential(3, "sigmoid"), lambda y, p: losses.binary_crossentropy(y, p)),
            X,
            SHARES,
        ),
    },
}
