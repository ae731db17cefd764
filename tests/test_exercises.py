"""The exercises as one set: each has a hint before its solution, and a line in the table."""

import re

import notebooks
import pytest

PAGE = notebooks.BOOK / "teaching" / "exercises.md"
KINDS = {"predict", "by hand", "change and observe", "find the mistake", "decide"}
LINE = re.compile(
    r"^\| \[([^\]]+)\]\(\.\./([\w/]+)\.ipynb#exercises\) "  # the chapter and its file
    r"\| (\d): (.+?) \| ([\w ]+) \| (\d+) \| (.+) \|$",
    re.M,
)
LISTED = LINE.findall(PAGE.read_text(encoding="utf-8"))
CHAPTERS = [page for page in notebooks.pages() if (notebooks.BOOK / f"{page}.ipynb").exists()]
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


def texts(chapter):
    """Return the source of each cell of a chapter; a solution is left out but for its place."""
    cells = notebooks.read(notebooks.BOOK / f"{chapter}.ipynb").cells
    return "\n".join(cell.source if cell.cell_type == "markdown" else "[code]" for cell in cells)


@each_chapter
def test_the_table_lists_each_exercise_under_its_title(chapter):
    text = texts(chapter)
    title = re.search(r"^# (.+)$", text, re.M)[1]
    asked = re.findall(rf"^### {notebooks.EXERCISE} (\d+): (.+)$", text, re.M)
    listed = [(number, name) for _, page, number, name, *_ in LISTED if page == chapter]
    assert listed == asked, f"{PAGE.name} has a line for each exercise of {chapter}"
    assert {each for each, page, *_ in LISTED if page == chapter} == {title}


@each_chapter
def test_a_hint_stands_folded_between_the_question_and_the_solution(chapter):
    exercises = re.split(rf"^### {notebooks.EXERCISE} \d+: ", texts(chapter), flags=re.M)[1:]
    assert 2 <= len(exercises) <= 3
    for exercise in exercises:
        question, code, _ = exercise.partition("[code]")
        assert code
        assert question.count("<details><summary>Hint</summary>\n\n") == 1, question
        assert question.rstrip().endswith("</details>"), question


def test_the_lines_stand_in_the_order_of_the_book_with_known_kinds_and_minutes():
    places = [CHAPTERS.index(page) for _, page, *_ in LISTED]
    assert places == sorted(places)
    assert len(PAGE.read_text(encoding="utf-8").split("| [")) - 1 == len(LISTED)
    for *_, kind, minutes, trains in LISTED:
        assert kind in KINDS
        assert 5 <= int(minutes) <= 20
        assert trains


def test_every_part_has_exercises_of_every_kind_but_one_at_most():
    for part in {page.split("/")[0] for _, page, *_ in LISTED}:
        if len({page for _, page, *_ in LISTED if page.startswith(f"{part}/")}) < 2:
            continue  # three exercises have no room for four kinds
        kinds = {line[4] for line in LISTED if line[1].startswith(f"{part}/")}
        assert len(kinds) >= len(KINDS) - 1, (part, KINDS - kinds)
