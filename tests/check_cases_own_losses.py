"""Set-ups for the rules that try a loss of the user's own; see test_checks_rules.py."""

import keras
import numpy as np
from check_cases_samples import own_step
from check_setups import (
    BINARY,
    COUNTS,
    IMAGES,
    LABELS,
    MASKS,
    NUMBERS,
    ONE_HOT,
    POSITIVE,
    SEVERAL,
    SHARES,
    SIGNS,
    VECTORS,
    X,
    built_perceptron,
    check,
    column,
    compiled,
    functional,
    image_to_image,
    sequential,
)
from keras import layers, losses, ops


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


def column_of_predictions(y, p):
    """A likelihood whose mean has the shape (n,), and y (n, 1)."""
    mean, deviation = p[:, 0], ops.softplus(p[:, 1]) + 1e-3
    return ops.mean(ops.log(deviation) + 0.5 * ops.square((y - mean) / deviation))


def flat_targets(y, p):
    return ops.mean(ops.abs(ops.reshape(y, (-1,)) - p))


def likelihood(y, p):
    mean, deviation = p[:, :1], ops.softplus(p[:, 1:]) + 1e-3
    return -ops.mean(ops.log(deviation) + 0.5 * ops.square((y - mean) / deviation))


def critic(y, p):
    return ops.mean(y * p)


def of_all_pairs(y, p):
    """Pairs of rows in one batch, as in ranking; meant so."""
    apart = (y - ops.transpose(y)) - (p - ops.transpose(p))
    return ops.mean(ops.square(apart))


def twice(y_true, y_pred):
    return losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


class Wrapped(losses.Loss):
    """Takes logits."""

    def call(self, y_true, y_pred):
        return losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)


def cosine(y, p):
    size = ops.sqrt(ops.sum(y * y, axis=-1) * ops.sum(p * p, axis=-1) + 1e-9)
    return ops.mean(ops.sum(y * p, axis=-1) / size)


def correlation(y, p):
    y, p = y - ops.mean(y), p - ops.mean(p)
    return ops.mean(y * p) / ops.sqrt(ops.mean(y * y) * ops.mean(p * p) + 1e-9)


def mean_and(activation):
    """A mean and a deviation, from two layers."""
    inputs = keras.Input(X.shape[1:])
    hidden = layers.Dense(8, activation="relu")(inputs)
    parts = [layers.Dense(1)(hidden), layers.Dense(1, activation=activation)(hidden)]
    return keras.Model(inputs, layers.Concatenate()(parts))


def raw_likelihood(y, p):
    return ops.mean(ops.log(p[:, 1:]) + 0.5 * ops.square((y - p[:, :1]) / p[:, 1:]))


def dice(y, p):
    areas = ops.sum(y, axis=(1, 2, 3)) + ops.sum(p, axis=(1, 2, 3))
    return 1 - (2 * ops.sum(y * p, axis=(1, 2, 3)) + 1) / (areas + 1)


def intersection(y, p):
    both = ops.sum(y * p)
    return -both / (ops.sum(y) + ops.sum(p) - both)


def focal(y, p):
    p = ops.clip(p, 1e-7, 1 - 1e-7)
    right = y * p + (1 - y) * (1 - p)
    return -ops.mean(ops.square(1 - right) * ops.log(right), axis=-1)


def of_sigmoid(loss):
    return lambda y, p: loss(y, ops.sigmoid(p))


def hinge_of_all(y, p):
    return ops.mean(ops.maximum(1 - (2 * y - 1) * p, 0))


def in_half_precision(units, activation):
    inputs = keras.Input(X.shape[1:], dtype="float16")
    hidden = layers.Dense(8, activation="relu", dtype="mixed_float16")(inputs)
    last = layers.Dense(units, activation=activation, dtype="mixed_float16")
    return keras.Model(inputs, last(hidden))


def without_missing(y, p):
    known = ops.logical_not(ops.isnan(y))
    apart = ops.where(known, ops.where(known, y, 0.0) - p, 0.0)
    return ops.mean(ops.square(apart), axis=-1)


def missing_behind(y, p):
    """The value is a number, and the gradient is 0 times NaN."""
    return ops.mean(ops.where(ops.isnan(y), 0.0, ops.square(y - p)), axis=-1)


MISSING = np.where(np.arange(len(X))[:, None] % 4 == np.arange(3), np.nan, VECTORS)


WRONG = {
    "non-finite": {
        "a gradient that is not finite": lambda: check(
            compiled(sequential(3), missing_behind), X, MISSING
        ),
        "a loss that takes all": lambda: check(
            compiled(functional(3), lambda y, p: ops.mean(ops.abs(y - p), axis=-1)), X, MISSING
        ),
    },
    "half-precision-output": {
        "the logarithm of a softmax": lambda: check(
            compiled(
                in_half_precision(3, "softmax"),
                lambda y, p: -ops.sum(y * ops.log(p + 1e-8), axis=-1),
            ),
            X,
            ONE_HOT,
        ),
    },
    "logits-as-probabilities": {
        "Dice": lambda: check(compiled(image_to_image(1), dice), IMAGES, MASKS),
        "minus an intersection over union": lambda: check(
            compiled(image_to_image(1), intersection), IMAGES, (IMAGES > 0.8).astype(int)
        ),
        "Dice and cross-entropy": lambda: check(
            compiled(
                image_to_image(1),
                lambda y, p: dice(y, p) + ops.mean(losses.binary_crossentropy(y, p)),
            ),
            IMAGES,
            MASKS,
        ),
        "a focal loss": lambda: check(compiled(sequential(1), focal), X, column(BINARY)),
    },
    "own-loss-not-finite": {
        "the logarithm of a part of joined outputs": lambda: check(
            compiled(mean_and(None), raw_likelihood), X, column(NUMBERS)
        ),
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
    "broadcasting-loss": {
        "a column of the predictions": lambda: check(
            compiled(sequential(2), column_of_predictions), X, column(NUMBERS)
        ),
        "flat targets": lambda: check(compiled(functional(1), flat_targets), X, NUMBERS),
        "a step of its own": lambda: check(own_step(), X, NUMBERS),
    },
    "wrong-sign-loss": {
        "differences without a square": lambda: check(
            compiled(sequential(1), lambda y, p: ops.mean(y - p, axis=-1)), X, column(NUMBERS)
        ),
        "differences of several numbers": lambda: check(
            compiled(functional(3), lambda y, p: ops.mean(p - y, axis=-1)), X, VECTORS
        ),
        "a quantile of 90": lambda: check(
            compiled(sequential(1), lambda y, p: ops.mean(ops.maximum(90 * (y - p), 89 * (y - p)))),
            X,
            column(NUMBERS),
        ),
        "a cosine without its minus": lambda: check(
            compiled(sequential(3), lambda y, p: cosine(y, p)), X, VECTORS
        ),
        "a correlation": lambda: check(compiled(functional(1), correlation), X, column(NUMBERS)),
        "1 plus a cosine": lambda: check(
            compiled(built_perceptron(3), lambda y, p: 1 + cosine(y, p)), X, VECTORS
        ),
        "minus a squared error": lambda: check(
            compiled(sequential(3), lambda y, p: -ops.mean(ops.square(y - p))), X, VECTORS
        ),
        "a likelihood": lambda: check(compiled(functional(2), likelihood), X, column(NUMBERS)),
        "exchanged within": lambda: check(compiled(sequential(3, "sigmoid"), exchanged), X, SHARES),
    },
    "swapped-arguments": {
        "passed on": lambda: check(
            compiled(sequential(1, "sigmoid"), exchanged), X, column(BINARY).astype("float32")
        ),
    },
    "probabilities-as-logits": {
        "within a function": lambda: check(compiled(sequential(3, "softmax"), twice), X, ONE_HOT),
        "within a class": lambda: check(compiled(functional(3, "softmax"), Wrapped()), X, LABELS),
    },
    "label-out-of-range": {
        "within a class": lambda: check(compiled(sequential(3), Wrapped()), X, LABELS + 1),
    },
}

NEAR = {
    "non-finite": {
        "targets that the loss leaves out": lambda: check(
            compiled(sequential(3), without_missing), X, MISSING
        ),
        "a column of them": lambda: check(
            compiled(functional(1), without_missing), X, MISSING[:, :1]
        ),
    },
    "half-precision-output": {
        "squares of a softmax": lambda: check(
            compiled(
                in_half_precision(3, "softmax"), lambda y, p: ops.sum(ops.square(y - p), axis=-1)
            ),
            X,
            ONE_HOT,
        ),
    },
    "logits-as-probabilities": {
        "Dice of a sigmoid": lambda: check(
            compiled(image_to_image(1), of_sigmoid(dice)), IMAGES, MASKS
        ),
        "Dice behind a sigmoid": lambda: check(
            compiled(image_to_image(1, "sigmoid"), dice), IMAGES, MASKS
        ),
        "a focal loss of a sigmoid": lambda: check(
            compiled(sequential(1), of_sigmoid(focal)), X, column(BINARY)
        ),
        "a hinge": lambda: check(compiled(functional(1), hinge_of_all), X, column(BINARY)),
        "squared error of labels, as of a discriminator": lambda: check(
            compiled(sequential(1), lambda y, p: ops.mean(ops.square(y - p), axis=-1)),
            X,
            column(BINARY),
        ),
        "the scores of a critic": lambda: check(
            compiled(sequential(1), lambda y, p: ops.mean((1 - 2 * y) * p)), X, column(BINARY)
        ),
    },
    "own-loss-not-finite": {
        "a positive part of joined outputs": lambda: check(
            compiled(mean_and("softplus"), raw_likelihood), X, column(NUMBERS)
        ),
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
        "minus a likelihood": lambda: check(
            compiled(sequential(2), lambda y, p: -likelihood(y, p)), X, column(NUMBERS)
        ),
        "pairs of rows": lambda: check(compiled(sequential(1), of_all_pairs), X, column(NUMBERS)),
        "root of the mean": lambda: check(compiled(functional(1), root), X, NUMBERS),
        "a step of its own": lambda: check(own_step(columns=True), X, NUMBERS),
        "columns": lambda: check(own_step(), X, column(NUMBERS)),
    },
    "wrong-sign-loss": {
        "a quantile of 0.9": lambda: check(compiled(sequential(1), quantile), X, column(NUMBERS)),
        "a quantile of 0.999": lambda: check(
            compiled(
                sequential(1), lambda y, p: ops.mean(ops.maximum(0.999 * (y - p), 0.001 * (p - y)))
            ),
            X,
            column(NUMBERS),
        ),
        "the output is the loss": lambda: check(
            compiled(sequential(1), lambda y, p: ops.mean(p)), X, column(NUMBERS)
        ),
        "a gain": lambda: check(
            compiled(sequential(1), lambda y, p: -ops.mean(y * p)), X, column(POSITIVE)
        ),
        "minus a cosine": lambda: check(
            compiled(sequential(3), lambda y, p: -cosine(y, p)), X, VECTORS
        ),
        "1 minus a correlation": lambda: check(
            compiled(functional(1), lambda y, p: 1 - correlation(y, p)), X, column(NUMBERS)
        ),
        "the cost of what is chosen": lambda: check(
            compiled(sequential(3), lambda y, p: ops.mean(y * p)), X, VECTORS
        ),
        "a likelihood turned round": lambda: check(
            compiled(functional(2), lambda y, p: -likelihood(y, p)), X, column(NUMBERS)
        ),
        "a critic": lambda: check(
            compiled(sequential(1), critic), X, column(SIGNS).astype("float32")
        ),
        "a share of the gain": lambda: check(
            compiled(sequential(3), lambda y, p: -ops.mean(y * ops.tanh(p))), X, VECTORS
        ),
        "not exchanged": lambda: check(
            compiled(sequential(3, "sigmoid"), lambda y, p: losses.binary_crossentropy(y, p)),
            X,
            SHARES,
        ),
    },
    "probabilities-as-logits": {
        "within a function": lambda: check(compiled(sequential(3), twice), X, ONE_HOT),
        "within a class": lambda: check(compiled(functional(3), Wrapped()), X, LABELS),
    },
}
