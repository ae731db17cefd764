"""Every page on a phone, in a wide window and in the dark: whole, quiet, light, accessible.

A page is visited once. It loads on a phone, where a first visit costs most; then its window becomes
wide, and then dark.
"""

from types import SimpleNamespace

import html5lib
import notebooks
import pytest
from axe_playwright_python.sync_playwright import Axe

PAGES = [*notebooks.pages(), "search"]

WIDE = {"width": 1440, "height": 900}
LIMIT = 250_000, 350_000, 500_000  # bytes of a first visit: landing page, chapter, longest pages
LONG = ("practice/mistakes", "reference/api", "reference/glossary", "playground", "explorers")
DOTS_OF_LETTERS = 9 * 150 / 72  # the smallest letters of a figure: 9 points at 150 dots an inch

# Not asked, with its reason: boxes lie between the landmarks of the theme, the button that goes to
# the top and a scroll mark.
RULES = {"label-content-name-mismatch": {"enabled": True}, "region": {"enabled": False}}
# What a phone, and what the dark, can change. A rule that reads the markup says the same in all.
OF_A_PHONE = ["target-size", "scrollable-region-focusable", "label-content-name-mismatch"]
OF_COLORS = ["color-contrast", "link-in-text-block"]
AXE = """([rules, only]) => axe.run(
    {include: [["html"]], exclude: [[".katex"]]},
    {rules, preload: false, resultTypes: ["violations"],
     ...only && {runOnly: {type: "rule", values: only}}},
  ).then(({violations}) => violations
    .filter(({impact}) => ["serious", "critical"].includes(impact))
    .map(({id, nodes}) => `${id}: ${nodes[0].html.slice(0, 200)}`))"""
# Each kind of word in code has a color of its own. A page shows a kind a thousand times, and axe
# would look at each; one of a kind in each kind of box says as much. Formulas have the color of
# the text.
ONE_WORD_OF_A_KIND = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll("pre span, .sig :is(span, em)")) {
    const kind = `${word.className} ${word.closest("dt, div[class]")?.className}`;
    if (seen.has(kind)) word.replaceWith(...word.childNodes);
    seen.add(kind);
  }
}"""
# A color that still fades into another is none that a reader sees.
DARK = """() => document.documentElement.dataset.theme === "dark"
  && document.getAnimations().every(({playState}) => playState !== "running")"""
# The page has laid itself out, its columns stand still, and it has seen which boxes scroll.
SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  const moves = () => document.getAnimations().some(({playState}) => playState === "running");
  await frame();
  do await frame(); while (moves());
  await frame();
  await frame();
}"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NAMELESS = "[...document.images].filter(image => !image.alt.trim()).map(image => image.src)"
LETTERS = """async dots => {
  const figures = [...document.querySelectorAll(".figure-box img")].filter(e => e.clientWidth);
  for (const figure of figures) figure.loading = "eager";
  await Promise.all(figures.map(figure => figure.decode()));
  return figures.map(figure => dots * figure.clientWidth / figure.naturalWidth);
}"""
SHARE_OF_CODE = """() => {
  const height = box => box.getBoundingClientRect().height;
  const visible = [...document.querySelectorAll(".bd-article div.cell_input")]
    .filter(box => !box.closest("details:not([open])"));
  return visible.reduce((sum, box) => sum + height(box), 0)
    / height(document.querySelector("main"));
}"""
# How much of a page's height code may take: a fifth. Where code is what the page is about, more.
CODE = 0.2
CODE_IS_THE_LESSON = {
    "foundations/targets_outputs_losses": 0.3,  # right and wrong pairs of target, output and loss
    "practice/mistakes": 0.3,  # each mistake as the code that makes it
    "practice/mistakes_in_data_and_network": 0.3,
    "practice/my_model_does_not_learn": 0.25,  # programs with a fault each
    "practice/writing_your_own_loss": 0.3,
    "practice/several_outputs": 0.25,  # losses and weights of several outputs
    "practice/numerical_stability": 0.3,
    "practice/keras_tensorflow_pytorch": 0.35,  # the same training, written four times
}


@pytest.fixture(scope="module", params=PAGES)
def visit(window_on, site, request):
    """Return what one visit of a page sees."""
    window = window_on("phone")
    window.goto(f"{site}/{request.param}.html")
    window.wait_for_load_state("networkidle")
    seen = SimpleNamespace(page=request.param, bytes=sum(window.loaded))
    seen.letters = window.evaluate(LETTERS, DOTS_OF_LETTERS)
    seen.nameless = window.evaluate(NAMELESS)
    seen.sideways = {"phone": window.evaluate(SIDEWAYS)}
    window.evaluate(Axe().axe_script)
    seen.faults = {"phone": window.evaluate(AXE, [RULES, OF_A_PHONE])}
    window.set_viewport_size(WIDE)
    window.evaluate(SETTLED)
    seen.sideways["wide"] = window.evaluate(SIDEWAYS)
    seen.code = window.evaluate(SHARE_OF_CODE)
    window.evaluate(ONE_WORD_OF_A_KIND)
    seen.faults["light"] = window.evaluate(AXE, [RULES, None])
    window.emulate_media(color_scheme="dark")
    window.wait_for_function(DARK)
    seen.faults["dark"] = window.evaluate(AXE, [RULES, OF_COLORS])
    seen.sideways["dark"] = window.evaluate(SIDEWAYS)
    seen.problems = window.problems
    window.context.close()
    return seen


def test_page_is_quiet(visit):
    """It reports no error, and asks nothing of another host."""
    assert visit.problems == []


def test_page_does_not_scroll_sideways(visit):
    assert {view: over for view, over in visit.sideways.items() if over > 0} == {}


def test_images_have_a_description(visit):
    assert visit.nameless == []


def test_page_is_accessible(visit):
    assert {view: faults for view, faults in visit.faults.items() if faults} == {}


def test_letters_of_figures_are_large_enough_on_a_phone(visit):
    assert all(pixels >= 10 for pixels in visit.letters), visit.letters


def test_code_leaves_room_for_words_and_pictures(visit):
    """What is not the lesson is folded: plumbing, plotting and tables by the tag hide-input."""
    assert visit.code <= CODE_IS_THE_LESSON.get(visit.page, CODE)


def test_first_visit_is_light(visit):
    limit = LIMIT[0] if visit.page == "index" else LIMIT[2] if visit.page in LONG else LIMIT[1]
    assert visit.bytes <= limit


@pytest.mark.parametrize("page", PAGES)
def test_page_is_valid_html(html, page):
    parser = html5lib.HTMLParser()
    parser.parse((html / f"{page}.html").read_text(encoding="utf-8"))
    assert [(place, fault) for place, fault, _ in parser.errors] == []
