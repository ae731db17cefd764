"""Measure how long `check_setup` takes for a model of ordinary size and 100,000 rows.

make benchmark
"""

import statistics
import time

import keras
import numpy as np

from lossutils import models
from lossutils.checks import check_setup

ROWS = 100_000
LIMIT = 0.050  # seconds


def setups():
    """Return compiled models with inputs and targets, by what they are."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 20)).astype("float32")
    labels = rng.integers(10, size=ROWS)
    return {
        "two classes": (compiled(1, "sigmoid", "binary_crossentropy"), x, labels % 2),
        "ten classes, numbers": (
            compiled(10, "softmax", "sparse_categorical_crossentropy"),
            *(x, labels),
        ),
        "ten classes, one-hot rows": (
            compiled(10, "softmax", "categorical_crossentropy"),
            *(x, np.eye(10, dtype="float32")[labels]),
        ),
        "numbers": (compiled(1, "linear", "mean_squared_error"), x, rng.normal(size=(ROWS, 1))),
        "numbers, a wrong loss": (
            compiled(1, "sigmoid", "binary_crossentropy"),
            *(x, rng.normal(size=(ROWS, 1))),
        ),
    }


def compiled(outputs, activation, loss):
    """Return a compiled network of two hidden layers."""
    model = models.mlp(20, [256, 256], outputs, activation=activation, dtype="float32")
    metric = "mean_absolute_error" if activation == "linear" else "accuracy"
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss, metrics=[metric])
    return model


def main():
    """Print a table of medians."""
    print(f"| {ROWS:,} rows of 20 inputs | check_setup (ms) | finds |\n|---|--:|---|")
    for name, arguments in setups().items():
        found = check_setup(*arguments)
        taken = []
        for _ in range(20):
            start = time.perf_counter()
            check_setup(*arguments)
            taken.append(time.perf_counter() - start)
        codes = ", ".join(finding.code for finding in found) or "nothing"
        print(f"| {name} | {1000 * statistics.median(taken):.1f} | {codes} |")
        if statistics.median(taken) > LIMIT:
            raise SystemExit(f"{name}: more than {1000 * LIMIT:.0f} ms")


if __name__ == "__main__":
    main()
