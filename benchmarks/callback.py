"""Measure what `CheckSetup` costs of a training, as a share of it.

    .venv/bin/python benchmarks/callback.py

Its share is what passes within its methods after the training has begun. Beside it stands the time
of an epoch with and without, from trainings that alternate; that difference is within what such
times scatter.
"""

import argparse
import statistics
import time

from lossutils.checks import CheckSetup  # first, so that TensorFlow starts quietly

# isort: split
import keras
import numpy as np
from keras import layers

LIMIT = 0.01


class Timed(CheckSetup):
    """Notes how long its methods take."""

    def __init__(self):
        super().__init__()
        self.at_start = self.within = 0.0


def _timed(name, total):
    def method(self, *arguments, **options):
        start = time.perf_counter()
        getattr(CheckSetup, name)(self, *arguments, **options)
        setattr(self, total, getattr(self, total) + time.perf_counter() - start)

    return method


Timed.on_train_begin = _timed("on_train_begin", "at_start")
for _hook in ("on_train_batch_end", "on_epoch_begin", "on_epoch_end", "on_train_end"):
    setattr(Timed, _hook, _timed(_hook, "within"))


def trainings():
    """Return what makes a compiled model with its data and epochs, by what it is.

    Where all is well, few predictions are looked at; where nothing is learned, all that are due.
    """
    rng = np.random.default_rng(0)
    table, images = rng.normal(size=(20_000, 20)), rng.uniform(size=(5_000, 28, 28, 1))
    series, texts = rng.normal(size=(4_000, 50, 8)), rng.integers(5_000, size=(4_000, 80))
    digits = rng.integers(10, size=5_000)
    for image, digit in zip(images, digits, strict=True):
        image[2 * digit] = 1.0  # a line, whose height is the class
    return {
        "table, two classes": (dense, table, table[:, 0] > table[:, 1], 20),
        "images, ten classes": (convolutional, images, digits, 10),
        "series, a number": (recurrent, series, series[:, -5:, 0].sum(axis=1), 20),
        "texts, two classes": (of_texts, texts, (texts < 2_500).sum(axis=1) > 40, 20),
        "table, nothing to learn": (dense, table, rng.integers(2, size=20_000), 20),
    }


def dense():
    """Return two hidden layers."""
    stack = [layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu")]
    return compiled((20,), *stack, layers.Dense(1, activation="sigmoid"))


def convolutional():
    """Return two convolutions with batch normalization and dropout."""
    stack = []
    for filters in (16, 32):
        convolution = layers.Conv2D(filters, 3, activation="relu")
        stack += [convolution, layers.BatchNormalization(momentum=0.9), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax")]
    return compiled((28, 28, 1), *stack, loss="sparse_categorical_crossentropy")


def recurrent():
    """Return an LSTM."""
    return compiled((50, 8), layers.LSTM(32), layers.Dense(1), loss="mean_squared_error")


def of_texts():
    """Return an embedding and its mean over the words."""
    stack = [layers.Embedding(5_000, 64), layers.GlobalAveragePooling1D()]
    return compiled((80,), *stack, layers.Dense(1, activation="sigmoid"))


def compiled(shape, *stack, loss="binary_crossentropy"):
    """Return a compiled network of these layers."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile("adam", loss)
    return model


def measured(build, x, y, epochs, check):
    """Train; return the seconds of the epochs after the first, which compiles."""
    times = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: times.append(-time.perf_counter()),
        on_epoch_end=lambda epoch, logs: times.append(times.pop() + time.perf_counter()),
    )
    inner = [clock] if check is None else [check, clock]
    build().fit(x, y, epochs=epochs, verbose=0, validation_split=0.2, callbacks=inner)
    return times[1:]


def main():
    """Print a table, and fail where the share is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    repeats = parser.parse_args().repeats
    print(
        "| training | epoch (s) | with CheckSetup | its methods, of the training | before it (ms) |"
    )
    print("|---|--:|--:|--:|--:|")
    too_much = []
    for name, (build, *data, epochs) in trainings().items():
        without, beside, shares, starts = [], [], [], []
        for _ in range(repeats):
            without += measured(build, *data, epochs, None)
            check = Timed()
            started = time.perf_counter()
            beside += measured(build, *data, epochs, check)
            taken = time.perf_counter() - started - check.at_start
            shares.append(check.within / taken)
            starts.append(check.at_start)
        share = statistics.median(shares)
        print(
            f"| {name} | {statistics.median(without):.3f} | {statistics.median(beside):.3f} "
            f"| {share:.2%} | {1000 * statistics.median(starts):.0f} |",
            flush=True,
        )
        if share > LIMIT:
            too_much.append(name)
    if too_much:
        raise SystemExit(f"more than {LIMIT:.0%}: {', '.join(too_much)}")


if __name__ == "__main__":
    main()
