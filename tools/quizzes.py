"""Write a page of questions for each part of the book, from tools/quizzes.yml.

A page needs no script: each answer is a fold, and opens to say why it is right or wrong. So it is
answered with a mouse, a finger or a keyboard, and reads well where nothing folds.
"""

import random
import re
from html import escape
from pathlib import Path

import notebooks
import yaml

QUESTIONS = Path(__file__).with_name("quizzes.yml")

TITLES = {
    "foundations": "Quiz: foundations",
    "regression": "Quiz: regression",
    "binary": "Quiz: two classes",
    "multiclass": "Quiz: many classes",
    "images": "Quiz: images and embeddings",
    "practice": "Quiz: practice",
}

INTRODUCTION = """\
Do you know what the losses do? A quiz on {part}: {count} questions, about {minutes} minutes. Decide
first, then open your answer: each says whether it is right, and why. Nothing is counted or sent.
"""


def questions():
    """Return the questions of each part."""
    return yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))


def page(part):
    """Return the page of a part as Markdown.

    Parameters
    ----------
    part : str
        A folder of the book.

    Returns
    -------
    str
    """
    asked = questions()[part]
    subject = TITLES[part].removeprefix("Quiz: ")
    intro = INTRODUCTION.format(part=subject, count=len(asked), minutes=2 * len(asked))
    blocks = [f"# {TITLES[part]}", intro.strip()]
    for number, question in enumerate(asked, 1):
        blocks += [f"## Question {number}", question["ask"].strip()]
        blocks += [_choice(letter, choice) for letter, choice in ordered(question)]
    return "\n\n".join(blocks) + "\n"


def ordered(question):
    """Return the choices with their letters, in an order that depends on the question only."""
    choices = list(question["choices"])
    random.Random(question["ask"]).shuffle(choices)
    return list(zip("ABCDEF", choices, strict=False))


def _choice(letter, choice):
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(choice["text"], quote=False))
    verdict = "Right." if choice.get("right") else "Not this one."
    return (
        f"<details>\n<summary>{letter}. {text}</summary>\n\n"
        f"**{verdict}** {choice['why'].strip()}\n\n</details>"
    )


def main():
    """Write the page of each part."""
    for part in questions():
        path = notebooks.BOOK / part / "quiz.md"
        path.write_text(page(part), encoding="utf-8")
        print(path.relative_to(notebooks.ROOT))


if __name__ == "__main__":
    main()
