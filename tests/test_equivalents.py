"""The losses of the catalogue against PyTorch, optax, scikit-learn, SciPy and NumPy.

The code that is executed here is the code that the reference page prints: `Equivalent.call`, after
the imports of `IMPORTS`. Without PyTorch and optax their part is skipped.
"""

import importlib.util
import warnings

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


def test_logarithm_of_the_hyperbolic_cosine_overflows():
    y_true, y_pred = np.array([[0.0]]), np.array([[1000.0]])
    call = "torch.log(torch.cosh(y_pred - y_true)).mean()"
    assert np.isinf(evaluate("PyTorch", call, y_true, y_pred))
    np.testing.assert_allclose(losses.log_cosh(y_true, y_pred), 1000 - np.log(2))


def test_kl_divergence_of_probabilities_instead_of_their_logarithm_is_negative():
    y_true, y_pred = np.array([[1.0, 0.0, 0.0]]), np.array([[0.7, 0.2, 0.1]])
    call = "F.kl_div(y_pred, y_true, reduction='batchmean')"
    np.testing.assert_allclose(evaluate("PyTorch", call, y_true, y_pred), -0.7)
    np.testing.assert_allclose(losses.kl_divergence(y_true, y_pred), 0.35667, atol=1e-5)


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
