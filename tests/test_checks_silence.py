"""What is right is left alone: `check_setup` gives no error and no warning for it."""

import functools
import itertools

import keras
import numpy as np
import pandas as pd
import pytest
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
    ROWS,
    SERIES,
    SEVERAL,
    SHARES,
    SIGNS,
    STEP_LABELS,
    STEPS,
    VECTORS,
    WAYS,
    X,
    activation_layer,
    check,
    compiled,
    complaints,
    convolutional,
    flattened,
    image_to_image,
    recurrent,
    sequential,
    time_distributed,
    two_outputs,
)
from keras import layers, losses, metrics
from loss_inputs import LABELS as LONGEST
from loss_inputs import WIDTH, examples, keras_class

from lossutils import datasets, models
from lossutils.losses import CATALOGUE

# Every loss of the catalogue, after every output layer that it names

LAST = [
    pytest.param(name, activation, {}, id=f"{name}-{activation}")
    for name, entry in CATALOGUE.items()
    for activation in entry.activation
] + [
    pytest.param(name, "linear", {"from_logits": True}, id=f"{name}-logits")
    for name, entry in CATALOGUE.items()
    if entry.takes_logits
]


def last_layers(entry, activation):
    """Return a model for the inputs that `inputs_for` gives."""
    if entry.predictions.encoding == "scores in time":
        return recurrent(WIDTH, activation, sequences=True)
    doubled = entry.predictions.encoding == "mean and log variance"
    return sequential(WIDTH * (1 + doubled), activation)


def inputs_for(entry):
    return SERIES if entry.predictions.encoding == "scores in time" else X


@pytest.mark.parametrize(("name", "activation", "parameters"), LAST)
def test_loss_of_the_catalogue_with_its_own_output_layer(name, activation, parameters):
    entry = CATALOGUE[name]
    y, _ = examples(entry, n=ROWS)
    if activation in ("softplus", "exponential"):
        y = np.abs(y)  # what such an output can reach
    loss = keras_class(entry)(**parameters)
    model = compiled(last_layers(entry, activation), loss)
    assert not complaints(check(model, inputs_for(entry), y))


OF_KERAS = [name for name, entry in CATALOGUE.items() if entry.keras_class.startswith("keras.")]


@pytest.mark.parametrize("name", OF_KERAS)
def test_loss_as_a_function_or_by_name(name):
    entry = CATALOGUE[name]
    y, _ = examples(entry, n=ROWS)
    model = last_layers(entry, entry.activation[0])
    assert not complaints(check(compiled(model, getattr(losses, name)), inputs_for(entry), y))
    for loss in (name, *entry.aliases):
        if name == "categorical_generalized_cross_entropy":
            continue  # Keras knows this function, but not by its name
        assert not complaints(check(compiled(model, loss), inputs_for(entry), y))


def test_targets_of_sequences_have_the_length_of_the_inputs():
    """What the tests above rely on."""
    assert LONGEST <= STEPS


# Every way to write a model with every usual problem: units, activation, loss, metrics, targets

PROBLEMS = {
    "regression": (1, None, "mse", ["mae"], NUMBERS),
    "several numbers": (3, "linear", losses.Huber(), [metrics.RootMeanSquaredError()], VECTORS),
    "positive": (1, "softplus", losses.mean_squared_logarithmic_error, None, POSITIVE),
    "counts": (1, "exponential", "poisson", None, COUNTS),
    "binary": (1, "sigmoid", "binary_crossentropy", ["accuracy", "AUC"], BINARY),
    "binary logits": (
        *(1, None, losses.BinaryCrossentropy(from_logits=True)),
        *([metrics.BinaryAccuracy(threshold=0)], BINARY),
    ),
    "two units": (2, "softmax", "sparse_categorical_crossentropy", ["accuracy"], BINARY),
    "hinge": (1, "tanh", losses.Hinge(), None, SIGNS),
    "labels": (3, "softmax", losses.SparseCategoricalCrossentropy(), ["acc"], LABELS),
    "label logits": (
        *(3, None, losses.SparseCategoricalCrossentropy(from_logits=True)),
        *(["sparse_categorical_accuracy"], LABELS),
    ),
    "one-hot": (3, "softmax", "categorical_crossentropy", ["accuracy"], ONE_HOT),
    "shares": (3, "softmax", losses.KLDivergence(), ["mae"], SHARES),
    "several labels": (3, "sigmoid", "bce", ["binary_accuracy"], SEVERAL),
}


@functools.cache
def problem(name, way):
    """Return a compiled model and its targets."""
    units, activation, loss, measured, y = PROBLEMS[name]
    return compiled(WAYS[way](units, activation), loss, measured), y


@pytest.mark.parametrize(("name", "way"), list(itertools.product(PROBLEMS, WAYS)))
def test_way_to_write_a_model(name, way):
    model, y = problem(name, way)
    assert not complaints(check(model, X, y))


def series(y):
    return pd.Series(y, index=np.arange(len(y))[::-1]) if y.ndim == 1 else pd.DataFrame(y)


FORMS = {
    "column": lambda y: y[:, None] if y.ndim == 1 else y,
    "float32": lambda y: y.astype("float32"),
    "float16": lambda y: y.astype("float16"),
    "smallest integers": lambda y: y.astype("int8") if (y == y.round()).all() else y,
    "Booleans": lambda y: y.astype(bool) if set(np.unique(y)) == {0, 1} else y,
    "Series": series,
    "DataFrame": lambda y: pd.DataFrame(y),
    "tensor": tf.constant,
    "list of one array": lambda y: [y],
    "in Fortran's order": np.asfortranarray,
}


@pytest.mark.parametrize(("name", "form"), list(itertools.product(PROBLEMS, FORMS)))
def test_form_of_the_targets(name, form):
    model, y = problem(name, "sequential")
    assert not complaints(check(model, FRAME, FORMS[form](y)))


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x) // 16

    def __getitem__(self, i):
        rows = slice(16 * i, 16 * (i + 1))
        return self.x[rows], self.y[rows]


BATCHES = {
    "tf.data": lambda y: tf.data.Dataset.from_tensor_slices((X, y)).batch(8),
    "shuffled": lambda y: tf.data.Dataset.from_tensor_slices((X, y)).shuffle(99).batch(16),
    "endless": lambda y: tf.data.Dataset.from_tensor_slices((X, y)).repeat().batch(16),
    "by class": lambda y: tf.data.Dataset.from_tensor_slices((X, y[sorting(y)])).batch(1),
    "with weights": lambda y: tf.data.Dataset.from_tensor_slices((X, y, np.ones(ROWS))).batch(7),
    "PyDataset": lambda y: Batches(X, y),
}


def sorting(y):
    """Return the rows in the order of their targets, the smallest first."""
    return np.argsort(y if y.ndim == 1 else y @ np.arange(y.shape[1]), kind="stable")


@pytest.mark.parametrize(("name", "batches"), list(itertools.product(PROBLEMS, BATCHES)))
def test_batches(name, batches):
    model, y = problem(name, "functional")
    assert not complaints(check(model, BATCHES[batches](y)))


# Images, sequences, several inputs and outputs


def autoencoder(activation):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(64, activation=activation),
            layers.Reshape((8, 8, 1)),
        ]
    )


def of_steps(activation=None):
    """One number from all steps, the activation after the mean of them."""
    return keras.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            layers.Conv1D(8, 3, padding="same", activation="relu"),
            layers.Conv1D(3, 1),
            layers.GlobalAveragePooling1D(),
            activation_layer(activation),
        ]
    )


def transposed(units, activation):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(units, 3, strides=2, padding="same", activation=activation),
        ]
    )


def attention():
    inputs = keras.Input((STEPS, FEATURES))
    mixed = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(inputs + mixed))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(pooled))


def mobilenet():
    return keras.applications.MobileNetV2(
        input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=3
    )


SPARSE, CATEGORICAL = "sparse_categorical_crossentropy", "categorical_crossentropy"
SPARSE_LOGITS = losses.SparseCategoricalCrossentropy(from_logits=True)

SHAPES = {
    "images": lambda: (convolutional(3, "softmax"), SPARSE, ["accuracy"], IMAGES, LABELS),
    "images, logits": lambda: (convolutional(3), SPARSE_LOGITS, ["accuracy"], IMAGES, LABELS),
    "images, flattened": lambda: (
        *(flattened(3, "softmax"), CATEGORICAL, ["accuracy"]),
        *(IMAGES, ONE_HOT),
    ),
    "a published network": lambda: (
        *(mobilenet(), SPARSE, ["accuracy"]),
        *(np.repeat(np.repeat(IMAGES[:24, :, :, [0, 0, 0]], 4, 1), 4, 2), LABELS[:24]),
    ),
    "masks": lambda: (image_to_image(1, "sigmoid"), "bce", ["binary_accuracy"], IMAGES, MASKS),
    "masks, without the last axis": lambda: (
        *(image_to_image(1, "sigmoid"), losses.BinaryCrossentropy(), None),
        *(IMAGES, MASKS[..., 0]),
    ),
    "masks, dice": lambda: (image_to_image(1, "sigmoid"), losses.Dice(), None, IMAGES, MASKS),
    "classes of pixels": lambda: (
        *(transposed(2, "softmax"), SPARSE, ["accuracy"]),
        *(IMAGES, MASKS),
    ),
    "classes of pixels, logits": lambda: (
        *(transposed(2, None), SPARSE_LOGITS, None),
        *(IMAGES, MASKS[..., 0]),
    ),
    "autoencoder": lambda: (autoencoder("sigmoid"), "mse", None, IMAGES, IMAGES),
    "autoencoder, cross-entropy": lambda: (autoencoder("sigmoid"), "bce", None, IMAGES, IMAGES),
    "class of a sequence": lambda: (recurrent(3, "softmax"), SPARSE, ["acc"], SERIES, LABELS),
    "number of a sequence": lambda: (recurrent(1), "mse", ["mae"], SERIES, NUMBERS),
    "convolved sequence": lambda: (of_steps("softmax"), SPARSE, ["accuracy"], SERIES, LABELS),
    "attention": lambda: (attention(), CATEGORICAL, ["accuracy"], SERIES, ONE_HOT),
    "class of each step": lambda: (
        *(time_distributed(3, "softmax"), SPARSE, ["accuracy"]),
        *(SERIES, STEP_LABELS),
    ),
    "class of each step, column": lambda: (
        *(recurrent(3, "softmax", sequences=True), SPARSE, ["accuracy"]),
        *(SERIES, STEP_LABELS[:, :, None]),
    ),
    "class of each step, one-hot": lambda: (
        *(time_distributed(3, "softmax"), CATEGORICAL, ["accuracy"]),
        *(SERIES, np.eye(3)[STEP_LABELS]),
    ),
    "number of each step": lambda: (time_distributed(1), "mae", None, SERIES, SERIES[..., 0]),
    "forecast of several steps": lambda: (recurrent(3), "huber", ["mae"], SERIES, VECTORS),
    "dict of outputs": lambda: (
        *(two_outputs(as_dict=True), {"price": "mse", "label": "bce"}),
        *({"price": ["mae"], "label": ["accuracy"]}, X, {"price": NUMBERS, "label": BINARY}),
    ),
    "dict of outputs of several units": lambda: (
        *(two_outputs(label=(3, "softmax"), as_dict=True), {"price": "mse", "label": CATEGORICAL}),
        *({"label": "accuracy"}, X, {"price": NUMBERS, "label": ONE_HOT}),
    ),
    "list of outputs": lambda: (
        *(two_outputs(), ["mse", "bce"], [["mae"], ["accuracy"]]),
        *(X, [NUMBERS, BINARY]),
    ),
    "tuple of outputs": lambda: (two_outputs(), ["mse", "bce"], None, X, (NUMBERS, BINARY)),
    "outputs by name": lambda: (
        *(two_outputs(), {"price": "mae", "label": "bce"}, {"label": ["accuracy", "AUC"]}),
        *(X, {"price": pd.Series(NUMBERS), "label": pd.Series(BINARY)}),
    ),
    "one loss for two outputs": lambda: (
        *(two_outputs(price=(1, "sigmoid")), "bce", None),
        *(X, [BINARY, 1 - BINARY]),
    ),
    "an output without a loss": lambda: (
        *(two_outputs(), {"price": "mse", "label": None}, None),
        *(X, {"price": NUMBERS, "label": BINARY}),
    ),
    "batches of two outputs": lambda: (
        *(two_outputs(), ["mse", "bce"], None),
        *(tf.data.Dataset.from_tensor_slices((X, (NUMBERS, BINARY))).batch(16), None),
    ),
    "batches of named outputs": lambda: (
        *(two_outputs(), {"price": "mse", "label": "bce"}, {"label": ["accuracy"]}),
        *(
            tf.data.Dataset.from_tensor_slices((X, {"price": NUMBERS, "label": BINARY})).batch(16),
            None,
        ),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shape(name):
    model, loss, measured, x, y = SHAPES[name]()
    assert not complaints(check(compiled(model, loss, measured), x, y))


# The models of the book


def of_book(data, hidden, outputs, activation, loss, measured=None, momentum=0.9):
    optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=momentum)
    model = models.mlp(data.x_train.shape[1], hidden, outputs, activation)
    return compiled(model, loss, measured, optimizer=optimizer), data


def with_teacher():
    """Return blobs with probabilities as targets."""
    data = datasets.blobs()
    return data.x_train, data.posterior(data.x_train)


SIGN_ACCURACY = [metrics.BinaryAccuracy(name="accuracy", threshold=0)]
COUNTED = [metrics.BinaryAccuracy(name="accuracy")]
OF_BOOK = {
    "squared error": lambda: of_book(datasets.regression(), [25], 1, "linear", "mse"),
    "absolute error": lambda: of_book(
        datasets.regression_with_outliers(), [25], 1, "linear", "mean_absolute_error", ["mse"]
    ),
    "Huber": lambda: of_book(
        datasets.regression_with_outliers(), [25], 1, "linear", losses.Huber(delta=0.5)
    ),
    "logarithmic error": lambda: of_book(
        datasets.positive_targets(), [25], 1, "softplus", "mean_squared_logarithmic_error"
    ),
    "diabetes": lambda: of_book(datasets.diabetes(), [], 1, "linear", "mse", ["mae"]),
    "counts": lambda: of_book(datasets.doctor_visits(), [16], 1, "exponential", "poisson"),
    "cross-entropy": lambda: of_book(
        datasets.circles(), [50], 1, "sigmoid", "binary_crossentropy", ["accuracy"]
    ),
    "logits": lambda: of_book(
        *(datasets.circles(), [50], 1, "linear"),
        *(losses.BinaryCrossentropy(from_logits=True), SIGN_ACCURACY),
    ),
    "hinge": lambda: of_book(datasets.circles(), [50], 1, "tanh", "hinge", SIGN_ACCURACY),
    "hinge, linear": lambda: of_book(datasets.circles(), [50], 1, "linear", "hinge", SIGN_ACCURACY),
    "squared hinge": lambda: of_book(
        datasets.circles(), [50], 1, "tanh", "squared_hinge", SIGN_ACCURACY
    ),
    "churn": lambda: of_book(datasets.telco_churn(), [16], 1, "sigmoid", "bce", ["accuracy"]),
    "churn, logistic regression": lambda: of_book(
        datasets.telco_churn(), [], 1, "sigmoid", "bce", COUNTED
    ),
    "categorical": lambda: of_book(
        datasets.blobs(), [50], 3, "softmax", "categorical_crossentropy", ["accuracy"]
    ),
    "sparse": lambda: of_book(
        datasets.blobs(one_hot=False), [50], 3, "softmax", SPARSE, ["accuracy"]
    ),
    "divergence": lambda: of_book(
        datasets.blobs(), [50], 3, "softmax", "kl_divergence", ["accuracy"]
    ),
}


@pytest.mark.parametrize("name", OF_BOOK)
def test_model_of_the_book(name):
    model, data = OF_BOOK[name]()
    assert not complaints(check(model, data.x_train, data.y_train))


@pytest.mark.parametrize("loss", ["kl_divergence", "categorical_crossentropy"])
def test_probabilities_as_targets(loss):
    x, y = with_teacher()
    assert not complaints(check(compiled(models.mlp(2, [50], 3, "softmax"), loss, ["mae"]), x, y))


@pytest.mark.parametrize("optimizer", ["adam", keras.optimizers.SGD(0.01, momentum=0.9)])
def test_digits(optimizer):
    data = datasets.mnist()
    model = compiled(models.cnn(), SPARSE, ["accuracy"], optimizer=keras.optimizers.get(optimizer))
    assert not complaints(check(model, data.x_train, data.y_train))
