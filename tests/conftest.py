"""What tests share: memory given back, and the book, built once."""

import ctypes
import gc
import os
import re
import subprocess
import sys
from pathlib import Path

import notebooks
import pytest

# Bytes above which a worker forgets what was traced, and by which it may grow before the next
# time: that takes seconds.
MEMORY_LEFT_ALONE, GROWTH = 900e6, 200e6
_left = {"bytes": MEMORY_LEFT_ALONE}


def _memory_used():
    """Return the bytes that this process occupies, or 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text("utf-8").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _give_memory_back():
    repetition = sys.modules.get("lossutils.training._repetition")
    if repetition is None or _memory_used() < _left["bytes"] + GROWTH:
        return
    repetition._programs.clear()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # the C library keeps freed memory for itself
    _left["bytes"] = _memory_used()


@pytest.fixture(autouse=True)
def _memory_given_back():
    """Forget what a test has traced and compiled; a worker would grow to 3 GB."""
    yield
    _give_memory_back()


@pytest.fixture(scope="module", autouse=True)
def _session_cleared():
    """Let Keras forget the models of a file of tests."""
    yield
    if "keras" in sys.modules and _memory_used() > MEMORY_LEFT_ALONE:
        sys.modules["keras"].backend.clear_session()
        _give_memory_back()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the finished build of the book, and the folder that it filled.

    It is built as where only what requirements-book.txt lists is installed: readers need neither
    the package nor what it imports.
    """
    folder = tmp_path_factory.mktemp("book")
    pins = re.findall(
        r"^([\w.-]+)==", (notebooks.ROOT / "requirements.txt").read_text("utf-8"), re.M
    )
    absent = {"lossutils", "sklearn", "tensorflow", *(pin.replace("-", "_") for pin in pins)}
    command = [
        *("build", "book", "--config", "_config.yml", "--toc", str(notebooks.ROOT / "_toc.yml")),
        *("--path-output", str(folder), "-W", "-n", "--keep-going"),
    ]
    code = (
        "import sys\n"
        f"for name in {sorted(absent)!r}:\n"
        "    sys.modules[name] = None  # importing it fails\n"
        f"sys.argv[1:] = {command!r}\n"
        "from jupyter_book.cli.main import main\n"
        "main()\n"
    )
    build = subprocess.run(
        [sys.executable, "-c", code], cwd=notebooks.ROOT, capture_output=True, text=True
    )
    return build, folder / "_build" / "html"


@pytest.fixture(scope="session")
def html(built):
    """Return the folder of the book's pages."""
    build, folder = built
    assert (folder / "index.html").is_file(), build.stderr[-2000:]
    return folder
