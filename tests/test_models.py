"""The models have the shapes, the precision and the initial weights that they promise."""

import doctest

import keras
import numpy as np
import pytest

from lossutils import models


def test_mlp_has_the_layers_asked_for():
    model = models.mlp(inputs=4, hidden=[7, 5], outputs=3, activation="softmax")
    assert [layer.units for layer in model.layers] == [7, 5, 3]
    assert [layer.activation.__name__ for layer in model.layers] == ["relu", "relu", "softmax"]
    assert {str(v.dtype) for v in model.variables} == {"float64"}
    np.testing.assert_allclose(model(np.ones((2, 4))).numpy().sum(axis=1), 1, rtol=1e-15)


def test_mlp_without_hidden_layers_is_linear():
    model = models.mlp(inputs=3, hidden=[], outputs=1)
    kernel, bias = model.get_weights()
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(model(x), x @ kernel + bias, rtol=1e-12)


def test_mlp_starts_from_he_uniform_weights():
    """The published settings draw hidden weights uniformly within the square root of 6 / inputs."""
    keras.utils.set_random_seed(0)
    kernel = models.mlp(inputs=6, hidden=[2000], outputs=1).get_weights()[0]
    assert 0.99 < np.abs(kernel).max() <= 1
    assert kernel.std() == pytest.approx(1 / np.sqrt(3), rel=0.02)


def test_one_hidden_layer_may_be_given_as_a_number():
    assert models.mlp(2, 50, 1).count_params() == models.mlp(2, [50], 1).count_params() == 201


def test_cnn_maps_images_to_probabilities():
    model = models.cnn(classes=2)
    assert model.count_params() == 160 + (13 * 13 * 16 * 16 + 16) + (16 * 2 + 2)
    probabilities = model(np.zeros((3, 28, 28, 1), "float32")).numpy()
    assert probabilities.shape == (3, 2)
    assert probabilities.dtype == np.float32
    assert str(models.cnn(dtype="float64").outputs[0].dtype) == "float64"


@pytest.mark.parametrize(
    "arguments",
    [(0, [5], 1), (2, [5, -1], 1), (2, [5], 1.0), (True, [5], 1), (2, None, 1), (2, "5", 1)],
)
def test_units_must_be_positive_whole_numbers(arguments):
    with pytest.raises(ValueError, match="positive whole numbers"):
        models.mlp(*arguments)


@pytest.mark.parametrize("arguments", [{"classes": 0}, {"filters": 2.0}, {"units": "8"}])
def test_units_of_a_convolutional_network_must_be_positive_whole_numbers(arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"{name} must be positive whole numbers, got {value!r}"):
        models.cnn(**arguments)


def test_units_may_be_integers_of_numpy():
    """``outputs=y.max() + 1`` is how many learners count their classes."""
    labels = np.array([0, 2, 1])
    model = models.mlp(np.int32(4), np.array([7, 5]), labels.max() + 1, activation="softmax")
    assert [layer.units for layer in model.layers] == [7, 5, 3]
    assert models.mlp(4, np.int64(7), 1).layers[0].units == 7
    assert models.cnn(classes=labels.max() + 1).output_shape == (None, 3)
    assert keras.models.model_from_json(model.to_json()).count_params() == model.count_params()


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_example_in_the_docstring_runs(name):
    (test,) = doctest.DocTestFinder(recurse=False).find(getattr(models, name), name, globs={})
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0
