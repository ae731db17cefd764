"""A notebook that behaves otherwise in another place is noticed, and its kernel ends."""

import sys

import alone
import nbformat
import notebooks
import psutil
import pytest

v4 = nbformat.v4


@pytest.fixture
def stored(tmp_path):
    """Return a function that stores a notebook of one cell that printed “98 %”."""

    def store(source):
        output = v4.new_output("stream", name="stdout", text="98 %\n")
        cells = [v4.new_markdown_cell("# Title"), v4.new_code_cell(source, outputs=[output])]
        path = tmp_path / "one.ipynb"
        notebooks.write(v4.new_notebook(cells=cells), path)
        return path

    return store


def children():
    return [child.pid for child in psutil.Process().children(recursive=True)]


def test_equal_text_is_no_problem_and_the_kernel_ends(stored):
    before = children()
    run = alone.run_alone(stored("print('98 %')"), sys.executable)
    assert run.problems == []
    assert run.seconds > 0
    assert run.peak > 10 * alone.MB
    assert children() == before


def test_other_text_is_shown_line_by_line(stored):
    [problem] = alone.run_alone(stored("print('97 %')"), sys.executable).problems
    assert problem.splitlines() == ["cell 1:", "    -98 %", "    +97 %"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import sys; print('98 %'); print('careful', file=sys.stderr)", "+careful"),
        ("print('98 %'); open('left.txt', 'w').close()", "left.txt"),
        ("1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(1)", "died"),
    ],
)
def test_what_goes_wrong_is_said(stored, source, said):
    problems = alone.run_alone(stored(source), sys.executable).problems
    assert any(said in problem for problem in problems)
