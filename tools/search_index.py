"""A Sphinx extension: the index of the book's search, and the words that readers use for a page.

Sphinx ranks a page by its one best word and knows only words that stand on the page. Readers type
names of other frameworks, abbreviations and symptoms: `search_keywords.yml` has them for each page.
The index is a script, so that search works in pages opened from a disk, and it is loaded when
somebody searches. `book/assets/search.js` ranks.
"""

import json
import math
import re
import unicodedata
from collections import Counter
from pathlib import Path

import yaml
from docutils import nodes

KEYWORDS = Path(__file__).with_name("search_keywords.yml")
INDEX = "search-index.js"
LONGEST_SNIPPET = 150

# Pages that say something about everything come after those that are about it.
WEIGHTS = {
    "index": 0.5,
    "reference/api": 0.6,
    "reference/bibliography": 0.3,
    "reference/glossary": 0.7,
}


def weight(page):
    """Return what a page counts; a quiz asks, and a reference repeats, what a chapter teaches."""
    if page.endswith("/quiz"):
        return 0.4
    return 0.8 if page.startswith("reference/losses/") else WEIGHTS.get(page, 1)


def words(text):
    """Return the words of a text as the index has them; search.js does the same to a query."""
    return [_plain(word) for word in re.findall(r"[^\W_]+", text.lower().replace("’", ""))]


def _plain(word):
    """Return a word without the ending of the plural."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def keywords():
    """Return what readers may type for each page, a list of phrases by its name."""
    phrases = yaml.safe_load(KEYWORDS.read_text(encoding="utf-8"))
    for page, of_page in phrases.items():
        for phrase in of_page:
            if not isinstance(phrase, str):
                raise TypeError(f'{KEYWORDS.name}, {page}: write "{phrase}" in quotes')
    return phrases


def sections_of(doctree):
    """Yield the anchor, the title and the text of each section of a page, the page's own first."""
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title).astext()
        paragraphs = [
            _spoken(paragraph)
            for child in section.children
            if not isinstance(child, nodes.section | nodes.title)
            for paragraph in child.findall(
                lambda node: isinstance(node, nodes.paragraph | nodes.term | nodes.rubric)
            )
        ]
        yield section["ids"][0], title, " ".join(" ".join(paragraphs).split())


def _spoken(paragraph):
    """Return the text of a paragraph: of its formulas those that are words or letters."""
    text = paragraph.astext()
    for formula in paragraph.findall(nodes.math):
        text = text.replace(formula.astext(), _letters(formula.astext()), 1)
    return text


def _letters(formula):
    """Return a formula with Greek letters in place of their names, or "…" for a longer one."""
    formula = re.sub(r"\\([a-z]+)\b", _greek, formula)
    return "…" if "\\" in formula else formula


def _greek(name):
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {name[1].upper()}")
    except KeyError:
        return name[0]


def snippet(text):
    """Return the beginning of a text, whole words."""
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= LONGEST_SNIPPET else text[:LONGEST_SNIPPET].rsplit(" ", 1)[0] + " …"


def index_of(doctrees, phrases):
    """Return the index as search.js reads it.

    `pages` has a list for each page: name, title, weight, phrases, sections (anchor, title,
    snippet). `words` has for each word the pages and sections whose text has it, and how often: a
    flat list of page, section, count.
    """
    pages, found = [], {}
    for number, (name, doctree) in enumerate(sorted(doctrees.items())):
        sections = list(sections_of(doctree))
        pages.append(
            [
                name,
                sections[0][1],
                weight(name),
                phrases.get(name, []),
                [[anchor, title, snippet(text)] for anchor, title, text in sections],
            ]
        )
        for position, (_, _, text) in enumerate(sections):
            for word, count in sorted(Counter(words(text)).items()):
                found.setdefault(word, []).extend([number, position, count])
    often = math.ceil(0.9 * len(pages))
    rare = {w: at for w, at in sorted(found.items()) if len(set(at[::3])) < often and len(w) > 1}
    return {"pages": pages, "words": rare}


def write(app, exception):
    """Write the index beside the other scripts."""
    if exception or app.builder.format != "html":
        return
    doctrees = {name: app.env.get_doctree(name) for name in app.env.found_docs}
    index = json.dumps(index_of(doctrees, keywords()), ensure_ascii=False, separators=(",", ":"))
    path = Path(app.outdir, "_static", INDEX)
    path.write_text(f"bookSearch.setIndex({index});\n", encoding="utf-8")


def replace_search(app):
    """Let Sphinx write no index of its own."""
    app.builder.search = False


def search_page(app):
    """Return the page that shows the results of a search."""
    return [("search", {"title": "Search"}, "search.html")]


def setup(app):
    """Take the place of Sphinx's search."""
    app.connect("builder-inited", replace_search)
    app.connect("html-collect-pages", search_page)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
