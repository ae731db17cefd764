"""What tests share: memory given back between files, and the book, built once."""

import ctypes
import gc
import subprocess
import sys
from pathlib import Path

import notebooks
import pytest


@pytest.fixture(scope="module", autouse=True)
def _memory_given_back():
    """Forget what a file of tests has traced and compiled; a worker would grow beyond 2 GB."""
    yield
    repetition = sys.modules.get("lossutils.training._repetition")
    if repetition is None:
        return
    import keras

    repetition._programs.clear()
    keras.backend.clear_session()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # the C library keeps freed memory for itself


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the finished build of the book, and the folder that it filled."""
    folder = tmp_path_factory.mktemp("book")
    command = [
        Path(sys.executable).with_name("jupyter-book"),
        *("build", "book", "--config", "_config.yml", "--toc", notebooks.ROOT / "_toc.yml"),
        *("--path-output", folder, "-W", "-n", "--keep-going"),
    ]
    build = subprocess.run(command, cwd=notebooks.ROOT, capture_output=True, text=True)
    return build, folder / "_build" / "html"


@pytest.fixture(scope="session")
def html(built):
    """Return the folder of the book's pages."""
    build, folder = built
    assert (folder / "index.html").is_file(), build.stderr[-2000:]
    return folder
