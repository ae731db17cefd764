"""What a reader does with a page: search, copy, enlarge, print, turn scripts off."""

import io
import re

import pdf
import pytest
from PIL import Image
from pypdf import PdfReader

CHAPTER = "regression/huber"
LONG_CELLS = "regression/quantile"
LONGEST = "practice/mistakes"
PLAYED = "binary/comparing"
TWO_PANELS = "regression/quantile"
PRINTED = (CHAPTER, "choosing", "practice/mistakes")
PAPER = 673  # pixels between the margins of a sheet of A4


# --- Search -----------------------------------------------------------------------------------


def test_search_by_keyboard(open_page):
    window = open_page(CHAPTER)
    window.keyboard.press("Control+k")
    window.keyboard.type("svm")
    window.wait_for_selector("#search-results li a")
    window.keyboard.press("Enter")
    window.keyboard.press("Enter")
    window.wait_for_url("**/binary/hinge.html*")
    assert window.problems == []


def test_search_by_touch(open_page):
    window = open_page(CHAPTER, "phone")
    window.locator("button.search-button:visible").first.tap()
    window.locator("dialog[open] input[name=q]").fill("loss not decreasing")
    first = window.locator("#search-results li a").first
    first.wait_for()
    first.tap()
    window.wait_for_url("**/practice/mistakes.html*")


def test_search_page_takes_a_query_from_the_address(open_page):
    window = open_page("search.html?q=imbalanced")
    first = window.locator("#search-results li a").first
    first.wait_for()
    assert "class_imbalance" in first.get_attribute("href")


def test_search_says_when_it_finds_nothing(open_page):
    window = open_page("search.html?q=xyzzy")
    window.wait_for_selector("#search-results [role=status]")
    assert "No page" in window.inner_text("#search-results")


def test_search_works_from_the_disk(chromium, html):
    window = chromium.new_page()
    problems = []
    window.on("console", lambda m: m.type == "error" and problems.append(m.text))
    window.goto((html / f"{CHAPTER}.html").as_uri())
    window.keyboard.press("Control+k")
    window.keyboard.type("outliers")
    window.wait_for_selector("#search-results li a")
    window.close()
    assert problems == []


# --- Code and figures -------------------------------------------------------------------------


def test_code_is_copied_by_keyboard(open_page):
    window = open_page(CHAPTER, permissions=["clipboard-read", "clipboard-write"])
    button = window.locator("div.cell_input button.copybtn").first
    button.focus()
    window.keyboard.press("Tab")
    window.keyboard.press("Shift+Tab")
    window.wait_for_function(
        "getComputedStyle(document.activeElement).opacity === '1'"
        " && document.activeElement.matches('.copybtn')"
    )
    window.keyboard.press("Enter")
    code = window.locator("div.cell_input pre").first.inner_text()
    window.wait_for_function("async () => (await navigator.clipboard.readText()).length > 0")
    copied = window.evaluate("navigator.clipboard.readText()")
    assert copied.split() == code.split()


def test_copy_buttons_show_on_a_phone(open_page):
    window = open_page(CHAPTER, "phone")
    button = window.locator("div.cell_input button.copybtn").first
    assert float(button.evaluate("e => getComputedStyle(e).opacity")) > 0.5


def test_a_tap_enlarges_a_figure(open_page):
    window = open_page(CHAPTER, "phone")
    figure = window.locator("figure img").first
    figure.scroll_into_view_if_needed()
    small = figure.bounding_box()["width"]
    figure.tap()
    large = window.locator("dialog.enlarged img")
    large.wait_for()
    assert large.bounding_box()["width"] > 1.5 * small
    window.keyboard.press("Escape")
    large.wait_for(state="detached")


def test_letters_of_the_diagram_are_large_enough_on_a_phone(open_page):
    window = open_page("choosing", "phone")
    diagram = window.locator("img[src$='choosing.svg']")
    diagram.evaluate("image => image.decode()")
    assert 17 * diagram.evaluate("e => e.clientWidth / e.naturalWidth") >= 10
    assert diagram.evaluate("e => e.parentElement.tabIndex") == 0  # it scrolls, by keyboard too


def test_a_figure_in_the_dark_lies_on_the_color_of_the_page(open_page):
    window = open_page(CHAPTER, "dark")
    figure = window.locator("figure .figure-box img").first
    figure.scroll_into_view_if_needed()
    window.wait_for_timeout(300)
    box = figure.bounding_box()
    with Image.open(io.BytesIO(window.screenshot())) as shot:
        inside = shot.getpixel((int(box["x"]) + 3, int(box["y"]) + 3))
        outside = shot.getpixel((int(box["x"]) - 6, int(box["y"]) + 3))
    assert max(abs(a - b) for a, b in zip(inside[:3], outside[:3], strict=True)) <= 2


def test_a_long_cell_shows_how_it_begins_and_all_of_it_on_demand(open_page):
    window = open_page(LONG_CELLS, java_script_enabled=False)
    cell = window.locator("div.cell > div.cell_input:has(.whole)").first
    code, box = cell.locator("pre"), cell.locator(".whole input")
    whole = "e => e.clientHeight >= e.scrollHeight - 1"
    box.scroll_into_view_if_needed()
    window.wait_for_timeout(200)  # code that is far from the screen is not laid out
    assert not code.evaluate(whole)
    box.focus()
    window.keyboard.press("Space")
    assert code.evaluate(whole)
    window.keyboard.press("Space")
    assert not code.evaluate(whole)
    window.emulate_media(media="print")
    assert code.evaluate(whole)
    assert not box.is_visible()


# Code far from the screen waits until a reader comes near it.

EAGER = ".bd-article pre[style] { content-visibility: visible !important }"
HEIGHTS = "all => all.map(e => e.getBoundingClientRect().height)"


@pytest.mark.parametrize("view", ["light", "phone"])
def test_code_that_waits_takes_the_room_that_it_will_need(open_page, view):
    window = open_page(LONGEST, view)
    code = window.locator(".bd-article pre[style]")
    waiting = code.evaluate_all(HEIGHTS)
    window.add_style_tag(content=EAGER)
    assert len(waiting) > 100
    assert code.evaluate_all(HEIGHTS) == pytest.approx(waiting, abs=0.5)


@pytest.mark.parametrize("view", ["light", "phone"])
def test_link_into_a_long_page_leads_to_its_heading(open_page, view):
    window = open_page(LONGEST, view)
    headings = window.locator(".bd-article section[id] > h3")
    last = headings.nth(headings.count() - 2)
    name = last.evaluate("e => e.parentElement.id")
    window = open_page(f"{LONGEST}.html#{name}", view)
    window.wait_for_timeout(500)
    top = window.locator(f"#{name} > h3").bounding_box()["y"]
    assert 0 <= top < 200


def test_code_that_scrolls_is_a_stop_of_the_keyboard_when_it_comes_near(open_page):
    window = open_page(LONGEST, "phone")
    wide = window.locator("pre[style]").evaluate_all(
        "all => all.flatMap((e, i) => /[^\\n]{70}/.test(e.textContent) ? [i] : [])"
    )
    code = window.locator("pre[style]").nth(wide[-1])
    code.scroll_into_view_if_needed()
    window.wait_for_timeout(300)
    assert code.evaluate("e => e.scrollWidth > e.clientWidth && e.tabIndex") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_of_code_without_a_color_of_their_own_are_read_easily(open_page, theme):
    window = open_page(CHAPTER, theme)
    code = window.locator("div.cell_input pre").first
    colors = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert contrast(*code.evaluate(colors)) >= 7


def test_playground_starts_when_a_reader_comes_near(open_page):
    window = open_page(PLAYED)
    window.wait_for_timeout(500)
    assert not window.locator(".loss-playground.lp-on").count()
    window.locator(".loss-playground").scroll_into_view_if_needed()
    window.wait_for_selector(".loss-playground.lp-on")


# --- The first screen ---------------------------------------------------------------------------


@pytest.mark.parametrize(("view", "height"), [("light", 900), ("phone", 844)])
def test_first_screen_shows_the_book_its_doors_and_the_playground(open_page, view, height):
    window = open_page("index", view)
    window.wait_for_function("document.querySelector('.loss-playground.lp-on')")

    def bottom(selector):
        box = window.locator(selector).last.bounding_box()
        return box["y"] + box["height"]

    assert bottom("h1 + p") < bottom(".sd-card") < height / 2
    picture = window.locator("[data-side=a] canvas").bounding_box()
    shown = min(height, picture["y"] + picture["height"]) - picture["y"]
    assert shown >= (1 if view == "light" else 0.4) * picture["height"]


# --- Colors, keys and screens of a reader's own ---------------------------------------------------


def test_figure_is_enlarged_by_keyboard_and_the_focus_returns(open_page):
    window = open_page(CHAPTER)
    button = window.locator("button.enlarge").first
    button.focus()
    window.keyboard.press("Enter")
    window.wait_for_selector("dialog.enlarged img")
    window.keyboard.press("Escape")
    window.wait_for_selector("dialog.enlarged", state="detached")
    assert button.evaluate("e => document.activeElement === e")


def test_enlarged_figure_of_two_panels_is_the_one_of_the_phone(open_page):
    window = open_page(TWO_PANELS, "phone")
    figure = window.locator("figure picture img").first
    figure.scroll_into_view_if_needed()
    figure.tap()
    large = window.locator("dialog.enlarged img")
    large.wait_for()
    assert large.evaluate("e => e.src") == figure.evaluate("e => e.currentSrc")
    assert large.bounding_box()["width"] > figure.bounding_box()["width"]


def test_close_lies_above_an_enlarged_figure_that_scrolls(open_page):
    window = open_page(CHAPTER, "dark", viewport={"width": 700, "height": 300})
    window.locator("figure img").first.click()
    window.locator("dialog.enlarged").evaluate("e => e.scrollTo(0, 120)")
    box = window.locator("dialog.enlarged button").bounding_box()
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    hit = window.evaluate("([x, y]) => document.elementFromPoint(x, y).tagName", middle)
    assert hit == "BUTTON"


@pytest.mark.parametrize("color", ["light", "dark"])
def test_icons_and_focus_show_in_forced_colors(open_page, color):
    window = open_page(CHAPTER, "phone", forced_colors="active", color_scheme=color)
    icon = window.locator(".bd-header-article .fa-bars, .primary-toggle i").first
    drawn = icon.evaluate("e => getComputedStyle(e, '::before').backgroundColor")
    assert drawn != window.evaluate("getComputedStyle(document.body).backgroundColor")
    window.keyboard.press("Tab")
    window.keyboard.press("Tab")
    outline = window.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


def test_back_to_top_is_read_easily(open_page):
    window = open_page(CHAPTER, "phone")
    button = window.locator("#pst-back-to-top")
    colors = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert contrast(*button.evaluate(colors)) >= 7
    assert button.evaluate("e => { e.style.display = 'block'; return e.offsetWidth }") < 60


def contrast(*colors):
    """Return the contrast of two colors `rgb(…)`, as the guidelines for accessibility have it."""

    def luminance(color):
        parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
        parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted(map(luminance, colors))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["index", "reference/api", "choosing", CHAPTER])
def test_narrowest_phone_does_not_scroll_sideways(open_page, page):
    window = open_page(page, "phone", viewport={"width": 320, "height": 640})
    assert window.evaluate("document.documentElement.scrollWidth") == 320
    cut = window.locator(".sd-card a").evaluate_all(
        "all => all.filter(e => e.scrollWidth > e.closest('.sd-card').clientWidth).length"
    )
    assert cut == 0


# --- Lines ------------------------------------------------------------------------------------


def test_a_hundred_columns_of_code_fit_beside_both_bars(open_page):
    window = open_page(CHAPTER)
    over = window.evaluate(
        """() => { const pre = document.querySelector('div.cell_input pre');
                   pre.textContent = 'x'.repeat(100);
                   return pre.scrollWidth - pre.clientWidth }"""
    )
    assert over <= 0


def test_lines_of_prose_have_about_seventy_characters(open_page):
    window = open_page(CHAPTER)
    lengths = window.evaluate(
        """[...document.querySelectorAll('.bd-article section > p')]
             .filter(p => p.innerText.length > 300 && !p.querySelector('.katex'))
             .map(p => p.innerText.length
                       / (p.clientHeight / parseFloat(getComputedStyle(p).lineHeight)))"""
    )
    assert lengths
    assert 55 < sum(lengths) / len(lengths) < 80


def test_tables_are_cards_on_a_phone(open_page):
    window = open_page("choosing", "phone")
    cell = window.locator("table.table td[data-label='Judge it by']:visible").first
    box = cell.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


# --- Paper ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PRINTED)
def test_print_cuts_nothing_off(open_page, page, scheme):
    window = open_page(page, scheme, viewport={"width": PAPER, "height": 950})
    window.emulate_media(media="print")
    cut = window.evaluate(
        """width => [...document.querySelectorAll('.bd-article :is(pre, table, img, .math)')]
             .filter(e => e.getClientRects().length)
             .filter(e => e.getBoundingClientRect().right > width + 1
                          || e.tagName === 'PRE' && e.scrollWidth > e.clientWidth + 1)
             .map(e => `${e.tagName} ${e.textContent.slice(0, 80)}`)""",
        PAPER,
    )
    assert cut == []
    pale = window.evaluate(
        """[...document.querySelectorAll('.bd-article :is(p, td, th, pre span, li)')]
             .filter(e => e.getClientRects().length && e.textContent.trim())
             .filter(e => getComputedStyle(e).color.match(/\\d+/g).slice(0, 3).some(v => v > 170))
             .map(e => e.textContent.slice(0, 60))"""
    )
    assert pale == []


def test_print_shows_solutions(open_page):
    window = open_page(CHAPTER)
    window.emulate_media(media="print")
    window.evaluate("dispatchEvent(new Event('beforeprint'))")
    folded = window.evaluate(
        "[...document.querySelectorAll('.bd-article details')].filter(e => !e.open).length"
    )
    assert folded == 0
    window.evaluate("dispatchEvent(new Event('afterprint'))")
    assert window.evaluate("document.querySelectorAll('.bd-article details[open]').length") == 0


def test_print_shows_every_tab(open_page):
    window = open_page("reference/losses/huber")
    texts = window.locator(".sd-tab-content")
    assert texts.count() > 1
    assert not texts.nth(1).is_visible()
    window.emulate_media(media="print")
    tops = [box.bounding_box()["y"] for box in window.locator(".sd-tab-set > :not(input)").all()]
    assert tops == sorted(tops)
    assert all(text.is_visible() for text in texts.all())


@pytest.fixture(scope="module")
def printed(chromium, html, tmp_path_factory):
    """Return a PDF of five pages of the book."""
    file = tmp_path_factory.mktemp("pdf") / "book.pdf"
    some = ["index", "choosing", "regression/huber", "reference/glossary", "reference/bibliography"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "HTML", html)
        pdf.print_book(chromium, some, file)
    with PdfReader(file) as reader:
        yield reader


def test_pdf_has_contents_with_the_right_page_numbers(printed):
    texts = [page.extract_text() for page in printed.pages]
    [contents] = [text for text in texts if text.startswith("Contents")]
    for title in ("Choosing a loss", "Huber loss", "Bibliography"):
        number = int(re.search(rf"{title}\s*(\d+)", contents)[1])
        assert texts[number - 1].startswith(title)


def test_pdf_links_lead_to_chapters_and_to_other_sites(printed):
    links = [
        annotation.get_object()
        for page in printed.pages
        for annotation in page.get("/Annots", [])
        if annotation.get_object()["/Subtype"] == "/Link"
    ]
    inside = {link["/Dest"] for link in links if "/Dest" in link}
    assert len(inside) > 20
    assert inside <= set(printed.named_destinations)
    outside = {link["/A"]["/URI"] for link in links if "/A" in link}
    assert outside
    assert all(address.startswith("https://") for address in outside)


def test_pdf_has_solutions_at_the_end_of_the_chapter(printed):
    text = "\n".join(page.extract_text() for page in printed.pages)
    assert text.index("Exercise 3: a threshold") < text.index("Solution of exercise 1")
    assert "@title Solution of exercise 3" in text


# --- The guide --------------------------------------------------------------------------------


def test_guide_by_keyboard(open_page):
    window = open_page("choosing")
    window.locator("form.guide input").first.focus()
    window.keyboard.press("ArrowDown")
    window.locator("legend", has_text="How are the targets coded?").wait_for()
    window.keyboard.press("Tab")
    window.keyboard.press("Space")
    window.keyboard.press("Tab")
    window.keyboard.press("Space")
    window.keyboard.press("Tab")
    window.keyboard.press("Space")
    answer = window.locator(".guide-answer.shown")
    answer.wait_for()
    assert answer.get_attribute("id") == "guide-two_probability"
    assert "#guide=1.0.0.0" in window.url


def test_guide_by_touch_and_from_an_address(open_page):
    window = open_page("choosing", "phone")
    for text in ("One of many classes", "Whole numbers from 0"):
        window.locator("form.guide label", has_text=text).tap()
    answer = window.locator(".guide-answer.shown")
    answer.wait_for()
    assert "sparse_categorical_crossentropy" in answer.inner_text()
    window.reload()
    answer.wait_for()
    window.evaluate("location.hash = '#guide=0.0.0.1'")  # an address that is pasted into the page
    window.wait_for_selector("#guide-median.shown")
    assert window.problems == []


def test_tables_stay_where_scripts_do_not_run(open_page):
    window = open_page("choosing", java_script_enabled=False)
    assert not window.locator("form.guide").is_visible()
    assert window.locator("table.table:visible").count() >= 6


# --- Without scripts --------------------------------------------------------------------------


def test_phone_without_scripts_has_the_chapters_below_the_page(open_page):
    window = open_page(CHAPTER, "phone", java_script_enabled=False)
    assert not window.locator(".primary-toggle:visible").count()
    chapters = window.get_by_role("link", name="Embeddings", exact=True)
    chapters.scroll_into_view_if_needed()
    chapters.tap()
    window.wait_for_url("**/images/embeddings.html*")


def test_search_without_scripts_says_where_the_chapters_are(open_page):
    window = open_page("search.html", java_script_enabled=False)
    window.locator("noscript p", has=window.locator("a")).wait_for()
    window.locator("noscript a").click()
    window.wait_for_url("**/index.html")


def test_search_says_when_its_index_cannot_be_loaded(open_page):
    window = open_page(CHAPTER)
    window.route("**/search-index.js*", lambda route: route.abort())
    window.keyboard.press("Control+k")
    window.keyboard.type("svm")
    window.get_by_text("could not be loaded").wait_for()


def test_page_without_scripts_has_its_colors_and_its_math(open_page):
    window = open_page(CHAPTER, java_script_enabled=False)
    link = window.locator(".bd-article p a").first
    text = window.locator(".bd-article section > p").last
    color = "e => getComputedStyle(e).color"
    assert link.evaluate(color) != text.evaluate(color)
    assert window.locator(".katex-html").count() > 5
