"""What grading does around the sandbox; tests/grading/hostile.py has what happens in it."""

import csv
import os

import nbformat
import notebooks
import pytest
from grading import kernel, marks, rebuild, sandbox, submissions, summary, worker
from grading.kernel import StopGradingError

import assignments
from lossutils import checks, losses


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


def test_the_canary_fails_where_nothing_is_changed_and_shows_where_something_is():
    source, message = worker.canary("word")
    with pytest.raises(AssertionError) as error:
        exec(source, {})
    assert str(error.value).startswith(message)
    with pytest.raises(AssertionError) as error:
        exec(source, {"abs": lambda value: 0.0})
    assert not str(error.value).startswith(message)


@pytest.mark.parametrize("change", ["nothing", "function", "code", "module"])
def test_the_canary_tells_another_function_in_the_place_of_one_that_tests_call(monkeypatch, change):
    def state():
        with pytest.raises(AssertionError) as error:
            exec(worker.canary("word", ["lossutils.losses", "lossutils.checks"])[0], {})
        return str(error.value)

    before = state()
    assert state() == before
    if change == "function":
        monkeypatch.setattr(checks, "check_setup", lambda *model: [])
    elif change == "code":
        monkeypatch.setattr(losses.huber, "__code__", (lambda y, p, delta=1.0: 0 * p).__code__)
    elif change == "module":
        monkeypatch.setattr("lossutils.losses", checks)
    assert (state() == before) == (change == "nothing")


def test_a_test_is_turned_around_at_one_assert_at_a_time():
    source = "x = 1  # one\nassert x == 1, 'One.'\nassert x < 2, 'Two.'"
    plain, others = worker.turned(source)
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


def test_what_a_message_holds_is_counted_however_deep():
    content = {"data": {"application/json": {"a": ["b" * 10, {"c" * 20: 1.5}]}}}
    assert kernel._length([content, [memoryview(b"d" * 30)]]) >= 60


def test_feedback_has_the_messages_of_the_tests_and_no_text_of_the_student():
    test = "assert value == 3.25, 'Look at the sign.'"

    def shown(name, text):
        return worker.message(
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


def test_without_bubblewrap_the_reason_and_the_remedy_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(sandbox.NoSandboxError, match="apt-get install bubblewrap"):
        sandbox.check()


def test_the_sandbox_shows_the_environment_and_no_assignment(tmp_path):
    environment = {"python": "/env/bin/python", "shown": ["/env", "/book/lossutils"], "fonts": []}
    limits = worker.Limits()
    command = sandbox.kernel_command(environment, tmp_path, limits)
    bound = [command[at + 1] for at, word in enumerate(command) if word in ("--bind", "--ro-bind")]
    assert set(bound) - {"/bin", "/sbin", "/lib", "/lib32", "/lib64"} == {
        "/usr",
        "/env",
        "/book/lossutils",
        str(tmp_path),
    }
    assert str(notebooks.ROOT) not in bound
    assert "--unshare-net" in command
