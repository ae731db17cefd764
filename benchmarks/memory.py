"""Measure memory and time of each notebook alone; write memory.md when all are measured.

    python benchmarks/memory.py [--python ENVIRONMENT/bin/python] [NOTEBOOK …]

Binder gives a notebook 2 GB, of which its server takes some 0.2. What is measured is the largest
resident memory of the kernel with its children, polled ten times a second.
"""

import argparse
import platform
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1] / "tools"
sys.path.insert(0, str(TOOLS))

import alone  # noqa: E402
import notebooks  # noqa: E402

TABLE = Path(__file__).with_name("memory.md")
LIMIT = 1500 * 10**6  # bytes


def table(runs, python):
    """Return the measurements as Markdown, the largest first."""
    lines = [
        "# Memory of the notebooks",
        "",
        "The largest resident memory of each notebook's kernel, alone in an empty folder, as",
        "`benchmarks/memory.py` measures it.",
        "",
        f"{python}, {platform.system()} {platform.machine()}. "
        f"Above {LIMIT / 10**6:.0f} MB: {sum(run.peak > LIMIT for run in runs)} of {len(runs)}.",
        "",
        "| notebook | MB | seconds |",
        "|---|---:|---:|",
    ]
    for run in sorted(runs, key=lambda run: run.peak, reverse=True):
        name = run.path.relative_to(notebooks.BOOK).with_suffix("")
        lines.append(f"| {name} | {run.peak / 10**6:.0f} | {run.seconds:.0f} |")
    return "\n".join(lines) + "\n"


def main(arguments=None):
    """Measure the notebooks that are named, or all; return how many are above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("notebook", nargs="*", type=Path, help="all of the book, if none is named")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs them")
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.notebook]
    runs = alone.run_all(paths or notebooks.in_book(), options.python)
    if not paths:
        asked = [options.python, "--version"]
        version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        TABLE.write_text(table(runs, version), encoding="utf-8")
    return sum(run.peak > LIMIT for run in runs)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
