"""`make book` needs what requirements-book.txt has, and none of what the package needs."""

import re
import subprocess
import sys

import notebooks

ROOT = notebooks.ROOT


def test_pages_build_where_the_package_and_what_it_needs_are_missing(tmp_path):
    pins = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    absent = {"lossutils", "sklearn", "tensorflow", *(pin.replace("-", "_") for pin in pins)}
    options = ["--config", "_config.yml", "--toc", str(ROOT / "_toc.yml")]
    build = ["build", "book", *options, "--path-output", str(tmp_path), "--quiet"]
    code = (
        "import sys\n"
        f"for name in {sorted(absent)!r}:\n"
        "    sys.modules[name] = None  # importing it fails\n"
        f"sys.argv[1:] = {build!r}\n"
        "from jupyter_book.cli.main import main\n"
        "main()\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    assert (tmp_path / "_build" / "html" / "reference" / "api.html").is_file()
