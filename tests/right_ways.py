"""Right solutions of the assignments, and how a notebook's tests judge them without a kernel."""

import re
from pathlib import Path

import pytest
from grading import checking

import assignments

WAYS = Path(__file__).parent / "grading" / "right"


def ways(name):
    """Return the right ways to solve an assignment, besides that of its master."""
    return sorted(path.stem.removeprefix(f"{name}_") for path in WAYS.glob(f"{name}_*.txt"))


def solutions(name, way, word):
    """Return what a student of a way writes into each solution cell, in the variant of a word."""
    if way == "master":
        return {
            cell["id"]: cell.source
            for cell in assignments.complete(name, word).cells
            if assignments.nbgrader(cell).get("solution")
        }
    text = (WAYS / f"{name}_{way}.txt").read_text(encoding="utf-8")
    blocks = [block.partition("\n") for block in re.split(r"^# %% ", text, flags=re.M)[1:]]
    filled = assignments.with_numbers("\n# %%\n".join(body for _, _, body in blocks), name, word)
    return dict(zip((head for head, _, _ in blocks), filled.split("\n# %%\n"), strict=True))


def score(name, written, word="", turned=False):
    """Run an assignment as it is graded; return the points and the messages of failing tests.

    Where tests are turned, a test passes only if each of its asserts, turned around, fails.
    """
    release = assignments.release(name, word)
    namespace, points, failed = {}, 0, {}
    for cell in release.cells:
        if cell.cell_type == "code" and not assignments.is_test(cell) and cell["id"] != "set-up":
            try:
                exec(compile(written.get(cell["id"], cell.source), cell["id"], "exec"), namespace)
            except Exception as error:
                failed[cell["id"]] = repr(error)
    for cell in filter(assignments.is_test, release.cells):
        try:
            exec(compile(cell.source, cell["id"], "exec"), namespace)
            for source, message in checking.turned(cell.source)[1] if turned else []:
                with pytest.raises(AssertionError, match=f"^{re.escape(message)}"):
                    exec(compile(source, cell["id"], "exec"), namespace)
            points += assignments.nbgrader(cell)["points"]
        except Exception as error:
            failed[cell["id"]] = str(error)
    return points, failed


def maximum(name):
    """Return the points that a program gives."""
    cells = assignments.release(name).cells
    return sum(assignments.nbgrader(cell)["points"] for cell in cells if assignments.is_test(cell))
