"""What the dark pages make of a figure's colors: readable, and different for every eye.

Pages turn figures dark with CSS filters; the same is computed here from what book.css says.
"""

import itertools
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from notebooks import BOOK
from test_plotting import SEEN_BY, contrast, difference

from lossutils import plotting
from lossutils.plotting import _style

SHEET = (BOOK / "assets" / "book.css").read_text(encoding="utf-8")
LOSSES_THAT_MEET = (
    "mean_squared_error mean_absolute_error huber log_cosh pinball "
    "mean_squared_logarithmic_error poisson mean_absolute_percentage_error",
    "binary_crossentropy hinge squared_hinge binary_focal_crossentropy mean_squared_error",
    "categorical_crossentropy sparse_categorical_crossentropy kl_divergence categorical_hinge "
    "categorical_focal_crossentropy mean_squared_error binary_crossentropy "
    "categorical_generalized_cross_entropy multiclass_hinge",
)
PAGE = "#121212"  # the dark page of the theme


def filters():
    """Return the name and the number of each filter of dark figures."""
    rule = re.search(r'html\[data-theme="dark"\][^{]*\.figure-box img[^{]*\{([^}]*)\}', SHEET)[1]
    value = re.search(r"filter: (.*);", rule)[1]
    return [(name, float(number)) for name, number in re.findall(r"([\w-]+)\(([\d.]+)", value)]


def rotated(degrees):
    """Return the matrix of `hue-rotate`, as the standard of filter effects gives it."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    gray = np.array([0.213, 0.715, 0.072])
    turn = [[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]]
    return np.tile(gray, (3, 1)) + cosine * (np.eye(3) - gray) + sine * np.array(turn)


def saturated(amount):
    """Return the matrix of `saturate`."""
    gray = np.tile([0.213, 0.715, 0.072], (3, 1))
    return gray + amount * (np.eye(3) - gray)


def dark(color):
    """Return a color as a dark page shows it."""
    rgb = np.array(to_rgb(color))
    for name, number in filters():
        if name == "invert":
            rgb = rgb * (1 - number) + (1 - rgb) * number
        elif name == "hue-rotate":
            rgb = rotated(number) @ rgb
        elif name == "saturate":
            rgb = saturated(number) @ rgb
        else:
            raise AssertionError(f"no arithmetic for the filter {name}")
        rgb = np.clip(rgb, 0, 1)
    return tuple(rgb)


def test_paper_takes_the_color_of_the_page():
    np.testing.assert_allclose(dark(_style.PAPER), to_rgb(PAGE), atol=1.5 / 255)


@pytest.mark.parametrize("color", [*plotting.PALETTE, *plotting.CLASS_COLORS, _style.QUIET])
def test_every_color_stands_out_from_the_dark_page(color):
    assert contrast(dark(color), PAGE) >= 4.5


def test_text_in_dark_figures_is_readable():
    assert contrast(dark(_style.INK), PAGE) >= 7
    assert contrast(dark(_style.QUIET), PAGE) >= 4.5


@pytest.mark.parametrize("eye", SEEN_BY)
@pytest.mark.parametrize(
    "colors",
    [
        pytest.param(plotting.SPLIT_COLORS.values(), id="splits"),
        pytest.param(plotting.CLASS_COLORS[:4], id="classes"),
        *(
            pytest.param([plotting.LOSS_COLORS[name] for name in names.split()], id=names)
            for names in LOSSES_THAT_MEET
        ),
    ],
)
def test_colors_that_meet_differ_in_the_dark_for_every_eye(colors, eye):
    # 0.02 is about the smallest difference that is seen side by side. On paper it is 0.07.
    pairs = itertools.combinations([dark(color) for color in colors], 2)
    assert min(difference(a, b, eye) for a, b in pairs) > 0.04
