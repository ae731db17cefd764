"""Grade a folder of submissions: `make grade ASSIGNMENT=name SUBMISSIONS=folder`."""

import argparse
import hashlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import nbformat

from . import feedback, marks, rebuild, sandbox, submissions, summary
from .limits import Limits

GRACE = 4.0  # seconds after its limit until a process that does not end by itself is ended

EMPTY = {"remarks": [], "checks": [], "cells": [], "solutions": {}}

_running = set()  # processes that end with this one
_processors = queue.SimpleQueue()  # those that no notebook runs on


def one(submission, settings, folder):
    """Grade one submission in a process of its own, unless that is done already.

    Parameters
    ----------
    submission : submissions.Submission
        What the student handed in.
    settings : dict
        ``release``, ``others``, ``environment``, ``limits``.
    folder : pathlib.Path
        Where results are kept between runs.

    Returns
    -------
    dict
        The result of the worker, with ``student`` and ``seconds``.
    """
    if submission.notebook is None:
        return _no_notebook(submission, submission.problem)
    kept = folder / f"{submission.key}.json"
    try:
        fingerprint = _fingerprint(submission, settings)
    except OSError as error:
        return _no_notebook(submission, f"The file cannot be read: {error.strerror}.")
    before = _kept(kept)
    if before.get("fingerprint") == fingerprint:
        return before
    processor = _processors.get()
    start = time.monotonic()
    try:
        result = _in_a_process(submission, settings | {"processor": processor})
    finally:
        _processors.put(processor)
    result |= {
        "student": submission.student,
        "seconds": time.monotonic() - start,
        "fingerprint": fingerprint,
    }
    if result["status"] != "grader error":
        part = kept.with_suffix(".part")
        part.write_text(json.dumps(result), encoding="utf-8")
        part.replace(kept)
    return result


def _no_notebook(submission, why):
    row = {"student": submission.student, "status": "no notebook", "remarks": [why]}
    return {**EMPTY, **row, "seconds": 0.0}


def _kept(path):
    """Return the result of an earlier run, or an empty dictionary."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _fingerprint(submission, settings):
    """Return what a result depends on."""
    digest = hashlib.sha256()
    for path in (submission.notebook, Path(settings["release"])):
        with open(path, "rb") as file:
            # No more than tells one notebook from another: a file may be larger than the memory.
            digest.update(file.read(rebuild.LARGEST + 1))
    digest.update(json.dumps([submission.student, settings["limits"]]).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _in_a_process(submission, settings):
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        job, answer = Path(folder) / "job.json", Path(folder) / "answer.json"
        notebook = str(submission.notebook.resolve())
        job.write_text(
            json.dumps({**settings, "notebook": notebook, "folder": folder}), encoding="utf-8"
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "grading.worker", job, answer],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        _running.add(process)
        try:
            _, words = process.communicate(timeout=settings["limits"]["seconds"] + GRACE)
        except subprocess.TimeoutExpired:
            limit = settings["limits"]["seconds"]
            remark = f"The notebook runs longer than {limit:g} seconds."
            return {**EMPTY, "status": "time limit", "remarks": [remark]}
        finally:
            # The sandbox dies with the process.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            _running.discard(process)
        if answer.exists():
            return json.loads(answer.read_text(encoding="utf-8"))
    last = submissions.plain(words.decode("utf-8", "replace").strip().split("\n")[-1])[:200]
    remark = f"The process that grades it ended early: {last}"
    return {**EMPTY, "status": "grader error", "remarks": [remark]}


def every(found, settings, folder, jobs):
    """Grade all submissions, a few at a time, and say how far it is; return the results."""
    results, start = {}, time.monotonic()
    for _, processor in zip(range(jobs), itertools.cycle(os.sched_getaffinity(0))):
        _processors.put(processor)
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(one, each, settings, folder): each for each in found}
        try:
            for count, done in enumerate(as_completed(running), 1):
                result = results[running[done].key] = done.result()
                print(
                    f"{count:4d} of {len(found)}  {result['seconds']:6.1f} s  "
                    f"{result['status']:18s} {result['student']}",
                    flush=True,
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(_running):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    print(f"{time.monotonic() - start:.1f} seconds, {jobs} at a time.")
    return [results[each.key] for each in found]


def report(results, found, release, folder):
    """Write marks, feedback and summary; return the path of the marks."""
    given = marks.read_by_hand(folder / marks.BY_HAND, release)
    rows = marks.add_up(results, release, given)
    marks.write_by_hand(results, release, given, folder / marks.BY_HAND)
    pages = folder / "feedback"
    pages.mkdir(exist_ok=True)
    for old in pages.glob("*.html"):
        old.unlink()
    for submission, result, row in zip(found, results, rows, strict=True):
        feedback.write(result, row, release, pages / f"{submission.key}.html")
    summary.write(results, rows, release, folder / "summary.html")
    marks.write(rows, release, folder / "marks.csv")
    return folder / "marks.csv"


def main(arguments=None):
    """Grade a class; return 0 where every submission was looked at."""
    parser = argparse.ArgumentParser(prog="grading", description=__doc__)
    parser.add_argument("release", type=Path, help="the assignment with its tests")
    parser.add_argument("submissions", type=Path, help="folder with the notebooks")
    parser.add_argument("to", type=Path, help="folder for marks, feedback and summary")
    parser.add_argument("--python", type=Path, required=True, help="of the book's environment")
    parser.add_argument("--others", nargs="*", default=[], help="names of other assignments")
    parser.add_argument("--seconds", type=float, default=Limits().seconds, help="for a notebook")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="at a time")
    options = parser.parse_args(arguments)
    try:
        sandbox.check()
        found = submissions.find(options.submissions.expanduser())
        release = nbformat.read(options.release, as_version=4)
        kept = options.to / "results"
        kept.mkdir(parents=True, exist_ok=True)
        marks.read_by_hand(options.to / marks.BY_HAND, release)
        settings = {
            "release": str(options.release.resolve()),
            "others": options.others,
            "environment": sandbox.describe(options.python, options.to / "fonts"),
            "limits": asdict(Limits(seconds=options.seconds)),
        }
    except (sandbox.NoSandboxError, OSError, ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        results = every(found, settings, kept, options.jobs)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    print(f"Marks: {report(results, found, release, options.to)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
