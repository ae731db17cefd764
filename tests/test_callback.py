"""`CheckSetup` says once what goes wrong in a training, and leaves right trainings alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from lossutils import checks, datasets, models
from lossutils.checks import CheckSetup


def network(*stack, inputs=2, loss="binary_crossentropy", optimizer="adam", metrics=None):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((inputs,)), *stack])
    model.compile(optimizer, loss, metrics=metrics)
    return model


def small(**options):
    hidden = layers.Dense(16, activation="relu", name="hidden")
    return network(hidden, layers.Dense(1, activation="sigmoid", name="last"), **options)


def trained(model, *data, check=None, epochs=4, callbacks=(), **options):
    check = check or CheckSetup()
    model.fit(*data, epochs=epochs, verbose=0, callbacks=[check, *callbacks], **options)
    return check.findings


def codes(findings):
    return [finding.code for finding in findings if finding.severity != "info"]


@pytest.fixture(scope="module")
def circles():
    return datasets.circles()


def numbers(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    return x, x[:, :1] - x[:, 1:2] + 0.1 * rng.normal(size=(rows, 1))


# What fit was given


def test_it_checks_what_fit_was_given(circles, capsys):
    found = trained(small(), circles.x_train, 1 + circles.y_train, epochs=1)
    assert "binary-label-range" in codes(found)
    assert "error: binary-label-range" in capsys.readouterr().out


def test_class_weights_and_validation_data_are_seen(circles):
    found = trained(
        *(small(), circles.x_train, circles.y_train),
        epochs=1,
        class_weight={1: 1.0, 2: 5.0},
        validation_data=(circles.x_test * 100, circles.y_test),
    )
    assert {"class-weights", "validation-data"} <= set(codes(found))


def test_a_split_is_seen_before_fit_makes_it(circles):
    order = np.argsort(circles.y_train.ravel(), kind="stable")
    x, y = circles.x_train[order], circles.y_train[order]
    assert "sorted-rows" in codes(trained(small(), x, y, epochs=1, validation_split=0.2))


def test_batches_are_read(circles):
    batches = tf.data.Dataset.from_tensor_slices((circles.x_train, 1 + circles.y_train)).batch(50)
    assert "binary-label-range" in codes(trained(small(), batches, epochs=1, shuffle=False))


def test_a_generator_is_left_to_fit_and_rows_can_be_given(circles):
    def generator():
        while True:
            yield circles.x_train[:50], circles.y_train[:50]

    assert codes(trained(small(), generator(), steps_per_epoch=30, shuffle=False)) == ["not-read"]
    check = CheckSetup(circles.x_train[:50], 1 + circles.y_train[:50])
    found = trained(small(), generator(), check=check, steps_per_epoch=30, shuffle=False)
    assert "binary-label-range" in codes(found)


def test_a_fit_of_your_own_can_be_told_the_rows(circles):
    class Own(keras.Sequential):
        def fit(self, x, y, callbacks):
            callbacks = keras.callbacks.CallbackList(callbacks, model=self, epochs=1)
            callbacks.on_train_begin()

    model = Own([keras.Input((2,)), layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    check = CheckSetup()
    model.fit(circles.x_train, circles.y_train, [check])
    assert codes(check.findings) == ["not-read"]
    assert "CheckSetup(x, y" in check.findings[0].fix
    check = CheckSetup(circles.x_train, 1 + circles.y_train)
    model.fit(circles.x_train, circles.y_train, [check])
    assert codes(check.findings) == ["binary-label-range"]


def test_what_is_meant_is_left_out(circles, capsys):
    check = CheckSetup(ignore=["binary-label-range", "equal-predictions"])
    found = trained(small(), circles.x_train, 1 + circles.y_train, check=check, epochs=1)
    assert codes(found) == []
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="ignore has 'nan', and no finding has this code"):
        CheckSetup(ignore=["nan"])


# Not a number


def test_too_large_steps_are_followed_to_their_layer(capsys):
    x, y = numbers()
    model = network(
        *(layers.Dense(16, activation="relu"), layers.Dense(1, name="last")),
        inputs=4,
        loss="mse",
        optimizer=keras.optimizers.SGD(10.0),
    )
    found = [f for f in trained(model, x, 100 * y) if f.code == "nan-begins"]
    assert len(found) == 1
    assert "the steps are too large" in found[0].message
    assert "of epoch 1" in found[0].message
    assert "'last'" in found[0].message
    assert capsys.readouterr().out.count("error: nan-begins") == 1


class Root(layers.Layer):
    """Negative for some rows, of which there is no root."""

    def call(self, x):
        return ops.sqrt(x)


def test_a_layer_that_is_not_finite_is_named():
    x, y = numbers()
    model = network(layers.Dense(8), Root(name="root"), layers.Dense(1), inputs=4, loss="mse")
    (found,) = [f for f in trained(model, x, y) if f.code == "nan-begins"]
    assert "step 1 of epoch 1" in found.message
    assert "'root' is the first layer whose output is not finite" in found.message


def test_a_loss_that_is_not_finite_is_named():
    x, y = numbers()

    def logarithm(y, p):
        return ops.mean(ops.log(p) * y, axis=-1)

    check = CheckSetup(ignore=["own-loss-not-finite", "wrong-sign-loss"])
    found = trained(network(layers.Dense(1), inputs=4, loss=logarithm), x, y, check=check)
    (found,) = [f for f in found if f.code == "nan-begins"]
    assert "all outputs are finite and the loss of them is not" in found.message


def test_the_batch_is_counted_within_its_epoch():
    x, y = numbers(320)

    class Poison(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if self.model.optimizer.iterations == 23:
                self.model.layers[0].kernel.assign(np.full((4, 1), np.nan))

    check = CheckSetup()
    model = network(layers.Dense(1), inputs=4, loss="mse", optimizer="sgd")
    model.fit(x, y, epochs=4, verbose=0, callbacks=[check, Poison()])
    (found,) = [f for f in check.findings if f.code == "nan-begins"]
    assert "step 4 of epoch 3" in found.message


# Trainings that run and learn nothing


def test_dead_units_give_all_rows_the_same_prediction():
    x, y = numbers()
    dead = layers.Dense(16, activation="relu", bias_initializer=keras.initializers.Constant(-100))
    found = trained(network(dead, layers.Dense(1), inputs=4, loss="mse"), x, y)
    assert "equal-predictions" in codes(found)


def test_validation_rows_whose_targets_belong_to_others():
    x, y = numbers()
    model = network(
        *(layers.Dense(64, activation="relu"), layers.Dense(1)),
        inputs=4,
        loss="mse",
        optimizer=keras.optimizers.Adam(0.01),
    )
    held_out = numbers(seed=1)
    assert codes(trained(model, x, y, epochs=8, validation_data=held_out)) == []
    mixed = held_out[0], np.random.default_rng(0).permutation(held_out[1])
    found = trained(model, x, y, epochs=8, validation_data=mixed)
    assert codes(found) == ["validation-at-constant"]


def test_moving_averages_that_lag():
    x, y = numbers()
    stack = (
        layers.Dense(32, activation="relu"),
        layers.BatchNormalization(momentum=0.9999),
        layers.Dense(1),
    )
    model = network(*stack, inputs=4, loss="mse", optimizer=keras.optimizers.Adam(0.02))
    found = trained(model, 5 * x, y, epochs=16)
    (found,) = [f for f in found if f.code == "modes-differ"]
    assert found.severity == "warning"
    assert "batch_normalization" in found.message


@pytest.mark.parametrize(("rate", "code"), [(1e-9, "weights-still"), (3.0, "weights-jump")])
def test_steps_that_are_too_small_or_too_large(rate, code, circles):
    model = small(optimizer=keras.optimizers.Adam(rate))
    check = CheckSetup(ignore=["learning-rate", "equal-predictions"])
    found = trained(model, circles.x_train, circles.y_train, check=check, epochs=8)
    assert codes(found) == [code]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize(
    ("rates", "code", "said"),
    [
        ((1e-3, 3.0), "weights-jump", "the learning rate has risen from 0.001 to 3"),
        ((1e-4, 1e-12), "weights-still", "the learning rate has fallen from 0.0001 to 1e-12"),
    ],
)
def test_a_schedule_that_goes_off_is_named(rates, code, said, circles):
    begin, then = rates
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: then)
    check = CheckSetup(ignore=["equal-predictions"])
    model = small(optimizer=keras.optimizers.Adam(begin))
    rows = circles.x_train, circles.y_train
    found = trained(model, *rows, check=check, epochs=8, callbacks=[schedule])
    assert codes(found) == [code]
    assert said in next(f for f in found if f.code == code).message


# What it must not do


def test_a_right_training_is_the_same_to_the_last_digit(circles, capsys):
    def run(callbacks):
        model = network(
            *(layers.Dense(16, activation="relu"), layers.BatchNormalization()),
            *(layers.Dropout(0.3), layers.Dense(1, activation="sigmoid")),
        )
        history = model.fit(
            *(circles.x_train, circles.y_train),
            epochs=5,
            verbose=0,
            validation_split=0.2,
            callbacks=callbacks,
        )
        return history.history, model.get_weights(), model.optimizer.variables

    check = CheckSetup()
    one, other = run([]), run([check])
    assert one[0] == other[0]
    for part in (1, 2):
        for a, b in zip(one[part], other[part], strict=True):
            np.testing.assert_array_equal(a, b)
    assert codes(check.findings) == []
    assert capsys.readouterr().out == ""


def test_a_second_training_starts_anew(circles):
    check = CheckSetup()
    trained(small(), circles.x_train, 1 + circles.y_train, check=check, epochs=1)
    assert codes(trained(small(), circles.x_train, circles.y_train, check=check, epochs=1)) == []


class Scaled(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.last = layers.Dense(16, activation="relu"), layers.Dense(1)

    def call(self, x):
        return self.last(self.hidden(x))


def recurrent():
    return network(layers.Reshape((4, 1)), layers.GRU(8), layers.Dense(1), inputs=4, loss="mse")


def two_outputs():
    inputs = keras.Input((4,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    model = keras.Model(inputs, [layers.Dense(1)(hidden), layers.Dense(1)(hidden)])
    model.compile("adam", ["mse", "mae"])
    return model


def subclass():
    model = Scaled()
    model.compile("adam", "mse")
    return model


def own_loss():
    def loss(y, p):
        return ops.mean(ops.square(y - p), axis=-1)

    return network(layers.Dense(1), inputs=4, loss=loss)


def regularized():
    hidden = layers.Dense(32, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.1))
    return network(hidden, layers.Dropout(0.5), layers.Dense(1), inputs=4, loss="huber")


@pytest.mark.parametrize("build", [recurrent, two_outputs, subclass, own_loss, regularized])
def test_right_trainings_of_many_kinds(build, capsys):
    keras.utils.set_random_seed(0)
    x, y = numbers()
    targets = [y, y] if build is two_outputs else y
    assert codes(trained(build(), x, targets, epochs=3)) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("problem", "end", "loss"),
    [
        (datasets.blobs, {"outputs": 3, "activation": "softmax"}, "categorical_crossentropy"),
        (datasets.circles, {"outputs": 1, "activation": "sigmoid"}, "binary_crossentropy"),
        (datasets.regression, {"outputs": 1, "activation": "linear"}, "mean_squared_error"),
    ],
)
def test_problems_of_the_book(problem, end, loss):
    data = problem()
    model = models.mlp(inputs=data.x_train.shape[1], hidden=[30], **end)
    model.compile("adam", loss)
    rows = data.x_train, data.y_train
    assert codes(trained(model, *rows, epochs=6, validation_split=0.2)) == []


def test_every_code_is_documented():
    for code in checks._watch.CODES:
        assert code in CheckSetup.__doc__


def test_a_measure_that_nothing_measures_is_named(circles):
    early = keras.callbacks.EarlyStopping(monitor="val_acc", mode="max")
    model = small(metrics=["accuracy"])
    with pytest.warns(UserWarning, match="not available"):
        findings = trained(
            model, circles.x_train, circles.y_train, callbacks=[early], validation_split=0.2
        )
    assert codes(findings) == ["wrong-monitor"]
    assert findings[0].fix == "monitor='val_accuracy'"


def test_a_callback_that_keeps_the_worst_epoch_is_named(circles):
    early = keras.callbacks.EarlyStopping(monitor="val_accuracy", mode="min")
    model = small(metrics=["accuracy"])
    findings = trained(
        model, circles.x_train, circles.y_train, callbacks=[early], validation_split=0.2
    )
    assert codes(findings) == ["wrong-monitor"]
    assert "smallest 'val_accuracy'" in findings[0].message


class WritesAMeasure(keras.callbacks.Callback):
    """Writes a measure of its own into what Keras logs, behind CheckSetup."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_gain"] = float(epoch)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize(
    "callback",
    [
        lambda: keras.callbacks.EarlyStopping(patience=9),
        lambda: keras.callbacks.EarlyStopping(monitor="val_gain", mode="max", patience=9),
        lambda: keras.callbacks.ReduceLROnPlateau(monitor="val_accuracy", mode="max"),
        lambda: keras.callbacks.ModelCheckpoint(
            "{epoch}.keras", monitor="none", mode="min", save_freq=10**9
        ),
    ],
)
def test_a_measure_that_is_measured_is_left_alone(circles, callback, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = small(metrics=["accuracy"])
    written = [WritesAMeasure(), callback()]
    assert not trained(
        model, circles.x_train, circles.y_train, callbacks=written, validation_split=0.2
    )


@pytest.mark.filterwarnings("ignore:Early stopping conditioned")
def test_validation_after_each_second_epoch_is_not_missed(circles):
    early = keras.callbacks.EarlyStopping(patience=9)
    findings = trained(
        small(),
        circles.x_train,
        circles.y_train,
        callbacks=[early],
        validation_split=0.2,
        validation_freq=2,
    )
    assert not findings
