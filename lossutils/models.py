"""The small Keras models of the book: one perceptron, one convolutional network.

Both come back built but not compiled, since choosing the loss is what the chapters are about.
"""

from collections.abc import Iterable
from numbers import Integral

import keras


def mlp(
    inputs,
    hidden,
    outputs,
    activation="linear",
    hidden_activation="relu",
    kernel_initializer="he_uniform",
    dtype="float64",
):
    """Build a multilayer perceptron.

    Parameters
    ----------
    inputs : int
        Number of input variables.
    hidden : sequence of int
        Units of each hidden layer; an empty sequence gives a linear model.
    outputs : int
        Units of the output layer.
    activation : str or callable, default "linear"
        Activation of the output layer. It has to fit the loss: see the chapter on targets,
        outputs and losses.
    hidden_activation : str or callable, default "relu"
        Activation of the hidden layers.
    kernel_initializer : str or keras.initializers.Initializer, default "he_uniform"
        Initial weights of the hidden layers, by default those of He et al. (2015). The output layer
        keeps Keras's default.
    dtype : str, default "float64"
        Precision of weights and computation. The small experiments of the book run in float64,
        because their results then agree on every machine to far more digits than are printed.

    Returns
    -------
    keras.Sequential
        A model from shape (n, inputs) to shape (n, outputs), built but not compiled.

    Raises
    ------
    ValueError
        If a number of units is not a positive integer (one of NumPy's is fine).

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun (2015). Delving deep into rectifiers: Surpassing human-level
    performance on ImageNet classification. ICCV 2015. https://doi.org/10.1109/ICCV.2015.123

    Examples
    --------
    >>> from lossutils import models
    >>> models.mlp(inputs=2, hidden=[50], outputs=1, activation="sigmoid").count_params()
    201
    """
    several = isinstance(hidden, Iterable) and not isinstance(hidden, str)
    hidden = [_positive("hidden", units) for units in (hidden if several else [hidden])]
    outputs = _positive("outputs", outputs)
    layers = [keras.Input((_positive("inputs", inputs),), dtype=dtype)]
    layers += [
        keras.layers.Dense(
            units,
            activation=hidden_activation,
            kernel_initializer=kernel_initializer,
            dtype=dtype,
        )
        for units in hidden
    ]
    layers.append(keras.layers.Dense(outputs, activation=activation, dtype=dtype))
    return keras.Sequential(layers, name="mlp")


def cnn(classes=10, activation="softmax", filters=16, units=16, dtype="float32"):
    """Build a small convolutional network for gray images of 28 × 28 pixels.

    One convolution of 3 × 3 pixels, one max-pooling of 2 × 2, one hidden layer: enough for the
    handwritten digits, and small enough to be trained ten times in a chapter.

    Parameters
    ----------
    classes : int, default 10
        Units of the output layer.
    activation : str or callable, default "softmax"
        Activation of the output layer.
    filters : int, default 16
        Filters of the convolution.
    units : int, default 16
        Units of the hidden layer.
    dtype : str, default "float32"
        Precision of weights and computation; images are too many for float64.

    Returns
    -------
    keras.Sequential
        A model from shape (n, 28, 28, 1) to shape (n, classes), built but not compiled.

    Raises
    ------
    ValueError
        If a number of units or filters is not a positive integer.

    Examples
    --------
    >>> from lossutils import models
    >>> model = models.cnn(classes=10)
    >>> model.output_shape
    (None, 10)
    """
    classes, filters = _positive("classes", classes), _positive("filters", filters)
    units = _positive("units", units)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), dtype=dtype),
            keras.layers.Conv2D(filters, 3, activation="relu", dtype=dtype),
            keras.layers.MaxPooling2D(2, dtype=dtype),
            keras.layers.Flatten(dtype=dtype),
            keras.layers.Dense(units, activation="relu", dtype=dtype),
            keras.layers.Dense(classes, activation=activation, dtype=dtype),
        ],
        name="cnn",
    )


def _positive(name, number):
    """Return a number of units as a Python integer, which Keras can write to a model's config."""
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        raise ValueError(f"{name} must be positive whole numbers, got {number!r}")
    return int(number)
