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


def test_tests_of_the_package_are_found_by_what_they_import():
    """An environment of other versions has nothing that builds the book or looks at its pages."""
    names = {path.stem.removeprefix("test_") for path in versions.of_the_package()}
    package = {"checks_models", "checks_rules", "checks_silence", "datasets", "executors"}
    assert package | {"import", "internals", "losses", "models", "signature", "training"} <= names
    book = {"alone", "notebooks", "packaging", "pages", "playground", "plotting", "repository"}
    assert book & names == set()


def test_a_helper_that_needs_more_makes_a_test_one_of_the_book(tmp_path):
    test, helper = tmp_path / "test_one.py", tmp_path / "helper.py"
    test.write_text("import os\nimport numpy as np\nimport helper\n", encoding="utf-8")
    helper.write_text("from lossutils import losses\n", encoding="utf-8")
    assert versions.needs_no_more(test)
    helper.write_text("import bs4\n", encoding="utf-8")
    assert not versions.needs_no_more(test)


@pytest.mark.parametrize("path", notebooks.in_book(), ids=lambda path: path.stem)
def test_a_stored_table_reads_the_same_with_every_pandas(path):
    """Since version 3, pandas keeps two blanks in a table apart; write a text without them."""
    for cell in notebooks.read(path).cells:
        for output in cell.get("outputs", []):
            assert "&nbsp;" not in output.get("data", {}).get("text/html", ""), cell.source


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
