"""The page of questions: short answers, and snippets that print what their comments say."""

import contextlib
import io
import re
import tokenize

import keras
import notebooks
import pytest

PAGE = notebooks.BOOK / "reference" / "questions.md"
QUESTIONS = dict(
    re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)
)
each_question = pytest.mark.parametrize("question", QUESTIONS)


def code_of(question):
    (code,) = re.findall(r"^```python\n(.*?)^```$", QUESTIONS[question], re.M | re.S)
    return code


def promised(code):
    """Return the comment behind each line that prints, in order."""
    comments = {
        token.start[0]: token.string.removeprefix("# ")
        for token in tokenize.generate_tokens(io.StringIO(code).readline)
        if token.type == tokenize.COMMENT
    }
    lines = enumerate(code.splitlines(), start=1)
    return [comments.get(number) for number, line in lines if line.lstrip().startswith("print(")]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's saving
@each_question
def test_snippet_runs_alone_and_prints_what_it_says(question):
    code = code_of(question)
    keras.utils.set_random_seed(0)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, question, "exec"), {"__name__": "snippet"})
    assert printed.getvalue().splitlines() == promised(code)


@each_question
def test_answer_is_short_and_leads_on(question):
    answer, rest = re.split(r"^```python", QUESTIONS[question], maxsplit=1, flags=re.M)
    # `keras.losses` and 0.25 have no space behind the point.
    assert 3 <= len(re.findall(r"[.?](?=\s)", answer)) <= 8
    assert re.search(r"^More in .*\]\([\w./#-]+\)", rest.split("```")[-1], re.M)
