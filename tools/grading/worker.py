"""Grade one submission: `python -m grading.worker job.json result.json`."""

import ast
import builtins
import json
import resource
import secrets
import sys
import warnings
from pathlib import Path

import nbformat

from . import rebuild
from .kernel import Kernel, StopGradingError
from .limits import Limits

# What the tests call has to be there before the student's cells, under no other name.
PRELUDE = """
import sys
sys.path.append(sys.path.pop(0)) if sys.path[0] == "" else None
import lossutils, keras, numpy, pandas, scipy, sklearn, matplotlib.pyplot
from lossutils import datasets, losses, models, plotting, training
del sys, lossutils, keras, numpy, pandas, scipy, sklearn, matplotlib
del datasets, losses, models, plotting, training
"""

# A variable called sum or list is careless, and no reason to fail a test. A function of such a name
# stays: the student's code may call it.
BEFORE_TESTS = """
def _uncover():
    import builtins
    for name in dir(builtins):
        if name[0] != "_" and name in globals() and not callable(globals()[name]):
            del globals()[name]
_uncover()
"""

# Each of these must fail. Where one passes, the notebook changed what the tests rest on.
_MUST_FAIL = (
    "False",
    "abs(5.0 - 2.0) < 1e-6",
    "_np.isclose(1.0, 2.0)",
    "_np.allclose([1.0, 3.0], [1.0, 2.0])",
    "_np.array_equal([1.0], [2.0])",
    "_np.all([True, False])",
    "_np.any([False, False])",
    "_np.max(_np.abs(_np.asarray([1.0, -4.0], dtype=float))) < 1e-6",
    "isinstance(1.5, str)",
    "callable(1.5)",
    "len([1, 2]) == 3",
    "float('2.5') == 1.0",
    "all([True, False])",
    "any([False, False])",
    "round(2.6) == 2",
    "sum([1, 2]) == 4",
    "max([1, 2]) == 1",
    "min([1, 2]) == 2",
    "sorted([2, 1]) == [2, 1]",
    "set([1]) == set([2])",
)

# What tests call has to be what it was before the student's cells: functions and their code.
_STATE = """
def _state():
    import sys, keras, numpy, pandas, builtins as b
    owners = [b, numpy, numpy.random, numpy.linalg, pandas.DataFrame, pandas.Series]
    owners += [keras.Model, keras.Sequential, keras.layers.Dense]
    found = []
    for module in MODULES:
        owners.append(sys.modules[module])
        package, _, name = module.rpartition(".")
        found.append((name, b.id(b.getattr(sys.modules.get(package), name, None))))
    for owner in owners:
        for name, value in b.vars(owner).items():
            value = b.getattr(value, "fget", value)
            # ipykernel sets input anew for each cell.
            if b.callable(value) and name != "input":
                inside = ("__code__", "__defaults__", "__kwdefaults__", "__wrapped__")
                parts = [b.id(b.getattr(value, key, None)) for key in inside]
                found.append((name, b.id(value), *parts))
    return b.hash(b.tuple(b.sorted(found)))
"""

_MODULES = """
import sys
_modules = sorted(name for name in sys.modules if name.split(".")[0] == "lossutils")
del sys
assert False, " ".join(_modules)
"""

_UNDEFINED = "name '{}' is not defined"


def canary(word, modules=()):
    """Return a cell that must fail, with a message that nobody knows before.

    Parameters
    ----------
    word : str
        A random word.
    modules : iterable of str
        Names of the book's modules whose functions have to stay what they are.

    Returns
    -------
    source, message : str
        The cell, and how the message of the error begins that it ends with. A number follows, the
        same as long as the functions that tests call are the same.
    """
    lines = ["import numpy as _np", "_failed = 0"]
    for statement in _MUST_FAIL:
        lines += ["try:", f"    assert {statement}", "except AssertionError:", "    _failed += 1"]
    lines += [_STATE.replace("MODULES", repr(list(modules)))]
    lines += [f"assert False, '{word} ' + str(_failed) + ' ' + str(_state())"]
    return "\n".join(lines), f"{word} {len(_MUST_FAIL)} "


def turned(source):
    """Return a test once as it is and once for each assert that is turned around.

    Parameters
    ----------
    source : str
        A test that passes.

    Returns
    -------
    plain : str
        The test, written as the others are.
    others : list of (str, str)
        Tests that must fail wherever the plain one passes, and their messages.
    """
    tree = ast.parse(source)
    plain = ast.unparse(tree)
    asserts = [node for node in tree.body if isinstance(node, ast.Assert)]
    loops = [node for node in tree.body if isinstance(node, ast.For)]
    # In a loop the first round tells, unless there is none.
    asserts = asserts or [
        node for loop in loops for node in loop.body if isinstance(node, ast.Assert)
    ]
    others = []
    for node in asserts:
        right, node.test = node.test, ast.UnaryOp(ast.Not(), node.test)
        others.append((ast.unparse(tree), node.msg.value))
        node.test = right
    return plain, others


def grade(job):
    """Grade one submission.

    Parameters
    ----------
    job : dict
        ``notebook``, ``release``, ``folder`` (paths), ``others``, ``environment``, ``limits``.

    Returns
    -------
    dict
        ``status``, ``remarks``, ``checks`` (a dict for each test), ``cells`` (what feedback
        shows), ``solutions`` (what the student wrote into each solution cell).
    """
    limits = Limits(**job["limits"])
    result = {"status": "graded", "remarks": [], "checks": [], "cells": [], "solutions": {}}
    try:
        submission = rebuild.read(job["notebook"])
        release = nbformat.read(job["release"], as_version=4)
        rebuilt = rebuild.rebuild(submission, release, job["others"])
        result["remarks"] += rebuilt.remarks
        result["solutions"] = rebuilt.solutions
        with Kernel(job["environment"], limits, job["folder"]) as kernel:
            kernel.run(PRELUDE, history=False)
            modules = _only_error(kernel.run(_MODULES, history=False)).evalue.split()
            state = _state(kernel, modules)
            result["cells"] = _run(kernel, rebuilt)
            for cell in rebuilt.given:
                kernel.run(cell.source, history=False)
            kernel.run(BEFORE_TESTS, history=False)
            _require(_state(kernel, modules) == state)
            for test in rebuilt.tests:
                result["checks"].append(_check(kernel, test))
                _require(_state(kernel, modules) == state)
    except StopGradingError as stop:
        result["status"] = stop.status
        result["remarks"].append(stop.remark)
        result["checks"] = []
    return result


def _run(kernel, rebuilt):
    """Run the student's cells; return them with their outputs, in order."""
    shown = []
    for cell, name in rebuilt.cells:
        outputs = []
        if cell.cell_type == "code" and cell.source.strip():
            outputs = kernel.run(cell.source)
        shown.append(
            {
                "type": cell.cell_type,
                "source": cell.source,
                "id": name,
                "outputs": outputs,
            }
        )
    return shown


def _only_error(outputs):
    """Return the error of a cell that must fail by an assert, or None."""
    errors = [each for each in outputs if each.output_type == "error"]
    return errors[0] if len(errors) == 1 and errors[0].ename == "AssertionError" else None


def _state(kernel, modules):
    """Return what stays the same as long as tests are undisturbed, or None."""
    source, start = canary(secrets.token_hex(8), modules)
    error = _only_error(kernel.run(source, history=False))
    if error is None or not error.evalue.startswith(start):
        return None
    return error.evalue.removeprefix(start)


def _require(undisturbed):
    if not undisturbed:
        raise StopGradingError(
            "tests disturbed",
            "A check that must fail did not, or what it calls is another function now: the "
            "notebook changes something that tests rest on, such as assert, abs, len, NumPy's "
            "functions or those of the book's package. Have a look at it.",
        )


def _check(kernel, test):
    """Run one test and return what became of it.

    It runs twice, and nothing tells the two apart but one assert that is turned around: where the
    test passes, the other one must fail with the message of that assert. So a notebook that makes
    tests pass without running them is found out.
    """
    plain, others = turned(test.source)
    other, expected = secrets.choice(others)
    runs = [plain, other]
    if secrets.randbelow(2):
        runs.reverse()
    outputs = {source: kernel.run(source, history=False) for source in runs}
    errors = [each for each in outputs[plain] if each.output_type == "error"]
    if not errors:
        error = _only_error(outputs[other])
        _require(error is not None and error.evalue == expected)
    points = rebuild.marks_of(test)["points"]
    return {
        "id": test["id"],
        "task": rebuild.task_of(test["id"]),
        # Text and results that a test prints are the student's to forge; only errors count.
        "score": 0 if errors else points,
        "maximum": points,
        "message": message(test.source, errors[0]) if errors else "",
    }


def message(source, error):
    """Return what a student may read of an error in a test.

    Parameters
    ----------
    source : str
        The test, which may be hidden.
    error : nbformat.NotebookNode
        The output.

    Returns
    -------
    str
        A message of the test itself, or the kind of error; never a text that the student's code
        made up, since it could contain the test.
    """
    own = {
        node.msg.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant)
    }
    if error.evalue in own:
        return error.evalue
    if error.ename == "NotImplementedError":
        return "There is no solution yet."
    if error.ename == "NameError":
        missing = [name for name in _names(source) if error.evalue == _UNDEFINED.format(name)]
        return (
            f"The name {missing[0]} is not defined."
            if missing
            else "A name that is used is not defined."
        )
    kind = getattr(builtins, str(error.ename), None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        return f"Your code raises {error.ename} when this check calls it."
    return "Your code raises an error when this check calls it."


def _names(source):
    return sorted({node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)})


def main(job, result):
    """Read a job, grade it, and write the result, whole or not at all."""
    # What a stranger's notebook makes this process hold stays within this. Only the soft limit:
    # the kernel gets one of its own.
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, hard))
    warnings.simplefilter("ignore")
    outcome = grade(json.loads(Path(job).read_text(encoding="utf-8")))
    part = Path(result).with_suffix(".part")
    # A kernel may print half of a pair of surrogates, which no file of text can hold.
    part.write_bytes(json.dumps(outcome, ensure_ascii=False).encode("utf-8", "replace"))
    part.replace(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
