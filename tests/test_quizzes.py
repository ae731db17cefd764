"""The quizzes: each question has an answer, each answer a reason, each number a computation."""

import re

import keras
import notebooks
import numpy as np
import pytest
import quizzes
import scipy.special
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from lossutils import losses

PARTS = quizzes.questions()
QUESTIONS = [(part, question) for part, asked in PARTS.items() for question in asked]
each = pytest.mark.parametrize(
    "question", [question for _, question in QUESTIONS], ids=[q["ask"][:50] for _, q in QUESTIONS]
)
NAMES = {"np": np, "expit": scipy.special.expit, "keras": keras, "losses": losses}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_five_to_eight_questions_and_its_page_is_up_to_date(part):
    assert 5 <= len(PARTS[part]) <= 8
    stored = (notebooks.BOOK / part / "quiz.md").read_text(encoding="utf-8")
    assert stored == quizzes.page(part), "run make quizzes"


def test_a_quiz_is_the_last_page_of_its_part():
    pages = notebooks.pages()
    for part in PARTS:
        assert [page for page in pages if page.startswith(f"{part}/")][-1] == f"{part}/quiz"


@each
def test_one_choice_is_right_and_every_choice_says_why(question):
    choices = question["choices"]
    assert 3 <= len(choices) <= 5
    assert len({choice["text"] for choice in choices}) == len(choices)
    assert [choice.get("right", False) for choice in choices].count(True) == 1
    for choice in choices:
        assert len(choice["why"].split()) >= 6
        assert set(choice) <= {"text", "why", "right", "value"}


@each
def test_numbers_are_what_code_computes(question):
    for choice in question["choices"]:
        text = choice["text"]
        if not re.fullmatch(r"-?\d+(\.\d+)?", text):
            assert "value" not in choice
            continue
        digits = len(text.partition(".")[2])
        value = float(eval(str(choice["value"]), dict(NAMES)))
        assert f"{value:.{digits}f}" == text
    if "check" in question:
        assert eval(question["check"], dict(NAMES))


def test_the_right_choice_stands_at_no_preferred_place():
    places = [
        letter
        for _, question in QUESTIONS
        for letter, choice in quizzes.ordered(question)
        if choice.get("right")
    ]
    counts = [places.count(letter) for letter in "ABCD"]
    assert min(counts) >= 3
    assert max(counts) <= len(places) / 2


def test_the_right_choice_is_not_known_by_its_length():
    longest = [
        max(question["choices"], key=lambda choice: len(choice["text"])).get("right", False)
        for _, question in QUESTIONS
    ]
    assert sum(longest) <= 0.6 * len(longest)


@pytest.mark.parametrize("part", PARTS)
def test_a_page_is_answered_without_a_script(part):
    html = BeautifulSoup(MarkdownIt("commonmark").render(quizzes.page(part)), "html.parser")
    folds = html.find_all("details")
    assert len(folds) == sum(len(question["choices"]) for question in PARTS[part])
    for fold in folds:
        assert fold.find("summary").get_text().strip()[0] in "ABCDE"
        assert not fold.has_attr("open")
        assert fold.find("p").get_text().startswith(("Right.", "Not this one."))
    assert not html.find("script")
    assert not re.findall(r"https?://", str(html))
