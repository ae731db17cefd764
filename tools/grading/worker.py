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

_UNDEFINED = "name '{}' is not defined"


def canary(word):
    """Return a cell that must fail, with a message that nobody knows before.

    Parameters
    ----------
    word : str
        A random word.

    Returns
    -------
    source, message : str
        The cell, and the message of the error that it ends with.
    """
    lines = ["import numpy as _np", "_failed = 0"]
    for statement in _MUST_FAIL:
        lines += ["try:", f"    assert {statement}", "except AssertionError:", "    _failed += 1"]
    lines += [f"assert False, '{word} ' + str(_failed)"]
    return "\n".join(lines), f"{word} {len(_MUST_FAIL)}"


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
            result["cells"] = _run(kernel, rebuilt)
            kernel.run(BEFORE_TESTS, history=False)
            _require_canary(kernel)
            for test in rebuilt.tests:
                result["checks"].append(_check(kernel, test))
                _require_canary(kernel)
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


def _require_canary(kernel):
    source, message = canary(secrets.token_hex(8))
    errors = [each for each in kernel.run(source, history=False) if each.output_type == "error"]
    if len(errors) != 1 or errors[0].ename != "AssertionError" or errors[0].evalue != message:
        raise StopGradingError(
            "tests disturbed",
            "A check that must fail did not: the notebook changes something that tests rest on, "
            "such as assert, abs, len or NumPy's functions. Have a look at it.",
        )


def _check(kernel, test):
    """Run one test and return what became of it."""
    outputs = kernel.run(test.source, history=False)
    errors = [each for each in outputs if each.output_type == "error"]
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
        return f"There is no {missing[0]}." if missing else "A name that is used is not defined."
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
    part.write_text(json.dumps(outcome), encoding="utf-8")
    part.replace(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
