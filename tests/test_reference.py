"""The reference page and its pictures are what the catalogue says today."""

import numpy as np
import pytest
import reference

from lossutils.losses import CATALOGUE

REMEDY = "run `make reference` and look at the difference"


def test_page_is_up_to_date():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), REMEDY


@pytest.mark.parametrize("name", CATALOGUE)
def test_picture_is_up_to_date(name):
    stored = reference.pixels((reference.PICTURES / f"{name}.png").read_bytes())
    fresh = reference.pixels(reference.picture(CATALOGUE[name]))
    assert stored.shape == fresh.shape, REMEDY
    # Another build of the font renderer may shade the edge of a letter otherwise.
    assert np.abs(stored - fresh).mean() < 0.5, REMEDY


def test_no_picture_of_a_loss_that_is_gone():
    assert {path.stem for path in reference.PICTURES.glob("*.png")} == set(CATALOGUE)
