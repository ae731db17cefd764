"""Write the student versions of the assignments from their masters.

A master in ``assignments/`` is a notebook with solutions, visible and hidden tests, marked as
nbgrader marks them. Its first code cell, tagged ``variant``, is a class ``V`` with the numbers of
the tasks. A line of it that ends in ``# DRAW expression`` is drawn anew from a word. Wherever text
or code says ``V.name``, the student reads the number.
"""

import argparse
import ast
import hashlib
import random
import re
import sys
from pathlib import Path

import nbformat
import notebooks

MASTERS = notebooks.ROOT / "assignments"
STUDENT = MASTERS / "student"
VARIANTS = notebooks.ROOT / "_build" / "assignments"

VARIANT_TAG = "variant"
STUBS = {"code": "# Your code\nraise NotImplementedError", "markdown": "*Your answer*"}

_DRAWN = re.compile(r"^(\s*\w+ = ).*?  # DRAW (.+)$", re.M)
_NAME = re.compile(r"\bV\.([a-z]\w*)\b")
_SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n.*?^[ \t]*### END SOLUTION$", re.M | re.S)
_HIDDEN = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS\n.*?^[ \t]*### END HIDDEN TESTS\n?", re.M | re.S
)


def masters():
    """Return the path of each master, by the name of its assignment."""
    return {path.stem: path for path in sorted(MASTERS.glob("*.ipynb"))}


def nbgrader(cell):
    """Return the marks of nbgrader on a cell, or an empty dictionary."""
    return cell.metadata.get("nbgrader", {})


def complete(name, word=""):
    """Return an assignment with solutions and all tests, in the variant of a word.

    Parameters
    ----------
    name : str
        Name of the assignment.
    word : str
        What the numbers are drawn from; without one they are those of the master.

    Returns
    -------
    nbformat.NotebookNode
        The master with its numbers put in.
    """
    notebook = notebooks.read(masters()[name])
    numbers = next(cell for cell in notebook.cells if VARIANT_TAG in notebooks.tags(cell))
    notebook.cells.remove(numbers)
    values = _numbers(numbers.source, name, word)
    for cell in notebook.cells:
        cell.source = _NAME.sub(lambda found, cell=cell: _written(values, found, cell), cell.source)
    return _normal(notebook, name)


def release(name, word=""):
    """Return an assignment with all tests and without solutions: what submissions are laid upon."""
    notebook = complete(name, word)
    for cell in notebook.cells:
        cell.source = _SOLUTION.sub(
            lambda found, stub=STUBS[cell.cell_type]: _indented(stub, found[1]), cell.source
        )
    return _normal(notebook, name)


def student(name, word=""):
    """Return what a student gets: no solution and no hidden test."""
    notebook = release(name, word)
    for cell in notebook.cells:
        cell.source = _HIDDEN.sub("", cell.source)
    return _normal(notebook, name)


def _numbers(source, name, word):
    """Return the values of the class V."""
    rng = random.Random(hashlib.sha256(f"{name}\n{word}".encode()).digest())
    tools = {"choice": rng.choice, "randint": rng.randint, "sample": rng.sample}
    if word:
        source = _DRAWN.sub(lambda found: f"{found[1]}{eval(found[2], dict(tools))!r}", source)
    namespace = {}
    exec(source, namespace)
    return {key: value for key, value in vars(namespace["V"]).items() if key[0] != "_"}


def _written(values, found, cell):
    if found[1] not in values:
        raise ValueError(f"{found[0]} in cell {cell['id']} is no number of the class V.")
    value = values[found[1]]
    if cell.cell_type == "markdown":
        return str(value).replace("-", "\u2212") if isinstance(value, int | float) else str(value)
    text = repr(value)
    # A negative number in parentheses, so that a power of it stays one.
    return f"({text})" if text.startswith("-") else text


def _indented(stub, space):
    return "\n".join(space + line for line in stub.split("\n"))


def _normal(notebook, name):
    """Bring a notebook into normal form: set-up cell, ids, and nothing that has run."""
    notebook = notebooks.with_setup(notebook, notebooks.repository_address())
    notebook = notebooks.normalize(notebook)
    for cell in notebook.cells:
        cell.source = re.sub(r"\n{4,}", "\n\n\n", cell.source).strip("\n")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    ours = {"assignment": name, "release": _digest(notebook)}
    notebook.metadata["lossutils"] = nbformat.from_dict(ours)
    return notebook


def _digest(notebook):
    """Return what tells variants apart: the text of the tasks, without solutions and tests."""
    texts = [
        cell.source
        for cell in notebook.cells
        if nbgrader(cell) and not nbgrader(cell)["solution"] and not nbgrader(cell)["grade"]
    ]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def check(name):
    """Raise a ValueError where a master breaks a rule that release and grading rest on."""
    seen = set()
    for cell in notebooks.read(masters()[name]).cells:
        marks = nbgrader(cell)
        if not marks:
            continue
        place = f"{name}.ipynb, cell {cell['id']}"
        if marks["grade_id"] != cell["id"] or cell["id"] in seen:
            raise ValueError(f"{place}: its id must be its grade_id, and no other cell's.")
        seen.add(cell["id"])
        if marks["solution"] and "### BEGIN SOLUTION" not in cell.source:
            raise ValueError(f"{place}: a solution needs ### BEGIN SOLUTION.")
        if marks["grade"] and not marks["solution"]:
            for problem in _faults(cell.source):
                raise ValueError(f"{place}: {problem}")


def _faults(test):
    """Yield what feedback would leak or lack: each assert needs a message that is a constant."""
    for node in ast.walk(ast.parse(test)):
        if isinstance(node, ast.Assert) and not isinstance(node.msg, ast.Constant):
            yield f"line {node.lineno} needs a message that is a plain string."


def main(arguments=None):
    """Write the student versions; return the paths that were written."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--variant", default="", metavar="WORD", help="draw the numbers from it")
    parser.add_argument("--release", metavar="NAME", help="write only what submissions need")
    parser.add_argument("--to", type=Path, help="file of --release")
    options = parser.parse_args(arguments)
    word = options.variant.strip()
    if options.release:
        if options.release not in masters():
            parser.error(f"no assignment {options.release!r}: there are {', '.join(masters())}")
        options.to.parent.mkdir(parents=True, exist_ok=True)
        notebooks.write(release(options.release, word), options.to)
        return [options.to]
    if word and not re.fullmatch(r"[\w-]+", word):
        parser.error(f"VARIANT={word!r}: use letters, digits, _ and - only")
    written = []
    for name in masters():
        check(name)
        targets = {STUDENT / f"{name}.ipynb": student} if not word else {}
        if word:
            folder = VARIANTS / word
            targets = {
                folder / "student" / f"{name}.ipynb": student,
                folder / "with_solutions" / f"{name}.ipynb": complete,
            }
        for path, make in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            notebooks.write(make(name, word), path)
            written.append(path)
    for path in written:
        print(path.relative_to(notebooks.ROOT))
    return written


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
