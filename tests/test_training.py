"""`training.fit` against `model.fit`, and `training.repeat` against `training.fit`."""

import dataclasses
import functools
import random
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy import stats

from lossutils import losses, models, training
from lossutils.datasets import Dataset
from lossutils.training import _repetition
from lossutils.training._choice import Choice
from lossutils.training._program import Program

ROWS, TEST_ROWS, FEATURES, BATCH = 42, 25, 4, 16  # the last batch of an epoch has 10 rows


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def problem(kind, classes=3, seed=0):
    """Make a small problem whose targets have the encoding that a loss needs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS + TEST_ROWS, FEATURES))
    signal = x @ rng.normal(size=(FEATURES, classes)) + 0.3 * rng.normal(size=(len(x), classes))
    labels = signal.argmax(axis=1)
    y = {
        "real": signal[:, :1],
        "reals": signal,
        "positive": np.exp(signal[:, :1]),
        "count": rng.poisson(np.exp(0.5 * signal[:, :1])),
        "binary": (signal[:, :1] > 0).astype(int),
        "sign": np.where(signal[:, :1] > 0, 1, -1),
        "several": (signal > 0).astype(int),
        "one-hot": np.eye(classes)[labels],
        "labels": labels[:, None],
        "distribution": np.exp(signal) / np.exp(signal).sum(axis=1, keepdims=True),
    }[kind]
    return Dataset(x_train=x[:ROWS], y_train=y[:ROWS], x_test=x[ROWS:], y_test=y[ROWS:])


def perceptron(outputs=1, activation="linear", middle=(), dtype=None, **options):
    layers = [
        keras.Input((FEATURES,), dtype=dtype),
        keras.layers.Dense(6, activation="tanh", dtype=dtype, **options),
        *middle,
        keras.layers.Dense(outputs, activation=activation, dtype=dtype),
    ]
    return keras.Sequential(layers)


def trained_by_both(build, data, epochs=3, **options):
    """Train the same initial model by `model.fit` and by `training.fit`."""
    keras.utils.set_random_seed(1)
    theirs = build()
    keras.utils.set_random_seed(1)
    ours = build()
    weights = {k: v for k, v in options.items() if k in ("class_weight", "sample_weight")}
    theirs.jit_compile = False  # XLA would compile for longer than it runs
    expected = theirs.fit(
        data.x_train,
        data.y_train,
        validation_data=(data.x_test, data.y_test),
        epochs=epochs,
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        **weights,
    )
    history = training.fit(ours, data, epochs, batch_size=BATCH, shuffle=False, **options)
    return theirs, expected, ours, history


def assert_equal_training(build, data, tolerance=1e-10, **options):
    theirs, expected, ours, history = trained_by_both(build, data, **options)
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance)
    measured = {k: v for k, v in expected.history.items() if k.startswith("val_")}
    assert {f"test_{k[4:]}" for k in measured} == {k for k in history.history if k[:4] == "test"}
    for name, values in measured.items():
        np.testing.assert_allclose(
            history.history[f"test_{name[4:]}"], values, rtol=tolerance, atol=tolerance
        )


LOSSES = {
    "mean_squared_error": ("real", 1, "linear"),
    "mean_absolute_error": ("reals", 3, "linear"),
    "mean_absolute_percentage_error": ("positive", 1, "softplus"),
    "mean_squared_logarithmic_error": ("positive", 1, "softplus"),
    "huber": ("real", 1, "linear"),
    "log_cosh": ("real", 1, "linear"),
    "cosine_similarity": ("reals", 3, "linear"),
    "poisson": ("count", 1, "softplus"),
    "kl_divergence": ("distribution", 3, "softmax"),
    "binary_crossentropy": ("binary", 1, "sigmoid"),
    "binary_focal_crossentropy": ("several", 3, "sigmoid"),
    "categorical_crossentropy": ("one-hot", 3, "softmax"),
    "sparse_categorical_crossentropy": ("labels", 3, "softmax"),
    "categorical_focal_crossentropy": ("one-hot", 3, "softmax"),
    "hinge": ("binary", 1, "linear"),
    "squared_hinge": ("sign", 1, "tanh"),
    "categorical_hinge": ("one-hot", 3, "linear"),
    "dice": ("several", 3, "sigmoid"),
    "tversky": ("several", 3, "sigmoid"),
    "crossentropy": ("labels", 3, "softmax"),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_by_name_train_as_in_keras(loss):
    kind, outputs, activation = LOSSES[loss]

    def build():
        model = perceptron(outputs, activation)
        model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss, metrics=["mse"])
        return model

    data = problem(kind)
    if kind == "labels":  # a squared error of labels against probabilities would broadcast

        def build():
            model = perceptron(outputs, activation)
            model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss, metrics=["accuracy"])
            return model

    assert_equal_training(build, data)


def own_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 1.5, axis=-1)


def own_metric(y_true, y_pred):
    return own_loss(keras.ops.cast(y_true, y_pred.dtype), y_pred)


class OwnLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        # Depends on the batch, as a ranking or contrastive loss would.
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1) / (
            1 + keras.ops.var(y_true)
        )


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("loss", "kind", "outputs", "activation"),
    [
        (lambda: keras.losses.Huber(delta=0.3), "real", 1, "linear"),
        (lambda: keras.losses.MeanSquaredError(reduction="sum"), "real", 1, "linear"),
        (
            lambda: keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"),
            "real",
            1,
            "linear",
        ),
        (lambda: keras.losses.BinaryCrossentropy(from_logits=True), "binary", 1, "linear"),
        (
            lambda: keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
            "one-hot",
            3,
            "softmax",
        ),
        (
            lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1),
            "labels",
            3,
            "linear",
        ),
        (lambda: own_loss, "real", 1, "linear"),
        (OwnLoss, "real", 1, "linear"),
    ],
)
def test_loss_objects_and_functions_train_as_in_keras(loss, kind, outputs, activation):
    def build():
        model = perceptron(outputs, activation)
        model.compile(keras.optimizers.Adam(0.01), loss())
        return model

    assert_equal_training(build, problem(kind))


@pytest.mark.usefixtures("float64")
def test_losses_that_take_a_vector_of_labels():
    data = problem("labels")

    def build():
        model = perceptron(3, "softmax")
        model.compile("sgd", keras.losses.CategoricalGeneralizedCrossEntropy(q=0.7))
        return model

    keras.utils.set_random_seed(1)
    theirs = build()
    theirs.fit(data.x_train, data.y_train[:, 0], batch_size=BATCH, shuffle=False, verbose=0)
    keras.utils.set_random_seed(1)
    ours = build()
    training.fit(ours, data, 1, batch_size=BATCH, shuffle=False)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


SCHEDULES = keras.optimizers.schedules
OPTIMIZERS = {
    "a factor on the loss": lambda: keras.optimizers.SGD(0.05, loss_scale_factor=64.0),
    "plain": lambda: keras.optimizers.SGD(0.05),
    "nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.02),
    "amsgrad": lambda: keras.optimizers.Adam(0.02, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(0.02, weight_decay=0.01),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.02, centered=True, momentum=0.5),
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "adadelta": lambda: keras.optimizers.Adadelta(0.5),
    "adamax": lambda: keras.optimizers.Adamax(0.02),
    "nadam": lambda: keras.optimizers.Nadam(0.02),
    "adafactor": lambda: keras.optimizers.Adafactor(5.0),  # a smaller step would hide its own
    "ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "lion": lambda: keras.optimizers.Lion(0.005),
    "exponential decay": lambda: keras.optimizers.SGD(SCHEDULES.ExponentialDecay(0.1, 2, 0.7)),
    "cosine decay": lambda: keras.optimizers.Adam(SCHEDULES.CosineDecay(0.1, 8)),
    "clipped norm": lambda: keras.optimizers.SGD(0.1, clipnorm=0.1),
    "clipped globally": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.1),
    "averaged weights": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8),
    "accumulated gradients": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_and_schedules_step_as_in_keras(optimizer):
    def build():
        model = perceptron()
        model.compile(OPTIMIZERS[optimizer](), "mean_squared_error")
        return model

    assert_equal_training(build, problem("real"))


ARCHITECTURES = {
    "dropout": lambda: perceptron(middle=[keras.layers.Dropout(0.4)]),
    "noise": lambda: perceptron(middle=[keras.layers.GaussianNoise(0.3)]),
    "batch normalization": lambda: perceptron(middle=[keras.layers.BatchNormalization()]),
    "layer normalization": lambda: perceptron(middle=[keras.layers.LayerNormalization()]),
    "weight regularization": lambda: perceptron(
        kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02), bias_regularizer="l2"
    ),
    "activity regularization": lambda: perceptron(
        activity_regularizer=keras.regularizers.L2(0.01), kernel_regularizer="l2"
    ),
    "constraint": lambda: perceptron(kernel_constraint=keras.constraints.MaxNorm(0.5)),
    "frozen layer": lambda: perceptron(middle=[keras.layers.Dense(6, trainable=False)]),
    "no input layer": lambda: keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)]),
    "one-dimensional output": lambda: perceptron(middle=[]).__class__(
        [keras.Input((FEATURES,)), keras.layers.Dense(1), keras.layers.Reshape(())]
    ),
    "recurrent": lambda: keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Reshape((FEATURES, 1)),
            keras.layers.LSTM(3),
            keras.layers.Dense(1),
        ]
    ),
    "convolution": lambda: keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Reshape((FEATURES, 1)),
            keras.layers.Conv1D(3, 2, activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(1),
        ]
    ),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_layers_train_as_in_keras(architecture):
    def build():
        model = ARCHITECTURES[architecture]()
        model.compile(keras.optimizers.Adam(0.02), "mean_squared_error", metrics=["mae"])
        return model

    assert_equal_training(build, problem("real"))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(5, activation="relu")
        self.out = keras.layers.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))


def functional():
    x = keras.Input((FEATURES,))
    hidden = keras.layers.Dense(FEATURES, activation="relu")(x)
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.add([x, hidden])))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("build", [Subclassed, functional])
def test_every_way_to_write_a_model(build):
    def compiled():
        model = build()
        model.compile("rmsprop", "huber")
        return model

    assert_equal_training(compiled, problem("real"))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("metrics", "kind", "loss", "outputs", "activation"),
    [
        (["accuracy", "mae"], "binary", "binary_crossentropy", 1, "sigmoid"),
        (["accuracy"], "one-hot", "categorical_crossentropy", 3, "softmax"),
        (["acc"], "labels", "sparse_categorical_crossentropy", 3, "softmax"),
        (
            [lambda: keras.metrics.BinaryAccuracy(threshold=0, name="right"), "auc"],
            "binary",
            "hinge",
            1,
            "sigmoid",
        ),
        ([lambda: own_loss], "real", "mean_squared_error", 1, "linear"),
        ([lambda: keras.metrics.R2Score(name="r2")], "real", "mean_squared_error", 1, "linear"),
        # Its mean over batches, not over rows.
        ([lambda: keras.losses.Huber(0.3)], "real", "mean_squared_error", 1, "linear"),
    ],
)
def test_metrics_on_the_test_rows_are_those_of_keras(metrics, kind, loss, outputs, activation):
    def build():
        model = perceptron(outputs, activation)
        given = [m if isinstance(m, str) else m() for m in metrics]
        model.compile("adam", loss, metrics=given)
        return model

    assert_equal_training(build, problem(kind))


@pytest.mark.usefixtures("float64")
def test_weighted_metrics_and_loss_weight():
    def build():
        model = perceptron()
        model.compile("sgd", "mse", loss_weights=[0.5], weighted_metrics=["mae"], metrics=["mae"])
        return model

    assert_equal_training(build, problem("real"))


@pytest.mark.usefixtures("float64")
def test_class_weights_mean_what_they_mean_in_keras():
    def build(kind):
        model = perceptron(
            1 if kind == "binary" else 3, "sigmoid" if kind == "binary" else "softmax"
        )
        loss = {"binary": "binary_crossentropy", "one-hot": "categorical_crossentropy"}
        model.compile("sgd", loss.get(kind, "sparse_categorical_crossentropy"))
        return model

    for kind in ("binary", "one-hot", "labels"):
        assert_equal_training(lambda k=kind: build(k), problem(kind), class_weight={1: 4.0})


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_sample_weights_mean_what_they_mean_in_keras(reduction):
    def build():
        model = perceptron()
        model.compile("sgd", keras.losses.MeanSquaredError(reduction=reduction))
        return model

    weights = np.random.default_rng(3).uniform(0, 2, ROWS)
    assert_equal_training(build, problem("real"), sample_weight=weights)


@pytest.mark.usefixtures("float64")
def test_weights_agree_after_each_epoch_and_a_second_fit_goes_on():
    def build():
        model = perceptron(middle=[keras.layers.Dropout(0.2)])
        model.compile("adam", "mse")
        return model

    class Keep(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.weights = []

        def on_epoch_end(self, epoch, logs=None):
            self.weights.append(self.model.get_weights())

    data, keep = problem("real"), Keep()
    keras.utils.set_random_seed(1)
    build().fit(data.x_train, data.y_train, BATCH, 3, verbose=0, shuffle=False, callbacks=[keep])
    keras.utils.set_random_seed(1)
    model = build()
    for expected in keep.weights:
        training.fit(model, data, 1, batch_size=BATCH, shuffle=False)
        for a, b in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-10)


def with_the_batch(y_true, y_pred):
    """Relative to the other rows of the batch."""
    return keras.ops.abs(y_true - y_pred)[:, 0] / (0.1 + keras.ops.mean(y_true))


def of_the_batch(y_true, y_pred):
    """One value for a batch, of which Keras takes the plain mean."""
    return keras.ops.max(keras.ops.abs(y_true - y_pred))


def against_the_second(y_true, y_pred):
    """Fails for a batch of one row."""
    return keras.ops.abs(y_pred - y_pred[1])


def mean_of_the_batch(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred))


class OwnRecall(keras.metrics.Recall):
    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_true > 0.5, y_pred, sample_weight)


class OwnLastBatch(keras.metrics.Metric):
    """Remembers the last batch only."""

    def __init__(self, name, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.last = self.add_variable((), "zeros", name="last")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.last.assign(keras.ops.mean(y_pred))

    def result(self):
        return keras.ops.copy(self.last)


OWN_METRICS = {
    "rows": (own_metric, False),
    "class of Keras extended": (OwnRecall, False),
    "relative to the batch": (with_the_batch, True),
    "maximum of the batch": (of_the_batch, True),
    "mean of the batch": (mean_of_the_batch, True),
    "last batch": (OwnLastBatch, True),
    "two rows needed": (against_the_second, True),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("start", ["glorot_uniform", "zeros"])
@pytest.mark.parametrize("order", ["mixed", "sorted"])
@pytest.mark.parametrize("metric", OWN_METRICS)
def test_metrics_of_a_reader_are_measured_in_batches_where_it_matters(metric, order, start):
    """Row by row they need no small batches, which take most of the time of a training."""
    given, needs_batches = OWN_METRICS[metric]
    data = problem("binary")
    rows = np.argsort(data.y_train[:, 0], kind="stable") if order == "sorted" else slice(None)
    data = Dataset(
        x_train=data.x_train[rows],
        y_train=data.y_train[rows].astype(float),
        x_test=data.x_test,
        y_test=data.y_test.astype(float),
    )

    def build():
        model = perceptron(1, "sigmoid", kernel_initializer=start)
        metrics = [given(name="own") if isinstance(given, type) else given]
        model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=metrics)
        return model

    program = Program(build(), data, BATCH)
    assert (program._rows_per_pass == BATCH) == needs_batches
    assert_equal_training(build, data)


def test_float32_agrees_to_five_digits():
    def build():
        model = perceptron(1, "sigmoid")
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    assert_equal_training(build, problem("binary"), tolerance=1e-5)


def test_a_float64_model_needs_no_global_setting(float64):
    """The results are those under floatx=float64, the learning rate of 0.01 included."""

    def run():
        keras.utils.set_random_seed(2)
        model = perceptron(1, "sigmoid", dtype="float64")
        model.compile(
            keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
            keras.losses.BinaryCrossentropy(label_smoothing=0.1),
            metrics=["mae", keras.metrics.BinaryAccuracy(name="right"), own_metric],
        )
        return training.fit(model, problem("binary"), 5).history

    expected = run()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    for name, values in run().items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-14)


def test_training_measures_are_those_of_evaluate():
    data = problem("binary")
    model = perceptron(1, "sigmoid", middle=[keras.layers.Dropout(0.5)])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = training.fit(model, data, 2, class_weight={0: 3.0}).history
    expected = model.evaluate(data.x_train, data.y_train, verbose=0, return_dict=True)
    assert history["train_loss"][-1] == pytest.approx(expected["loss"], rel=1e-6)
    assert history["train_accuracy"][-1] == pytest.approx(expected["accuracy"])


def test_measuring_in_parts_changes_nothing(monkeypatch):
    def history():
        keras.utils.set_random_seed(0)
        model = perceptron(1, "sigmoid", dtype="float64")
        model.compile(
            "adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")]
        )
        return training.fit(model, problem("binary"), 2).history

    whole = history()
    monkeypatch.setattr("lossutils.training._program._ROWS_PER_PASS", 10)
    # The hidden layer has 6 units.
    monkeypatch.setattr("lossutils.training._program._NUMBERS_PER_PASS", 60)
    for name, values in history().items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-12)


def test_history_has_the_form_of_keras():
    model = perceptron()
    model.compile("sgd", "mse", metrics=["mae"])
    history = training.fit(model, problem("real"), 2)
    assert isinstance(history, keras.callbacks.History)
    assert history.model is model
    assert history.epoch == [0, 1]
    assert list(history.history) == ["train_loss", "test_loss", "train_mae", "test_mae"]
    assert all(isinstance(v, float) for values in history.history.values() for v in values)


def circles_model(loss="binary_crossentropy", learning_rate=0.05):
    model = models.mlp(inputs=FEATURES, hidden=[8], outputs=1, activation="sigmoid")
    model.compile(keras.optimizers.SGD(learning_rate, momentum=0.9), loss, metrics=["accuracy"])
    return model


def test_shuffling_takes_every_row_once_and_follows_the_seed(monkeypatch):
    given = []
    run = Program._run_some
    monkeypatch.setattr(
        Program, "_run_some", lambda self, o, *rest: given.append(o) or run(self, o, *rest)
    )
    data = problem("binary")
    orders = []
    for seed in (0, 0, 1):
        training.fit(circles_model(), data, 4, seed=seed)
        orders.append(np.concatenate(given))
        given.clear()
    assert (np.sort(orders[0], axis=1) == np.arange(ROWS)).all()
    assert (orders[0][0] != orders[0][1]).any()
    assert (orders[0] == orders[1]).all()
    assert (orders[0] != orders[2]).any()


def test_many_epochs_run_in_blocks_with_the_same_result(monkeypatch):
    def history():
        keras.utils.set_random_seed(0)
        return training.fit(circles_model(), problem("binary"), 5, seed=4).history

    whole = history()
    monkeypatch.setattr("lossutils.training._program._ORDERS", 2 * ROWS)
    assert history() == whole


def test_a_diverging_training_records_nan():
    model = perceptron(dtype="float64")
    model.compile(keras.optimizers.SGD(1e6), "mean_squared_error")
    history = training.fit(model, problem("real"), 30)
    assert np.isnan(history.history["test_loss"][-1])


class Within(keras.metrics.Metric):
    """A metric whose parameter is not in its config, as in Keras's own guides."""

    def __init__(self, tolerance=0.5, name="within", **options):
        super().__init__(name=name, **options)
        self.tolerance = tolerance
        self.hits = self.add_variable((), "zeros", name="hits")
        self.rows = self.add_variable((), "zeros", name="rows")

    def update_state(self, y_true, y_pred, sample_weight=None):
        near = keras.ops.abs(keras.ops.cast(y_true, self.dtype) - y_pred) < self.tolerance
        self.hits.assign_add(keras.ops.sum(keras.ops.cast(near, self.dtype)))
        self.rows.assign_add(keras.ops.cast(keras.ops.shape(y_true)[0], self.dtype))

    def result(self):
        return self.hits / self.rows


class OfClass(keras.metrics.Recall):
    def __init__(self, label=0, **options):
        super().__init__(**options)
        self.label = label

    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_true == self.label, 1 - y_pred, sample_weight)


@pytest.mark.parametrize("metric", [lambda: Within(2.0), lambda: OfClass(1, name="recall_of")])
def test_a_metric_keeps_parameters_that_its_config_leaves_out(metric):
    data = problem("binary")

    def build():
        model = perceptron(1, "sigmoid")
        model.compile("sgd", "binary_crossentropy", metrics=[metric()])
        return model

    assert_equal_training(build, data, tolerance=1e-5)


class WholeLoss(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return keras.ops.max(keras.ops.abs(keras.ops.cast(y_true, y_pred.dtype) - y_pred))


@pytest.mark.usefixtures("float64")
def test_a_loss_that_reduces_in_its_own_way_is_the_one_that_is_trained():
    def build():
        model = perceptron()
        model.compile(keras.optimizers.SGD(0.01), WholeLoss())
        return model

    data = problem("real")
    keras.utils.set_random_seed(0)
    theirs, ours = build(), build()
    ours.set_weights(theirs.get_weights())
    theirs.fit(data.x_train, data.y_train, BATCH, 3, shuffle=False, verbose=0)
    training.fit(ours, data, 3, BATCH, shuffle=False)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("shape", [(ROWS, 7), (ROWS, 7, 1)])
def test_each_step_of_a_sequence_may_have_a_label(shape):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 7, 2)), rng.integers(0, 3, shape)
    data = Dataset(x_train=x, y_train=y, x_test=x, y_test=y)

    def build():
        model = keras.Sequential([keras.Input((7, 2)), keras.layers.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    assert_equal_training(build, data)


def recurrent(**options):
    layers = [
        keras.Input((FEATURES,)),
        keras.layers.Reshape((FEATURES, 1)),
        keras.layers.LSTM(3, dropout=0.3, recurrent_dropout=0.3),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def test_measuring_does_not_move_generators_that_draw_in_inference():
    """Keras draws the masks of an LSTM's dropout in inference too."""
    data = problem("real")
    keras.utils.set_random_seed(1)
    theirs = recurrent()
    theirs.fit(data.x_train, data.y_train, BATCH, 3, shuffle=False, verbose=0)
    keras.utils.set_random_seed(1)
    ours = recurrent()
    training.fit(ours, data, 3, BATCH, shuffle=False)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


class Counter(keras.layers.Layer):
    """Counts its calls, in inference too."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign_add(1)
        return x / (1 + 0.1 * self.calls)


class Noisy(keras.losses.Loss):
    def __init__(self, generator=None):
        super().__init__()
        self.generator = generator

    def call(self, y_true, y_pred):
        noise = keras.random.normal(keras.ops.shape(y_pred), seed=self.generator, dtype=self.dtype)
        return keras.ops.square(y_true - y_pred + noise)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("middle", "loss"),
    [
        (lambda: [Counter()], lambda: "mse"),
        (list, lambda: Noisy(keras.random.SeedGenerator(3))),
        (list, Noisy),
    ],
)
def test_neither_a_trial_nor_a_measurement_moves_what_they_change(middle, loss):
    data = problem("real")

    def build():
        keras.utils.set_random_seed(1)
        model = perceptron(middle=middle())
        model.compile("sgd", loss())
        return model

    theirs, ours = build(), None
    theirs.fit(data.x_train, data.y_train, BATCH, 2, shuffle=False, verbose=0)
    ours = build()
    training.fit(ours, data, 2, BATCH, shuffle=False)
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10)


def test_a_layer_that_counts_in_inference_must_be_built_before():
    model = keras.Sequential([keras.layers.Dense(2), Counter(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"calls in inference, too.*keras\.Input"):
        training.fit(model, small(), 1)


def pairs(y_true, y_pred):
    errors = keras.ops.reshape(y_pred - y_true, (-1, 2))
    return keras.ops.square(errors[:, 0] - errors[:, 1])


def of_whole_batches(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(keras.ops.reshape(y_pred - y_true, (BATCH, 1))))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("loss", [pairs, of_whole_batches])
def test_a_loss_may_take_certain_numbers_of_rows_only(loss):
    whole = problem("real")
    data = dataclasses.replace(
        whole,
        x_train=whole.x_train[: 2 * BATCH],
        y_train=whole.y_train[: 2 * BATCH],
        x_test=whole.x_test[:BATCH],
        y_test=whole.y_test[:BATCH],
    )

    def build():
        model = perceptron()
        model.compile("sgd", loss)
        return model

    assert_equal_training(build, data)


def test_a_model_that_is_not_built_yet_has_the_precision_of_its_layers():
    layers = [keras.layers.Dense(n, dtype="float64") for n in (3, 1)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    assert Program(model, problem("real"), BATCH).precision == "float64"


def test_an_optimizer_that_copies_weights_is_built_by_the_reader():
    if not hasattr(keras.optimizers, "ScheduleFreeAdamW"):
        pytest.skip("this Keras has no optimizer that starts from the weights")

    def build():
        model = perceptron(dtype="float64")
        model.compile(keras.optimizers.ScheduleFreeAdamW(0.01), "mse")
        return model

    with pytest.raises(ValueError, match=r"call model\.optimizer\.build"):
        training.fit(build(), problem("real"), 1)

    def built():
        model = build()
        model.optimizer.build(model.trainable_variables)
        return model

    assert_equal_training(built, problem("real"), tolerance=1e-5)


def test_half_precision_is_measured_in_float32():
    data = problem("real")
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(1, dtype="float16")])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    history = training.fit(model, data, 2)
    expected = model.evaluate(data.x_test, data.y_test, verbose=0)
    assert history.history["test_loss"][-1] == pytest.approx(expected, rel=1e-3)


def test_an_interrupt_ends_the_training_and_leaves_what_was_measured(monkeypatch):
    model = perceptron()
    model.compile("sgd", "mse")
    run = Program._run_some

    def interrupted(self, orders, *rest):
        if len(model.history.epoch) > 2:
            raise KeyboardInterrupt
        return run(self, orders, *rest)

    monkeypatch.setattr(Program, "_run_some", interrupted)
    monkeypatch.setattr("lossutils.training._program._EPOCHS_PER_CALL", 2)
    with pytest.raises(KeyboardInterrupt):
        training.fit(model, problem("real"), 1000)
    assert len(model.history.history["test_loss"]) == len(model.history.epoch) > 2


# Errors ------------------------------------------------------------------------------------------


def small(**changes):
    return dataclasses.replace(problem("real"), **changes)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("huber_loss", "did you mean 'huber'"),
        ("kullback_leibler_divergence", "did you mean 'kl_divergence'"),
        ("nonsense", "Keras knows"),
        (keras.losses.MeanSquaredError(reduction=None), "sum_over_batch_size"),
        (losses.huber, 'compile with the loss of Keras, "huber"'),
        (lambda y_true, y_pred: None, "has to return a tensor"),
    ],
)
def test_unusable_losses_are_named(loss, message):
    model = perceptron()
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match=message):
        training.fit(model, small(), 1)


@pytest.mark.parametrize(
    "metric", [keras.metrics.F1Score(), keras.metrics.R2Score(class_aggregation=None)]
)
def test_metrics_of_several_numbers_are_named(metric):
    model = perceptron(3, "sigmoid")
    model.compile("sgd", "binary_crossentropy", metrics=[metric])
    with pytest.raises(ValueError, match=f"{metric.name} gives several numbers, not one"):
        training.fit(model, problem("several"), 1)


def test_a_model_that_only_adds_losses_is_sent_to_model_fit():
    model = perceptron()
    model.compile("sgd")
    with pytest.raises(ValueError, match="trained by add_loss alone needs model.fit"):
        training.fit(model, small(), 1)


@pytest.mark.parametrize("part", ["y_train", "y_test"])
def test_labels_without_an_output_are_named_in_both_parts(part):
    data = problem("labels")
    labels = getattr(data, part).copy()
    labels[-1] = 9
    model = perceptron(3, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="the labels run from 0 to 9"):
        training.fit(model, dataclasses.replace(data, **{part: labels}), 1)


def test_an_uncompiled_model_is_refused():
    with pytest.raises(ValueError, match=r"not compiled .* model.compile"):
        training.fit(perceptron(), small(), 1)
    with pytest.raises(TypeError, match="keras.Model"):
        training.fit("model", small(), 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 2.5}, "got 2.5"),
        ({"batch_size": 0}, "batch_size"),
        ({"sample_weight": np.ones(3)}, "each of the 42 training rows"),
        ({"sample_weight": np.full(ROWS, np.nan)}, "not finite"),
        ({"class_weight": {7: 1.0}}, r"names \[7\]"),
        ({"class_weight": [1, 2]}, "must be a dict"),
        ({"class_weight": {1: np.nan}}, r"class_weight\[1\] must be a finite number"),
        ({"class_weight": {1: None}}, r"class_weight\[1\] must be a finite number .* got None"),
        ({"class_weight": {1: -2.0}}, "of at least 0, got -2.0"),
        ({"seed": 1.5}, "a seed must be a whole number from 0"),
        ({"device": "GPU:7"}, "none of this machine's: CPU:0"),
        ({"class_weight": {0: 1.0}, "sample_weight": np.ones(ROWS)}, "not both"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    model = perceptron(1, "sigmoid")
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ValueError, match=message):
        training.fit(model, problem("binary"), **{"epochs": 1} | arguments)


def test_data_must_be_a_dataset():
    model = perceptron()
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="datasets.Dataset"):
        training.fit(model, (np.ones((3, 4)), np.ones(3)), 1)


@pytest.mark.parametrize(
    ("kind", "outputs", "loss", "message"),
    [
        ("labels", 3, "categorical_crossentropy", r"\(n, 1\), the model's output has \(n, 3\)"),
        ("labels", 3, "mean_squared_error", "would broadcast"),
        ("labels", 3, "kl_divergence", "would broadcast"),
        ("one-hot", 1, "hinge", "would broadcast"),
        ("one-hot", 3, "sparse_categorical_crossentropy", "use categorical_crossentropy"),
        ("labels", 2, "sparse_categorical_crossentropy", "the labels run from 0 to 2"),
    ],
)
def test_pairings_that_would_broadcast_are_refused(kind, outputs, loss, message):
    model = perceptron(outputs, "softmax" if outputs > 1 else "linear")
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match=message):
        training.fit(model, problem(kind), 1)


def test_a_loss_of_ones_own_that_pairs_all_rows_is_refused():
    class Pairing(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.square(y_true - y_pred)

    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(1)])
    flat = keras.Sequential([model, keras.layers.Reshape(())])
    flat.compile("sgd", Pairing())
    with pytest.raises(ValueError, match="pairs every target with every prediction"):
        training.fit(flat, small(), 1)


class OwnStep(Subclassed):
    def train_step(self, data):
        return super().train_step(data)


class Tracking(Subclassed):
    def __init__(self):
        super().__init__()
        self.track = keras.metrics.Mean()


def with_own_loss():
    model = perceptron()
    model.compute_loss = lambda *, y, y_pred, **_: keras.ops.mean(keras.ops.abs(y - y_pred))
    return model


class OwnResults(Subclassed):
    def get_metrics_result(self):
        return {}


def stateful():
    layers = [
        keras.Input(batch_shape=(6, FEATURES, 1)),
        keras.layers.LSTM(2, stateful=True),
        keras.layers.Dense(1),
    ]
    return keras.Sequential(layers)


@pytest.mark.parametrize(
    ("build", "optimizer", "message"),
    [
        (OwnStep, "sgd", "its own train_step"),
        (with_own_loss, "sgd", "its own compute_loss"),
        (OwnResults, "sgd", "its own get_metrics_result"),
        (perceptron, keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()), "loss scaling"),
        (Tracking, "sgd", "metrics of a layer"),
        (stateful, "sgd", "a fixed batch size"),
    ],
)
def test_what_only_model_fit_can_do_is_said(build, optimizer, message):
    model = build()
    model.compile(optimizer, "mse")
    with pytest.raises(ValueError, match=rf"{message}.*use model.fit"):
        training.fit(model, small(), 1)


def test_a_model_that_runs_eagerly_is_sent_to_model_fit():
    model = perceptron()
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match=r"run_eagerly=True.*use model.fit"):
        training.fit(model, small(), 1)


def test_another_backend_is_named(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    model = perceptron()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"jax backend.*use model.fit"):
        training.fit(model, small(), 1)


def test_a_model_without_trainable_weights_is_refused():
    model = perceptron()
    model.trainable = False
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="no weights to train"):
        training.fit(model, small(), 1)


# Repetition --------------------------------------------------------------------------------------


def fitted(build, data, epochs, seed, **options):
    keras.utils.set_random_seed(seed)
    return training.fit(build(), data, epochs, seed=seed, **options).history


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_seed_of_repeat_is_a_fit_with_that_seed(jit_compile):
    def build():
        model = keras.Sequential(
            [
                keras.Input((FEATURES,), dtype="float64"),
                keras.layers.Dense(8, activation="relu", dtype="float64"),
                keras.layers.Dropout(0.3, dtype="float64"),
                keras.layers.Dense(1, activation="sigmoid", dtype="float64"),
            ]
        )
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    data = problem("binary")
    runs = training.repeat(build, data, 4, seeds=[5, 3, 8], curves=True, jit_compile=jit_compile)
    for seed in (3, 5, 8):
        expected = fitted(build, data, 4, seed, jit_compile=jit_compile)
        for measure, values in expected.items():
            chosen = runs[(runs["seed"] == seed) & (runs["measure"] == measure)]
            assert chosen["epoch"].tolist() == [1, 2, 3, 4]
            np.testing.assert_allclose(chosen["value"], values, rtol=1e-12)


@pytest.mark.parametrize("epochs_in_a_block", [2, 100])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_without_curves_only_the_last_epoch_is_measured(
    monkeypatch, jit_compile, epochs_in_a_block
):
    monkeypatch.setattr("lossutils.training._program._ORDERS", epochs_in_a_block * ROWS)
    monkeypatch.setattr(_repetition, "_programs", {})

    def values(curves):
        return training.repeat(
            circles_model, problem("binary"), 5, seeds=2, jit_compile=jit_compile, curves=curves
        )

    found, of_all = values(curves=False), values(curves=True)
    last = of_all[of_all["epoch"] == 5].drop(columns="epoch").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, last, rtol=1e-12)
    assert len(_repetition._programs) == 2


def test_a_graph_that_measures_each_epoch_serves_for_the_last(monkeypatch):
    monkeypatch.setattr(_repetition, "_programs", {})
    of_all, of_last = (
        training.repeat(circles_model, problem("binary"), 5, seeds=2, curves=curves)
        for curves in (True, False)
    )
    assert len(_repetition._programs) == 1
    last = of_all[of_all["epoch"] == 5].drop(columns="epoch").reset_index(drop=True)
    pd.testing.assert_frame_equal(of_last, last)


def test_the_table_is_tidy():
    runs = training.repeat(circles_model, problem("binary"), 2, seeds=3)
    assert list(runs.columns) == ["seed", "measure", "value"]
    assert runs["seed"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert runs["measure"].tolist() == 3 * [
        "train_loss",
        "test_loss",
        "train_accuracy",
        "test_accuracy",
    ]
    assert runs["value"].dtype == float


def test_the_number_of_threads_does_not_matter(monkeypatch):
    def with_threads(number, seeds):
        monkeypatch.setattr(_repetition, "_cores", lambda: number)
        return training.repeat(circles_model, data, 3, seeds=seeds)

    data = problem("binary")
    expected = with_threads(1, 5)
    pd.testing.assert_frame_equal(with_threads(2, 5), expected)
    one_by_one = pd.concat([with_threads(1, [seed]) for seed in (0, 4)], ignore_index=True)
    found = expected[expected["seed"].isin([0, 4])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, one_by_one)


def test_what_differs_from_seed_to_seed_is_compiled_anew():
    """A learning rate, a dropout rate or a loss that `build` draws at random is respected."""
    data = problem("binary")

    def build():
        rate, delta = np.random.uniform(size=2)  # noqa: NPY002
        model = keras.Sequential(
            [keras.Input((FEATURES,)), keras.layers.Dropout(rate), keras.layers.Dense(1)]
        )
        optimizer = keras.optimizers.SGD(float(np.random.uniform(0.01, 0.1)))  # noqa: NPY002
        model.compile(optimizer, lambda y, p: own_loss(y, p) * delta, metrics=["mae"])
        return model

    runs = training.repeat(build, data, 2, seeds=4, jit_compile=False)
    for seed in range(4):
        expected = fitted(build, data, 2, seed)
        chosen = runs[runs["seed"] == seed].set_index("measure")["value"]
        for measure, values in expected.items():
            assert chosen[measure] == pytest.approx(values[-1], rel=1e-5)


@pytest.mark.parametrize("op_seed", [None, 7])
def test_a_build_may_draw_from_every_generator(op_seed):
    """TensorFlow's stateful generators live in cached kernels; each seed has to start its own."""

    def build():
        model = circles_model()
        for v in model.trainable_variables:
            drawn = tf.random.normal(v.shape, seed=op_seed, dtype=v.dtype)
            v.assign(drawn + keras.random.normal(v.shape, dtype=v.dtype))
        return model

    data = problem("binary")
    runs = training.repeat(build, data, 1, seeds=[3, 4], jit_compile=False)
    again = training.repeat(build, data, 1, seeds=[4, 3], jit_compile=False)
    pd.testing.assert_frame_equal(
        again.sort_values(["seed"], kind="stable", ignore_index=True), runs
    )
    for seed in (3, 4):
        expected = fitted(build, data, 1, seed)["test_loss"]
        chosen = runs[(runs["seed"] == seed) & (runs["measure"] == "test_loss")]
        assert chosen["value"].tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        keras.losses.Huber(delta=0.5),
        OwnLoss(),
        own_loss,
        functools.partial(keras.losses.huber, delta=0.1),
    ],
)
def test_equal_models_share_a_program(loss, monkeypatch):
    graphs = []
    start = Program.__init__

    def count(self, *arguments):
        start(self, *arguments)
        graphs.append(self._source)

    monkeypatch.setattr(Program, "__init__", count)
    monkeypatch.setattr(_repetition, "_programs", {})
    for seeds in ([0, 1, 2, 3], [4, 5]):
        training.repeat(
            lambda: circles_model(loss), problem("binary"), 1, seeds=seeds, jit_compile=False
        )
    assert len(set(map(id, graphs))) == 1
    assert len(graphs) <= 2 * _repetition._cores()


def test_a_compiled_graph_serves_other_data_but_no_other_loss(monkeypatch):
    """Repetitions that differ in data alone share a graph; what they give must not."""
    monkeypatch.setattr(_repetition, "_programs", {})
    first, second = problem("binary"), problem("binary", seed=1)
    losses = ["binary_crossentropy", "mean_squared_error"]
    cases = [(data, loss) for data in (first, second) for loss in losses]
    runs = [
        training.repeat(lambda loss=loss: circles_model(loss), data, 2, seeds=[5])
        for data, loss in cases
    ]
    assert len(_repetition._programs) == 2
    for (data, loss), table in zip(cases, runs, strict=True):
        expected = fitted(lambda loss=loss: circles_model(loss), data, 2, 5, jit_compile=True)
        assert table["value"].tolist() == [values[-1] for values in expected.values()]


def test_few_programs_are_kept(monkeypatch):
    monkeypatch.setattr(_repetition, "_programs", {})
    for units in range(1, _repetition._PROGRAMS_KEPT + 3):

        def build(units=units):
            model = models.mlp(inputs=FEATURES, hidden=[units], outputs=1)
            model.compile("sgd", "mse")
            return model

        training.repeat(build, problem("real"), 1, seeds=1, jit_compile=False)
    assert len(_repetition._programs) == _repetition._PROGRAMS_KEPT


def test_the_random_state_of_the_caller_is_kept():
    def draws():
        return (
            random.random(),
            np.random.uniform(),  # noqa: NPY002
            float(tf.random.uniform(())),
            float(keras.random.uniform(())),
        )

    keras.utils.set_random_seed(11)
    draws()
    expected = draws()
    keras.utils.set_random_seed(11)
    draws()
    training.repeat(circles_model, problem("binary"), 1, seeds=2)
    assert draws() == expected


def test_an_error_in_a_seed_is_named():
    def build():
        model = circles_model()
        if np.random.randint(10**6) == np.random.RandomState(1).randint(10**6):  # noqa: NPY002
            raise RuntimeError("out of paper")
        return model

    with pytest.raises(RuntimeError, match="out of paper") as caught:
        training.repeat(build, problem("binary"), 1, seeds=3)
    assert "seed 1" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"build": circles_model()}, TypeError, "build must be a function"),
        ({"seeds": 0}, ValueError, "seeds must be a whole number of at least 1, got 0"),
        ({"seeds": -1}, ValueError, "seeds must be a whole number of at least 1, got -1"),
        ({"seeds": []}, ValueError, "at least one"),
        ({"seeds": [1, 1]}, ValueError, "different"),
        ({"seeds": "12"}, TypeError, "iterable"),
        ({"seeds": b"12"}, TypeError, "iterable"),
        ({"seeds": [-1]}, ValueError, "from 0"),
        ({"seeds": [1.5]}, ValueError, "whole number from 0 to 4294967295, got 1.5"),
        ({"seeds": ["3"]}, ValueError, "whole number from 0"),
        ({"seeds": [True]}, ValueError, "whole number from 0"),
        ({"seeds": [2**32]}, ValueError, "whole number from 0"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"device": "TPU"}, ValueError, "none of this machine's: CPU:0"),
        ({"device": 3}, ValueError, "none of this machine's"),
        ({"callbacks": []}, TypeError, "does not take callbacks=; model.fit takes callbacks"),
        ({"learning_rates": []}, ValueError, "at least one"),
        ({"learning_rates": [0.1, 0.1]}, ValueError, "different numbers"),
        ({"learning_rates": [0.1, -1]}, ValueError, "must be positive numbers, got -1"),
        ({"learning_rates": [0.1], "validation_size": 1}, ValueError, "between 0 and 1"),
        ({"learning_rates": [0.1], "choose_by": "f1"}, ValueError, "no measure: loss, accuracy"),
        ({"early_stopping": True, "choose_by": None}, ValueError, "must name a measure"),
        ({"data": lambda seed: 1}, TypeError, r"draw\(\d\) must be a Dataset, got int"),
        (
            {"data": lambda seed: problem("binary"), "sample_weight": np.ones(ROWS)},
            ValueError,
            "use class_weight",
        ),
        ({"verbose": "no"}, ValueError, 'True, False or "auto"'),
    ],
)
def test_bad_arguments_of_repeat_are_named(arguments, error, message):
    given = {"build": circles_model, "data": problem("binary"), "epochs": 1, "seeds": 2}
    with pytest.raises(error, match=message):
        training.repeat(**given | arguments)


def test_a_caller_in_a_thread_gets_the_same_result():
    data = problem("binary")
    expected = training.repeat(circles_model, data, 1, seeds=2)
    with ThreadPoolExecutor(1) as executor:
        found = executor.submit(training.repeat, circles_model, data, 1, seeds=2).result()
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(("layers", "suits"), [("dense", True), ("convolution", False)])
def test_xla_is_chosen_for_small_dense_networks(layers, suits):
    model = models.mlp(2, [50], 1) if layers == "dense" else models.cnn()
    assert _repetition.suits_xla(model) is suits


def test_xla_trains_unit_normalization_like_the_graph():
    def build():
        model = perceptron(middle=[keras.layers.UnitNormalization()], dtype="float64")
        model.compile("sgd", "mse")
        return model

    assert _repetition.suits_xla(build())
    data = problem("real")
    found = training.repeat(build, data, 2, seeds=[0])["value"].tolist()
    assert found == pytest.approx([v[-1] for v in fitted(build, data, 2, 0).values()], rel=1e-6)


def test_what_xla_does_not_know_is_trained_without_it():
    def through_numpy(y_true, y_pred):
        copied = tf.numpy_function(lambda y: y.astype("float32"), [y_true], tf.float32)
        copied.set_shape(y_true.shape)
        return keras.ops.square(copied - y_pred)

    def build():
        model = perceptron()
        model.compile("sgd", through_numpy)
        return model

    data = problem("real")
    assert _repetition.suits_xla(build())
    found = training.repeat(build, data, 2, seeds=[0])["value"].tolist()
    assert found == pytest.approx([v[-1] for v in fitted(build, data, 2, 0).values()], rel=1e-5)
    with pytest.raises(ValueError, match=r"XLA cannot compile.*leave out jit_compile"):
        training.repeat(build, data, 2, seeds=[0], jit_compile=True)


# Draws, learning rates, early stopping -----------------------------------------------------------


def drawn(seed):
    return problem("binary", seed=seed)


def test_a_seed_may_have_rows_of_its_own():
    runs = training.repeat(circles_model, drawn, 3, seeds=[0, 5])
    for seed in (0, 5):
        expected = fitted(circles_model, drawn(seed), 3, seed, jit_compile=True)
        values = runs[runs["seed"] == seed]["value"].tolist()
        assert values == pytest.approx([v[-1] for v in expected.values()], rel=1e-12)


def test_draws_compile_once(monkeypatch):
    monkeypatch.setattr(_repetition, "_programs", {})
    training.repeat(circles_model, drawn, 2, seeds=4)
    assert len(_repetition._programs) == 1


def test_a_draw_may_use_the_global_generators():
    def draw(seed):
        x = np.random.normal(size=(20, FEATURES))  # noqa: NPY002
        return Dataset(x_train=x, y_train=x[:, 0] > 0, x_test=x, y_test=x[:, 0] > 0)

    runs = training.repeat(circles_model, draw, 1, seeds=3)
    again = training.repeat(circles_model, draw, 1, seeds=[2])
    assert runs[runs["seed"] == 2]["value"].tolist() == again["value"].tolist()


def test_draws_of_different_shapes_are_refused():
    def draw(seed):
        data = problem("binary")
        return dataclasses.replace(data, x_test=data.x_test[seed:], y_test=data.y_test[seed:])

    with pytest.raises(ValueError, match="the same number of rows and columns"):
        training.repeat(circles_model, draw, 1, seeds=3)


RATES = [0.001, 0.05, 5.0]


def chosen_by_hand(data, epochs, seed, by="loss", sign=1, early_stopping=False):
    """Choose a rate with `fit` alone, on rows held out as the docstring of repeat says."""
    rows = len(data.x_train)
    order = np.random.default_rng([seed, 1]).permutation(rows)
    held_out, rest = order[: round(rows / 4)], order[round(rows / 4) :]
    part = Dataset(
        x_train=data.x_train[rest],
        y_train=data.y_train[rest],
        x_test=data.x_train[held_out],
        y_test=data.y_train[held_out],
    )
    found = []
    for rate in RATES:
        curve = sign * np.array(
            fitted(lambda rate=rate: circles_model(learning_rate=rate), part, epochs, seed)[
                f"test_{by}"
            ]
        )
        number = int(np.nanargmin(curve)) if early_stopping else epochs - 1
        found.append((curve[number], rate, number + 1))
    _, rate, number = min(found)
    return rate, number


@pytest.mark.parametrize(("by", "sign"), [("loss", 1), ("accuracy", -1)])
def test_each_seed_chooses_its_rate_on_rows_held_out(by, sign):
    runs = training.repeat(
        circles_model, drawn, 8, seeds=3, learning_rates=RATES, choose_by=by, jit_compile=False
    )
    assert list(runs.columns) == ["seed", "learning_rate", "measure", "value"]
    for seed in range(3):
        data = drawn(seed)
        rate, _ = chosen_by_hand(data, 8, seed, by, sign)
        of_seed = runs[runs["seed"] == seed]
        assert set(of_seed["learning_rate"]) == {rate}
        expected = fitted(lambda rate=rate: circles_model(learning_rate=rate), data, 8, seed)
        values = [v[-1] for v in expected.values()]
        assert of_seed["value"].tolist() == pytest.approx(values, rel=1e-12)


def test_the_test_rows_take_no_part_in_a_choice():
    data = problem("binary")
    other = dataclasses.replace(data, y_test=1 - data.y_test, x_test=100 * data.x_test)
    settings = {"seeds": 3, "learning_rates": RATES, "early_stopping": True}
    columns = ["seed", "learning_rate", "epochs"]
    choices = [
        training.repeat(circles_model, each, 6, **settings)[columns] for each in (data, other)
    ]
    pd.testing.assert_frame_equal(*choices)


def test_early_stopping_trains_for_the_epochs_that_were_best_on_rows_held_out():
    runs = training.repeat(
        circles_model,
        drawn,
        12,
        seeds=3,
        learning_rates=RATES,
        early_stopping=True,
        jit_compile=False,
    )
    for seed in range(3):
        data = drawn(seed)
        rate, epochs = chosen_by_hand(data, 12, seed, early_stopping=True)
        of_seed = runs[runs["seed"] == seed]
        assert of_seed["epochs"].tolist() == [epochs] * 4
        expected = fitted(lambda rate=rate: circles_model(learning_rate=rate), data, epochs, seed)
        values = [v[-1] for v in expected.values()]
        assert of_seed["value"].tolist() == pytest.approx(values, rel=1e-10)


def test_every_rate_may_be_kept():
    data = problem("binary")
    runs = training.repeat(circles_model, data, 4, seeds=2, learning_rates=RATES, choose_by=None)
    for rate in RATES:
        alone = training.repeat(lambda rate=rate: circles_model(learning_rate=rate), data, 4, 2)
        found = runs[runs["learning_rate"] == rate].drop(columns="learning_rate")
        pd.testing.assert_frame_equal(found.reset_index(drop=True), alone)


def test_a_rate_that_diverges_is_not_chosen():
    def build():
        model = perceptron(dtype="float64")
        model.compile(keras.optimizers.SGD(0.01), "mean_squared_error")
        return model

    runs = training.repeat(build, problem("real"), 30, seeds=2, learning_rates=[1e6, 0.01])
    assert set(runs["learning_rate"]) == {0.01}
    assert np.isfinite(runs["value"]).all()
    lost = training.repeat(build, problem("real"), 30, seeds=2, learning_rates=[1e6, 1e7])
    assert lost["value"].isna().all()


def test_rates_in_place_of_a_schedule_are_refused():
    def build():
        model = perceptron()
        schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
        model.compile(keras.optimizers.SGD(schedule), "mse")
        return model

    with pytest.raises(ValueError, match="this optimizer has a schedule"):
        training.repeat(build, problem("real"), 1, seeds=1, learning_rates=[0.1])


@pytest.mark.parametrize("lost", [-np.inf, np.inf, np.nan])
def test_a_loss_that_is_no_finite_number_is_not_chosen(lost):
    losses = {0.1: [3.0, lost], 0.2: [lost, 2.0]}

    class Measures:
        def larger_is_better(self, name):
            return False

    def run(number, rate, epochs):
        return {"test_loss": losses[rate][:epochs]}

    choice = Choice((0.1, 0.2), "loss", 0.25, early_stopping=True)
    ((chosen, _),) = choice.outcomes(run, Measures(), 0.5, 2)
    assert chosen == {"learning_rate": 0.2, "epochs": 2}


def test_class_weights_follow_the_rows_that_are_left():
    runs = training.repeat(
        circles_model,
        drawn,
        3,
        seeds=2,
        class_weight={0: 1.0, 1: 4.0},
        learning_rates=[0.05],
        jit_compile=False,
    )
    expected = fitted(circles_model, drawn(1), 3, 1, class_weight={0: 1.0, 1: 4.0})
    found = runs[runs["seed"] == 1]["value"].tolist()
    assert found == pytest.approx([v[-1] for v in expected.values()], rel=1e-12)


def test_a_repetition_leaves_no_data_behind(monkeypatch):
    monkeypatch.setattr(_repetition, "_programs", {})
    training.repeat(circles_model, problem("binary"), 1, seeds=2)
    assert [program._arrays for program in _repetition._programs.values()] == [None]


# Comparison --------------------------------------------------------------------------------------


def table(values, measure="test_mae"):
    return pd.DataFrame({"seed": range(len(values)), "measure": measure, "value": values})


def test_compare_pairs_the_seeds():
    rng = np.random.default_rng(0)
    a = rng.normal(size=20)
    b = a + rng.normal(0.3, 0.1, size=20)
    result = training.compare({"a": table(a), "b": table(b)[::-1]}, "test_mae")
    expected = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert result.loc["b", "difference"] == pytest.approx((b - a).mean())
    assert result.loc["b", ["low", "high"]].tolist() == pytest.approx(list(expected))
    assert result.loc["a", "std"] == pytest.approx(a.std(ddof=1))
    assert np.isnan(result.loc["a", "difference"])


def test_intervals_hold_together_and_allow_for_overlap():
    """Bonferroni's share of 5 % for each of two intervals; Nadeau and Bengio's variance."""
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 20))
    runs = {"a": table(a), "b": table(b), "c": table(c)}
    result = training.compare(runs, "test_mae")
    expected = stats.ttest_rel(c, a).confidence_interval(1 - 0.05 / 2)
    assert result.loc["c", ["low", "high"]].tolist() == pytest.approx(list(expected))
    wide = training.compare(runs, "test_mae", test_to_train=0.5)
    half = result.loc["c", "high"] - result.loc["c", "difference"]
    found = wide.loc["c", "high"] - wide.loc["c", "difference"]
    assert found == pytest.approx(half * np.sqrt((1 / 20 + 0.5) / (1 / 20)))


def test_a_run_that_diverged_is_counted_and_has_no_mean():
    runs = {"a": table([1.0, 2.0, 3.0]), "b": table([1.0, np.nan, np.inf]), "c": table([2, 3, 4.0])}
    result = training.compare(runs, "test_mae")
    assert result["diverged"].tolist() == [0, 2, 0]
    assert result.drop(columns="diverged").loc["b"].isna().all()
    assert result.loc["c", "difference"] == 1.0


@pytest.mark.parametrize(
    ("runs", "error", "message"),
    [
        ({}, TypeError, "must be a dict"),
        (table([1.0]), TypeError, "must be a dict"),
        ([table([1.0])], TypeError, "must be a dict"),
        ({"a": [1.0]}, TypeError, "'a' is no result of training.repeat"),
        ({"a": pd.concat([table([1.0])] * 2)}, ValueError, "several rows for a seed"),
    ],
)
def test_what_cannot_be_compared_is_named(runs, error, message):
    with pytest.raises(error, match=message):
        training.compare(runs, "test_mae")


def test_compare_takes_the_last_epoch_of_curves():
    curves = table([1.0, 2.0]).assign(epoch=1)
    last = table([3.0, 5.0]).assign(epoch=2)
    result = training.compare({"a": pd.concat([curves, last])}, "test_mae")
    assert result.loc["a", "mean"] == 4.0


def test_compare_says_what_is_missing():
    with pytest.raises(ValueError, match="it has test_mae"):
        training.compare({"a": table([1.0])}, "test_loss")
    with pytest.raises(ValueError, match="different seeds"):
        training.compare({"a": table([1.0, 2.0]), "b": table([1.0])}, "test_mae")
