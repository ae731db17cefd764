"""Functions on the numbers of a layer, and in which range their values lie."""

import inspect
from dataclasses import dataclass

import keras
import numpy as np


@dataclass(frozen=True)
class Activation:
    """A function on the numbers of a layer.

    Attributes
    ----------
    name : str
        Keras's name of it, such as ``"sigmoid"``.
    low, high : float
        Between which numbers its values lie.
    distribution : bool
        Whether the last axis of its values adds up to 1.
    """

    name: str
    low: float = -np.inf
    high: float = np.inf
    distribution: bool = False

    @property
    def probabilities(self):
        """Whether its values lie between 0 and 1."""
        return self.low >= 0 and self.high <= 1


LINEAR = Activation("linear")


def probed(function):
    """Find the range of a function by its values on a grid."""
    name = getattr(function, "__name__", type(function).__name__)
    if isinstance(function, keras.layers.Layer):
        name = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu"}.get(name, name)
    elif inspect.isroutine(function):
        name = name if name != "<lambda>" else "a function of your own"
    elif isinstance(function, keras.Operation):
        name = name.lower()
    if name == "linear":
        return LINEAR
    if name == "softmax":
        return Activation(name, 0.0, 1.0, distribution=True)
    try:
        # Rows in which a large number stands beside small ones, so that a softmax shows.
        small = np.linspace(-5, 5, 44, dtype=np.float32).reshape(4, 11)
        near = np.concatenate([small, 1e3 * small, -1e3 * small[:, ::-1]])
        at = [
            np.asarray(keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(x))))
            for x in (small, near, 10 * near)
        ]
    except Exception:  # a function that wants something else than a matrix
        return None
    if any(
        values.shape != grid.shape for values, grid in zip(at, (small, near, near), strict=True)
    ):
        return None
    with np.errstate(all="ignore"):
        sums = at[0].sum(axis=-1)
    distribution = bool((at[0] >= 0).all() and np.abs(sums - 1).max() < 1e-4)
    low, high = ([float(f(a)) for a in at[1:]] for f in (np.nanmin, np.nanmax))
    steady = [abs(b) < 1e30 and abs(b - a) <= 0.01 * abs(a) + 1e-6 for a, b in (low, high)]
    return Activation(
        name,
        float(low[0]) if steady[0] else -np.inf,
        float(high[0]) if steady[1] else np.inf,
        distribution,
    )
