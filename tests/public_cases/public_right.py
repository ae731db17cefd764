"""Correct public programs, rebuilt small, of which `check_setup` has nothing to say.

They follow the examples and guides of keras.io and common published programs; code is our own,
data is made up, sizes are reduced. A function returns (model, x, y).
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, metrics, ops, optimizers
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

PROGRAMS = {}


def program(build):
    PROGRAMS[build.__name__] = build
    return build


def comp(model, loss, metrics=None, optimizer="adam", **kw):
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics, **kw)
    return model


SCE, CCE, BCE = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"


def SCEL():
    return losses.SparseCategoricalCrossentropy(from_logits=True)


def BCEL():
    return losses.BinaryCrossentropy(from_logits=True)


@program
def oxford_pets_unet():
    """keras.io vision/oxford_pets_image_segmentation."""
    x, m_ = blobs_with_masks(48, 32)
    m = tiny_unet(32, 3, "softmax")
    y = (m_ + (np.roll(m_, 1, 1) > m_)).astype("uint8")
    ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    return comp(m, SCE, None, optimizers.Adam(1e-4)), ds, None


@program
def bidirectional_lstm_imdb():
    """keras.io nlp/bidirectional_lstm_imdb."""
    x, y = sentences(200, 80, 2000, 2, 2, short=60, side="pre")
    i = keras.Input((None,), dtype="int32")
    h = layers.Bidirectional(layers.LSTM(32, return_sequences=True))(layers.Embedding(2000, 64)(i))
    m = keras.Model(
        i, layers.Dense(1, activation="sigmoid")(layers.Bidirectional(layers.LSTM(32))(h))
    )
    return comp(m, BCE, ["accuracy"]), x, y


class Positions(layers.Layer):
    def __init__(self, steps, vocab, width):
        super().__init__()
        self.t, self.p, self.steps = (
            layers.Embedding(vocab, width),
            layers.Embedding(steps, width),
            steps,
        )

    def call(self, x):
        return self.t(x) + self.p(ops.arange(0, self.steps))


class Block(layers.Layer):
    def __init__(self, width, causal=False):
        super().__init__()
        self.a = layers.MultiHeadAttention(2, width)
        self.f = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(width)])
        self.n1, self.n2, self.causal = (
            layers.LayerNormalization(),
            layers.LayerNormalization(),
            causal,
        )

    def call(self, x):
        x = self.n1(x + self.a(x, x, use_causal_mask=self.causal))
        return self.n2(x + self.f(x))


@program
def text_classification_transformer():
    """keras.io nlp/text_classification_with_transformer."""
    x, y = sentences(160, 40, 1000, 2, 3, short=30)
    i = keras.Input((40,))
    h = layers.GlobalAveragePooling1D()(Block(32)(Positions(40, 1000, 32)(i)))
    h = layers.Dropout(0.1)(layers.Dense(20, activation="relu")(layers.Dropout(0.1)(h)))
    return comp(keras.Model(i, layers.Dense(2, activation="softmax")(h)), SCE, ["accuracy"]), x, y


@program
def miniature_gpt():
    """keras.io generative/text_generation_with_miniature_gpt: loss=[fn, None], two outputs."""
    x, _y = sentences(128, 20, 500, 2, 4, short=18)
    i = keras.Input((20,), dtype="int32")
    h = Block(32, True)(Positions(20, 500, 32)(i))
    m = keras.Model(i, [layers.Dense(500)(h), h])
    m.compile("adam", loss=[SCEL(), None])
    ds = tf.data.Dataset.from_tensor_slices((x, np.roll(x, -1, 1))).batch(16)
    return m, ds, None


@program
def timeseries_classification_fcn():
    """keras.io timeseries/timeseries_classification_from_scratch."""
    r = rng(5)
    y = np.where(r.random(200) < 0.5, -1, 1)
    x = r.normal(size=(200, 100, 1)) + np.sin(np.arange(100) / 5)[:, None] * y[:, None, None]
    y[y == -1] = 0
    i = h = keras.Input((100, 1))
    for _ in range(3):
        h = layers.ReLU()(layers.BatchNormalization()(layers.Conv1D(32, 3, padding="same")(h)))
    m = keras.Model(i, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling1D()(h)))
    return comp(m, SCE, ["sparse_categorical_accuracy"]), x, y


@program
def timeseries_anomaly_autoencoder():
    """keras.io timeseries/timeseries_anomaly_detection."""
    r = rng(7)
    x = scale(np.sin(np.arange(900) / 20) + 0.1 * r.normal(size=900))
    x = np.lib.stride_tricks.sliding_window_view(x, 64)[::2, :, None]
    m = seq(
        (64, 1),
        layers.Conv1D(32, 7, padding="same", strides=2, activation="relu"),
        layers.Dropout(0.2),
        layers.Conv1D(16, 7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(16, 7, padding="same", strides=2, activation="relu"),
        layers.Dropout(0.2),
        layers.Conv1DTranspose(32, 7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(1, 7, padding="same"),
    )
    return comp(m, "mse", None, optimizers.Adam(0.001)), x, x


@program
def denoising_autoencoder():
    """keras.io vision/autoencoder."""
    x, _y = pictures(160, 28, 10, 1, black=True)
    x = x.astype("float32") / 255
    n = np.clip(x + 0.4 * rng(8).normal(size=x.shape), 0, 1)
    m = seq(
        (28, 28, 1),
        layers.Conv2D(16, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(padding="same"),
        layers.Conv2DTranspose(16, 3, strides=2, activation="relu", padding="same"),
        layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
    )
    return comp(m, BCE), n, x


def contrastive(y, p):
    y = ops.cast(y, p.dtype)
    return ops.mean((1 - y) * ops.square(p) + y * ops.square(ops.maximum(1 - p, 0)))


@program
def siamese_contrastive():
    """keras.io vision/siamese_contrastive: two inputs, own loss, 'accuracy', RMSprop."""
    x, lab = pictures(160, 28, 10, 1, black=True)
    a, b = x[:80] / 255.0, x[80:] / 255.0
    y = (lab[:80] != lab[80:]).astype("float32")
    tower = seq(
        (28, 28, 1),
        layers.BatchNormalization(),
        layers.Conv2D(4, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.BatchNormalization(),
        layers.Dense(10, activation="tanh"),
    )
    i, j = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
    d = layers.Lambda(
        lambda v: ops.sqrt(ops.maximum(ops.sum(ops.square(v[0] - v[1]), 1, keepdims=True), 1e-7)),
        output_shape=(1,),
    )([tower(i), tower(j)])
    m = keras.Model([i, j], layers.Dense(1, activation="sigmoid")(layers.BatchNormalization()(d)))
    return comp(m, contrastive, ["accuracy"], "RMSprop"), [a, b], y


class Triplet(keras.Model):
    def __init__(self, tower):
        super().__init__()
        self.tower, self.mean = tower, metrics.Mean(name="loss")

    def call(self, x):
        a, p, n = (self.tower(v) for v in x)
        return ops.sum((a - p) ** 2, -1), ops.sum((a - n) ** 2, -1)

    def train_step(self, x):
        with tf.GradientTape() as tape:
            ap, an = self(x[0] if isinstance(x, tuple) and len(x) == 1 else x)
            loss = ops.maximum(ap - an + 0.5, 0.0)
        self.optimizer.apply(
            tape.gradient(loss, self.trainable_variables), self.trainable_variables
        )
        self.mean.update_state(loss)
        return {"loss": self.mean.result()}


@program
def siamese_triplet():
    """keras.io vision/siamese_network: subclass with train_step, no targets."""
    x, _y = pictures(90, 24, 5)
    m = Triplet(
        seq((24, 24, 3), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(16))
    )
    m.compile(optimizer=optimizers.Adam(1e-4))
    x = x / 255.0
    return m, tf.data.Dataset.from_tensor_slices(((x[:30], x[30:60], x[60:]),)).batch(8), None


class Recommender(keras.Model):
    def __init__(self, users, films):
        super().__init__()
        self.u, self.ub = layers.Embedding(users, 8), layers.Embedding(users, 1)
        self.f, self.fb = layers.Embedding(films, 8), layers.Embedding(films, 1)

    def call(self, x):
        u, f = x[:, 0], x[:, 1]
        dot = ops.sum(self.u(u) * self.f(f), -1, keepdims=True)
        return ops.sigmoid(dot + self.ub(u) + self.fb(f))


@program
def collaborative_filtering_movielens():
    """keras.io structured_data/collaborative_filtering_movielens.

    Sigmoid and BCE on ratings scaled to [0, 1].
    """
    r = rng(12)
    x = np.stack([r.integers(0, 300, 800), r.integers(0, 900, 800)], 1)
    y = (r.integers(1, 11, 800) / 2 - 0.5) / 4.5
    return (
        comp(Recommender(300, 900), losses.BinaryCrossentropy(), None, optimizers.Adam(0.001)),
        x,
        y,
    )


@program
def matrix_factorization_ratings():
    """Common recommender program: dot product, squared error on ratings 0.5 to 5."""
    r = rng(13)
    u, f = keras.Input((1,), name="u"), keras.Input((1,), name="f")
    d = layers.Dot(-1)(
        [
            layers.Flatten()(layers.Embedding(300, 8)(u)),
            layers.Flatten()(layers.Embedding(500, 8)(f)),
        ]
    )
    m = keras.Model([u, f], d)
    y = r.integers(1, 11, 600) / 2
    return comp(m, "mse", ["mae"]), [r.integers(0, 300, 600), r.integers(0, 500, 600)], y


@program
def vgg16_finetune_sgd():
    """Common transfer learning program (imagenet preprocessing, SGD 1e-3).

    VGG16 takes centered pixels from -124 to 151 by design.
    """
    x, y = pictures(32, 48, 4)
    x = keras.applications.vgg16.preprocess_input(x.astype("float32"))
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(48, 48, 3))
    base.trainable = False
    m = keras.Sequential(
        [
            keras.Input((48, 48, 3)),
            base,
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(4, activation="softmax"),
        ]
    )
    return comp(m, CCE, ["accuracy"], optimizers.SGD(1e-3, momentum=0.9)), x, eye(y, 4)


@program
def efficientnet_pixels():
    """keras.io vision/image_classification_efficientnet_fine_tuning."""
    x, y = pictures(32, 32, 5)
    base = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    base.trainable = False
    h = layers.BatchNormalization()(layers.GlobalAveragePooling2D()(base.output))
    m = keras.Model(base.input, layers.Dense(5, activation="softmax")(layers.Dropout(0.2)(h)))
    return comp(m, CCE, ["accuracy"], optimizers.Adam(1e-2)), x.astype("float32"), eye(y, 5)


def pinballs(q):
    q = np.asarray(q, "float32")

    def loss(y, p):
        d = ops.cast(y, p.dtype) - p
        return ops.mean(ops.maximum(q * d, (q - 1) * d), axis=-1)

    return loss


@program
def quantile_regression():
    """Common program: three quantiles at once.

    Targets (n, 1) against outputs (n, 3), broadcast on purpose.
    """
    r = rng(15)
    x = r.uniform(-1, 1, (400, 1))
    y = x + 0.3 * (1 + x) * r.normal(size=(400, 1))
    m = seq(
        (1,),
        layers.Dense(32, activation="relu"),
        layers.Dense(32, activation="relu"),
        layers.Dense(3),
    )
    return comp(m, pinballs([0.1, 0.5, 0.9])), x, y


def mdn(k):
    def nll(y, p):
        logit, mean, raw = ops.split(p, 3, axis=-1)
        s = ops.softplus(raw) + 1e-3
        d = ops.log_softmax(logit) - 0.5 * ((ops.cast(y, p.dtype) - mean) / s) ** 2 - ops.log(s)
        return -ops.logsumexp(d, axis=-1)

    return nll


@program
def mixture_density_network():
    """Common program: targets (n, 1), outputs (n, 15), own likelihood."""
    r = rng(16)
    y = r.uniform(-1, 1, (400, 1))
    x = y + 0.3 * np.sin(6 * y) + 0.05 * r.normal(size=(400, 1))
    return (
        comp(
            seq((1,), layers.Dense(32, activation="tanh"), layers.Dense(15)),
            mdn(5),
            None,
            optimizers.Adam(0.01),
        ),
        x,
        y,
    )


@program
def vit_bounding_boxes():
    """keras.io vision/object_detection_using_vision_transformer: four numbers, MSE."""
    x, m_ = blobs_with_masks(64, 32)
    b = (
        np.array(
            [
                [np.nonzero(k[..., 0].any(j))[0][e] for j, e in ((0, 0), (1, 0), (0, -1), (1, -1))]
                for k in m_
            ]
        )
        / 32
    )
    m = seq(
        (32, 32, 1),
        layers.Conv2D(16, 3, strides=2, activation="relu"),
        layers.Flatten(),
        layers.Dense(64, activation="gelu"),
        layers.Dense(4),
    )
    return comp(m, losses.MeanSquaredError(), None, optimizers.AdamW(1e-3, weight_decay=1e-4)), x, b


class BoxLoss(losses.Loss):
    def call(self, y, p):
        d = ops.abs(y - p)
        return ops.sum(ops.where(d < 1, 0.5 * d * d, d - 0.5), -1)


@program
def detector_two_heads():
    """RetinaNet-like heads: classes and boxes of anchors, focal and own loss."""
    r = rng(18)
    x, _m = blobs_with_masks(48, 32)
    i = keras.Input((32, 32, 1))
    h = layers.Conv2D(16, 3, strides=4, padding="same", activation="relu")(i)
    c = layers.Reshape((64, 3), name="classes")(
        layers.Conv2D(
            3,
            3,
            padding="same",
            activation="sigmoid",
            bias_initializer=keras.initializers.Constant(-4.6),
        )(h)
    )
    b = layers.Reshape((64, 4), name="boxes")(layers.Conv2D(4, 3, padding="same")(h))
    m = keras.Model(i, {"classes": c, "boxes": b})
    y = {
        "classes": (r.random((48, 64, 3)) < 0.02).astype("float32"),
        "boxes": r.normal(size=(48, 64, 4)).astype("float32"),
    }
    m.compile(
        optimizer=optimizers.SGD(0.01, momentum=0.9),
        loss={
            "classes": losses.BinaryFocalCrossentropy(apply_class_balancing=True),
            "boxes": BoxLoss(),
        },
    )
    return m, x, y


@program
def poisson_counts():
    """Common program: exponential output."""
    r = rng(20)
    x = r.normal(size=(400, 5))
    y = r.poisson(np.exp(0.5 * x[:, 0]))
    return (
        comp(
            seq(
                (5,), layers.Dense(16, activation="relu"), layers.Dense(1, activation="exponential")
            ),
            "poisson",
            ["mae"],
        ),
        x,
        y,
    )


@program
def lstm_seq2seq_chars():
    """keras.io nlp/lstm_seq2seq: one-hot in and out, padding is a blank."""
    r = rng(23)
    k, n = 10, 100
    t = r.integers(0, k, (n, 12))
    a, b = keras.Input((None, k)), keras.Input((None, k))
    _o, h, c = layers.LSTM(24, return_state=True)(a)
    o = layers.LSTM(24, return_sequences=True)(b, initial_state=[h, c])
    m = keras.Model([a, b], layers.Dense(k, activation="softmax")(o))
    return (
        comp(m, CCE, ["accuracy"], "rmsprop"),
        [eye(t.ravel(), k).reshape(n, 12, k)] * 2,
        eye(np.roll(t, -1, 1).ravel(), k).reshape(n, 12, k),
    )


@program
def addition_rnn():
    """keras.io nlp/addition_rnn: boolean one-hot arrays, RepeatVector."""
    r = rng(24)
    x = eye(r.integers(0, 12, 100 * 7), 12).reshape(100, 7, 12).astype(bool)
    y = eye(r.integers(0, 12, 100 * 4), 12).reshape(100, 4, 12).astype(bool)
    m = seq(
        (7, 12),
        layers.LSTM(32),
        layers.RepeatVector(4),
        layers.LSTM(32, return_sequences=True),
        layers.Dense(12, activation="softmax"),
    )
    return comp(m, CCE, ["accuracy"]), x, y


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.e = seq((196,), layers.Dense(32, activation="relu"), layers.Dense(4))
        self.d = seq(
            (2,), layers.Dense(32, activation="relu"), layers.Dense(196, activation="sigmoid")
        )
        self.gen = keras.random.SeedGenerator(1)

    def call(self, x):
        m, v = ops.split(self.e(x), 2, axis=-1)
        return self.d(m + ops.exp(0.5 * v) * keras.random.normal(ops.shape(m), seed=self.gen))

    def train_step(self, x):
        with tf.GradientTape() as tape:
            m, v = ops.split(self.e(x), 2, axis=-1)
            p = self.d(m + ops.exp(0.5 * v) * keras.random.normal(ops.shape(m), seed=self.gen))
            loss = ops.mean(196 * losses.binary_crossentropy(x, p)) - 0.5 * ops.mean(
                ops.sum(1 + v - m**2 - ops.exp(v), 1)
            )
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": loss}


@program
def vae_train_step():
    """keras.io generative/vae: no targets, no loss in compile."""
    x, _y = pictures(100, 14, 5, 1, black=True)
    m = VAE()
    m.compile(optimizer=optimizers.Adam())
    return m, x.reshape(100, -1).astype("float32") / 255, None


@program
def super_resolution():
    """keras.io vision/super_resolution_sub_pixel: pixels in [0, 1], linear output, MSE."""
    x, _y = pictures(40, 24, 5, 1)
    x = x.astype("float32") / 255
    low = x.reshape(40, 8, 3, 8, 3, 1).mean((2, 4))
    i = keras.Input((8, 8, 1))
    h = layers.Conv2D(9, 3, padding="same")(
        layers.Conv2D(16, 3, padding="same", activation="relu", kernel_initializer="orthogonal")(i)
    )
    h = layers.Reshape((8, 8, 3, 3))(h)
    h = layers.Reshape((24, 24, 1))(layers.Permute((1, 3, 2, 4))(h))
    return comp(keras.Model(i, h), losses.MeanSquaredError(), None, optimizers.Adam(0.001)), low, x


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student, self.teacher = student, teacher

    def compile(self, optimizer, metrics, student_loss, distill):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.sl, self.dl = student_loss, distill

    def call(self, x):
        return self.student(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        t = ops.softmax(self.teacher(x, training=False) / 3)
        return 0.1 * self.sl(y, y_pred) + 0.9 * 9 * self.dl(t, ops.softmax(y_pred / 3))


@program
def knowledge_distillation():
    """keras.io vision/knowledge_distillation: own compute_loss and compile."""
    x, y = pictures(100, 20, 5, 1)

    def net(w):
        return seq(
            (20, 20, 1),
            layers.Conv2D(w, 3, strides=2, padding="same"),
            layers.LeakyReLU(),
            layers.Flatten(),
            layers.Dense(5),
        )

    m = Distiller(net(4), net(16))
    m.compile(
        optimizers.Adam(), [metrics.SparseCategoricalAccuracy()], SCEL(), losses.KLDivergence()
    )
    return m, x / 255.0, y


@program
def california_dollars():
    """Common program: prices in dollars, Adam, standardized inputs."""
    r = rng(29)
    x = scale(r.normal(size=(400, 8)))
    y = np.exp(12 + 0.4 * x[:, 0] + 0.2 * r.normal(size=400)).round()
    return (
        comp(
            seq(
                (8,),
                layers.Dense(64, activation="relu"),
                layers.Dense(64, activation="relu"),
                layers.Dense(1),
            ),
            "mse",
            ["mae"],
            optimizers.Adam(0.01),
        ),
        x,
        y,
    )


@program
def tabular_raw_adam():
    """Common program (Pima diabetes, machinelearningmastery).

    Raw columns up to 846, Adam; reaches 77 % as published.
    """
    r = rng(30)
    x = np.stack(
        [
            r.integers(0, 17, 400),
            r.normal(120, 30, 400),
            r.normal(69, 19, 400),
            r.normal(20, 16, 400).clip(0),
            r.exponential(80, 400).clip(0, 846),
            r.normal(32, 8, 400),
            r.uniform(0.08, 2.4, 400),
            r.integers(21, 81, 400),
        ],
        1,
    )
    y = (x[:, 1] + 10 * r.normal(size=400) > 135).astype(int)
    return (
        comp(
            seq(
                (8,),
                layers.Dense(12, activation="relu"),
                layers.Dense(8, activation="relu"),
                layers.Dense(1, activation="sigmoid"),
            ),
            BCE,
            ["accuracy"],
        ),
        x,
        y,
    )


@program
def reuters_multi_hot():
    """Chollet, Deep Learning with Python: 46 classes."""
    r = rng(31)
    y = r.integers(0, 46, 400)
    x = (r.random((400, 1000)) < 0.03).astype("float32")
    return (
        comp(
            seq(
                (1000,),
                layers.Dense(64, activation="relu"),
                layers.Dense(64, activation="relu"),
                layers.Dense(46, activation="softmax"),
            ),
            CCE,
            ["accuracy"],
            "rmsprop",
        ),
        x,
        eye(y, 46),
    )


@program
def mixup_soft_labels():
    """keras.io vision/mixup: rows of two classes that add up to 1, 'accuracy'."""
    x, y = pictures(128, 28, 10, 1)
    w = rng(33).beta(0.2, 0.2, 128)[:, None]
    p = rng(33).permutation(128)
    s = eye(y, 10) * w + eye(y[p], 10) * (1 - w)
    m = seq(
        (28, 28, 1),
        layers.Conv2D(16, 5, strides=2, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(32, activation="relu"),
        layers.Dense(10, activation="softmax"),
    )
    return (
        comp(
            m,
            losses.CategoricalCrossentropy(label_smoothing=0.1),
            ["accuracy"],
            optimizers.AdamW(optimizers.schedules.CosineDecay(1e-3, 1000)),
        ),
        x / 255.0,
        s,
    )


@program
def regression_normalized_targets():
    """Common program: MinMaxScaler on y, sigmoid output, MSE."""
    r = rng(39)
    x = r.normal(size=(300, 6))
    y = x[:, 0] + 0.2 * r.normal(size=300)
    y = (y - y.min()) / np.ptp(y)
    return (
        comp(
            seq((6,), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")),
            "mse",
            ["mae"],
        ),
        x,
        y,
    )


@program
def cifar_sgd_rescaling_layer():
    """Common program: uint8 pixels, Rescaling in the model, SGD(0.1)."""
    x, y = pictures(100, 32, 10)
    m = seq(
        (32, 32, 3),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    )
    return (
        comp(
            m,
            SCEL(),
            ["accuracy"],
            optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
        ),
        x,
        y,
    )


@program
def sorted_time_series_classes():
    """Common program: rows in time order, later ones mostly of one class."""
    r = rng(42)
    y = (np.arange(400) + 60 * r.normal(size=400) > 220).astype(int)
    x = (r.normal(size=(400, 24, 3)) + y[:, None, None]).astype("float32")
    return (
        comp(
            seq((24, 3), layers.GRU(16), layers.Dense(1, activation="sigmoid")), BCE, ["accuracy"]
        ),
        x,
        y,
    )
