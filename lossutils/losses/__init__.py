"""The losses of the book: each defined in NumPy, and a catalogue that describes each.

Every definition takes targets and predictions and returns the loss of each sample, as the `call` of
the Keras loss of the same name does: predictions of shape (n, d) give losses of shape (n,). Their
mean is what Keras reports, except for the circle loss, where Keras averages over the samples whose
loss is above 0. All compute in float64 and refuse shapes that NumPy would broadcast.

`CATALOGUE` maps Keras's function name to an `Entry`. For losses that Keras lacks,
`lossutils.losses.keras_losses` has the Keras class. To add a loss, write its definition and its
gradient in the module of its family and append its entry to `ENTRIES` there: the reference page,
the curves, the tests and the rules of the checker follow from the entry.
"""

from . import (
    crossentropy,
    focal,
    margin,
    ordinal,
    pairs,
    positive,
    probabilistic,
    regression,
    segmentation,
    sequence,
    similarity,
)
from ._entry import IMPORTS, Curve, Entry, Equivalent, Source, Values
from .crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .focal import (
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
)
from .margin import categorical_hinge, hinge, multiclass_hinge, squared_hinge
from .ordinal import ordinal_crossentropy
from .pairs import contrastive, info_nce, triplet
from .positive import gamma_deviance, tweedie_deviance
from .probabilistic import gaussian_negative_log_likelihood, kl_divergence, pinball, poisson
from .regression import (
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from .segmentation import dice, dice_crossentropy, tversky
from .sequence import ctc
from .similarity import circle, cosine_similarity

_FAMILIES = (
    regression,
    positive,
    probabilistic,
    crossentropy,
    ordinal,
    focal,
    margin,
    segmentation,
    sequence,
    similarity,
    pairs,
)
CATALOGUE = {entry.name: entry for family in _FAMILIES for entry in family.ENTRIES}

__all__ = [
    "CATALOGUE",
    "IMPORTS",
    "Curve",
    "Entry",
    "Equivalent",
    "Source",
    "Values",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "contrastive",
    "cosine_similarity",
    "ctc",
    "dice",
    "dice_crossentropy",
    "gamma_deviance",
    "gaussian_negative_log_likelihood",
    "hinge",
    "huber",
    "info_nce",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "multiclass_hinge",
    "ordinal_crossentropy",
    "pinball",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "triplet",
    "tversky",
    "tweedie_deviance",
]
