"""Set-ups for the rules on targets; see test_checks_rules.py."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from check_setups import (
    BINARY,
    CLASSES,
    COUNTS,
    FEATURES,
    FRAME,
    IMAGES,
    LABELS,
    MASKS,
    NUMBERS,
    ONE_HOT,
    POSITIVE,
    PRICES,
    ROWS,
    SERIES,
    SEVERAL,
    SHARES,
    SIGNS,
    STEP_LABELS,
    STEPS,
    VECTORS,
    X,
    added,
    check,
    column,
    compiled,
    convolutional,
    functional,
    image_to_image,
    nested,
    recurrent,
    replaced,
    sequential,
    time_distributed,
    two_outputs,
    unbuilt,
)
from keras import layers, losses, ops

from lossutils.losses.keras_losses import (
    GammaDeviance,
    GaussianNegativeLogLikelihood,
    TweedieDeviance,
)

SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam

WORDS = np.array(["no", "yes"])[BINARY]
GENERALIZED = losses.CategoricalGeneralizedCrossEntropy
FEW = np.arange(ROWS) % 5 == 0

# The letters of a word, from 1 on, filled up with 0.
WORD_LABELS = np.array([[1, 2, 0], [2, 1, 1], [1, 0, 0]])[np.arange(ROWS) % 3]
COUNTS_OF_CLASSES = np.array([[3, 1, 0], [2, 2, 5], [0, 4, 1]])[np.arange(ROWS) % 3]


def sparse_focal(y_true, y_pred):
    """A loss of the user's own that takes class numbers."""
    labels = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), CLASSES)
    right = ops.sum(labels * y_pred, axis=-1)
    return -ops.square(1 - right) * ops.log(right)


def only_the_prediction(y_true, y_pred):
    """A loss of the user's own, such as of triplets, that needs no targets."""
    return ops.mean(ops.square(y_pred), axis=-1)


def squared(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def speech(units=CLASSES):
    return keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.Dense(units),
        ]
    )


def ending_in(last):
    return keras.Sequential(
        [keras.Input((FEATURES,)), layers.Dense(8, activation="relu"), layers.Dense(1), last]
    )


def reshaped(activation):
    """A picture from rows of numbers, its shape the last thing."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(64, activation=activation),
            layers.Reshape((8, 8)),
        ]
    )


def ranked():
    """How much higher the score of one thing is than that of another."""
    score = sequential(1)
    one, other = keras.Input((4,)), keras.Input((4,))
    return keras.Model([one, other], layers.Subtract()([score(one), score(other)]))


def candidates(activation=None):
    """A word, and five others of which one stands beside it."""
    word, others = keras.Input((1,)), keras.Input((5,))
    both = [layers.Embedding(50, 4)(others), layers.Embedding(50, 4)(word)]
    scores = layers.Flatten()(layers.Dot(axes=(2, 2))(both))
    return keras.Model([word, others], layers.Activation(activation)(scores))


BESIDE = [np.arange(ROWS) % 50, np.random.default_rng(3).integers(50, size=(ROWS, 5))]
FIRST = np.eye(5)[np.zeros(ROWS, int)]


WRONG = {
    "string-targets": {
        "array": lambda: check(compiled(sequential(1, "sigmoid"), "bce"), X, WORDS),
        "Series": lambda: check(
            compiled(functional(1, "sigmoid"), "bce"), FRAME, pd.Series(WORDS, name="Churn")
        ),
        "list": lambda: check(compiled(unbuilt(1, "sigmoid"), "bce"), X, WORDS.tolist()),
        "categories": lambda: check(
            compiled(sequential(2, "softmax"), "sparse_categorical_crossentropy"),
            FRAME,
            pd.DataFrame({"Churn": pd.Categorical(WORDS)}),
        ),
        "tensor": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"), X, tf.constant(WORDS.tolist())
        ),
        "one of two outputs": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]), X, [NUMBERS, WORDS]
        ),
    },
    "integer-labels-dense-loss": {
        "flat": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"), X, LABELS
        ),
        "column": lambda: check(
            compiled(functional(3, "softmax"), losses.CategoricalCrossentropy()), X, column(LABELS)
        ),
        "Series": lambda: check(
            compiled(added(3, "softmax"), losses.categorical_crossentropy), FRAME, pd.Series(LABELS)
        ),
        "divergence": lambda: check(compiled(unbuilt(3, "softmax"), "kl_divergence"), X, LABELS),
        "hinge": lambda: check(
            compiled(sequential(3), "categorical_hinge"), X, tf.constant(LABELS)
        ),
        "each step": lambda: check(
            compiled(time_distributed(3, "softmax"), "categorical_crossentropy"),
            SERIES,
            STEP_LABELS,
        ),
        "images": lambda: check(
            compiled(convolutional(3, "softmax"), losses.CategoricalFocalCrossentropy()),
            IMAGES,
            LABELS,
        ),
    },
    "one-hot-sparse-loss": {
        "array": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"), X, ONE_HOT
        ),
        "get_dummies": lambda: check(
            compiled(functional(3, "softmax"), losses.SparseCategoricalCrossentropy()),
            FRAME,
            pd.get_dummies(pd.Series(LABELS)),
        ),
        "logits, tensor": lambda: check(
            compiled(unbuilt(3), losses.SparseCategoricalCrossentropy(from_logits=True)),
            X,
            tf.one_hot(LABELS, 3),
        ),
        "each step": lambda: check(
            compiled(time_distributed(3, "softmax"), "sparse_categorical_crossentropy"),
            SERIES,
            np.eye(3)[STEP_LABELS],
        ),
    },
    "label-out-of-range": {
        "from 1": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"), X, LABELS + 1
        ),
        "too few units": lambda: check(
            compiled(functional(2, "softmax"), losses.SparseCategoricalCrossentropy()),
            FRAME,
            pd.Series(LABELS),
        ),
        "-1": lambda: check(
            compiled(added(2, "softmax"), "sparse_categorical_crossentropy"), X, SIGNS
        ),
        "generalized": lambda: check(compiled(sequential(2, "softmax"), GENERALIZED()), X, LABELS),
        "not the ignored one": lambda: check(
            compiled(
                time_distributed(3, "softmax"),
                losses.SparseCategoricalCrossentropy(ignore_class=-1),
            ),
            SERIES,
            np.where(STEP_LABELS == 0, 3, STEP_LABELS),
        ),
    },
    "fractional-labels": {
        "resized masks": lambda: check(
            compiled(image_to_image(3, "softmax"), "sparse_categorical_crossentropy"),
            IMAGES,
            (MASKS + np.roll(MASKS, 1, axis=1))[..., 0] / 2,
        ),
        "halves": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"), X, LABELS / 2
        ),
        "scaled": lambda: check(
            compiled(functional(3, "softmax"), losses.SparseCategoricalCrossentropy()),
            FRAME,
            pd.Series((LABELS - LABELS.mean()) / LABELS.std()),
        ),
        "smoothed": lambda: check(
            compiled(unbuilt(2, "softmax"), "sparse_categorical_crossentropy"),
            X,
            0.1 + 0.8 * BINARY,
        ),
    },
    "binary-label-range": {
        "a mask that was divided by 255": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce"), IMAGES, MASKS / 255
        ),
        "signs": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy", ["accuracy"]), X, SIGNS
        ),
        "1 and 2": lambda: check(
            compiled(functional(1, "sigmoid"), losses.BinaryCrossentropy()),
            FRAME,
            pd.Series(BINARY + 1),
        ),
        "three classes": lambda: check(
            compiled(added(1, "sigmoid"), "binary_crossentropy"), X, column(LABELS)
        ),
        "pixels to 255": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce"), IMAGES, 255 * MASKS
        ),
        "logits": lambda: check(
            compiled(unbuilt(1), losses.BinaryFocalCrossentropy(from_logits=True)),
            X,
            tf.constant(SIGNS),
        ),
    },
    "hinge-labels": {
        "1 and 2": lambda: check(compiled(sequential(1), "hinge"), X, BINARY + 1),
        "three classes": lambda: check(
            compiled(functional(1), losses.SquaredHinge()), FRAME, pd.Series(LABELS)
        ),
        "smoothed": lambda: check(compiled(added(1, "tanh"), "hinge"), X, 0.05 + 0.9 * BINARY),
        "scaled": lambda: check(
            compiled(unbuilt(1), losses.hinge), X, (BINARY - BINARY.mean()) / 0.7
        ),
    },
    "several-labels-one-softmax": {
        "categorical": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"), X, SEVERAL
        ),
        "binary loss": lambda: check(
            compiled(functional(3, "softmax"), losses.BinaryCrossentropy()), X, SEVERAL
        ),
        "DataFrame": lambda: check(
            compiled(added(3, "softmax"), "categorical_crossentropy"),
            FRAME,
            pd.DataFrame(SEVERAL, columns=["cat", "dog", "bird"]).astype(bool),
        ),
        "logits": lambda: check(
            compiled(unbuilt(3), losses.CategoricalCrossentropy(from_logits=True)),
            X,
            tf.constant(SEVERAL),
        ),
        "divergence": lambda: check(compiled(nested(3, "softmax"), "kld"), X, SEVERAL),
    },
    "targets-no-distribution": {
        "numbers": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"), X, VECTORS
        ),
        "counts": lambda: check(
            compiled(functional(3, "softmax"), losses.KLDivergence()), X, COUNTS_OF_CLASSES
        ),
        "percentages": lambda: check(
            compiled(added(3, "softmax"), "kl_divergence"), FRAME, pd.DataFrame(100 * SHARES)
        ),
        "not normalized": lambda: check(
            compiled(unbuilt(3, "softmax"), "categorical_crossentropy"),
            X,
            SHARES / SHARES.max(axis=1, keepdims=True),
        ),
        "logits of the teacher": lambda: check(
            compiled(sequential(3), losses.CategoricalCrossentropy(from_logits=True)),
            X,
            3 * VECTORS,
        ),
    },
    "shape-mismatch": {
        "one unit for three targets": lambda: check(compiled(sequential(1), "mse"), X, VECTORS),
        "three units for one target": lambda: check(
            compiled(functional(3), losses.MeanAbsoluteError()), X, column(NUMBERS)
        ),
        "one unit for one-hot rows": lambda: check(
            compiled(unbuilt(1, "sigmoid"), "binary_crossentropy"), FRAME, pd.DataFrame(ONE_HOT)
        ),
        "sequences left": lambda: check(
            compiled(recurrent(3, "softmax", sequences=True), "sparse_categorical_crossentropy"),
            SERIES,
            LABELS,
        ),
        "sequences left, numbers": lambda: check(
            compiled(recurrent(1, sequences=True), "mse"), SERIES, NUMBERS
        ),
        "no pooling": lambda: check(
            compiled(image_to_image(3, "softmax"), "sparse_categorical_crossentropy"),
            IMAGES,
            LABELS,
        ),
        "mean without variance": lambda: check(
            compiled(sequential(1), GaussianNegativeLogLikelihood()), X, column(NUMBERS)
        ),
    },
    "regression-loss-for-classes": {
        "sigmoid": lambda: check(
            compiled(sequential(1, "sigmoid"), "mse", ["accuracy"]), X, BINARY
        ),
        "softmax": lambda: check(
            compiled(functional(3, "softmax"), losses.MeanSquaredError(), ["accuracy"]), X, ONE_HOT
        ),
        "softmax without accuracy, DataFrame": lambda: check(
            compiled(added(3, "softmax"), "mae"), FRAME, pd.get_dummies(pd.Series(LABELS))
        ),
        "numbers of classes": lambda: check(
            compiled(unbuilt(1), "mean_squared_error", ["accuracy"]), X, LABELS
        ),
        "two units": lambda: check(
            compiled(sequential(2, "sigmoid"), "mse", ["accuracy"]), X, np.eye(2)[BINARY]
        ),
    },
    "classification-loss-for-numbers": {
        "binary": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, NUMBERS
        ),
        "hinge": lambda: check(compiled(functional(1), losses.Hinge()), FRAME, pd.Series(NUMBERS)),
        "sparse": lambda: check(
            compiled(unbuilt(3, "softmax"), "sparse_categorical_crossentropy"), X, POSITIVE
        ),
        "logits": lambda: check(
            compiled(sequential(1), losses.BinaryCrossentropy(from_logits=True)),
            X,
            tf.constant(PRICES),
        ),
    },
    "targets-outside-output": {
        "pixels, reshaped": lambda: check(
            compiled(reshaped("sigmoid"), "mae"), IMAGES, (255 * IMAGES[..., 0]).astype("uint8")
        ),
        "sigmoid": lambda: check(compiled(sequential(1, "sigmoid"), "mse"), X, NUMBERS),
        "relu": lambda: check(
            compiled(functional(1, "relu"), losses.MeanAbsoluteError()), FRAME, pd.Series(NUMBERS)
        ),
        "tanh": lambda: check(compiled(added(1, "tanh"), losses.Huber()), X, column(3 * NUMBERS)),
        "softmax": lambda: check(compiled(unbuilt(3, "softmax"), "mse"), X, VECTORS),
        "an LSTM at the end": lambda: check(
            compiled(keras.Sequential([keras.Input((STEPS, FEATURES)), layers.LSTM(1)]), "mse"),
            SERIES,
            tf.constant(POSITIVE[:, None]),
        ),
        "counts": lambda: check(compiled(sequential(1, "sigmoid"), "poisson"), X, COUNTS),
    },
    "msle-negative-targets": {
        "linear": lambda: check(compiled(sequential(1), "msle"), X, NUMBERS),
        "softplus": lambda: check(
            compiled(functional(1, "softplus"), losses.MeanSquaredLogarithmicError()),
            FRAME,
            pd.Series(NUMBERS),
        ),
        "few": lambda: check(
            compiled(added(1), losses.mean_squared_logarithmic_error),
            X,
            column(replaced(POSITIVE, 3, -5.0)),
        ),
    },
    "mape-zero-targets": {
        "counts": lambda: check(compiled(sequential(1, "softplus"), "mape"), X, COUNTS),
        "some zeros": lambda: check(
            compiled(functional(1), losses.MeanAbsolutePercentageError()),
            FRAME,
            pd.Series(np.where(FEW, 0.0, POSITIVE)),
        ),
        "one zero": lambda: check(
            compiled(unbuilt(1), "mean_absolute_percentage_error"),
            X,
            column(replaced(NUMBERS, 5, 0.0)),
        ),
    },
    "poisson-targets": {
        "standardized": lambda: check(
            compiled(sequential(1, "exponential"), "poisson"),
            X,
            (COUNTS - COUNTS.mean()) / COUNTS.std(),
        ),
        "numbers": lambda: check(
            compiled(functional(1, "softplus"), losses.Poisson()), FRAME, pd.Series(NUMBERS)
        ),
        "-1 for missing": lambda: check(
            compiled(added(1, "exponential"), losses.poisson), X, np.where(FEW, -1, COUNTS)
        ),
        "amounts with zeros": lambda: check(
            compiled(sequential(1, "exponential"), GammaDeviance()), X, np.where(FEW, 0, POSITIVE)
        ),
        "amounts and refunds": lambda: check(
            compiled(sequential(1, "softplus"), TweedieDeviance()), X, np.where(FEW, -1, POSITIVE)
        ),
    },
    "generalized-column-labels": {
        "column": lambda: check(
            compiled(sequential(3, "softmax"), GENERALIZED()), X, column(LABELS)
        ),
        "DataFrame": lambda: check(
            compiled(functional(3, "softmax"), GENERALIZED(q=0.7)),
            FRAME,
            pd.DataFrame({"class": LABELS}),
        ),
        "Series, which Keras makes a column": lambda: check(
            compiled(unbuilt(3, "softmax"), GENERALIZED()), FRAME, pd.Series(LABELS)
        ),
    },
    "ctc-blank-label": {
        "numbered from 0": lambda: check(
            compiled(speech(4), "ctc"), SERIES, np.array([[0, 1, 2], [2, 0, 1]] * (ROWS // 2))
        ),
        "filled up in front": lambda: check(
            compiled(speech(), losses.CTC()), SERIES, WORD_LABELS[:, ::-1].copy()
        ),
        "one blank between": lambda: check(
            compiled(speech(4), losses.CTC()),
            SERIES,
            tf.constant(replaced(WORD_LABELS, (1, 1), 0).astype(int)),
        ),
    },
    "constant-targets": {
        "the others have no weight": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"),
            X,
            BINARY,
            sample_weight=(BINARY == 0).astype("float32"),
        ),
        "zeros": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, np.zeros(ROWS, int)
        ),
        "comparison with a word": lambda: check(
            compiled(functional(1, "sigmoid"), "bce"), FRAME, pd.Series(WORDS) == "Yes"
        ),
        "one-hot": lambda: check(
            compiled(added(3, "softmax"), "categorical_crossentropy"),
            X,
            keras.utils.to_categorical(np.ones(ROWS), 3),
        ),
        "a number": lambda: check(compiled(unbuilt(1), "mse"), X, np.full((ROWS, 1), 2.5)),
    },
    "targets-scale": {
        "millions and Adam": lambda: check(compiled(sequential(1), "mse"), X, PRICES),
        "hundreds and SGD": lambda: check(
            compiled(functional(1), losses.MeanSquaredError(), optimizer="sgd"),
            FRAME,
            pd.Series(300 + 80 * NUMBERS),
        ),
        "mean absolute error and Adam": lambda: check(
            compiled(unbuilt(1), "mae", optimizer=Adam(1e-3)), X, column(PRICES)
        ),
        "momentum": lambda: check(
            compiled(added(1), "mse", optimizer=SGD(0.01, momentum=0.9)), X, PRICES / 100_000
        ),
    },
}


NEAR = {
    "string-targets": {
        "numbered": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"), X, np.unique(WORDS, return_inverse=True)[1]
        ),
        "codes of categories": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"),
            FRAME,
            pd.Series(pd.Categorical(WORDS)).cat.codes,
        ),
        "comparison": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"), FRAME, pd.Series(WORDS) == "yes"
        ),
    },
    "integer-labels-dense-loss": {
        "to_categorical": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"),
            X,
            keras.utils.to_categorical(LABELS, 3),
        ),
        "sparse": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"), X, LABELS
        ),
    },
    "one-hot-sparse-loss": {
        "argmax": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"),
            X,
            ONE_HOT.argmax(axis=1),
        ),
        "each step": lambda: check(
            compiled(time_distributed(3, "softmax"), "sparse_categorical_crossentropy"),
            SERIES,
            STEP_LABELS,
        ),
        "each step, column": lambda: check(
            compiled(time_distributed(3, "softmax"), "sparse_categorical_crossentropy"),
            SERIES,
            STEP_LABELS[:, :, None],
        ),
    },
    "label-out-of-range": {
        "from 0": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"), X, LABELS
        ),
        "a unit too many": lambda: check(
            compiled(sequential(4, "softmax"), "sparse_categorical_crossentropy"), X, LABELS + 1
        ),
        "ignored": lambda: check(
            compiled(
                time_distributed(3, "softmax"),
                losses.SparseCategoricalCrossentropy(ignore_class=-1),
            ),
            SERIES,
            np.where(STEP_LABELS == 0, -1, STEP_LABELS),
        ),
        "border of the objects ignored": lambda: check(
            compiled(
                image_to_image(2, "softmax"),
                losses.SparseCategoricalCrossentropy(ignore_class=255),
            ),
            IMAGES,
            np.where(IMAGES > 0.9, 255, MASKS),
        ),
    },
    "fractional-labels": {
        "whole floats": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"),
            X,
            LABELS.astype("float32"),
        ),
        "rows of probabilities": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"), X, SHARES
        ),
    },
    "binary-label-range": {
        "a mask that has to be divided by 255, divided": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce"), IMAGES, (255 * MASKS) / 255
        ),
        "converted": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, (SIGNS + 1) / 2
        ),
        "Booleans": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, BINARY == 1
        ),
        "probabilities": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, SHARES[:, 0]
        ),
        "pixels to 1": lambda: check(compiled(image_to_image(1, "sigmoid"), "bce"), IMAGES, IMAGES),
        "-1 for missing, of weight 0": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"),
            X,
            np.where(FEW, -1, BINARY),
            sample_weight=np.where(FEW, 0.0, 1.0),
        ),
    },
    "hinge-labels": {
        "signs": lambda: check(compiled(sequential(1), "hinge"), X, SIGNS),
        "0 and 1": lambda: check(compiled(sequential(1), "squared_hinge"), X, BINARY),
        "floats": lambda: check(compiled(sequential(1), "hinge"), X, column(SIGNS.astype(float))),
        "Booleans": lambda: check(compiled(sequential(1), "hinge"), X, BINARY == 1),
    },
    "several-labels-one-softmax": {
        "sigmoid": lambda: check(
            compiled(sequential(3, "sigmoid"), "binary_crossentropy"), X, SEVERAL
        ),
        "one label": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"), X, ONE_HOT
        ),
    },
    "targets-no-distribution": {
        "probabilities": lambda: check(compiled(sequential(3, "softmax"), "kld"), X, SHARES),
        "rounded": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"), X, SHARES.round(3)
        ),
        "some without a class": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"),
            X,
            np.where(FEW[:, None], 0.0, ONE_HOT),
        ),
        "of half precision": lambda: check(
            compiled(sequential(3, "softmax"), "kld"), X, SHARES.astype("float16")
        ),
    },
    "shape-mismatch": {
        "(n,) for one unit": lambda: check(compiled(sequential(1), "mse"), X, NUMBERS),
        "three for three": lambda: check(compiled(sequential(3), "mse"), X, VECTORS),
        "images without the last axis": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "mse"), IMAGES, IMAGES[..., 0]
        ),
        "one label for a sequence": lambda: check(
            compiled(recurrent(3, "softmax"), "sparse_categorical_crossentropy"), SERIES, LABELS
        ),
        "mean and variance": lambda: check(
            compiled(sequential(2), GaussianNegativeLogLikelihood()), X, column(NUMBERS)
        ),
        "any length": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((None, FEATURES)),
                        layers.GRU(4, return_sequences=True),
                        layers.Dense(1),
                    ]
                ),
                "mse",
            ),
            SERIES,
            SERIES[..., 0],
        ),
    },
    "regression-loss-for-classes": {
        "cross-entropy": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy", ["accuracy"]), X, BINARY
        ),
        "numbers": lambda: check(compiled(sequential(1), "mse", ["mae"]), X, NUMBERS),
        "the four rows of XOR": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((2,)),
                        layers.Dense(4, activation="tanh"),
                        layers.Dense(1, activation="sigmoid"),
                    ]
                ),
                "mse",
                ["accuracy"],
            ),
            np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
            np.array([[0], [1], [1], [0]]),
        ),
        "the critic of a least-squares GAN": lambda: check(
            compiled(sequential(1), "mse"), X, BINARY
        ),
    },
    "classification-loss-for-numbers": {
        "regression": lambda: check(compiled(sequential(1), "mse"), X, NUMBERS),
        "probabilities": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, SHARES[:, 1]
        ),
    },
    "targets-outside-output": {
        "pixels from 0 to 1, reshaped": lambda: check(
            compiled(reshaped("sigmoid"), "mae"), IMAGES, IMAGES[..., 0]
        ),
        "linear": lambda: check(compiled(sequential(1), "mse"), X, NUMBERS),
        "scaled to 0 to 1": lambda: check(
            compiled(sequential(1, "sigmoid"), "mse"),
            X,
            (NUMBERS - NUMBERS.min()) / (NUMBERS.max() - NUMBERS.min()),
        ),
        "relu for positive numbers": lambda: check(
            compiled(sequential(1, "relu"), "mse"), X, POSITIVE
        ),
        "tanh for signs": lambda: check(compiled(sequential(1, "tanh"), "mse"), X, SIGNS),
        "scaled by the last layer": lambda: check(
            compiled(keras.Sequential([sequential(1, "sigmoid"), layers.Rescaling(20.0)]), "mse"),
            X,
            POSITIVE,
        ),
        "scaled by a function": lambda: check(
            compiled(
                keras.Sequential([sequential(1, "sigmoid"), layers.Lambda(lambda p: 20 * p)]),
                "mse",
            ),
            X,
            POSITIVE,
        ),
        "a loss of your own for class numbers": lambda: check(
            compiled(sequential(3, "softmax"), sparse_focal), X, LABELS
        ),
        "a loss of your own": lambda: check(compiled(sequential(1), squared), X, NUMBERS),
    },
    "msle-negative-targets": {
        "positive": lambda: check(compiled(sequential(1, "softplus"), "msle"), X, POSITIVE),
        "zeros": lambda: check(compiled(sequential(1, "relu"), "msle"), X, COUNTS),
    },
    "mape-zero-targets": {
        "positive": lambda: check(compiled(sequential(1, "softplus"), "mape"), X, POSITIVE),
        "zeros with another loss": lambda: check(
            compiled(sequential(1, "softplus"), "mae"), X, COUNTS
        ),
        "small": lambda: check(compiled(sequential(1), "mape"), X, POSITIVE / 1000),
    },
    "poisson-targets": {
        "counts": lambda: check(compiled(sequential(1, "exponential"), "poisson"), X, COUNTS),
        "rates": lambda: check(compiled(sequential(1, "softplus"), "poisson"), X, POSITIVE),
        "amounts": lambda: check(
            compiled(sequential(1, "exponential"), GammaDeviance()), X, POSITIVE
        ),
        "zeros for Tweedie": lambda: check(
            compiled(sequential(1, "exponential"), TweedieDeviance()), X, np.where(FEW, 0, POSITIVE)
        ),
    },
    "generalized-column-labels": {
        "flat": lambda: check(compiled(sequential(3, "softmax"), GENERALIZED()), X, LABELS),
        "another loss": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"), X, column(LABELS)
        ),
    },
    "ctc-blank-label": {
        "filled up behind": lambda: check(compiled(speech(), "ctc"), SERIES, WORD_LABELS),
    },
    "constant-targets": {
        "the better one of two first": lambda: check(
            compiled(ranked(), "hinge"), [X + 1, X], np.ones(ROWS)
        ),
        "the better one of two first, as a probability": lambda: check(
            compiled(ranked(), losses.BinaryCrossentropy(from_logits=True)),
            [X + 1, X],
            np.ones((ROWS, 1)),
        ),
        "the first of several candidates": lambda: check(
            compiled(candidates(), losses.BinaryCrossentropy(from_logits=True)), BESIDE, FIRST
        ),
        "the first of several candidates, by its number": lambda: check(
            compiled(candidates("softmax"), "sparse_categorical_crossentropy"),
            BESIDE,
            np.zeros(ROWS, int),
        ),
        "both classes": lambda: check(compiled(sequential(1, "sigmoid"), "bce"), X, BINARY),
        "few rows": lambda: check(compiled(sequential(1, "sigmoid"), "bce"), X[:3], np.zeros(3)),
        "unused by a loss of your own": lambda: check(
            compiled(sequential(3), only_the_prediction), X, np.zeros((ROWS, 1))
        ),
    },
    "targets-scale": {
        "standardized": lambda: check(
            compiled(sequential(1), "mse"), X, (PRICES - PRICES.mean()) / PRICES.std()
        ),
        "hundreds and Adam": lambda: check(compiled(sequential(1), "mse"), X, 300 + 80 * NUMBERS),
        "hundreds and a bounded gradient": lambda: check(
            compiled(sequential(1), "huber", optimizer="sgd"), X, 300 + 80 * NUMBERS
        ),
        "hundreds and clipped": lambda: check(
            compiled(sequential(1), "mse", optimizer=SGD(0.01, clipnorm=1.0)), X, 300 + 80 * NUMBERS
        ),
        "scaled back by the last layer": lambda: check(
            compiled(
                ending_in(
                    layers.Normalization(
                        mean=PRICES.mean(), variance=PRICES.var(), invert=True, axis=None
                    )
                ),
                "mse",
            ),
            X,
            PRICES,
        ),
        "scaled back by Rescaling": lambda: check(
            compiled(ending_in(layers.Rescaling(PRICES.std(), PRICES.mean())), "mae"), X, PRICES
        ),
    },
}
