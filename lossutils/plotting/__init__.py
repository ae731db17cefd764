"""Every figure of the book, in one style.

Each function takes plain arrays, a training history, the runs of ``training.repeat`` or an entry
of the catalogue of losses. It draws into ``ax``, or into a new figure of the book's size, and
returns the Axes (functions that draw several panels take and return an array of Axes). What
Matplotlib does well is left to Matplotlib: change a limit, a scale or a title on the Axes that
come back.

The functions draw inside a style context, so importing this package or calling it changes no global
setting. For axes of your own in the same style::

    with plotting.style():
        figure, axes = plt.subplots(1, 2, figsize=plotting.WIDE)

=================  =====================================================================
``data``           `histogram` of values, `digits` with what they show
``plane``          `scatter` of classes in two dimensions, `decision_regions` of a model
``losses``         `loss_curve`: a loss and its gradient
``epochs``         `learning_curves` of a training, `curves_over_seeds` of many
``runs``           results of many trainings: `seeds`, `paired`, `rates`
``evaluation``     `predictions`, `confusion_matrix`, `threshold_curves`, `calibration`
``_style``         colors, sizes and the style
``_axes``          parts that several figures share: new axes, legends, reference lines
``_inputs``        what callers pass, as plain arrays or an error that helps
=================  =====================================================================
"""

from ._style import (
    CLASS_COLORS,
    CLASS_MARKERS,
    LOSS_COLORS,
    PALETTE,
    SPLIT_COLORS,
    SQUARE,
    TEXT,
    WIDE,
    color_of,
    style,
)
from .data import digits, histogram
from .epochs import curves_over_seeds, learning_curves
from .evaluation import calibration, confusion_matrix, predictions, threshold_curves
from .losses import loss_curve
from .plane import decision_regions, scatter
from .runs import paired, rates, seeds

__all__ = [
    "CLASS_COLORS",
    "CLASS_MARKERS",
    "LOSS_COLORS",
    "PALETTE",
    "SPLIT_COLORS",
    "SQUARE",
    "TEXT",
    "WIDE",
    "calibration",
    "color_of",
    "confusion_matrix",
    "curves_over_seeds",
    "decision_regions",
    "digits",
    "histogram",
    "learning_curves",
    "loss_curve",
    "paired",
    "predictions",
    "rates",
    "scatter",
    "seeds",
    "style",
    "threshold_curves",
]
