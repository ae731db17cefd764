"""Measure the memory of each notebook alone, and write it into memory.md.

    python benchmarks/memory.py [--python ENVIRONMENT/bin/python] [NOTEBOOK …]

Binder gives a notebook 2 GB, of which its server takes some 0.2. What is measured is the largest
resident memory of the kernel with its children, polled ten times a second. A notebook that is not
measured keeps its row.
"""

import argparse
import platform
import re
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1] / "tools"
sys.path.insert(0, str(TOOLS))

import alone  # noqa: E402
import notebooks  # noqa: E402

TABLE = Path(__file__).with_name("memory.md")
LIMIT = 1500  # megabytes


def stored():
    """Return the measurements in memory.md: megabytes by the name of a notebook."""
    if not TABLE.exists():
        return {}
    rows = re.findall(r"^\| (\S+/\S+) \| (\d+) \|$", TABLE.read_text("utf-8"), re.M)
    return {name: int(megabytes) for name, megabytes in rows}


def name_of(path):
    """Return the name of a notebook in the table."""
    return path.relative_to(notebooks.BOOK).with_suffix("").as_posix()


def table(measured, versions):
    """Return the measurements as Markdown, the largest first."""
    above = sum(megabytes > LIMIT for megabytes in measured.values())
    lines = [
        "# Memory of the notebooks",
        "",
        "The largest resident memory of each notebook's kernel, alone in an empty folder, as",
        "`benchmarks/memory.py` measures it.",
        "",
        f"{versions}, {platform.system()} {platform.machine()}. "
        f"Above {LIMIT} MB: {above} of {len(measured)}.",
        "",
        "| notebook | MB |",
        "|---|---:|",
    ]
    for name, megabytes in sorted(measured.items(), key=lambda row: -row[1]):
        lines.append(f"| {name} | {megabytes} |")
    return "\n".join(lines) + "\n"


def versions_of(python):
    """Return the versions that matter of another Python, as a text."""
    code = (
        "import importlib.metadata as m, platform, re\n"
        "found = {d.name: d.version for d in m.distributions()}\n"
        "names = [n for n in sorted(found) if re.fullmatch('keras|tensorflow(-cpu)?', n)]\n"
        "shown = [f'{n} {found[n]}' for n in names]\n"
        "print(', '.join([f'Python {platform.python_version()}', *shown]))"
    )
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def main(arguments=None):
    """Measure the notebooks that are named, or all; return how many are above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("notebook", nargs="*", type=Path, help="all of the book, if none is named")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs them")
    options = parser.parse_args(arguments)
    versions = versions_of(options.python)
    there = {name_of(path) for path in notebooks.in_book()}
    for path in [path.resolve() for path in options.notebook] or notebooks.in_book():
        [run] = alone.run_all([path], options.python)
        measured = {name: row for name, row in stored().items() if name in there}
        measured[name_of(path)] = round(run.peak / 10**6)
        TABLE.write_text(table(measured, versions), encoding="utf-8")
    return sum(megabytes > LIMIT for megabytes in stored().values())


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
