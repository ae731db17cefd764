"""The NumPy definitions of the losses and their catalogue, against Keras and hand-worked values."""

import doctest
import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from loss_inputs import combinations, examples, keras_class

import lossutils.losses as losses
from lossutils.losses import CATALOGUE

ENTRIES = [pytest.param(entry, id=name) for name, entry in CATALOGUE.items()]
CASES = [
    pytest.param(entry, chosen, id=f"{name}-{i}")
    for name, entry in CATALOGUE.items()
    for i, chosen in enumerate(combinations(entry))
]
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


def keras_losses(entry, y_true, y_pred, **parameters):
    loss = keras_class(entry)(reduction=None, dtype="float64", **parameters)
    return loss(y_true, y_pred).numpy()


def keras_gradient(entry, y_true, y_pred, **parameters):
    loss = keras_class(entry)(reduction="sum", dtype="float64", **parameters)
    y_pred = tf.constant(y_pred, dtype="float64")
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        total = loss(y_true, y_pred)
    return tape.gradient(total, y_pred).numpy()


def assert_same_as_keras(entry, y_true, y_pred, **parameters):
    np.testing.assert_allclose(
        entry.numpy(y_true, y_pred, **parameters),
        keras_losses(entry, y_true, y_pred, **parameters),
        **CLOSE,
    )
    np.testing.assert_allclose(
        entry.gradient(y_true, y_pred, **parameters),
        keras_gradient(entry, y_true, y_pred, **parameters),
        **CLOSE,
    )


# The same numbers as Keras


@pytest.mark.parametrize(("entry", "parameters"), CASES)
def test_loss_and_gradient_of_each_sample_equal_keras(entry, parameters):
    y_true, y_pred = examples(entry, **parameters)
    assert_same_as_keras(entry, y_true, y_pred, **parameters)


@pytest.mark.parametrize("entry", ENTRIES)
def test_keras_function_of_the_same_name_gives_the_same_losses(entry):
    y_true, y_pred = examples(entry)
    function = getattr(keras.losses, entry.name)
    np.testing.assert_allclose(
        entry.numpy(y_true, y_pred), function(y_true, y_pred).numpy(), **CLOSE
    )


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_reduced_loss_is_what_keras_reports(entry, reduction, weighted):
    y_true, y_pred = examples(entry)
    each = entry.numpy(y_true, y_pred)
    weights = np.random.default_rng(1).uniform(0.0, 3.0, each.shape) if weighted else None
    divisor = {
        "sum": 1,
        "sum_over_batch_size": each.size,
        "mean_with_sample_weight": weights.sum() if weighted else each.size,
    }[reduction]
    expected = np.sum(each * weights if weighted else each) / divisor
    loss = keras_class(entry)(reduction=reduction, dtype="float64")
    np.testing.assert_allclose(loss(y_true, y_pred, sample_weight=weights), expected, **CLOSE)


@pytest.mark.parametrize("entry", ENTRIES)
def test_more_axes_keep_their_shape(entry):
    y_true, y_pred = examples(entry, n=12)
    losses_of_rows = entry.numpy(y_true, y_pred)
    y_true = y_true.reshape(3, 4, *y_true.shape[1:])
    y_pred = y_pred.reshape(3, 4, *y_pred.shape[1:])
    np.testing.assert_array_equal(entry.numpy(y_true, y_pred), losses_of_rows.reshape(3, 4))
    assert_same_as_keras(entry, y_true, y_pred)


def test_ignored_class_is_left_out_of_keras_mean():
    y_true, y_pred = np.array([0, 2, 1, 2]), np.random.default_rng(0).dirichlet(np.ones(3), 4)
    each = losses.sparse_categorical_crossentropy(y_true, y_pred, ignore_class=2)
    assert (each[y_true == 2] == 0).all()
    reported = keras.losses.SparseCategoricalCrossentropy(ignore_class=2, dtype="float64")
    np.testing.assert_allclose(reported(y_true, y_pred), each[y_true != 2].mean(), **CLOSE)


def test_ignored_class_may_be_none_of_the_classes():
    y_true, y_pred = np.array([[0], [-1]]), np.array([[0.5, 0.5], [0.1, 0.9]])
    each = losses.sparse_categorical_crossentropy(y_true, y_pred, ignore_class=-1)
    np.testing.assert_allclose(each, [np.log(2), 0.0])


# Any input, and the edges of the valid range

# No deadline: the first call of a TensorFlow operation takes long on a busy machine.
any_input = settings(deadline=None, derandomize=True, max_examples=50)


def arrays(shape, low, high):
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_subnormal=False))


SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)


@any_input
@given(data=st.data())
@pytest.mark.parametrize(
    "name",
    [
        "mean_squared_error",
        "mean_absolute_error",
        "huber",
        "mean_squared_logarithmic_error",
        "hinge",
        "squared_hinge",
    ],
)
def test_any_real_prediction_gives_what_keras_gives(name, data):
    entry = CATALOGUE[name]
    y_pred = data.draw(arrays(SHAPES, -1e6, 1e6))
    if entry.targets.encoding == "sign":
        y_true = data.draw(hnp.arrays(np.int64, y_pred.shape, elements=st.integers(-1, 1)))
    else:
        y_true = data.draw(arrays(y_pred.shape, -1e6, 1e6))
    assert_same_as_keras(entry, y_true, y_pred)


@any_input
@given(data=st.data(), from_logits=st.booleans(), label_smoothing=st.floats(0, 1))
def test_any_binary_crossentropy_is_keras(data, from_logits, label_smoothing):
    limit = 1000.0 if from_logits else 1.0
    y_pred = data.draw(arrays(SHAPES, -limit if from_logits else 0.0, limit))
    y_true = data.draw(arrays(y_pred.shape, 0.0, 1.0))
    assert_same_as_keras(
        CATALOGUE["binary_crossentropy"],
        y_true,
        y_pred,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
    )


@any_input
@given(data=st.data(), from_logits=st.booleans(), rows=st.integers(1, 4), classes=st.integers(2, 5))
def test_any_categorical_crossentropy_is_keras(data, from_logits, rows, classes):
    limit = 1000.0 if from_logits else 1.0
    y_pred = data.draw(arrays((rows, classes), -limit if from_logits else 0.0, limit))
    if not from_logits:
        assume((y_pred.sum(axis=1) > 1e-3).all())
    label = data.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, classes - 1)))
    one_hot = np.eye(classes)[label]
    dense, sparse = (
        CATALOGUE[name] for name in ("categorical_crossentropy", "sparse_categorical_crossentropy")
    )
    assert_same_as_keras(dense, one_hot, y_pred, from_logits=from_logits)
    assert_same_as_keras(sparse, label, y_pred, from_logits=from_logits)


@any_input
@given(data=st.data())
def test_any_kl_divergence_is_keras(data):
    y_pred = data.draw(arrays(SHAPES, 0.0, 1.0))
    y_true = data.draw(arrays(y_pred.shape, 0.0, 1.0))
    assert_same_as_keras(CATALOGUE["kl_divergence"], y_true, y_pred)


EDGES = {
    "real": (0.0, -0.0, 1.0, -1.0, 1e-6, 1e-300, 1e8, -1e8),
    "score": (0.0, 1.0, -1.0, 1.0 + 1e-15, 1e8, -1e8),
    "probability": (0.0, 1e-300, 1e-7, 0.5, 1 - 1e-7, 1.0),
}


@pytest.mark.parametrize("entry", [p for p in ENTRIES if p.values[0].predictions.encoding in EDGES])
def test_edges_of_the_valid_range_give_what_keras_gives(entry):
    y_pred = np.array(EDGES[entry.predictions.encoding])
    y_true = {"binary": (0.0, 1.0, 0.5), "sign": (-1.0, 1.0)}.get(entry.targets.encoding, y_pred)
    y_true, y_pred = (grid.reshape(-1, 1) for grid in np.meshgrid(y_true, y_pred))
    assert_same_as_keras(entry, y_true, y_pred)


@pytest.mark.parametrize(
    "name", ["categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence"]
)
def test_certain_predictions_give_what_keras_gives(name):
    entry = CATALOGUE[name]
    y_pred = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    y_true = np.array([0, 0, 2])
    y_true = y_true if entry.targets.encoding == "integer" else np.eye(3)[y_true]
    each = entry.numpy(y_true, y_pred)
    assert np.isfinite(each).all()
    assert_same_as_keras(entry, y_true, y_pred)


@pytest.mark.parametrize("entry", [p for p in ENTRIES if p.values[0].takes_logits])
def test_huge_logits_lose_no_precision(entry):
    """From logits, the loss of a certain and wrong prediction is the distance of the logits."""
    if entry.targets.encoding == "binary":
        y_true, y_pred = np.array([[1.0], [0.0]]), np.array([[-1e4], [1e4]])
    else:
        y_true, y_pred = np.array([0, 1]), np.array([[-1e4, 0.0], [1e4, 0.0]])
        y_true = y_true if entry.targets.encoding == "integer" else np.eye(2)[y_true]
    np.testing.assert_allclose(entry.numpy(y_true, y_pred, from_logits=True), 1e4)
    assert_same_as_keras(entry, y_true, y_pred, from_logits=True)


def test_nan_stays_visible():
    assert np.isnan(losses.mean_squared_error([[0.0]], [[np.nan]])).all()
    assert np.isnan(losses.binary_crossentropy([[np.nan]], [[0.5]])).all()


# Worked by hand


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (losses.mean_squared_error([[100.0]], [[92.0]]), 64.0),
        (losses.mean_squared_error([[1.0, 2.0]], [[3.0, 6.0]]), (4 + 16) / 2),
        (losses.mean_absolute_error([[100.0]], [[92.0]]), 8.0),
        (losses.huber([[100.0]], [[92.0]]), 7.5),
        (losses.huber([[100.0]], [[92.0]], delta=10.0), 32.0),
        (losses.mean_squared_logarithmic_error([[np.e - 1]], [[np.e**3 - 1]]), 4.0),
        (losses.mean_squared_logarithmic_error([[-1.0]], [[-5.0]]), 0.0),
        (losses.binary_crossentropy([[1]], [[0.85]]), 0.1625),
        (losses.binary_crossentropy([[0]], [[0.85]]), 1.8971),
        (losses.binary_crossentropy([[1]], [[0.0]], from_logits=True), 0.6931),
        (losses.binary_crossentropy([[0]], [[1.0]]), 16.1181),
        (losses.categorical_crossentropy([[1, 0, 0]], [[0.16, 0.12, 0.72]]), 1.8326),
        (losses.sparse_categorical_crossentropy([[0]], [[0.16, 0.12, 0.72]]), 1.8326),
        (losses.kl_divergence([[1.0, 0.0]], [[0.25, 0.75]]), 1.3863),
        (losses.hinge([[1]], [[0.85]]), 0.15),
        (losses.hinge([[0], [1]], [[0.85], [0.85]]).sum(), 2.0),
        (losses.squared_hinge([[-1]], [[0.85]]), 1.85**2),
    ],
)
def test_values_worked_by_hand(value, expected):
    np.testing.assert_allclose(value, expected, atol=5e-5)


def test_smallest_smoothed_loss_is_the_entropy_of_the_label():
    label = np.array([[1 - 0.1 + 0.1 / 3, 0.1 / 3, 0.1 / 3]])
    smallest = losses.categorical_crossentropy([[1, 0, 0]], label, label_smoothing=0.1)
    np.testing.assert_allclose(smallest, -np.sum(label * np.log(label)))
    np.testing.assert_allclose(smallest, 0.291, atol=5e-4)


def test_hinge_converts_labels_only_if_all_are_0_or_1():
    scores = [[0.3], [0.3]]
    np.testing.assert_array_equal(
        losses.hinge([[0], [1]], scores), losses.hinge([[-1], [1]], scores)
    )
    np.testing.assert_allclose(losses.hinge([[0.05], [0.95]], scores), [0.985, 0.715])


def test_unnormalized_probabilities_are_divided_by_their_sum():
    np.testing.assert_allclose(
        losses.categorical_crossentropy([[1, 0]], [[2.0, 6.0]]), np.log(4), rtol=1e-12
    )


# Wrong arguments


@pytest.mark.parametrize(
    "entry", [p for p in ENTRIES if p.values[0].targets.encoding not in ("integer", "sequence")]
)
@pytest.mark.parametrize("part", ["numpy", "gradient"])
def test_shapes_that_numpy_would_broadcast_are_refused(entry, part):
    function = getattr(entry, part)
    with pytest.raises(ValueError, match=r"shape \(5,\).*shape \(5, 1\).*y_true\[\.\.\., None\]"):
        function(np.ones(5), np.ones((5, 1)))
    with pytest.raises(ValueError, match=r"shape \(5, 1\).*shape \(5, 3\).*to_categorical"):
        function(np.ones((5, 1)), np.ones((5, 3)))
    with pytest.raises(ValueError, match=r"shape \(4, 3\).*shape \(5, 3\)"):
        function(np.ones((4, 3)), np.ones((5, 3)))


@pytest.mark.parametrize("entry", ENTRIES)
def test_predictions_without_an_axis_of_outputs_are_refused(entry):
    with pytest.raises(ValueError, match=r"shape \(3,\).*reshape\(-1, 1\)"):
        entry.numpy(np.ones(3), np.ones(3))


@pytest.mark.parametrize("entry", ENTRIES)
def test_text_is_refused_with_a_remedy(entry):
    with pytest.raises(TypeError, match=r"y_true is not an array of numbers.*yes.*LabelEncoder"):
        entry.numpy([["yes"]], [[0.5]])


@pytest.mark.parametrize("wrong", [-1, 3, 0.5, np.nan])
def test_labels_that_are_no_class_are_refused(wrong):
    with pytest.raises(ValueError, match=r"classes 0 to 2"):
        losses.sparse_categorical_crossentropy([0, wrong], np.full((2, 3), 1 / 3))


def test_one_hot_labels_are_refused_by_the_sparse_loss():
    with pytest.raises(ValueError, match=r"argmax"):
        losses.sparse_categorical_crossentropy(np.eye(3), np.full((3, 3), 1 / 3))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("huber", {"delta": 0.0}),
        ("huber", {"delta": np.nan}),
        ("binary_crossentropy", {"label_smoothing": 1.5}),
        ("categorical_crossentropy", {"label_smoothing": -0.1}),
    ],
)
def test_parameters_outside_their_range_are_refused(name, parameters):
    entry = CATALOGUE[name]
    (parameter,) = parameters
    for function in (entry.numpy, entry.gradient):
        with pytest.raises(ValueError, match=parameter):
            function(*examples(entry), **parameters)


# The catalogue


@pytest.mark.parametrize("entry", ENTRIES)
def test_parameters_and_defaults_are_those_of_keras(entry):
    keras_parameters = {
        name: parameter.default
        for name, parameter in inspect.signature(keras_class(entry)).parameters.items()
        if name not in ("reduction", "name", "dtype")
    }
    # The classes and outputs always lie on the last axis here.
    if entry.parameters.get("axis", -1) == -1 and keras_parameters.get("axis") == -1:
        del keras_parameters["axis"]
    assert entry.parameters == keras_parameters
    assert inspect.signature(entry.numpy) == inspect.signature(entry.gradient)


@pytest.mark.parametrize("entry", ENTRIES)
def test_names_are_names_that_keras_knows(entry):
    function = getattr(keras.losses, entry.name)
    assert keras.losses.get(entry.name) is function
    for alias in entry.aliases:
        assert keras.losses.get(alias) is function
    for activation in entry.activation:
        assert keras.activations.get(activation).__name__ == activation
    assert getattr(losses, entry.name) is entry.numpy


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_is_complete(entry):
    for text in ("title", "task", "formula", "activation", "equivalents", "traps", "sources"):
        assert getattr(entry, text), text
    assert "$" not in entry.formula
    assert entry.formula.count("{") == entry.formula.count("}")
    assert entry.targets.description
    assert entry.predictions.description
    assert all(source.url.startswith("https://") for source in entry.sources)
    assert {equivalent.framework for equivalent in entry.equivalents} <= set(losses.IMPORTS)


@pytest.mark.parametrize("entry", ENTRIES)
def test_slope_of_the_curve_integrates_to_the_loss(entry):
    t, curves = entry.along_curve(points=20_001)
    assert curves
    for loss, slope in curves.values():
        assert loss.shape == slope.shape == t.shape
        assert np.isfinite(loss).all()
        integral = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) / 2 * np.diff(t))])
        np.testing.assert_allclose(integral, loss - loss[0], atol=2e-3 * np.ptp(loss))


@pytest.mark.parametrize(
    "module", [m.name for m in pkgutil.iter_modules(losses.__path__, "lossutils.losses.")]
)
def test_examples_of_the_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_definition_shows_an_example(entry):
    assert ">>>" in entry.numpy.__doc__
