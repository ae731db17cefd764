"""Set-ups for the rules on the output layer and the loss; see test_checks_rules.py."""

import functools

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from check_setups import (
    BINARY,
    COUNTS,
    FEATURES,
    FRAME,
    IMAGES,
    LABELS,
    MASKS,
    NUMBERS,
    ONE_HOT,
    POSITIVE,
    SERIES,
    SEVERAL,
    SHARES,
    SIGNS,
    STEP_LABELS,
    STEPS,
    VECTORS,
    Perceptron,
    TensorFlowPerceptron,
    X,
    activation_layer,
    added,
    built_perceptron,
    check,
    column,
    compiled,
    convolutional,
    functional,
    functional_ops,
    image_to_image,
    nested,
    of_float64,
    pooled_scores,
    recurrent,
    sequential,
    time_distributed,
    two_outputs,
    unbuilt,
)
from keras import layers, losses, ops

from lossutils.losses.keras_losses import GammaDeviance, OrdinalCrossentropy, TweedieDeviance


def hidden_then(*last):
    """Return a Sequential that ends in these layers."""
    return keras.Sequential([keras.Input((FEATURES,)), layers.Dense(8, activation="relu"), *last])


def second_of_two():
    """Return the probability of class 1 alone, from a softmax over two units."""
    inputs = keras.Input((FEATURES,))
    probabilities = layers.Dense(2, activation="softmax")(inputs)
    return keras.Model(inputs, probabilities[:, 1:])


def pointer():
    """Choose one of the steps of a series."""
    inputs = keras.Input((STEPS, FEATURES))
    shares = layers.Softmax(axis=1)(layers.Dense(1)(inputs))
    return keras.Model(inputs, layers.Flatten()(shares))


# Losses as a user writes them


class Squared(losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred))


class Absolute(losses.Loss):
    def call(self, y_true, y_pred):
        return ops.abs(ops.cast(y_true, y_pred.dtype) - y_pred)


class Weighted(losses.Loss):
    def __init__(self, weight=2.0, **options):
        super().__init__(**options)
        self.weight = weight

    def call(self, y_true, y_pred):
        error = ops.cast(y_true, y_pred.dtype) - y_pred
        return ops.mean(ops.where(error > 0, self.weight * error, -error), axis=-1)


class Reshaping(losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(ops.reshape(y_true, ops.shape(y_pred)) - y_pred), axis=-1)


def squared(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def symmetric(y_pred, y_true):
    return ops.mean(ops.abs(y_pred - y_true), axis=-1)


def exchanged_crossentropy(y_pred, y_true):
    return -ops.mean(y_true * ops.log(y_pred + 1e-7), axis=-1)


def right_crossentropy(y_true, y_pred):
    return -ops.mean(y_true * ops.log(y_pred + 1e-7), axis=-1)


def quantile_loss(y_hat, target):
    return ops.mean(ops.maximum(0.9 * (target - y_hat), 0.1 * (y_hat - target)), axis=-1)


class ExchangedLoss(losses.Loss):
    def call(self, predictions, targets):
        return ops.mean(ops.square(ops.log1p(predictions) - targets), axis=-1)


def dice_score(y_true, y_pred):
    """The overlap, which is large for good predictions."""
    y_true = ops.cast(y_true, y_pred.dtype)
    return (2 * ops.sum(y_true * y_pred) + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


def dice_loss(y_true, y_pred):
    return 1 - dice_score(y_true, y_pred)


def likelihood(y_true, y_pred):
    right = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    return ops.mean(ops.log(ops.maximum(right, 1e-7)), axis=-1)


class SoftAccuracy(losses.Loss):
    def call(self, y_true, y_pred):
        y_true = ops.reshape(ops.cast(y_true, y_pred.dtype), ops.shape(y_pred))
        return ops.mean(1 - ops.abs(y_true - y_pred), axis=-1)


FOCAL = losses.BinaryFocalCrossentropy


def half_activation(name):
    return layers.Activation(name, dtype="mixed_float16")


def bfloat_activation(name):
    return layers.Activation(name, dtype="mixed_bfloat16")


def in_half(way, units, activation, dtype="mixed_float16"):
    """A model whose layers compute in half precision."""
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(8, activation="relu", dtype=dtype),
            layers.Dense(units, dtype=dtype),
            way(activation),
        ]
    )


def masks(loss):
    return check(compiled(image_to_image(1, "sigmoid"), loss), IMAGES, MASKS)


def attention(weights):
    """The mean of steps, each times its weight."""
    inputs = keras.Input(SERIES.shape[1:])
    scores = hidden = layers.LSTM(4, return_sequences=True)(inputs)
    for layer in weights:
        scores = layer(scores)
    mixed = layers.Flatten()(layers.Dot(axes=1)([scores, hidden]))
    return compiled(keras.Model(inputs, layers.Dense(1)(mixed)), "mse")


WRONG = {
    "half-precision-output": {
        "sigmoid": lambda: check(
            compiled(in_half(half_activation, 1, "sigmoid"), "binary_crossentropy"), X, BINARY
        ),
        "softmax": lambda: check(
            compiled(in_half(half_activation, 3, "softmax"), "sparse_categorical_crossentropy"),
            *(FRAME, LABELS),
        ),
        "bfloat16": lambda: check(
            compiled(
                in_half(bfloat_activation, 3, "softmax", "mixed_bfloat16"),
                losses.CategoricalCrossentropy(),
            ),
            X,
            ONE_HOT,
        ),
    },
    "overlap-axis": {
        "dice": lambda: masks(losses.Dice(axis=-1)),
        "tversky": lambda: masks(losses.Tversky(axis=-1)),
        "the last axis by its number": lambda: masks(losses.Dice(axis=(3,))),
    },
    "parameters-not-saved": {
        "Huber": lambda: check(compiled(sequential(1), losses.Huber(delta=5.0)), X, NUMBERS),
        "small delta": lambda: check(
            compiled(functional(1), losses.Huber(delta=0.1)), FRAME, pd.Series(NUMBERS)
        ),
        "cosine": lambda: check(
            compiled(sequential(3), losses.CosineSimilarity(axis=0)), X, VECTORS
        ),
    },
    "dropout-on-output": {
        "sigmoid": lambda: check(
            compiled(
                hidden_then(layers.Dense(1, activation="sigmoid"), layers.Dropout(0.5)), "bce"
            ),
            X,
            BINARY,
        ),
        "softmax layer": lambda: check(
            compiled(
                hidden_then(layers.Dense(3), layers.Softmax(), layers.Dropout(0.2)),
                "sparse_categorical_crossentropy",
            ),
            FRAME,
            pd.Series(LABELS),
        ),
        "functional, a number": lambda: check(
            compiled(
                keras.Model(
                    inputs := keras.Input((FEATURES,)),
                    layers.Dropout(0.1)(layers.Dense(1)(inputs)),
                ),
                losses.MeanSquaredError(),
            ),
            X,
            NUMBERS,
        ),
        "each step": lambda: check(
            compiled(
                keras.Sequential([time_distributed(3, "softmax"), layers.SpatialDropout1D(0.2)]),
                "sparse_categorical_crossentropy",
            ),
            SERIES,
            STEP_LABELS,
        ),
    },
    "wrong-sign-loss": {
        "overlap": lambda: check(
            compiled(image_to_image(1, "sigmoid"), dice_score), IMAGES, MASKS.astype("float32")
        ),
        "logarithm of the likelihood": lambda: check(
            compiled(sequential(1, "sigmoid"), likelihood), X, column(BINARY).astype("float32")
        ),
        "share of right answers": lambda: check(
            compiled(functional(1, "sigmoid"), SoftAccuracy()), FRAME, pd.Series(BINARY)
        ),
        "one-hot": lambda: check(
            compiled(
                unbuilt(3, "softmax"), lambda y, p: ops.sum(ops.cast(y, p.dtype) * p, axis=-1)
            ),
            X,
            ONE_HOT,
        ),
    },
    "softmax-one-unit": {
        "a normalization of one unit": lambda: check(
            compiled(keras.Sequential([sequential(1), layers.LayerNormalization()]), "mse"),
            X,
            NUMBERS,
        ),
        "one unit brought to length 1": lambda: check(
            compiled(keras.Sequential([functional(1), layers.UnitNormalization()]), "mse"),
            X,
            NUMBERS,
        ),
        "weights of steps": lambda: check(
            attention([layers.Dense(1, activation="softmax")]), SERIES, NUMBERS
        ),
        "weights of steps, a layer of its own": lambda: check(
            attention([layers.Dense(1), layers.Softmax()]), SERIES, NUMBERS
        ),
        "weights of steps, an activation": lambda: check(
            attention([layers.Dense(1), layers.Activation("softmax")]), SERIES, NUMBERS
        ),
        "sequential": lambda: check(
            compiled(sequential(1, "softmax"), "binary_crossentropy", ["accuracy"]), X, BINARY
        ),
        "functional, class, DataFrame": lambda: check(
            compiled(functional(1, "softmax"), losses.BinaryCrossentropy()),
            FRAME,
            pd.DataFrame({"churn": BINARY}),
        ),
        "layer of its own, Series": lambda: check(
            compiled(added(1, "softmax"), "binary_crossentropy"), FRAME, pd.Series(BINARY)
        ),
        "for a number": lambda: check(compiled(sequential(1, "softmax"), "mse"), X, NUMBERS),
        "unbuilt": lambda: check(compiled(unbuilt(1, "softmax"), "bce"), X, column(BINARY)),
        "subclassed": lambda: check(compiled(Perceptron(1, "softmax"), "bce"), X, BINARY),
        "one output of two": lambda: check(
            compiled(two_outputs(label=(1, "softmax")), ["mse", "binary_crossentropy"]),
            X,
            [NUMBERS, BINARY],
        ),
        "function of TensorFlow": lambda: check(
            compiled(sequential(1, tf.nn.softmax), "binary_crossentropy"), X, tf.constant(BINARY)
        ),
    },
    "double-activation": {
        "relu, and the loss squashes": lambda: check(
            compiled(sequential(1, "relu"), losses.BinaryCrossentropy(from_logits=True)), X, BINARY
        ),
        "tanh, and the loss squashes": lambda: check(
            compiled(functional(3, "tanh"), losses.SparseCategoricalCrossentropy(from_logits=True)),
            X,
            LABELS,
        ),
        "relu by itself, and the loss squashes": lambda: check(
            compiled(added(3, "relu"), losses.CategoricalCrossentropy(from_logits=True)), X, ONE_HOT
        ),
        "relu before ordered thresholds": lambda: check(
            compiled(sequential(2, "relu"), OrdinalCrossentropy()), X, LABELS
        ),
        "relu, then sigmoid": lambda: check(
            compiled(
                hidden_then(layers.Dense(1, activation="relu"), layers.Activation("sigmoid")), "bce"
            ),
            X,
            BINARY,
        ),
        "softmax twice": lambda: check(
            compiled(
                hidden_then(layers.Dense(3, activation="softmax"), layers.Softmax()),
                "sparse_categorical_crossentropy",
            ),
            X,
            LABELS,
        ),
        "sigmoid, then softmax": lambda: check(
            compiled(
                hidden_then(layers.Dense(3, activation="sigmoid"), layers.Activation("softmax")),
                "categorical_crossentropy",
            ),
            X,
            ONE_HOT,
        ),
        "a head on a body with softmax": lambda: check(
            compiled(
                keras.Sequential([sequential(3, "softmax"), layers.Softmax()]),
                "categorical_crossentropy",
            ),
            X,
            ONE_HOT,
        ),
        "tanh, then ops.sigmoid": lambda: check(
            compiled(
                keras.Model(
                    inputs := keras.Input((FEATURES,)),
                    ops.sigmoid(layers.Dense(1, activation="tanh")(inputs)),
                ),
                "bce",
            ),
            X,
            BINARY,
        ),
    },
    "logits-as-probabilities": {
        "linear": lambda: check(compiled(sequential(1), "binary_crossentropy"), X, BINARY),
        "linear, three classes": lambda: check(
            compiled(functional(3), losses.SparseCategoricalCrossentropy()), X, LABELS
        ),
        "tanh": lambda: check(compiled(added(1, "tanh"), losses.BinaryCrossentropy()), X, BINARY),
        "relu, function": lambda: check(
            compiled(unbuilt(1, "relu"), losses.binary_crossentropy), X, pd.Series(BINARY)
        ),
        "subclassed": lambda: check(
            compiled(Perceptron(3), "categorical_crossentropy"), X, tf.constant(ONE_HOT)
        ),
        "TensorFlow in the call": lambda: check(
            compiled(TensorFlowPerceptron(3), "categorical_crossentropy"), X, ONE_HOT
        ),
        "each pixel": lambda: check(compiled(image_to_image(), "bce"), IMAGES, MASKS),
        "focal": lambda: check(compiled(nested(1), FOCAL()), X, BINARY),
        "batch normalization last": lambda: check(
            compiled(hidden_then(layers.Dense(1), layers.BatchNormalization()), "bce"), X, BINARY
        ),
        "chosen by the shapes": lambda: check(compiled(sequential(3), "crossentropy"), X, LABELS),
    },
    "probabilities-as-logits": {
        "a softmax before ordered thresholds": lambda: check(
            compiled(sequential(2, "softmax"), OrdinalCrossentropy()), X, LABELS
        ),
        "sigmoids before ordered thresholds": lambda: check(
            compiled(functional(2, "sigmoid"), OrdinalCrossentropy()), X, LABELS
        ),
        "a subclass before ordered thresholds": lambda: check(
            compiled(Perceptron(2, "sigmoid"), OrdinalCrossentropy()), FRAME, pd.Series(LABELS)
        ),
        "sigmoid": lambda: check(
            compiled(sequential(1, "sigmoid"), losses.BinaryCrossentropy(from_logits=True)),
            X,
            BINARY,
        ),
        "softmax layer": lambda: check(
            compiled(added(3, "softmax"), losses.SparseCategoricalCrossentropy(from_logits=True)),
            X,
            LABELS,
        ),
        "function with a parameter": lambda: check(
            compiled(
                functional(1, "sigmoid"),
                functools.partial(losses.binary_crossentropy, from_logits=True),
            ),
            FRAME,
            pd.Series(BINARY),
        ),
        "each step": lambda: check(
            compiled(
                time_distributed(3, "softmax"),
                losses.SparseCategoricalCrossentropy(from_logits=True),
            ),
            SERIES,
            STEP_LABELS,
        ),
        "subclassed and built": lambda: check(
            compiled(
                built_perceptron(3, "softmax"), losses.CategoricalCrossentropy(from_logits=True)
            ),
            X,
            ONE_HOT,
        ),
    },
    "sigmoid-categorical": {
        "softmax over the steps": lambda: check(
            compiled(
                keras.Sequential([recurrent(3, sequences=True), layers.Softmax(axis=1)]),
                "sparse_categorical_crossentropy",
            ),
            SERIES,
            STEP_LABELS,
        ),
        "sequential": lambda: check(
            compiled(sequential(3, "sigmoid"), "categorical_crossentropy"), X, ONE_HOT
        ),
        "numbered labels": lambda: check(
            compiled(functional_ops(3, "sigmoid"), "sparse_categorical_crossentropy"), X, LABELS
        ),
        "two classes": lambda: check(
            compiled(added(2, "sigmoid"), losses.SparseCategoricalCrossentropy()), X, BINARY
        ),
        "divergence": lambda: check(compiled(unbuilt(3, "sigmoid"), "kld"), X, SHARES),
        "images": lambda: check(
            compiled(convolutional(3, "sigmoid"), losses.CategoricalFocalCrossentropy()),
            IMAGES,
            pd.get_dummies(pd.Series(LABELS)),
        ),
    },
    "one-unit-categorical": {
        "sigmoid": lambda: check(
            compiled(sequential(1, "sigmoid"), "categorical_crossentropy"), X, column(BINARY)
        ),
        "numbered labels and logits": lambda: check(
            compiled(functional(1), losses.SparseCategoricalCrossentropy(from_logits=True)),
            X,
            BINARY,
        ),
        "subclassed": lambda: check(
            compiled(Perceptron(1, "sigmoid"), "sparse_categorical_crossentropy"), X, LABELS
        ),
        "hinge": lambda: check(compiled(unbuilt(1), "categorical_hinge"), X, column(BINARY)),
        "direction of a number": lambda: check(
            compiled(sequential(1), "cosine_similarity"), X, NUMBERS
        ),
    },
    "softmax-binary-loss": {
        "sequential": lambda: check(
            compiled(sequential(3, "softmax"), "binary_crossentropy", ["accuracy"]), X, ONE_HOT
        ),
        "images, DataFrame": lambda: check(
            compiled(convolutional(3, "softmax"), losses.BinaryCrossentropy()),
            IMAGES,
            pd.get_dummies(pd.Series(LABELS)),
        ),
        "focal": lambda: check(compiled(functional_ops(3, "softmax"), FOCAL()), X, ONE_HOT),
        "each step": lambda: check(
            compiled(time_distributed(3, "softmax"), "bce"), SERIES, np.eye(3)[STEP_LABELS]
        ),
    },
    "hinge-output": {
        "sigmoid": lambda: check(compiled(sequential(1, "sigmoid"), "hinge"), X, SIGNS),
        "relu": lambda: check(
            compiled(functional(1, "relu"), losses.SquaredHinge()), X, column(BINARY)
        ),
        "softmax over two": lambda: check(
            compiled(sequential(2, "softmax"), losses.Hinge()), X, np.eye(2)[BINARY]
        ),
        "layer of its own": lambda: check(
            compiled(added(1, "sigmoid"), losses.squared_hinge), FRAME, pd.Series(SIGNS)
        ),
    },
    "poisson-output": {
        "linear": lambda: check(compiled(sequential(1), "poisson"), X, COUNTS),
        "tanh": lambda: check(compiled(functional(1, "tanh"), losses.Poisson()), X, COUNTS),
        "subclassed": lambda: check(compiled(Perceptron(1), losses.poisson), X, column(COUNTS)),
        "leaky relu": lambda: check(
            compiled(hidden_then(layers.Dense(1), layers.LeakyReLU()), "poisson"),
            FRAME,
            pd.DataFrame({"visits": COUNTS}),
        ),
        "amounts": lambda: check(compiled(sequential(1), GammaDeviance()), X, POSITIVE),
        "a relu of amounts": lambda: check(
            compiled(sequential(1, "relu"), TweedieDeviance()), X, POSITIVE
        ),
    },
    "unknown-loss": {
        "a word of another library": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", ["accuracy", "precision_score"]), X, BINARY
        ),
        "of Keras 2": lambda: check(compiled(sequential(1), "logcosh"), X, NUMBERS),
        "misspelled": lambda: check(
            compiled(functional(1, "sigmoid"), "binary_cross_entropy"), X, BINARY
        ),
        "a metric": lambda: check(compiled(unbuilt(1), "rmse"), X, NUMBERS),
        "one of two": lambda: check(
            compiled(two_outputs(), {"price": "huber_loss", "label": "binary_crossentropy"}),
            X,
            {"price": NUMBERS, "label": BINARY},
        ),
    },
    "broadcasting-loss": {
        "one value": lambda: check(compiled(sequential(1), Squared()), X, NUMBERS),
        "a value each": lambda: check(compiled(functional(1), Absolute()), X, NUMBERS),
        "mean of the last axis": lambda: check(
            compiled(Perceptron(1), Weighted(3.0)), X, tf.constant(NUMBERS)
        ),
        "labels": lambda: check(compiled(unbuilt(1, "sigmoid"), Squared()), X, BINARY),
    },
    "swapped-arguments": {
        "function": lambda: check(
            compiled(sequential(3, "softmax"), exchanged_crossentropy), X, ONE_HOT
        ),
        "other words": lambda: check(compiled(functional(1), quantile_loss), X, column(NUMBERS)),
        "class": lambda: check(
            compiled(sequential(1, "softplus"), ExchangedLoss()), X, column(POSITIVE)
        ),
        "lambda": lambda: check(
            compiled(unbuilt(1), lambda y_pred, y_true: ops.exp(y_true - y_pred)),
            X,
            column(NUMBERS),
        ),
    },
    "focal-alpha-ignored": {
        "class": lambda: check(compiled(sequential(1, "sigmoid"), FOCAL(alpha=0.9)), X, BINARY),
        "with gamma": lambda: check(
            compiled(functional(1, "sigmoid"), FOCAL(alpha=0.75, gamma=3.0)), X, pd.Series(BINARY)
        ),
        "with logits": lambda: check(
            compiled(added(1), FOCAL(alpha=0.5, from_logits=True)), X, BINARY
        ),
        "function": lambda: check(
            compiled(
                unbuilt(1, "sigmoid"),
                functools.partial(losses.binary_focal_crossentropy, alpha=0.8),
            ),
            X,
            BINARY,
        ),
    },
    # Of the version of Keras that is installed here.
    "tversky-exchanged": {
        "for recall": lambda: check(
            compiled(image_to_image(1, "sigmoid"), losses.Tversky(alpha=0.3, beta=0.7)),
            IMAGES,
            MASKS,
        ),
        "for precision": lambda: check(
            compiled(image_to_image(1, "sigmoid"), losses.Tversky(alpha=0.8, beta=0.2)),
            IMAGES,
            MASKS,
        ),
        "one of them given": lambda: check(
            compiled(sequential(3, "sigmoid"), losses.Tversky(beta=0.9)), X, SEVERAL
        ),
    },
    "label-smoothing-floor": {
        "two classes": lambda: check(
            compiled(sequential(1, "sigmoid"), losses.BinaryCrossentropy(label_smoothing=0.1)),
            X,
            BINARY,
        ),
        "three classes": lambda: check(
            compiled(functional(3, "softmax"), losses.CategoricalCrossentropy(label_smoothing=0.2)),
            X,
            ONE_HOT,
        ),
        "logits, function": lambda: check(
            compiled(
                unbuilt(3),
                functools.partial(
                    losses.categorical_crossentropy, from_logits=True, label_smoothing=0.1
                ),
            ),
            X,
            ONE_HOT,
        ),
    },
}

NEAR = {
    "half-precision-output": {
        "the output in float32": lambda: check(
            compiled(in_half(layers.Activation, 1, "sigmoid"), "binary_crossentropy"), X, BINARY
        ),
        "logits": lambda: check(
            compiled(
                in_half(half_activation, 1, "linear"), losses.BinaryCrossentropy(from_logits=True)
            ),
            X,
            BINARY,
        ),
        "float64": lambda: check(
            compiled(of_float64(1, "sigmoid"), "binary_crossentropy"), X, BINARY
        ),
    },
    "overlap-axis": {
        "each picture": lambda: masks(losses.Dice(axis=(1, 2, 3))),
        "the batch": lambda: masks(losses.Tversky()),
        "rows of labels": lambda: check(
            compiled(sequential(3, "sigmoid"), losses.Dice(axis=-1)), X, SEVERAL
        ),
    },
    "parameters-not-saved": {
        "the default": lambda: check(compiled(sequential(1), losses.Huber()), X, NUMBERS),
        "saved": lambda: check(
            compiled(sequential(3, "softmax"), losses.CategoricalCrossentropy(label_smoothing=0.1)),
            X,
            ONE_HOT,
        ),
    },
    "dropout-on-output": {
        "before the output": lambda: check(
            compiled(
                hidden_then(layers.Dropout(0.5), layers.Dense(1, activation="sigmoid")), "bce"
            ),
            X,
            BINARY,
        ),
        "before and after the hidden layer": lambda: check(
            compiled(added(3, "softmax"), "sparse_categorical_crossentropy"), X, LABELS
        ),
    },
    "wrong-sign-loss": {
        "one minus the overlap": lambda: check(
            compiled(image_to_image(1, "sigmoid"), dice_loss), IMAGES, MASKS.astype("float32")
        ),
        "minus the logarithm": lambda: check(
            compiled(sequential(1, "sigmoid"), lambda y, p: -likelihood(y, p)),
            X,
            column(BINARY).astype("float32"),
        ),
        "squared": lambda: check(
            compiled(sequential(3, "softmax"), squared), X, ONE_HOT.astype("float32")
        ),
    },
    "softmax-one-unit": {
        "a normalization of several units": lambda: check(
            compiled(
                keras.Sequential([sequential(3), layers.LayerNormalization(), layers.Dense(1)]),
                "mse",
            ),
            X,
            NUMBERS,
        ),
        "a normalization over the steps": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        time_distributed(1),
                        layers.LayerNormalization(axis=1),
                        layers.Flatten(),
                        layers.Dense(1),
                    ]
                ),
                "mse",
            ),
            SERIES,
            NUMBERS,
        ),
        "weights over the steps": lambda: check(
            attention([layers.Dense(1), layers.Softmax(axis=1)]), SERIES, NUMBERS
        ),
        "weights of steps, exchanged": lambda: check(
            attention(
                [layers.Dense(1), layers.Permute((2, 1)), layers.Softmax(), layers.Permute((2, 1))]
            ),
            SERIES,
            NUMBERS,
        ),
        "sigmoid": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy", ["accuracy"]), X, BINARY
        ),
        "two units": lambda: check(
            compiled(sequential(2, "softmax"), "sparse_categorical_crossentropy"), X, BINARY
        ),
        "the second of two units": lambda: check(compiled(second_of_two(), "bce"), X, BINARY),
    },
    "double-activation": {
        "linear, and the loss squashes": lambda: check(
            compiled(functional(3), losses.SparseCategoricalCrossentropy(from_logits=True)),
            X,
            LABELS,
        ),
        "relu before the mean of scores, and the loss squashes": lambda: check(
            compiled(
                pooled_scores(),
                losses.SparseCategoricalCrossentropy(from_logits=True),
            ),
            IMAGES,
            LABELS,
        ),
        "relu in the hidden layer": lambda: check(
            compiled(
                hidden_then(
                    layers.Dense(8), layers.ReLU(), layers.Dense(1), layers.Activation("sigmoid")
                ),
                "bce",
            ),
            X,
            BINARY,
        ),
        "normalized between": lambda: check(
            compiled(
                hidden_then(
                    layers.Dense(3), layers.BatchNormalization(), activation_layer("softmax")
                ),
                "categorical_crossentropy",
            ),
            X,
            ONE_HOT,
        ),
        "linear, then softmax": lambda: check(
            compiled(
                hidden_then(layers.Dense(3, activation="linear"), layers.Softmax()),
                "categorical_crossentropy",
            ),
            X,
            ONE_HOT,
        ),
        # As in SqueezeNet (Iandola et al., 2016): the scores of a softmax need no sign.
        "relu before the pooling of scores": lambda: check(
            compiled(
                pooled_scores(layers.Softmax()),
                "sparse_categorical_crossentropy",
            ),
            IMAGES,
            LABELS,
        ),
        "in float32 after mixed precision": lambda: check(
            compiled(
                hidden_then(
                    layers.Dense(3, activation="softmax"),
                    layers.Activation("linear", dtype="float32"),
                ),
                "categorical_crossentropy",
            ),
            X,
            ONE_HOT,
        ),
    },
    "logits-as-probabilities": {
        "from_logits": lambda: check(
            compiled(sequential(1), losses.BinaryCrossentropy(from_logits=True)), X, BINARY
        ),
        "a sigmoid of your own": lambda: check(
            compiled(sequential(1, lambda x: 1 / (1 + ops.exp(-x))), "bce"), X, BINARY
        ),
        "a sigmoid of TensorFlow": lambda: check(
            compiled(sequential(1, tf.math.sigmoid), "bce"), X, BINARY
        ),
        "hard sigmoid": lambda: check(compiled(sequential(1, "hard_sigmoid"), "bce"), X, BINARY),
        "the other probability": lambda: check(
            compiled(
                hidden_then(layers.Dense(1, activation="sigmoid"), layers.Lambda(lambda p: 1 - p)),
                "bce",
            ),
            X,
            BINARY,
        ),
        "the other probability, without a layer": lambda: check(
            compiled(
                keras.Model(
                    inputs := keras.Input((FEATURES,)),
                    1 - layers.Dense(1, activation="sigmoid")(inputs),
                ),
                "bce",
            ),
            X,
            BINARY,
        ),
        "a cast at the end": lambda: check(
            compiled(
                hidden_then(
                    layers.Dense(3, activation="softmax"),
                    layers.Lambda(lambda p: ops.cast(p, "float32")),
                ),
                "categorical_crossentropy",
            ),
            X,
            ONE_HOT,
        ),
        "clipped": lambda: check(
            compiled(
                hidden_then(
                    layers.Dense(1, activation="sigmoid"),
                    layers.Lambda(lambda p: ops.clip(p, 0.01, 0.99)),
                ),
                "bce",
            ),
            X,
            BINARY,
        ),
    },
    "probabilities-as-logits": {
        "logits of ordered thresholds": lambda: check(
            compiled(functional(2), OrdinalCrossentropy()), X, LABELS
        ),
        "without from_logits": lambda: check(
            compiled(sequential(1, "sigmoid"), losses.BinaryCrossentropy(from_logits=False)),
            X,
            BINARY,
        ),
        "without activation": lambda: check(
            compiled(time_distributed(3), losses.SparseCategoricalCrossentropy(from_logits=True)),
            SERIES,
            STEP_LABELS,
        ),
    },
    "sigmoid-categorical": {
        "softmax over the last axis, by its number": lambda: check(
            compiled(
                keras.Sequential([recurrent(3, sequences=True), layers.Softmax(axis=2)]),
                "sparse_categorical_crossentropy",
            ),
            SERIES,
            STEP_LABELS,
        ),
        "softmax": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"), X, ONE_HOT
        ),
        "several labels": lambda: check(compiled(sequential(3, "sigmoid"), "bce"), X, SEVERAL),
        "softmax over the steps": lambda: check(
            compiled(pointer(), "sparse_categorical_crossentropy"), SERIES, STEP_LABELS[:, 0]
        ),
    },
    "one-unit-categorical": {
        "binary": lambda: check(
            compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, column(BINARY)
        ),
        "two units": lambda: check(
            compiled(functional(2), losses.SparseCategoricalCrossentropy(from_logits=True)),
            X,
            BINARY,
        ),
        "direction of a vector": lambda: check(
            compiled(sequential(3), "cosine_similarity"), X, VECTORS
        ),
    },
    "softmax-binary-loss": {
        "categorical": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy", ["accuracy"]), X, ONE_HOT
        ),
        "sigmoid": lambda: check(
            compiled(sequential(3, "sigmoid"), "binary_crossentropy"), X, SEVERAL
        ),
        "two units": lambda: check(
            compiled(sequential(2, "softmax"), "binary_crossentropy"), X, np.eye(2)[BINARY]
        ),
    },
    "hinge-output": {
        "linear": lambda: check(compiled(sequential(1), "hinge"), X, SIGNS),
        "tanh": lambda: check(compiled(added(1, "tanh"), "squared_hinge"), X, SIGNS),
    },
    "poisson-output": {
        "exponential": lambda: check(compiled(sequential(1, "exponential"), "poisson"), X, COUNTS),
        "softplus": lambda: check(compiled(Perceptron(1, "softplus"), "poisson"), X, COUNTS),
        "ops.exp": lambda: check(compiled(functional_ops(1, "exponential"), "poisson"), X, COUNTS),
        "a relu of counts": lambda: check(compiled(sequential(1, "relu"), "poisson"), X, COUNTS),
        "amounts": lambda: check(compiled(sequential(1, "softplus"), GammaDeviance()), X, POSITIVE),
    },
    "unknown-loss": {
        "a metric by its class": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce", ["acc", "AUC", "Precision"]), X, BINARY
        ),
        "short": lambda: check(compiled(sequential(1), "MSE"), X, NUMBERS),
        "log_cosh": lambda: check(compiled(sequential(1), "log_cosh"), X, NUMBERS),
        "by the shapes": lambda: check(compiled(sequential(3, "softmax"), "CE"), X, ONE_HOT),
        "class name": lambda: check(compiled(sequential(1), "MeanSquaredError"), X, NUMBERS),
    },
    "broadcasting-loss": {
        "column": lambda: check(compiled(sequential(1), Squared()), X, column(NUMBERS)),
        "Series, which Keras makes a column": lambda: check(
            compiled(sequential(1), Squared()), X, pd.Series(NUMBERS)
        ),
        "function, for which Keras reshapes": lambda: check(
            compiled(sequential(1), squared), X, NUMBERS
        ),
        "reshaped by the loss": lambda: check(compiled(sequential(1), Reshaping()), X, NUMBERS),
        "of Keras": lambda: check(compiled(sequential(1), losses.Huber(delta=2.0)), X, NUMBERS),
    },
    "swapped-arguments": {
        "right": lambda: check(compiled(sequential(3, "softmax"), right_crossentropy), X, ONE_HOT),
        "symmetric": lambda: check(compiled(functional(1), symmetric), X, column(NUMBERS)),
        "of Keras": lambda: check(
            compiled(functional(3, "softmax"), losses.categorical_crossentropy), X, ONE_HOT
        ),
    },
    "focal-alpha-ignored": {
        "used": lambda: check(
            compiled(sequential(1, "sigmoid"), FOCAL(apply_class_balancing=True, alpha=0.9)),
            X,
            BINARY,
        ),
        "not given": lambda: check(compiled(sequential(1, "sigmoid"), FOCAL(gamma=3.0)), X, BINARY),
        "of several classes": lambda: check(
            compiled(sequential(3, "softmax"), losses.CategoricalFocalCrossentropy(alpha=0.5)),
            X,
            ONE_HOT,
        ),
    },
    "tversky-exchanged": {
        "equal": lambda: check(
            compiled(image_to_image(1, "sigmoid"), losses.Tversky()), IMAGES, MASKS
        ),
        "equal and larger": lambda: check(
            compiled(sequential(3, "sigmoid"), losses.Tversky(alpha=0.7, beta=0.7)), X, SEVERAL
        ),
        "dice": lambda: check(compiled(image_to_image(1, "sigmoid"), losses.Dice()), IMAGES, MASKS),
    },
    "label-smoothing-floor": {
        "none": lambda: check(
            compiled(sequential(1, "sigmoid"), losses.BinaryCrossentropy(label_smoothing=0.0)),
            X,
            BINARY,
        ),
        "in the targets": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"),
            X,
            0.9 * ONE_HOT + 0.1 / 3,
        ),
    },
}
