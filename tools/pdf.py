"""Print the book as one PDF: every page in the order of the contents, by Chromium.

    python tools/pdf.py [FILE]

It takes the pages that `make book` has built. They become one page of HTML, in which links from one
chapter to another lead to that chapter and each chapter begins on a sheet of its own. Chromium
prints it twice: the page numbers of the contents are known only after the first time.
"""

import re
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import notebooks
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

HTML = notebooks.ROOT / "_build" / "html"
PDF = notebooks.ROOT / "_build" / "loss-functions.pdf"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NUMBER = """
<div style="width: 100%; font: 8pt sans-serif; color: #555; text-align: center">
<span class="pageNumber"></span></div>
"""
# What only a screen has a use for.
SCREEN_ONLY = (
    "script, noscript, .headerlink, button, form, .whole, .guide-answers, .loss-index fieldset"
)


def anchor(page, fragment=""):
    """Return the name of a place in the one page."""
    return f"{page.replace('/', '--')}{'--' + fragment if fragment else ''}"


def article(page, pages):
    """Return the text of a page as a part of the one page."""
    soup = BeautifulSoup((HTML / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    part = soup.article
    for tag in part.select(SCREEN_ONLY):
        tag.decompose()
    for picture in part.find_all("picture"):
        picture.source.decompose()
    for fold in part.find_all("details"):
        fold["open"] = ""
    folder = Path(page).parent
    for tag in part.find_all(id=True):
        tag["id"] = anchor(page, tag["id"])
    for tag in part.find_all(["img", "source"], src=True):
        tag["src"] = (HTML / folder / unquote(tag["src"])).resolve().as_uri()
        tag.attrs.pop("loading", None)
    for link in part.find_all("a", href=True):
        leads = address(link["href"], page, pages)
        if leads:
            link["href"] = leads
        else:
            del link["href"]
    part.name = "section"
    part["id"] = anchor(page)
    solutions_to_the_end(part)
    return part


def address(href, page, pages):
    """Return where a link leads in the one page; to other hosts as before, to files nowhere."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc:
        return href
    target = page
    if parts.path:
        path = (HTML / Path(page).parent / unquote(parts.path)).resolve()
        target = path.relative_to(HTML.resolve()).with_suffix("").as_posix()
    return f"#{anchor(target, parts.fragment)}" if target in pages else None


def solutions_to_the_end(part):
    """Move the folded solutions of a chapter behind its last exercise."""
    title = part.find(lambda tag: tag.name == "h2" and tag.get_text().strip() == "Exercises")
    if title is None:
        return
    exercises = title.parent
    solutions = []
    for exercise in exercises.find_all("section", recursive=False):
        heading = exercise.find("h3")
        after = [
            tag for tag in exercise.find_all(["div", "details"], recursive=False) if folds(tag)
        ]
        if heading is None or not after:
            continue
        box = BeautifulSoup("<section><h4></h4></section>", "html.parser").section
        box.h4.string = heading.get_text().split(":")[0].replace("Exercise", "Solution of exercise")
        first = after[0]
        for tag in [first, *first.find_next_siblings()]:
            box.append(tag.extract())
        solutions.append(box)
    if solutions:
        heading = BeautifulSoup("<h3>Solutions</h3>", "html.parser").h3
        exercises.append(heading)
        for box in solutions:
            exercises.append(box)


def folds(tag):
    """Tell whether a tag is a solution or an explanation that the page folds."""
    return tag.name == "details" or tag.find("details", class_="hide") is not None


def contents(pages, titles, numbers):
    """Return the list of chapters, with the number of the sheet on which each begins."""
    lines = "".join(
        f'<li><a href="#{anchor(page)}">{titles[page]}</a><span>{numbers.get(page, "")}</span></li>'
        for page in pages[1:]
    )
    return f'<section class="contents" id="contents"><h1>Contents</h1><ol>{lines}</ol></section>'


def whole(pages, numbers):
    """Return the one page of HTML."""
    parts = {page: article(page, pages) for page in pages}
    titles = {
        page: re.sub("^Reference: ", "", part.h1.get_text().strip()) for page, part in parts.items()
    }
    body = "\n".join(map(str, parts.values()))
    first = str(parts[pages[0]])
    body = body.replace(first, first + contents(pages, titles, numbers), 1)
    sheets = "".join(
        f'<link rel="stylesheet" href="{(HTML / "_static" / name).as_uri()}">'
        for name in ("styles.css", "print_book.css")
    )
    extra = "".join(
        f'<link rel="stylesheet" href="{path.as_uri()}">'
        for path in sorted((HTML / "_static").glob("*/*.css"))
        if path.parent.name == "playground"
    )
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{titles[pages[0]]}</title>{sheets}{extra}</head>"
        f'<body><main class="bd-content"><div class="bd-article-container">{body}</div></main>'
        "</body></html>"
    )


def print_pages(browser, text, file):
    """Print a page of HTML into a PDF with page numbers and an outline."""
    source = file.with_suffix(".html")
    source.write_text(text, encoding="utf-8")
    window = browser.new_page()
    window.goto(source.as_uri(), wait_until="load")
    window.evaluate("document.fonts.ready")
    window.pdf(
        path=file,
        format="A4",
        outline=True,
        tagged=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=NUMBER,
        margin={"top": "16mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
    )
    window.close()
    source.unlink()


def numbers_of(file, pages):
    """Return the number of the sheet on which each page of the book begins."""
    reader = PdfReader(file)
    places = reader.named_destinations
    return {
        page: 1 + reader.get_destination_page_number(places[name])
        for page in pages
        if (name := f"/{anchor(page)}") in places
    }


def print_book(browser, pages, file):
    """Print pages of the book, with their contents."""
    print_pages(browser, whole(pages, {}), file)
    print_pages(browser, whole(pages, numbers_of(file, pages)), file)


def main(file=PDF):
    """Print the book; return the exit code."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is missing: apt-get install chromium", file=sys.stderr)
        return 1
    pages = [page for page in notebooks.pages() if (HTML / f"{page}.html").is_file()]
    if not pages:
        print("The pages are not built: make book", file=sys.stderr)
        return 1
    file = Path(file).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        print_book(browser, pages, file)
        browser.close()
    print(f"The book is in {file}, {file.stat().st_size / 1e6:.1f} MB.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
