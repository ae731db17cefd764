"""The losses of the book: each defined in NumPy, and a catalogue that describes each.

Every definition takes targets and predictions and returns the loss of each sample, as the `call` of
the Keras loss of the same name does: predictions of shape (n, d) give losses of shape (n,). Their
mean is what Keras reports. All compute in float64 and refuse shapes that NumPy would broadcast.

`CATALOGUE` maps Keras's function name to an `Entry`. To add a loss, write its definition and its
gradient in the module of its family and append its entry to `ENTRIES` there: the reference page,
the curves, the tests and the rules of the checker follow from the entry.
"""

from . import crossentropy, margin, probabilistic, regression
from ._entry import IMPORTS, Curve, Entry, Equivalent, Source, Values
from .crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .margin import hinge, squared_hinge
from .probabilistic import kl_divergence
from .regression import (
    huber,
    mean_absolute_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

CATALOGUE = {
    entry.name: entry
    for family in (regression, crossentropy, probabilistic, margin)
    for entry in family.ENTRIES
}

__all__ = [
    "CATALOGUE",
    "IMPORTS",
    "Curve",
    "Entry",
    "Equivalent",
    "Source",
    "Values",
    "binary_crossentropy",
    "categorical_crossentropy",
    "hinge",
    "huber",
    "kl_divergence",
    "mean_absolute_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]
