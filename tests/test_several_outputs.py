"""Trainings of models with several inputs and outputs: `training` against `model.fit`."""

import dataclasses
import itertools

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossutils import training
from lossutils.datasets import Dataset
from lossutils.training import _repetition

# What Keras says of an output without a loss, which is meant here.
pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist")

ROWS, TEST_ROWS, FEATURES, BATCH = 42, 25, 4, 16  # last batches of 10 and 9 rows
OUTPUTS = ("price", "kind", "amount")  # not in the order of the alphabet


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def nested(values, how):
    """Nest values by output in a dict or, in the order of the outputs, in a list."""
    return dict(values) if how == "dict" else [values[name] for name in OUTPUTS]


def problem(x="array", y="dict", seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(ROWS + TEST_ROWS, FEATURES))
    signal = features @ rng.normal(size=(FEATURES, 3)) + 0.3 * rng.normal(size=(len(features), 3))
    targets = {
        "price": signal[:, :1],
        "kind": signal.argmax(axis=1)[:, None],
        "amount": np.exp(signal[:, 1:2]),
    }
    parts = {"left": features[:, :2], "right": features[:, 2:]}
    inputs = {"array": features, "dict": parts, "list": list(parts.values())}[x]
    targets = nested(targets, y)

    def rows(part):
        return keras.tree.map_structure(lambda a: a[part], (inputs, targets))

    (x_train, y_train), (x_test, y_test) = rows(slice(ROWS)), rows(slice(ROWS, None))
    return Dataset(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def network(x="array", y="dict", dtype=None, **options):
    options |= {"dtype": dtype}
    if x == "array":
        inputs = features = keras.Input((FEATURES,), dtype=dtype)
    else:
        inputs = {name: keras.Input((2,), name=name, dtype=dtype) for name in ("left", "right")}
        features = keras.layers.Concatenate(dtype=dtype)(list(inputs.values()))
        inputs = inputs if x == "dict" else list(inputs.values())
    hidden = keras.layers.Dense(6, activation="tanh", **options)(features)
    outputs = {
        "price": keras.layers.Dense(1, name="price", dtype=dtype)(hidden),
        "kind": keras.layers.Dense(3, activation="softmax", name="kind", dtype=dtype)(hidden),
        "amount": keras.layers.Dense(1, activation="softplus", name="amount", dtype=dtype)(hidden),
    }
    return keras.Model(inputs, nested(outputs, y))


LOSSES = {"price": "mse", "kind": "sparse_categorical_crossentropy", "amount": "poisson"}


def compiled(model, optimizer="sgd", loss=LOSSES, **options):
    if optimizer == "sgd":
        optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    model.compile(optimizer, loss, **options)
    return model


def assert_equal_training(build, data, epochs=2, sample_weight=None, tolerance=1e-10):
    """`training.fit` leaves the weights of `model.fit`, and measures what it measures."""
    keras.utils.set_random_seed(1)
    theirs = build()
    keras.utils.set_random_seed(1)
    ours = build()
    theirs.jit_compile = False  # XLA would compile for longer than it runs
    expected = theirs.fit(
        data.x_train,
        data.y_train,
        batch_size=BATCH,
        epochs=epochs,
        validation_data=(data.x_test, data.y_test),
        sample_weight=sample_weight,
        shuffle=False,
        verbose=0,
    ).history
    found = training.fit(
        ours, data, epochs, batch_size=BATCH, shuffle=False, sample_weight=sample_weight
    ).history
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance)
    measured = {f"test_{k[4:]}": v for k, v in expected.items() if k.startswith("val_")}
    assert measured.keys() == {k for k in found if k.startswith("test_")}
    for name, values in measured.items():
        np.testing.assert_allclose(found[name], values, rtol=tolerance, atol=tolerance)
    return theirs, found


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("x", ["array", "dict", "list"])
@pytest.mark.parametrize(("y", "of_model"), [*itertools.product(["dict", "list"], repeat=2)])
def test_arrays_may_be_nested_as_in_keras(x, y, of_model):
    def build():
        return compiled(
            network(x, of_model),
            metrics={"price": ["mae"], "kind": ["accuracy"]},
            weighted_metrics={"amount": ["mae"]},
        )

    assert_equal_training(build, problem(x, y))


def classes():
    """Return losses as classes, whose precision is that of the moment they are made."""
    return {
        "price": keras.losses.Huber(0.4),
        "kind": keras.losses.SparseCategoricalCrossentropy(ignore_class=1),
        "amount": keras.losses.MeanAbsoluteError(reduction="sum"),
    }


# What each output is trained by, and the weights of these losses.
COMPILED = {
    "a loss for all": {"loss": "mse", "y": ("price", "amount")},
    "a list": {"loss": list(LOSSES.values()), "loss_weights": [2.0, 0.5, 1.0]},
    "a dict": {"loss_weights": {"price": 3.0, "kind": 0.1, "amount": 0.7}},
    "classes": {"loss": classes},
    "functions": {
        "loss": {**LOSSES, "price": lambda t, p: keras.ops.mean(keras.ops.abs(t - p) ** 1.5, -1)},
        "loss_weights": {"price": 0.0, "kind": 1.0, "amount": 2.0},
    },
    "None for an output": {"loss": {**LOSSES, "amount": None}},
    "no entry for an output": {"loss": {"price": "mse", "kind": LOSSES["kind"]}},
}

OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "Adam": lambda: keras.optimizers.Adam(0.02),
    "clipped together": lambda: keras.optimizers.AdamW(0.02, global_clipnorm=0.1),
}


def weights_of_rows(how, y):
    rng = np.random.default_rng(3)
    weights = {name: rng.uniform(0, 2, ROWS) for name in OUTPUTS if name in y}
    return {
        "none": None,
        "one for all": next(iter(weights.values())),
        "one each": weights,
        "some": {**weights, "price": None, "kind": (weights["kind"] > 1).astype(float)}
        if "kind" in y
        else {**weights, "price": None},
    }[how]


WEIGHTS = ("none", "one for all", "one each", "some")
# Half of all combinations, in which each two of their parts meet.
COMBINATIONS = [
    tuple(names)
    for places, names in zip(
        itertools.product(*(range(len(each)) for each in (COMPILED, WEIGHTS, OPTIMIZERS))),
        itertools.product(COMPILED, WEIGHTS, OPTIMIZERS),
        strict=True,
    )
    if sum(places) % 2 == 0
]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("given", "weights", "optimizer"), COMBINATIONS)
def test_losses_and_weights_train_as_in_keras(given, weights, optimizer):
    options = dict(COMPILED[given])
    outputs = options.pop("y", OUTPUTS)

    def build():
        model = network(kernel_regularizer="l2")
        of_model = {name: model.output[name] for name in outputs}
        model = keras.Model(model.input, of_model)
        loss = options.get("loss", LOSSES)
        made = {"loss": loss() if callable(loss) else loss}
        return compiled(model, OPTIMIZERS[optimizer](), **options | made)

    data = problem()
    data = dataclasses.replace(
        data,
        y_train={name: data.y_train[name] for name in outputs},
        y_test={name: data.y_test[name] for name in outputs},
    )
    assert_equal_training(build, data, sample_weight=weights_of_rows(weights, outputs))


def sequences(dtype=None, mask="embedding"):
    """A sequence to a label for each step and a number for the whole; padded with 0."""
    if mask == "embedding":
        inputs = keras.Input((7,), dtype="int32", name="words")
        steps = keras.layers.Embedding(5, 3, mask_zero=True, dtype=dtype)(inputs)
    else:
        inputs = keras.Input((7, 2), name="words", dtype=dtype)
        steps = keras.layers.Masking(dtype=dtype)(inputs)
    other = keras.Input((2,), name="other", dtype=dtype)
    steps = keras.layers.GRU(4, return_sequences=True, dtype=dtype)(steps)
    last = keras.layers.GRU(3, dtype=dtype)(steps)
    both = keras.layers.Concatenate(dtype=dtype)([last, other])
    tags = keras.layers.Dense(3, activation="softmax", name="tags", dtype=dtype)(steps)
    total = keras.layers.Dense(1, name="total", dtype=dtype)(both)
    return keras.Model({"words": inputs, "other": other}, {"tags": tags, "total": total})


def sentences(mask, rows=ROWS + TEST_ROWS):
    rng = np.random.default_rng(2)
    words = rng.integers(1, 5, (rows, 7)) * (np.arange(7) < rng.integers(2, 8, (rows, 1)))
    if mask == "masking":
        words = np.stack([words, words], axis=-1).astype(float)
    x = {"words": words, "other": rng.normal(size=(rows, 2))}
    y = {"tags": rng.integers(0, 3, (rows, 7, 1)), "total": rng.normal(size=rows)}

    def part(arrays, where):
        return {name: array[where] for name, array in arrays.items()}

    train, test = slice(ROWS), slice(ROWS, None)
    return Dataset(
        x_train=part(x, train), y_train=part(y, train), x_test=part(x, test), y_test=part(y, test)
    )


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("steps_weighted", [False, True])
@pytest.mark.parametrize("mask", ["embedding", "masking"])
def test_masks_and_weights_of_steps_count_as_in_keras(mask, steps_weighted):
    def build():
        loss = {"tags": "sparse_categorical_crossentropy", "total": "mae"}
        return compiled(sequences(mask=mask), loss=loss, loss_weights={"tags": 1.0, "total": 0.3})

    rng = np.random.default_rng(4)
    weights = {"tags": rng.uniform(size=(ROWS, 7)), "total": None} if steps_weighted else None
    assert_equal_training(build, sentences(mask), sample_weight=weights)


@pytest.mark.usefixtures("float64")
def test_what_layers_add_counts_once():
    def build():
        model = network(kernel_regularizer=keras.regularizers.L2(0.05), activity_regularizer="l1")
        return compiled(model, loss_weights={"price": 0.2, "kind": 1.0, "amount": 1.0})

    assert_equal_training(build, problem())


class TwoHeads(keras.Model):
    """Outputs that have no names before the first call."""

    def __init__(self, how):
        super().__init__()
        self.hidden = keras.layers.Dense(5, activation="relu")
        self.price, self.amount = keras.layers.Dense(1), keras.layers.Dense(1)
        self.how = how

    def call(self, x):
        hidden = self.hidden(x)
        outputs = {"price": self.price(hidden), "amount": self.amount(hidden)}
        return outputs if self.how == "dict" else list(outputs.values())


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("how", ["dict", "list"])
def test_a_subclassed_model_names_its_losses_as_in_keras(how):
    data = problem()
    pick = {"train": data.y_train, "test": data.y_test}
    y = {
        part: {name: pick[part][name] for name in ("price", "amount")} for part in ("train", "test")
    }
    if how == "list":
        y = {part: list(values.values()) for part, values in y.items()}
    data = dataclasses.replace(data, y_train=y["train"], y_test=y["test"])
    loss = {"price": "mse", "amount": "mae"} if how == "dict" else ["mse", "mae"]
    assert_equal_training(lambda: compiled(TwoHeads(how), loss=loss), data)


def test_the_losses_of_the_outputs_are_those_of_evaluate():
    def build():
        return compiled(
            network(dtype="float64"),
            loss_weights={"price": 2.0, "kind": 1.0, "amount": 0.5},
            metrics={"kind": "accuracy"},
        )

    data, model = problem(), build()
    found = training.fit(model, data, 2, batch_size=BATCH).history
    expected = model.evaluate(
        data.x_train, data.y_train, batch_size=BATCH, verbose=0, return_dict=True
    )
    assert {name: found[f"train_{name}"][-1] for name in expected} == pytest.approx(
        expected, rel=1e-5
    )


def test_where_batches_are_equal_the_weighted_losses_add_up_to_the_total():
    model = compiled(
        network(dtype="float64"), loss_weights={"price": 2.0, "kind": 1.0, "amount": 0.5}
    )
    found = training.fit(model, problem(), 1, batch_size=ROWS).history
    parts = [found[f"train_{name}_loss"][0] for name in OUTPUTS]
    assert np.dot(parts, [2.0, 1.0, 0.5]) == pytest.approx(found["train_loss"][0], rel=1e-12)


@pytest.mark.usefixtures("float64")
def test_an_output_without_a_loss_needs_no_targets():
    data = problem()
    data = dataclasses.replace(
        data,
        y_train={"price": data.y_train["price"]},
        y_test={"price": data.y_test["price"]},
    )
    assert_equal_training(lambda: compiled(network(), loss={"price": "mse"}), data)


# What cannot be trained --------------------------------------------------------------------------


def two_losses_of_one_output():
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(1)])
    return compiled(model, loss=["mse", "mae"])


@pytest.mark.parametrize(
    ("build", "data", "options", "message"),
    [
        (
            lambda: compiled(network()),
            lambda: dataclasses.replace(
                problem(), y_train=problem().y_train["price"], y_test=problem().y_test["price"]
            ),
            {},
            "do not fit",
        ),
        (lambda: compiled(network(), loss={"prise": "mse"}), problem, {}, "do not fit.*prise"),
        (
            lambda: compiled(network(y="list"), loss={"price": "mse"}),
            problem,
            {},
            r"do not fit.*Expected keys",
        ),
        (lambda: compiled(network(), loss_weights=[1.0]), problem, {}, "do not fit.*3 losses"),
        (
            lambda: compiled(network(), loss=dict.fromkeys(OUTPUTS)),
            problem,
            {},
            "loss=None for each output",
        ),
        (
            two_losses_of_one_output,
            lambda: Dataset(
                x_train=np.ones((4, FEATURES)),
                y_train=np.ones(4),
                x_test=np.ones((4, FEATURES)),
                y_test=np.ones(4),
            ),
            {},
            "several losses for one output: use model.fit",
        ),
        (
            lambda: compiled(network(), loss={**LOSSES, "kind": "mse"}),
            problem,
            {},
            r"targets of 'kind' have the shape \(n, 1\)",
        ),
        (
            lambda: compiled(network(), loss={**LOSSES, "amount": LOSSES["kind"]}),
            problem,
            {},
            "labels of 'amount' run from",
        ),
        (lambda: compiled(network()), problem, {"class_weight": {0: 1.0}}, "as in model.fit"),
        (
            lambda: compiled(network()),
            problem,
            {"sample_weight": {"prise": np.ones(ROWS)}},
            r"is for \['prise'\], and the targets are \['price', 'kind', 'amount'\]",
        ),
        (
            lambda: compiled(network()),
            problem,
            {"sample_weight": {**dict.fromkeys(OUTPUTS), "kind": np.ones(3)}},
            r"sample_weight\['kind'\] must have a value for each of the 42 training rows",
        ),
        (
            lambda: compiled(network()),
            problem,
            {"sample_weight": np.full(ROWS, np.nan)},
            "not finite",
        ),
        (
            lambda: compiled(network(), loss={**LOSSES, "price": "hubber"}),
            problem,
            {},
            "did you mean 'huber'",
        ),
    ],
)
def test_what_does_not_fit_is_named(build, data, options, message):
    with pytest.raises(ValueError, match=message):
        training.fit(build(), data(), 1, **options)


# Repetition --------------------------------------------------------------------------------------


def build(x="dict", y="dict", dtype="float64", **options):
    return compiled(
        network(x, y, dtype), keras.optimizers.SGD(0.05), metrics={"kind": ["accuracy"]}, **options
    )


def assert_seed_by_seed(build, data, epochs=2, seeds=(0, 1, 2), **options):
    """Each seed of `repeat` gives what `fit` gives."""
    options.setdefault("jit_compile", False)
    runs = training.repeat(build, data, epochs, seeds=seeds, batch_size=BATCH, **options)
    found = runs.pivot_table(index="seed", columns="measure", values="value", dropna=False)
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        drawn = data(seed) if callable(data) else data
        keras.utils.set_random_seed(seed)
        history = training.fit(
            build(), drawn, epochs, batch_size=BATCH, seed=seed, **options
        ).history
        assert set(found) == set(history)
        for measure, values in history.items():
            assert found.loc[seed, measure] == pytest.approx(values[-1], rel=1e-9), measure


def drawn(seed):
    return problem("dict", seed=seed)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("data", [problem("dict"), drawn])
def test_a_seed_of_repeat_is_a_fit_with_that_seed(data, jit_compile):
    def weigh(data):
        return {"price": None, "kind": np.linspace(0, 1, ROWS), "amount": data.y_train["kind"] > 0}

    def weights(data):
        return {name: None if w is None else np.ravel(w) for name, w in weigh(data).items()}

    assert_seed_by_seed(build, data, sample_weight=weights, jit_compile=jit_compile)


def test_threads_give_what_one_gives_and_compile_once(monkeypatch):
    data = problem("list", "list")
    tables = []
    for threads in (1, 3):
        monkeypatch.setattr(_repetition, "_cores", lambda number=threads: number)
        monkeypatch.setattr(_repetition, "_programs", {})
        tables.append(training.repeat(lambda: build("list", "list"), data, 2, seeds=6))
        assert len(_repetition._programs) == 1
    pd.testing.assert_frame_equal(*tables)


def test_a_rate_is_chosen_by_a_measure_of_one_output():
    settings = {"seeds": 2, "learning_rates": [1e-6, 0.05], "validation_size": 0.3}
    for by in ("loss", "kind_loss", "kind_accuracy"):
        runs = training.repeat(build, drawn, 10, choose_by=by, **settings)
        assert set(runs["learning_rate"]) == {0.05}
    weights = dict.fromkeys(OUTPUTS, np.ones(ROWS))
    training.repeat(build, problem("dict"), 2, sample_weight=weights, **settings)


def test_draws_that_differ_in_an_output_are_refused():
    def draw(seed):
        data = drawn(seed)
        wider = {**data.y_train, "price": np.ones((ROWS, 1 + seed))}
        of_test = {**data.y_test, "price": np.ones((TEST_ROWS, 1 + seed))}
        return dataclasses.replace(data, y_train=wider, y_test=of_test)

    with pytest.raises(ValueError, match="the same number of rows and columns"):
        training.repeat(build, draw, 1, seeds=2)


class Shift(keras.Operation):
    """An operation of a reader's own, without a config."""

    def __init__(self, by):
        super().__init__()
        self._by = by

    def call(self, x):
        return x + self._by

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


def shifted(by):
    model = network("dict", dtype="float64")
    return compiled(
        keras.Model(model.input, {**model.output, "price": Shift(by)(model.output["price"])})
    )


def with_a_variable(value):
    weight = keras.Variable(value, dtype="float64", trainable=False)
    return build(loss_weights={"price": weight, "kind": 1.0, "amount": 1.0})


def a_loss_with_a_variable(value):
    delta = keras.Variable(value, dtype="float64", trainable=False)

    class Scaled(keras.losses.Loss):
        def __init__(self):
            super().__init__()
            self.delta = delta

        def call(self, y_true, y_pred):
            return self.delta * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    return build(loss={**LOSSES, "price": Scaled()})


STALE = {
    "a loss weight": lambda f: build(loss_weights={"price": f, "kind": 1.0, "amount": 1.0}),
    "a loss weight that is a variable": with_a_variable,
    "a loss that has a variable": a_loss_with_a_variable,
    "an output without a loss": lambda f: build(
        loss={**LOSSES, "price": None if f == 2.0 else "mse"}
    ),
    "losses exchanged": lambda f: build(loss={**LOSSES, "price": "mae" if f == 2.0 else "mse"}),
    "a loss by a factory": lambda f: build(
        loss={**LOSSES, "amount": lambda t, p: f * keras.ops.mean(keras.ops.abs(t - p), axis=-1)}
    ),
    "an operation of one's own": shifted,
}


@pytest.mark.parametrize("kind", STALE)
def test_what_differs_in_one_output_alone_is_trained_anew(kind):
    for factor in (1.0, 2.0):
        assert_seed_by_seed(lambda f=factor: STALE[kind](f), problem("dict"), seeds=(0, 1))


def test_equal_models_share_a_program(monkeypatch):
    """Else each seed would compile anew, which takes a second."""
    for kind in ("a loss weight", "losses exchanged", "a loss by a factory"):
        monkeypatch.setattr(_repetition, "_programs", {})
        for seeds in ([0, 1], [2]):
            training.repeat(
                lambda kind=kind: STALE[kind](1.0),
                problem("dict"),
                1,
                seeds=seeds,
                jit_compile=False,
            )
        assert len(_repetition._programs) == 1


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    x=st.sampled_from(["array", "dict", "list"]),
    y=st.sampled_from(["dict", "list"]),
    losses=st.tuples(
        st.sampled_from(["mse", "mae", keras.losses.Huber(0.3), None]),
        st.sampled_from(["sparse_categorical_crossentropy", None]),
        st.sampled_from(["mae", "poisson", lambda t, p: keras.ops.mean(abs(t - p), axis=-1)]),
    ),
    weights=st.sampled_from([None, (1.0, 2.0, 3.0), (0.0, 1.0, 0.5)]),
    weighted=st.booleans(),
)
def test_whatever_is_built_and_edited_equals_fit_seed_by_seed(x, y, losses, weights, weighted):
    named = dict(zip(OUTPUTS, losses, strict=True))
    if weights is not None:
        weights = {
            name: weight
            for (name, loss), weight in zip(named.items(), weights, strict=True)
            if loss is not None
        }
        named = {name: loss for name, loss in named.items() if name in weights}
        if y == "list" and len(named) < len(OUTPUTS):
            return  # Keras wants a loss for each output of a list
    rows = np.linspace(0, 1, ROWS) if weighted else None

    def build():
        return compiled(network(x, y, "float64"), loss=named, loss_weights=weights)

    assert_seed_by_seed(build, problem(x, y), seeds=(0, 1), sample_weight=rows)
