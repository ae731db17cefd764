"""Data, models and ways to write a model, from which the tests of `check_setup` are made."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers, ops

from lossutils import checks

ROWS, FEATURES, CLASSES, STEPS = 60, 4, 3, 5

_rng = np.random.default_rng(0)
X = _rng.normal(size=(ROWS, FEATURES)).astype("float32")
IMAGES = _rng.uniform(size=(ROWS, 8, 8, 1)).astype("float32")
SERIES = _rng.normal(size=(ROWS, STEPS, FEATURES)).astype("float32")

BINARY = _rng.permutation(np.arange(ROWS) % 2)
SIGNS = 2 * BINARY - 1
LABELS = _rng.permutation(np.arange(ROWS) % CLASSES)
ONE_HOT = np.eye(CLASSES)[LABELS]
SEVERAL = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0]])[np.arange(ROWS) % 5]
SHARES = _rng.dirichlet(np.ones(CLASSES), ROWS)
NUMBERS = _rng.normal(size=ROWS)
VECTORS = _rng.normal(size=(ROWS, CLASSES))
POSITIVE = _rng.gamma(2.0, 2.0, ROWS) + 0.1
COUNTS = _rng.poisson(3.0, ROWS)
PRICES = 20_000_000 + 5_000_000 * NUMBERS  # houses, in yen
STEP_LABELS = _rng.integers(CLASSES, size=(ROWS, STEPS))
MASKS = (IMAGES > 0.5).astype(int)

FRAME = pd.DataFrame(X, columns=["age", "income", "rooms", "rate"])


def column(y):
    """Write targets as a column, of shape (n, 1)."""
    return y[:, None]


def replaced(array, at, value):
    """Copy an array, with another value at one place."""
    array = np.array(array, dtype=float)
    array[at] = value
    return array


def check(model, x, y=None, **options):
    """Check a set-up such that an exception within a rule comes out instead of hiding the rule."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "_applied", lambda rule, subject: rule.find(subject))
        return checks.check_setup(model, x, y, **options)


def codes(findings):
    return [finding.code for finding in findings]


def complaints(findings):
    """Return the findings of severity error or warning."""
    return [finding for finding in findings if finding.severity != "info"]


def compiled(model, loss, metrics=None, optimizer="adam", **options):
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics, **options)
    return model


# Ways to write the same model: rows of FEATURES numbers in, `units` numbers out.


def sequential(units, activation=None):
    """The usual way."""
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(units, activation=activation),
        ]
    )


def unbuilt(units, activation=None):
    """Without an Input, so that the first batch says what the model takes."""
    return keras.Sequential(
        [layers.Dense(8, activation="relu"), layers.Dense(units, activation=activation)]
    )


def added(units, activation=None):
    """Layer after layer, with dropout, the activation last and by itself."""
    model = keras.Sequential()
    model.add(keras.Input((FEATURES,)))
    model.add(layers.Dense(8))
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(units))
    model.add(activation_layer(activation))
    return model


def pooled_scores(*end):
    """Scores of pictures: the mean of each channel of the last convolution, of 3 channels."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(3, 1, activation="relu"),
            layers.GlobalAveragePooling2D(),
            *end,
        ]
    )


def activation_layer(activation):
    """Write an activation as the layer of its own that Keras has for it."""
    return layers.Softmax() if activation == "softmax" else layers.Activation(activation)


def functional(units, activation=None):
    inputs = keras.Input((FEATURES,))
    hidden = layers.Dense(8, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(units, activation=activation, name="out")(hidden))


def functional_ops(units, activation=None):
    """With a function of Keras in place of the layer."""
    inputs = keras.Input((FEATURES,))
    hidden = ops.relu(layers.Dense(8)(inputs))
    hidden = layers.BatchNormalization()(hidden)
    return keras.Model(inputs, activation_function(activation)(layers.Dense(units)(hidden)))


def activation_function(activation):
    """Return the function of keras.ops, where there is one."""
    own = {None: lambda x: x, "linear": lambda x: x, "exponential": ops.exp}
    return own.get(activation) or getattr(ops, activation)


def nested(units, activation=None):
    """A body and a head, each a model."""
    body = keras.Sequential([keras.Input((FEATURES,)), layers.Dense(8, activation="relu")])
    inputs = keras.Input((8,))
    head = keras.Model(inputs, layers.Dense(units, activation=activation)(inputs))
    return keras.Sequential([keras.Input((FEATURES,)), body, head])


def residual(units, activation=None):
    inputs = keras.Input((FEATURES,))
    hidden = layers.Dense(FEATURES, activation="relu")(inputs)
    hidden = layers.LayerNormalization()(layers.Add()([inputs, hidden]))
    return keras.Model(inputs, layers.Dense(units, activation=activation)(hidden))


class Perceptron(keras.Model):
    """A subclassed model, not built before it sees data."""

    def __init__(self, units, activation=None):
        super().__init__()
        self.hidden = layers.Dense(8, activation="relu")
        self.dropout = layers.Dropout(0.2)
        self.out = layers.Dense(units)
        self.function = keras.activations.get(activation)

    def call(self, inputs, training=False):
        hidden = self.dropout(self.hidden(inputs), training=training)
        return self.function(self.out(hidden))


def built_perceptron(units, activation=None):
    model = Perceptron(units, activation)
    model(X[:2])
    return model


class TensorFlowPerceptron(Perceptron):
    """With functions of TensorFlow, which cannot be traced with symbols of Keras."""

    def call(self, inputs, training=False):
        hidden = tf.nn.relu(self.hidden(tf.convert_to_tensor(inputs)))
        return self.function(self.out(hidden))


def with_keras_function(units, activation=None):
    """The activation as a function, not as a word."""
    return sequential(units, keras.activations.get(activation))


def of_float64(units, activation=None):
    return keras.Sequential(
        [
            keras.Input((FEATURES,), dtype="float64"),
            layers.Dense(8, activation="relu", dtype="float64"),
            layers.Dense(units, activation=activation, dtype="float64"),
        ]
    )


WAYS = {
    way.__name__: way
    for way in (
        *(sequential, unbuilt, added, functional, functional_ops, nested, residual),
        *(Perceptron, built_perceptron, TensorFlowPerceptron, with_keras_function, of_float64),
    )
}


# Models with other inputs


def convolutional(units, activation=None):
    """Images in; a score for each class from the mean over the image."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Conv2D(units, 1),
            layers.GlobalAveragePooling2D(),
            activation_layer(activation),
        ]
    )


def flattened(units, activation=None):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(units, activation=activation),
        ]
    )


def image_to_image(units=1, activation=None):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.Conv2D(units, 1, activation=activation),
        ]
    )


def recurrent(units, activation=None, sequences=False):
    """Series in; one row of outputs, or with `sequences` one for each step."""
    return keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            layers.LSTM(6, return_sequences=sequences),
            layers.Dense(units, activation=activation),
        ]
    )


def time_distributed(units, activation=None):
    return keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            layers.GRU(6, return_sequences=True),
            layers.TimeDistributed(layers.Dense(units, activation=activation)),
        ]
    )


def two_outputs(price=(1, None), label=(1, "sigmoid"), as_dict=False):
    """One number and one class from the same hidden layer."""
    inputs = keras.Input((FEATURES,))
    hidden = layers.Dense(8, activation="relu")(inputs)
    outputs = {
        "price": layers.Dense(price[0], activation=price[1], name="price")(hidden),
        "label": layers.Dense(label[0], activation=label[1], name="label")(hidden),
    }
    return keras.Model(inputs, outputs if as_dict else list(outputs.values()))
