"""What the tests of the rendered pages share: the book, built once."""

import subprocess
import sys
from pathlib import Path

import notebooks
import pytest


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
