"""The chapters on mistakes and the rules of `check_setup` tell of the same mistakes."""

import re

import notebooks
import pytest

from lossutils.checks import RULES

CHAPTERS = [
    notebooks.BOOK / "practice" / name
    for name in ("mistakes.ipynb", "mistakes_in_data_and_network.ipynb")
]


def sections(chapter):
    """Return {heading of level 3: its cells}, the exercises left out."""
    found, cells = {}, []
    for cell in notebooks.read(chapter).cells:
        if cell.cell_type != "markdown":
            cells.append(cell)
            continue
        # A text cell may end one section and begin the next.
        for part in re.split(r"^(?=#{1,3} )", cell.source, flags=re.M):
            heading = re.match(r"(#{1,3}) (.*)", part)
            if heading:
                cells = []
                if heading[1] == "###" and not heading[2].startswith("Exercise"):
                    assert heading[2] not in found, f"two sections {heading[2]}"
                    found[heading[2]] = cells
            cells.append(notebooks.nbformat.v4.new_markdown_cell(part))
    return found


SECTIONS = {code: cells for chapter in CHAPTERS for code, cells in sections(chapter).items()}


def words(cells):
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def shown(cells):
    """Return the text that the code cells print or display."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs
    )


def test_every_rule_has_a_section_and_every_section_a_rule():
    assert set(SECTIONS) == set(RULES)
    assert len(SECTIONS) == sum(len(sections(chapter)) for chapter in CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_the_lists_link_to_every_section_with_severity_and_title(chapter):
    text = words(notebooks.read(chapter).cells)
    rows = re.findall(r"^\| \[([\w-]+)\]\(#([\w-]+)\) \| (\w+) \| (.+) \|$", text, re.M)
    listed = {code: (severity, title) for code, _, severity, title in rows}
    assert [code for code, *_ in rows] == list(sections(chapter))
    assert all(code == anchor for code, anchor, *_ in rows)
    assert listed == {code: (RULES[code].severity, RULES[code].title) for code in listed}


@pytest.mark.parametrize("code", RULES)
def test_section_names_severity_and_title(code):
    rule = RULES[code]
    line = f"*{rule.severity.capitalize()}.* {rule.title}."
    assert line in words(SECTIONS[code]), f"the section {code} has to begin with “{line}”"


@pytest.mark.parametrize("code", RULES)
def test_section_makes_the_mistake_and_shows_that_it_is_found(code):
    printed = shown(SECTIONS[code])
    found = re.search(rf"(^|, |: ){code} \(|^\w+: {code}$", printed, re.M)
    assert found, f"no output of the section {code} shows its code:\n{printed}"


@pytest.mark.parametrize("code", RULES)
def test_section_explains(code):
    line = f"### {code}\n\n*{RULES[code].severity.capitalize()}.* {RULES[code].title}.\n"
    explained = words(SECTIONS[code]).replace(line, "")
    assert len(explained) > 80, f"say in the section {code} why, and what is right"
