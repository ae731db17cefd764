"""Lay a submission upon the release of its assignment, so that tasks and tests are always ours."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import nbformat

from .kernel import StopGradingError

LARGEST = 30 * 2**20  # bytes of a notebook
LONGEST = 2**20  # characters of all its cells, outputs aside
MOST = 1000  # cells

SETUP = "set-up"  # id of the cell that installs the book's package

_HIDDEN = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS\n.*?^[ \t]*### END HIDDEN TESTS\n?", re.M | re.S
)
_MARK = re.compile(r"^# Solution cell ([\w-]+)", re.M)

_RESTORED = "Test cells were deleted, or not recognized, and restored"


def marks_of(cell):
    """Return the marks of nbgrader on a cell, or an empty dictionary."""
    marks = cell.metadata.get("nbgrader", {})
    return marks if isinstance(marks, dict) else {}


def is_test(cell):
    """Tell whether a program grades the cell."""
    marks = marks_of(cell)
    return bool(marks) and marks["grade"] and not marks["solution"]


def by_hand(cell):
    """Tell whether a person grades the cell."""
    marks = marks_of(cell)
    return bool(marks) and marks["grade"] and marks["solution"]


def is_solution(cell):
    """Tell whether the student writes the cell."""
    return bool(marks_of(cell).get("solution"))


def is_given(cell):
    """Tell whether the cell is code that every student has: imports, or the data of a task."""
    return (
        cell.cell_type == "code"
        and cell["id"] != SETUP
        and not is_test(cell)
        and not is_solution(cell)
    )


def task_of(grade_id):
    """Return the task that a cell belongs to: what stands before the first hyphen of its id."""
    return grade_id.split("-")[0]


def tasks(release):
    """Return the points of each task, in the order of the notebook."""
    points = {}
    for cell in release.cells:
        if marks_of(cell).get("grade"):
            task = task_of(cell["id"])
            points[task] = points.get(task, 0) + marks_of(cell)["points"]
    return points


@dataclass
class Rebuilt:
    """A submission upon its release.

    Parameters
    ----------
    cells : list of (nbformat.NotebookNode, str or None)
        What runs first: the student's cells in the student's order, locked cells as released;
        each with the id of the cell of the release that it is.
    given : list of nbformat.NotebookNode
        What then runs again: imports and data of the tasks, so that tests find them as released.
    tests : list of nbformat.NotebookNode
        What runs last, as released.
    solutions : dict of str to str
        What the student wrote into each solution cell.
    remarks : list of str
        What a teacher should know.
    """

    cells: list
    given: list
    tests: list
    solutions: dict
    remarks: list


def read(path):
    """Read a notebook that a stranger wrote.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    nbformat.NotebookNode
        Cells with a type, a source that is text, and metadata.

    Raises
    ------
    StopGradingError
        The file is no notebook.
    """
    path = Path(path)
    if path.is_symlink() or not path.is_file():
        raise StopGradingError("not a notebook", "This is not a file.")
    if path.stat().st_size > LARGEST:
        raise StopGradingError(
            "not a notebook", f"The file is larger than {LARGEST // 2**20} MB: clear its outputs."
        )
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook, relax_add_props=True)
    except Exception as error:
        # nbformat lets errors of every kind through: of JSON, of encodings, of recursion.
        raise StopGradingError(
            "not a notebook", f"The file cannot be read as a notebook ({type(error).__name__})."
        ) from error
    if len(notebook.cells) > MOST:
        raise StopGradingError("not a notebook", f"The notebook has more than {MOST} cells.")
    if sum(len(cell.source) for cell in notebook.cells) > LONGEST:
        raise StopGradingError(
            "not a notebook", f"The cells hold more than {LONGEST // 2**20} MB of text."
        )
    for cell in notebook.cells:
        # Half of a pair of surrogates is valid in JSON, and no text that could be written.
        cell.source = cell.source.encode("utf-8", "replace").decode("utf-8")
    return notebook


def rebuild(submission, release, others=()):
    """Lay a submission upon its release.

    A cell is known by its mark of nbgrader, else by its id, else by the comment in its first line.

    Parameters
    ----------
    submission, release : nbformat.NotebookNode
        What the student handed in, and the assignment with all tests and no solution.
    others : iterable of str
        Names of other assignments, for a better reason.

    Returns
    -------
    Rebuilt

    Raises
    ------
    StopGradingError
        The notebook is not of this assignment or variant.
    """
    ours = {cell["id"]: cell for cell in release.cells}
    order = list(ours)
    known = _all_known(submission.cells, ours)
    _check_assignment(submission, release, known, others)

    cells, placed = [], set()
    for cell, name in zip(submission.cells, known, strict=True):
        if name is None:
            cells.append((cell, None))
            continue
        own = ours[name]
        if name in placed:
            # A copy of a solution cell runs where it stands, as it did for the student.
            cells += [(cell, None)] if is_solution(own) else []
            continue
        cells += [(ours[each], each) for each in _missing_before(name, order, ours, known, placed)]
        placed.add(name)
        if not is_test(own):
            cells.append((cell if is_solution(own) else own, name))
    cells += [(ours[each], each) for each in _missing_before(None, order, ours, known, placed)]
    return Rebuilt(
        cells=cells,
        given=[cell for cell in release.cells if is_given(cell)],
        tests=[cell for cell in release.cells if is_test(cell)],
        solutions={name: cell.source for cell, name in cells if name and is_solution(ours[name])},
        remarks=_remarks(submission, known, ours),
    )


def _all_known(cells, ours):
    """Return for each cell of the student the id of our cell that it is, or None."""
    known = [_by_mark(cell, ours) for cell in cells]
    lost = {name: own for name, own in ours.items() if name not in known}
    return [name or _by_text(cell, lost) for cell, name in zip(cells, known, strict=True)]


def _by_mark(cell, ours):
    # Colab keeps the id of a cell in its metadata.
    for name in (marks_of(cell).get("grade_id"), cell.get("id"), cell.metadata.get("id")):
        if isinstance(name, str) and name in ours and ours[name].cell_type == cell.cell_type:
            return name
    return None


def _by_text(cell, ours):
    first = _MARK.search(cell.source) if cell.cell_type == "code" else None
    if first and first[1] in ours:
        return first[1]
    same = [
        name
        for name, own in ours.items()
        if own.cell_type == cell.cell_type and _plain(own.source) == _plain(cell.source) != ""
    ]
    return same[0] if len(same) == 1 else None


def _missing_before(name, order, ours, known, placed):
    """Place our code cells that the student deleted and that stand before a cell."""
    end = len(order) if name is None else order.index(name)
    missing = [
        each
        for each in order[:end]
        if each not in placed and each not in known and (is_given(ours[each]) or each == SETUP)
    ]
    placed.update(missing)
    return missing


def _check_assignment(submission, release, known, others):
    ours = release.metadata["lossutils"]
    theirs = submission.metadata.get("lossutils", {})
    theirs = theirs if isinstance(theirs, dict) else {}
    solutions = {cell["id"] for cell in release.cells if is_solution(cell)}
    if not solutions & set(known):
        name = theirs.get("assignment")
        which = f", but of {name}" if name in list(others) else ""
        raise StopGradingError(
            "other assignment",
            f"This notebook is not of the assignment {ours['assignment']}{which}.",
        )
    if theirs.get("release") not in (None, ours["release"]):
        raise StopGradingError(
            "other variant",
            "This notebook is of another variant or release of the assignment: its numbers are "
            "not those of these tests.",
        )


def _remarks(submission, known, ours):
    remarks = []
    counts = Counter(name for name in known if name is not None)
    for name, count in counts.items():
        if count > 1:
            remarks.append(f"Cell {name} stands {count} times; the first counts as the task's.")
    absent = {name: cell for name, cell in ours.items() if name not in counts}
    for kind, what in ((is_solution, "Solution cells are missing"), (is_test, _RESTORED)):
        if names := [name for name, cell in absent.items() if kind(cell)]:
            remarks.append(f"{what}: {', '.join(names)}.")
    locked = {
        (name, _plain(cell.source))
        for cell, name in zip(submission.cells, known, strict=True)
        if name not in (None, SETUP) and cell.cell_type == "code" and not is_solution(ours[name])
    }
    shown = {name: _plain(_visible(ours[name].source)) for name, _ in locked}
    changed = {(name, source) for name, source in locked if source != shown[name]}
    hidden = {name for name, source in changed if source == _plain(ours[name].source)}
    if hidden:
        remarks.append(f"It holds hidden tests, which students do not get: {_listed(hidden)}.")
    edited = {name for name, _ in changed} - hidden
    if edited:
        remarks.append(f"Locked cells were edited and restored: {_listed(edited)}.")
    if not any(marks_of(cell) for cell in submission.cells):
        remarks.append("The notebook lost its metadata; cells are matched by their ids.")
    return remarks


def _listed(names):
    return ", ".join(sorted(names))


def _visible(source):
    return _HIDDEN.sub("", source)


def _plain(source):
    return re.sub(r"\s+", "", source)
