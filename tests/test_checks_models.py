"""`check_setup` as a whole: what it returns, what it leaves as it was, and that it never raises."""

import dataclasses
import functools
import importlib.util
import os
import pickle
import random
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from check_setups import (
    BINARY,
    CLASSES,
    COUNTS,
    FEATURES,
    FRAME,
    LABELS,
    NUMBERS,
    ONE_HOT,
    ROWS,
    SEVERAL,
    SHARES,
    SIGNS,
    WAYS,
    Perceptron,
    X,
    built_perceptron,
    check,
    codes,
    column,
    compiled,
    complaints,
    functional,
    sequential,
    two_outputs,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, losses, metrics, ops

from lossutils import checks
from lossutils.checks import RULES, Finding, _arrays, check_setup
from lossutils.checks._findings import Findings
from lossutils.losses import CATALOGUE

# What comes back


def wrong(**options):
    """A set-up with an error, a warning and an info."""
    model = compiled(sequential(1), "binary_crossentropy", ["accuracy"], **options)
    model.optimizer.learning_rate = 1.0
    return model, X, (np.arange(ROWS) == 3).astype(int)


def test_findings_are_a_list_of_findings():
    found = check(*wrong())
    assert isinstance(found, list)
    assert all(isinstance(finding, Finding) for finding in found)
    assert codes(found) == ["logits-as-probabilities", "learning-rate", "imbalance-accuracy"]
    assert [finding.code in RULES for finding in found] == [True] * len(found)


def test_findings_are_sorted_by_severity():
    made = [Finding("c", severity, "m", "f") for severity in ("info", "error", "warning", "error")]
    assert [found.severity for found in Findings(made)] == ["error", "error", "warning", "info"]


def test_findings_print_with_code_message_and_fix():
    found = check(*wrong())
    for text in (str(found), repr(found), found._repr_html_()):
        words = " ".join(text.split())
        for finding in found:
            assert finding.code in words
            assert finding.severity in words
        assert "the output layer ends in" in words
        assert "from_logits=True" in words


def test_lines_of_the_printed_table_fit_the_page():
    assert all(len(line) <= 88 for line in str(check(*wrong())).splitlines())


def test_table_escapes_what_the_data_hold():
    y = np.where(BINARY == 1, "<b>yes</b>", "no & never")
    found = check(compiled(sequential(1, "sigmoid"), "bce"), X, y)
    assert codes(found) == ["string-targets"]
    table = found._repr_html_()
    assert "<b>" not in table
    assert "&lt;b&gt;" in table or "no &amp; never" in table


def test_nothing_found_says_what_was_read():
    found = check(compiled(sequential(1), "mse"), X, NUMBERS)
    assert found == []
    assert not found
    for text in (str(found), repr(found), found._repr_html_()):
        words = " ".join(text.split())
        assert "No mistakes found." in words
        assert f"{ROWS} rows" in words
        assert "mean_squared_error" in words
        assert f"targets from {NUMBERS.min():.4g}" in words
    assert all(len(line) <= 88 for line in str(found).splitlines())


def test_nothing_found_says_what_was_left_out():
    found = check(compiled(sequential(1), contrastive), X, column(BINARY))
    assert not found
    assert "it is your own" in str(found)


def test_what_was_read_names_batches_and_rows_to_validate_on():
    batches = tf.data.Dataset.from_tensor_slices((X, NUMBERS)).batch(8)
    found = check(compiled(sequential(1), "mse"), batches, validation_data=(X[:20], NUMBERS[:20]))
    assert "of the first batches" in found.read
    assert "20 rows to validate on" in found.read


def test_a_rule_that_fails_says_so(monkeypatch):
    def broken(subject):
        raise KeyError("elsewhere")

    rule = dataclasses.replace(RULES["learning-rate"], check=broken)
    monkeypatch.setitem(checks._OF_SETUP, "learning-rate", rule)
    (found,) = checks.check_setup(compiled(sequential(1), "mse"), X, NUMBERS)
    assert found.code == "not-read"
    assert "learning-rate" in found.message


def test_findings_can_be_saved():
    found = check(*wrong())
    assert pickle.loads(pickle.dumps(list(found))) == list(found)


def test_message_names_the_output_it_is_about():
    model = compiled(two_outputs(label=(1, None)), ["mse", "bce"])
    (found,) = check(model, X, [NUMBERS, BINARY])
    assert "'label'" in found.message


@pytest.mark.parametrize(
    "name", ["categorical_generalized_cross_entropy", "mean_square_error", "hingee", "logcosh"]
)
def test_proposed_loss_is_one_that_keras_knows(name):
    (found,) = check(compiled(sequential(1), name), X, NUMBERS)
    assert found.code == "unknown-loss"
    assert name in found.message
    if "did you mean" in found.fix:
        assert keras.losses.get(found.fix.split("'")[1])


def test_no_bound_of_the_processor_is_shown():
    model = compiled(sequential(1, "exponential"), "mse")
    (found,) = check(model, X, NUMBERS)
    assert found.code == "targets-outside-output"
    assert "e+38" not in found.message


# strict


def test_strict_raises_for_an_error_and_names_it():
    with pytest.raises(ValueError, match="logits-as-probabilities") as raised:
        check_setup(*wrong(), strict=True)
    assert "learning-rate" not in str(raised.value)


def test_strict_returns_what_is_no_error():
    model = compiled(sequential(1), "mse", ["accuracy"])
    assert codes(check(model, X, NUMBERS, strict=True)) == ["accuracy-on-regression"]
    assert check(compiled(sequential(1), "mse"), X, NUMBERS, strict=True) == []


def test_strict_may_raise_for_a_warning():
    setup = compiled(sequential(1), "mse", ["accuracy"]), X, NUMBERS
    with pytest.raises(ValueError, match="accuracy-on-regression"):
        check_setup(*setup, strict="warning")
    with pytest.raises(ValueError, match="logits-as-probabilities"):
        check_setup(*wrong(), strict="warning")
    assert check_setup(*setup, strict="warning", ignore=["accuracy-on-regression"]) == []


@pytest.mark.parametrize("strict", ["info", "all", None, 2])
def test_unknown_word_for_strict_is_refused(strict):
    with pytest.raises(ValueError, match="strict must be"):
        check_setup(*wrong(), strict=strict)


def test_findings_that_are_meant_are_ignored():
    found = check(*wrong(), ignore=("learning-rate", "imbalance-accuracy"))
    assert codes(found) == ["logits-as-probabilities"]
    assert codes(check(*wrong(), ignore="learning-rate")) == [
        *("logits-as-probabilities", "imbalance-accuracy"),
    ]


def test_ignoring_an_unknown_code_names_the_nearest():
    with pytest.raises(ValueError, match="'learning-rates'.*'learning-rate'"):
        check_setup(*wrong(), ignore=("learning-rates",))


def test_targets_of_a_hundred_million_are_read_in_part_but_searched_whole():
    y = np.zeros((2000, 50_000, 1), dtype="uint8")
    y[::2, ::3] = 1
    y[-1, -1] = 2
    read = _arrays.summarize(y)
    assert (read.low, read.high, read.shape) == (0, 2, y.shape)
    assert read.rows_read < len(y) / 40
    assert not read.zero_one


@pytest.mark.parametrize("period", [2, 3, 4, 26])
def test_rows_that_alternate_do_not_look_alike(period):
    y = np.zeros((4 * 13_000, 1000), dtype="uint8")
    y[::period] = 1
    read = _arrays.summarize(y)
    assert read.zero_one
    assert 0 < read.counts[1] < read.counts[0] or period == 2
    assert not _arrays.look_at(y).constant


def test_missing_targets_are_found_in_all_rows():
    y = np.zeros((3000, 1000), dtype="float32")
    y[-1, -1] = np.nan
    read = _arrays.summarize(y)
    assert read.missing == 1
    assert read.rows_read < len(y)


@pytest.mark.parametrize("model", [None, "model", layers.Dense(1), keras.Sequential, np.ones(3)])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(TypeError, match=r"keras\.Model"):
        check_setup(model, X, BINARY)


# What a model does by itself is left alone


class OwnStep(keras.Model):
    """Trains as it likes, on targets that its losses would not take."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out = layers.Dense(8, activation="relu"), layers.Dense(3)

    def call(self, inputs):
        return self.out(self.hidden(inputs))

    def train_step(self, data):
        return {"loss": 0.0}


class OwnLoss(OwnStep):
    train_step = keras.Model.train_step

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred))


@pytest.mark.parametrize("kind", [OwnStep, OwnLoss])
@pytest.mark.parametrize("built", [False, True])
def test_training_of_its_own_is_left_alone(kind, built):
    model = kind()
    if built:
        model(X[:2])
    model = compiled(model, "binary_crossentropy", ["accuracy"])
    assert not complaints(check(model, X, LABELS))
    assert not complaints(check(model, X, column(SIGNS)))


class Triplet(losses.Loss):
    def call(self, y_true, y_pred):
        anchor, positive, negative = ops.split(y_pred, 3, axis=-1)
        return ops.maximum(ops.abs(anchor - positive) - ops.abs(anchor - negative) + 1, 0)


def contrastive(y_true, distance):
    near = ops.square(distance)
    return y_true * near + (1 - y_true) * ops.square(ops.maximum(1 - distance, 0))


def ordinal(y_true, y_pred):
    """Take class numbers, and a sigmoid for each threshold between classes."""
    thresholds = ops.arange(2, dtype=y_pred.dtype)
    passed = ops.cast(ops.reshape(y_true, (-1, 1)), y_pred.dtype) > thresholds
    return ops.mean(losses.binary_crossentropy(ops.cast(passed, y_pred.dtype), y_pred))


def mixture(y_true, y_pred):
    """Take a number, and a mean, a log variance and a logit for each part."""
    return ops.mean(ops.square(y_true - y_pred[:, :1]))


OWN = {
    "triplets without targets": lambda: (sequential(3), Triplet(), np.zeros(ROWS)),
    "distances": lambda: (sequential(1, "relu"), contrastive, BINARY),
    "order of classes": lambda: (sequential(2, "sigmoid"), ordinal, LABELS),
    "mixture": lambda: (sequential(6), mixture, column(NUMBERS)),
    "lambda": lambda: (functional(1), lambda y, p: ops.mean(ops.abs(y - p)), SIGNS),
    "critic": lambda: (functional(1), lambda y, p: -ops.mean(y * p), SIGNS),
    "policy": lambda: (
        *(sequential(3, "softmax"), lambda y, p: -ops.sum(y * ops.log(p), axis=-1)),
        ONE_HOT * NUMBERS[:, None],
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_loss_of_your_own_is_left_alone(name):
    model, loss, y = OWN[name]()
    assert not complaints(check(compiled(model, loss), X, y))


# Several inputs


def two_inputs():
    inputs = [keras.Input((FEATURES,), name="person"), keras.Input((CLASSES,), name="place")]
    hidden = layers.Dense(8, activation="relu")(layers.Concatenate()(inputs))
    return compiled(keras.Model(inputs, layers.Dense(1)(hidden)), "mse")


@pytest.mark.parametrize(
    "x",
    [
        [X, ONE_HOT],
        (X, ONE_HOT),
        {"person": X, "place": ONE_HOT},
        {"place": pd.DataFrame(ONE_HOT), "person": FRAME},
        [tf.constant(X), tf.constant(ONE_HOT)],
    ],
    ids=["list", "tuple", "dict", "frames", "tensors"],
)
def test_several_inputs(x):
    assert check(two_inputs(), x, NUMBERS) == []
    assert codes(check(two_inputs(), x, NUMBERS[:7])) == ["rows-mismatch"]


def test_message_names_the_input_it_is_about():
    x = {"person": X, "place": np.where(ONE_HOT == 1, np.nan, 0.0)}
    (found,) = check(two_inputs(), x, NUMBERS)
    assert found.code == "non-finite"
    assert "'place'" in found.message


# Nothing changes


class Remembering(Perceptron):
    """Keeps the hidden values of the last call, as tutorials on attention do, and counts calls."""

    def __init__(self, units, activation=None):
        super().__init__(units, activation)
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.last = None

    def call(self, inputs, training=False):
        self.calls.assign(self.calls + 1)
        self.last = self.hidden(inputs)
        return self.function(self.out(self.last))


def built_remembering(units, activation=None):
    model = Remembering(units, activation)
    model(X[:2])
    return model


def noisy(units, activation=None):
    """Ends in noise, from Keras's own seed."""
    return keras.Sequential(
        [
            sequential(units, activation),
            layers.Lambda(lambda x: x + keras.random.normal(ops.shape(x))),
        ]
    )


def random_then_names():
    """Return what random generators and counters of names give next."""
    return (
        random.random(),
        np.random.random(),  # noqa: NPY002
        keras.random.uniform((3,)).numpy().tolist(),
        layers.Dense(1).name,
        keras.Sequential([layers.Dense(1)]).name,
        Perceptron(1).name,
        layers.Dense(2, kernel_initializer="he_normal")(X[:1]).numpy().tolist(),
    )


ALIKE = ("added", "functional_ops", "residual", "with_keras_function", "of_float64")
CHANGELESS = {name: way for name, way in WAYS.items() if name not in ALIKE}
CHANGELESS |= {"built_remembering": built_remembering, "noisy": noisy}


@pytest.mark.parametrize("way", CHANGELESS)
def test_random_numbers_and_names_go_on_as_without(way):
    def after(look):
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        model = compiled(CHANGELESS[way](CLASSES, "softmax"), "categorical_crossentropy")
        if look:
            check(model, X, ONE_HOT)
        return random_then_names()

    assert after(look=True) == after(look=False)


def state_of(model):
    """Return all that a user can see of a model."""
    parts = list(model._flatten_layers())
    return {
        "built": [part.built for part in parts],
        "names": [part.name for part in parts],
        "weights": [value.tolist() for value in model.get_weights()],
        "variables": [variable.path for variable in model.variables],
        "optimizer": [np.asarray(value).tolist() for value in saved(model.optimizer)],
        "optimizer built": model.optimizer.built,
        "nodes": [(list(part._inbound_nodes), list(part._outbound_nodes)) for part in parts],
        "own": getattr(model, "last", None),
        "input shape": getattr(model, "input_shape", None) if model.built else None,
        "losses": len(model.losses),
        "metrics": [(metric.name, len(metric.variables)) for metric in model.metrics],
    }


def saved(optimizer):
    store = {}
    optimizer.save_own_variables(store)
    return store.values()


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("way", CHANGELESS)
def test_model_stays_as_it_is(way, trained):
    model = CHANGELESS[way](CLASSES, "softmax")
    model = compiled(model, "categorical_crossentropy", ["accuracy"], run_eagerly=True)
    if trained:
        model.train_on_batch(X, ONE_HOT)
    before = state_of(model)
    check(model, X, ONE_HOT)
    after = state_of(model)
    for what, value in before.items():
        assert after[what] is value or after[what] == value, what


@pytest.mark.parametrize("way", ["unbuilt", "functional", "Perceptron", "built_perceptron"])
def test_training_afterwards_is_the_same(way):
    def trained(look):
        keras.utils.set_random_seed(3)
        model = compiled(WAYS[way](1, "sigmoid"), "binary_crossentropy", run_eagerly=True)
        if look:
            check(model, X, column(BINARY))
        model.fit(X, column(BINARY), verbose=0)
        return model.get_weights()

    for looked, unlooked in zip(trained(look=True), trained(look=False), strict=True):
        np.testing.assert_array_equal(looked, unlooked)


def test_losses_of_regularized_activations_stay():
    inner = layers.Dense(8, activation="relu", activity_regularizer="l2")

    class Regularized(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.out = inner, layers.Dense(1)

        def call(self, inputs):
            return self.out(self.inner(inputs))

    model = compiled(Regularized(), "mse")
    model(X)
    before = [float(loss) for loss in model.losses]
    check(model, X, NUMBERS)
    assert [float(loss) for loss in model.losses] == before


def test_arrays_stay_as_they_are():
    x, y, weights = X.copy(), BINARY.copy(), np.ones(ROWS)
    for array in (x, y, weights):
        array.flags.writeable = False
    model = compiled(sequential(1, "sigmoid"), "bce", ["accuracy"])
    assert check(model, x, y, sample_weight=weights) == []


def test_generator_is_not_used_up():
    batches = ((X[:8], NUMBERS[:8]) for _ in range(3))
    check(compiled(sequential(1), "mse"), batches)
    assert len(list(batches)) == 3


def test_weights_of_the_model_decide_nothing():
    """A trained and an untrained model have the same mistakes."""
    model = compiled(built_perceptron(1, "sigmoid"), "mse", run_eagerly=True)
    before = check(model, X, NUMBERS)
    model.fit(X, NUMBERS, verbose=0)
    assert check(model, X, NUMBERS) == before
    assert codes(before) == ["targets-outside-output"]


# Never an exception

KINDS = {
    "none": None,
    "numbers": NUMBERS,
    "column": column(NUMBERS),
    "binary": BINARY,
    "Booleans": BINARY == 1,
    "signs": column(SIGNS),
    "labels": LABELS,
    "one-hot": ONE_HOT,
    "several": SEVERAL,
    "shares": SHARES.astype("float16"),
    "counts": COUNTS,
    "NaN": np.full(ROWS, np.nan),
    "some NaN": np.where(BINARY == 1, np.nan, NUMBERS),
    "infinite": np.full((ROWS, 3), -np.inf),
    "words": np.array(["no", "yes"])[BINARY],
    "mixed": np.array([1, "two", None] * (ROWS // 3), dtype=object),
    "dates": np.arange(ROWS).astype("datetime64[D]"),
    "complex": NUMBERS + 1j,
    "large": np.full(ROWS, 1e308),
    "unsigned": np.full(ROWS, 2**64 - 1, dtype="uint64"),
    "empty": np.zeros((0, 1)),
    "no columns": np.zeros((ROWS, 0)),
    "one row": ONE_HOT[:1],
    "image": np.zeros((ROWS, 3, 3, 1)),
    "scalar": 3.0,
    "list": BINARY.tolist(),
    "ragged list": [[1], [1, 2]],
    "list of arrays": [NUMBERS, BINARY],
    "dict": {"out": BINARY},
    "strange dict": {"elsewhere": BINARY, "nowhere": None},
    "Series": pd.Series(LABELS),
    "words in a Series": pd.Series(["a", "b", None] * (ROWS // 3)),
    "category": pd.Series(LABELS, dtype="category"),
    "nullable": pd.Series([1, None, 0] * (ROWS // 3), dtype="Int64"),
    "DataFrame": pd.DataFrame(ONE_HOT),
    "tensor": tf.constant(LABELS),
    "words in a tensor": tf.constant(["a", "b"]),
    "ragged tensor": tf.ragged.constant([[1, 2], [3]]),
    "sparse tensor": tf.sparse.from_dense(ONE_HOT),
}
INPUTS = {name: KINDS[name] for name in KINDS if name not in ("scalar",)} | {
    "usual": X,
    "frame": FRAME,
    "usual list": [X],
    "two": [X, ONE_HOT],
}
ACTIVATIONS = [None, "linear", "sigmoid", "softmax", "tanh", "relu", "exponential", "glu", "elu"]
LOSSES = [
    *[name for name in CATALOGUE if name != "categorical_generalized_cross_entropy"],
    *("crossentropy", "no such loss", None),
    *(Triplet(), contrastive, ordinal, lambda a, b: 0.0),
    *(losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), losses.CTC()),
    *(losses.SparseCategoricalCrossentropy(ignore_class=0), losses.Circle(), losses.Tversky()),
    *(losses.CategoricalGeneralizedCrossEntropy(), {"out": "mse"}, ["mse", "bce"]),
]
METRICS = [
    *(None, ["accuracy"], ["mse", "acc"], ["no such metric"], [["accuracy"]], {"out": "accuracy"}),
    *([metrics.AUC(), metrics.Precision()], [metrics.F1Score()], [lambda a, b: 0.0]),
]
OUTPUTS = [
    (way, units, activation)
    for way in ("sequential", "unbuilt", "functional", "built_perceptron", "Perceptron")
    for units in (1, 2, 3)
    for activation in ACTIVATIONS
    # Keras refuses the one as soon as the model is built, and warns of the other.
    if activation != "glu" or (units == 2 and way != "built_perceptron")
    if (way, units, activation) != ("built_perceptron", 1, "softmax")
]


@functools.cache
def model_ending_in(way, units, activation):
    return WAYS[way](units, activation)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    output=st.sampled_from(OUTPUTS),
    loss=st.sampled_from(LOSSES),
    measured=st.sampled_from(METRICS),
    y=st.sampled_from(list(KINDS)),
    x=st.one_of(st.just("usual"), st.sampled_from(list(INPUTS))),
    weights=st.one_of(st.none(), st.sampled_from(list(KINDS))),
)
def test_nothing_makes_a_rule_fail(output, loss, measured, y, x, weights):
    model = model_ending_in(*output)
    model.compile(loss=loss, metrics=measured)
    sample_weight = KINDS.get(weights)
    for finding in check(model, INPUTS[x], KINDS[y], sample_weight=sample_weight):
        assert finding.code in RULES
        assert finding.message
        assert finding.fix


# The other backends

PROGRAM = """
    import keras
    import numpy as np
    from keras import layers, losses, ops

    from lossutils.checks import check_setup

    assert keras.backend.backend() == {backend!r}
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    y = np.arange(40) % 2


    class Model(keras.Model):
        def __init__(self, activation):
            super().__init__()
            self.out = layers.Dense(1)
            self.function = keras.activations.get(activation)

        def call(self, inputs):
            return self.function(self.out(inputs))


    def subclassed(activation):
        model = Model(activation)
        model(x[:2])
        return model


    def sequential(activation):
        return keras.Sequential([keras.Input((3,)), layers.Dense(1, activation=activation)])


    def unbuilt(activation):
        return keras.Sequential([layers.Dense(1), layers.Activation(activation)])


    def codes(model, loss, y, **options):
        model.compile(keras.optimizers.SGD(0.01), loss, metrics=["accuracy"], **options)
        return [finding.code for finding in check_setup(model, x, y)]


    for make in (sequential, unbuilt, subclassed):
        assert codes(make("sigmoid"), "binary_crossentropy", y) == [], make
        assert codes(make("softmax"), "binary_crossentropy", y) == ["softmax-one-unit"], make
        assert codes(make("linear"), "binary_crossentropy", y) == ["logits-as-probabilities"], make
        found = codes(make("sigmoid"), losses.BinaryCrossentropy(from_logits=True), y)
        assert found == ["probabilities-as-logits"], make
        found = codes(make("linear"), "mse", 1000 * x[:, 0])
        assert found == ["targets-scale", "accuracy-on-regression"], (make, found)
    assert codes(sequential(lambda t: 1 / (1 + ops.exp(-t))), "binary_crossentropy", y) == []
    {tensor}
    assert codes(sequential("sigmoid"), "binary_crossentropy", tensor) == []
    assert codes(sequential("sigmoid"), "binary_crossentropy", 2 * tensor - 1) == [
        "binary-label-range", "accuracy-minus-one"
    ]
    print("checked")
"""
TENSORS = {
    "jax": "import jax.numpy as jnp; tensor = jnp.asarray(y)",
    "torch": "import torch; tensor = torch.as_tensor(y)",
}


@pytest.mark.parametrize("backend", TENSORS)
def test_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is missing: pip install -r requirements-frameworks.txt")
    program = textwrap.dedent(PROGRAM).format(backend=backend, tensor=TENSORS[backend])
    environment = {**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert run.stdout.strip() == "checked", run.stderr
