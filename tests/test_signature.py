"""A repetition trains what `build` returns now, whatever an earlier one has compiled."""

import functools
import importlib
import sys
import textwrap
import typing

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras.random import normal

from lossutils import training
from lossutils.datasets import Dataset
from lossutils.losses.keras_losses import Pinball
from lossutils.training._signature import signature

FEATURES = 3


def problem(seed=0, rows=24):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows + 12, FEATURES)) + seed
    y = np.sin(x.sum(axis=1, keepdims=True))
    return Dataset(x_train=x[:rows], y_train=y[:rows], x_test=x[rows:], y_test=y[rows:])


def model_of(*layers, optimizer=None, loss="mse", metrics=(), activation=None):
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            *(layers or [keras.layers.Dense(4, activation=activation)]),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer or keras.optimizers.SGD(0.05), loss, metrics=list(metrics))
    return model


def assert_seed_by_seed(build, data, epochs=2, seeds=(0, 1), **options):
    """Each seed of `repeat` gives what `fit` gives."""
    runs = training.repeat(build, data, epochs, seeds=seeds, jit_compile=False, **options)
    found = runs.pivot(index="seed", columns="measure", values="value")
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        drawn = data(seed) if callable(data) else data
        keras.utils.set_random_seed(seed)
        history = training.fit(build(), drawn, epochs, seed=seed).history
        for measure, values in history.items():
            assert found.loc[seed, measure] == pytest.approx(values[-1], rel=1e-6), measure


SCALE = 1.0


def scaled(x):
    return x * SCALE


class Scaled(keras.layers.Layer):
    def __init__(self, scale, **options):
        super().__init__(**options)
        self._scale = scale

    def call(self, x):
        return x * self._scale


class OfModule(keras.layers.Layer):
    def call(self, x):
        return x * SCALE


class RandomFeatures(keras.layers.Layer):
    """Draws a constant when it is made."""

    def __init__(self, **options):
        super().__init__(**options)
        self.directions = np.random.normal(size=(FEATURES, 5)).astype("float32")  # noqa: NPY002

    def call(self, x):
        return keras.ops.cos(keras.ops.matmul(x, self.directions))


class Frequency(keras.constraints.Constraint):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, w):
        return w * self.factor


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start / (1.0 + keras.ops.cast(step, "float32"))


class Near(keras.metrics.Metric):
    def __init__(self, tolerance, name="near", **options):
        super().__init__(name=name, **options)
        self.tolerance = tolerance
        self.hits = self.add_variable((), "zeros", name="hits")

    def update_state(self, y_true, y_pred, sample_weight=None):
        near = keras.ops.abs(keras.ops.cast(y_true, self.dtype) - y_pred) < self.tolerance
        self.hits.assign_add(keras.ops.sum(keras.ops.cast(near, self.dtype)))

    def result(self):
        return self.hits


def after(layer, **attributes):
    for name, value in attributes.items():
        setattr(layer, name, value)
    return layer


def adapted(data):
    layer = keras.layers.Normalization()
    layer.adapt(data.x_train)
    return layer


def factory(factor):
    return lambda x: x * factor


PAIRS = {
    "an activation by a factory": lambda f: model_of(activation=factory(f)),
    "a lambda": lambda f: model_of(activation=lambda x: x * f),
    "a Lambda layer": lambda f: model_of(keras.layers.Lambda(lambda x: x * f)),
    "an attribute that the config leaves out": lambda f: model_of(Scaled(f)),
    "an attribute set after construction": lambda f: model_of(
        keras.layers.Dense(4), after(keras.layers.LeakyReLU(), negative_slope=f)
    ),
    "a layer that adapt has changed": lambda f: model_of(adapted(problem(int(f)))),
    "a regularizer by a factory": lambda f: model_of(
        keras.layers.Dense(4, kernel_regularizer=lambda w: f * keras.ops.sum(w * w))
    ),
    "a constraint without a config": lambda f: model_of(
        keras.layers.Dense(4, kernel_constraint=Frequency(1 / f))
    ),
    "a schedule without a config": lambda f: model_of(
        optimizer=keras.optimizers.SGD(Halving(f / 20))
    ),
    "a learning rate as a function": lambda f: model_of(
        optimizer=keras.optimizers.SGD(lambda: f / 20)
    ),
    "an optimizer's attribute": lambda f: model_of(optimizer=keras.optimizers.SGD(0.1, clipnorm=f)),
    "a metric's parameter": lambda f: model_of(metrics=[Near(f / 4)]),
    "a loss by a factory": lambda f: model_of(loss=lambda y, p: f * keras.ops.square(y - p)),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_what_differs_in_code_or_constants_alone_is_trained_anew(kind):
    build, data = PAIRS[kind], problem()
    assert_seed_by_seed(lambda: build(1.0), data)
    assert_seed_by_seed(lambda: build(2.0), data)


def test_a_constant_of_the_module_is_read_anew(monkeypatch):
    data = problem()
    for build in (lambda: model_of(OfModule()), lambda: model_of(activation=scaled)):
        for value in (1.0, 3.0):
            monkeypatch.setattr(sys.modules[__name__], "SCALE", value)
            assert_seed_by_seed(build, data)


def test_what_a_layer_draws_when_it_is_made_differs_from_seed_to_seed():
    assert_seed_by_seed(lambda: model_of(RandomFeatures()), problem(), seeds=(0, 1, 2))


EDITS = ["x", "keras.ops.relu(x)", "helpers_of_a_reader.double(x)", "x * CONSTANT"]


def test_an_edited_module_is_trained_as_it_is_now(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    helpers = tmp_path / "helpers_of_a_reader.py"
    module = tmp_path / "module_of_a_reader.py"

    def write(expression, constant, factor):
        helpers.write_text(f"def double(x):\n    return {factor} * x\n")
        module.write_text(
            textwrap.dedent(f"""
            import keras
            import helpers_of_a_reader
            CONSTANT = {constant}
            def activation(x):
                return {expression}
            def loss(y, p):
                return CONSTANT * keras.ops.square(y - p)
            """)
        )
        importlib.invalidate_caches()
        for name in (helpers.stem, module.stem):
            sys.modules.pop(name, None)
        return importlib.import_module(module.stem)

    data = problem()
    for expression in EDITS:
        for constant, factor in ((1.0, 2.0), (2.0, 3.0)):
            mine = write(expression, constant, factor)
            assert_seed_by_seed(
                lambda mine=mine: model_of(activation=mine.activation, loss=mine.loss), data
            )
    for name in (helpers.stem, module.stem):
        sys.modules.pop(name, None)


class Scale(keras.losses.Loss):
    """Multiplies by what an object computes."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale.times() * keras.ops.square(y_true - y_pred)


def of_class(base, factor, **attributes):
    """Return a class whose code alone says the factor."""
    return type("Factor", (base,), {"times": eval(f"lambda self: {factor}"), **attributes})


def cached(factor):
    @functools.cache
    def table():
        return factor

    return lambda y, p: table() * keras.ops.square(y - p)


def by_name(y, p):
    return globals()["SCALE"] * keras.ops.square(y - p)


class Kept:
    """Holds what Keras does not track."""

    def __init__(self, variable):
        self.variable = variable

    def times(self):
        return self.variable


def patched(factor):
    model = model_of()
    call = model.call
    model.call = lambda x, **options: factor * call(x, **options)
    return model


def with_start(factor):
    class Optimizer(keras.optimizers.SGD):
        def __init__(self):
            super().__init__(0.1)
            self.factor = keras.Variable(factor, trainable=False)

        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient * self.factor, variable, learning_rate)

    return model_of(optimizer=Optimizer())


HIDDEN = {
    "a cached function": lambda f: model_of(loss=cached(f)),
    "a name put together": lambda f: model_of(loss=by_name),
    "code of a tuple": lambda f: model_of(loss=Scale(of_class(tuple, f)())),
    "code of a named tuple": lambda f: model_of(
        loss=Scale(of_class(typing.NamedTuple("Pair", [("a", int)]), f)(1))
    ),
    "code of a dict": lambda f: model_of(loss=Scale(of_class(dict, f)())),
    "code of a number": lambda f: model_of(loss=Scale(of_class(float, f)(1))),
    "code of an array": lambda f: model_of(loss=Scale(np.zeros(1).view(of_class(np.ndarray, f)))),
    "a variable that nothing tracks": lambda f: model_of(loss=Scale(Kept(keras.Variable(f)))),
    "a model's own call": patched,
    "an optimizer's variable": with_start,
    "a module inside of a function": lambda f: model_of(loss=of_module(f)),
    "a file": lambda f: model_of(loss=lambda y, p: np.loadtxt("f") * keras.ops.square(y - p)),
}


def of_module(factor):
    module = type(sys)("module_of_a_function")
    exec(f"def times(): return {factor}", vars(module))
    sys.modules[module.__name__] = module

    def loss(y, p):
        import module_of_a_function as mine

        return mine.times() * keras.ops.square(y - p)

    return loss


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_is_kept_out_of_sight_is_followed_or_has_no_signature(kind, monkeypatch):
    signatures = []
    for factor in (1.0, 2.0):
        monkeypatch.setattr(sys.modules[__name__], "SCALE", factor)
        keras.backend.clear_session()
        signatures.append(signature(HIDDEN[kind](factor)))
    assert signatures[0] is None or signatures[0] != signatures[1]


def test_a_file_with_the_name_of_a_module_of_python_is_a_readers(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    signatures = []
    for factor in (1.0, 2.0):
        (tmp_path / "antigravity.py").write_text(
            f"def loss(y, p):\n    return {factor} * (y - p)\n"
        )
        sys.modules.pop("antigravity", None)
        importlib.invalidate_caches()
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        keras.backend.clear_session()
        signatures.append(signature(model_of(loss=importlib.import_module("antigravity").loss)))
    sys.modules.pop("antigravity", None)
    assert None not in signatures
    assert signatures[0] != signatures[1]


def test_adapted_layers_differ_from_draw_to_draw():
    """Cross-validation of a model that begins with a fitted normalization."""
    assert_seed_by_seed(lambda: model_of(adapted(problem(3))), problem, seeds=(0, 1, 2))


def test_an_optimizer_that_starts_from_the_weights_starts_from_each_seeds_own():
    def build():
        model = model_of(optimizer=keras.optimizers.ScheduleFreeAdamW(0.05, warmup_steps=0))
        model.optimizer.build(model.trainable_variables)
        return model

    if not hasattr(keras.optimizers, "ScheduleFreeAdamW"):
        pytest.skip("this Keras has no optimizer that starts from the weights")
    assert_seed_by_seed(build, problem(), seeds=(0, 1, 2, 3))


def test_a_build_may_train_a_little():
    data = problem()

    def build():
        model = model_of(optimizer=keras.optimizers.Adam(0.05))
        model.fit(data.x_train, data.y_train, verbose=0)
        return model

    assert_seed_by_seed(build, data, seeds=(0, 1, 2))


def test_layers_that_draw_in_inference_give_what_fit_gives():
    def build():
        return model_of(
            keras.layers.Reshape((FEATURES, 1)),
            keras.layers.GRU(3, dropout=0.4, recurrent_dropout=0.2),
        )

    assert_seed_by_seed(build, problem(), seeds=(0, 1, 2))


def noisy(y_true, y_pred):
    return keras.ops.square(y_true - y_pred + keras.random.normal(keras.ops.shape(y_pred)))


def test_a_loss_that_draws_without_a_seed_is_no_error():
    assert_seed_by_seed(lambda: model_of(loss=noisy), problem(), seeds=(0, 1, 2))


def test_a_variable_that_only_the_graph_shows_is_not_shared():
    def loss(y_true, y_pred):
        return keras.ops.square(y_true - y_pred + normal(keras.ops.shape(y_pred)))

    assert signature(model_of(loss=loss)) is not None
    assert_seed_by_seed(lambda: model_of(loss=loss), problem(), seeds=(0, 1, 2))


def test_one_model_for_all_seeds_is_refused():
    model, layer, dropout = model_of(), keras.layers.Dense(4), keras.layers.Dropout(0.5)
    for build in (lambda: model, lambda: model_of(layer), lambda: model_of(dropout)):
        with pytest.raises(ValueError, match="Make all that a training changes inside of build"):
            training.repeat(build, problem(), 1, seeds=3, jit_compile=False)


def test_a_frozen_layer_may_be_shared():
    layer = keras.layers.Dense(4, trainable=False)
    layer.build((None, FEATURES))
    training.repeat(lambda: model_of(layer), problem(), 1, seeds=3, jit_compile=False)


def test_a_repetition_inside_of_build_is_refused():
    def build():
        training.repeat(model_of, problem(), 1, seeds=1)
        return model_of()

    with pytest.raises(RuntimeError, match="cannot run inside of build"):
        training.repeat(build, problem(), 1, seeds=1)


def test_batch_sizes_do_not_share_a_program():
    data = problem()
    for batch_size in (8, 24):
        runs = training.repeat(model_of, data, 2, seeds=[0], batch_size=batch_size)
        keras.utils.set_random_seed(0)
        history = training.fit(model_of(), data, 2, batch_size=batch_size).history
        assert runs["value"].tolist() == pytest.approx([v[-1] for v in history.values()], rel=1e-5)


def test_models_that_are_equal_have_equal_signatures():
    """Else each seed would compile anew, which takes a second."""

    def described():
        keras.backend.clear_session()
        dropout = keras.layers.Dropout(0.2)
        return signature(
            model_of(keras.layers.Dense(4, activation=scaled), dropout, metrics=["mae", Near(0.1)])
        )

    assert described() == described() is not None


def test_losses_in_a_closure_and_built_optimizers_share_a_program():
    """Keras pickles its objects with the date, and numbers variables."""

    def described():
        keras.backend.clear_session()
        huber, mine = keras.losses.Huber(0.3), Scale(None)
        mine.scale = Kept(lambda: mine.dtype)  # which leads back to it
        model = model_of(loss=lambda y, p: huber(y, p) + 0 * len(vars(mine)))
        model.optimizer.build(model.trainable_variables)
        return signature(model)

    assert described() == described() is not None


@pytest.mark.parametrize("quantile", [0.9, [0.1, 0.5, 0.9]])
def test_losses_of_the_package_share_a_program(quantile):
    def described(quantile):
        keras.backend.clear_session()
        return signature(model_of(loss=Pinball(quantile)))

    assert described(quantile) == described(quantile) is not None
    assert described(quantile) != described(0.3)


LAYERS = st.sampled_from(
    [
        lambda f: keras.layers.Dense(3, activation="tanh"),
        lambda f: keras.layers.Dense(2, activation=factory(f)),
        lambda f: keras.layers.Activation(lambda x: keras.ops.tanh(x) * f),
        lambda f: keras.layers.Dropout(0.1 * f),
        lambda f: keras.layers.GaussianNoise(0.1 * f),
        lambda f: keras.layers.LayerNormalization(epsilon=1e-3 * f),
        lambda f: keras.layers.BatchNormalization(momentum=1 - 0.1 * f),
        Scaled,
        lambda f: keras.layers.Lambda(lambda x: x - f),
    ]
)
OPTIMIZERS = st.sampled_from(
    [
        lambda f: keras.optimizers.SGD(0.02 * f, momentum=0.5),
        lambda f: keras.optimizers.Adam(0.01, weight_decay=0.01 * f),
        lambda f: keras.optimizers.SGD(lambda: 0.01 * f),
        lambda f: keras.optimizers.RMSprop(Halving(0.01 * f)),
    ]
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    layers=st.lists(LAYERS, min_size=1, max_size=3),
    optimizer=OPTIMIZERS,
    factors=st.tuples(st.sampled_from([1.0, 2.0]), st.sampled_from([1.0, 3.0])),
    redrawn=st.booleans(),
)
def test_whatever_is_built_and_edited_equals_fit_seed_by_seed(layers, optimizer, factors, redrawn):
    for factor in factors:

        def build(factor=factor):
            return model_of(*(layer(factor) for layer in layers), optimizer=optimizer(factor))

        assert_seed_by_seed(build, problem if redrawn else problem())
