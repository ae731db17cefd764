"""Set-ups for the rules on what `fit` gets; see test_checks_rules.py."""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from check_cases_training import (
    DEPTHS,
    FEW,
    IGNORED,
    LINE,
    ONES,
    TEXTS,
    adapted,
    chain,
    dense,
    of_masks,
    of_texts,
    tables,
    two_inputs,
)
from check_setups import (
    BINARY,
    FEATURES,
    FRAME,
    IMAGES,
    LABELS,
    MASKS,
    NUMBERS,
    ONE_HOT,
    ROWS,
    SERIES,
    X,
    added,
    built_perceptron,
    check,
    column,
    compiled,
    convolutional,
    functional,
    recurrent,
    replaced,
    sequential,
    time_distributed,
    two_outputs,
    unbuilt,
)
from keras import layers, losses, optimizers


class Batches(keras.utils.PyDataset):
    """Batches of 8 rows: those of the index, or always the first."""

    def __init__(self, x, y, same=False):
        super().__init__()
        self.x, self.y, self.same = x, y, same

    def __len__(self):
        return len(self.y) // 8

    def __getitem__(self, index):
        at = slice(8) if self.same else slice(8 * index, 8 * (index + 1))
        return keras.tree.map_structure(lambda array: array[at], self.x), self.y[at]


def pair(compared=None, shared=True):
    """How far two rows are apart, behind the same layers or behind layers of their own."""
    inputs = [keras.Input((FEATURES,), name="one"), keras.Input((FEATURES,), name="other")]
    compared = compared or sequential(3)
    behind = [compared(inputs[0]), (compared if shared else layers.Dense(3))(inputs[1])]
    return keras.Model(inputs, layers.Dense(1)(layers.Subtract()(behind)))


def windows(of, ahead):
    """Windows of five steps, and the targets that begin `ahead` of their end, of so many steps."""
    series = np.random.default_rng(6).normal(size=(90, FEATURES)).astype("float32")
    x = np.stack([series[i : i + 5] for i in range(70)])
    return x, np.stack([series[i + 5 + ahead : i + 5 + ahead + of, 1] for i in range(70)])


MORE = np.tile(X, (2, 1)), np.tile(NUMBERS, 2)
SHARE = np.linspace(0.5, 1.5, 2 * ROWS) / (2 * ROWS)
ADVANTAGES = X[:, 0] - X[:, 0].mean()


WRONG = {
    "not-compiled": {
        "sequential": lambda: check(sequential(1), X, NUMBERS),
        "functional": lambda: check(functional(1), FRAME, pd.Series(NUMBERS)),
        "unbuilt": lambda: check(unbuilt(1), X, NUMBERS),
        "subclassed": lambda: check(built_perceptron(1), X, column(NUMBERS)),
    },
    "non-finite": {
        "a number for what is missing in a column": lambda: check(
            compiled(sequential(1), "mse"), replaced(X, (slice(3, 6), 1), -999), NUMBERS
        ),
        "in a DataFrame": lambda: check(
            compiled(unbuilt(1, "sigmoid"), "bce"),
            FRAME.assign(rate=np.where(FEW, -9999, FRAME["rate"])),
            BINARY,
        ),
        "in windows of a series": lambda: check(
            compiled(recurrent(1), "mse"), replaced(SERIES, (slice(7, 9), 2, 3), -9999), NUMBERS
        ),
        "a number for what is missing": lambda: check(
            compiled(sequential(1), "mse"), X, np.where(FEW, -999.0, NUMBERS)
        ),
        "NaN in x": lambda: check(
            compiled(sequential(1), "mse"), replaced(X, (7, 2), np.nan), LINE
        ),
        "missing in a DataFrame": lambda: check(
            compiled(functional(1, "sigmoid"), "bce"),
            FRAME.assign(income=FRAME["income"].where(FRAME["income"] > -1)),
            pd.Series(BINARY),
        ),
        "infinity in y": lambda: check(
            compiled(unbuilt(1), "mae"), X, column(replaced(NUMBERS, 3, np.inf))
        ),
        "NaN in y": lambda: check(
            compiled(added(1), "mse"), X, tf.constant(replaced(NUMBERS, 3, np.nan))
        ),
        "NaN in the weights": lambda: check(
            compiled(sequential(1), "mse"), X, NUMBERS, sample_weight=replaced(ONES, 3, np.nan)
        ),
        "one input of two": lambda: check(
            compiled(two_inputs(), "mse"),
            {"person": X, "place": replaced(ONE_HOT, (0, 0), np.inf)},
            NUMBERS,
        ),
        "a batch": lambda: check(
            compiled(sequential(1), "mse"),
            tf.data.Dataset.from_tensor_slices((replaced(X, (20, 2), np.nan), NUMBERS)).batch(8),
        ),
    },
    "text-inputs": {
        "a column of words": lambda: check(
            compiled(sequential(1), "mse"), FRAME.assign(rooms="many"), NUMBERS
        ),
        "mixed types": lambda: check(
            compiled(functional(1, "sigmoid"), "bce"), FRAME.astype(object), BINARY
        ),
        "words": lambda: check(
            compiled(unbuilt(1), "mse"), np.full((ROWS, FEATURES), "many"), NUMBERS
        ),
        "one input of two": lambda: check(
            compiled(two_inputs(), "mse"),
            {"person": X, "place": np.full((ROWS, 3), "here")},
            NUMBERS,
        ),
    },
    "target-in-inputs": {
        "a column for each class": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"),
            np.column_stack([ONE_HOT, X[:, 0]]),
            LABELS,
        ),
        "a column for each class, in any order": lambda: check(
            compiled(functional(3, "softmax"), "categorical_crossentropy"),
            np.column_stack([X[:, 0], ONE_HOT[:, ::-1]]),
            ONE_HOT,
        ),
        "a column for each class, of words": lambda: check(
            compiled(
                chain(dense(), last=layers.Dense(3, activation="softmax"), inputs=(7,)),
                "sparse_categorical_crossentropy",
            ),
            pd.get_dummies(FRAME.assign(kind=LABELS.astype(str)), dtype="float32"),
            LABELS,
        ),
        "steps that overlap": lambda: check(
            compiled(recurrent(3), "mse"), *windows(of=3, ahead=-1)
        ),
        "the last step of a feature": lambda: check(
            compiled(recurrent(2), "mae"), SERIES, SERIES[:, -1, :2]
        ),
        "steps that overlap, convolved": lambda: check(
            compiled(
                chain(
                    layers.Conv1D(4, 3, activation="relu"),
                    layers.Flatten(),
                    last=layers.Dense(4),
                    inputs=(5, FEATURES),
                ),
                "huber",
            ),
            *windows(of=4, ahead=-3),
        ),
        "in the last step": lambda: check(compiled(recurrent(1), "mse"), SERIES, SERIES[:, -1, 2]),
        "numbers": lambda: check(compiled(sequential(1), "mse"), np.c_[X[:, :3], NUMBERS], NUMBERS),
        "labels": lambda: check(
            compiled(functional(1, "sigmoid"), "bce"),
            FRAME.assign(rooms=BINARY),
            pd.Series(BINARY),
        ),
        "in a data set": lambda: check(
            compiled(unbuilt(3, "softmax"), "sparse_categorical_crossentropy"),
            tf.data.Dataset.from_tensor_slices(
                (np.c_[LABELS, X[:, 1:]].astype("float32"), LABELS)
            ).batch(16),
        ),
    },
    "rows-mismatch": {
        "targets": lambda: check(compiled(sequential(1), "mse"), X, NUMBERS[:50]),
        "weights": lambda: check(
            compiled(functional(1), "mse"), X, NUMBERS, sample_weight=np.ones(ROWS - 1)
        ),
        "inputs": lambda: check(compiled(two_inputs(), "mse"), [X, ONE_HOT[:40]], NUMBERS),
        "one output": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]), X, [NUMBERS, BINARY[:30]]
        ),
        "filtered Series": lambda: check(
            compiled(unbuilt(1), "mse"), FRAME, pd.Series(NUMBERS)[NUMBERS > 0]
        ),
    },
    "input-shape": {
        "a feature too many": lambda: check(
            compiled(sequential(1), "mse"), np.column_stack([X, X[:, :1]]), NUMBERS
        ),
        "images not flattened": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((64,)),
                        layers.Dense(8, activation="relu"),
                        layers.Dense(3, activation="softmax"),
                    ]
                ),
                "sparse_categorical_crossentropy",
            ),
            IMAGES,
            LABELS,
        ),
        "images flattened": lambda: check(
            compiled(convolutional(3, "softmax"), "sparse_categorical_crossentropy"),
            IMAGES.reshape(ROWS, -1),
            LABELS,
        ),
        "a column dropped": lambda: check(
            compiled(functional(1), "mse"), FRAME.drop(columns="age"), pd.Series(NUMBERS)
        ),
        "steps and features exchanged": lambda: check(
            compiled(recurrent(1), "mse"), SERIES.transpose(0, 2, 1), NUMBERS
        ),
    },
    "sample-weights": {
        "that add up to 1": lambda: check(
            compiled(sequential(1), "mse", optimizer="sgd"), *MORE, sample_weight=SHARE
        ),
        "that add up to 1, with momentum": lambda: check(
            compiled(functional(1), "mae", optimizer=optimizers.SGD(0.01, momentum=0.9)),
            *MORE,
            sample_weight=pd.Series(SHARE),
        ),
        "that add up to 1, a column": lambda: check(
            compiled(sequential(1), "mse", optimizer="sgd"), *MORE, sample_weight=SHARE[:, None]
        ),
        "of both signs, with squared error": lambda: check(
            compiled(sequential(1), "mse"), X, NUMBERS, sample_weight=ADVANTAGES
        ),
        "of pixels, with Dice": lambda: check(
            of_masks("dice"), IMAGES, MASKS, sample_weight=IGNORED
        ),
        "of pixels, with Tversky of each image": lambda: check(
            of_masks(losses.Tversky(axis=(1, 2, 3))), IMAGES, MASKS, sample_weight=IGNORED
        ),
        "of images, with Dice of the batch": lambda: check(
            of_masks(losses.Dice()), IMAGES, MASKS, sample_weight=np.where(FEW, 5.0, 1.0)
        ),
        "negative": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"),
            X,
            BINARY,
            sample_weight=np.where(FEW, -1.0, 1.0),
        ),
        "standardized": lambda: check(
            compiled(functional(1), "mse"),
            FRAME,
            pd.Series(NUMBERS),
            sample_weight=pd.Series(X[:, 0] - X[:, 0].mean()),
        ),
        "all zero": lambda: check(
            compiled(unbuilt(1), "mse"), X, NUMBERS, sample_weight=np.zeros(ROWS)
        ),
        "in a data set": lambda: check(
            compiled(sequential(1), "mse"),
            tf.data.Dataset.from_tensor_slices((X, NUMBERS, -ONES)).batch(16),
        ),
    },
    "constant-inputs": {
        "twice the same of a pair": lambda: check(compiled(pair(), "mse"), [X, X], NUMBERS),
        "twice the same of a pair, by name": lambda: check(
            compiled(pair(), "mse"), {"one": FRAME, "other": FRAME}, NUMBERS
        ),
        "twice the same of a pair, compared by one layer": lambda: check(
            compiled(pair(layers.Dense(3)), "mse"), [X, X.copy()], NUMBERS
        ),
        "the same batch again and again": lambda: check(
            compiled(sequential(1), "mse"), Batches(X, NUMBERS, same=True)
        ),
        "the same batch of two inputs": lambda: check(
            compiled(two_inputs(), "mse"),
            Batches({"person": X, "place": ONE_HOT}, NUMBERS, same=True),
        ),
        "the same batch of images": lambda: check(
            compiled(convolutional(3, "softmax"), "sparse_categorical_crossentropy"),
            Batches(IMAGES, LABELS, same=True),
        ),
        "zeros": lambda: check(compiled(sequential(1), "mse"), np.zeros_like(X), NUMBERS),
        "black images": lambda: check(
            compiled(convolutional(3, "softmax"), "sparse_categorical_crossentropy"),
            (IMAGES // 255).astype("uint8"),
            LABELS,
        ),
        "one row repeated": lambda: check(
            compiled(functional(1), "mse"),
            pd.DataFrame([FRAME.iloc[0]] * ROWS),
            pd.Series(NUMBERS),
        ),
    },
}

NEAR = {
    "not-compiled": {
        "compiled": lambda: check(compiled(sequential(1), "mse"), X, NUMBERS),
        "compiled and built later": lambda: check(compiled(unbuilt(1), "mse"), X, NUMBERS),
    },
    "non-finite": {
        "steps that a mask leaves out": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input(SERIES.shape[1:]),
                        layers.Masking(mask_value=-999.0),
                        layers.LSTM(4),
                        layers.Dense(1),
                    ]
                ),
                "mse",
            ),
            replaced(SERIES, (slice(None), slice(3, None)), -999),
            NUMBERS,
        ),
        "depths down to -999": lambda: check(
            compiled(tables(adapted(DEPTHS)), "mse"), DEPTHS, NUMBERS
        ),
        "a number for what is missing, without weight": lambda: check(
            compiled(sequential(1), "mse"),
            X,
            np.where(FEW, -999.0, NUMBERS),
            sample_weight=(~FEW).astype("float32"),
        ),
        "all finite": lambda: check(
            compiled(sequential(1), "mse"), X, NUMBERS, sample_weight=np.ones(ROWS)
        ),
        "filled": lambda: check(
            compiled(sequential(1), "mse"),
            FRAME.where(FRAME > -1).fillna(0.0),
            pd.Series(NUMBERS),
        ),
    },
    "text-inputs": {
        "words for a vectorization": lambda: check(of_texts(), TEXTS, BINARY),
        "truth values": lambda: check(compiled(sequential(1), "mse"), (X > 0), NUMBERS),
    },
    "target-in-inputs": {
        "the classes of another table": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"),
            np.column_stack([ONE_HOT[::-1], X[:, 0]]),
            LABELS,
        ),
        "a row of 0 and 1 that is its class": lambda: check(
            compiled(
                chain(dense(), last=layers.Dense(3, activation="softmax"), inputs=(3,)),
                "sparse_categorical_crossentropy",
            ),
            ONE_HOT,
            LABELS,
        ),
        "steps that follow": lambda: check(compiled(recurrent(3), "mse"), *windows(of=3, ahead=0)),
        "the step after each": lambda: check(
            compiled(time_distributed(1), "mse"), *windows(of=5, ahead=-4)
        ),
        "the step after the last": lambda: check(
            compiled(recurrent(1), "mse"), SERIES, np.roll(SERIES[:, 0, 2], -1)
        ),
        "what was copied once": lambda: check(
            compiled(sequential(1), "mse"), np.c_[X[:, :3], replaced(NUMBERS, 55, 0.5)], NUMBERS
        ),
        "an autoencoder": lambda: check(compiled(sequential(FEATURES), "mse"), X, X),
        "one column that is the answer": lambda: check(
            compiled(chain(dense(), inputs=(1,)), "mse"), column(NUMBERS), NUMBERS
        ),
    },
    "rows-mismatch": {
        "equal": lambda: check(
            compiled(two_inputs(), "mse"), [X, ONE_HOT], NUMBERS, sample_weight=np.ones(ROWS)
        ),
        "weights for each output": lambda: check(
            compiled(two_outputs(), ["mse", "bce"]),
            X,
            [NUMBERS, BINARY],
            sample_weight=[np.ones(ROWS), np.ones(ROWS)],
        ),
        "weights for each output by name": lambda: check(
            compiled(two_outputs(as_dict=True), {"price": "mse", "label": "bce"}),
            X,
            {"price": NUMBERS, "label": BINARY},
            sample_weight={"price": np.ones(ROWS), "label": np.ones(ROWS)},
        ),
        "another index": lambda: check(
            compiled(sequential(1), "mse"),
            FRAME[::2],
            pd.Series(NUMBERS)[::2],
        ),
        "a last batch that is smaller": lambda: check(
            compiled(sequential(1), "mse"),
            tf.data.Dataset.from_tensor_slices((X, NUMBERS)).batch(16),
        ),
        "a weight for each step": lambda: check(
            compiled(time_distributed(1), "mse"),
            SERIES,
            SERIES[..., :1],
            sample_weight=np.ones(SERIES.shape[:2]),
        ),
    },
    "input-shape": {
        "fitting": lambda: check(compiled(sequential(1), "mse"), X, NUMBERS),
        "images without the last axis": lambda: check(
            compiled(convolutional(3, "softmax"), "sparse_categorical_crossentropy"),
            IMAGES[..., 0],
            LABELS,
        ),
        "one feature": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((1,)),
                        layers.Dense(8, activation="relu"),
                        layers.Dense(1),
                    ]
                ),
                "mse",
            ),
            pd.Series(X[:, 0]),
            NUMBERS,
        ),
        "inputs by name, in another order": lambda: check(
            compiled(two_inputs(), "mse"), {"place": ONE_HOT, "person": X}, NUMBERS
        ),
        "any size": lambda: check(
            compiled(
                keras.Sequential(
                    [
                        keras.Input((None, None, 1)),
                        layers.Conv2D(4, 3, activation="relu"),
                        layers.GlobalMaxPooling2D(),
                        layers.Dense(3, activation="softmax"),
                    ]
                ),
                "sparse_categorical_crossentropy",
            ),
            IMAGES,
            LABELS,
        ),
    },
    "sample-weights": {
        "that add up to 1, with Adam": lambda: check(
            compiled(sequential(1), "mse"), *MORE, sample_weight=SHARE
        ),
        "of mean 1": lambda: check(
            compiled(sequential(1), "mse", optimizer="sgd"), *MORE, sample_weight=120 * SHARE
        ),
        "how much better an action was than expected": lambda: check(
            compiled(sequential(3, "softmax"), "sparse_categorical_crossentropy"),
            X,
            LABELS,
            sample_weight=ADVANTAGES,
        ),
        "how much better an action was, of two": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"), X, BINARY, sample_weight=ADVANTAGES
        ),
        "of images, with Dice of each image": lambda: check(
            of_masks(losses.Dice(axis=(1, 2, 3))),
            IMAGES,
            MASKS,
            sample_weight=np.where(FEW, 5.0, 1.0),
        ),
        "of pixels, with cross-entropy": lambda: check(
            of_masks("bce"), IMAGES, MASKS, sample_weight=IGNORED
        ),
        "all 1, with Dice": lambda: check(of_masks("dice"), IMAGES, MASKS, sample_weight=ONES),
        "some zero": lambda: check(
            compiled(sequential(1), "mse"), X, NUMBERS, sample_weight=np.where(FEW, 0.0, 2.0)
        ),
        "of classes": lambda: check(
            compiled(sequential(1, "sigmoid"), "bce"),
            X,
            BINARY,
            sample_weight=pd.Series(np.where(BINARY, 10, 1)),
        ),
        "Booleans": lambda: check(compiled(sequential(1), "mse"), X, NUMBERS, sample_weight=~FEW),
    },
    "constant-inputs": {
        "pairs": lambda: check(compiled(pair(), "mse"), [X, X[::-1]], NUMBERS),
        "the same for two parts of a network": lambda: check(
            compiled(pair(shared=False), "mse"), [X, X], NUMBERS
        ),
        "a batch for each index": lambda: check(
            compiled(sequential(1), "mse"), Batches(X, NUMBERS)
        ),
        "a single batch": lambda: check(
            compiled(sequential(1), "mse"), Batches(X[:8], NUMBERS[:8], same=True)
        ),
        "one batch, to see whether it can be learned": lambda: check(
            compiled(sequential(1), "mse"),
            tf.data.Dataset.from_tensor_slices((X, NUMBERS)).batch(16).take(1).repeat(),
        ),
        "a constant column": lambda: check(
            compiled(sequential(1), "mse"), X * np.array([1, 1, 1, 0]), NUMBERS
        ),
        "one constant input of two": lambda: check(
            compiled(two_inputs(), "mse"), [X, np.ones((ROWS, 3))], NUMBERS
        ),
    },
}
