"""Check that every pin has a wheel for each Python and system that README.md promises.

It asks the index of packages, through uv's resolver, and installs nothing.

    python tools/check_pins.py
"""

import itertools
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINS = ["requirements.txt", "requirements-book.txt"]
PYTHONS = ["3.11.0", "3.12", "3.13"]
PLATFORMS = [
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
]


def missing(uv, pins, python, platform):
    """Return what uv says of pins that it cannot install there, or an empty text."""
    command = [uv, "pip", "compile", "--quiet", "--no-annotate", "--only-binary", ":all:"]
    where = ["--python-version", python, "--python-platform", platform]
    result = subprocess.run([*command, *where, "-"], input=pins, capture_output=True, text=True)
    return result.stderr if result.returncode else ""


def main():
    """Check all pins; return how many pairs of Python and system lack a wheel."""
    uv = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv")
    if uv is None:
        sys.exit("uv is missing: python -m pip install uv")
    lines = [line for name in PINS for line in (ROOT / name).read_text("utf-8").splitlines()]
    pins = "\n".join(line for line in lines if not line.startswith("-"))
    failures = 0
    for python, platform in itertools.product(PYTHONS, PLATFORMS):
        problem = missing(uv, pins, python, platform)
        failures += bool(problem)
        print(f"{'missing' if problem else 'all':>8}  Python {python:7} {platform}", flush=True)
        if problem:
            print(problem)
    return failures


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
