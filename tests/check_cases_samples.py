"""Set-ups for the rules on what was read, on class weights and rows to validate on."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from check_setups import (
    BINARY,
    FRAME,
    IMAGES,
    LABELS,
    MASKS,
    NUMBERS,
    ONE_HOT,
    ROWS,
    SERIES,
    SEVERAL,
    STEP_LABELS,
    X,
    built_perceptron,
    check,
    column,
    compiled,
    convolutional,
    functional,
    image_to_image,
    recurrent,
    sequential,
    time_distributed,
    two_outputs,
    unbuilt,
)
from keras import ops

SPARSE = "sparse_categorical_crossentropy"
HALF = ROWS // 2
SORTED = np.sort(BINARY)
RARE = (np.arange(ROWS) % 6 == 0).astype(int)
UNEVEN = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])[np.arange(ROWS) % 10]

OTHERS = np.random.default_rng(1).normal(size=X.shape).astype("float32")
MANY = np.random.default_rng(2).normal(size=(300, X.shape[1])).astype("float32")
NEARLY_SORTED = np.repeat([0, 1, 2], 100)
NEARLY_SORTED[[7, 130, 250, 299]] = [1, 2, 0, 1]
MORE_AND_MORE = (np.random.default_rng(0).uniform(size=300) < np.linspace(0.3, 0.7, 300)).astype(
    int
)


SINE = np.sin(2 * np.pi * np.arange(400) / 25).astype("float32")
WAVES = (
    np.stack([SINE[i : i + 5] for i in range(300)])[..., None] * np.ones(4, "float32"),
    SINE[5:305],
)


class OwnStep(keras.Model):
    """Trains by itself; the loss is written into the step."""

    def __init__(self, columns=False):
        super().__init__()
        self.out = keras.layers.Dense(1)
        self.columns = columns

    def call(self, inputs):
        return self.out(inputs)

    def train_step(self, data):
        x, y = data
        y = ops.reshape(y, (-1, 1)) if self.columns else y
        with tf.GradientTape() as tape:
            p = self(x, training=True)
            loss = ops.mean(ops.square(ops.cast(y, p.dtype) - p))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


class OwnLoss(OwnStep):
    train_step = keras.Model.train_step

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y - y_pred))


def own_step(kind=OwnStep, **options):
    model = kind(**options)
    model(X[:2])
    return compiled(model, None)


def batches():
    for start in range(0, ROWS, 8):
        yield X[start : start + 8], BINARY[start : start + 8]


def batches_of_different_lengths():
    for start in range(0, ROWS - 6, 6):
        yield SERIES[start : start + 6, : 2 + start % 4], BINARY[start : start + 6]


def sigmoid(way=sequential):
    return compiled(way(1, "sigmoid"), "binary_crossentropy")


def softmax(way=sequential):
    return compiled(way(3, "softmax"), SPARSE)


def number(way=sequential):
    return compiled(way(1), "mse")


def half(x, y, first=True):
    rows = slice(HALF) if first else slice(HALF, None)
    return x[rows], y[rows]


def repeated(x, y):
    """Draw rows such that the rarer class has as many as the other, and shuffle them."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.choice(np.flatnonzero(y == label), 200) for label in (0, 1)])
    rows = np.r_[rows, np.arange(len(x))]
    rng.shuffle(rows)
    return x[rows], y[rows]


def taken_apart(anew=True):
    """Shuffle a data set, and divide it afterwards."""
    rows = tf.data.Dataset.from_tensor_slices((MANY, MORE_AND_MORE))
    rows = rows.shuffle(300, reshuffle_each_iteration=anew).batch(20)
    return {"x": rows.take(8), "validation_data": rows.skip(8)}


def standardized(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def from_0_to_1(x):
    return (x - x.min(axis=0)) / np.ptp(x, axis=0)


def in_order(x, y):
    """A data set in the order of its labels."""
    order = np.argsort(y, kind="stable")
    return tf.data.Dataset.from_tensor_slices((x[order], y[order]))


WRONG = {
    "not-read": {
        "generator": lambda: check(sigmoid(), batches()),
        "function that makes one": lambda: check(sigmoid(functional), batches),
        "targets forgotten": lambda: check(sigmoid(), X),
        "batches without targets": lambda: check(
            sigmoid(unbuilt), tf.data.Dataset.from_tensor_slices(X).batch(8)
        ),
        "rows of different lengths": lambda: check(
            sigmoid(), tf.ragged.constant([[1.0, 2.0], [3.0]] * HALF), BINARY
        ),
        "generator to validate on": lambda: check(sigmoid(), X, BINARY, validation_data=batches()),
    },
    "unknown-name": {
        "targets": lambda: check(
            compiled(two_outputs(), {"price": "mse", "label": "bce"}),
            X,
            {"price": NUMBERS, "lable": BINARY},
        ),
        "losses": lambda: check(
            compiled(two_outputs(as_dict=True), {"price": "mse", "labels": "bce"}),
            X,
            {"price": NUMBERS, "label": BINARY},
        ),
        "metrics": lambda: check(
            compiled(two_outputs(), ["mse", "bce"], {"prize": ["mae"]}), X, [NUMBERS, BINARY]
        ),
        "loss weights": lambda: check(
            compiled(
                two_outputs(),
                {"price": "mse", "label": "bce"},
                loss_weights={"price": 0.1, "lable": 1.0},
            ),
            X,
            {"price": NUMBERS, "label": BINARY},
        ),
    },
    "own-training": {
        "step": lambda: check(own_step(columns=True), X, BINARY),
        "loss": lambda: check(own_step(OwnLoss), X, column(NUMBERS)),
        "not built": lambda: check(compiled(OwnStep(), None), FRAME, pd.Series(NUMBERS)),
    },
    "class-weights": {
        "weights of rows that are the shares of their classes": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"),
            X,
            RARE,
            sample_weight=np.bincount(RARE)[RARE] / ROWS,
        ),
        "weights of rows that are the numbers of their classes": lambda: check(
            compiled(functional(3, "softmax"), SPARSE),
            X,
            UNEVEN,
            sample_weight=np.bincount(UNEVEN)[UNEVEN].astype("float32"),
        ),
        "weights of one-hot rows": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"),
            X,
            np.eye(3)[UNEVEN],
            sample_weight=np.bincount(UNEVEN)[UNEVEN],
        ),
        "larger for the frequent class": lambda: check(
            sigmoid(), X, RARE, class_weight={0: 5.0, 1: 0.6}
        ),
        "the counts": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"),
            X,
            np.eye(3)[UNEVEN],
            class_weight=dict(enumerate(np.bincount(UNEVEN))),
        ),
        "labels counted from 1": lambda: check(
            softmax(), X, LABELS, class_weight={1: 1.0, 2: 2.0, 3: 5.0}
        ),
        "words": lambda: check(
            sigmoid(functional), FRAME, pd.Series(BINARY), class_weight={"no": 1.0, "yes": 5.0}
        ),
        "several labels": lambda: check(
            compiled(sequential(3, "sigmoid"), "bce"), X, SEVERAL, class_weight={0: 1, 1: 2, 2: 3}
        ),
        "a label for each pixel": lambda: check(
            compiled(image_to_image(1, "sigmoid"), "bce"), IMAGES, MASKS, class_weight={0: 1, 1: 9}
        ),
        "a label for each step": lambda: check(
            softmax(time_distributed), SERIES, STEP_LABELS, class_weight={0: 1, 1: 2, 2: 3}
        ),
        "two outputs": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]),
            X,
            [NUMBERS, BINARY],
            class_weight={0: 1.0, 1: 2.0},
        ),
        "for each output": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]),
            X,
            [NUMBERS, BINARY],
            class_weight={"label": {0: 1.0, 1: 2.0}},
        ),
        "negative": lambda: check(sigmoid(), X, BINARY, class_weight={0: 1.0, 1: -2.0}),
        "a list": lambda: check(sigmoid(), X, BINARY, class_weight=[1.0, 2.0]),
        "numbers": lambda: check(number(), X, NUMBERS, class_weight={0: 1.0, 1: 2.0}),
        "beside sample weights": lambda: check(
            sigmoid(), X, BINARY, class_weight={0: 1.0, 1: 2.0}, sample_weight=np.ones(ROWS)
        ),
    },
    "validation-data": {
        "the training rows": lambda: check(sigmoid(), X, BINARY, validation_data=(X, BINARY)),
        "repeated before the split": lambda: check(
            sigmoid(functional), *repeated(MANY, MORE_AND_MORE), validation_split=0.3
        ),
        "pictures repeated": lambda: check(
            compiled(convolutional(3, "softmax"), SPARSE),
            IMAGES,
            LABELS,
            validation_data=half(IMAGES, LABELS),
        ),
        "shuffled anew before the split": lambda: check(sigmoid(), **taken_apart()),
        "standardized by itself": lambda: check(
            sigmoid(),
            standardized(MANY),
            MORE_AND_MORE,
            validation_data=(standardized(OTHERS), BINARY),
        ),
        "standardized by itself, as a DataFrame": lambda: check(
            number(unbuilt),
            pd.DataFrame(standardized(X)),
            NUMBERS,
            validation_data=(pd.DataFrame(standardized(OTHERS)), NUMBERS),
        ),
        "from 0 to 1 by itself": lambda: check(
            softmax(functional),
            from_0_to_1(X),
            LABELS,
            validation_data=(from_0_to_1(OTHERS), LABELS),
        ),
        "not divided": lambda: check(
            compiled(convolutional(3, "softmax"), SPARSE),
            *half(IMAGES, LABELS),
            validation_data=half(255 * IMAGES, LABELS, first=False),
        ),
        "from -1 to 1": lambda: check(
            compiled(convolutional(3, "softmax"), SPARSE),
            *half(IMAGES, LABELS),
            validation_data=half(2 * IMAGES - 1, LABELS, first=False),
        ),
        "one column not scaled": lambda: check(
            sigmoid(),
            *half(X, BINARY),
            validation_data=half(X * np.array([1, 1, 40.0, 1]), BINARY, first=False),
        ),
        "another encoding": lambda: check(
            softmax(functional), X, LABELS, validation_data=(X, ONE_HOT)
        ),
        "one class": lambda: check(sigmoid(), X, BINARY, validation_data=(X[:20], np.ones(20))),
        "targets not scaled": lambda: check(
            number(), *half(X, NUMBERS), validation_data=half(X, 50 + 20 * NUMBERS, first=False)
        ),
        "columns of its own": lambda: check(
            sigmoid(), X, BINARY, validation_data=(np.c_[X, X[:, 0]], BINARY)
        ),
        "a class that is not trained": lambda: check(
            softmax(), X, LABELS.clip(0, 1), validation_data=(X, LABELS)
        ),
    },
    "sorted-rows": {
        "a data set, two classes": lambda: check(
            sigmoid(), in_order(MANY, MORE_AND_MORE).batch(32)
        ),
        "a data set, the first of three classes": lambda: check(
            softmax(unbuilt), in_order(np.tile(MANY, (3, 1)), np.arange(900) // 300).batch(25)
        ),
        "a data set, one-hot": lambda: check(
            compiled(functional(3, "softmax"), "categorical_crossentropy"),
            tf.data.Dataset.from_tensor_slices((X, np.eye(3)[np.sort(LABELS)])).batch(8),
        ),
        "but for a few": lambda: check(softmax(), MANY, NEARLY_SORTED, validation_split=0.2),
        "two classes": lambda: check(sigmoid(), X, SORTED, validation_split=0.2),
        "three classes": lambda: check(
            softmax(functional), FRAME, pd.Series(np.sort(LABELS)), validation_split=0.1
        ),
        "one-hot": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"),
            X,
            np.eye(3)[np.sort(LABELS)],
            validation_split=0.3,
        ),
        "the larger class first": lambda: check(sigmoid(), X, 1 - SORTED, validation_split=0.25),
    },
}

NEAR = {
    "not-read": {
        "arrays": lambda: check(sigmoid(), X, BINARY),
        "batches": lambda: check(
            sigmoid(), tf.data.Dataset.from_tensor_slices((X, BINARY)).batch(8)
        ),
        "batches of different lengths": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((None, 4)),
                        keras.layers.LSTM(4),
                        keras.layers.Dense(1, activation="sigmoid"),
                    ]
                ),
                "bce",
            ),
            tf.data.Dataset.from_generator(
                batches_of_different_lengths,
                output_signature=(
                    tf.TensorSpec((None, None, 4), tf.float32),
                    tf.TensorSpec((None,), tf.int64),
                ),
            ),
        ),
        "a loss that needs no targets": lambda: check(compiled(sequential(1), None), X),
    },
    "unknown-name": {
        "names in another order": lambda: check(
            compiled(two_outputs(), {"label": "bce", "price": "mse"}, {"label": ["accuracy"]}),
            X,
            {"label": BINARY, "price": NUMBERS},
        ),
        "targets that no loss is for": lambda: check(
            compiled(two_outputs(as_dict=True), {"price": "mse", "label": "bce"}),
            X,
            {"price": NUMBERS, "label": BINARY, "customer": np.arange(ROWS)},
        ),
        "one output": lambda: check(compiled(functional(1), {"out": "mse"}), X, {"out": NUMBERS}),
    },
    "own-training": {
        "a usual subclass": lambda: check(number(built_perceptron), X, NUMBERS),
    },
    "class-weights": {
        "weights of rows that fall with their classes": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"),
            X,
            RARE,
            sample_weight=1 / np.bincount(RARE)[RARE],
        ),
        "weights that undo how the rows were drawn": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"),
            X,
            RARE,
            sample_weight=np.where(RARE, 1.0, 20.0),
        ),
        "larger for the rare class": lambda: check(
            sigmoid(), X, RARE, class_weight={0: 0.6, 1: 5.0}
        ),
        "a little larger for the frequent class": lambda: check(
            sigmoid(), X, RARE, class_weight={0: 1.0, 1: 0.7}
        ),
        "balanced by their counts": lambda: check(
            softmax(),
            X,
            UNEVEN,
            class_weight=dict(enumerate(ROWS / (3 * np.bincount(UNEVEN)))),
        ),
        "balanced": lambda: check(softmax(), X, LABELS, class_weight={0: 1, 1: 2, 2: 5}),
        "the rare class only": lambda: check(sigmoid(), X, BINARY, class_weight={1: 10.0}),
        "one-hot": lambda: check(
            compiled(sequential(3, "softmax"), "categorical_crossentropy"),
            X,
            ONE_HOT,
            class_weight={0: 1, 1: 2, 2: 5},
        ),
        "a class that these rows lack": lambda: check(
            softmax(), X, LABELS.clip(0, 1), class_weight={0: 1, 1: 2, 2: 5}
        ),
        "numbers of NumPy": lambda: check(
            sigmoid(),
            X,
            column(BINARY),
            class_weight=dict(zip(*np.unique(BINARY, return_counts=True), strict=True)),
        ),
    },
    "validation-data": {
        "repeated after the split": lambda: check(
            sigmoid(),
            *repeated(*half(MANY, MORE_AND_MORE)),
            validation_data=(OTHERS, BINARY),
        ),
        "rows of few categories": lambda: check(
            sigmoid(), np.sign(MANY), MORE_AND_MORE, validation_data=(np.sign(OTHERS), BINARY)
        ),
        "a series that repeats itself": lambda: check(
            compiled(recurrent(1), "mse"), *WAVES, validation_split=0.3
        ),
        "pictures of which many are black": lambda: check(
            compiled(convolutional(3, "softmax"), SPARSE),
            IMAGES * (BINARY[:, None, None, None] > 0),
            LABELS,
            validation_data=(IMAGES[::-1, ::-1] * (BINARY[:, None, None, None] > 0), LABELS),
        ),
        "shuffled once before the split": lambda: check(sigmoid(), **taken_apart(anew=False)),
        "standardized by the training rows": lambda: check(
            sigmoid(),
            standardized(MANY),
            MORE_AND_MORE,
            validation_data=((OTHERS - MANY.mean(axis=0)) / MANY.std(axis=0), BINARY),
        ),
        "other rows": lambda: check(
            sigmoid(), *half(X, BINARY), validation_data=half(X, BINARY, first=False)
        ),
        "pictures": lambda: check(
            compiled(convolutional(3, "softmax"), SPARSE),
            *half(IMAGES, LABELS),
            validation_data=half(IMAGES, LABELS, first=False),
        ),
        "numbers": lambda: check(
            number(), *half(X, NUMBERS), validation_data=half(X, NUMBERS, first=False)
        ),
        "numbers that grow": lambda: check(
            number(),
            np.arange(HALF)[:, None] * np.ones(4) / ROWS,
            NUMBERS[:HALF],
            validation_data=(np.arange(HALF, ROWS)[:, None] * np.ones(4) / ROWS, NUMBERS[HALF:]),
        ),
        "with weights": lambda: check(
            sigmoid(),
            *half(X, BINARY),
            validation_data=(*half(X, BINARY, first=False), np.ones(HALF)),
        ),
        "batches": lambda: check(
            sigmoid(),
            *half(X, BINARY),
            validation_data=tf.data.Dataset.from_tensor_slices(half(X, BINARY, first=False)).batch(
                8
            ),
        ),
        "a class that the few rows lack": lambda: check(
            softmax(), X, LABELS, validation_data=(OTHERS[LABELS < 2], LABELS[LABELS < 2])
        ),
    },
    "sorted-rows": {
        "a data set that is shuffled": lambda: check(
            sigmoid(), in_order(MANY, MORE_AND_MORE).shuffle(300, seed=0).batch(32)
        ),
        "a data set of a rare class": lambda: check(
            sigmoid(), tf.data.Dataset.from_tensor_slices((MANY, np.arange(300) // 299)).batch(32)
        ),
        "a data set of numbers that grow": lambda: check(
            number(), tf.data.Dataset.from_tensor_slices((X, np.sort(NUMBERS))).batch(8)
        ),
        "nearly sorted, to be shuffled": lambda: check(
            softmax(), MANY, NEARLY_SORTED, validation_data=(OTHERS, NEARLY_SORTED[::5])
        ),
        "a class that becomes more frequent": lambda: check(
            sigmoid(), MANY, MORE_AND_MORE, validation_split=0.2
        ),
        "shuffled": lambda: check(sigmoid(), X, BINARY, validation_split=0.2),
        "two orders one after another": lambda: check(
            sigmoid(), X, np.r_[SORTED[::2], SORTED[1::2]], validation_split=0.2
        ),
        "numbers that grow": lambda: check(number(), X, np.sort(NUMBERS), validation_split=0.2),
    },
}
