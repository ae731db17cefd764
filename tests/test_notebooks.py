"""The rules of CONTRIBUTING.md that a program can check, over the sources of the book.

Nothing runs here: `make test-notebooks` runs the notebooks and compares their outputs.
"""

import ast
import re
from collections import Counter
from itertools import pairwise

import notebooks
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors.index import slugify, unique_slug
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

BOOK = notebooks.BOOK
ROOT = notebooks.ROOT
MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).use(front_matter_plugin)

NOTEBOOKS = notebooks.in_book()
PAGES = sorted(path for path in BOOK.rglob("*.md") if ".ipynb_checkpoints" not in path.parts)
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "KEEPER.md")]


def name(path):
    return path.relative_to(ROOT).as_posix()


each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
each_text = pytest.mark.parametrize("path", [*NOTEBOOKS, *PAGES, *DOCUMENTS], ids=name)


def cells(path, kind=None):
    return [cell for cell in notebooks.read(path).cells if kind in (None, cell.cell_type)]


def outputs(path):
    return [(cell, output) for cell in cells(path, "code") for output in cell.get("outputs", [])]


def text_of(output):
    """Return what an output shows as text, pictures left out."""
    data = output.get("data", {})
    shown = [data[kind] for kind in ("text/plain", "text/html", "text/markdown") if kind in data]
    return "\n".join([output.get("text", ""), *shown])


def tokens(path):
    """Return the tokens of the Markdown of a page or of all text cells of a notebook."""
    if path.suffix == ".ipynb":
        sources = [cell.source for cell in cells(path, "markdown")]
    else:
        sources = [path.read_text(encoding="utf-8")]
    return [token for source in sources for token in MARKDOWN.parse(source)]


def inline(path):
    for token in tokens(path):
        yield from token.children or []


def prose(path):
    """Return the words of a text: no code, math, or address of a link."""
    return " ".join(token.content for token in inline(path) if token.type == "text")


def headings(path):
    """Return (level, text) of each heading."""
    found = tokens(path)
    return [
        (int(token.tag[1]), "".join(child.content for child in found[at + 1].children))
        for at, token in enumerate(found)
        if token.type == "heading_open"
    ]


def anchors(path):
    """Return what a link may name after # in a page: its headings, and targets of its own."""
    slugs = set()
    for _, text in headings(path):
        unique_slug(slugify(text), slugs)
    if path.suffix == ".md":
        slugs.update(re.findall(r"^\(([\w-]+)\)=$", path.read_text(encoding="utf-8"), re.M))
    return slugs


def bullets_after(path, opening):
    """Return how many bullets follow the paragraph that begins with ``opening``."""
    found = tokens(path)
    for at, token in enumerate(found):
        if token.type == "inline" and token.content.startswith(opening):
            following = found[at + 1 :]
            break
    else:
        return 0
    if [token.type for token in following[:2]] != ["paragraph_close", "bullet_list_open"]:
        return 0
    count = 0
    for token in following:
        if token.type == "bullet_list_close" and token.level == 0:
            break
        count += token.type == "list_item_open" and token.level == 1
    return count


def test_every_page_is_in_the_table_of_contents_and_there():
    on_disk = {path.relative_to(BOOK).with_suffix("").as_posix() for path in [*NOTEBOOKS, *PAGES]}
    assert Counter(notebooks.pages()) == Counter(on_disk)


@each_notebook
def test_stored_as_refresh_stores_it(path):
    notebook = notebooks.normalize(notebooks.read(path))
    assert notebook == notebooks.read(path), (
        f"cells that did not run in order, or metadata that `make refresh NOTEBOOKS={name(path)}` "
        "would change"
    )


@each_notebook
def test_begins_with_the_set_up_cell(path):
    first = cells(path, "code")[0]
    assert first.source == notebooks.setup_source(notebooks.repository_address())
    assert notebooks.tags(first) == [notebooks.SETUP_TAG]
    assert not first.outputs


@each_notebook
def test_outputs_are_clean(path):
    for cell, output in outputs(path):
        shown = text_of(output)
        place = f"{cell.source}\n\n{shown[:300]}"
        assert output.output_type != "error", place
        assert output.get("name") != "stderr", place
        assert "\r" not in shown, f"a progress bar: {place}"
        assert not re.search(r"\d%\||\b(it|s|ms)/(s|it|step)\b|━━", shown), f"progress: {place}"
        assert not re.search(r"\bat 0x[0-9a-f]+", shown), f"an address in memory: {place}"
        assert not re.search(r'id="T_[0-9a-f]{5}["_]', shown), f"a Styler without uuid: {place}"


@each_notebook
def test_no_path_of_a_machine(path):
    shown = [text_of(output) for _, output in outputs(path)]
    for text in [*shown, *(cell.source for cell in cells(path))]:
        assert str(ROOT) not in text
        found = re.search(r"(?<![\w.:/])/(home|root|tmp|usr|var|opt|mnt|Users)/|\b[A-Z]:\\", text)
        assert not found, text


@each_notebook
def test_code_leaves_data_files_and_global_state_alone(path):
    forbidden = {"set_floatx", "read_csv", "read_json", "urlopen", "urlretrieve", "get_file"}
    for cell in cells(path, "code")[1:]:
        names = set()
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
                chain = ast.unparse(node)
                assert chain not in ("keras.datasets", "sklearn.datasets"), cell.source
            elif isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.ImportFrom):
                names.update(alias.name for alias in node.names)
                assert node.module not in ("sklearn.datasets", "keras.datasets"), cell.source
            elif isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & {"sklearn.datasets"}, cell.source
        assert not names & (forbidden | {"open"}), f"{names & forbidden}\n{cell.source}"
        # nbval runs cells without a history, where IPython does not heed it.
        assert not cell.source.rstrip().endswith(";"), f"a trailing semicolon:\n{cell.source}"


@each_notebook
def test_a_figure_can_be_read_aloud(path):
    for cell in cells(path, "code"):
        images = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        if not images:
            continue
        assert len(images) == 1, f"two figures would share one description:\n{cell.source}"
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert len(alt) >= 20, f"say in mystnb.image.alt what one sees:\n{cell.source}"
        assert not re.match(r"(?i)(a |the )?(figure|image|picture|plot) of", alt), alt


def test_names_of_figures_are_unique():
    names = Counter(
        cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for path in NOTEBOOKS
        for cell in cells(path, "code")
    )
    del names[None]
    assert not {name: count for name, count in names.items() if count > 1}


@each_notebook
def test_has_one_title_and_no_level_skipped(path):
    levels = [level for level, _ in headings(path)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@each_notebook
def test_closing_bullets_mirror_the_opening(path):
    opening = bullets_after(path, notebooks.OPENING)
    assert 2 <= opening <= 4, f"“{notebooks.OPENING}” and two to four bullets"
    assert bullets_after(path, notebooks.CLOSING) == opening


@each_notebook
def test_every_exercise_has_a_solution(path):
    assert [text for level, text in headings(path) if level == 2][-1] == notebooks.EXERCISES
    asked, solved = [], []
    for cell in cells(path):
        if cell.cell_type == "markdown":
            asked += [
                int(n)
                for n in re.findall(rf"^### {notebooks.EXERCISE} (\d+): \S", cell.source, re.M)
            ]
        elif notebooks.SOLUTION_TAG in notebooks.tags(cell):
            if title := re.match(rf"# @title {notebooks.SOLUTION} (\d+)\n", cell.source):
                assert int(title[1]) == asked[-1], f"a solution elsewhere:\n{cell.source}"
                solved.append(int(title[1]))
            else:
                assert solved, f"no title “# @title {notebooks.SOLUTION} N”:\n{cell.source}"
    assert asked == list(range(1, len(asked) + 1))
    assert len(asked) >= 2
    assert solved == asked


@each_notebook
def test_reads_well_outside_the_book(path):
    for token in tokens(path):
        assert not (token.type == "fence" and token.info.startswith("{")), token.content
        assert ":::" not in token.content, token.content
    for token in inline(path):
        if token.type == "text":
            assert not re.search(r"\{[\w:-]+\}$", token.content), f"a role: {token.content}"
            assert "\\begin{" not in token.content, f"math outside of $$: {token.content}"
        elif token.type == "html_inline":
            assert re.match(r"</?(kbd|sub|sup|summary|br)\b", token.content), token.content


@each_text
def test_links_lead_somewhere(path):
    for token in inline(path):
        address = token.attrs.get("href") if token.type == "link_open" else token.attrs.get("src")
        if address is None or re.match(r"(https?|mailto):", str(address)):
            continue
        file, _, anchor = str(address).partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_file(), f"no such file: {address}"
        if anchor:
            assert anchor in anchors(target), f"no such heading: {address}"


@each_text
def test_words(path):
    text = prose(path)
    for word in ("simply", "obviously", "of course", "basically", "trivially"):
        assert not re.search(rf"\b{word}\b", text, re.IGNORECASE), f"“{word}”"
    found = re.search(r".{0,60}!(?!=).{0,20}", text)
    assert not found, f"an exclamation mark: {found[0]}"
    forgotten = re.search(r"\b[A-Z]+_[A-Z_]+\b|\b(TODO|FIXME|TBD)\b", text)
    assert not forgotten, f"a number or words that were to be filled in: {forgotten[0]}"


def test_a_notebook_that_differs_is_noticed(tmp_path):
    """The checks above rest on normalize: it must not leave as it is what is not normal."""
    path = tmp_path / "one.ipynb"
    notebook = notebooks.nbformat.v4.new_notebook(
        cells=[
            notebooks.nbformat.v4.new_markdown_cell("# Title"),
            notebooks.nbformat.v4.new_code_cell("1 + 1", execution_count=7),
            notebooks.nbformat.v4.new_code_cell("2", metadata={"tags": ["hide-cell"]}),
        ],
        metadata={"language_info": {"name": "python", "version": "3.11.7"}},
    )
    notebooks.write(notebook, path)
    stored = notebooks.normalize(notebooks.with_setup(notebooks.read(path)))
    assert [cell.get("execution_count") for cell in stored.cells] == [None, 1, 2, 3]
    assert stored.cells[1].source == notebooks.setup_source()
    assert stored.cells[3].metadata.jupyter.source_hidden
    assert stored.cells[3].metadata.cellView == "form"
    assert "version" not in stored.metadata.language_info
    assert notebooks.normalize(notebooks.with_setup(stored)) == stored
