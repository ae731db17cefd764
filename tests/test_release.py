"""A release is checked before it is tagged, and its version is written everywhere at once."""

import re
import shutil
import subprocess
import sys

import notebooks
import pytest

ROOT = notebooks.ROOT
COPIED = ["pyproject.toml", "README.md", "CITATION.cff", "CHANGELOG.md", "_toc.yml"]
FORK = "https://github.com/a-teacher/losses-2027"


def run(folder, *command):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def tree(tmp_path):
    """Return a repository of its own with two notebooks and an address."""
    for name in COPIED:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pyc*"))
    for name in ("lossutils/__init__.py", "book/binary/hinge.ipynb", "book/regression/huber.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".gitignore").write_text("__pycache__\n", encoding="utf-8")
    changes = (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8")
    section = "## 7.8.9 (not released)\n\n- Something new.\n\n## "
    (tmp_path / "CHANGELOG.md").write_text(changes.replace("## ", section, 1), encoding="utf-8")
    assert run(tmp_path, sys.executable, "tools/set_repository.py", FORK).returncode == 0
    run(tmp_path, "git", "init", "--quiet", "--initial-branch=main")
    return tmp_path


def commit(tree):
    run(tree, "git", "add", "--all")
    identity = ["-c", "user.name=a keeper", "-c", "user.email=keeper@repository.invalid"]
    assert run(tree, "git", *identity, "commit", "--quiet", "--message", "All").returncode == 0


def prepare(tree):
    result = run(tree, sys.executable, "tools/release.py", "7.8.9", "--prepare")
    assert result.returncode == 0, result.stderr


def faults(tree):
    code = "import sys; sys.path[:0] = ['tools']; import release; print(*release.faults('7.8.9'))"
    result = run(tree, sys.executable, "-c", code)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_prepare_writes_the_version_wherever_it_is_repeated(tree):
    prepare(tree)
    text = {path: (tree / path).read_text(encoding="utf-8") for path in COPIED}
    day = re.search(r"## 7\.8\.9 \((\d{4}-\d\d-\d\d)\)", text["CHANGELOG.md"])[1]
    assert f"version: 7.8.9\ndate-released: {day}\n" in text["CITATION.cff"]
    assert "/blob/v7.8.9/" in text["README.md"]
    for path in tree.rglob("*.ipynb"):
        assert f"git+{FORK}@v7.8.9" in path.read_text(encoding="utf-8"), path.name


def test_a_release_without_fault(tree):
    prepare(tree)
    commit(tree)
    assert faults(tree) == ""


def test_what_is_not_prepared_is_no_release(tree):
    commit(tree)
    found = faults(tree)
    assert "PREPARE=1" in found
    assert "where its day belongs" in found
    assert "CITATION.cff" in found or "not released" in found


def test_what_is_not_committed_is_no_release(tree):
    prepare(tree)
    commit(tree)
    (tree / "README.md").write_text("Half a thought", encoding="utf-8")
    assert "not committed" in faults(tree)


def test_a_tag_never_moves(tree):
    prepare(tree)
    commit(tree)
    run(tree, "git", "tag", "v7.8.9")
    assert "is there already" in faults(tree)


def test_no_release_without_an_address(tree):
    prepare(tree)
    run(tree, sys.executable, "tools/set_repository.py", "")
    commit(tree)
    assert "has no address" in faults(tree)


@pytest.mark.parametrize("version", ["", "v1.0.0", "1.0", "1.0.0rc1"])
def test_what_is_no_version_is_refused(tree, version):
    result = run(tree, sys.executable, "tools/release.py", version)
    assert result.returncode == 2
    assert "such as 0.2.0" in result.stderr
