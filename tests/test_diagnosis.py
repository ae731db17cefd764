"""`diagnose`: what it measures, what it finds, and what it leaves alone."""

import ast
import functools
import random

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    d2_absolute_error_score,
    r2_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lossutils import models
from lossutils.checks import _network, diagnose
from lossutils.checks._diagnosis import _copies, _judge, _rows, _splits, _trials
from lossutils.checks._diagnosis._inside import look_inside
from lossutils.checks._diagnosis._task import ShareCorrect, task_of
from lossutils.checks._setup import resolve_loss
from lossutils.datasets import circles

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 3))
Y = 2 * np.abs(X[:, 0]) + X[:, 1] + 0.2 * RNG.normal(size=240)
CENTERS = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0], [0.0, 2.5, 0.0]])
LABELS = np.arange(240) % 3
CLOUDS = CENTERS[LABELS] + RNG.normal(size=(240, 3))
CLOUDS = (CLOUDS - CLOUDS.mean(axis=0)) / CLOUDS.std(axis=0)
RARE = (np.arange(600) % 20 == 0).astype(int)
RARE_X = RNG.normal(size=(600, 3)) + RARE[:, None]
RINGS = circles(n_samples=600)
RINGS_X = np.vstack([RINGS.x_train, RINGS.x_test])
RINGS_Y = np.vstack([RINGS.y_train, RINGS.y_test])[:, 0]
NOISY_X = RNG.normal(size=(400, 12))


def numbers(
    hidden=(32,), inputs=3, rate=0.02, optimizer=None, penalty=None, dropout=0.0, **settings
):
    """Return a network for numbers, compiled."""
    layers = []
    for units in hidden:
        dense = {"activation": "relu", "kernel_initializer": "he_uniform", **settings}
        layers.append(keras.layers.Dense(units, kernel_regularizer=penalty, **dense))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(1, kernel_regularizer=penalty))
    model = keras.Sequential([keras.Input((inputs,)), *layers])
    model.compile(optimizer or keras.optimizers.Adam(rate), loss="mean_squared_error")
    return model


def classes(optimizer=None):
    """Return a network for three classes, compiled."""
    model = models.mlp(3, [32], 3, activation="softmax")
    model.compile(
        optimizer or keras.optimizers.SGD(0.05, momentum=0.9),
        loss="sparse_categorical_crossentropy",
    )
    return model


def two_classes():
    model = models.mlp(3, [32], 1, activation="sigmoid")
    model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
    return model


def rings():
    model = models.mlp(2, [50], 1, activation="sigmoid")
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss="binary_crossentropy")
    return model


def with_sgd():
    return numbers(optimizer=keras.optimizers.SGD(0.01, momentum=0.9))


# The fault by the code that names it: model, x, y and what else is passed.
FAULTS = {
    "standardize-inputs": (numbers, X + 100, Y, {}),
    "standardize-targets": (numbers, X, Y + 300, {}),
    "larger-rate": (lambda: numbers(rate=1e-5), X, Y, {}),
    "smaller-rate": (lambda: numbers(rate=5.0), X, Y, {}),
    "relu": (lambda: numbers(activation="linear"), X, Y, {}),
    "he-initialization": (lambda: numbers(kernel_initializer="zeros"), X, Y, {}),
    "more-units": (lambda: numbers(hidden=(1,)), X, Y, {}),
    "hidden-layer": (lambda: numbers(hidden=()), X, Y, {}),
    "no-dropout": (lambda: numbers(dropout=0.95), X, Y, {}),
    "no-regularization": (lambda: numbers(penalty=keras.regularizers.L2(1.0)), X, Y, {}),
    "clip": (with_sgd, X, 30 * Y, {}),
    "batch-size": (lambda: numbers(rate=0.005), X, Y, {"batch_size": 180}),
    "shuffle": (
        rings,
        RINGS_X[np.argsort(RINGS_Y, kind="stable")],
        np.sort(RINGS_Y),
        {"shuffle": False},
    ),
    "class-weights": (two_classes, RARE_X, RARE, {}),
    "fewer-epochs": (
        lambda: numbers(inputs=12, hidden=(64,), rate=0.003),
        NOISY_X,
        NOISY_X[:, 0] + np.random.default_rng(1).normal(size=400),
        {"epochs": 160},
    ),
}
WEIGHTS = {0: 0.53, 1: 10.0}
REPAIRED = {
    "numbers": (numbers, X, Y, {}),
    "classes": (classes, CLOUDS, LABELS, {}),
    "two classes": (two_classes, RARE_X, RARE, {"class_weight": WEIGHTS}),
}


def words(found):
    """Return what a diagnosis prints, on one line."""
    return " ".join(str(found).split())


@functools.cache
def diagnosis(name):
    """Diagnose one of these programs, once for all tests, however slow the machine is."""
    build, x, y, options = {**FAULTS, **REPAIRED}[name]
    return diagnose(build, x, y, **{"epochs": 40, "seconds": 900, "verbose": False, **options})


@pytest.mark.parametrize("code", FAULTS)
def test_cause_is_found(code):
    found = diagnosis(code)
    assert code in found.causes, found
    assert code in [finding.code for finding in found.findings]
    assert found.recipe


@pytest.mark.parametrize("name", REPAIRED)
def test_repaired_program_has_no_cause(name):
    found = diagnosis(name)
    assert found.causes == [], found
    assert found.learnable
    assert found.recipe == ""
    assert "No cause" in str(found)


def test_nothing_to_learn_is_said_and_has_no_cause():
    y = np.random.default_rng(3).permutation(Y)
    found = diagnose(numbers, X, y, epochs=20, seconds=900, verbose=False)
    assert found.learnable is False
    assert found.causes == []
    assert [finding.code for finding in found.findings] == ["nothing-to-learn"]
    assert "there may be nothing to learn" in words(found)


def test_cause_stands_first_where_the_experiments_are_clear():
    for code in ("standardize-inputs", "standardize-targets", "larger-rate", "hidden-layer"):
        assert diagnosis(code).causes[0] == code


def test_a_rate_that_only_stops_earlier_is_no_cause():
    table = diagnosis("fewer-epochs").table
    assert table.loc["learning rate / 10", "verdict"] == "learns less"
    assert "learns the training rows less" in words(diagnosis("fewer-epochs"))


def test_references_are_those_of_scikit_learn():
    found = diagnosis("numbers")
    expected = {"constant": [], "linear model": [], "gradient boosting": []}
    for seed in range(5):
        train, test = train_test_split(np.arange(len(X)), test_size=0.25, random_state=seed)
        train, test = np.sort(train), np.sort(test)
        predictions = {
            "constant": np.full(len(test), Y[train].mean()),
            "linear model": make_pipeline(StandardScaler(), Ridge())
            .fit(X[train], Y[train])
            .predict(X[test]),
            "gradient boosting": HistGradientBoostingRegressor(random_state=0)
            .fit(X[train], Y[train])
            .predict(X[test]),
        }
        for name, predicted in predictions.items():
            expected[name].append(r2_score(Y[test], predicted))
    for name, values in expected.items():
        assert found.references[name] == pytest.approx(np.mean(values), abs=1e-9)
    assert found.metric == "R²"


def test_memorizes_32_rows_where_network_and_step_are_right():
    assert diagnosis("numbers").memorized["share"] > 0.9
    assert diagnosis("he-initialization").memorized["share"] < 0.1
    assert "does not memorize 32 rows" in words(diagnosis("he-initialization"))


def inside(model, x):
    rows = _splits.Rows(x[:180], Y[:180, None], x[180:], Y[180:, None])
    settings = _trials.Settings(epochs=5, batch_size=32, shuffle=True)
    return look_inside(model, rows, task(Y[:, None], 1, None, "mean_squared_error"), settings)


def test_inside_shows_dead_and_saturated_layers_and_the_step_of_nan():
    dead = inside(numbers(bias_initializer=keras.initializers.Constant(-50.0)), X).layers
    assert dead["dead_at_start"].iloc[0] == dead["dead"].iloc[0] == 1
    assert dead["gradient"].iloc[0] == 0
    saturated = inside(numbers(activation="tanh"), 1000 * X).layers
    assert saturated["saturated"].iloc[0] > 0.9
    exploded = inside(numbers(optimizer=keras.optimizers.SGD(1.0)), 1000 * X)
    assert exploded.nan_step < 20
    healthy = diagnosis("numbers").inside
    assert (healthy["update"] > 1e-4).all()
    assert healthy["scale"].iloc[0] == pytest.approx(1, abs=0.2)


def test_a_model_is_not_touched_and_gives_what_its_function_gave():
    """Also: the same arguments give the same table twice, whatever happened before."""
    model = numbers()
    model.fit(X, Y, epochs=1, verbose=0)
    kept = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    x, y = X.copy(), Y.copy()
    keras.utils.set_random_seed(5)
    state = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    expected = keras.ops.convert_to_numpy(keras.random.normal((3,)))
    keras.utils.set_random_seed(5)
    found = diagnose(model, x, y, epochs=40, verbose=False)
    now = (*model.get_weights(), *(v.numpy() for v in model.optimizer.variables))
    assert all(map(np.array_equal, kept, now))
    assert model.loss == "mean_squared_error"
    assert random.getstate() == state[0]
    assert np.array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002
    assert np.array_equal(keras.random.normal((3,)), expected)
    assert np.array_equal(x, X)
    assert np.array_equal(y, Y)
    pd.testing.assert_frame_equal(found.table, diagnosis("numbers").table, check_exact=True)
    assert str(found) == str(diagnosis("numbers"))


def test_time_ends_the_trainings_and_what_was_left_out_is_said():
    found = diagnose(numbers, X, Y, epochs=40, seconds=0.01, verbose=False)
    assert found.table.empty
    assert found.causes == []
    assert "The time did not suffice" in words(found)
    assert {"constant", "linear model", "gradient boosting"} == {*found.references.index}
    with pytest.raises(ValueError, match="raise seconds="):
        found.plot()


def test_what_the_time_sufficed_for_is_as_without_a_limit():
    whole = diagnosis("numbers").table
    part = diagnose(numbers, X, Y, epochs=40, seconds=2.0, verbose=False)
    left = {title for title, why in part.left_out.items() if why == "for want of time"}
    assert {*part.table.index} | left >= {*whole.index} or part.table.empty
    for title in part.table.index:
        assert part.table.loc[title, "value"] == whole.loc[title, "value"]


def test_validation_data_are_what_is_measured_on():
    found = diagnose(
        numbers, X[:180], Y[:180], validation_data=(X[180:], Y[180:]), epochs=20, verbose=False
    )
    constant = r2_score(Y[180:], np.full(60, Y[:180].mean()))
    assert found.references["constant"] == pytest.approx(constant)


def test_copy_keeps_what_adapt_learned_and_frozen_weights_and_draws_the_others_anew():
    normalization = keras.layers.Normalization()
    normalization.adapt(X + 100)
    frozen = keras.layers.Dense(3, trainable=False)
    hidden = keras.layers.Dense(32, activation="relu")
    model = keras.Sequential(
        [keras.Input((3,)), normalization, frozen, hidden, keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.02, clipnorm=1.0), loss="mean_squared_error")
    copy = _copies.Source(model, X[:1]).model()
    own_normalization, own_frozen, own_hidden, _ = copy.layers
    assert np.array_equal(own_normalization(X), normalization(X))
    assert np.array_equal(own_frozen.kernel.numpy(), frozen.kernel.numpy())
    assert not np.allclose(own_hidden.kernel.numpy(), hidden.kernel.numpy())
    assert own_hidden is not hidden
    assert copy.optimizer is not model.optimizer
    assert copy.optimizer.get_config() == model.optimizer.get_config()


def test_change_of_the_network_starts_from_the_same_weights():
    build = functools.partial(numbers, activation="tanh", dropout=0.5)
    source = _copies.Source(build, X[:1])
    keras.utils.set_random_seed(3)
    as_given = source.model()
    for change in (_copies.without_dropout, _copies.with_relu({as_given.layers[0].name})):
        keras.utils.set_random_seed(3)
        changed = source.changed(change)
        assert all(map(np.array_equal, as_given.get_weights(), changed.get_weights()))
    assert not _copies.has_dropout(source.changed(_copies.without_dropout))


def test_a_model_with_a_training_step_of_its_own_is_trained_by_fit():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(1)

        def call(self, x):
            return self.inner(x)

        def train_step(self, data):
            self.steps = getattr(self, "steps", 0) + 1
            return super().train_step(data)

    def build():
        model = Own()
        model.compile(keras.optimizers.SGD(0.00001), loss="mean_squared_error")
        return model

    found = diagnose(build, X, Y, epochs=2, seeds=2, seconds=900, verbose=False)
    assert "as given" in found.table.index
    assert found.left_out["a look inside"] == "the model trains in a way of its own"


def test_report_names_what_was_tried(capsys):
    found = diagnosis("standardize-targets")
    print(found)
    text = capsys.readouterr().out
    assert "With targets standardized" in words(found)
    assert "Write:" in text
    assert all(title in words(found) for title in found.table.index[1:] if "+" not in title)
    assert max(map(len, text.splitlines())) <= 100
    html = found._repr_html_()
    assert "<table" in html
    assert "targets standardized" in html


@pytest.mark.parametrize("code", FAULTS)
def test_recipe_is_code(code):
    ast.parse(diagnosis(code).recipe)


def test_plot_has_a_row_for_each_change_and_the_references():
    ax = diagnosis("larger-rate").plot()
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows[0] == "as given"
    assert "learning rate × 10" in rows
    assert {text.get_text() for text in ax.texts} >= {"constant", "gradient boosting"}
    assert ax.get_xlabel().startswith("R² on the rows held out")


def task(y, units, activation, loss):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation=activation)])
    (output,) = _network.outputs(model, None)
    return task_of(y, output, resolve_loss(loss, y.shape, output.shape))


@pytest.mark.parametrize(
    ("y", "units", "activation", "loss", "kind", "metric"),
    [
        (Y[:, None], 1, None, "mean_squared_error", "numbers", "R²"),
        (Y[:, None], 1, None, "mean_absolute_error", "numbers", "D² (absolute error)"),
        (LABELS[:, None] % 2, 1, "sigmoid", "binary_crossentropy", "two classes", "accuracy"),
        (RARE[:, None], 1, "sigmoid", "binary_crossentropy", "two classes", "balanced accuracy"),
        (2 * (LABELS[:, None] % 2) - 1, 1, "tanh", "hinge", "two classes", "accuracy"),
        (LABELS[:, None], 3, None, "sparse_categorical_crossentropy", "classes", "accuracy"),
        (np.eye(3)[LABELS], 3, "softmax", "categorical_crossentropy", "classes", "accuracy"),
        (LABELS[:, None], 1, None, "mean_squared_error", "numbers", "R²"),
    ],
)
def test_task_and_metric_follow_targets_and_loss(y, units, activation, loss, kind, metric):
    found = task(y, units, activation, loss)
    assert (found.kind, found.metric) == (kind, metric)


def test_metrics_are_those_of_scikit_learn():
    numbers_of, rng = np.abs(Y)[:, None], np.random.default_rng(2)
    guess = numbers_of + rng.normal(size=numbers_of.shape)
    squared = task(numbers_of, 1, None, "mean_squared_error")
    assert squared.of_predictions(numbers_of, guess) == pytest.approx(r2_score(numbers_of, guess))
    absolute = task(numbers_of, 1, None, "mean_absolute_error")
    expected = d2_absolute_error_score(numbers_of, guess)
    assert absolute.of_predictions(numbers_of, guess) == pytest.approx(expected)
    predicted = rng.integers(3, size=240)
    scores = keras.ops.one_hot(predicted, 3)
    skewed = np.minimum(LABELS, rng.integers(3, size=240))
    for over, metric in (("rows", accuracy_score), ("classes", balanced_accuracy_score)):
        ours = ShareCorrect(3, over, None, 0.5)
        for part in (slice(0, 100), slice(100, None)):
            ours.update_state(skewed[part, None], scores[part])
        assert float(ours.result()) == pytest.approx(metric(skewed, predicted), abs=1e-6)


def test_a_network_that_gives_nan_predicts_no_class():
    metric = ShareCorrect(2, "rows", 0.5, 0.5)
    metric.update_state(np.array([[0], [1]]), np.array([[np.nan], [np.nan]]))
    assert float(metric.result()) == 0


def test_lower_bound_is_that_of_student():
    differences = np.array([0.1, 0.2, 0.15, 0.25, 0.3])
    expected = stats.ttest_1samp(differences, 0, alternative="greater").confidence_interval(0.95)
    assert _judge.lower_bound(differences, 1, 0.0) == pytest.approx(expected.low)
    assert _judge.lower_bound(differences, 10, 0.0) < expected.low
    assert _judge.lower_bound(differences, 1, 1 / 3) < expected.low


def test_no_more_than_chance_among_changes_without_effect():
    """Of a thousand diagnoses of 14 idle changes at most one in twenty names any."""
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(1000, 14, 5))
    lows = np.array([[_judge.lower_bound(d, 14, 0.0) for d in row] for row in draws])
    assert (lows > 0).any(axis=1).mean() <= 0.05 + 0.02


def test_signal_is_told_from_none():
    rng = np.random.default_rng(4)
    labels, noise = rng.integers(3, size=60), rng.normal(size=60)
    guesses = np.where(rng.random(60) < 0.5, labels, rng.integers(3, size=60))
    assert _judge.chance_of_labels(labels, np.eye(3)[guesses]) < 1e-4
    assert _judge.chance_of_labels(labels, np.full((60, 3), 1 / 3)) == 1
    assert _judge.chance_of_numbers(noise, noise + rng.normal(size=60)) < 1e-4
    of_none = [
        _judge.chance_of_labels(labels, rng.dirichlet([1, 1, 1], size=60)) for _ in range(2000)
    ]
    assert np.mean(np.array(of_none) < 0.05) == pytest.approx(0.05, abs=0.02)
    assert _judge.is_signal([np.array([1e-6, 1e-4, 0.5])])
    assert not _judge.is_signal([np.array([1e-6, 0.3, 0.5])])


def test_splits_keep_order_and_shares_of_classes():
    x, y = np.arange(600.0)[:, None], RARE[:, None]
    rare = task(y, 1, "sigmoid", "binary_crossentropy")
    rows = _splits.Splits(x, y, rare).of(3)
    assert (np.diff(rows.x_train[:, 0]) > 0).all()
    assert rows.y_held_out.mean() == pytest.approx(RARE.mean(), abs=0.01)
    few, _ = _splits.telling_rows(rows, rare, 20)
    assert len(few) == 20


def test_data_frames_and_lists_are_taken():
    frame, series = pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series(LABELS)
    for given in ((frame, series), (X.tolist(), LABELS.tolist()), (X, LABELS.astype("uint8"))):
        x, y = _rows(*given, "x", "y")
        assert np.array_equal(x, X)
        assert np.array_equal(y, LABELS[:, None])


def two_outputs():
    inputs = keras.Input((3,))
    dense = [keras.layers.Dense(1)(inputs), keras.layers.Dense(1)(inputs)]
    model = keras.Model(inputs, dense)
    model.compile("sgd", loss=["mse", "mse"])
    return model


def two_numbers():
    model = models.mlp(3, [4], 2)
    model.compile("sgd", loss="mean_squared_error")
    return model


def frozen():
    model = numbers()
    model.trainable = False
    return model


def not_compiled():
    return models.mlp(3, [4], 1)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((two_outputs, X, Y), {}, ValueError, "2 outputs: diagnose one of them at a time"),
        ((two_numbers, X, X[:, :2]), {}, ValueError, "one column at a time"),
        ((not_compiled, X, Y), {}, ValueError, "call model.compile"),
        (("a model", X, Y), {}, TypeError, "got str"),
        ((lambda: "a model", X, Y), {}, TypeError, "build must return a keras.Model"),
        ((numbers, [X, X], Y), {}, TypeError, "not a data set or several inputs"),
        ((numbers, X, Y[:-1]), {}, ValueError, "240 rows and y has 239"),
        ((numbers, X[:20], Y[:20]), {}, ValueError, "40 rows or more"),
        ((numbers, np.where(X > 2, np.nan, X), Y), {}, ValueError, "fill or drop"),
        ((frozen, X, Y), {}, ValueError, "no weights to train"),
        ((numbers, X, np.ones(240)), {}, ValueError, "all 240 targets are equal"),
        ((classes, X, LABELS + 1), {}, ValueError, "labels run from 1 to 3"),
        ((numbers, X, Y), {"epochs": 0}, ValueError, "epochs must be"),
        ((numbers, X, Y), {"seconds": -1}, ValueError, "seconds must be"),
        ((numbers, X, Y), {"seeds": "three"}, TypeError, "seeds must be"),
    ],
)
def test_what_cannot_be_diagnosed_is_an_error_that_helps(arguments, options, error, words):
    with pytest.raises(error, match=words):
        diagnose(*arguments, **{"epochs": 2, "verbose": False, **options})
