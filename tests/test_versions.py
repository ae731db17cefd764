"""What `make test-versions` tests is there, and is what pyproject.toml and Colab say."""

import re

import notebooks
import pytest
import versions
from packaging.requirements import Requirement

ROOT = notebooks.ROOT
COLAB = {
    pin.name: next(iter(pin.specifier)).version
    for pin in map(Requirement, re.findall(r"^[\w-]+==.*", versions.COLAB.read_text("utf-8"), re.M))
}


@pytest.mark.parametrize("name", versions.OF_THE_PACKAGE)
def test_a_test_of_the_package_needs_nothing_of_the_book(name):
    source = (ROOT / "tests" / f"test_{name}.py").read_text(encoding="utf-8")
    assert not re.search(r"^import (notebooks|reference|pytest_mpl|bs4)", source, re.M)


@pytest.mark.parametrize("need", versions.requirements(), ids=lambda need: need.name)
def test_what_colab_ships_is_new_enough(need):
    """Or else the set-up cell could not install lossutils there."""
    if need.name in COLAB:
        assert COLAB[need.name] in need.specifier


def test_colab_says_what_matters_and_when():
    assert {"keras", "tensorflow", "numpy", "scipy", "scikit-learn", "pandas"} <= set(COLAB)
    assert re.search(r"\b20\d\d-\d\d-\d\d\b", versions.COLAB.read_text(encoding="utf-8"))


def test_floors_are_the_oldest_that_are_allowed():
    floors = dict(floor.split("==") for floor in versions.floors())
    for need in versions.requirements():
        oldest = floors[need.name].removesuffix(".*")
        assert re.fullmatch(r"\d+\.\d+(\.\d+)?", oldest)
        assert oldest in need.specifier


def test_tagged_copy_has_the_tag_that_the_set_up_cell_names():
    with versions.tagged_copy() as address:
        folder = address.removeprefix("file://")
        assert (
            versions.repository.tag()
            == versions.subprocess.run(
                ["git", "-C", folder, "describe", "--tags"], capture_output=True, text=True
            ).stdout.strip()
        )
