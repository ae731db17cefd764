"""The rendered pages: complete, linked, described, and in need of no other host."""

import re
import subprocess
import sys
from copy import copy
from pathlib import Path
from urllib.parse import unquote, urlsplit

import notebooks
import pytest
from bs4 import BeautifulSoup

ROOT = notebooks.ROOT
PAGES = notebooks.pages()


def notebook_of(page):
    return notebooks.BOOK / f"{page}.ipynb"


each_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the finished build of the book, and the folder that it filled."""
    folder = tmp_path_factory.mktemp("book")
    command = [
        Path(sys.executable).with_name("jupyter-book"),
        *("build", "book", "--config", "_config.yml", "--toc", ROOT / "_toc.yml"),
        *("--path-output", folder, "-W", "-n", "--keep-going"),
    ]
    build = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return build, folder / "_build" / "html"


@pytest.fixture(scope="session")
def html(built):
    """Return the folder of the book's pages."""
    build, folder = built
    assert (folder / "index.html").is_file(), build.stderr[-2000:]
    return folder


@pytest.fixture(scope="session")
def soups(html):
    """Return the parsed HTML of each page, by its path."""
    return {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in html.rglob("*.html")
        if "_static" not in path.parts
    }


@pytest.fixture
def soup(html, soups, page):
    path = html / f"{page}.html"
    assert path in soups, "the page was not built"
    return soups[path]


def ids(soup):
    return {tag["id"] for tag in soup.find_all(id=True)} | {
        tag["name"] for tag in soup.find_all("a", attrs={"name": True})
    }


def test_builds_without_a_warning(built):
    build, _ = built
    lines = re.sub(r"\x1b\[[\d;]*m", "", build.stderr).splitlines()
    warnings = [line for line in lines if re.search("WARNING|ERROR", line)]
    assert warnings == []
    assert build.returncode == 0, build.stderr[-2000:]


@each_page
def test_says_what_it_is(soup):
    assert soup.html["lang"] == "en"
    assert len(soup.article.find_all("h1")) == 1
    assert soup.title.string.strip()
    descriptions = [tag["content"] for tag in soup.find_all("meta", attrs={"name": "description"})]
    assert len(descriptions) == 1
    assert len(descriptions[0]) >= 20


def test_titles_and_descriptions_tell_pages_apart(html, soups):
    texts = [soups[html / f"{page}.html"] for page in PAGES]
    titles = [soup.title.string for soup in texts]
    descriptions = [soup.find("meta", attrs={"name": "description"})["content"] for soup in texts]
    assert len(set(titles)) == len(titles)
    assert len(set(descriptions)) == len(descriptions)


@each_page
def test_no_broken_link(html, soups, page):
    here = html / f"{page}.html"
    for link in soups[here].find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc:
            continue
        target = (here.parent / unquote(address.path)).resolve() if address.path else here
        assert target.is_file(), link["href"]
        if address.fragment and target in soups:
            assert unquote(address.fragment) in ids(soups[target]), link["href"]


@each_page
def test_everything_it_loads_is_here(html, soup, page):
    loads = [
        *((tag, "src") for tag in soup.find_all(["script", "img", "source", "iframe"], src=True)),
        *((tag, "href") for tag in soup.find_all("link", href=True)),
    ]
    for tag, attribute in loads:
        address = urlsplit(tag[attribute])
        if address.scheme == "data":
            continue
        assert not address.scheme, f"from another host: {tag}"
        assert not address.netloc, f"from another host: {tag}"
        assert ((html / f"{page}.html").parent / unquote(address.path)).is_file(), tag


def test_style_sheets_load_nothing_from_elsewhere(html):
    for sheet in html.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        addresses = re.findall(r"url\(\s*[\"']?([^\"')]+)", text)
        addresses += re.findall(r"@import\s+[\"']([^\"']+)", text)
        for address in addresses:
            assert not re.match(r"(https?:)?//", address), f"{sheet.name}: {address}"
            if sheet.parent.name == "katex":
                assert (sheet.parent / address).is_file(), f"{sheet.name}: {address}"


@each_page
def test_images_have_a_description(soup):
    for image in soup.find_all("img"):
        assert image.get("alt", "").strip(), image


@each_page
def test_math_is_typeset(soup):
    formulas = soup.select("span.math, div.math")
    assert all(formula.select_one(".katex-html") for formula in formulas)
    assert [error["title"] for error in soup.select(".katex-error")] == []
    # A command that KaTeX does not know is set in this red.
    assert [unknown.get_text() for unknown in soup.select('.katex [style*="cc0000"]')] == []
    article = copy(soup.article)
    for tag in article.select("pre, code, script, style, .math"):
        tag.extract()
    text = article.get_text()
    assert not re.search(r"\$\$|\\\(|\\\[|\\begin\{|\\(frac|hat|log|sum)\b", text)


@pytest.mark.parametrize("page", [page for page in PAGES if notebook_of(page).is_file()])
def test_cells_are_shown_and_folded_as_tagged(soup, page):
    cells = [cell for cell in notebooks.read(notebook_of(page)).cells if cell.cell_type == "code"]
    shown = [cell for cell in cells if not notebooks.is_setup(cell)]
    solutions = [cell for cell in shown if notebooks.SOLUTION_TAG in notebooks.tags(cell)]
    folds = [fold.get_text() for fold in soup.select("div.cell details.hide > summary")]
    assert len(soup.select("div.cell_input")) == len(shown)
    assert sum("Show the solution" in fold for fold in folds) == len(solutions)


def test_each_notebook_can_be_downloaded(html):
    for path in notebooks.in_book():
        assert (html / "_sources" / path.relative_to(notebooks.BOOK)).is_file()
