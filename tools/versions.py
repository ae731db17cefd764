"""Run the tests of lossutils and all notebooks on other versions of what they need.

    python tools/versions.py [floor] [colab] [newest] [nightly]

floor    the oldest versions that pyproject.toml allows
colab    what Colab ships (constraints/colab.txt)
newest   what pip takes today
nightly  what Keras and TensorFlow will be; it may fail, and is reported

Each gets an environment of its own in .versions/. There a learner's way is taken: the packages are
installed without lossutils, the set-up cell of a notebook installs it from a tagged copy of this
repository, what was installed before must stay as it was, and each notebook runs alone in an empty
folder and must print what is stored.
"""

import argparse
import ast
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

import alone
import nbformat
import notebooks
import repository
from packaging.requirements import Requirement

ROOT = notebooks.ROOT
FOLDER = ROOT / ".versions"
TESTS = ROOT / "tests"
COLAB = ROOT / "constraints" / "colab.txt"
NAMES = ("floor", "colab", "newest", "nightly")
MAY_FAIL = {"nightly"}
NIGHTLY = ["keras-nightly", "tf-nightly"]
IN_PLACE_OF = {"keras", "tensorflow"}
KERNEL = ["ipykernel"]
TESTERS = ["pytest", "pytest-xdist", "hypothesis", "nbformat", "pyyaml", "pillow"]
IMPORTED_AS = {"scikit-learn": "sklearn"}
SLOW = "claims"  # has a target of its own
SETUP_BUDGET = 60.0  # seconds


def requirements():
    """Return what lossutils needs, as pyproject.toml says it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(text) for text in project["dependencies"]]


def floors():
    """Return the oldest version of each requirement, as pins."""
    oldest = {
        need.name: specifier.version
        for need in requirements()
        for specifier in need.specifier
        if specifier.operator == ">="
    }
    # “>=2” begins with 2.0; of 2.0.0, 2.0.1 and so on the last one has the mended wheels.
    return [
        f"{name}=={version}.*" if "." in version else f"{name}=={version}.0.*"
        for name, version in oldest.items()
    ]


def arguments_for(name):
    """Return what pip is told to install for one set of versions."""
    if name == "floor":
        return floors()
    needs = [str(need) for need in requirements()]
    if name == "colab":
        return ["--constraint", str(COLAB), *needs]
    if name == "nightly":
        kept = [str(need) for need in requirements() if need.name not in IN_PLACE_OF]
        return ["--upgrade", "--pre", *NIGHTLY, *kept]
    return ["--upgrade", *needs]


def python_of(folder):
    """Return the Python of an environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def pip(python, *arguments):
    """Run pip in an environment, and return what it prints."""
    command = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_environment(name):
    """Make the environment of one set of versions, without lossutils; return its Python."""
    folder = FOLDER / name
    python = python_of(folder)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip(python, "install", "--quiet", *arguments_for(name), *KERNEL)
    return python


@contextmanager
def tagged_copy():
    """Yield the address of a copy of what is here, committed or not, tagged with its version."""
    with tempfile.TemporaryDirectory() as folder:

        def git(*arguments):
            subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)

        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((ROOT / name).read_bytes())
        git("init", "--quiet")
        git("add", "--all")
        identity = ["-c", "user.name=book", "-c", "user.email=book@repository.invalid"]
        git(*identity, "commit", "--quiet", "--message", "The book as it is here")
        git("tag", repository.tag())
        yield Path(folder).as_uri()


def install_as_a_learner(python, setup):
    """Run the set-up cell alone, and return what is wrong with how it installed lossutils."""
    pip(python, "uninstall", "--quiet", "--yes", "lossutils")
    before = set(pip(python, "freeze").splitlines())
    run = alone.Run(Path("the set-up cell"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(setup)])
    alone.execute(notebook, python, run)
    after = set(pip(python, "freeze").splitlines())
    changed = sorted(line for line in before ^ after if not line.startswith("lossutils"))
    if changed:
        run.problems.append(f"it changed what was installed: {changed}")
    if run.seconds > SETUP_BUDGET:
        run.problems.append(f"it took more than {SETUP_BUDGET:.0f} s")
    print(f"The set-up cell took {run.seconds:.0f} s and changed {len(changed)} other packages.")
    return run.problems


def test_notebooks(name, python, paths):
    """Install lossutils by the set-up cell, run notebooks, and return what is wrong."""
    if name == "nightly":
        # Its Keras and TensorFlow have other names, which lossutils does not ask for.
        pip(python, "install", "--quiet", "--no-deps", "--force-reinstall", str(ROOT))
        return [p for run in alone.run_all(paths, python) for p in run.problems]
    with tagged_copy() as address:
        setup = notebooks.setup_source(address)
        problems = install_as_a_learner(python, setup)
        if problems:
            print("\n".join(problems))
        runs = alone.run_all(paths, python, setup)
    return problems + [problem for run in runs for problem in run.problems]


def imports(path):
    """Return the names of the packages and modules that a test imports when it is read."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Import):
            yield from (alias.name.split(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield (statement.module or statement.names[0].name).split(".")[0]


def needs_no_more(path):
    """Tell whether a test needs only lossutils, what that needs, and what runs tests."""
    there = {IMPORTED_AS.get(need.name, need.name) for need in requirements()}
    there |= {"lossutils", "pytest", "hypothesis"} | set(sys.stdlib_module_names)
    for name in set(imports(path)) - there:
        helpers = [folder / f"{name}.py" for folder in (path.parent, TESTS)]
        if not any(helper.is_file() and needs_no_more(helper) for helper in helpers):
            return False
    return True


def of_the_package():
    """Return the tests of the package; the others are of the book, and need what builds it."""
    found = TESTS.rglob("test_*.py")
    return sorted(path for path in found if path.parent.name != SLOW and needs_no_more(path))


def test_units(python):
    """Run the tests of the package, and return what is wrong."""
    pip(python, "install", "--quiet", *TESTERS)
    tests = map(str, of_the_package())
    # A newer or older package may warn of what does no harm here.
    command = [python, "-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider"]
    command += ["-n", "2", "--dist", "loadfile", *tests]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    return [f"the tests of lossutils failed (pytest's exit code {code})"] if code else []


def shown_versions(python):
    """Return the versions that matter, on one line."""
    names = {re.sub("[-_.]+", "-", need.name).lower() for need in requirements()} | set(NIGHTLY)
    lines = pip(python, "list", "--format=freeze").splitlines()
    return " ".join(line for line in lines if line.split("==")[0].lower() in names)


def main(arguments=None):
    """Test the sets of versions that are named, or all; return how many failed that may not."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("name", nargs="*", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--notebook", nargs="*", type=Path, help="these only (default: all)")
    parser.add_argument("--no-units", action="store_true", help="leave out the tests of lossutils")
    options = parser.parse_args(arguments)
    if unknown := set(options.name) - set(NAMES):
        parser.error(
            f"no such versions: {', '.join(sorted(unknown))}. Choose of {', '.join(NAMES)}"
        )
    paths = [path.resolve() for path in options.notebook or []] or [
        path for path in notebooks.in_book() if not notebooks.missing_packages(path)
    ]
    failed = []
    for name in options.name or NAMES:
        start = time.perf_counter()
        print(f"== {name}: making its environment", flush=True)
        python = make_environment(name)
        print(f"== {name}: {shown_versions(python)}", flush=True)
        problems = test_notebooks(name, python, paths)
        if not options.no_units:
            problems += test_units(python)
        minutes = (time.perf_counter() - start) / 60
        verdict = f"{len(problems)} problems" if problems else "passed"
        print(f"== {name}: {verdict}, after {minutes:.0f} min", flush=True)
        if problems and name not in MAY_FAIL:
            failed.append(name)
    print(f"Failed: {', '.join(failed)}" if failed else "Passed, apart from what may fail.")
    return len(failed)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
