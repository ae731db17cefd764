"""Set-ups as they stand in whole programs: inputs, network, loss and targets together."""

import keras
import numpy as np
from check_setups import (
    BINARY,
    IMAGES,
    LABELS,
    MASKS,
    NUMBERS,
    ONE_HOT,
    ROWS,
    SEVERAL,
    X,
    built_perceptron,
    check,
    column,
    compiled,
    flattened,
    functional,
    image_to_image,
    sequential,
    two_outputs,
)
from keras import layers, losses, ops

_rng = np.random.default_rng(0)

SPARSE = "sparse_categorical_crossentropy"
CATEGORICAL = "categorical_crossentropy"


# A network of one input, layer after layer


def chain(*inner, inputs, loss="mse"):
    return compiled(keras.Sequential([keras.Input(inputs), *inner]), loss)


def dense(inputs):
    return chain(layers.Dense(8, activation="relu"), layers.Dense(1), inputs=(inputs,))


# Losses of their own, of labels and areas

_OF_F1 = 1e-7


def f1(y, p):
    return 2 * ops.sum(y * p) / (ops.sum(y) + ops.sum(p) + _OF_F1)


def crossentropy(y, p):
    p = ops.clip(p, 1e-7, 1 - 1e-7)
    return -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p))


def errors(y, p):
    """The share of wrong answers, without a gradient."""
    return ops.mean(ops.cast(ops.not_equal(y, ops.round(p)), "float32"))


def of_the_largest(p):
    return ops.one_hot(ops.argmax(p, axis=-1), 3)


def straight_through(p):
    return p + ops.stop_gradient(ops.round(p) - p)


def hard(y, p):
    """Tell which answers are wrong, to weigh them."""
    return ops.cast(ops.abs(y - p) > 0.5, "float32")


PARTLY_FLAT = {
    "F1 of rounded predictions": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: crossentropy(y, p) + 1 - f1(y, ops.round(p)),
        column(BINARY),
    ),
    "squares and the number of errors": (
        *(functional, 1, "sigmoid"),
        lambda y, p: ops.mean(ops.square(y - p)) + errors(y, p),
        column(BINARY),
    ),
    "alarms that are false": (
        *(built_perceptron, 3, "sigmoid"),
        lambda y, p: crossentropy(y, p) + ops.mean((1 - y) * ops.cast(p > 0.3, "float32")),
        SEVERAL,
    ),
    "F1 of the largest": (
        *(sequential, 3, "softmax"),
        lambda y, p: ops.mean(losses.categorical_crossentropy(y, p)) - f1(y, of_the_largest(p)),
        ONE_HOT,
    ),
}
# Jumps and kinks that are meant.
FITTING = {
    "F1": (sequential, 1, "sigmoid", lambda y, p: crossentropy(y, p) + 1 - f1(y, p), BINARY),
    "F1, straight through": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: crossentropy(y, p) + 1 - f1(y, straight_through(p)),
        BINARY,
    ),
    "hard samples only": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: ops.mean(ops.square(y - p) * hard(y, p)),
        BINARY,
    ),
    "hard samples twice": (
        *(functional, 1, "sigmoid"),
        lambda y, p: ops.mean(ops.square(y - p) * (1 + hard(y, p))),
        BINARY,
    ),
    "labels that it believes": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: crossentropy(0.8 * y + 0.2 * ops.cast(p > 0.5, "float32"), p),
        BINARY,
    ),
    "focal, with a weight that is not trained": (
        *(functional, 1, "sigmoid"),
        lambda y, p: ops.mean(ops.stop_gradient(ops.square(y - p)) * ops.abs(y - p)),
        BINARY,
    ),
    "a hinge": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: ops.mean(ops.maximum(0.3 - (2 * y - 1) * (p - 0.5), 0)),
        BINARY,
    ),
    "clipped": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: crossentropy(y, ops.clip(p, 0.1, 0.9)),
        BINARY,
    ),
    "the sides weighed unlike": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: ops.mean(ops.where(p > 0.5, 2.0, 1.0) * ops.square(y - p)),
        BINARY,
    ),
    "pairs in order": (
        *(sequential, 1, "sigmoid"),
        lambda y, p: ops.mean(
            ops.maximum(0.5 - (p - ops.transpose(p)), 0) * y * (1 - ops.transpose(y))
        ),
        BINARY,
    ),
    "the cost of what is chosen": (
        *(sequential, 3, "softmax"),
        lambda y, p: ops.mean(
            losses.categorical_crossentropy(y, p)
            * ops.take(ops.convert_to_tensor([1.0, 2.0, 5.0]), ops.argmax(p, axis=-1))
        ),
        ONE_HOT,
    ),
}


def of_own_loss(way, units, activation, loss, y):
    y = y if y.ndim > 1 else column(y)
    return check(compiled(way(units, activation), loss), X, y.astype("float32"))


def dice(y, p):
    return 1 - (2 * ops.sum(y * p) + 1) / (ops.sum(y) + ops.sum(p) + 1)


def overlap(y, p):
    both = ops.sum(y * p)
    return -both / (ops.sum(y) + ops.sum(p) - both + 1)


def tversky(y, p):
    both = ops.sum(y * p)
    return 1 - both / (both + 0.3 * ops.sum((1 - y) * p) + 0.7 * ops.sum(y * (1 - p)) + 1e-6)


def of_bytes(loss, masks=MASKS):
    return check(compiled(image_to_image(1, "sigmoid"), loss), IMAGES, 255.0 * masks)


FEW = (IMAGES > 0.97).astype(int)


# Tables with the target among their columns

MANY = 200
TABLE = _rng.normal(size=(MANY, 4))
PRICE = _rng.gamma(2, 3, MANY) + 5
SCALED = (PRICE - PRICE.mean()) / PRICE.std()


def of_table(x, y):
    return check(dense(x.shape[1]), x.astype("float32"), y)


# The next word, or step, of each

WORDS = 7
TEXT = _rng.integers(1, WORDS, size=(ROWS, 13))
SERIES = np.cumsum(_rng.normal(size=(ROWS, 13, 1)), axis=1).astype("float32")


def words(*inner, loss=SPARSE):
    last = layers.Dense(WORDS, activation="softmax")
    return chain(layers.Embedding(WORDS, 4), *inner, last, inputs=(12,), loss=loss)


def attending(**arguments):
    inputs = keras.Input((12,))
    embedded = layers.Embedding(WORDS, 4)(inputs)
    attended = layers.MultiHeadAttention(1, 4)(embedded, embedded, **arguments)
    hidden = layers.LayerNormalization()(embedded + attended)
    return compiled(keras.Model(inputs, layers.Dense(WORDS, activation="softmax")(hidden)), SPARSE)


def next_of_each(model, rows=TEXT):
    return check(model, rows[:, :-1], rows[:, 1:])


def both_ways(layer):
    return layers.Bidirectional(layer(4, return_sequences=True))


# Numbers of words, and other whole numbers that fill rows up

LENGTHS = _rng.integers(5, 40, 100)
IDS = np.array([[*_rng.integers(1, 900, n), *np.zeros(40 - n)] for n in LENGTHS])
HALVES = np.arange(100) % 2
SALES = np.array([[*np.zeros(40 - n), *_rng.poisson(_rng.gamma(2, 60), n) + 1] for n in LENGTHS])


def of_rows(x, *first):
    inner = first or (layers.Dense(8, activation="relu"),)
    return check(chain(*inner, layers.Dense(1), inputs=x.shape[1:]), x, NUMBERS_OF_MANY)


NUMBERS_OF_MANY = _rng.normal(size=100)


def marked(value, y=PRICE, share=5):
    y = np.array(y, dtype=float)
    y[:: MANY // 2 // share] = value
    return check(dense(4), TABLE, y)


# Pictures that end in a row of classes for each pixel

PIXELS = np.eye(2)[MASKS[..., 0]].reshape(ROWS, 64, 2)


def pixels(*last):
    first = layers.Conv2D(2, 3, padding="same")
    return check(chain(first, *last, inputs=(8, 8, 1), loss=CATEGORICAL), IMAGES, PIXELS)


ONE_STEP = _rng.normal(size=(ROWS, 1, 1))


def stepwise(layer, x=ONE_STEP):
    return check(chain(layer, layers.Dense(1), inputs=x.shape[1:]), x, NUMBERS)


def with_a_state():
    step, state = keras.Input((1, 1)), keras.Input((4,))
    model = keras.Model([step, state], layers.Dense(1)(layers.GRU(4)(step, initial_state=state)))
    return check(compiled(model, "mse"), [ONE_STEP, np.repeat(X[:, :1], 4, axis=1)], NUMBERS)


# Pairs of rows, and the distance of what a shared network makes of them

GROUP = 5.0 * np.eye(4)[_rng.integers(4, size=MANY)]
ALIKE = np.arange(MANY) % 2
FIRST = (GROUP + 0.3 * TABLE).astype("float32")
OF_ANOTHER = np.roll(np.eye(4), 1, axis=1)
SECOND = np.where(ALIKE[:, None] == 1, GROUP, GROUP @ OF_ANOTHER) + 0.3 * TABLE[::-1]
SECOND = SECOND.astype("float32")


def distance(pair):
    return ops.sqrt(ops.sum(ops.square(pair[0] - pair[1]), axis=1, keepdims=True) + 1e-9)


def by_distance(loss, y, second=SECOND, last=None):
    shared = layers.Dense(8)
    one, other = keras.Input((4,)), keras.Input((4,))
    made = [shared(one), shared(other)]
    apart = last(made) if last else layers.Lambda(distance, output_shape=(1,))(made)
    return check(compiled(keras.Model([one, other], apart), loss), [FIRST, second], y)


def of_apart(y, d):
    """1 is a pair that does not belong together."""
    return ops.mean((1 - y) * ops.square(d) + y * ops.square(ops.maximum(1 - d, 0)))


def of_alike(y, d):
    return of_apart(1 - y, d)


def wide(y, d):
    """1 is a pair that belongs together, and the margin is 3."""
    return ops.mean(y * d + (1 - y) * ops.maximum(3 - d, 0))


def score(made):
    return layers.Dense(1, activation="sigmoid")(ops.abs(made[0] - made[1]))


AGES = 35 + 12 * NUMBERS


def of_two(outputs, loss, y):
    return check(compiled(outputs, loss), X, y)


WRONG = {
    "wrong-sign-loss": {
        "pairs alike are driven apart": lambda: by_distance(of_apart, ALIKE),
        "pairs unlike are drawn together": lambda: by_distance(of_alike, 1 - ALIKE),
        "pairs, with a wide margin": lambda: by_distance(wide, 1.0 - ALIKE),
    },
    "own-loss-no-gradient": {
        f"a part of it: {name}": lambda made=made: of_own_loss(*made)
        for name, made in PARTLY_FLAT.items()
    },
    "binary-label-range": {
        "bytes, with Dice": lambda: of_bytes(dice),
        "bytes, with an intersection over union": lambda: of_bytes(overlap, FEW),
        "bytes, with Tversky": lambda: of_bytes(tversky, FEW),
        "bytes, with Dice and cross-entropy": lambda: of_bytes(
            lambda y, p: dice(y, p) + crossentropy(y, p)
        ),
        "in the order of other outputs": lambda: of_two(
            two_outputs((3, "softmax"), (1, "sigmoid")), [SPARSE, "bce"], [BINARY, LABELS]
        ),
    },
    "target-in-inputs": {
        "standardized": lambda: of_table(np.c_[TABLE, SCALED], PRICE),
        "from 0 to 1": lambda: of_table(np.c_[TABLE, SCALED / np.ptp(SCALED)], PRICE),
        "standardized targets": lambda: of_table(np.c_[PRICE, TABLE], SCALED),
        "turned round": lambda: of_table(np.c_[TABLE[:, :2], -SCALED], PRICE),
        "words from both ends": lambda: next_of_each(words(both_ways(layers.LSTM))),
        "words from the end": lambda: next_of_each(
            words(layers.GRU(4, return_sequences=True, go_backwards=True))
        ),
        "attention to all words": lambda: next_of_each(attending()),
        "a convolution around each word": lambda: next_of_each(
            words(layers.Conv1D(4, 3, padding="same", activation="relu"))
        ),
        "a series from both ends": lambda: next_of_each(
            chain(both_ways(layers.GRU), layers.Dense(1), inputs=(12, 1)), SERIES
        ),
    },
    "shape-mismatch": {
        "numbers of classes for a softmax": lambda: check(
            compiled(sequential(3, "softmax"), "mse", ["accuracy"]), X, LABELS
        ),
        "a column of them": lambda: check(
            compiled(functional(3, "softmax"), "mae"), X, column(LABELS)
        ),
        "numbers of classes of pixels": lambda: check(
            compiled(image_to_image(2, "softmax"), "mse"), IMAGES, MASKS[..., 0]
        ),
        "all steps of a recurrent layer": lambda: check(
            chain(layers.LSTM(4, return_sequences=True), layers.Dense(1), inputs=(12, 1)),
            SERIES[:, 1:],
            NUMBERS,
        ),
    },
    "inputs-scale": {
        "words, filled up at the end": lambda: of_rows(IDS),
        "words, filled up in front": lambda: of_rows(IDS[:, ::-1].astype("int32")),
        "words, as often as they are": lambda: of_rows(
            np.where(IDS > 0, np.minimum(_rng.zipf(1.3, IDS.shape), 5000), 0)
        ),
    },
    "non-finite": {
        "-200 for what is missing": lambda: marked(-200),
        "-99": lambda: marked(-99),
        "-500, of negative numbers": lambda: marked(-500, NUMBERS_OF_MANY.repeat(2)),
    },
    "channels-first": {
        "classes before pixels": lambda: pixels(
            layers.Reshape((2, 64)), layers.Permute((2, 1)), layers.Softmax()
        ),
        "classes before pixels, behind an activation": lambda: pixels(
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Reshape((2, 64)),
            layers.Permute((2, 1)),
            layers.Dense(2, activation="softmax"),
        ),
        "classes before rows and columns": lambda: pixels(
            layers.Reshape((2, 8, 8)),
            layers.Permute((2, 3, 1)),
            layers.Reshape((64, 2)),
            layers.Softmax(),
        ),
        "one step": lambda: stepwise(layers.LSTM(4)),
        "one step, both ways": lambda: stepwise(layers.Bidirectional(layers.GRU(4))),
        "one step of several features": lambda: stepwise(layers.SimpleRNN(4), X[:, None]),
    },
    "classification-loss-for-numbers": {
        "in the order of other outputs": lambda: of_two(
            two_outputs(), ["mse", "bce"], [BINARY, AGES]
        ),
    },
    "integer-labels-dense-loss": {
        "in the order of other outputs": lambda: of_two(
            two_outputs((3, "softmax"), (1, None)), [CATEGORICAL, "mse"], [NUMBERS, ONE_HOT]
        ),
    },
}

NEAR = {
    "wrong-sign-loss": {
        "pairs unlike are driven apart": lambda: by_distance(of_apart, 1 - ALIKE),
        "pairs alike are drawn together": lambda: by_distance(of_alike, ALIKE),
        "pairs alike, with a wide margin": lambda: by_distance(wide, 1.0 * ALIKE),
        "pairs that the inputs do not tell apart": lambda: by_distance(
            of_apart, ALIKE, SECOND[::-1].copy()
        ),
        "a score that pairs are alike": lambda: by_distance(crossentropy, ALIKE, last=score),
    },
    "own-loss-no-gradient": {
        name: lambda made=made: of_own_loss(*made) for name, made in FITTING.items()
    },
    "binary-label-range": {
        "bytes that are divided by 255": lambda: of_bytes(lambda y, p: dice(y / 255, p)),
        "bytes that become labels": lambda: of_bytes(
            lambda y, p: tversky(ops.cast(y > 127, "float32"), p), FEW
        ),
        "bytes that become labels for cross-entropy": lambda: of_bytes(
            lambda y, p: crossentropy(ops.cast(y > 0, "float32"), p)
        ),
        "bytes and an overlap that divides": lambda: of_bytes(lambda y, p: overlap(y / 255, p)),
        "bytes with weights": lambda: of_bytes(
            lambda y, p: dice(y / 255, p) + 20 * crossentropy(y / 255, p), FEW
        ),
        "Dice": lambda: check(compiled(image_to_image(1, "sigmoid"), dice), IMAGES, MASKS),
        "in the order of the outputs": lambda: of_two(
            two_outputs((3, "softmax"), (1, "sigmoid")), [SPARSE, "bce"], [LABELS, BINARY]
        ),
    },
    "target-in-inputs": {
        "twice a column and 1": lambda: of_table(TABLE, 2 * TABLE[:, 1] + 1),
        "minus half a column": lambda: of_table(TABLE, -0.5 * TABLE[:, 1]),
        "two temperatures": lambda: of_table(np.c_[TABLE, PRICE, 1.8 * PRICE + 32], SCALED),
        "nearly": lambda: of_table(np.c_[TABLE, SCALED + 0.01 * TABLE[:, 0]], PRICE),
        "its logarithm": lambda: of_table(np.c_[TABLE, PRICE], np.log(PRICE)),
        "of two columns": lambda: of_table(np.c_[TABLE[:, 0], SCALED], PRICE),
        "few different numbers": lambda: of_table(
            np.c_[TABLE, np.arange(MANY) % 5], 3.7 * (np.arange(MANY) % 5)
        ),
        "the step before": lambda: of_table(
            np.cumsum(TABLE, axis=0)[:-1], np.cumsum(TABLE, axis=0)[1:, 0]
        ),
        "words from the start": lambda: next_of_each(
            words(layers.LSTM(4, return_sequences=True), layers.Dropout(0.1))
        ),
        "attention to the words before": lambda: next_of_each(attending(use_causal_mask=True)),
        "attention with a mask of its own": lambda: next_of_each(
            attending(attention_mask=np.tril(np.ones((1, 12, 12), bool)))
        ),
        "a convolution of the words before": lambda: next_of_each(
            words(layers.Conv1D(4, 3, padding="causal", activation="relu"))
        ),
        "a convolution of each word": lambda: next_of_each(
            words(layers.Conv1D(4, 1, padding="same", activation="relu"))
        ),
        "tags, read from both ends": lambda: check(
            words(both_ways(layers.LSTM)), TEXT[:, 1:], 6 - TEXT[:, 1:]
        ),
        "the word before, read from both ends": lambda: check(
            words(both_ways(layers.GRU)), TEXT[:, 1:], TEXT[:, :-1]
        ),
        "a series, cleaned": lambda: check(
            chain(both_ways(layers.GRU), layers.Dense(1), inputs=(12, 1)),
            SERIES[:, 1:] + _rng.normal(size=(ROWS, 12, 1)).astype("float32"),
            SERIES[:, 1:],
        ),
        "a series from the start": lambda: next_of_each(
            chain(layers.GRU(4, return_sequences=True), layers.Dense(1), inputs=(12, 1)), SERIES
        ),
    },
    "shape-mismatch": {
        "numbers of classes for their loss": lambda: check(
            compiled(sequential(3, "softmax"), SPARSE, ["accuracy"]), X, LABELS
        ),
        "the last step of a recurrent layer": lambda: check(
            chain(layers.LSTM(4), layers.Dense(1), inputs=(12, 1)), SERIES[:, 1:], NUMBERS
        ),
    },
    "inputs-scale": {
        "words for an Embedding": lambda: of_rows(
            IDS, layers.Embedding(900, 4, mask_zero=True), layers.GlobalAveragePooling1D()
        ),
        "sales from some week on": lambda: of_rows(SALES),
        "counts of words": lambda: of_rows(60.0 * _rng.poisson(0.05, (100, 200))),
        "histograms": lambda: of_rows(
            np.array([np.bincount(_rng.poisson(12, 400), minlength=50)[:50] for _ in range(100)])
        ),
        "numbers of one length": lambda: of_rows(_rng.integers(1, 300, (100, 30))),
        "columns that are 0 at the end": lambda: of_rows(
            np.c_[_rng.integers(1, 300, (100, 25)), np.zeros((100, 3))]
        ),
    },
    "non-finite": {
        "amounts that are often 0": lambda: marked(0, share=30),
        "amounts that are often 0, standardized": lambda: marked(-1.4, SCALED + 0.0, share=30),
        "logarithms of 0 and a little": lambda: marked(np.log(1e-6), np.log(PRICE)),
        "decimal logarithms of 0 and a little": lambda: marked(-10, np.log10(PRICE)),
        "all is lost, in percent": lambda: marked(-100),
        "one frost": lambda: marked(-60, 20 * TABLE[:, 0]),
        "levels": lambda: marked(-200, np.arange(MANY) % 5),
    },
    "channels-first": {
        "pixels before classes": lambda: pixels(layers.Reshape((64, 2)), layers.Softmax()),
        "moved, and then reshaped": lambda: pixels(
            layers.Permute((3, 1, 2)),
            layers.Reshape((2, 64)),
            layers.Permute((2, 1)),
            layers.Softmax(),
        ),
        "rows of a picture as steps": lambda: check(
            chain(
                layers.Conv2D(8, 3, padding="same"),
                layers.Reshape((8, 64)),
                layers.LSTM(4),
                layers.Dense(1),
                inputs=(8, 8, 1),
            ),
            IMAGES,
            NUMBERS,
        ),
        "several steps": lambda: stepwise(layers.LSTM(4), SERIES[:, :3]),
        "steps that are made": lambda: check(
            chain(layers.RepeatVector(3), layers.LSTM(4), layers.Dense(1), inputs=(4,)), X, NUMBERS
        ),
        "one step and a state": with_a_state,
    },
    "classification-loss-for-numbers": {
        "in the order of the outputs": lambda: of_two(
            two_outputs(), ["mse", "bce"], [NUMBERS, BINARY]
        ),
    },
    "softmax-binary-loss": {
        "a sigmoid for pixels": lambda: check(
            compiled(flattened(64, "sigmoid"), "bce"), IMAGES, IMAGES.reshape(ROWS, 64)
        ),
    },
}
