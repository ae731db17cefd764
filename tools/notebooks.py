"""What a notebook of this book looks like: where it lies, its set-up cell, its normal form."""

import base64
import functools
import importlib.util
import io
import re
from pathlib import Path

import nbformat
import repository
import yaml
from PIL import Image

ROOT = repository.ROOT
BOOK = ROOT / "book"

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
# No version of the language: it would change with each machine that refreshes a notebook.
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}

SETUP_TAG = "remove-cell"
SOLUTION_TAG = "hide-cell"

# The tag of a cell, and what its fold says on the page.
PROMPTS = {
    SOLUTION_TAG: ("Show the solution", "Hide the solution"),
    "hide-input": ("Show the code", "Hide the code"),
    "hide-output": ("Show the output", "Hide the output"),
}

# The words by which the parts of a chapter are known; a translation changes them here.
OPENING = "In this chapter you will"
CLOSING = "You have seen"
EXERCISES = "Exercises"
EXERCISE = "Exercise"
SOLUTION = "Solution of exercise"

SETUP = """\
# The package of this book. It is imported first, since it keeps TensorFlow's start-up quiet.
try:
    import lossutils  # noqa: F401
except ModuleNotFoundError:
{remedy}"""

REMEDY_WITHOUT_ADDRESS = """\
    raise ModuleNotFoundError(
        "This notebook needs lossutils, the package of this book. "
        "In the folder of a copy of the book's repository run: python -m pip install ."
    ) from None"""

# pip would replace a package that is too old. Told to keep what is installed, it refuses instead.
REMEDY_WITH_ADDRESS = """\
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    print("Installing lossutils {tag}, the package of this book, beside what is installed.")
    pip = [sys.executable, "-m", "pip"]
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "kept.txt")
        kept.write_text(subprocess.check_output([*pip, "list", "--format=freeze"], text=True))
        package = "git+{address}@{tag}"
        install = [*pip, "install", "--quiet", "--constraint", str(kept), package]
        run = subprocess.run(install, capture_output=True, text=True)
    if run.returncode:
        raise ModuleNotFoundError(
            f"pip could not install lossutils beside what is here. It said:\\n{{run.stderr}}\\n"
            "It needs the network, git, and no Keras before 3.13 or TensorFlow before 2.20. "
            "In a new environment (python -m venv) nothing older is in its way."
        ) from None
    import lossutils  # noqa: F401"""


def repository_address():
    """Return the address of the book's repository, or None while none is set."""
    stored = repository.stored()
    return stored.url if stored else None


def setup_source(address=None):
    """Return the source of the set-up cell, the same in every notebook.

    It installs the release that the notebook belongs to, not what the repository has by then.
    """
    if address is None:
        return SETUP.format(remedy=REMEDY_WITHOUT_ADDRESS)
    remedy = REMEDY_WITH_ADDRESS.format(address=address, tag=repository.tag())
    return SETUP.format(remedy=remedy)


def pages():
    """Return the path of each page that ``_toc.yml`` names, without suffix, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc.get("parts", []) for chapter in part["chapters"]]
    sections = [page for chapter in chapters for page in (chapter, *chapter.get("sections", []))]
    return [toc["root"], *(page["file"] for page in sections)]


def in_book():
    """Return the path of each notebook of the book, in the order of the table of contents."""
    order = {page: position for position, page in enumerate(pages())}
    found = [path for path in BOOK.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts]

    def position(path):
        page = path.relative_to(BOOK).with_suffix("").as_posix()
        return order.get(page, len(order)), page

    return sorted(found, key=position)


def missing_packages(path):
    """Return the optional packages that a notebook imports and that are not installed.

    Optional is what requirements-frameworks.txt names.
    """
    optional = re.findall(
        r"^([\w-]+)==", (ROOT / "requirements-frameworks.txt").read_text(encoding="utf-8"), re.M
    )
    source = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")
    return [
        package
        for package in optional
        if re.search(rf"^[ \t]*(?:import|from)[ \t]+{package}\b", source, re.M)
        and importlib.util.find_spec(package) is None
    ]


@functools.cache
def why_left_out(path):
    """Return why a notebook cannot run here, or an empty text."""
    missing = " and ".join(missing_packages(path))
    return f"needs {missing}, which make frameworks installs" if missing else ""


def title(path):
    """Return the title of a notebook, its first heading."""
    first = next(cell for cell in read(path).cells if cell.cell_type == "markdown")
    return first.source.split("\n")[0].removeprefix("# ")


def small_png(png):
    """Return the same picture as a PNG of 256 colors, about a third of the size."""
    with Image.open(io.BytesIO(png)) as image, io.BytesIO() as buffer:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(buffer, format="png", optimize=True)
        return buffer.getvalue()


def tags(cell):
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def is_setup(cell):
    """Tell whether a cell is the set-up cell."""
    return cell.cell_type == "code" and SETUP_TAG in tags(cell) and "lossutils" in cell.source


def with_setup(notebook, address=None):
    """Put the current set-up cell in front of the first code cell, in place of an older one."""
    older = next((cell for cell in notebook.cells if is_setup(cell)), None)
    if older is not None:
        notebook.cells.remove(older)
    cell = nbformat.v4.new_code_cell(setup_source(address), metadata={"tags": [SETUP_TAG]})
    cell["id"] = "set-up"
    first_code = next(
        (at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code"),
        len(notebook.cells),
    )
    notebook.cells.insert(first_code, cell)
    return notebook


def write_setup_cells():
    """Bring the set-up cell of each notebook up to date, without running it; return the changed."""
    source = setup_source(repository_address())
    changed = []
    for path in [*BOOK.rglob("*.ipynb"), *(ROOT / "assignments").rglob("*.ipynb")]:
        notebook = read(path)
        cell = next(filter(is_setup, notebook.cells), None)
        if cell is not None and cell.source != source:
            cell.source = source
            write(notebook, path)
            changed.append(path)
    return changed


def normalize(notebook):
    """Bring metadata, tags and counts of a notebook that has run into their normal form."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": dict(KERNELSPEC), "language_info": dict(LANGUAGE)}
    )
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(_normal_metadata(cell))
        cell.source = "\n".join(line.rstrip() for line in cell.source.strip("\n").split("\n"))
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
            if "text/html" in output.get("data", {}) and "text/plain" in output.data:
                # A styled table as text is its address in memory.
                output.data["text/plain"] = re.sub(
                    r" at 0x[0-9a-f]+", "", output.data["text/plain"]
                )
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = _small(output.data["image/png"])
    return notebook


def _small(encoded):
    """Make a stored picture small, unless it is."""
    png = base64.b64decode(encoded)
    with Image.open(io.BytesIO(png)) as image:
        if image.mode == "P":
            return encoded
    return base64.b64encode(small_png(png)).decode("ascii")


def _normal_metadata(cell):
    kept = {
        key: value
        for key, value in cell.metadata.items()
        if key in ("mystnb", "tags", "slideshow", "nbgrader") and value
    }
    for tag, (show, hide) in PROMPTS.items():
        if cell.cell_type == "code" and tag in kept.get("tags", []):
            prompts = {"code_prompt_show": show, "code_prompt_hide": hide}
            kept["mystnb"] = {**prompts, **kept.get("mystnb", {})}
    if SOLUTION_TAG in kept.get("tags", []):
        # The page folds it by its tag, JupyterLab by source_hidden, Colab by cellView.
        kept["jupyter"] = {"source_hidden": True}
        kept["cellView"] = "form"
    return kept


def read(path):
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def write(notebook, path):
    """Write a notebook with sorted keys, a newline at its end, and nothing half-written."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=nbformat.NO_CONVERT)
    path = Path(path)
    scratch = path.with_name(path.name + ".part")
    scratch.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    scratch.replace(path)
