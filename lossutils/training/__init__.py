"""Fit one Keras model, or repeat a training over many seeds, as one compiled program."""

from lossutils.training._compare import compare
from lossutils.training._fit import fit
from lossutils.training._repeat import repeat

__all__ = ["compare", "fit", "repeat"]
