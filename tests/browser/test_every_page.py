"""Every page in a light window, in a dark one, and on a phone: whole, quiet, accessible."""

import html5lib
import notebooks
import pytest
from axe_playwright_python.sync_playwright import Axe

PAGES = notebooks.pages()
VIEWS = ("light", "dark", "phone")

# Rules that are not asked, each with its reason.
NOT_ASKED = {
    # Boxes between the landmarks of the theme: the button that goes to the top, a scroll mark.
    "region",
}
LIMIT = 250_000, 350_000, 500_000  # bytes of a first visit: landing page, chapter, longest pages
LONG = ("practice/mistakes", "reference/api", "reference/glossary", "playground", "explorers")

each_page = pytest.mark.parametrize("page", [*PAGES, "search"])


@pytest.mark.parametrize("view", VIEWS)
@each_page
def test_page_is_whole(open_page, page, view):
    window = open_page(page, view)
    window.wait_for_load_state("networkidle")
    assert window.problems == []
    room = window.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert room <= 0, "scrolls sideways"
    assert (
        window.evaluate(
            "[...document.images].filter(image => !image.alt.trim()).map(image => image.src)"
        )
        == []
    )

    found = Axe().run(
        window,
        options={
            "preload": False,
            "resultTypes": ["violations"],
            "rules": {"label-content-name-mismatch": {"enabled": True}},
        },
    )
    serious = [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical") and violation["id"] not in NOT_ASKED
    ]
    assert serious == []


@each_page
def test_page_is_valid_html(html, page):
    parser = html5lib.HTMLParser()
    parser.parse((html / f"{page}.html").read_text(encoding="utf-8"))
    assert [(place, fault) for place, fault, _ in parser.errors] == []


@pytest.mark.parametrize("page", PAGES)
def test_first_visit_is_light(chromium, site, page):
    sizes = []
    context = chromium.new_context(viewport={"width": 412, "height": 823}, is_mobile=True)
    window = context.new_page()
    window.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    window.goto(f"{site}/{page}.html")
    window.wait_for_load_state("networkidle")
    context.close()
    limit = LIMIT[0] if page == "index" else LIMIT[2] if page in LONG else LIMIT[1]
    assert sum(sizes) <= limit
