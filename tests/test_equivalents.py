"""The losses of the catalogue against PyTorch, optax, scikit-learn, SciPy and NumPy.

The code that is executed here is the code that the reference page prints: `Equivalent.call`, after
the imports of `IMPORTS`. Without PyTorch and optax their part is skipped.
"""

import importlib.util
import warnings

import keras
import numpy as np
import pytest
from loss_inputs import examples

import lossutils.losses as losses
from lossutils.losses import CATALOGUE, IMPORTS

MODULES = {"PyTorch": ["torch"], "optax": ["jax", "optax"]}
CASES = [
    pytest.param(entry, equivalent, id=f"{name}-{equivalent.framework}-{i}")
    for name, entry in CATALOGUE.items()
    for i, equivalent in enumerate(entry.equivalents)
]


def arrays_of(framework, *arrays):
    """Turn NumPy arrays into those of a framework, in their precision, or skip the test."""
    if not all(importlib.util.find_spec(module) for module in MODULES.get(framework, ())):
        pytest.skip("PyTorch or optax is missing: pip install -r requirements-frameworks.txt")
    if framework == "PyTorch":
        import torch

        return [torch.as_tensor(array) for array in arrays]
    if framework == "optax":
        import jax

        jax.config.update("jax_enable_x64", True)
        return [jax.numpy.asarray(array) for array in arrays]
    return arrays


def evaluate(framework, call, y_true, y_pred):
    """Execute what the reference page prints."""
    y_true, y_pred = arrays_of(framework, y_true, y_pred)
    names = {"y_true": y_true, "y_pred": y_pred}
    exec(IMPORTS[framework], names)
    return np.asarray(eval(call, names), dtype=np.float64)


def both_values(entry, equivalent, seed):
    """Return the loss of the other framework, and ours: the mean or each, as the other gives."""
    y_true, y_pred = examples(entry, seed=seed, **equivalent.parameters)
    other = evaluate(equivalent.framework, equivalent.call, y_true, y_pred)
    ours = entry.numpy(y_true, y_pred, **equivalent.parameters)
    return other, ours if other.ndim else np.mean(ours)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("entry", "equivalent"), [case for case in CASES if case.values[1].relation == "equal"]
)
def test_equivalent_gives_the_same_loss(entry, equivalent, seed):
    other, ours = both_values(entry, equivalent, seed)
    np.testing.assert_allclose(other, ours, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("entry", "equivalent"), [case for case in CASES if case.values[1].relation == "different"]
)
def test_what_is_mistaken_for_it_really_differs(entry, equivalent):
    assert equivalent.note
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch itself warns of one of them
        other, ours = both_values(entry, equivalent, seed=0)
    assert np.all(np.abs(other - ours) > 1e-3 * np.abs(ours))


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_loss_is_compared_with_an_independent_one(name):
    """With another framework, or with a formula of its own where no framework has it."""
    equal = [e for e in CATALOGUE[name].equivalents if e.relation == "equal"]
    with_framework = [e for e in equal if e.framework != "NumPy"]
    by_hand = [e for e in equal if e.framework == "NumPy" and e.note]
    assert with_framework or by_hand


# What the notes say of the edges, where frameworks part


def test_certain_and_wrong_probability():
    y_true, y_pred = np.array([[1.0]]), np.array([[0.0]])
    ours = losses.binary_crossentropy(y_true, y_pred)
    in_torch = evaluate("PyTorch", "F.binary_cross_entropy(y_pred, y_true)", y_true, y_pred)
    np.testing.assert_allclose([ours.item(), in_torch.item()], [16.118, 100.0], atol=1e-3)


def test_hinge_embedding_loss_is_a_loss_of_distances():
    call = "F.hinge_embedding_loss(y_pred, y_true)"
    for label, score, expected in [(1.0, 0.85, 0.85), (-1.0, 0.85, 0.15), (1.0, -0.85, -0.85)]:
        value = evaluate("PyTorch", call, np.array([[label]]), np.array([[score]]))
        np.testing.assert_allclose(value, expected)


@pytest.mark.parametrize(("dtype", "last"), [("float32", 89), ("float64", 710)])
def test_logarithm_of_the_hyperbolic_cosine_overflows(dtype, last):
    call = "torch.log(torch.cosh(y_pred - y_true)).mean()"
    for error, overflows in ((last, False), (last + 1, True)):
        y_true, y_pred = np.array([[0.0]], dtype), np.array([[error]], dtype)
        assert np.isinf(evaluate("PyTorch", call, y_true, y_pred)) == overflows
        np.testing.assert_allclose(losses.log_cosh(y_true, y_pred), error - np.log(2))


def test_kl_divergence_of_probabilities_instead_of_their_logarithm_is_negative():
    y_true, y_pred = np.array([[1.0, 0.0, 0.0]]), np.array([[0.7, 0.2, 0.1]])
    call = "F.kl_div(y_pred, y_true, reduction='batchmean')"
    np.testing.assert_allclose(evaluate("PyTorch", call, y_true, y_pred), -0.7)
    np.testing.assert_allclose(losses.kl_divergence(y_true, y_pred), 0.35667, atol=1e-5)


@pytest.mark.parametrize("framework", ["PyTorch", "optax"])
def test_kl_divergence_elsewhere_is_nan_where_both_probabilities_are_0(framework):
    y_true, y_pred = np.array([[1.0, 0.0, 0.0]]), np.array([[0.7, 0.3, 0.0]])
    assert np.isfinite(losses.kl_divergence(y_true, y_pred)).all()
    (call,) = [
        e.call
        for e in CATALOGUE["kl_divergence"].equivalents
        if (e.framework, e.relation) == (framework, "equal")
    ]
    assert np.isnan(evaluate(framework, call, y_true, y_pred))


SOFT, PREDICTED = np.array([[0.6, 0.3, 0.1]]), np.array([[0.2, 0.7, 0.1]])


def test_class_number_of_a_soft_target_is_another_loss():
    call = "F.nll_loss(torch.log(y_pred), y_true.argmax(-1))"
    other = evaluate("PyTorch", call, SOFT, PREDICTED)
    assert abs(other - losses.categorical_crossentropy(SOFT, PREDICTED)) > 0.1


def test_scikit_learn_refuses_soft_targets():
    with pytest.raises(ValueError, match="not supported"):
        evaluate("scikit-learn", "sklearn.metrics.log_loss(y_true, y_pred)", SOFT, PREDICTED)


def test_pytorch_takes_the_classes_of_a_sequence_from_axis_1():
    rng = np.random.default_rng(0)
    y_true, logits = rng.dirichlet(np.ones(3), (2, 4)), rng.normal(size=(2, 4, 3))
    ours = losses.categorical_crossentropy(y_true, logits, from_logits=True).mean()
    call = "F.cross_entropy(y_pred, y_true)"
    assert abs(evaluate("PyTorch", call, y_true, logits) - ours) > 0.1
    moved = (np.moveaxis(array, -1, 1) for array in (y_true, logits))
    np.testing.assert_allclose(evaluate("PyTorch", call, *moved), ours)


def test_hinge_loss_of_scikit_learn_refuses_two_columns_of_scores():
    (call,) = [
        e.call for e in CATALOGUE["multiclass_hinge"].equivalents if e.framework == "scikit-learn"
    ]
    with pytest.raises(ValueError, match="."):
        evaluate("scikit-learn", call, np.eye(2), np.eye(2))


def test_mean_over_ignored_samples_only():
    call = "F.cross_entropy(y_pred, y_true, ignore_index=2)"
    y_true, y_pred = np.array([2, 2]), np.zeros((2, 3))
    assert np.isnan(evaluate("PyTorch", call, y_true, y_pred))
    in_keras = keras.losses.SparseCategoricalCrossentropy(ignore_class=2)
    assert in_keras(y_true, np.full((2, 3), 1 / 3)) == 0


def test_info_nce_of_pairs_is_that_of_optax():
    """With one partner for each, the two denominators are the same."""
    rng = np.random.default_rng(0)
    y_true, y_pred = np.repeat(np.arange(4), 2), rng.normal(size=(8, 3))
    y_pred /= np.linalg.norm(y_pred, axis=1, keepdims=True)
    (call,) = [e.call for e in CATALOGUE["info_nce"].equivalents if e.framework == "optax"]
    ours = losses.info_nce(y_true, y_pred).mean()
    np.testing.assert_allclose(evaluate("optax", call, y_true, y_pred), ours)


@pytest.mark.parametrize("wrong", [0.0, -1.0])
def test_scikit_learn_refuses_amounts_without_a_gamma_deviance(wrong):
    y_true, y_pred = np.array([[wrong], [1.0]]), np.array([[1.0], [1.0]])
    call = CATALOGUE["gamma_deviance"].equivalents[2].call
    with pytest.raises(ValueError, match="strictly positive"):
        evaluate("scikit-learn", call, y_true, y_pred)


def test_squared_logarithmic_error_elsewhere_computes_with_values_above_minus_1():
    y_true, y_pred = np.array([[-0.3]]), np.array([[-0.5]])
    assert losses.mean_squared_logarithmic_error(y_true, y_pred) == 0
    for equivalent in CATALOGUE["mean_squared_logarithmic_error"].equivalents:
        value = evaluate(equivalent.framework, equivalent.call, y_true, y_pred)
        np.testing.assert_allclose(value, np.log(0.7 / 0.5) ** 2)


@pytest.mark.parametrize(
    ("call", "divides_by_weights"),
    [
        ("F.mse_loss(y_pred, y_true, weight=W)", True),
        ("F.l1_loss(y_pred, y_true, weight=W)", True),
        ("F.huber_loss(y_pred, y_true, weight=W)", False),
        ("F.binary_cross_entropy(y_pred, y_true, weight=W)", False),
    ],
)
def test_divisor_of_a_weighted_mean_in_pytorch(call, divides_by_weights):
    y_true, y_pred = np.array([[1.0], [0.0], [1.0]]), np.array([[0.9], [0.4], [0.3]])
    weights = "torch.tensor([[5.0], [1.0], [3.0]], dtype=torch.float64)"
    each = evaluate("PyTorch", call.replace(", weight=W", ", reduction='none'"), y_true, y_pred)
    total = np.sum(each * [[5.0], [1.0], [3.0]])
    weighted = evaluate("PyTorch", call.replace("W", weights), y_true, y_pred)
    np.testing.assert_allclose(weighted, total / (9 if divides_by_weights else 3))


def test_scikit_learn_refuses_what_keras_raises_to_0():
    y = np.array([[-1.5]])
    assert losses.mean_squared_logarithmic_error(y, y - 1) == 0
    with pytest.raises(ValueError, match="Mean Squared Logarithmic Error"):
        evaluate("scikit-learn", "sklearn.metrics.mean_squared_log_error(y_true, y_pred)", y, y - 1)


def test_percentage_error_at_a_target_of_0():
    y_true, y_pred = np.array([[0.0]]), np.array([[1.0]])
    call = "100 * sklearn.metrics.mean_absolute_percentage_error(y_true, y_pred)"
    np.testing.assert_allclose(losses.mean_absolute_percentage_error(y_true, y_pred), 1e9)
    assert evaluate("scikit-learn", call, y_true, y_pred) > 1e16
