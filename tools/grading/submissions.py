"""Find the notebook of each student in a folder, and names that harm nobody."""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Parameters
    ----------
    student : str
        Name for people, on one line.
    key : str
        Name for files: letters, digits and hyphens, and no other student's.
    notebook : pathlib.Path or None
        The file, or None where there is no notebook or more than one.
    problem : str
        Why there is none.
    """

    student: str
    key: str
    notebook: Path | None
    problem: str = ""


def find(folder):
    """Return the submissions in a folder, sorted by the student's name.

    A file belongs to the student that it is named after, and so does a folder with one notebook in
    it, as learning platforms export them.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.

    Returns
    -------
    list of Submission

    Raises
    ------
    FileNotFoundError
        There is no such folder, or nothing in it.
    """
    folder = Path(folder)
    if folder == Path():
        raise FileNotFoundError("Name the folder with the notebooks: SUBMISSIONS=folder.")
    if not folder.is_dir():
        raise FileNotFoundError(f"SUBMISSIONS={folder} is no folder: give one with the notebooks.")
    found = [_submission(path) for path in sorted(folder.iterdir()) if not _is_litter(path.name)]
    if not found:
        raise FileNotFoundError(f"SUBMISSIONS={folder} is empty: put the notebooks into it.")
    names = Counter(each.student for each in found)
    found = [
        replace(each, student=f"{each.student} ({each.key})") if names[each.student] > 1 else each
        for each in found
    ]
    return sorted(found, key=lambda each: (each.student.casefold(), each.key))


def _is_litter(name):
    """Tell whether a file is one that an operating system leaves: nobody handed it in."""
    hidden = name.startswith(".") and not name.endswith(".ipynb")
    return hidden or name.startswith("._") or name == "__MACOSX"


def _submission(path):
    if path.is_symlink():
        return Submission(*_names(path.stem), None, "It is a link, not a file.")
    if path.is_dir():
        # Moodle appends what kind of submission it is.
        names = _names(re.sub(r"_assignsubmission_\w+?_?$", "", path.name), path.name)
        inside = [
            each
            for each in sorted(path.rglob("*.ipynb"))
            if each.is_file() and not each.is_symlink() and ".ipynb_checkpoints" not in each.parts
        ]
        if len(inside) == 1:
            return Submission(*names, inside[0])
        many = f"The folder holds {len(inside)} notebooks: leave one." if inside else ""
        return Submission(*names, None, many or "The folder holds no notebook.")
    names = _names(path.stem, path.name)
    if not path.is_file():
        # Reading a pipe would wait for ever.
        return Submission(*names, None, "It is neither a file nor a folder.")
    if path.suffix.lower() != ".ipynb":
        return Submission(
            *names, None, f"The file is no .ipynb but {plain(path.suffix) or 'bare'}."
        )
    return Submission(*names, path)


def _names(student, whole=None):
    student = plain(student) or "without a name"
    ascii_name = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode()
    short = re.sub(r"[^A-Za-z0-9]+", "-", ascii_name).strip("-")[:60]
    # Two names that look alike as files stay two.
    digest = hashlib.sha256((whole or student).encode("utf-8", "surrogateescape")).hexdigest()[:6]
    same = short == student and (whole or student) in (student, f"{student}.ipynb")
    return student, short if same else f"{short or 'student'}-{digest}"


def plain(text):
    """Return a text on one line, without characters that control a terminal or a spreadsheet."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(text.split())
