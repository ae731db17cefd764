"""Grade one submission: `python -m grading.worker job.json result.json`."""

import json
import os
import resource
import secrets
import sys
import warnings
from pathlib import Path

import nbformat

from . import checking, outputs, rebuild
from .kernel import Kernel, StopGradingError
from .limits import Limits

# What the tests call has to be there before the student's cells, under no other name.
PRELUDE = """
import sys
sys.path.append(sys.path.pop(0)) if sys.path[0] == "" else None
import lossutils, keras, numpy, pandas, scipy, sklearn, matplotlib.pyplot
from lossutils import checks, datasets, losses, models, plotting, training
del sys, lossutils, keras, numpy, pandas, scipy, sklearn, matplotlib
del checks, datasets, losses, models, plotting, training
"""

# A variable called sum or list is careless, and no reason to fail a test. A function of such a name
# stays: the student's code may call it. A debugger that %pdb turned on would wait for a person.
BEFORE_TESTS = """
def _uncover():
    import builtins
    for name in dir(builtins):
        if name[0] != "_" and name in globals() and not callable(globals()[name]):
            del globals()[name]
_uncover()
get_ipython().call_pdb = False
"""

_MODULES = """
import sys
_modules = sorted(name for name in sys.modules if name.split(".")[0] == "lossutils")
del sys
assert False, " ".join(_modules)
"""


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
            imports = checking.own_imports(rebuilt.given)
            guard = checking.Guard(imports, secrets.token_hex(8))
            state = _state(kernel, guard, modules)
            result["cells"] = _run(kernel, rebuilt)
            for cell in rebuilt.given:
                kernel.run(guard.write(cell.source), history=False)
            kernel.run(BEFORE_TESTS, history=False)
            _require(_state(kernel, guard, modules) == state)
            for test in rebuilt.tests:
                result["checks"].append(_check(kernel, guard, test))
                _require(_state(kernel, guard, modules) == state)
    except StopGradingError as stop:
        result["status"] = stop.status
        result["remarks"].append(stop.remark)
        result["checks"] = []
    return result


def _run(kernel, rebuilt):
    """Run the student's cells; return them with their outputs, in order."""
    shown, budget = [], outputs.Budget()
    for cell, name in rebuilt.cells:
        found = []
        if cell.cell_type == "code" and cell.source.strip():
            found = kernel.run(cell.source)
        shown.append(
            {
                "type": cell.cell_type,
                "source": cell.source,
                "id": name,
                "outputs": budget.keep(found),
            }
        )
    return shown


def _only_error(found):
    """Return the error of a cell that must fail by an assert, or None."""
    errors = [each for each in found if each.output_type == "error"]
    return errors[0] if len(errors) == 1 and errors[0].ename == "AssertionError" else None


def _state(kernel, guard, modules):
    """Return what stays the same as long as tests are undisturbed, or None."""
    source, start = guard.canary(secrets.token_hex(8), modules)
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


def _check(kernel, guard, test):
    """Run one test and return what became of it.

    It runs twice, and nothing tells the two apart but one assert that is turned around: where the
    test passes, the other one must fail with the message of that assert. So a notebook that makes
    tests pass without running them is found out.
    """
    plain, others = checking.turned(guard.write(test.source))
    other, expected = secrets.choice(others)
    runs = [plain, other]
    if secrets.randbelow(2):
        runs.reverse()
    found = {source: kernel.run(source, history=False) for source in runs}
    errors = [each for each in found[plain] if each.output_type == "error"]
    if not errors:
        error = _only_error(found[other])
        _require(error is not None and error.evalue == expected)
    points = rebuild.marks_of(test)["points"]
    return {
        "id": test["id"],
        "task": rebuild.task_of(test["id"]),
        # Text and results that a test prints are the student's to forge; only errors count.
        "score": 0 if errors else points,
        "maximum": points,
        "message": checking.message(test.source, errors[0]) if errors else "",
    }


def main(job, result):
    """Read a job, grade it, and write the result, whole or not at all."""
    # What a stranger's notebook makes this process hold stays within this. Only the soft limit:
    # the kernel gets one of its own.
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, hard))
    warnings.simplefilter("ignore")
    job = json.loads(Path(job).read_text(encoding="utf-8"))
    # The kernel inherits it. Forty busy processes then slow down nobody else's notebook.
    os.sched_setaffinity(0, [job["processor"]])
    outcome = grade(job)
    part = Path(result).with_suffix(".part")
    # A kernel may print half of a pair of surrogates, which no file of text can hold.
    part.write_bytes(json.dumps(outcome, ensure_ascii=False).encode("utf-8", "replace"))
    part.replace(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
