"""Set-ups for the rules on inputs, weights, network and optimizer; see test_checks_rules.py."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from check_setups import (
    BINARY,
    FEATURES,
    FRAME,
    IMAGES,
    LABELS,
    NUMBERS,
    ONE_HOT,
    ROWS,
    SERIES,
    Perceptron,
    X,
    built_perceptron,
    check,
    compiled,
    flattened,
    functional,
    image_to_image,
    recurrent,
    sequential,
    two_outputs,
    unbuilt,
)
from keras import initializers, layers, ops, optimizers, regularizers

FEW = np.arange(ROWS) % 5 == 0
PIXELS = (255 * IMAGES).astype("uint8")
COLORS = np.resize(PIXELS, (12, 32, 32, 3))
LARGE = 1000 * X
HUNDREDS = 100 + 200 * np.resize(IMAGES, X.shape)  # pressures and the like
TEXTS = np.array(["so good", "so bad"])[BINARY][:, None]
NONLINEAR = np.sin(3 * X[:, 0]) * X[:, 1]
LINE = X @ np.array([1.0, -2.0, 0.5, 0.1])
ONES = np.ones(ROWS)
DEPTHS = np.linspace(-999, 0, FEATURES * ROWS).reshape(ROWS, FEATURES)
SPARSE = "sparse_categorical_crossentropy"
IGNORED = np.where(IMAGES[..., 0] > 0.9, 0.0, 1.0)


def two_inputs():
    inputs = [keras.Input((FEATURES,), name="person"), keras.Input((3,), name="place")]
    joined = layers.Concatenate()(inputs)
    hidden = layers.Dense(8, activation="relu")(joined)
    return keras.Model(inputs, layers.Dense(1)(hidden))


def linear(*middle, units=1, activation=None):
    """Dense layers without an activation, and what is given between them."""
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(8),
            *middle,
            layers.Dense(units, activation=activation),
        ]
    )


def frozen(way, which=None):
    """Freeze a whole model, or some of its layers."""
    model = way(1, "sigmoid")
    if which is None:
        model.trainable = False
    else:
        for layer in model.layers[which]:
            layer.trainable = False
    return compiled(model, "binary_crossentropy")


def images_scaled(*first):
    """A classifier of images whose layers begin with these."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *first,
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def images_divided():
    """The same, scaled by an operator."""
    inputs = keras.Input((8, 8, 1))
    hidden = layers.Conv2D(4, 3, activation="relu")(inputs / 255.0)
    outputs = layers.Dense(3, activation="softmax")(layers.Flatten()(hidden))
    return keras.Model(inputs, outputs)


def adapted(x):
    layer = layers.Normalization()
    layer.adapt(x)
    return layer


def tables(*first):
    """A regression whose layers begin with these."""
    return keras.Sequential(
        [
            keras.Input((FEATURES,)),
            *first,
            layers.Dense(8, activation="relu"),
            layers.Dense(1),
        ]
    )


def on_frozen_body():
    body = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    body.trainable = False
    return keras.Sequential([keras.Input((8, 8, 1)), body, layers.Dense(3, activation="softmax")])


def published(name, *first, trainable=False):
    """A network of keras.applications without its weights, and a head on it."""
    make = {
        "ResNet50": keras.applications.ResNet50,
        "EfficientNetB0": keras.applications.EfficientNetB0,
        "MobileNetV2": keras.applications.MobileNetV2,
        "MobileNetV3Small": keras.applications.MobileNetV3Small,
    }[name]
    body = make(include_top=False, weights=None, input_shape=(32, 32, 3))
    body.trainable = trainable
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *first,
            body,
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return compiled(model, "sparse_categorical_crossentropy", ["accuracy"])


def convolved(shape):
    """A classifier of pictures of this shape, whatever its numbers mean."""
    model = keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return compiled(model, "sparse_categorical_crossentropy")


def dense(start="glorot_uniform"):
    """A hidden layer; without an activation where None is given for its weights."""
    kernel = start or "glorot_uniform"
    return layers.Dense(8, activation="relu" if start else None, kernel_initializer=kernel)


def three_classes():
    return layers.Dense(3, activation="softmax")


def opened_resnet():
    """A head on the output of a frozen body, in one model."""
    body = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
    body.trainable = False
    pooled = layers.GlobalAveragePooling2D()(body.output)
    model = keras.Model(body.input, layers.Dense(3, activation="softmax")(pooled))
    return compiled(model, "sparse_categorical_crossentropy")


def opened(name):
    """A head on the output of another frozen body, in one model."""
    make = getattr(keras.applications, name)
    body = make(include_top=False, weights=None, input_shape=(32, 32, 3))
    body.trainable = False
    pooled = layers.GlobalAveragePooling2D()(body.output)
    model = keras.Model(body.input, layers.Dense(3, activation="softmax")(pooled))
    return compiled(model, "sparse_categorical_crossentropy")


def numbered_by_the_largest():
    inputs = keras.Input((FEATURES,))
    likely = layers.Dense(3, activation="softmax")(inputs)
    return keras.Model(inputs, ops.cast(ops.argmax(likely, -1, keepdims=True), "float32"))


def straight_through():
    inputs = keras.Input((FEATURES,))
    number = layers.Dense(1)(inputs)
    return keras.Model(inputs, number + ops.stop_gradient(ops.round(number) - number))


def of_texts(adapted=True):
    vectorization = layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    if adapted:
        vectorization.adapt(TEXTS[:, 0])
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            vectorization,
            layers.Embedding(20, 4),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return compiled(model, "bce")


def chain(*hidden, last=None, inputs=(FEATURES,)):
    return keras.Sequential([keras.Input(inputs), *hidden, last or layers.Dense(1)])


def sigmoids(number):
    return [layers.Dense(8, activation="sigmoid") for _ in range(number)]


class DividingPerceptron(Perceptron):
    def call(self, inputs, training=False):
        return super().call(inputs / 1000.0, training=training)


def built(model):
    model(X[:2])
    return model


def schedule(steps=1000):
    return optimizers.schedules.CosineDecay(0.1, steps)


def relus(number):
    return [layers.Dense(8, activation="relu") for _ in range(number)]


def decaying(decay_steps):
    return optimizers.schedules.ExponentialDecay(0.1, decay_steps, decay_rate=0.9)


def many(y):
    """Rows of which an epoch has 200 steps."""
    number = -(-6400 // ROWS)
    return np.tile(X, (number, 1)), np.tile(y, number)


def of_masks(loss):
    return compiled(image_to_image(1, "sigmoid"), loss)


def penalized(number, penalty, *middle, last=None):
    """A classifier of which each layer has a penalty."""
    hidden = [layers.Dense(8, activation="relu", kernel_regularizer=penalty) for _ in range(number)]
    last = last or layers.Dense(3, activation="softmax", kernel_regularizer=penalty)
    return compiled(chain(*hidden, *middle, last=last), SPARSE)


def convolutions(*between, classes=3, functional=False):
    """Two convolutions, and what is given between them and behind them."""
    first, second = layers.Conv2D(4, 3), layers.Conv2D(4, 3)
    behind = [layers.Flatten(), layers.Dense(classes, activation="softmax")]
    if not functional:
        return chain(first, *between, second, *between, behind[0], last=behind[1], inputs=(8, 8, 1))
    tensor = inputs = keras.Input((8, 8, 1))
    for layer in (first, *between, second, *behind):
        tensor = layer(tensor)
    return keras.Model(inputs, tensor)


def word_of_the_largest(function=None):
    """A classifier that looks up the largest of what it computes, with weights before and after."""
    inputs = keras.Input((FEATURES,))
    likely = layers.Dense(5, activation="softmax", name="likely")(inputs)
    chosen = layers.Lambda(function)(likely) if function else ops.argmax(likely, -1)
    hidden = layers.Dense(8, activation="relu")(chosen) if function else None
    hidden = layers.Embedding(5, 4)(chosen) if hidden is None else hidden
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))


def functional_linear():
    inputs = keras.Input((FEATURES,))
    hidden = layers.Dense(8)(layers.Dense(8)(inputs))
    return keras.Model(inputs, layers.Dense(1)(hidden))


def with_two_inputs(joined):
    """A model of which the second input is joined to the first, or is not."""
    person, place = keras.Input((FEATURES,), name="person"), keras.Input((3,), name="place")
    of_place = layers.Dense(4, activation="relu")(place)
    both = layers.Concatenate()([person, of_place]) if joined else person
    return keras.Model([person, place], layers.Dense(1)(both))


def stopped(beside=False):
    """A body whose gradient is stopped, and the head; the way beside it is a shortcut."""
    inputs = keras.Input((FEATURES,))
    hidden = layers.Dense(8, activation="relu")(inputs)
    behind = ops.stop_gradient(hidden)
    if beside:
        behind = layers.Add()([behind, layers.Dense(8)(hidden)])
    return keras.Model(inputs, layers.Dense(1)(behind))


class OfTwo(keras.Model):
    """Takes two inputs, and may leave one alone."""

    def __init__(self):
        super().__init__()
        self.out = layers.Dense(1)

    def call(self, inputs):
        return self.out(inputs[0])


def frozen_words(rows=None, trainable=False):
    """The class of a text, from an embedding that is not trained."""
    words = layers.Embedding(30, 4, trainable=trainable)
    model = chain(
        words,
        layers.GlobalAveragePooling1D(),
        last=layers.Dense(1, activation="sigmoid"),
        inputs=(FEATURES,),
    )
    if rows is not None:
        words.set_weights([rows])
    return compiled(model, "bce")


TOKENS = np.random.default_rng(4).integers(30, size=(ROWS, FEATURES))


def functional_frozen_words():
    inputs = keras.Input((FEATURES,))
    words = layers.Embedding(30, 4, trainable=False)(inputs)
    last = layers.Dense(1, activation="sigmoid")(layers.Flatten()(words))
    return compiled(keras.Model(inputs, last), "bce")


def frozen_words_within():
    body = keras.Sequential([keras.Input((FEATURES,)), layers.Embedding(30, 4), layers.Flatten()])
    body.trainable = False
    return compiled(keras.Sequential([body, layers.Dense(1, activation="sigmoid")]), "bce")


WRONG = {
    "inputs-scale": {
        "divided twice": lambda: check(
            compiled(images_scaled(), "sparse_categorical_crossentropy"), IMAGES / 255, LABELS
        ),
        "thousandths": lambda: check(compiled(functional(1), "mse"), X / 10_000, NUMBERS),
        "hundreds in front of tanh": lambda: check(
            compiled(chain(layers.Dense(16, activation="tanh")), "mse"), HUNDREDS, NUMBERS
        ),
        "prices in front of an LSTM": lambda: check(
            compiled(recurrent(1), "mse"), 150 + 10 * SERIES, NUMBERS
        ),
        "pixels": lambda: check(
            compiled(images_scaled(), "sparse_categorical_crossentropy", optimizer="sgd"),
            PIXELS,
            LABELS,
        ),
        "pixels, flattened": lambda: check(
            compiled(
                flattened(3, "softmax"),
                "sparse_categorical_crossentropy",
                optimizer=optimizers.SGD(0.01, momentum=0.9),
            ),
            PIXELS.astype("float32"),
            LABELS,
        ),
        "incomes": lambda: check(
            compiled(functional(1, "sigmoid"), "bce", optimizer="SGD"),
            FRAME.assign(income=40_000 + 9000 * FRAME["income"]),
            pd.Series(BINARY),
        ),
        "series": lambda: check(
            compiled(recurrent(1), "mse", optimizer="sgd"), 1000 * SERIES, NUMBERS
        ),
        "pixels under Adam": lambda: check(
            compiled(images_scaled(), "sparse_categorical_crossentropy"), PIXELS, LABELS
        ),
        "thousands under Adam": lambda: check(compiled(functional(1), "mse"), LARGE, NUMBERS),
        "in a body of its own": lambda: check(
            compiled(keras.Sequential([images_scaled()]), "sparse_categorical_crossentropy"),
            PIXELS.astype("float32"),
            LABELS,
        ),
        "turned at random first": lambda: check(
            compiled(images_scaled(layers.RandomFlip()), "sparse_categorical_crossentropy"),
            PIXELS,
            LABELS,
        ),
        "a separable convolution": lambda: check(
            compiled(
                images_scaled(layers.SeparableConv2D(4, 3)),
                "sparse_categorical_crossentropy",
                optimizer="sgd",
            ),
            PIXELS,
            LABELS,
        ),
        "normalized at the end": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((8, 8, 1)),
                        layers.Flatten(),
                        layers.Dense(8, activation="relu"),
                        layers.Dense(8, activation="relu"),
                        layers.BatchNormalization(),
                        layers.Dense(3, activation="softmax"),
                    ]
                ),
                "sparse_categorical_crossentropy",
            ),
            PIXELS,
            LABELS,
        ),
    },
    "wrong-preprocessing": {
        "preprocessed after a division": lambda: check(
            published("MobileNetV2"), COLORS / 255 / 127.5 - 1, LABELS[:12]
        ),
        "frozen MobileNet, opened": lambda: check(opened("MobileNetV2"), COLORS, LABELS[:12]),
        "divided before a Rescaling": lambda: check(
            compiled(images_scaled(layers.Rescaling(1 / 255)), "sparse_categorical_crossentropy"),
            PIXELS / 255,
            LABELS,
        ),
        "EfficientNet": lambda: check(published("EfficientNetB0"), COLORS / 255, LABELS[:12]),
        "frozen ResNet50": lambda: check(published("ResNet50"), COLORS / 255, LABELS[:12]),
        "frozen ResNet50, opened": lambda: check(opened_resnet(), COLORS / 255, LABELS[:12]),
        "frozen MobileNet": lambda: check(published("MobileNetV2"), COLORS, LABELS[:12]),
    },
    "never-adapted": {
        "words": lambda: check(of_texts(adapted=False), TEXTS, BINARY),
        "columns": lambda: check(compiled(tables(layers.Normalization()), "mse"), LARGE, NUMBERS),
        "pictures": lambda: check(
            compiled(
                images_scaled(layers.Normalization(axis=None)), "sparse_categorical_crossentropy"
            ),
            PIXELS,
            LABELS,
        ),
        "not built": lambda: check(
            compiled(
                keras.Sequential([layers.Normalization(), layers.Dense(8), layers.Dense(1)]), "mse"
            ),
            FRAME.assign(income=40_000 + 9000 * FRAME["income"]),
            pd.Series(NONLINEAR),
        ),
    },
    "channels-first": {
        "a series in one step": lambda: check(
            compiled(
                chain(layers.Conv1D(4, 3, padding="same"), layers.Flatten(), inputs=(1, 20)), "mse"
            ),
            np.tile(X, 5)[:, None],
            NUMBERS,
        ),
        "colors": lambda: check(
            convolved((3, 16, 16)), COLORS[:, ::2, ::2].transpose(0, 3, 1, 2) / 255, LABELS[:12]
        ),
        "gray": lambda: check(
            convolved((1, 16, 16)), COLORS[:, None, ::2, ::2, 0] / 255, LABELS[:12]
        ),
        "in batches": lambda: check(
            convolved((3, 32, 32)),
            tf.data.Dataset.from_tensor_slices(
                (COLORS.transpose(0, 3, 1, 2) / 255, LABELS[:12])
            ).batch(4),
        ),
    },
    "dropout-rate": {
        "of an LSTM": lambda: check(
            compiled(chain(layers.LSTM(4, dropout=0.9), inputs=SERIES.shape[1:]), "mse"),
            SERIES,
            NUMBERS,
        ),
        "from step to step": lambda: check(
            compiled(chain(layers.GRU(4, recurrent_dropout=0.8), inputs=SERIES.shape[1:]), "mse"),
            SERIES,
            NUMBERS,
        ),
        "0.9": lambda: check(compiled(chain(dense(), layers.Dropout(0.9)), "mse"), X, NUMBERS),
        "share to keep": lambda: check(
            compiled(chain(dense(), layers.Dropout(0.8), dense()), "mae"), FRAME, NUMBERS
        ),
        "channels": lambda: check(
            compiled(
                images_scaled(layers.SpatialDropout2D(0.85)), "sparse_categorical_crossentropy"
            ),
            IMAGES,
            LABELS,
        ),
    },
    "equal-weights": {
        "zeros": lambda: check(compiled(chain(dense("zeros")), "mse"), X, NUMBERS),
        "ones": lambda: check(
            compiled(chain(dense("ones"), last=layers.Dense(1, kernel_initializer="ones")), "mse"),
            X,
            NUMBERS,
        ),
        "constant, two hidden layers": lambda: check(
            compiled(chain(dense("ones"), dense(initializers.Constant(0.1))), "mse"), FRAME, NUMBERS
        ),
    },
    "narrow-layer": {
        "before three classes": lambda: check(
            compiled(
                chain(dense(), layers.Dense(1, activation="relu"), last=three_classes()),
                "sparse_categorical_crossentropy",
            ),
            X,
            LABELS,
        ),
        "one-hot": lambda: check(
            compiled(
                chain(layers.Dense(1, activation="tanh"), last=three_classes()),
                "categorical_crossentropy",
            ),
            FRAME,
            ONE_HOT,
        ),
        "pictures": lambda: check(
            compiled(
                chain(layers.Flatten(), layers.Dense(1), last=three_classes(), inputs=(8, 8, 1)),
                "sparse_categorical_crossentropy",
            ),
            IMAGES,
            LABELS,
        ),
    },
    "saturating-stack": {
        "a convolution with a softmax": lambda: check(
            compiled(images_scaled(layers.Conv2D(4, 3, activation="softmax")), SPARSE),
            IMAGES,
            LABELS,
        ),
        "four": lambda: check(compiled(chain(*sigmoids(4)), "mse"), X, NUMBERS),
        "softmax": lambda: check(
            compiled(chain(layers.Dense(8, activation="softmax"), dense()), "mse"), X, NUMBERS
        ),
        "six, before a sigmoid": lambda: check(
            compiled(chain(*sigmoids(6), last=layers.Dense(1, activation="sigmoid")), "bce"),
            X,
            BINARY,
        ),
        "as layers": lambda: check(
            compiled(
                chain(
                    *[
                        part
                        for _ in range(5)
                        for part in (dense(None), layers.Activation("sigmoid"))
                    ]
                ),
                "mse",
            ),
            FRAME,
            NUMBERS,
        ),
    },
    "loss-balance": {
        "a penalty on hidden values": lambda: check(
            compiled(
                chain(
                    layers.Dense(8, activation="relu", activity_regularizer=regularizers.L1(10.0)),
                    last=three_classes(),
                ),
                SPARSE,
            ),
            X,
            LABELS,
        ),
        "a very large penalty on two hidden layers": lambda: check(
            penalized(2, regularizers.L2(10.0), last=three_classes()), X, LABELS
        ),
        "a penalty of 1": lambda: check(penalized(2, regularizers.L2(1.0)), X, LABELS),
        "a penalty of both kinds": lambda: check(
            penalized(3, regularizers.L1L2(0.5, 0.5)), FRAME, pd.Series(LABELS)
        ),
        "a penalty with dropout": lambda: check(
            penalized(2, regularizers.L1(0.5), layers.Dropout(0.2)), X, LABELS
        ),
        "prices beside labels": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]), X, [400 * NUMBERS, BINARY]
        ),
        "by name": lambda: check(
            compiled(two_outputs(as_dict=True), {"price": "mse", "label": "bce"}),
            FRAME,
            {"price": 100_000 + 20_000 * NUMBERS, "label": BINARY},
        ),
        "two numbers": lambda: check(
            compiled(two_outputs(label=(1, None)), ["mae", "mse"]), X, [NUMBERS, 500 * NUMBERS]
        ),
    },
    "linear-stack": {
        "functional": lambda: check(compiled(functional_linear(), "mse"), X, NONLINEAR),
        "convolutions": lambda: check(compiled(convolutions(), SPARSE), IMAGES, LABELS),
        "convolutions, functional": lambda: check(
            compiled(convolutions(functional=True), SPARSE), IMAGES, LABELS
        ),
        "convolutions with means": lambda: check(
            compiled(convolutions(layers.AveragePooling2D(2, 1)), SPARSE), IMAGES, LABELS
        ),
        "two layers": lambda: check(compiled(linear(), "mse"), X, NONLINEAR),
        "three layers": lambda: check(
            compiled(linear(layers.Dense(8)), "mae"), FRAME, pd.Series(NONLINEAR)
        ),
        "classes, with dropout": lambda: check(
            compiled(linear(layers.Dropout(0.5), activation="sigmoid"), "bce", ["accuracy"]),
            X,
            BINARY,
        ),
        "activation last": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((FEATURES,)),
                        layers.Dense(16),
                        layers.Dense(3),
                        layers.Activation("softmax"),
                    ]
                ),
                "sparse_categorical_crossentropy",
            ),
            X,
            LABELS,
        ),
        "images": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        layers.Flatten(),
                        layers.Dense(32, activation="linear"),
                        layers.Dense(3, activation="softmax"),
                    ]
                ),
                "categorical_crossentropy",
            ),
            IMAGES,
            ONE_HOT,
        ),
    },
    "nothing-to-train": {
        "a gradient that is stopped": lambda: check(compiled(stopped(), "mse"), X, NUMBERS),
        "a frozen body of random weights": lambda: check(
            published("MobileNetV2", layers.Rescaling(1 / 127.5, offset=-1)), COLORS, LABELS[:12]
        ),
        "frozen rows of words": lambda: check(frozen_words(), TOKENS, BINARY),
        "frozen rows of words, functional": lambda: check(
            functional_frozen_words(), TOKENS, BINARY
        ),
        "frozen rows of words, in a model": lambda: check(frozen_words_within(), TOKENS, BINARY),
        "an input that leads nowhere": lambda: check(
            compiled(with_two_inputs(joined=False), "mse"), [X, ONE_HOT], NUMBERS
        ),
        "an input that leads nowhere, by name": lambda: check(
            compiled(with_two_inputs(joined=False), "mse"), {"person": X, "place": ONE_HOT}, NUMBERS
        ),
        "an input that leads nowhere, in batches": lambda: check(
            compiled(with_two_inputs(joined=False), "mse"),
            tf.data.Dataset.from_tensor_slices(((X, ONE_HOT), NUMBERS)).batch(16),
        ),
        "the largest looked up": lambda: check(compiled(word_of_the_largest(), "bce"), X, BINARY),
        "rounded in the midst": lambda: check(
            compiled(word_of_the_largest(ops.round), "bce"), X, BINARY
        ),
        "compared in the midst": lambda: check(
            compiled(chain(dense(), layers.Lambda(lambda v: ops.cast(v > 0, "float32"))), "mse"),
            X,
            NUMBERS,
        ),
        "rounded": lambda: check(
            compiled(chain(dense(), layers.Dense(1), last=layers.Lambda(ops.round)), "mse"),
            X,
            NUMBERS,
        ),
        "the number of the largest": lambda: check(
            compiled(numbered_by_the_largest(), "mse"), X, LABELS
        ),
        "frozen": lambda: check(frozen(sequential), X, BINARY),
        "each layer frozen": lambda: check(frozen(functional, slice(None)), X, BINARY),
        "subclassed": lambda: check(frozen(built_perceptron), X, BINARY),
        "no weights": lambda: check(
            compiled(
                keras.Sequential([keras.Input((8, 8, 1)), layers.GlobalAveragePooling2D()]), "mse"
            ),
            IMAGES,
            NUMBERS,
        ),
    },
}

NEAR = {
    "inputs-scale": {
        "small numbers with a Normalization": lambda: check(
            compiled(tables(adapted(X / 10_000)), "mse"), X / 10_000, NUMBERS
        ),
        "hundreds in front of relu": lambda: check(compiled(tables(), "mse"), HUNDREDS, NUMBERS),
        "tens in front of an LSTM": lambda: check(
            compiled(recurrent(1), "mse"), 20 + 5 * SERIES, NUMBERS
        ),
        "the output itself": lambda: check(
            compiled(
                keras.Sequential([keras.Input((FEATURES,)), layers.Dense(1, activation="sigmoid")]),
                "bce",
            ),
            HUNDREDS,
            BINARY,
        ),
        "divided": lambda: check(
            compiled(images_scaled(), "sparse_categorical_crossentropy", optimizer="sgd"),
            PIXELS / 255,
            LABELS,
        ),
        "Rescaling": lambda: check(
            compiled(
                images_scaled(layers.Rescaling(1 / 255)),
                "sparse_categorical_crossentropy",
                optimizer="sgd",
            ),
            PIXELS,
            LABELS,
        ),
        "Lambda": lambda: check(
            compiled(
                images_scaled(layers.Lambda(lambda x: x / 255.0)),
                "sparse_categorical_crossentropy",
                optimizer="sgd",
            ),
            PIXELS.astype("float32"),
            LABELS,
        ),
        "operator": lambda: check(
            compiled(images_divided(), "sparse_categorical_crossentropy", optimizer="sgd"),
            PIXELS.astype("float32"),
            LABELS,
        ),
        "in the call of a subclass": lambda: check(
            compiled(built(DividingPerceptron(1)), "mse", optimizer="sgd"), LARGE, NUMBERS
        ),
        "Adam": lambda: check(compiled(sequential(1), "mse"), 200 * X, NUMBERS),
        "adapted": lambda: check(compiled(tables(adapted(LARGE)), "mse"), LARGE, NUMBERS),
        "normalized behind the first layer": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((8, 8, 1)),
                        layers.Conv2D(4, 3, use_bias=False),
                        layers.BatchNormalization(),
                        layers.ReLU(),
                        layers.Flatten(),
                        layers.Dense(3, activation="softmax"),
                    ]
                ),
                "sparse_categorical_crossentropy",
            ),
            PIXELS,
            LABELS,
        ),
        "a frozen body that was trained on pixels": lambda: check(
            compiled(on_frozen_body(), "sparse_categorical_crossentropy"), PIXELS, LABELS
        ),
        "few columns of bytes": lambda: check(
            compiled(sequential(1), "mse"), np.abs(60 * X).round().clip(0, 255), NUMBERS
        ),
        "numbers of words": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((5,), dtype="int32"),
                        layers.Embedding(500, 4),
                        layers.Flatten(),
                        layers.Dense(1),
                    ]
                ),
                "mse",
                optimizer="sgd",
            ),
            np.arange(5 * ROWS).reshape(ROWS, 5),
            NUMBERS,
        ),
    },
    "wrong-preprocessing": {
        "MobileNet, opened": lambda: check(opened("MobileNetV2"), COLORS / 127.5 - 1, LABELS[:12]),
        "a MobileNet that scales by itself": lambda: check(
            published("MobileNetV3Small"), COLORS, LABELS[:12]
        ),
        "pixels before a Rescaling": lambda: check(
            compiled(images_scaled(layers.Rescaling(1 / 255)), "sparse_categorical_crossentropy"),
            PIXELS,
            LABELS,
        ),
        "EfficientNet": lambda: check(published("EfficientNetB0"), COLORS, LABELS[:12]),
        "prepared for ResNet50": lambda: check(
            published("ResNet50"),
            keras.applications.resnet.preprocess_input(COLORS.astype("float32")),
            LABELS[:12],
        ),
        "ResNet50 that is trained": lambda: check(
            published("ResNet50", trainable=True), COLORS / 255, LABELS[:12]
        ),
        "prepared for MobileNet": lambda: check(
            published("MobileNetV2", layers.Rescaling(1 / 127.5, offset=-1)), COLORS, LABELS[:12]
        ),
        "a scale of its own": lambda: check(
            compiled(tables(layers.Rescaling(0.1)), "mse"), X, NUMBERS
        ),
    },
    "never-adapted": {
        "words": lambda: check(of_texts(), TEXTS, BINARY),
        "adapted": lambda: check(compiled(tables(adapted(LARGE)), "mse"), LARGE, NUMBERS),
        "mean and variance given": lambda: check(
            compiled(tables(layers.Normalization(mean=0.0, variance=1e6)), "mse"), LARGE, NUMBERS
        ),
        "scaled before": lambda: check(compiled(tables(layers.Normalization()), "mse"), X, NUMBERS),
    },
    "channels-first": {
        "a series": lambda: check(
            compiled(
                chain(layers.Conv1D(4, 3, padding="same"), layers.Flatten(), inputs=(20, 1)), "mse"
            ),
            np.tile(X, 5)[..., None],
            NUMBERS,
        ),
        "channels last": lambda: check(convolved((32, 32, 3)), COLORS / 255, LABELS[:12]),
        "three sensors over time": lambda: check(
            convolved((3, 40, 16)), np.resize(IMAGES, (12, 3, 40, 16)), LABELS[:12]
        ),
    },
    "dropout-rate": {
        "of an LSTM": lambda: check(
            compiled(
                chain(layers.LSTM(4, dropout=0.2, recurrent_dropout=0.5), inputs=SERIES.shape[1:]),
                "mse",
            ),
            SERIES,
            NUMBERS,
        ),
        "half": lambda: check(compiled(chain(dense(), layers.Dropout(0.5)), "mse"), X, NUMBERS),
    },
    "equal-weights": {
        "as usual": lambda: check(compiled(chain(dense()), "mse"), X, NUMBERS),
        "the last layer only": lambda: check(
            compiled(chain(dense(), last=layers.Dense(1, kernel_initializer="zeros")), "mse"),
            X,
            NUMBERS,
        ),
        "zeros, biases drawn": lambda: check(
            compiled(
                chain(layers.Dense(8, "relu", True, "zeros", "random_normal"), dense()), "mse"
            ),
            X,
            NUMBERS,
        ),
    },
    "narrow-layer": {
        "two units to draw": lambda: check(
            compiled(
                chain(dense(), layers.Dense(2), last=three_classes()),
                "sparse_categorical_crossentropy",
            ),
            X,
            LABELS,
        ),
        "a code of one number": lambda: check(
            compiled(chain(dense(), layers.Dense(1), dense(), last=layers.Dense(4)), "mse"), X, X
        ),
    },
    "saturating-stack": {
        "a last convolution with a softmax": lambda: check(
            compiled(
                chain(
                    layers.Conv2D(4, 3, activation="relu"),
                    layers.Conv2D(3, 6, activation="softmax"),
                    last=layers.Reshape((3,)),
                    inputs=(8, 8, 1),
                ),
                SPARSE,
            ),
            IMAGES,
            LABELS,
        ),
        "two": lambda: check(compiled(chain(*sigmoids(2)), "mse"), X, NUMBERS),
        "normalized between": lambda: check(
            compiled(chain(*sigmoids(3), layers.BatchNormalization(), *sigmoids(3)), "mse"),
            X,
            NUMBERS,
        ),
        "relu": lambda: check(compiled(chain(*[dense() for _ in range(6)]), "mse"), X, NUMBERS),
    },
    "loss-balance": {
        "a usual penalty on hidden values": lambda: check(
            compiled(
                chain(
                    layers.Dense(8, activation="relu", activity_regularizer=regularizers.L1(1e-4)),
                    last=three_classes(),
                ),
                SPARSE,
            ),
            X,
            LABELS,
        ),
        "a very large penalty on one hidden layer": lambda: check(
            penalized(1, regularizers.L2(10.0), last=three_classes()), X, LABELS
        ),
        "a usual penalty": lambda: check(penalized(3, "l2"), X, LABELS),
        "a large penalty on the hidden layers of a shallow network": lambda: check(
            penalized(1, regularizers.L2(0.5)), X, LABELS
        ),
        "a large penalty before a normalization": lambda: check(
            penalized(2, regularizers.L2(0.5), layers.BatchNormalization()), X, LABELS
        ),
        "no penalty on the last layer": lambda: check(
            penalized(2, regularizers.L2(0.5), last=three_classes()), X, LABELS
        ),
        "standardized": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]), X, [NUMBERS, BINARY]
        ),
        "weighed": lambda: check(
            compiled(two_outputs(), ["mse", "bce"], loss_weights=[1e-5, 1.0]),
            X,
            [400 * NUMBERS, BINARY],
        ),
        "years beside labels": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]), X, [40 + 12 * NUMBERS, BINARY]
        ),
    },
    "linear-stack": {
        "convolutions with maxima": lambda: check(
            compiled(convolutions(layers.MaxPooling2D(2, 1)), SPARSE), IMAGES, LABELS
        ),
        "convolutions with relu": lambda: check(
            compiled(convolutions(layers.ReLU(), functional=True), SPARSE), IMAGES, LABELS
        ),
        "a filter of pictures": lambda: check(
            compiled(
                chain(
                    layers.Conv2D(4, 3, padding="same"),
                    last=layers.Conv2D(1, 3, padding="same"),
                    inputs=(8, 8, 1),
                ),
                "mse",
            ),
            IMAGES,
            IMAGES[:, ::-1],
        ),
        "a linear autoencoder of many columns": lambda: check(
            compiled(chain(layers.Dense(4), last=layers.Dense(160), inputs=(160,)), "mse"),
            *[np.random.default_rng(0).normal(size=(ROWS, 160))] * 2,
        ),
        "relu": lambda: check(compiled(linear(layers.ReLU()), "mse"), X, NONLINEAR),
        "activation layer": lambda: check(
            compiled(linear(layers.Activation("tanh")), "mse"), X, NONLINEAR
        ),
        "one layer": lambda: check(
            compiled(keras.Sequential([keras.Input((FEATURES,)), layers.Dense(1)]), "mse"),
            X,
            NONLINEAR,
        ),
        "one layer and its activation": lambda: check(
            compiled(
                keras.Sequential(
                    [keras.Input((FEATURES,)), layers.Dense(3), layers.Activation("softmax")]
                ),
                "sparse_categorical_crossentropy",
            ),
            X,
            LABELS,
        ),
        "linear targets": lambda: check(compiled(linear(), "mse"), X, LINE),
        "a linear autoencoder": lambda: check(
            compiled(
                keras.Sequential([keras.Input((FEATURES,)), layers.Dense(2), layers.Dense(4)]),
                "mse",
            ),
            X,
            X,
        ),
    },
    "nothing-to-train": {
        "a gradient that is stopped on one of two ways": lambda: check(
            compiled(stopped(beside=True), "mse"), X, NUMBERS
        ),
        "two inputs that are joined": lambda: check(
            compiled(with_two_inputs(joined=True), "mse"), [X, ONE_HOT], NUMBERS
        ),
        "a class that leaves an input alone": lambda: check(
            compiled(OfTwo(), "mse"), [X, ONE_HOT], NUMBERS
        ),
        "frozen rows of words that were trained": lambda: check(
            frozen_words(np.random.default_rng(5).normal(size=(30, 4))), TOKENS, BINARY
        ),
        "rows of words": lambda: check(frozen_words(trainable=True), TOKENS, BINARY),
        "doubled in the midst": lambda: check(
            compiled(chain(dense(), layers.Lambda(lambda v: 2 * v)), "mse"), X, NUMBERS
        ),
        "rounded before the first weights": lambda: check(
            compiled(chain(layers.Lambda(ops.round), dense()), "mse"), X, NUMBERS
        ),
        "rounded, with the gradient of what was rounded": lambda: check(
            compiled(straight_through(), "mse"), X, NUMBERS
        ),
        "cut off": lambda: check(
            compiled(
                chain(dense(), layers.Dense(1), last=layers.Lambda(lambda v: ops.clip(v, -9, 9))),
                "mse",
            ),
            X,
            NUMBERS,
        ),
        "all": lambda: check(compiled(sequential(1, "sigmoid"), "binary_crossentropy"), X, BINARY),
        "the last layer only": lambda: check(frozen(functional, slice(-1)), X, BINARY),
        "not built yet": lambda: check(
            compiled(unbuilt(1, "sigmoid"), "binary_crossentropy"), X, BINARY
        ),
    },
}
