"""The marks as CSV, and the points that a person gives."""

import csv
import io
import unicodedata
from pathlib import Path

from . import rebuild

COLUMNS = ("student", "score", "maximum", "status", "remarks", "seconds")
BY_HAND = "by_hand.csv"


def safe(value):
    """Return a cell of a CSV that no spreadsheet runs as a formula."""
    # In many countries a spreadsheet begins a new cell at a semicolon.
    text = "" if value is None else str(value).replace(";", " ")
    first = unicodedata.normalize("NFKC", text[:1])
    return f"'{text}" if first in ("=", "+", "-", "@", "\t", "\r") else text


def number(value):
    """Return a number without needless digits, or nothing."""
    return "" if value is None else f"{value:g}"


def hand_tasks(release):
    """Return the points of each task that a person grades."""
    return {
        cell["id"]: rebuild.marks_of(cell)["points"]
        for cell in release.cells
        if rebuild.by_hand(cell)
    }


def add_up(results, release, given):
    """Return the rows of the marks file.

    Parameters
    ----------
    results : list of dict
        With ``student``, ``status``, ``remarks``, ``seconds``, ``checks``.
    release : nbformat.NotebookNode
        The assignment.
    given : dict
        Points that a person gave, from `read_by_hand`.

    Returns
    -------
    list of dict
        A row for each student: the columns of the file.
    """
    points = rebuild.tasks(release)
    hand = hand_tasks(release)
    rows = []
    for result in results:
        status, remarks = result["status"], list(result["remarks"])
        row = {
            "student": result["student"],
            "score": None,
            "maximum": sum(points.values()),
            "seconds": round(result["seconds"], 1),
        }
        row |= dict.fromkeys(points)
        if status == "graded":
            waiting = [cell for cell in hand if (safe(result["student"]), cell) not in given]
            scores = _scores(result, hand, given, points)
            row |= {task: None if task in _tasks_of(waiting) else scores[task] for task in points}
            if waiting:
                status = "waits for a person"
                remarks.append(f"Give points for {', '.join(waiting)} in {BY_HAND}.")
            else:
                row["score"] = sum(scores.values())
        rows.append(row | {"status": status, "remarks": " ".join(remarks)})
    return rows


def _tasks_of(cells):
    return {rebuild.task_of(cell) for cell in cells}


def _scores(result, hand, given, points):
    scores = dict.fromkeys(points, 0.0)
    for check in result["checks"]:
        scores[check["task"]] += check["score"]
    for cell in hand:
        scores[rebuild.task_of(cell)] += given.get((safe(result["student"]), cell), 0.0)
    return scores


def write(rows, release, path):
    """Write the marks, whole or not at all."""
    tasks = list(rebuild.tasks(release))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*COLUMNS, *tasks])
    for row in rows:
        numbers = {key: number(row[key]) for key in ("score", "maximum", "seconds", *tasks)}
        words = {key: safe(row[key]) for key in ("student", "status", "remarks")}
        table.writerow([(numbers | words)[column] for column in (*COLUMNS, *tasks)])
    _replace(path, text.getvalue())


def read_by_hand(path, release):
    """Return the points that a person gave.

    Parameters
    ----------
    path : pathlib.Path
        by_hand.csv; missing means that no point is given yet.
    release : nbformat.NotebookNode
        The assignment.

    Returns
    -------
    dict
        ``{(student as in the file, cell): points}``, for the cells that are filled in.

    Raises
    ------
    ValueError
        A cell holds no number from 0 to its maximum.
    """
    if not Path(path).exists():
        return {}
    given, maximum = {}, hand_tasks(release)
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            student = row.pop("student")
            for cell, text in row.items():
                if cell not in maximum or not (text or "").strip():
                    continue
                given[student, cell] = _points(text, student, cell, maximum[cell], path)
    return given


def _points(text, student, cell, maximum, path):
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points <= maximum:
        raise ValueError(
            f"{path} gives {student} {text!r} for {cell}: write a number from 0 to {maximum:g}."
        )
    return points


def write_by_hand(results, release, given, path):
    """Write the table that a person fills in, with what is filled in already."""
    hand = hand_tasks(release)
    if not hand:
        return
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", *hand])
    students = [safe(result["student"]) for result in results]
    # Points of those who are not in this folder are kept: they may come back.
    students += sorted({student for student, _ in given} - set(students))
    for student in students:
        table.writerow([student, *(number(given.get((student, cell))) for cell in hand)])
    _replace(path, text.getvalue())


def _replace(path, text):
    part = Path(path).with_suffix(".part")
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(path)
