"""What tests share: memory given back between files, and the book, built once."""

import ctypes
import gc
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import notebooks
import pytest

MEMORY_LEFT_ALONE = 900e6  # bytes; giving it back takes seconds


def _memory_used():
    """Return the bytes that this process occupies; infinite where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text("utf-8").split()[1]
    except OSError:
        return math.inf
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module", autouse=True)
def _memory_given_back():
    """Forget what a file of tests has traced and compiled; a worker would grow beyond 2 GB."""
    yield
    repetition = sys.modules.get("lossutils.training._repetition")
    if repetition is None or _memory_used() < MEMORY_LEFT_ALONE:
        return
    import keras

    repetition._programs.clear()
    keras.backend.clear_session()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # the C library keeps freed memory for itself


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
