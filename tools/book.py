"""Build the HTML pages of the book from the stored outputs, and say where they are.

    python tools/book.py [--all -W -n --keep-going]

What follows the name of the script goes to `jupyter-book build`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INDEX = ROOT / "_build" / "html" / "index.html"


def main(options):
    """Build the pages; return the exit code of the build."""
    program = shutil.which("jupyter-book", path=Path(sys.executable).parent)
    if program is None:
        print("Jupyter Book is missing: python -m pip install --no-deps -r requirements-book.txt")
        return 1
    print("Building the pages of the book from the stored outputs: about a minute.", flush=True)
    (ROOT / "_build").mkdir(exist_ok=True)
    # From the root as source, Jupyter Book would also publish Markdown that lies in .venv; a
    # relative --toc would be looked for below book/.
    places = ["--config", "_config.yml", "--toc", ROOT / "_toc.yml", "--path-output", "."]
    code = subprocess.run(
        [program, "build", "book", *places, *options], cwd=ROOT, check=False
    ).returncode
    if not INDEX.is_file():
        print("The build left no index.html.", file=sys.stderr)
        return code or 1
    print(f"\nThe book is in _build/html. Open this file in a browser:\n    {INDEX}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
