"""Submissions that are careless or hostile, graded together with good ones.

`make test-grading` runs this; it needs bubblewrap and .venv-grading. The class is graded once, and
each test looks at what became of one student.
"""

import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import nbformat
import notebooks
import pytest

import assignments

ROOT = notebooks.ROOT
NAME = "regression_losses"
GRADER = ROOT / ".venv-grading" / "bin" / "python"
SECONDS = float(os.environ.get("GRADING_SECONDS", "60"))  # more, for a machine that is busy
FEW_SECONDS = 15  # for notebooks that never end
FULL = 33

CLASS = {}  # student: (what makes the notebook of it, status, score)
ENDLESS = {}  # student: what makes the notebook of it


def student(name, status="graded", score=FULL):
    """Register a student by what is done to a right notebook."""

    def register(make):
        CLASS[name] = (make, status, score)
        return make

    return register


def right():
    """Return a notebook with the solutions of the master."""
    notebook = assignments.student(NAME)
    solutions = {cell["id"]: cell.source for cell in assignments.complete(NAME).cells}
    for cell in notebook.cells:
        if assignments.nbgrader(cell).get("solution"):
            cell.source = solutions[cell["id"]]
    return notebook


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell["id"] == name)


def with_first(source):
    """Return a right notebook whose first code cell is the student's."""
    notebook = right()
    notebook.cells.insert(1, nbformat.v4.new_code_cell(source))
    return notebook


# What a student may do, and still gets what the answers are worth.


@student("aa first")
def good():
    return right()


@student("bare", score=0)
def bare():
    return assignments.student(NAME)


@student("half right", score=15)
def half():
    notebook = right()
    for name in ("corner-solution", "robust-solution", "choose-solution"):
        cell_of(notebook, name).source = cell_of(assignments.student(NAME), name).source
    return notebook


@student("edited tests", score=26)
def edited_tests():
    notebook = right()
    cell_of(notebook, "corner-solution").source = "soft_corner = soft_corner_gradient = None"
    for cell in notebook.cells:
        if cell["id"].startswith("corner-") and cell["id"] not in ("corner-text",):
            cell.source = cell.source if cell["id"] == "corner-solution" else "pass"
    return notebook


@student("deleted tests", score=26)
def deleted_tests():
    notebook = edited_tests()
    notebook.cells = [cell for cell in notebook.cells if cell.source != "pass"]
    return notebook


@student("deleted data")
def deleted_data():
    notebook = right()
    notebook.cells = [cell for cell in notebook.cells if cell["id"] != "robust-data"]
    return notebook


@student("lost metadata")
def lost_metadata():
    notebook = right()
    notebook.metadata.clear()
    for cell in notebook.cells:
        cell.metadata.clear()
    return notebook


@student("lost metadata and ids")
def lost_ids():
    notebook = lost_metadata()
    for cell in notebook.cells:
        del cell["id"]
    notebook.nbformat_minor = 4
    return notebook


@student("duplicated cells")
def duplicated():
    notebook = right()
    for name in ("slopes-solution", "slopes-values"):
        cell = cell_of(notebook, name)
        copy = nbformat.from_dict({**cell, "id": f"copy-{name}"})
        notebook.cells.insert(notebook.cells.index(cell) + 1, copy)
    return notebook


@student("shadowed names")
def shadowed():
    return with_first("sum = 0\nlist_of_y = [1]\ny = p = r = draw = 3\nprint(sum)")


@student("helper cell")
def helper_cell():
    notebook = right()
    cell = cell_of(notebook, "corner-solution")
    place = notebook.cells.index(cell)
    body = cell.source
    notebook.cells.insert(place, nbformat.v4.new_code_cell(body.replace("soft_corner", "mine")))
    cell.source = "soft_corner = mine\nsoft_corner_gradient = mine_gradient"
    return notebook


@student("reads everything")
def reads():
    return with_first(f"""
import os, pathlib, socket, sys
found = []
for place in ({str(ROOT)!r}, {str(ROOT / "assignments")!r}, "/tmp", "/root", "/home", "/etc"):
    for path in pathlib.Path(place).rglob("*"):
        if str(path).startswith((sys.prefix, sys.base_prefix)):
            continue
        if "lossutils" in path.parts or "data" in path.parts:
            continue
        if path.suffix in (".ipynb", ".csv", ".html") or path.name in ("shadow", "release.ipynb"):
            found.append(str(path))
for address in (("127.0.0.1", 22), ("1.1.1.1", 53), ("8.8.8.8", 443)):
    try:
        socket.create_connection(address, timeout=1)
        found.append(str(address))
    except OSError:
        pass
found += [name for name in os.environ if "TOKEN" in name or "KEY" in name]
print("FOUND", found)
""")


@student("reads the history")
def reads_history():
    notebook = right()
    notebook.cells.append(nbformat.v4.new_code_cell("print('HISTORY', [len(i) for i in In], In)"))
    return notebook


@student("leaks by a message", score=26)
def leaks_message():
    notebook = right()
    cell_of(notebook, "corner-solution").source = """
import inspect, linecache

def soft_corner(y_true, y_pred):
    frame = inspect.currentframe().f_back
    text = "".join(linecache.getlines(frame.f_code.co_filename))
    print("LEAK", text)
    raise ValueError("LEAK " + text + str(frame.f_code.co_consts))

soft_corner_gradient = soft_corner
"""
    return notebook


@student("writes everything")
def writes():
    return with_first(f"""
import os, pathlib
for place in ({str(ROOT)!r}, "/tmp", "/usr", "/root", os.path.dirname(os.__file__), "/dev", "/etc"):
    for name in ("marks.csv", "numpy.py", "lossutils/__init__.py", "HOSTILE"):
        try:
            pathlib.Path(place, name).write_text("student,score")
        except OSError as error:
            pass
""")


@student("always equal", score=26)
def always_equal():
    notebook = right()
    cell_of(notebook, "corner-solution").source = """
class Yes(float):
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __gt__(self, other): return True
    def __sub__(self, other): return Yes(0)
    def __abs__(self): return Yes(0)
    __hash__ = None

class YesArray(np.ndarray):
    shape = (5,)
    def __eq__(self, other): return True
    def __array_function__(self, *rest): return True

def soft_corner(y_true, y_pred): return Yes(1)
def soft_corner_gradient(y_true, y_pred): return np.zeros(3).view(YesArray)
"""
    return notebook


@student("tells of an early end", score=26)
def early_end():
    notebook = right()
    cell_of(notebook, "corner-solution").source = """
def soft_corner(y_true, y_pred):
    kernel = get_ipython().kernel
    idle = {"execution_state": "idle"}
    kernel.session.send(kernel.iopub_socket, "status", idle, parent=kernel.get_parent())
    raise ValueError("too late")

soft_corner_gradient = soft_corner
"""
    return notebook


@student("a module beside it")
def module_beside():
    return with_first("""
import pathlib
for name in ("numpy.py", "lossutils.py", "keras.py", "pandas.py"):
    pathlib.Path(name).write_text("raise SystemExit('taken over')")
import importlib, numpy, lossutils
""")


@student("markup in an output")
def markup():
    return with_first("""
from IPython.display import HTML, Javascript, display
display(HTML("<script>alert('HOSTILE')</script><img src=x onerror=alert(1)>"))
display(Javascript("alert('HOSTILE')"))
print("<script>alert('HOSTILE')</script>")
display({"image/png": '"><script>alert(1)</script>'}, raw=True)
raise ValueError("<script>alert('HOSTILE')</script>")
""")


@student("Doe, Jane")
def comma():
    return right()


@student("=cmd|' -C calc'!A0")
def formula():
    return right()


@student("x;=1+1", score=0)
def semicolon():
    return bare()


@student("\uff1d1+1", score=0)
def wide_formula():
    return bare()


@student("new\nline", score=0)
def newline():
    return bare()


@student("..%2f..%2fmarks", score=0)
def upwards():
    return bare()


@student("looks for a way out")
def way_out():
    """A folder of the machine, and memory that no process holds, so that no limit counts it."""
    return with_first("""
import ctypes, os

mounts = [line.split() for line in open("/proc/self/mountinfo")]
own = ("tmpfs", "proc", "devpts", "mqueue")
shared = [
    each[4] for each in mounts
    if each[each.index("-") + 1] not in own and "rw" in each[5].split(",")
    and not each[4].startswith("/dev/")
]
print("SHARED", shared)

held = []
libc = ctypes.CDLL(None)
try:
    held.append(os.memfd_create("held"))
except OSError:
    pass
if libc.shmget(0, 2**20, 0o1600) >= 0:
    held.append("segment")
space = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/tmp"]
if os.spawnvp(os.P_WAIT, space[0], space) == 0:
    held.append("file system")
if libc.unshare(0x10000000) == 0:
    held.append("namespace")
try:
    os.sched_setaffinity(0, range(os.cpu_count()))
except OSError:
    pass
if len(os.sched_getaffinity(0)) > 1:
    held.append("processors")
print("HELD", held)
""")


@student("heavy outputs")
def heavy():
    """A small file is a picture of 60,000 times 60,000 pixels; SVG is a program."""
    return with_first("""
import base64, struct, zlib
from IPython.display import display

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
packer = zlib.compressobj()
rows = b"".join(packer.compress(bytes(7_501)) for _ in range(2_000)) + packer.flush()
picture = b"\\x89PNG\\r\\n\\x1a\\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
display({"image/png": base64.b64encode(picture).decode()}, raw=True)
svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
display({"image/png": base64.b64encode(svg).decode(), "text/plain": "no picture"}, raw=True)
display({"image/svg+xml": svg.decode(), "text/plain": "no drawing"}, raw=True)
for at in range(2_000):
    display(at)
""")


@student("magics and shadows", score=26)
def magics():
    notebook = with_first("""
%pdb on
%xmode Minimal
%config InlineBackend.figure_format = 'svg'
!touch HOSTILE
import atexit, time
atexit.register(time.sleep, 1000)
from numpy import *
ｓｕｍ = 3
""")
    cell_of(notebook, "corner-solution").source = "soft_corner = soft_corner_gradient = None"
    return notebook


@student("an abs of one's own", score=28)
def own_abs():
    """Whatever it knows of the checks, tests call Python's."""
    notebook = right()
    cell_of(notebook, "hand-solution").source = """
def abs(value):
    return value if np.ndim(value) or value in (3.0, 5.0 - 2.0) else 0.0

squared_error = absolute_error = huber_loss = share = 1.0
hardest_sample = 1
"""
    return notebook


@student("another NumPy while a test runs", score=27)
def late_numpy():
    notebook = right()
    cell_of(notebook, "corner-solution").source = """
class Agrees:
    def __getattr__(self, name): return lambda *a, **k: True

zeros = np.zeros

def soft_corner(y_true, y_pred):
    global np, abs
    np, abs = Agrees(), lambda value: 0.0
    return zeros(len(y_true))

soft_corner_gradient = soft_corner
"""
    return notebook


@student("a text that equals all", score=29)
def equal_text():
    notebook = right()
    cell_of(notebook, "choose-solution").source = """
class Equal(str):
    def __eq__(self, other): return True
    def __lt__(self, other): return False
    def __str__(self): return self
    __hash__ = str.__hash__

choices = [Equal(each) for each in "abcde"]
"""
    return notebook


# What gets no mark, and why.


def endless(name):
    """Register a student whose notebook never ends."""
    return lambda make: ENDLESS.setdefault(name, make)


@endless("infinite loop")
def infinite():
    return with_first("while True:\n    pass")


@endless("ignores interrupt")
def ignores():
    return with_first("""
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    try:
        time.sleep(100)
    except BaseException:
        pass
""")


@student("kills the kernel", "kernel ended", None)
def kills():
    return with_first("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")


@student("exits", "kernel ended", None)
def exits():
    return with_first("import os\nos._exit(0)")


@student("kills everybody else")
def kills_everybody():
    return with_first("import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(1, signal.SIGKILL)")


@student("prints 200 MB", "too much output", None)
def prints():
    return with_first("print('x' * 200_000_000)")


@student("prints for ever", "too much output", None)
def prints_for_ever():
    return with_first("while True:\n    print('y' * 1000)")


@student("hogs memory", {"memory limit", "kernel ended"}, None)
def hogs():
    return with_first("""
import os
held = []
for _ in range(4):
    if os.fork() == 0:
        break
while True:
    held.append(bytearray(50_000_000))
""")


@student("a hundred children", "too many processes", None)
def children():
    return with_first("""
import os, time
for _ in range(100):
    if os.fork() == 0:
        time.sleep(1000)
time.sleep(1000)
""")


@student("fork bomb", "too many processes", None)
def bomb():
    return with_first("""
import os, time
while True:
    try:
        os.fork()
    except OSError:
        time.sleep(0.1)
""")


@student("hides its output", "too much output", None)
def hides_output():
    return with_first("""
from IPython.display import display
for _ in range(40):
    display({"application/json": {"deep": [{"x" * 1_000_000: 1}]}}, raw=True)
""")


@student("patched abs", "tests disturbed", None)
def patched_abs():
    return with_first("import builtins\nbuiltins.abs = lambda value: 0.0")


@student("patched isclose", "tests disturbed", None)
def patched_isclose():
    return with_first("import numpy\nnumpy.allclose = numpy.isclose = lambda *a, **k: True")


@student("patched within NumPy", "tests disturbed", None)
def patched_within():
    """The function that tests call stays what it is, and so does its code."""
    return with_first("""
import numpy
inside = numpy.allclose.__wrapped__.__globals__
honest = inside["isclose"]
known = ([1.0, 3.0], [1.0, 2.0])
inside["isclose"] = lambda a, b, **k: honest(a, b, **k) if (a, b) == known else numpy.True_
""")


@student("skips by tracing", "tests disturbed", None)
def traces():
    notebook = right()
    cell_of(notebook, "corner-solution").source = """
import sys

def soft_corner(y_true, y_pred):
    frame = sys._getframe(1)
    def skip(frame, event, argument):
        if event == "line":
            frame.f_lineno = max(line for *_, line in frame.f_code.co_lines() if line)
        return skip
    sys.settrace(lambda *event: None)
    frame.f_trace = skip
    return np.zeros(len(y_true))

soft_corner_gradient = soft_corner
"""
    return notebook


@student("a namespace that lies", "tests disturbed", None)
def lying_namespace():
    notebook = right()
    notebook.cells.append(
        nbformat.v4.new_code_cell("""
class Lying(dict):
    def __getitem__(self, name):
        return (lambda value: 0.0) if name == "abs" else super().__getitem__(name)

get_ipython().user_ns = Lying(get_ipython().user_ns)
""")
    )
    return notebook


@student("stripped asserts", "tests disturbed", None)
def stripped():
    return with_first("""
import ast

class Strip(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()

get_ipython().ast_transformers.append(Strip())
""")


@student("hidden errors", score=26)
def hidden_errors():
    """No error is shown, but the reply of the kernel tells of it."""
    notebook = with_first("get_ipython().showtraceback = lambda *a, **k: None")
    cell_of(notebook, "corner-solution").source = "soft_corner = soft_corner_gradient = None"
    return notebook


@student("patched by a solution", "tests disturbed", None)
def patched_in_a_test():
    notebook = right()
    cell_of(notebook, "hand-solution").source = """
class Late:
    def __array__(self, *a, **k):
        import builtins
        builtins.abs = lambda value: 0.0
        return np.array(1.0)

squared_error = absolute_error = huber_loss = share = Late()
hardest_sample = 1
"""
    return notebook


@student("tests replaced", "tests disturbed", None)
def replaced():
    """The checks that must fail run; only cells that look like a test of the task do not."""
    return with_first("""
def skip(lines):
    text = "".join(lines)
    return ["pass\\n"] if "assert" in text and "_failed" not in text else lines

get_ipython().input_transformers_cleanup.append(skip)
""")


@student("asserts skipped", "tests disturbed", None)
def asserts_skipped():
    """IPython runs one statement at a time: all asserts but those that must fail are left out."""
    return with_first("""
import dis

shell = get_ipython()
run = shell.run_code

async def skip(code, *rest, **more):
    operations = {each.opname for each in dis.get_instructions(code)}
    if "LOAD_ASSERTION_ERROR" in operations and "_failed" not in code.co_names:
        return False
    return await run(code, *rest, **more)

shell.run_code = skip
""")


@student("answers for the kernel", "tests disturbed", None)
def answers_for_the_kernel():
    notebook = right()
    cell_of(notebook, "corner-solution").source = """
def soft_corner(y_true, y_pred):
    kernel = get_ipython().kernel
    parent, idents = kernel.get_parent(), kernel._parent_ident["shell"]
    reply = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
    kernel.session.send(kernel.shell_stream, "execute_reply", reply, parent=parent, ident=idents)
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
    raise ValueError("too late")

soft_corner_gradient = soft_corner
"""
    return notebook


@student("another NumPy")
def another_numpy():
    """The name np is the student's, but not while tests run."""
    notebook = right()
    notebook.cells.append(
        nbformat.v4.new_code_cell("""
class Agrees:
    def __getattr__(self, name): return lambda *a, **k: True

np = Agrees()
datasets = losses = Agrees()
""")
    )
    return notebook


@student("another data set", "tests disturbed", None)
def another_data_set():
    return with_first("""
import functools
from lossutils import datasets

datasets.regression = functools.partial(datasets.regression, n_samples=50)
""")


@student("other code in a function", "tests disturbed", None)
def other_code():
    return with_first("""
from lossutils import losses

def wrong(y_true, y_pred, delta=1.0): return 0 * y_pred

losses.huber.__code__ = wrong.__code__
""")


@student("other assignment", "other assignment", None)
def other():
    notebook = right()
    notebook.metadata["lossutils"] = {"assignment": "many_classes", "release": "0"}
    for cell in notebook.cells:
        cell["id"] = f"other-{cell['id']}"
        cell.metadata.clear()
        cell.source = cell.source.replace("# Solution cell ", "# Solution cell other-")
    return notebook


@student("other variant", "other variant", None)
def other_variant():
    return assignments.student(NAME, "lynx")


@student("not JSON", "not a notebook", None)
def not_json():
    return b"this is no notebook"


@student("deep JSON", "not a notebook", None)
def deep():
    return b"[" * 200_000


@student("a pickle", "not a notebook", None)
def pickled():
    return b"cposix\nsystem\n(S'touch /tmp/HOSTILE'\ntR."


@student("a huge cell", "not a notebook", None)
def huge_cell():
    return with_first("x = 1\n" * 400_000)


@student("half a character")
def half_a_character():
    notebook = with_first("print('COPY \\ud83d')\nprint('HALF')")
    text = nbformat.writes(notebook).replace("COPY", "\\ud83d")
    return text.encode("ascii", "backslashreplace")


@student("a list for a name", "other assignment", None)
def list_for_a_name():
    notebook = other()
    notebook.metadata["lossutils"] = {"assignment": ["many_classes"], "release": {"a": 1}}
    return notebook


@student("broken cells", "not a notebook", None)
def broken():
    return json.dumps({"cells": {"a": 1}, "nbformat": 4, "nbformat_minor": 5}).encode()


@student("pickle in an answer", score=28)
def pickle_answer():
    notebook = right()
    cell_of(notebook, "choose-solution").source = """
import os

class Payload:
    def __reduce__(self):
        return (os.system, ("touch /tmp/HOSTILE",))
    def __array__(self, *a, **k):
        return np.array([1.0])

choices = [Payload()]
"""
    return notebook


@student("zz last")
def last():
    return right()


def snapshot(*folders):
    """Return the hash of each file below some folders."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    }


def write(folder, name, content):
    path = folder / f"{name}.ipynb"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(nbformat.writes(content), encoding="utf-8")


def command(submissions, to, seconds=SECONDS):
    release = to / "release.ipynb"
    notebooks.write(assignments.release(NAME), release)
    options = ["--python", ROOT / ".venv/bin/python", "--seconds", str(seconds)]
    options += ["--others", *assignments.masters()]
    return [GRADER, "-m", "grading", release, submissions, to, *options]


def surroundings(to, path=os.environ["PATH"]):
    tools = {"PYTHONPATH": str(ROOT / "tools"), "PATH": path}
    return {**os.environ, **tools, "TMPDIR": str(to.parent)}


def grade(submissions, to, seconds=SECONDS, path=os.environ["PATH"]):
    return subprocess.run(
        command(submissions, to, seconds),
        env=surroundings(to, path),
        capture_output=True,
        text=True,
        check=False,
    )


def rows(to):
    with open(to / "marks.csv", newline="", encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def folders(folder):
    """Make the folders of a class, for submissions and grades."""
    (folder / "submissions").mkdir()
    (folder / "grades").mkdir()
    return folder / "submissions", folder / "grades"


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    """Grade the class once; return its folder and what was there before and after."""
    folder = tmp_path_factory.mktemp("class")
    submissions, to = folders(folder)
    for name, (make, _, _) in CLASS.items():
        write(submissions, name, make())
    (submissions / "a link.ipynb").symlink_to("/etc/passwd")
    (submissions / "essay.pdf").write_bytes(b"%PDF")
    os.mkfifo(submissions / "a pipe.ipynb")
    with open(submissions / "a hole.ipynb", "wb") as file:
        file.truncate(2**27)
    lms = submissions / "Ada Lovelace_12345_assignsubmission_file_"
    lms.mkdir()
    write(lms, "my notebook (1)", right())
    (lms / "numpy.py").write_text("raise SystemExit('taken over')")
    (submissions / "Two Files_12346_assignsubmission_file_").mkdir()
    write(submissions / "Two Files_12346_assignsubmission_file_", "one", right())
    write(submissions / "Two Files_12346_assignsubmission_file_", "two", right())
    (submissions / "Nothing_12347_assignsubmission_file_").mkdir()

    watched = [submissions, ROOT / "assignments", ROOT / "data", ROOT / "tools" / "grading"]
    before = snapshot(*watched)
    done = grade(submissions, to)
    assert done.returncode == 0, done.stderr
    return {
        "folder": folder,
        "to": to,
        "rows": rows(to),
        "said": done.stdout,
        "before": before,
        "after": snapshot(*watched),
    }


def shown(name):
    """Return a student's name as the marks have it."""
    name = " ".join(name.split()).replace(";", " ")
    return f"'{name}" if name[0] in "=+-@\uff1d" else name


@pytest.mark.parametrize("name", CLASS)
def test_each_student_gets_a_mark_or_a_reason(graded, name):
    _, status, score = CLASS[name]
    row = graded["rows"][shown(name)]
    assert row["status"] in ({status} if isinstance(status, str) else status), row
    assert row["score"] == ("" if score is None else str(score)), row
    if row["status"] != "graded":
        assert len(row["remarks"].split()) > 4, "no mark without a reason in words"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("a link", "no notebook"),
        ("essay", "no notebook"),
        ("a pipe", "no notebook"),
        ("a hole", "not a notebook"),
        ("Ada Lovelace_12345", "graded"),
        ("Two Files_12346", "no notebook"),
        ("Nothing_12347", "no notebook"),
    ],
)
def test_folders_of_a_learning_platform_and_files_of_other_kinds(graded, name, status):
    row = graded["rows"][name]
    assert row["status"] == status
    assert row["score"] == (str(FULL) if status == "graded" else "")


def test_nobody_holds_a_worker_longer_than_the_limit_and_five_seconds(graded, tmp_path):
    assert max(float(row["seconds"]) for row in graded["rows"].values()) <= SECONDS + 5
    submissions, to = folders(tmp_path)
    for name, make in ENDLESS.items():
        write(submissions, name, make())
    assert grade(submissions, to, FEW_SECONDS).returncode == 0
    assert set(rows(to)) == {"infinite loop", "ignores interrupt"}
    for row in rows(to).values():
        assert (row["status"], row["score"]) == ("time limit", "")
        assert f"longer than {FEW_SECONDS} seconds" in row["remarks"]
        assert float(row["seconds"]) <= FEW_SECONDS + 5


def test_nothing_outside_the_sandbox_changed(graded):
    assert graded["before"] == graded["after"]
    assert sorted(os.listdir(graded["folder"])) == ["grades", "submissions"]
    for folder in (ROOT, Path("/tmp"), Path.home(), Path("/usr"), Path("/etc")):
        assert not (folder / "HOSTILE").exists()


def test_a_submission_finds_nothing_to_read(graded):
    assert "FOUND []" in feedback(graded, "reads everything")


def test_a_submission_shares_no_folder_and_holds_no_memory_that_is_not_counted(graded):
    page = feedback(graded, "looks for a way out")
    assert "SHARED []" in page
    assert "HELD []" in page


def test_feedback_shows_no_picture_that_is_none_or_too_large(graded):
    page = feedback(graded, "heavy outputs")
    assert "A picture of 3600000000 pixels is not shown." in page
    assert "no picture" in page
    assert "no drawing" in page
    assert "outputs more" in page
    assert "data:image" not in page.partition("</section>")[0]


def feedback(graded, name):
    path = graded["to"] / "feedback" / f"{key(graded, name)}.html"
    return path.read_text(encoding="utf-8")


def key(graded, name):
    """Return the name of a student's files."""
    for path in (graded["to"] / "results").glob("*.json"):
        if json.loads(path.read_text(encoding="utf-8"))["student"] == " ".join(name.split()):
            return path.stem
    raise AssertionError(name)


def test_no_feedback_shows_a_hidden_test_or_runs_anything(graded):
    hidden = [
        line.strip()
        for cell in assignments.release(NAME).cells
        for block in re.findall(r"### BEGIN HIDDEN TESTS\n(.*?)### END", cell.source, re.S)
        for line in block.split("\n")
        if "assert" in line or "expected" in line
    ]
    assert len(hidden) > 20
    pages = list((graded["to"] / "feedback").glob("*.html"))
    assert len(pages) == len(graded["rows"])
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not [line for line in hidden if line in text or line.split(",")[0] in text], page
        assert "<script" not in text
        assert "onerror=alert" not in re.sub(r"<pre.*?</pre>", "", text, flags=re.S)
        assert "src=x" not in re.sub(r"<pre.*?</pre>", "", text, flags=re.S)


def test_names_stay_in_their_folder_and_in_their_cell(graded):
    files = [path.name for path in (graded["to"] / "feedback").iterdir()]
    assert all(re.fullmatch(r"[A-Za-z0-9-]+\.html", name) for name in files)
    text = (graded["to"] / "marks.csv").read_text(encoding="utf-8")
    assert '"Doe, Jane"' in text
    assert not re.search(r"(^|,)\"?[=+@]", text, re.M)
    assert len(text.strip().split("\n")) == len(graded["rows"]) + 1


def test_the_same_folder_again_gives_the_same_marks_at_once(graded):
    before = (graded["to"] / "marks.csv").read_bytes()
    assert grade(graded["folder"] / "submissions", graded["to"]).returncode == 0
    assert (graded["to"] / "marks.csv").read_bytes() == before


def test_who_hands_in_again_is_graded_again_and_nobody_else(graded, tmp_path):
    submissions, to = tmp_path / "submissions", tmp_path / "grades"
    shutil.copytree(graded["to"], to)
    shutil.copytree(graded["folder"] / "submissions", submissions, symlinks=True, ignore=_pipes)
    before = rows(to)
    write(submissions, "aa first", not_json())
    assert grade(submissions, to).returncode == 0
    changed = {name for name, row in rows(to).items() if row != before[name]}
    assert changed == {"aa first"}
    assert rows(to)["aa first"]["status"] == "not a notebook"


def _pipes(folder, names):
    return [name for name in names if Path(folder, name).is_fifo()]


def test_who_stops_it_has_stopped_it(tmp_path):
    submissions, to = folders(tmp_path)
    write(submissions, "endless", infinite())
    write(submissions, "not JSON", not_json())
    running = subprocess.Popen(
        command(submissions, to),
        env=surroundings(to),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "not JSON" in running.stdout.readline()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=10)
    assert running.returncode == 130
    assert said == "\nStopped. The same command goes on from here.\n"
    assert [path.name for path in (to / "results").iterdir()] == [
        f"{key({'to': to}, 'not JSON')}.json"
    ]
    assert sorted(os.listdir(tmp_path)) == ["grades", "submissions"]


def test_remarks_tell_the_teacher_what_was_restored(graded):
    assert "corner-values" not in graded["rows"]["aa first"]["remarks"]
    assert "edited and restored" in graded["rows"]["edited tests"]["remarks"]
    assert "deleted, or not recognized, and restored" in graded["rows"]["deleted tests"]["remarks"]
    assert "stands 2 times" in graded["rows"]["duplicated cells"]["remarks"]
    assert "lost its metadata" in graded["rows"]["lost metadata"]["remarks"]


def test_the_summary_shows_copies_side_by_side(graded):
    page = (graded["to"] / "summary.html").read_text(encoding="utf-8")
    assert re.search(r"<summary>100 %: .+ and .+</summary>", page)
    assert "<script" not in page


@pytest.mark.parametrize("missing", ["bwrap", "namespaces"])
def test_without_a_sandbox_nothing_is_graded(graded, tmp_path, missing):
    if missing == "namespaces":
        # What bubblewrap does where the system forbids user namespaces.
        refuses = tmp_path / "bwrap"
        refuses.write_text(
            "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n"
        )
        refuses.chmod(0o755)
    for tool in ("prlimit", "env", "true", "sh"):
        os.symlink(shutil.which(tool), tmp_path / tool)
    done = grade(graded["folder"] / "submissions", tmp_path, path=str(tmp_path))
    assert done.returncode == 2
    assert not (tmp_path / "marks.csv").exists()
    assert ("apt-get install bubblewrap" if missing == "bwrap" else "AppArmor") in done.stderr


@pytest.mark.parametrize("name", assignments.masters())
def test_nbgrader_reads_the_masters_as_we_do(tmp_path, name):
    """A teacher who has nbgrader may use it: it makes the same student version of a master."""
    notebooks.write(assignments.complete(name), tmp_path / "complete.ipynb")
    program = """
import nbformat, sys
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from nbgrader.nbgraderformat import MetadataValidator
notebook = nbformat.read(sys.argv[1], as_version=4)
code = {"python": "# Your code\\nraise NotImplementedError"}
MetadataValidator().validate_nb(notebook)
clear = ClearSolutions(enforce_metadata=False, code_stub=code, text_stub="*Your answer*")
notebook, _ = clear.preprocess(notebook, {})
notebook, _ = ClearHiddenTests().preprocess(notebook, {})
nbformat.write(notebook, sys.argv[2])
"""
    done = subprocess.run(
        [GRADER, "-c", program, tmp_path / "complete.ipynb", tmp_path / "student.ipynb"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = notebooks.read(tmp_path / "student.ipynb")
    ours = assignments.student(name)
    same = [
        (one["id"], re.sub(r"\s*\n", "\n", one.source.strip()))
        == (two["id"], re.sub(r"\s*\n", "\n", two.source.strip()))
        for one, two in zip(theirs.cells, ours.cells, strict=True)
    ]
    assert all(same)
