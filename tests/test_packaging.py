"""The data sets come along, however the package is installed and wherever Python runs."""

import contextlib
import email
import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lossutils

ROOT = Path(__file__).parent.parent
DATA_FILES = {"telco_churn.csv.gz", "mnist_subset.npy.gz", "doctor_visits.csv.gz"}
INSTALL = ["-m", "pip", "install", "--quiet"]
# Of what the environment borrows, pip must neither count the old lossutils nor add to the rest.
ALONE = ["--no-deps", "--ignore-installed"]


def run(python, *arguments, cwd):
    result = subprocess.run(
        [python, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def make_environment(folder):
    """Return the Python of an environment that borrows this one's packages, but not lossutils.

    A path in a .pth file is searched, while the .pth files in it (an editable lossutils) are not
    read. So TensorFlow and pip need not be installed again.
    """
    windows = sys.platform == "win32"
    venv.create(folder, symlinks=not windows)
    python = folder / ("Scripts/python.exe" if windows else "bin/python")
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    # In the system's encoding: Python before 3.13 reads such a file in no other.
    Path(site.strip(), "borrowed.pth").write_text("\n".join(sorted(borrowed)))
    return python


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a copy of the sources: builds leave files behind."""
    folder = tmp_path_factory.mktemp("source")
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    for name in ("lossutils", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    """Return the Python of an environment with a setuptools that knows pyproject.toml's fields."""
    folder = tmp_path_factory.mktemp("builder")
    python = make_environment(folder)
    requirement = re.search(r'"(setuptools>=(\d+))"', (ROOT / "pyproject.toml").read_text("utf-8"))
    try:
        present = int(importlib.metadata.version("setuptools").split(".")[0])
    except importlib.metadata.PackageNotFoundError:
        present = 0
    if present < int(requirement[2]):
        run(python, *INSTALL, requirement[1], cwd=folder)
    return python


@pytest.fixture(scope="module")
def sdist(source, builder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    code = "import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])"
    run(builder, "-c", code, folder, cwd=source)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist, builder, tmp_path_factory):
    """Build the wheel from the source distribution, which thereby shows that it is complete."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation"]
    run(builder, "-m", "pip", "wheel", *options, sdist, cwd=folder)
    return next(folder.glob("*.whl"))


def load_everything(python, folder):
    """Load the two data files in a fresh process, and return where the package lies."""
    code = """
        from lossutils import datasets
        print(len(datasets.telco_churn(as_frame=True)), len(datasets.mnist().x_train))
        print(datasets.__file__)
    """
    counts, path = run(python, "-c", textwrap.dedent(code), cwd=folder).splitlines()
    assert counts == "7043 8000"
    return Path(path).resolve()


def test_source_distribution_has_the_data_and_the_script_that_rebuilds_it(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"data/{name}" for name in DATA_FILES} | {"data/README.md", "data/build.py"} <= names


def test_source_distribution_has_no_part_of_the_tests(sdist):
    """They need the whole repository, so that half of them would be none."""
    with tarfile.open(sdist) as archive:
        assert not [name for name in archive.getnames() if "/tests" in name]


def test_a_second_build_forgets_modules_that_are_gone(source, builder, tmp_path):
    gone = source / "lossutils" / "gone.py"
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path]
    gone.write_text('"""A module that the next version lacks."""\n', encoding="utf-8")
    run(builder, "-m", "pip", "wheel", *options, source, cwd=source)
    gone.unlink()
    run(builder, "-m", "pip", "wheel", *options, source, cwd=source)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert "lossutils/datasets.py" in names
    assert "lossutils/gone.py" not in names


def test_metadata_say_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Version"] == lossutils.__version__
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "Loss Functions for Deep Learning" in metadata.get_payload()
    versions = {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)}
    assert versions <= set(metadata.get_all("Classifier"))
    assert metadata.get_all("Project-URL")


def test_citation_names_the_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {lossutils.__version__}\n" in citation


def pinned(*names):
    """Return the requirements that files of pins have for this system, by name."""
    lines = [line for name in names for line in (ROOT / name).read_text("utf-8").splitlines()]
    pins = [Requirement(line) for line in lines if re.match(r"[\w.-]+==", line)]
    return {key(pin): pin for pin in pins if applies(pin)}


def applies(requirement):
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def key(requirement):
    return canonicalize_name(requirement.name)


def of_the_package():
    """Return what lossutils needs, as pyproject.toml says it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(map(Requirement, project["dependencies"]))


def needed_by(pins):
    """Return pairs of a pin and of a requirement of it, where its metadata are installed."""
    for name in pins:
        # A wheel without CUDA needs what the other one needs.
        distribution = "tensorflow" if name == "tensorflow-cpu" else name
        for candidate in (name, distribution):
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                for need in map(Requirement, importlib.metadata.requires(candidate) or []):
                    if applies(need):
                        yield name, need
                break


def test_all_pins_together_need_nothing_else():
    """pip installs them with --no-deps, so that whatever one of them needs is a pin too."""
    pins = pinned("requirements.txt", "requirements-book.txt")
    missing = [(name, need) for name, need in needed_by(pins) if key(need) not in pins]
    assert missing == []


def test_no_pin_is_refused_by_another():
    """Nor does pip notice with --no-deps; `pip check` would, beside its word on tensorflow-cpu."""
    pins = pinned("requirements.txt", "requirements-book.txt")
    pins.setdefault("tensorflow", pins.get("tensorflow-cpu"))
    for name, need in [*needed_by(pins), *(("lossutils", need) for need in of_the_package())]:
        version = next(iter(pins[key(need)].specifier)).version
        assert version in need.specifier, f"{name} asks for {need}"


def test_binder_has_the_same_pins_and_all_that_the_package_needs():
    pins, binder = pinned("requirements.txt", "requirements-book.txt"), pinned("binder/pins.txt")
    if "tensorflow-cpu" not in pins:
        pytest.skip("Binder runs on Linux with an x86-64 processor")
    assert {name: str(pin.specifier) for name, pin in binder.items()} == {
        name: str(pins[name].specifier) for name in binder
    }
    # TensorFlow asks for libclang and never imports it.
    assert {key(need) for _, need in needed_by(binder)} - set(binder) == {"libclang"}
    assert set(map(key, of_the_package())) - set(binder) == {"tensorflow"}


def test_wheel_has_the_data_and_its_terms_inside_the_package(wheel, source):
    names = zipfile.ZipFile(wheel).namelist()
    data = {name.rpartition("/")[2] for name in names if name.startswith("lossutils/data/")}
    assert data == DATA_FILES | {"README.md"}
    modules = {path.relative_to(source).as_posix() for path in (source / "lossutils").rglob("*.py")}
    assert modules == {name for name in names if name.endswith(".py")}


def test_installed_wheel_loads_its_own_data(wheel, tmp_path):
    python = make_environment(tmp_path / "env")
    run(python, *INSTALL, *ALONE, "--no-index", wheel, cwd=tmp_path)
    package = load_everything(python, tmp_path)
    assert package.is_relative_to(tmp_path / "env")
    # The files are the wheel's own, not those of the clone.
    shutil.rmtree(package.parent / "data")
    with pytest.raises(AssertionError, match=r"FileNotFoundError: .*telco_churn\.csv\.gz"):
        load_everything(python, tmp_path)


def test_editable_install_loads_the_data_beside_the_package(source, builder, tmp_path):
    run(builder, *INSTALL, *ALONE, "--no-build-isolation", "-e", source, cwd=tmp_path)
    package = load_everything(builder, tmp_path)
    assert package == (source / "lossutils" / "datasets.py").resolve()
    assert not (source / "lossutils" / "data").exists()


def test_the_working_directory_does_not_matter(tmp_path):
    # A file of the same name in the working directory must not be taken for the data.
    decoy = tmp_path / "data" / "telco_churn.csv.gz"
    decoy.parent.mkdir()
    decoy.write_bytes(b"something else")
    load_everything(sys.executable, tmp_path)
