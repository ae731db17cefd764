"""Time a training of a model with three outputs: `model.fit` against `lossutils.training`.

    OMP_NUM_THREADS=1 python benchmarks/several_outputs.py

500 rows, a shared layer and three outputs with a loss each. Rounds alternate, so that what else the
machine does falls on all alike. Compiling is included, except in the last line.
"""

import statistics
import time

import keras
import numpy as np

from lossutils import training
from lossutils.datasets import Dataset

ROWS, FEATURES, EPOCHS, ROUNDS, SEEDS = 500, 8, 100, 3, 20


def problem():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * ROWS, FEATURES))
    signal = x @ rng.normal(size=(FEATURES, 3))
    y = {"price": signal[:, :1], "kind": signal.argmax(axis=1), "amount": np.exp(signal[:, 1] / 3)}
    return Dataset(
        x_train=x[:ROWS],
        y_train={name: each[:ROWS] for name, each in y.items()},
        x_test=x[ROWS:],
        y_test={name: each[ROWS:] for name, each in y.items()},
    )


def build():
    inputs = keras.Input((FEATURES,), dtype="float64")
    shared = keras.layers.Dense(16, "relu", dtype="float64")(inputs)
    activations = {"price": (1, "linear"), "kind": (3, "softmax"), "amount": (1, "exponential")}
    outputs = {
        name: keras.layers.Dense(units, activation, name=name, dtype="float64")(shared)
        for name, (units, activation) in activations.items()
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.01),
        loss={
            "price": "mean_squared_error",
            "kind": "sparse_categorical_crossentropy",
            "amount": "poisson",
        },
        metrics={"kind": ["accuracy"]},
    )
    return model


def seconds(train):
    start = time.perf_counter()
    train()
    return time.perf_counter() - start


def main():
    data = problem()

    def by_keras():
        build().fit(
            data.x_train,
            data.y_train,
            epochs=EPOCHS,
            validation_data=(data.x_test, data.y_test),
            verbose=0,
        )

    def many():
        training.repeat(build, data, EPOCHS, seeds=SEEDS)

    tasks = {
        "model.fit": by_keras,
        "training.fit": lambda: training.fit(build(), data, EPOCHS),
        f"training.repeat, {SEEDS} seeds": many,
    }
    taken = {name: [] for name in tasks}
    for _ in range(ROUNDS):
        for name, train in tasks.items():
            taken[name].append(seconds(train))
    reference = statistics.median(taken["model.fit"])
    for name, values in taken.items():
        trainings = SEEDS if "repeat" in name else 1
        # The first round of `repeat` compiles; all later ones find the program.
        each = (values[0] if trainings > 1 else statistics.median(values)) / trainings
        print(f"{name:28} {each:7.3f} s a training, {reference / each:5.1f} times as fast")
    warm = min(values) / SEEDS
    print(
        f"{'the same, compiled before':28} {warm:7.3f} s a training, {reference / warm:5.1f} times"
    )


if __name__ == "__main__":
    main()
