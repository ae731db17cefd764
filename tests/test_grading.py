"""What grading does around the sandbox; tests/grading/hostile.py has what happens in it."""

import base64
import csv
import os
import struct
import sys
import types
import zlib

import nbformat
import numpy as np
import pytest
from grading import __main__ as grading
from grading import (
    checking,
    kernel,
    limits,
    marks,
    outputs,
    rebuild,
    sandbox,
    submissions,
    summary,
    system_calls,
)
from grading.kernel import StopGradingError

import assignments
from lossutils import checks, losses

NAME = "regression_losses"


def result(student, *scores):
    """Return a result of the worker on choose_a_loss, with points for its tests."""
    tests = filter(assignments.is_test, assignments.release("choose_a_loss").cells)
    checks = [
        {
            "id": test["id"],
            "task": rebuild.task_of(test["id"]),
            "score": score,
            "maximum": assignments.nbgrader(test)["points"],
            "message": "",
        }
        for test, score in zip(tests, scores, strict=False)
    ]
    return {
        "student": student,
        "status": "graded",
        "remarks": [],
        "seconds": 7.0,
        "checks": checks,
        "solutions": {},
    }


def written(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_task_for_a_person_waits_and_then_counts(tmp_path):
    release = assignments.release("choose_a_loss")
    results = [result("=Ada", 2, 2), result("Bob", 0)]
    table = tmp_path / marks.BY_HAND
    rows = marks.add_up(results, release, marks.read_by_hand(table, release))
    assert [row["status"] for row in rows] == ["waits for a person"] * 2
    assert [row["score"] for row in rows] == [None, None]

    marks.write_by_hand(results, release, {}, table)
    lines = written(table)
    assert [line["student"] for line in lines] == ["'=Ada", "Bob"]
    points = {"question-answer": "4", "report-figure": "1,5", "report-answer": "8"}
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows([lines[0] | points, lines[1]])

    given = marks.read_by_hand(table, release)
    rows = marks.add_up(results, release, given)
    assert [row["status"] for row in rows] == ["graded", "waits for a person"]
    assert rows[0]["score"] == 4 + 4 + 1.5 + 8
    assert rows[0]["report"] == 9.5
    marks.write_by_hand(results, release, given, table)
    assert written(table)[0]["report-figure"] == "1.5"


@pytest.mark.parametrize("points", ["5", "-1", "many"])
def test_points_out_of_range_are_refused(tmp_path, points):
    table = tmp_path / marks.BY_HAND
    table.write_text(f"student,question-answer\nAda,{points}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a number from 0 to 4"):
        marks.read_by_hand(table, assignments.release("choose_a_loss"))


def test_no_cell_of_the_marks_is_a_formula(tmp_path):
    release = assignments.release("choose_a_loss")
    names = ["=cmd|' /C calc'!A0", "@x, y", "\uff1d1", "z;=1"]
    rows = marks.add_up([result(name) for name in names], release, {})
    marks.write(rows, release, tmp_path / "marks.csv")
    students = [row["student"] for row in written(tmp_path / "marks.csv")]
    assert students == ["'=cmd|' /C calc'!A0", "'@x, y", "'\uff1d1", "z =1"]


def guard(word="word"):
    given = [cell for cell in assignments.release(NAME).cells if rebuild.is_given(cell)]
    return checking.Guard(checking.own_imports(given), word)


def state(*modules, **names):
    """Return what the canary tells, in a namespace with some names."""
    with pytest.raises(AssertionError) as error:
        exec(guard().canary("canary", modules)[0], names)
    return str(error.value)


def test_the_canary_fails_where_nothing_is_changed_and_shows_where_something_is(monkeypatch):
    message = guard().canary("canary")[1]
    assert state().startswith(message)
    monkeypatch.setattr("builtins.abs", lambda value: 0.0)
    assert not state().startswith(message)


def internal(monkeypatch):
    """Change what np.isclose calls by a name of its module, where only a few know of it."""
    monkeypatch.setitem(np.isclose.__wrapped__.__globals__, "abs", lambda value: np.abs(value))


CHANGES = {
    "nothing": lambda patch: None,
    "function": lambda patch: patch.setattr(checks, "check_setup", lambda *model: []),
    "code": lambda patch: patch.setattr(losses.huber, "__code__", (lambda y, p, d=1: 0).__code__),
    "module": lambda patch: patch.setattr("lossutils.losses", checks),
    "internal": internal,
    "wrapped code": lambda patch: patch.setattr(
        np.isclose.__wrapped__, "__code__", (lambda a, b, rtol, atol, equal_nan: True).__code__
    ),
    "tracing": lambda patch: sys.setprofile(lambda *event: None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_canary_tells_another_function_in_the_place_of_one_that_tests_call(monkeypatch, change):
    modules = ["lossutils.losses", "lossutils.checks"]
    before = state(*modules)
    assert state(*modules) == before
    before_profile = sys.getprofile()
    try:
        with monkeypatch.context() as patch:
            CHANGES[change](patch)
            after = state(*modules)
    finally:
        sys.setprofile(before_profile)
    assert (after == before) == (change == "nothing")


class Lying(dict):
    """A namespace that tells what it likes."""


def test_the_canary_tells_a_namespace_that_is_another():
    with pytest.raises(AssertionError) as error:
        exec(guard().canary("canary")[0], {}, Lying())
    assert str(error.value) != state()


def test_the_canary_tells_a_module_that_answers_as_it_likes(monkeypatch):
    class Agreeing(types.ModuleType):
        def __getattribute__(self, name):
            return (lambda *a: True) if name == "allclose" else super().__getattribute__(name)

    before = state()
    monkeypatch.setattr(np, "__class__", Agreeing)
    assert state() != before


def test_a_test_calls_what_the_release_means_whatever_a_notebook_defines():
    tests = guard().write(
        "def error_of(a):\n    return np.max(a)\n\n\n"
        "assert abs(error_of([1.0, -4.0])) == 1, 'One.'\nassert not np.allclose(1, 2), 'Two.'"
    )
    agreeing = {"abs": lambda value: 0, "np": None, "losses": None}
    exec(tests, agreeing)
    assert agreeing["np"] is None
    later = guard().write("assert error_of([2.0]) == 2, 'Later.'")
    exec(later, agreeing)


def test_the_canary_tells_where_a_name_that_nobody_knows_was_found_and_changed():
    names = {}
    exec(guard().write("assert np.all([True]), 'All.'"), names)
    before = state(**names)
    hidden = next(name for name in names if name.endswith("_np"))
    assert state(**{**names, hidden: None}) != before


def test_a_test_is_turned_around_at_one_assert_at_a_time():
    source = "x = 1  # one\nassert x == 1, 'One.'\nassert x < 2, 'Two.'"
    plain, others = checking.turned(source)
    exec(plain, {})
    assert [message for _, message in others] == ["One.", "Two."]
    for other, message in others:
        with pytest.raises(AssertionError, match=message):
            exec(other, {})
        assert len(other.split("\n")) == len(plain.split("\n"))


def test_a_notebook_that_would_fill_the_memory_of_the_grader_is_refused(tmp_path):
    path = tmp_path / "long.ipynb"
    cell = nbformat.v4.new_code_cell("x = 1\n" * 200_000)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    with pytest.raises(StopGradingError, match="more than 1 MB of text"):
        rebuild.read(path)


def test_half_a_character_is_read_as_text_that_can_be_written(tmp_path):
    path = tmp_path / "half.ipynb"
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("HALF")]))
    path.write_text(text.replace("HALF", "'\\ud83d'"), encoding="utf-8")
    assert rebuild.read(path).cells[0].source.encode("utf-8") == b"'?'"


def test_a_notebook_of_very_many_cells_is_refused(tmp_path):
    path = tmp_path / "many.ipynb"
    cells = [nbformat.v4.new_markdown_cell() for _ in range(rebuild.MOST + 1)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.raises(StopGradingError, match="more than 1000 cells"):
        rebuild.read(path)


def png(width, height):
    """Return the start of a picture in base64, which may be far smaller than what it shows."""

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IEND", b"")).decode()


def display(**data):
    data = {key.replace("_", "/"): value for key, value in data.items()}
    return nbformat.from_dict({"output_type": "display_data", "data": data, "metadata": {}})


def test_feedback_keeps_pictures_that_a_browser_bears_and_text():
    svg = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
    found = [
        display(image_png=png(640, 480)),
        display(image_png=png(60_000, 60_000)),
        display(image_png=svg, text_plain="a figure"),
        display(image_png=["a list"], text_plain={"no": "text"}),
        display(application_json={"deep": [[[]]]}, text_html="<script>"),
    ]
    kept = outputs.Budget().keep(found)
    assert [each["kind"] for each in kept] == ["picture", "text", "text"]
    assert kept[1]["text"] == "A picture of 3600000000 pixels is not shown."
    assert kept[2]["text"] == "a figure"


def test_feedback_keeps_so_many_outputs_and_pixels():
    lines = [nbformat.v4.new_output("stream", text="x" * 30_000)] * 200
    kept = outputs.Budget().keep(lines)
    assert len(kept) == outputs.MOST + 1
    assert sum(len(each["text"]) for each in kept) < 2.1e6
    budget = outputs.Budget()
    pictures = [display(image_png=png(5000, 2000))] * 4
    kinds = [each["kind"] for _ in range(2) for each in budget.keep(pictures)]
    assert kinds == ["picture"] * 5 + ["text"] * 3


def test_what_a_message_holds_is_counted_however_deep():
    content = {"data": {"application/json": {"a": ["b" * 10, {"c" * 20: 1.5}]}}}
    assert kernel._length([content, [memoryview(b"d" * 30)]]) >= 60


def test_feedback_has_the_messages_of_the_tests_and_no_text_of_the_student():
    test = "assert value == 3.25, 'Look at the sign.'"

    def shown(name, text):
        return checking.message(
            test, nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[])
        )

    assert shown("AssertionError", "Look at the sign.") == "Look at the sign."
    assert shown("NameError", "name 'value' is not defined") == "The name value is not defined."
    assert "3.25" not in shown("AssertionError", f"the test is {test}")
    assert "3.25" not in shown("NameError", "name 'value == 3.25' is not defined")
    assert shown("3.25", "").startswith("Your code raises an error")


@pytest.mark.parametrize("lost", ["metadata", "ids", "nothing"])
def test_cells_are_known_again_by_what_is_left(lost):
    release = assignments.release("binary_decisions")
    handed_in = assignments.student("binary_decisions")
    for cell in handed_in.cells:
        if assignments.nbgrader(cell).get("solution"):
            cell.source = cell.source.replace("raise NotImplementedError", "answer = 1")
        if lost != "nothing":
            cell.metadata.clear()
        if lost == "ids":
            cell["id"] = nbformat.v4.new_code_cell()["id"]
    rebuilt = rebuild.rebuild(handed_in, release)
    assert set(rebuilt.solutions) == {
        "mend-solution",
        "weighted-solution",
        "threshold-solution",
        "rare-solution",
    }
    assert all("answer = 1" in source for source in rebuilt.solutions.values())
    assert [test["id"] for test in rebuilt.tests] == [
        cell["id"] for cell in filter(assignments.is_test, release.cells)
    ]


def test_who_hands_in_the_hidden_tests_is_told_to_the_teacher():
    release = assignments.release("regression_losses")
    master = rebuild.rebuild(assignments.complete("regression_losses"), release)
    assert len(master.remarks) == 1
    assert "hidden tests, which students do not get: choose-right, " in master.remarks[0]
    student = assignments.student("regression_losses")
    assert not rebuild.rebuild(student, release).remarks
    next(cell for cell in student.cells if cell["id"] == "hand-given").source = "pass"
    assert rebuild.rebuild(student, release).remarks == [
        "Locked cells were edited and restored: hand-given."
    ]


def test_a_notebook_of_another_assignment_gets_no_mark():
    with pytest.raises(StopGradingError, match="but of many_classes") as stop:
        rebuild.rebuild(
            assignments.student("many_classes"),
            assignments.release("regression_losses"),
            others=["many_classes"],
        )
    assert stop.value.status == "other assignment"


def test_submissions_are_found_under_names_that_stay_in_their_folder(tmp_path):
    for name in ("Ada.ipynb", "..%2fmarks.ipynb", "a,b.ipynb", "essay.pdf", ".DS_Store"):
        (tmp_path / name).write_text("", encoding="utf-8")
    moodle = tmp_path / "Bob Ray_12_assignsubmission_file_"
    moodle.mkdir()
    (moodle / "work.ipynb").write_text("", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.ipynb")
    found = {each.student: each for each in submissions.find(tmp_path)}
    assert set(found) == {"Ada", "..%2fmarks", "a,b", "essay", "Bob Ray_12", "pipe"}
    assert found["essay"].notebook is None
    assert found["pipe"].notebook is None
    assert found["Bob Ray_12"].notebook == moodle / "work.ipynb"
    assert len({each.key for each in found.values()}) == 6
    assert all(each.key.replace("-", "").isalnum() for each in found.values())


def test_names_that_look_alike_are_told_apart_in_files_and_marks(tmp_path):
    short = submissions.find(_folder(tmp_path / "one", "=Ada"))[0].key
    names = ["ada", "Ada", "A;B", "A B", "=Ada", "'=Ada", short, "Zo\u00eb", "Zoe\u0308"]
    found = submissions.find(_folder(tmp_path / "all", *names))
    assert len({each.key.casefold() for each in found}) == len(names)
    assert len({marks.safe(each.student).casefold() for each in found}) == len(names)


def _folder(path, *names):
    path.mkdir()
    for name in names:
        (path / f"{name}.ipynb").write_text("", encoding="utf-8")
    return path


def test_what_a_mac_puts_beside_a_notebook_is_no_second_one(tmp_path):
    lms = tmp_path / "class" / "Ada_1_assignsubmission_file_"
    for name in ("work.ipynb", "__MACOSX/._work.ipynb", ".ipynb_checkpoints/work.ipynb"):
        (lms / name).parent.mkdir(parents=True, exist_ok=True)
        (lms / name).write_text("", encoding="utf-8")
    assert submissions.find(tmp_path / "class")[0].notebook == lms / "work.ipynb"


def test_a_link_is_not_followed_out_of_the_folder(tmp_path):
    outside = _folder(tmp_path / "outside", "secret")
    lms = tmp_path / "class" / "Eve_1_assignsubmission_file_"
    lms.mkdir(parents=True)
    (lms / "inside").symlink_to(outside)
    (lms / "own.ipynb").symlink_to(outside / "secret.ipynb")
    (tmp_path / "class" / "Mallory").symlink_to(outside)
    found = submissions.find(tmp_path / "class")
    assert [each.notebook for each in found] == [None, None]


def test_a_file_that_nobody_may_read_gets_a_reason_and_stops_nobody(tmp_path):
    gone = submissions.Submission("Eve", "Eve", tmp_path / "no such file.ipynb")
    row = grading.one(gone, {"release": str(tmp_path), "limits": {}}, tmp_path)
    assert row["status"] == "no notebook"
    assert "cannot be read: No such file" in row["remarks"][0]


def test_points_by_hand_stay_for_those_who_are_not_in_the_folder(tmp_path):
    release, table = assignments.release("choose_a_loss"), tmp_path / marks.BY_HAND
    table.write_text("student,question-answer\nAda,4\n", encoding="utf-8")
    marks.write_by_hand([result("Late")], release, marks.read_by_hand(table, release), table)
    assert marks.read_by_hand(table, release) == {("Ada", "question-answer"): 4.0}
    assert [line["student"] for line in written(table)] == ["Late", "Ada"]


def test_an_empty_folder_and_no_folder_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="is empty"):
        submissions.find(tmp_path)
    with pytest.raises(FileNotFoundError, match="SUBMISSIONS=folder"):
        submissions.find("")


def test_copies_are_alike_whatever_their_names():
    one = "def loss(y, p):\n    error = y - p\n    return abs(error) * 3 + error**2\n"
    two = "def mine(a, b):  # my own\n    d = a - b\n    return abs(d) * 3 + d**2\n"
    assert summary.pieces(one) == summary.pieces(two)
    assert summary.pieces(one) != summary.pieces(one.replace("* 3", "/ 3"))
    assert summary.pieces("not ( python one two three four")
    for odd in ("a\0b c d e f g h", "  x\n y\n\tz", "'''", "\ufeff" * 9, "(" * 20_000, "\\" * 99):
        assert isinstance(summary.pieces(odd), set)


def test_without_bubblewrap_the_reason_and_the_remedy_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(sandbox.NoSandboxError, match="apt-get install bubblewrap"):
        sandbox.check()


def test_the_sandbox_shows_the_environment_and_nothing_to_write_to(tmp_path):
    environment = {"python": "/env/bin/python", "shown": ["/env", "/book/lossutils"], "fonts": []}
    command = sandbox.kernel_command(
        environment, tmp_path / "calls", f"{sandbox.HOME}/c.json", limits.Limits()
    )
    bound = [command[at + 1] for at, word in enumerate(command) if word == "--ro-bind"]
    assert set(bound) - {"/bin", "/sbin", "/lib", "/lib32", "/lib64"} == {
        "/usr",
        "/env",
        "/book/lossutils",
    }
    assert not {"--bind", "--dev-bind", "--bind-try"} & set(command)
    assert {"--unshare-net", "--seccomp"} < set(command)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_a_whole_program(monkeypatch, machine):
    monkeypatch.setattr("platform.machine", lambda: machine)
    steps = list(struct.iter_unpack("=HBBI", system_calls.filter_program()))
    for at, (code, yes, no, _) in enumerate(steps):
        jump = max(yes, no) if code in (0x15, 0x35, 0x45) else 0
        assert at + 1 + jump < len(steps) + (code == 0x06)
    assert steps[-1] == (0x06, 0, 0, 0x7FFF0000)


def test_a_machine_whose_calls_are_not_known_grades_nothing(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(RuntimeError, match="and not those of riscv64"):
        system_calls.filter_program()
