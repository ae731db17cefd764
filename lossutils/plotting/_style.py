"""Colors and style of the book's figures, in one place.

Train and test, each class and each loss keep their color in the whole book. The palette refines
Okabe and Ito's colors: every color has a contrast of at least 3:1 against the background, and
colors that meet in one figure stay apart under simulated protanopia, deuteranopia and
tritanopia. Classes differ by marker and most lines by dash too.
"""

import contextlib
import functools
import re
import zlib

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_hex, to_rgb

# --- Colors -----------------------------------------------------------------------------------

PAPER = "#fdfdfc"  # opaque and nearly white: the same figure works on a light and a dark page
INK = "#222222"
QUIET = "#6b6b6b"  # reference lines and other things that are not the data
GRID = "#e4e4e1"

BLUE = "#0b57a4"
VERMILLION = "#c04a06"
GREEN = "#0a8270"
AMBER = "#c48600"
SKY = "#3595db"
WINE = "#78243f"
INDIGO = "#1f1147"
PINK = "#d6489f"
BROWN = "#4a2a0c"
VIOLET = "#7b4fa3"
PALETTE = (BLUE, VERMILLION, GREEN, AMBER, SKY, WINE, INDIGO, PINK, BROWN)

SPLIT_COLORS = {"train": AMBER, "test": BLUE}
CLASS_COLORS = (VIOLET, GREEN, AMBER, SKY, VERMILLION, INDIGO, PINK, BLUE, WINE, BROWN)
CLASS_MARKERS = ("o", "^", "D", "s", "v", "P", "X", "<", ">", "*")

# Losses that are compared on one page differ here; a test simulates color blindness for them.
LOSS_COLORS = {
    "mean_squared_error": BLUE,
    "mean_absolute_error": VERMILLION,
    "huber": GREEN,
    "log_cosh": SKY,
    "pinball": AMBER,
    "mean_squared_logarithmic_error": WINE,
    "mean_absolute_percentage_error": PINK,
    "poisson": INDIGO,
    "gaussian_negative_log_likelihood": BROWN,
    "cosine_similarity": BROWN,
    "binary_crossentropy": INDIGO,
    "hinge": VERMILLION,
    "squared_hinge": AMBER,
    "binary_focal_crossentropy": GREEN,
    "dice": PINK,
    "tversky": BROWN,
    "categorical_crossentropy": SKY,
    "sparse_categorical_crossentropy": AMBER,
    "kl_divergence": WINE,
    "categorical_hinge": VERMILLION,
    "categorical_focal_crossentropy": GREEN,
    "categorical_generalized_cross_entropy": PINK,
    "multiclass_hinge": BROWN,
    "ctc": INDIGO,
    "circle": GREEN,
}
_OTHER_NAMES = {  # as `_plain` leaves them
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "quantile": "pinball",
    "bce": "binary_crossentropy",
    "focal": "binary_focal_crossentropy",
    "cce": "categorical_crossentropy",
    "scce": "sparse_categorical_crossentropy",
    "kld": "kl_divergence",
    "kullbackleiblerdivergence": "kl_divergence",
    "generalizedcrossentropy": "categorical_generalized_cross_entropy",
    "connectionisttemporalclassification": "ctc",
}
DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (5, 1.4, 1.2, 1.4)))

# --- Style ------------------------------------------------------------------------------------

# Widths in inches. Ten-point type on a figure this narrow is still readable when a phone shows
# the figure 350 pixels wide.
TEXT = (5.4, 3.3)
WIDE = (5.8, 2.9)
SQUARE = (4.6, 4.4)

STYLE = {
    "figure.figsize": TEXT,
    "figure.dpi": 150,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "savefig.facecolor": PAPER,
    "font.family": "DejaVu Sans",  # shipped with Matplotlib: the same figure on every machine
    "font.size": 10,
    "text.color": INK,
    "axes.facecolor": PAPER,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": plt.cycler(color=PALETTE),
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "legend.title_fontsize": 9.5,  # or the missing title takes the height of the caller's type
    "legend.handlelength": 1.6,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.3,
    "legend.borderaxespad": 0.0,
    "legend.borderpad": 0.2,
}


@contextlib.contextmanager
def style():
    """Make Axes of your own in the style of the book's figures.

    Settings are as before when the ``with`` block ends.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from lossutils import plotting
    >>> with plotting.style():
    ...     figure, axes = plt.subplots(1, 2, figsize=plotting.WIDE)
    """
    interactive = matplotlib.is_interactive()
    try:
        with plt.style.context(["default", STYLE]):
            try:
                yield
            finally:
                interactive = matplotlib.is_interactive()
    finally:
        # A notebook switches to interactive mode when it makes its first figure. Where that
        # happens inside, the switch has to outlive the context, or no later figure is shown.
        matplotlib.interactive(interactive)


def styled(draw):
    """Draw inside the book's style and leave the caller's settings as they were."""

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with style():
            axes = draw(*args, **kwargs)
            for ax in np.ravel(axes):
                # Matplotlib makes ticks when it first needs them, with the settings of that
                # moment. Ask for them here, or they would take the caller's style.
                for axis in (ax.xaxis, ax.yaxis):
                    axis.get_major_ticks()
                    axis.get_minor_ticks()
        return axes

    return drawn


def color_of(name):
    """Color of a loss, the same in every figure of the book.

    Parameters
    ----------
    name : str
        A loss by Keras's name, its usual abbreviation or its title: ``"mean_squared_error"``,
        ``"mse"`` and ``"Mean squared error"`` are one. What follows a comma, a colon or an opening
        parenthesis is ignored: ``"Huber, δ = 0.5"`` has the color of ``"huber"``.

    Returns
    -------
    str
        A color as ``"#rrggbb"``. A name that is no known loss gets a color of the palette that
        depends on nothing but the name.

    Examples
    --------
    >>> from lossutils import plotting
    >>> plotting.color_of("mse") == plotting.color_of("Mean squared error")
    True
    """
    return _known_color(name) or PALETTE[_hash(name) % len(PALETTE)]


def _plain(name):
    """Reduce a name to what its spellings share."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower()).removesuffix("loss")


_LOSS_BY_PLAIN_NAME = {_plain(name): name for name in LOSS_COLORS} | _OTHER_NAMES


def _known_color(name):
    if name in SPLIT_COLORS:
        return SPLIT_COLORS[name]
    stem = re.split(r"[,(:]", str(name))[0]
    loss = _LOSS_BY_PLAIN_NAME.get(_plain(stem))
    return LOSS_COLORS.get(loss)


def _hash(name):
    return zlib.crc32(_plain(name).encode())


def colors_of(names):
    """Colors for names that share a figure: losses keep theirs, other names never collide."""
    colors = {name: _known_color(name) for name in names}
    for name, known in colors.items():
        if known is None:
            start = _hash(name) % len(PALETTE)
            turns = [*PALETTE[start:], *PALETTE[:start]]
            free = [color for color in turns if color not in colors.values()]
            colors[name] = (free or turns)[0]
    return colors


def styles_of(names, losses=None):
    """Color and dash for each name; names that have to share a color differ by their dash.

    The names are losses, or labels of the ``losses`` that stand at the same place.
    """
    losses = list(losses or names)
    colors = colors_of(losses)
    seen = []
    styles = {}
    for name, loss in zip(names, losses, strict=True):
        dash = DASHES[seen.count(colors[loss]) % len(DASHES)]
        styles[name] = {"color": colors[loss], "linestyle": dash}
        seen.append(colors[loss])
    return styles


def mix(color, other, share):
    return to_hex((1 - share) * np.array(to_rgb(color)) + share * np.array(to_rgb(other)))


def shades(color, number):
    """Style the values of a parameter of one loss: its color from light to dark."""
    shares = np.linspace(-0.35, 0.55, number) if number > 1 else [0.0]
    return [
        {
            "color": mix(color, "white" if share < 0 else "black", abs(share)),
            "linestyle": DASHES[position % len(DASHES)],
        }
        for position, share in enumerate(shares)
    ]
