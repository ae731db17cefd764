"""`make chapter` writes what an author can start from: a notebook that runs and is well built."""

import shutil
import subprocess
import sys

import new_chapter
import notebooks
import pytest
import refresh

ROOT = notebooks.ROOT


@pytest.fixture
def tree(tmp_path):
    """Return a copy of what the tests of the structure look at."""
    for name in ("tools", "book", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "baseline")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    (tmp_path / "lossutils").mkdir()
    for path in (ROOT / "lossutils" / "__init__.py", *ROOT.glob("*.*")):
        if path.is_file():
            shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return tmp_path


def make_chapter(tree, name):
    command = [sys.executable, "tools/new_chapter.py", name]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


def test_skeleton_passes_the_tests_of_the_structure(tree):
    assert make_chapter(tree, "regression/log_cosh").returncode == 0
    tests = [
        *(
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/test_notebooks.py",
        ),
        *("-k", "log_cosh or table_of_contents or unique"),
    ]
    result = subprocess.run(tests, cwd=tree, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:]
    assert "log_cosh" in (tree / "_toc.yml").read_text(encoding="utf-8")


def test_skeleton_runs(tmp_path):
    path = tmp_path / "a_new_loss.ipynb"
    notebooks.write(new_chapter.skeleton("binary/a_new_loss"), path)
    refresh.refresh(path, timeout=300)
    outputs = [output for cell in notebooks.read(path).cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert any("Squared error" in output.get("text", "") for output in outputs)


def test_a_comparison_stays_the_end_of_its_part():
    toc = "  - chapters:\n      - file: binary/hinge\n      - file: binary/comparing\n"
    new = "      - file: binary/new\n"
    assert new_chapter.with_line(toc, "binary/new") == toc.replace(
        "      - file: binary/comparing\n", new + "      - file: binary/comparing\n"
    )


@pytest.mark.parametrize("name", ["log_cosh", "regression/Log-Cosh", "elsewhere/log_cosh"])
def test_what_is_no_name_is_refused(tree, name):
    result = make_chapter(tree, name)
    assert result.returncode == 2
    assert "PART/NAME" in result.stderr


def test_a_chapter_that_is_there_stays(tree):
    assert "is there already" in make_chapter(tree, "regression/huber").stderr
