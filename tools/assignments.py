"""Write the student versions of the assignments from their masters.

A master in ``assignments/`` is a notebook with solutions, visible and hidden tests, marked as
nbgrader marks them. Its first code cell, tagged ``variant``, is a class ``V`` with the numbers of
the tasks. A line of it that ends in ``# DRAW expression`` is drawn anew from a word. Wherever text
or code says ``V.name``, the student reads the number.
"""

import argparse
import ast
import dis
import hashlib
import random
import re
import sys
from pathlib import Path
from types import CodeType

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
    values = _numbers(notebook, name, word)
    notebook.cells = [cell for cell in notebook.cells if not _holds_numbers(cell)]
    for cell in notebook.cells:
        written = _in_text if cell.cell_type == "markdown" else _in_code
        cell.source = _filled(cell.source, values, written)
    return _normal(notebook, name)


def with_numbers(code, name, word=""):
    """Return code with the numbers of an assignment put in for its names."""
    return _filled(code, _numbers(notebooks.read(masters()[name]), name, word), _in_code)


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


def _holds_numbers(cell):
    return VARIANT_TAG in notebooks.tags(cell)


def _numbers(notebook, name, word):
    """Return the values of the class V."""
    source = next(cell.source for cell in notebook.cells if _holds_numbers(cell))
    rng = random.Random(hashlib.sha256(f"{name}\n{word}".encode()).digest())
    tools = {"choice": rng.choice, "randint": rng.randint, "sample": rng.sample}
    if word:
        source = _DRAWN.sub(lambda found: f"{found[1]}{eval(found[2], dict(tools))!r}", source)
    namespace = {}
    exec(source, namespace)
    return {key: value for key, value in vars(namespace["V"]).items() if key[0] != "_"}


def _filled(source, values, written):
    def value(found):
        if found[1] not in values:
            raise ValueError(f"{found[0]} is no number of the class V: {', '.join(values)}.")
        return written(values[found[1]])

    return _NAME.sub(value, source)


def _in_text(value):
    return str(value).replace("-", "\u2212") if isinstance(value, int | float) else str(value)


def _in_code(value):
    # A negative number in parentheses, so that a power of it stays one.
    return f"({value!r})" if repr(value).startswith("-") else repr(value)


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
    cells = [cell for cell in notebooks.read(masters()[name]).cells if nbgrader(cell)]
    ids = [cell["id"] for cell in cells]
    for cell in cells:
        marks, place = nbgrader(cell), f"{name}.ipynb, cell {cell['id']}"
        if marks["grade_id"] != cell["id"] or ids.count(cell["id"]) > 1:
            raise ValueError(f"{place}: its id must be its grade_id, and no other cell's.")
        if marks["solution"] and "### BEGIN SOLUTION" not in cell.source:
            raise ValueError(f"{place}: a solution needs ### BEGIN SOLUTION.")
        if is_test(cell):
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Assert) and not isinstance(node.msg, ast.Constant):
                    # Feedback shows no other text of a test.
                    raise ValueError(f"{place}: each assert needs a message, a plain string.")
            if not _asserts(ast.parse(cell.source)):
                # Grading turns one of them around, to see that the test has run.
                raise ValueError(f"{place}: a test needs an assert outside of functions.")
    for place, names in _overwritten(cells):
        raise ValueError(f"{name}.ipynb, cell {place}: a later test needs {', '.join(names)}.")


def is_test(cell):
    """Tell whether a program grades the cell."""
    return bool(nbgrader(cell)) and nbgrader(cell)["grade"] and not nbgrader(cell)["solution"]


def _asserts(tree):
    """Return the asserts of a test that run in any case: at its top, or in a loop there."""
    loops = [node for node in tree.body if isinstance(node, ast.For)]
    inside = [node for loop in loops for node in loop.body]
    return [node for node in [*tree.body, *inside] if isinstance(node, ast.Assert)]


def _overwritten(cells):
    """Yield where a test overwrites what a later test needs: tests run after all other cells."""
    code = [(cell, ast.parse(cell.source)) for cell in cells if cell.cell_type == "code"]
    others = [statement for cell, tree in code if not is_test(cell) for statement in tree.body]
    repeated = {ast.dump(statement) for statement in others}
    theirs = set().union(*(_names_in(statement, "STORE_NAME") for statement in others))
    tests = [(cell["id"], tree.body) for cell, tree in code if is_test(cell)]
    for at, (place, body) in enumerate(tests):
        new = [statement for statement in body if ast.dump(statement) not in repeated]
        taken = set().union(*(_names_in(statement, "STORE_NAME") for statement in new)) & theirs
        needed = set().union(*(_needed(later) for _, later in tests[at + 1 :]))
        if taken & needed:
            yield place, sorted(taken & needed)


def _needed(body):
    """Return the global names that statements read and do not assign before."""
    needed, assigned = set(), set()
    for statement in body:
        stored = _names_in(statement, "STORE_NAME")
        # A loop assigns its variable before its body reads it.
        before = stored if isinstance(statement, ast.For | ast.With) else set()
        needed |= _names_in(statement, "LOAD_NAME", "LOAD_GLOBAL") - assigned - before
        assigned |= stored
    return needed


def _names_in(statement, *operations):
    """Return the global names that a statement loads or stores, functions included."""
    waiting = [compile(ast.Module([statement], []), "cell", "exec")]
    names = set()
    while waiting:
        code = waiting.pop()
        names |= {each.argval for each in dis.get_instructions(code) if each.opname in operations}
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return names


def main(arguments=None):
    """Write the student versions; return the paths that were written."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--variant", default="", metavar="WORD", help="draw the numbers from it")
    parser.add_argument("--release", metavar="NAME", help="write only what submissions need")
    parser.add_argument("--to", type=Path, help="file of --release")
    options = parser.parse_args(arguments)
    word = options.variant.strip()
    if options.release is not None:
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
