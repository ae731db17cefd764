"""Measure `training.fit` and `training.repeat` against `model.fit`, side by side in one run.

The problem is the book's circles: 500 training and 500 test rows, 50 hidden units, 200 epochs,
batches of 32, tested after each epoch. Rounds alternate, so that what else the machine does falls
on all alike; the table has the median of each, and ratios of medians.

Run it with `make benchmark`.
"""

import argparse
import platform
import statistics
import time

import keras

import lossutils
from lossutils import datasets, models, training

EPOCHS = 200
SEEDS = 100


def build():
    """Build and compile the model of the circles problem."""
    model = models.mlp(inputs=2, hidden=[50], outputs=1, activation="sigmoid")
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model


def with_model_fit(data):
    """Train once with Keras."""
    model = build()
    test = (data.x_test, data.y_test)
    model.fit(data.x_train, data.y_train, validation_data=test, epochs=EPOCHS, verbose=0)


def with_fit(data):
    """Train once, tracing included."""
    training.fit(build(), data, epochs=EPOCHS)


def with_repeat(data):
    """Train with each of a hundred seeds, building and compiling included."""
    training.repeat(build, data, epochs=EPOCHS, seeds=SEEDS)


CONTESTANTS = {
    "model.fit, one training": with_model_fit,
    "training.fit, one training": with_fit,
    f"training.repeat, {SEEDS} seeds": with_repeat,
}


def main():
    """Print a table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of")
    rounds = parser.parse_args().rounds
    data = datasets.circles()
    with_fit(data)  # imports and first-time set-up are nobody's
    seconds = {name: [] for name in CONTESTANTS}
    for i in range(rounds):
        for name, train in CONTESTANTS.items():
            start = time.perf_counter()
            train(data)
            seconds[name].append(time.perf_counter() - start)
            print(f"round {i + 1}: {name}: {seconds[name][-1]:.2f} s", flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    reference = next(iter(medians.values()))
    print(f"\nlossutils {lossutils.__version__}, keras {keras.__version__}, {platform.machine()}")
    print("\n| | median time | model.fit takes |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median:.2f} s | {reference / median:.1f} times as long |")


if __name__ == "__main__":
    main()
