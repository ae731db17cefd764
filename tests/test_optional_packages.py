"""A notebook that needs an optional package is left out where that is missing, in one line."""

import importlib.util
import subprocess
import sys

import notebooks
import pytest
import refresh

NEEDS_TORCH = "book/practice/keras_tensorflow_pytorch.ipynb"


def write(path, source):
    cells = [
        notebooks.nbformat.v4.new_markdown_cell("import torch"),
        notebooks.nbformat.v4.new_code_cell(source),
    ]
    notebooks.write(notebooks.nbformat.v4.new_notebook(cells=cells), path)


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("import torch", ["torch"]),
        ("import numpy\nimport torch.nn.functional as F", ["torch"]),
        ("if True:\n    from torch import nn\nimport optax", ["torch", "optax"]),
        ("%pip list\nimport keras", []),
        ("import torchvision", []),
        ("import misspelled", []),
        ("# import torch", []),
    ],
)
def test_missing_packages_are_those_that_the_code_imports(tmp_path, monkeypatch, source, needed):
    write(tmp_path / "one.ipynb", source)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert notebooks.missing_packages(tmp_path / "one.ipynb") == needed
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: "found")
    assert notebooks.missing_packages(tmp_path / "one.ipynb") == []


def test_without_torch_its_notebook_is_left_out_in_one_line():
    arguments = ["--nbval", "--nbval-current-env", "-q", "-p", "no:cacheprovider", NEEDS_TORCH]
    without_torch = (
        "import sys, pytest; sys.modules['torch'] = None; sys.exit(pytest.main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", without_torch, *arguments],
        cwd=notebooks.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    said = [line.strip() for line in result.stdout.splitlines() if NEEDS_TORCH in line]
    assert said == [f"left out  {NEEDS_TORCH}: needs torch, which make frameworks installs"]
    assert "passed" not in result.stdout


def test_refresh_leaves_out_what_it_cannot_run(tmp_path, monkeypatch, capsys):
    path = tmp_path / "one.ipynb"
    write(path, "import torch")
    before = path.read_bytes()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(notebooks, "in_book", lambda: [path])
    said = f"left out  {path}: needs torch, which make frameworks installs\n"
    for arguments, failures in ([], 0), ([str(path)], 1):
        assert refresh.main(arguments) == failures
        assert capsys.readouterr() == (said, "")
    assert path.read_bytes() == before
