"""Importing the package is quiet, and leaves global settings alone."""

import os
import subprocess
import sys


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def test_import_and_first_training_write_nothing_to_stderr():
    result = run(
        "import lossutils, keras, numpy as np\n"
        "from lossutils import models, training\n"
        "from lossutils.datasets import circles\n"
        "model = models.mlp(2, [3], 1, activation='sigmoid')\n"
        "model.compile('sgd', 'binary_crossentropy')\n"
        "training.fit(model, circles(n_samples=20), 1, jit_compile=True)\n"
        "print(keras.config.floatx(), keras.config.dtype_policy().name)"
    )
    assert result.stdout == "float32 float32\n"
    assert result.stderr == ""


def test_stderr_works_after_the_import():
    assert run("import lossutils, sys; print('heard', file=sys.stderr)").stderr == "heard\n"


def test_a_failing_import_of_tensorflow_is_shown(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os; os.write(2, b'from deep below\\n'); raise RuntimeError('broken build')"
    )
    result = run("import lossutils", PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    assert "from deep below" in result.stderr
    assert "broken build" in result.stderr


def test_works_without_a_standard_error():
    """As in a service, or in a program without a console on Windows."""
    code = "import sys; sys.stderr = None; import lossutils; print('imported')"
    assert run(code).stdout == "imported\n"
    closed = "import os; os.close(2); import sys; sys.stderr = None; import lossutils; print('too')"
    assert run(closed).stdout == "too\n"
