"""The assignments: what students get, and that every right way gets all points."""

import re
import subprocess
import sys

import nbformat
import notebooks
import pytest
import right_ways

import assignments

NAMES = list(assignments.masters())
WORDS = ["", "lynx", "birch"]

each = pytest.mark.parametrize("name", NAMES)
each_word = pytest.mark.parametrize("word", WORDS)


def hidden_and_solutions(name, word):
    """Return the lines that no student may see, as far as they say anything."""
    secret = "|".join(
        rf"### BEGIN {kind}\n(.*?)### END {kind}" for kind in ("SOLUTION", "HIDDEN TESTS")
    )
    shown = "\n".join(cell.source for cell in assignments.student(name, word).cells)
    lines = {
        line.strip()
        for cell in assignments.complete(name, word).cells
        for block in re.findall(secret, cell.source, re.S)
        for line in "".join(block).split("\n")
        if len(line.strip()) > 25
    }
    # A visible test may draw the same numbers as a hidden one.
    visible = {
        line.strip()
        for cell in assignments.complete(name, word).cells
        for line in re.sub(secret, "", cell.source, flags=re.S).split("\n")
    }
    return sorted(lines - visible), shown


@each
def test_committed_student_versions_are_up_to_date(name):
    stored = (assignments.STUDENT / f"{name}.ipynb").read_text(encoding="utf-8")
    text = nbformat.writes(assignments.student(name), version=nbformat.NO_CONVERT)
    assert stored == text.rstrip("\n") + "\n", "run make assignments"


def test_every_student_version_has_a_master():
    assert sorted(path.stem for path in assignments.STUDENT.glob("*.ipynb")) == sorted(NAMES)


@each
def test_two_releases_are_the_same_to_the_byte(name, tmp_path):
    for to in ("one.ipynb", "two.ipynb"):
        subprocess.run(
            [
                sys.executable,
                notebooks.ROOT / "tools" / "assignments.py",
                *("--variant", "lynx", "--release", name, "--to", tmp_path / to),
            ],
            check=True,
        )
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()


@each
@each_word
def test_no_solution_and_no_hidden_test_reaches_a_student(name, word):
    secret, shown = hidden_and_solutions(name, word)
    assert len(secret) > 10
    assert not [line for line in secret if line in shown]
    assert "### BEGIN" not in shown
    assert "V." not in re.sub(r"\w\.", "", shown), "a number of the variant is not put in"


@each
@each_word
@pytest.mark.parametrize("way", ["master", "loops", "keras"])
def test_every_right_way_gets_all_points(name, word, way):
    points, failed = right_ways.score(name, right_ways.solutions(name, way, word), word)
    assert points == right_ways.maximum(name), failed


@each
def test_every_test_fails_where_one_of_its_asserts_is_turned_around(name):
    """Grading takes a test that passes for forged unless it fails then, with that message."""
    points, failed = right_ways.score(name, right_ways.solutions(name, "loops", ""), turned=True)
    assert points == right_ways.maximum(name), failed


@each
@each_word
def test_a_bare_student_version_gets_nothing(name, word):
    points, failed = right_ways.score(name, {}, word)
    assert points == 0
    assert len(failed) > 5


@each
def test_the_solutions_of_another_variant_do_not_fit(name):
    points, _ = right_ways.score(name, right_ways.solutions(name, "master", "birch"), "lynx")
    assert points <= 0.6 * right_ways.maximum(name)


@each
def test_every_other_right_way_covers_every_task_that_a_program_grades(name):
    graded = {
        cell["id"].split("-")[0]
        for cell in assignments.release(name).cells
        if assignments.is_test(cell)
    }
    assert right_ways.ways(name) == ["keras", "loops"]
    for way in right_ways.ways(name):
        written = right_ways.solutions(name, way, "")
        assert {cell.split("-")[0] for cell in written} == graded


@each
def test_masters_keep_the_rules_that_grading_rests_on(name):
    assignments.check(name)


def broken(name, cell, source):
    notebook = notebooks.read(assignments.masters()[name])
    next(each for each in notebook.cells if each["id"] == cell).source = source
    return notebook


@pytest.mark.parametrize(
    ("cell", "source", "message"),
    [
        ("slopes-level", "assert quantile_level > 0", "needs a message"),
        ("slopes-level", "assert quantile_level, f'{quantile_level}'", "a plain string"),
        ("slopes-level", "quantile_level", "an assert outside of functions"),
        ("slopes-solution", "two_slopes = None", "BEGIN SOLUTION"),
        (
            "hand-given",
            "soft_corner = 1\nassert soft_corner, 'One.'",
            "a later test needs soft_corner",
        ),
    ],
)
def test_a_master_that_would_leak_or_misjudge_is_refused(
    monkeypatch, tmp_path, cell, source, message
):
    path = tmp_path / "regression_losses.ipynb"
    notebooks.write(broken("regression_losses", cell, source), path)
    monkeypatch.setattr(assignments, "MASTERS", tmp_path)
    with pytest.raises(ValueError, match=message):
        assignments.check("regression_losses")


def test_a_wrong_answer_gets_a_message_and_part_of_the_points():
    written = right_ways.solutions("regression_losses", "master", "")
    written["hand-solution"] += "\nsquared_error = squared_error**0.5"
    points, failed = right_ways.score("regression_losses", written, "")
    assert points == right_ways.maximum("regression_losses") - 1
    assert failed == {"hand-squared": "squared_error: square each error first, then average."}


@pytest.mark.parametrize("word", ["a b", "../up", "x/y"])
def test_a_word_that_is_no_folder_name_is_refused(word, capsys):
    with pytest.raises(SystemExit):
        assignments.main(["--variant", word])
    assert "letters, digits" in capsys.readouterr().err
