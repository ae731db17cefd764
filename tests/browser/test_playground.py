"""The playground and the explorers, as a reader uses them: by mouse, by touch, by keyboard."""

import json
import re

import keras
import numpy as np
import pandas as pd
import playground
import playground_assets
import pytest

from lossutils import datasets, training
from lossutils.training._program import Program

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1:UserWarning")

PRESETS = playground_assets.presets()
HERE = "document.querySelector('.loss-playground').playground"
TRAINED = f"{HERE}.experiment.done && document.querySelector('.lp-after').textContent"


# --- What the page measures is what lossutils measures ------------------------------------------

# The rows that the page trains on, and for each seed of a side its first weights and the order of
# the rows in each epoch.
BEGINNING = """state => {
  const lp = globalThis.lossPlayground;
  const { problem, nets } = new lp.Experiment(state);
  const begin = net => ({
    weights: Array.from(net.w),
    orders: Array.from({length: state.epochs}, () => Array.from(lp.shuffle(net.rows, net.random))),
  });
  const { x, y, rows } = problem;
  return JSON.stringify({
    ...{ x: Array.from(x), y: Array.from(y), rows },
    ...{ a: nets.a.map(begin), b: nets.b.map(begin) },
  });
}"""
MEASURED = """([state, weights]) => {
  const experiment = new globalThis.lossPlayground.Experiment(state);
  return Object.fromEntries(["a", "b"].map(side => [side, experiment.nets[side].map((net, seed) => {
    net.w.set(weights[side][seed]);
    return experiment.measure(net);
  })]));
}"""


class Orders(np.random.Generator):
    """Stands in for the random numbers of a training: the orders of rows that a page has drawn."""

    def __init__(self, orders):
        super().__init__(np.random.PCG64(0))
        self.orders = iter(np.array(orders, dtype=np.int32))

    def permuted(self, rows, axis):
        return np.array([next(self.orders) for _ in rows])


def trained_by_lossutils(state, side, data, begin):
    """Return the last weights of each seed of a side."""
    loss, output, rate = (state[side][key] for key in ("loss", "output", "rate"))
    parameters = {**playground.defaults(loss), **state[side]["values"]}
    first, weights = None, []
    for seed in begin:
        model = playground.network(state["data"], loss, output, state["hidden"])
        sizes = np.cumsum([array.size for array in model.get_weights()])[:-1]
        parts = np.split(np.array(seed["weights"]), sizes)
        model.set_weights(
            [part.reshape(old.shape) for part, old in zip(parts, model.get_weights(), strict=True)]
        )
        optimizer = keras.optimizers.SGD(rate, momentum=0.9)
        model.compile(optimizer, playground.LOSSES[loss].build(output, **parameters))
        program = Program(model, data, 32, jit_compile=True, curves=False, like=first)
        program.run(data, None, state["epochs"], True, Orders(seed["orders"]), rate)
        first = first or program
        weights.append(np.concatenate([array.ravel() for array in model.get_weights()]).tolist())
    return weights


@pytest.mark.parametrize("name", PRESETS)
def test_preset_ends_with_the_interval_that_lossutils_gives(open_page, name):
    window = open_page("playground", reduced_motion="reduce")
    window.locator(f".lp-presets [data-preset={name}]").click()
    state = window.evaluate(f"{HERE}.state")
    assert state["optimizer"] == "sgd"
    assert state["decay"] == 0
    window.locator("[data-do=run]").click()
    begin = json.loads(window.evaluate(BEGINNING, state))
    x, y = (np.array(begin[key]).reshape(begin["rows"], -1) for key in "xy")
    weights = {}
    for side in "ab":
        targets = playground.targets(y, state[side]["loss"])
        data = datasets.Dataset(x_train=x, y_train=targets, x_test=x, y_test=targets)
        weights[side] = trained_by_lossutils(state, side, data, begin[side])
    runs = {
        side: pd.DataFrame({"seed": range(len(values)), "measure": "metric", "value": values})
        for side, values in window.evaluate(MEASURED, [state, weights]).items()
    }
    expected = training.compare(runs, "metric").loc["b"]

    window.wait_for_function(TRAINED, timeout=120_000)
    summary = window.evaluate(f"{HERE}.experiment.summary()")
    for key in ("difference", "low", "high"):
        # Student's t travels with six digits.
        assert summary[key] == pytest.approx(expected[key], abs=1e-6), key
    # And that is what the reader is told, rounded.
    verdict = window.inner_text(".lp-verdict").replace("−", "-")
    percent = window.evaluate(f"{HERE}.experiment.metric.percent === true")
    shown = sorted(abs(float(number)) for number in re.search(r"\[(.*)\]", verdict)[1].split(", "))
    given = sorted(abs(expected[key]) * (100 if percent else 1) for key in ("low", "high"))
    assert shown == pytest.approx(given, abs=0.051 if percent else 0.00051)
    assert window.problems == []


# --- By mouse, by touch, by keyboard --------------------------------------------------------------


def test_answer_comes_after_the_training(open_page):
    window = open_page("playground")
    right = window.locator(".lp-question label", has_text="B: mean absolute error")
    right.click()
    assert window.inner_text(".lp-after") == ""
    window.locator("[data-do=run]").click()
    window.wait_for_function(TRAINED, timeout=120_000)
    assert "the few wrong ones draw the fit up" in window.inner_text(".lp-after")
    assert window.locator(".lp-after a[href$='mean_absolute_error.html']").count() == 1
    assert window.problems == []


def test_whole_experiment_by_keyboard(open_page):
    window = open_page("playground")
    window.locator(".lp-question input").first.focus()
    window.keyboard.press("ArrowDown")
    window.keyboard.press("Tab")
    assert window.evaluate("document.activeElement.dataset.do") == "run"
    window.keyboard.press("Enter")
    window.wait_for_function(TRAINED, timeout=120_000)
    assert window.locator(".lp-question input").nth(1).is_checked()


def test_settings_travel_in_the_address(open_page):
    window = open_page("playground")
    window.locator(".lp-presets [data-preset=how-sure]").click()
    window.select_option("[data-side=b] [name=loss]", "squared_hinge")
    window.select_option("[name=optimizer]", "adam")
    address = window.url
    assert "#playground=circles" in address
    again = open_page(address.rsplit("/", 1)[1])
    assert again.evaluate(f"{HERE}.state") == window.evaluate(f"{HERE}.state")
    assert again.inner_text("[data-side=b] .lp-name").startswith("B: Squared hinge")


def test_code_is_copied(open_page):
    window = open_page("playground", permissions=["clipboard-read", "clipboard-write"])
    window.locator("[data-do=code]").click()
    window.wait_for_function("document.querySelector('.lp-copied').textContent")
    copied = window.evaluate("navigator.clipboard.readText()")
    assert copied == window.evaluate(f"lossPlayground.kerasCode({HERE}.state)")
    assert "keras.losses.MeanAbsoluteError()" in copied


def edits(window):
    return window.evaluate(f"{HERE}.state.edits")


def canvas_to_edit(window, press):
    """Return the place of the first picture, ready to have points put on it."""
    press(window.locator("[data-do=edit]"))
    canvas = window.locator("[data-side=a] canvas")
    canvas.scroll_into_view_if_needed()
    return canvas.bounding_box()


def test_points_are_placed_and_dragged_by_mouse(open_page):
    window = open_page("playground")
    box = canvas_to_edit(window, lambda button: button.click())
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.12 * box["height"]
    window.mouse.click(x, y)
    [added] = edits(window)
    assert added["row"] < 0
    window.mouse.move(x, y)
    window.mouse.down()
    window.mouse.move(x + 40, y + 30, steps=4)
    window.mouse.up()
    [moved] = edits(window)
    assert moved["row"] == added["row"]
    assert moved["x"][0] > added["x"][0]
    assert moved["c"] < added["c"]
    assert window.problems == []


def test_points_are_placed_by_touch(open_page):
    window = open_page("playground", "phone")
    box = canvas_to_edit(window, lambda button: button.tap())
    window.touchscreen.tap(box["x"] + 0.5 * box["width"], box["y"] + 0.12 * box["height"])
    [added] = edits(window)
    assert added["row"] < 0
    window.locator("[data-do=clear]").tap()
    assert edits(window) == []


def test_points_are_placed_carried_and_removed_by_keyboard(open_page):
    window = open_page("playground")
    window.locator("[data-do=edit]").focus()
    window.keyboard.press("Enter")
    window.locator("[data-side=a] canvas").focus()
    for _ in range(3):
        window.keyboard.press("ArrowUp")
    window.keyboard.press("Enter")
    [added] = edits(window)
    window.keyboard.press("Space")
    window.keyboard.press("ArrowRight")
    window.keyboard.press("Space")
    [carried] = edits(window)
    assert carried["row"] == added["row"]
    assert carried["x"][0] > added["x"][0]
    window.keyboard.press("Delete")
    assert edits(window) == []


def test_playground_without_scripts_is_a_picture(open_page):
    window = open_page("playground", java_script_enabled=False)
    assert window.locator(".lp-without svg").is_visible()
    assert not window.locator(".lp-app").is_visible()


def explorer(window, name="huber"):
    figure = window.locator(f"#explore-{name}")
    return figure, figure.locator(".le-value").first, figure.locator("path.le-curve").first


def test_slider_by_keyboard(open_page):
    window = open_page("explorers")
    figure, slider, curve = explorer(window)
    before, said = curve.get_attribute("d"), slider.get_attribute("aria-valuetext")
    slider.focus()
    window.keyboard.press("ArrowRight")
    assert curve.get_attribute("d") != before
    assert slider.get_attribute("aria-valuetext") != said
    probe = figure.locator(".le-probe")
    probe.focus()
    window.keyboard.press("End")
    assert "gradient" in probe.get_attribute("aria-valuetext")
    assert window.problems == []


@pytest.mark.parametrize("view", ["light", "phone"])
def test_slider_by_mouse_and_touch(open_page, view):
    window = open_page("explorers", view)
    _, slider, curve = explorer(window)
    before = curve.get_attribute("d")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    press = window.touchscreen.tap if view == "phone" else window.mouse.click
    press(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"])
    assert curve.get_attribute("d") != before


def test_slider_without_scripts_has_its_curve(open_page):
    window = open_page("explorers", java_script_enabled=False)
    _, _, curve = explorer(window)
    assert curve.is_visible()


# --- What a hostile reader found ------------------------------------------------------------------

ONE_SEED = """() => {
  const seeds = document.querySelector("[name=seeds]");
  seeds.value = 1;
  seeds.oninput({ target: seeds });
}"""


@pytest.mark.parametrize("name", ["no-error-message", "a-quantile"])
def test_one_seed_judges_no_answer(open_page, name):
    window = open_page("playground", reduced_motion="reduce")
    window.locator(f".lp-presets [data-preset={name}]").click()
    window.evaluate(ONE_SEED)
    window.locator(".lp-question label").first.click()
    window.locator("[data-do=run]").click()
    window.wait_for_function(TRAINED, timeout=120_000)
    assert "One run decides nothing" in window.inner_text(".lp-after")
    assert "is what was measured" not in window.inner_text(".lp-after")


@pytest.mark.parametrize("width", [390, 320])
def test_no_loss_bursts_the_frame_on_a_phone(open_page, width):
    window = open_page("playground", "phone", viewport={"width": width, "height": 844})
    window.wait_for_selector(".lp-on")
    burst = window.evaluate(
        f"""() => {{
          const {{ playground }} = document.querySelector('.loss-playground');
          const box = document.querySelector('.loss-playground');
          const found = [];
          for (const data of Object.keys(lossPlayground.problems)) {{
            playground.chooseData(data);
            for (const loss of Object.keys(lossPlayground.kindOf(data).losses)) {{
              const output = playground.fittingOutput(loss);
              const side = lossPlayground.side(loss, output, 0.01);
              playground.change({{ a: side, b: side }});
              if (box.scrollWidth > box.clientWidth
                  || document.documentElement.scrollWidth > {width})
                found.push(`${{data}} ${{loss}}`);
            }}
          }}
          for (const preset of lossPlayground.presets) {{
            playground.set(preset.state);
            if (box.scrollWidth > box.clientWidth) found.push(preset.id);
          }}
          return found;
        }}"""
    )
    assert burst == []


def test_point_is_chosen_removed_and_kept_in_the_picture(open_page):
    window = open_page("playground")
    box = canvas_to_edit(window, lambda button: button.click())
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.12 * box["height"]
    window.mouse.click(x, y, button="right")
    assert edits(window) == []
    window.mouse.click(x, y)
    window.mouse.click(x, y)  # chooses the one that is there
    assert len(edits(window)) == 1
    window.mouse.down()
    window.mouse.move(box["x"] + box["width"] + 5, y, steps=4)  # a little beyond the edge
    window.mouse.up()
    [kept] = edits(window)
    right = window.evaluate(f"{HERE}.places.a.right")
    assert kept["x"][0] < right
    window.locator("[data-do=remove]").click()
    assert edits(window) == []
    window.mouse.click(x, y)
    window.mouse.move(x, y)
    window.mouse.down()
    window.mouse.move(x, box["y"] - 40, steps=4)
    assert "remove" in window.inner_text(".lp-told")
    window.mouse.up()
    assert edits(window) == []
    assert window.problems == []


def test_keyboard_leaves_no_point_outside(open_page):
    window = open_page("playground")
    window.locator("[data-do=edit]").focus()
    window.keyboard.press("Enter")
    assert window.evaluate("document.activeElement.tagName") == "CANVAS"
    for _ in range(70):
        window.keyboard.press("ArrowRight")
    window.keyboard.press("Enter")
    [added] = edits(window)
    assert added["x"][0] < window.evaluate(f"{HERE}.places.a.right")
    window.keyboard.press("Enter")
    assert len(edits(window)) == 1


@pytest.mark.parametrize("button", ["edit", "run"])
def test_pictures_are_in_sight_on_a_phone(open_page, button):
    window = open_page("playground", "phone")
    window.wait_for_selector(".lp-on")
    window.locator(f"[data-do={button}]").tap()
    box = window.locator("[data-side=a] canvas").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 844
    if button == "edit":
        hint = window.locator(".lp-editing").bounding_box()
        assert 0 <= hint["y"] - box["y"] - box["height"] < 250


def test_key_says_what_colors_and_marks_mean(open_page):
    window = open_page("playground")
    key = window.locator(".lp-key")
    assert "◆ targets moved up by 4" in key.inner_text()
    window.locator(".lp-presets [data-preset=flipped-labels]").click()
    assert "▲ class 1" in key.inner_text()
    assert "label is flipped" in key.inner_text()
    window.locator(".lp-presets [data-preset=how-sure]").click()
    assert "flipped" not in key.inner_text()


@pytest.mark.parametrize("data", ["own_numbers", "own_labels"])
def test_own_points_have_no_truth_and_no_test_set(open_page, data):
    window = open_page("playground")
    window.select_option("[name=data]", data)
    assert "on your points" in window.inner_text(".lp-title")


def test_dark_theme_prints_in_light_colors_with_the_value_that_is_drawn(open_page):
    window = open_page("explorers", "dark")
    window.wait_for_selector(".le-on")
    window.emulate_media(media="print")
    figure = window.locator("#explore-huber")
    assert figure.locator(".le-value").is_hidden()
    assert figure.locator("output").first.inner_text() == "δ = 1"
    assert figure.locator("output").first.is_visible()
    ink = figure.locator("svg .le-title").first.evaluate("e => getComputedStyle(e).fill")
    assert ink == "rgb(34, 34, 34)"
    page = open_page("playground", "dark")
    page.emulate_media(media="print")
    paper = page.locator(".lp-without .paper").evaluate("e => getComputedStyle(e).fill")
    assert paper == "rgb(253, 253, 252)"


@pytest.mark.parametrize("page", ["playground", "regression/huber"])
def test_picture_stays_where_the_script_does_not_come(window_on, site, page):
    window = window_on()
    window.route("**/playground.min.js*", lambda route: route.abort())
    window.goto(f"{site}/{page}.html")
    selector = ".loss-playground"
    if window.locator(selector).count():
        assert window.locator(f"{selector} .lp-without svg").is_visible()
        assert not window.locator(f"{selector} [data-do=run]").is_visible()
    window.context.close()


def test_choices_say_whose_they_are(open_page):
    window = open_page("playground")
    for side in "AB":
        for name in ("loss", "output", "rate"):
            assert window.get_by_role("combobox", name=f"{side}: {name}", exact=True).count() == 1


def test_read_out_names_the_place_exactly(open_page):
    window = open_page("explorers")
    wrong = window.evaluate(
        r"""() => [...document.querySelectorAll('[data-kind=curve]')].filter(figure => {
              const { t } = JSON.parse(figure.nextElementSibling.textContent);
              const probe = figure.querySelector('.le-probe');
              const said = parseFloat(probe.nextElementSibling.textContent.replace('−', '-'));
              const place = t[0] + probe.value / probe.max * (t[1] - t[0]);
              return Math.abs(said - place) > 1e-5;
            }).map(figure => figure.id)"""
    )
    assert wrong == []
