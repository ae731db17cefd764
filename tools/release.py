"""Make a release: check all that a release must be, then set its tag.

    python tools/release.py 0.2.0 --prepare   # write the version wherever it is repeated
    python tools/release.py 0.2.0             # check everything, and set the tag

The version stands in one place, lossutils/__init__.py. CITATION.cff and the set-up cells of the
notebooks repeat it; --prepare writes them, and dates the section of CHANGELOG.md. Nothing is
uploaded: the last lines say what to push.
"""

import argparse
import datetime
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import notebooks
import repository
import set_repository

ROOT = notebooks.ROOT
VERSION = re.compile(r"\d+\.\d+\.\d+")
CHECKS = ["make lint", "make test", "make test-links", "make test-versions"]


def git(*arguments):
    """Return what git prints."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def heading(version):
    """Return a pattern of the section of a version in CHANGELOG.md."""
    return re.compile(rf"^## {re.escape(version)} \(([^)]+)\)$", re.M)


def prepare(version, day):
    """Write a version and its day wherever they are repeated; return the paths that changed."""
    edits = {
        "lossutils/__init__.py": (r'^__version__ = ".*"$', f'__version__ = "{version}"'),
        "CITATION.cff": (r"^version: .*\n(date-released: .*\n)?", cited(version, day)),
        "CHANGELOG.md": (heading(version).pattern, f"## {version} ({day})"),
    }
    changed = []
    for name, (pattern, line) in edits.items():
        pattern = re.compile(pattern, re.M)
        if set_repository.change(ROOT / name, lambda text, p=pattern, n=line: p.sub(n, text)):
            changed.append(ROOT / name)
    return changed + set_repository.write(repository.stored())


def cited(version, day):
    """Return the lines of CITATION.cff for a version."""
    return f"version: {version}\ndate-released: {day}\n"


def faults(version):
    """Return what keeps the sources, as they are committed, from being the release of a version."""
    found = []
    if repository.version() != version:
        found.append(f"lossutils is {repository.version()}; PREPARE=1 writes {version}")
    changes = heading(version).search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if changes is None:
        found.append(f"CHANGELOG.md has no section “## {version} (…)”")
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", changes[1]):
        found.append(f"CHANGELOG.md says “{changes[1]}” of {version} where its day belongs")
    elif cited(version, changes[1]) not in (ROOT / "CITATION.cff").read_text(encoding="utf-8"):
        found.append("CITATION.cff has not the version and the day of CHANGELOG.md")
    if repository.stored() is None:
        found.append("the repository has no address: make repository URL=…")
    if git("status", "--porcelain"):
        found.append("something is not committed: git status")
    if git("branch", "--show-current").strip() != repository.MAIN_BRANCH:
        found.append(f"this is not the branch {repository.MAIN_BRANCH}")
    if git("tag", "--list", f"v{version}"):
        found.append(f"the tag v{version} is there already; a published tag never moves")
    source = notebooks.setup_source(notebooks.repository_address())
    for path in notebooks.in_book():
        if not any(cell.source == source for cell in notebooks.read(path).cells):
            found.append(f"{path.name} would install something else: make set-up-cells")
    return found


def build():
    """Build the source distribution and the wheel, and check what an index would check."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "build", "twine"], check=True)
        built = Path(folder, "dist")
        subprocess.run([python, "-m", "build", "--outdir", built], cwd=ROOT, check=True)
        files = sorted(built.iterdir())
        subprocess.run([python, "-m", "twine", "check", "--strict", *files], check=True)


def main(arguments=None):
    """Prepare or make a release."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--prepare", action="store_true", help="write the version, and stop")
    options = parser.parse_args(arguments)
    version = options.version
    if not VERSION.fullmatch(version):
        parser.error(f"{version!r} is not a version of three numbers, such as 0.2.0")
    if options.prepare:
        for path in prepare(version, datetime.date.today().isoformat()):
            print(path.relative_to(ROOT))
        print("Look at the difference, commit it, and run the command without PREPARE.")
        return 0
    if found := faults(version):
        print(f"This is not {version} yet:")
        print("\n".join(f"- {fault}" for fault in found))
        return 1
    for check in CHECKS:
        print(f"== {check}", flush=True)
        if subprocess.run(check.split(), cwd=ROOT, check=False).returncode:
            print(f"No release: “{check}” failed.")
            return 1
    build()
    git("tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    print(f"The tag v{version} is set. To publish it: git push origin main v{version}")
    print("Then make a release of that tag on GitHub; the workflow Publish puts the pages online.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
