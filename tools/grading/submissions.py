"""Find the notebook of each student in a folder, and names that harm nobody."""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from .marks import safe


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
    found = [replace(each, key=key) for each, key in zip(found, _told_apart(found), strict=True)]
    names = Counter(_as_marks_have_it(each.student) for each in found)
    found = [
        replace(each, student=f"{each.student} ({each.key})")
        if names[_as_marks_have_it(each.student)] > 1
        else each
        for each in found
    ]
    return sorted(found, key=lambda each: (each.student.casefold(), each.key))


def _told_apart(found):
    """Return keys that stay different where a file system takes a for A."""
    counts = Counter(each.key.casefold() for each in found)
    return [
        f"{each.key}-{_digest(each.key)}" if counts[each.key.casefold()] > 1 else each.key
        for each in found
    ]


def _as_marks_have_it(student):
    """Return what is the same for two names that one row of a spreadsheet would be found by."""
    return unicodedata.normalize("NFKC", safe(student)).casefold()


def _digest(name):
    # Long enough that nobody finds a second name with the same.
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _is_litter(name):
    """Tell whether a file is one that an operating system leaves: nobody handed it in."""
    hidden = name.startswith(".") and not name.endswith(".ipynb")
    return hidden or name.startswith("._") or name == "__MACOSX"


def _litters(path):
    return ".ipynb_checkpoints" in path.parts or any(map(_is_litter, path.parts))


def _submission(path):
    if path.is_symlink():
        return Submission(*_names(path.stem), None, "It is a link, not a file.")
    if path.is_dir():
        # Moodle appends what kind of submission it is.
        names = _names(re.sub(r"_assignsubmission_\w+?_?$", "", path.name), path.name)
        inside = [
            each
            for each in sorted(path.rglob("*.ipynb"))
            if each.is_file() and not each.is_symlink() and not _litters(each.relative_to(path))
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
    same = short == student and (whole or student) in (student, f"{student}.ipynb")
    # Two names that look alike as files stay two, and none is what another is turned into.
    if same and not re.search("-[0-9a-f]{16}$", short):
        return student, short
    return student, f"{short or 'student'}-{_digest(whole or student)}"


def plain(text):
    """Return a text on one line, without characters that control a terminal or a spreadsheet."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(text.split())
