"""Five conclusions of the book, on draws and seeds that no chapter prints.

Each is a difference with a sign, measured on 20 new problems; it has to hold on at least 18 of
them. These trainings take minutes, so that `make test` leaves them out: `make test-claims`.
"""

from dataclasses import replace

import keras
import numpy as np
from scipy import stats
from sklearn.preprocessing import StandardScaler

from lossutils import datasets, models, training

SEEDS = range(1000, 1020)  # the chapters draw with seeds below 1000
NEEDED = 18


def assert_positive(differences, claim):
    """Fail unless a claim's sign holds on nearly all draws."""
    holds = int((np.asarray(differences) > 0).sum())
    print(f"{claim}: {holds} of {len(differences)}, mean {np.mean(differences):+.4g}")
    assert len(differences) == len(SEEDS)
    assert holds >= NEEDED


def by_seed(runs, measure):
    chosen = runs[runs["measure"] == measure]
    return chosen.set_index("seed")["value"].sort_index()


def with_outliers(seed):
    return datasets.regression_with_outliers(random_state=seed)


def network(loss, rate, hidden=(25,)):
    def build():
        model = models.mlp(inputs=20, hidden=list(hidden), outputs=1)
        optimizer = keras.optimizers.SGD(learning_rate=rate, momentum=0.9)
        model.compile(optimizer=optimizer, loss=loss, metrics=["mean_absolute_error"])
        return model

    return build


RATES = [0.001, 0.003, 0.01, 0.03]


def test_stopped_early_the_absolute_error_is_ahead_of_the_squared_error_where_targets_are_wrong():
    """Each loss at its own rate and number of epochs, chosen on rows as wrong as the others."""
    mae = {
        loss: by_seed(
            training.repeat(
                network(loss, 0.01),
                with_outliers,
                epochs=100,
                seeds=SEEDS,
                learning_rates=RATES,
                choose_by="mean_absolute_error",
                early_stopping=True,
            ),
            "test_mean_absolute_error",
        )
        for loss in ("mean_absolute_error", "mean_squared_error")
    }
    assert_positive(mae["mean_squared_error"] - mae["mean_absolute_error"], "robust, stopped early")


def test_a_robust_loss_slows_memorizing_and_does_not_prevent_it():
    mae = {
        epochs: by_seed(
            training.repeat(
                network("mean_absolute_error", 0.003, (100,)), with_outliers, epochs, seeds=SEEDS
            ),
            "test_mean_absolute_error",
        )
        for epochs in (100, 1000)
    }
    assert_positive(mae[1000] - mae[100], "the absolute error, ten times as long")


def blobs(seed, smoothing=0.0):
    raw = datasets.blobs(random_state=seed)
    scaler = StandardScaler().fit(raw.x_train)
    return replace(
        raw,
        x_train=scaler.transform(raw.x_train),
        x_test=scaler.transform(raw.x_test),
        y_train=(1 - smoothing) * raw.y_train + smoothing / raw.y_train.shape[1],
        y_test=raw.posterior(raw.x_test),
        class_names=None,
    )


def test_trained_past_its_best_smoothing_brings_probabilities_closer_to_the_truth():
    def build():
        model = models.mlp(inputs=2, hidden=[50, 50], outputs=3, activation="softmax")
        optimizer = keras.optimizers.SGD(learning_rate=0.03, momentum=0.9)
        model.compile(optimizer, loss="categorical_crossentropy", metrics=["kl_divergence"])
        return model

    distance = {
        smoothing: by_seed(
            training.repeat(
                build, lambda seed, e=smoothing: blobs(seed, e), epochs=400, seeds=SEEDS
            ),
            "test_kl_divergence",
        )
        for smoothing in (0.0, 0.1)
    }
    assert_positive(distance[0.0] - distance[0.1], "smoothing, trained past the best epoch")


def test_one_data_set_and_many_seeds_understate_how_far_results_spread():
    """The spread over redrawn data is wider than that over initial weights on one data set."""

    def build():
        model = models.mlp(inputs=2, hidden=[50], outputs=1, activation="sigmoid")
        optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)
        model.compile(optimizer, loss="binary_crossentropy", metrics=["accuracy"])
        return model

    differences = []
    for first in SEEDS:
        seeds = range(first * 10, first * 10 + 10)
        spread = [
            by_seed(training.repeat(build, data, epochs=100, seeds=seeds), "test_accuracy").std()
            for data in (
                lambda seed: datasets.circles(random_state=seed),
                datasets.circles(random_state=first),
            )
        ]
        differences.append(spread[0] - spread[1])
    assert_positive(differences, "spread over data, less that over seeds")


PREVALENCE, CENTER, SPREAD = 0.04, np.array([1.5, 1.5]), 0.7


def rare(seed, rows=4096):
    """Draw a rare class as in the chapter on imbalance."""
    rng = np.random.default_rng(seed)

    def half():
        positive = rng.permutation(np.arange(rows) < PREVALENCE * rows)[:, np.newaxis]
        noise = rng.normal(size=(rows, 2))
        return np.where(positive, CENTER + SPREAD * noise, noise), positive.astype(int)

    (x_train, y_train), (x_test, y_test) = half(), half()
    return datasets.Dataset(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def test_a_threshold_from_the_costs_is_cheaper_than_one_half():
    """A class weight asks for the same decisions; here the threshold moves, not the training."""
    missed = 10
    differences, weights = [], []
    for seed in SEEDS:
        data = rare(seed)
        flagged = {}
        for weight in (1.0, missed):
            keras.utils.set_random_seed(seed)
            model = models.mlp(inputs=2, hidden=[16], outputs=1, activation="sigmoid")
            model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
            training.fit(
                model, data, epochs=12, batch_size=128, seed=seed, class_weight={0: 1.0, 1: weight}
            )
            flagged[weight] = model(data.x_test).numpy()

        def cost(p, threshold, y=data.y_test):
            missing = missed * ((y == 1) & (p < threshold))
            return np.mean(missing + ((y == 0) & (p >= threshold)))

        usual, moved = (cost(flagged[1.0], t) for t in (0.5, 1 / (1 + missed)))
        differences.append(usual - moved)
        weights.append(cost(flagged[missed], 0.5) - moved)
    assert_positive(differences, "a threshold from the costs")
    # Weighted training and a moved threshold come to the same cost, within the noise of the draws.
    low, high = stats.t.interval(0.95, len(SEEDS) - 1, np.mean(weights), stats.sem(weights))
    print(f"weighted training, less the moved threshold: {low:+.4f} to {high:+.4f}")
    assert abs(np.mean(weights)) < np.mean(differences) / 10
