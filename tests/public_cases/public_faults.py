"""Faults that people reported in public threads, rebuilt for Keras 3, each with its repair.

Of a thread only the facts are taken; code and data are made up, sizes reduced. A function returns
(model, x, y), or with what else `fit` would get as a dict behind them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from public_data import (
    blobs_with_masks,
    eye,
    pictures,
    rng,
    scale,
    sentences,
    seq,
    tiny_unet,
)


@dataclass(frozen=True)
class Thread:
    """A public thread.

    Attributes
    ----------
    link : str
    codes : list of str
        Findings that name the fault; empty where only a training shows it.
    meant : list of str
        Findings that stay in the repaired program, and are right.
    build : callable
        Takes whether to return the repaired program.
    """

    link: str
    codes: list
    meant: list
    build: Callable


THREADS = {}


def thread(name, link, codes, meant=()):
    def register(build):
        THREADS[name] = Thread(link, codes, list(meant), build)
        return build

    return register


@thread(
    "so-57200621", "https://coderoad.ru/57200621 (StackOverflow 57200621)", ["binary-label-range"]
)
def case_so_57200621(repaired):
    """
    Masks went through the same featurewise standardization as the images; binary cross-entropy
    turns negative and nothing is learned.
    """
    x, m = blobs_with_masks(96, 32, seed=1)
    if not repaired:
        m = ((m - m.mean()) / m.std()).astype("float32")
    model = tiny_unet(32, 1, "sigmoid")
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy", metrics=["accuracy"]
    )
    return model, ((x - x.mean()) / x.std()).astype("float32"), m


@thread("statsSE-481881", "https://stats.stackexchange.com/questions/481881", ["softmax-one-unit"])
def case_statsse_481881(repaired):
    """One softmax unit with categorical cross-entropy on a yes/no label: always 1."""
    r = rng(2)
    y = r.integers(0, 2, 200)
    x = r.normal(size=(200, 33, 25, 2)).astype("float32")
    x[..., 1] = y[:, None, None]
    ok = repaired
    model = seq(
        (33, 25, 2),
        layers.Conv2D(8, 3, activation="relu"),
        layers.Conv2D(8, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid" if ok else "softmax"),
    )
    model.compile(
        optimizer="adam",
        metrics=["accuracy"],
        loss="binary_crossentropy" if ok else "categorical_crossentropy",
    )
    return model, x, y


@thread(
    "dataSE-91069", "https://datascience.stackexchange.com/questions/91069", ["sigmoid-categorical"]
)
def case_datase_91069(repaired):
    """
    Four exclusive classes, sigmoid output with categorical cross-entropy: rows do not add up to 1;
    answer: softmax.
    """
    x, lab = sentences(200, 30, 500, 4, seed=3)
    words = layers.Embedding(500, 50, trainable=False)
    model = seq(
        (30,),
        words,
        layers.GlobalAveragePooling1D(),
        layers.Dense(4, activation="softmax" if repaired else "sigmoid"),
    )
    words.set_weights([rng(4).normal(size=(500, 50))])  # in place of the trained rows
    model.compile(
        optimizer="adam",
        loss="categorical_crossentropy",
        metrics=[keras.metrics.CategoricalAccuracy()],
    )
    return model, x, eye(lab, 4)


@thread(
    "keras-4784", "https://github.com/keras-team/keras/issues/4784", ["logits-as-probabilities"]
)
def case_keras_4784(repaired):
    """
    Labels 0 and 1, binary cross-entropy, output layer not a sigmoid: loss and accuracy constant
    for 14 epochs; with a sigmoid it learned. The activation is guessed (relu): the printed loss is
    16.1 times the share of ones, so all predictions were cut to 0.
    """
    r = rng(5)
    x = r.normal(size=(500, 12)).astype("float32")
    y = (x[:, 0] + 0.5 * x[:, 1] > 0.7).astype(int)
    model = seq(
        (12,),
        *[layers.Dense(24, activation="relu") for _ in range(4)],
        layers.Dense(1, activation="sigmoid" if repaired else "relu"),
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model, x, y


@thread("keras-1263", "https://github.com/keras-team/keras/issues/1263", ["one-unit-categorical"])
def case_keras_1263(repaired):
    """
    Six classes one-hot, output Dense(1), categorical cross-entropy: accuracy 1.0; answer:
    Dense(number of classes).
    """
    x, lab = sentences(240, 30, 600, 6, seed=7, side="pre")
    ok = repaired
    model = seq(
        (30,),
        layers.Embedding(600, 32),
        layers.LSTM(32),
        layers.Dense(6 if ok else 1, activation="softmax" if ok else "sigmoid"),
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model, x, eye(lab, 6)


@thread("keras-126", "https://github.com/keras-team/keras/issues/126", ["softmax-one-unit"])
def case_keras_126(repaired):
    """
    Eight rows, tanh layers, Dense(1, softmax) with squared error: loss stands still, probabilities
    are all 1. The answers were not readable.
    """
    x = np.array(
        [[0, 0.1], [0.6, 0.8], [0.1, 0.2], [0.9, 0.8], [0.9, 0.7], [0.3, 0], [0.2, 0.2], [0.5, 0.9]]
    )
    y = (x.sum(axis=1) > 0.5).astype("int32")
    model = seq(
        (2,),
        layers.Dense(64, activation="tanh"),
        layers.Dropout(0.5),
        layers.Dense(64, activation="tanh"),
        layers.Dropout(0.5),
        layers.Dense(1, activation="sigmoid" if repaired else "softmax"),
    )
    model.compile(
        loss="mean_squared_error", optimizer=keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    )
    return model, x, y


@thread("keras-108", "https://github.com/keras-team/keras/issues/108", ["targets-outside-output"])
def case_keras_108(repaired):
    """
    Regression with a tanh output on targets around 100: the loss 16771.44 does not move. The
    answers were not readable; the cause follows from the numbers.
    """
    r = rng(8)
    x = r.normal(size=(400, 9)).astype("float32")
    y = 120 + 30 * np.tanh(x[:, 0]) + 15 * x[:, 1]
    model = seq(
        (9,),
        layers.Dense(16, activation="tanh"),
        layers.Dense(16, activation="tanh"),
        layers.Dense(1, activation=None if repaired else "tanh"),
    )
    model.compile(optimizer="rmsprop", loss="mse")
    return model, x, y


@thread("dana-1", "https://github.com/mmalekzadeh/dana/issues/1", ["probabilities-as-logits"])
def case_dana_1(repaired):
    """The network ends in softmax, the loss is built with from_logits=True."""
    r = rng(9)
    lab = r.integers(0, 6, 200)
    x = (r.normal(size=(200, 48, 9, 1)) + lab[:, None, None, None] * 0.3).astype("float32")
    i = keras.Input((48, 9, 1))
    h = layers.Conv2D(16, (5, 1), activation="relu")(
        layers.Conv2D(16, (5, 1), activation="relu")(i)
    )
    h = layers.Reshape((40, 9 * 16))(h)
    h = layers.Dropout(0.5)(
        layers.LSTM(32)(layers.Dropout(0.5)(layers.LSTM(32, return_sequences=True)(h)))
    )
    model = keras.Model(i, layers.Dense(6, activation="softmax", name="smx")(h))
    model.compile(
        optimizer="adam",
        metrics=["accuracy"],
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=(not repaired)),
    )
    return model, x, lab


@thread(
    "t81-81",
    "https://github.com/jeffheaton/t81_558_deep_learning/pull/81",
    ["probabilities-as-logits"],
)
def case_t81_81(repaired):
    """
    A discriminator that ends in a sigmoid, with BinaryCrossentropy(from_logits=True); merged fix:
    drop from_logits.
    """
    x, _lab = pictures(160, 32, 3, seed=10)
    x = x / 127.5 - 1
    y = np.arange(160) % 2
    x[y == 0] = rng(10).normal(0, 0.5, x[y == 0].shape)
    model = seq(
        (32, 32, 3),
        layers.Conv2D(16, 3, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Dropout(0.25),
        layers.Conv2D(32, 3, strides=2, padding="same"),
        layers.BatchNormalization(momentum=0.8),
        layers.LeakyReLU(0.2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1.5e-4, 0.5),
        metrics=["accuracy"],
        loss=keras.losses.BinaryCrossentropy(from_logits=(not repaired)),
    )
    return model, x.astype("float32"), y


@thread("rkeras-296", "https://github.com/rstudio/keras3/issues/296", ["accuracy-on-regression"])
def case_rkeras_296(repaired):
    """
    Traffic speed, squared error, accuracy stands still; a maintainer: accuracy is not defined
    here, use the absolute error.
    """
    r = rng(17)
    t = np.cumsum(r.normal(0, 1.5, 460))
    t = 55 + 8 * np.sin(np.arange(460) / 12) + (t - t.mean()) / t.std() * 3
    z = (t - t.mean()) / t.std()
    x = np.lib.stride_tricks.sliding_window_view(z[:-1], 12)[:400, :, None]
    model = seq((12, 1), layers.LSTM(16), layers.Dense(1))
    model.compile(
        optimizer="adam",
        loss="mean_squared_error",
        metrics=["mean_absolute_error" if repaired else "accuracy"],
    )
    return model, x, t[12:412]


@thread("keras-724", "https://github.com/keras-team/keras/issues/724", ["accuracy-on-regression"])
def case_keras_724(repaired):
    """
    A series in [0, 1] with a sigmoid and squared error, accuracy always 1.0; maintainer: accuracy
    is not relevant for regression.
    """
    r = rng(18)
    t = 0.6 + 0.15 * np.sin(np.arange(450) / 9) + r.normal(0, 0.03, 450)
    x = np.lib.stride_tricks.sliding_window_view(t[:-1], 10)[:400, :, None]
    model = seq((10, 1), layers.SimpleRNN(32), layers.Dense(1, activation="sigmoid"))
    model.compile(
        optimizer="sgd", loss="mean_squared_error", metrics=["mae" if repaired else "accuracy"]
    )
    return model, x, np.clip(t[10:410], 0, 1)[:, None]


@thread(
    "statsSE-418955",
    "https://stats.stackexchange.com/questions/418955",
    ["targets-scale"],
    meant=["linear-stack"],
)
def case_statsse_418955(repaired):
    """
    Two linear units in a row, SGD, targets x*x + 3 up to 9804: diverges; the poster found the
    target's scale.
    """
    x = np.arange(100.0)[:, None]
    y = x**2 + 3
    model = seq((1,), layers.Dense(1), layers.Dense(1))
    model.compile("sgd", loss="mse")
    return model, scale(x), scale(y) if repaired else y


@thread(
    "keras-6260",
    "https://github.com/keras-team/keras/issues/6260",
    ["accuracy-on-regression", "inputs-scale"],
    meant=["constant-targets"],
)
def case_keras_6260(repaired):
    """
    Two columns 1..1040 and 1040..1, target their sum (always 1041), accuracy as metric: 0; answer:
    accuracy is for exact matches, and scale the data. Layers and optimizer guessed.
    """
    x = np.stack([np.arange(1, 1041), np.arange(1040, 0, -1)], axis=1).astype(float)[::3]
    y = x.sum(axis=1)
    ok = repaired
    model = seq(
        (2,),
        layers.Dense(12, activation="relu"),
        layers.Dense(8, activation="relu"),
        layers.Dense(1),
    )
    model.compile(optimizer="adam", loss="mse", metrics=["mae"] if ok else ["accuracy"])
    return model, x / 1041 if ok else x, y / 1041 if ok else y


def _backbone(kind, x, y, head="softmax"):
    make = getattr(keras.applications, kind)
    base = make(include_top=False, weights=None, input_shape=x.shape[1:])
    base.trainable = False
    k = int(y.max()) + 1
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            base,
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid")
            if k == 2
            else layers.Dense(k, activation="softmax"),
        ]
    )
    model.compile(
        optimizer="adam",
        metrics=["accuracy"],
        loss="binary_crossentropy" if k == 2 else "sparse_categorical_crossentropy",
    )
    return model, x, y


@thread(
    "keras-io-1549", "https://github.com/keras-team/keras-io/issues/1549", ["wrong-preprocessing"]
)
def case_keras_io_1549(repaired):
    """
    EfficientNetB0 begins with its own Rescaling(1/255); pixels were divided by 255 before as well,
    and it does not learn (MobileNet does). Same in tensorflow#42506, #43938, #48412,
    mrdbourke/tensorflow-deep-learning#14.
    """
    x, y = pictures(96, 32, 5, seed=20)
    return _backbone("EfficientNetB0", x.astype("float32") / (1 if repaired else 255), y)


@thread(
    "9to5-rescale",
    "https://9to5answer.com/keras-rescale-1-255-vs-preprocessing_function-preprocess_input-which-one-to-use",
    ["wrong-preprocessing"],
)
def case_9to5_rescale(repaired):
    """
    Frozen ResNet50 with pixels divided by 255 instead of its preprocess_input: always the first
    class (measured by the answerer: 50 % against 98 %).
    """
    x, y = pictures(64, 32, 2, seed=21)
    x = x.astype("float32")
    x = keras.applications.resnet50.preprocess_input(x.copy()) if repaired else x / 255
    return _backbone("ResNet50", x, y)


@thread("handson-198", "https://github.com/ageron/handson-ml3/pull/198", ["never-adapted"])
def case_handson_198(repaired):
    """
    A Normalization layer that was never adapted passes the pixels on unchanged; merged fix: call
    adapt.
    """
    x, lab = pictures(320, 28, 10, channels=1, seed=22, black=True)
    x = x[..., 0].astype("float32")
    norm = layers.Normalization()
    if repaired:
        norm.adapt(x)
    else:
        norm.build(x.shape)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            norm,
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(0.01),
        metrics=["accuracy"],
    )
    return model, x, lab


@thread("keras-2134", "https://github.com/keras-team/keras/issues/2134", ["non-finite"])
def case_keras_2134(repaired):
    """
    NaN loss: a column of standard deviation 0 was divided by it; answer of the poster of 2019-04:
    look for NaN after the standardization, add a small number.
    """
    r = rng(24)
    x = r.normal(5, 2, (200, 15, 4)).astype("float32")
    x[..., 2] = 3.0
    y = x[:, -1, 0] * 0.3 + x[:, -1, 1] * 0.1
    with np.errstate(all="ignore"):
        m, s = x.mean(axis=(0, 1)), x.std(axis=(0, 1))
        s = np.where(s < 1e-5, 0, s)
        m = m.astype("float32")
        m[2] = 3.0
        x = (x - m) / (s + (1e-6 if repaired else 0))
    model = seq((15, 4), layers.LSTM(16), layers.Dense(1))
    model.compile(optimizer="adam", loss="mse")
    return model, x.astype("float32"), y


def _focal_bare(y, p):
    y = ops.cast(y, p.dtype)
    return -ops.mean(0.25 * y * (1 - p) ** 2 * ops.log(p) + 0.75 * (1 - y) * p**2 * ops.log(1 - p))


def _focal_safe(y, p):
    return _focal_bare(y, ops.clip(p, 1e-7, 1 - 1e-7))


@thread(
    "focal-17",
    "https://github.com/mkocabas/focal-loss-keras/issues/17 (fix merged in #24)",
    ["own-loss-not-finite"],
)
def case_focal_17(repaired):
    """
    A focal loss with a bare logarithm is NaN as soon as a prediction reaches 0 or 1; merged fix:
    add epsilon.
    """
    r = rng(29)
    y = r.integers(0, 2, 300)
    x = (r.normal(size=(300, 6)) + 40 * y[:, None]).astype("float32")
    model = seq((6,), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        metrics=["accuracy"],
        loss=_focal_safe if repaired else _focal_bare,
    )
    return model, x, y[:, None].astype("float32")


def _threshold_mse(y, p):
    return ops.mean(ops.square(ops.cast(y, p.dtype) - ops.where(p >= 0.5, 1.0, 0.0)), axis=-1)


@thread(
    "where-threshold",
    "http://xiaobeizi.cn/x/6JuuQQjucd (StackOverflow, 'undifferentiable loss function keras')",
    ["own-loss-no-gradient"],
)
def case_where_threshold(repaired):
    """
    A loss that first cuts the prediction at 0.5 has no gradient; answer: leave it continuous,
    round after training.
    """
    x, m = blobs_with_masks(64, 32, seed=30)
    model = tiny_unet(32, 1, "sigmoid")
    model.compile(optimizer="adam", loss="mse" if repaired else _threshold_mse)
    return model, x, m


class OwnLoop(keras.Model):
    """Trains with a squared error written by hand."""

    def __init__(self, column):
        super().__init__()
        self.column = column
        self.h, self.o = layers.Dense(16, activation="relu"), layers.Dense(1)

    def call(self, x):
        return self.o(self.h(x))

    def train_step(self, data):
        x, y, _w = keras.utils.unpack_x_y_sample_weight(data)
        if self.column:
            y = y[:, None]
        with tf.GradientTape() as tape:
            p = self(x, training=True)
            loss = tf.reduce_mean(tf.square(tf.cast(y, p.dtype) - p))
        self.optimizer.apply(
            tape.gradient(loss, self.trainable_variables), self.trainable_variables
        )
        return {"loss": loss}


@thread("tf-28901", "https://github.com/tensorflow/tensorflow/issues/28901", ["broadcasting-loss"])
def case_tf_28901(repaired):
    """
    A loop of one's own subtracts predictions (n, 1) from targets (n,): an n by n table, the model
    learns the mean; confirmed by the poster.
    """
    r = rng(33)
    x = r.uniform(-1, 1, (200, 1)).astype("float32")
    y = (3 * x[:, 0] + 0.05 * r.normal(size=200)).astype("float32")
    model = OwnLoop(repaired)
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    model(x[:2])
    return model, x, y


@thread(
    "rocuku-validation-split",
    "https://rocuku.github.io/keras-validation-split-shuffle/",
    ["sorted-rows"],
)
def case_rocuku_validation_split(repaired):
    """
    Rows sorted by class; validation_split takes the last tenth before shuffling, which is one
    class only, and the validation accuracy is wonderful.
    """
    r = rng(37)
    y = np.array([1] * 360 + [0] * 40)
    x = (r.normal(size=(400, 10)) + 0.8 * y[:, None]).astype("float32")
    if repaired:
        p = r.permutation(400)
        x, y = x[p], y[p]
    model = seq((10,), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy", "AUC"])
    return model, x, y, {"validation_split": 0.1}


@thread(
    "keras-12689",
    "https://github.com/keras-team/keras/issues/12689 (also #13517, #7187)",
    ["validation-data"],
)
def case_keras_12689(repaired):
    """
    Two generators with different preprocessing: training accuracy 0.96, validation at chance; the
    poster found it.
    """
    x, lab = pictures(160, 32, 10, seed=39)
    x = x.astype("float32")
    model = seq(
        (32, 32, 3),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(10, activation="softmax"),
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    y = eye(lab, 10)
    xv = x[120:] / 255 if repaired else x[120:] - 110
    return model, x[:120] / 255, y[:120], {"validation_data": (xv, y[120:])}


class _KL(layers.Layer):
    """Draws a latent vector and adds the divergence from the standard normal."""

    def __init__(self):
        super().__init__()
        self.seed = keras.random.SeedGenerator(3)

    def call(self, both):
        mean, logvar = both
        self.add_loss(-0.5 * ops.mean(ops.sum(1 + logvar - mean**2 - ops.exp(logvar), axis=-1)))
        return mean + ops.exp(0.5 * logvar) * keras.random.normal(ops.shape(mean), seed=self.seed)


def _pixels_times(n):
    def reconstruction(y, p):
        return n * keras.losses.binary_crossentropy(y, p)

    return reconstruction


@thread("keras-3383", "https://github.com/keras-team/keras/pull/3383", [])
def case_keras_3383(repaired):
    """
    Variational autoencoder: cross-entropy is a mean over the pixels, the divergence a sum, so the
    code collapses; merged fix: times the number of pixels.
    """
    x, _lab = pictures(300, 20, 6, channels=1, seed=42, black=True)
    x = (x.reshape(300, -1) / 255).astype("float32")
    i = keras.Input((400,))
    h = layers.Dense(64, activation="relu")(i)
    z = _KL()([layers.Dense(2)(h), layers.Dense(2)(h)])
    o = layers.Dense(400, activation="sigmoid")(layers.Dense(64, activation="relu")(z))
    model = keras.Model(i, o)
    model.compile(
        optimizer="rmsprop", loss=_pixels_times(400) if repaired else "binary_crossentropy"
    )
    return model, x, x
