"""The playground and the explorers say and compute what lossutils does today."""

import gzip
import json
import re
import subprocess

import numpy as np
import pandas as pd
import playground
import playground_assets
import playground_data
import playground_explorers
import pytest
from bs4 import BeautifulSoup
from notebooks import BOOK, ROOT
from scipy.special import i0e
from sphinx.application import Sphinx

from lossutils import losses, plotting, training

REMEDY = "run `make playground` and look at the difference"
PRESETS = playground_assets.presets()
EXPLORERS = (*playground_explorers.EXPLORERS, playground_explorers.THRESHOLD)

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1:UserWarning")


# --- What is stored is what lossutils says today --------------------------------------------------


def test_texts_are_up_to_date():
    stored = playground.TEXTS.read_text(encoding="utf-8")
    assert stored == playground.script(playground.texts()), REMEDY


def test_decisions_of_the_churn_model_are_up_to_date():
    stored = json.loads(playground_explorers.CHURN.read_text(encoding="utf-8"))
    assert stored == playground.churn(), REMEDY


def test_each_experiment_has_a_picture_for_readers_without_scripts():
    pictures = {path.stem for path in playground_assets.ASSETS.glob("*.svg")}
    assert pictures == set(PRESETS), REMEDY


def test_a_picture_is_what_lossutils_trains():
    stored = (playground_assets.ASSETS / "wrong-targets.svg").read_text(encoding="utf-8")
    fresh = playground.picture(PRESETS["wrong-targets"])
    assert re.sub(r"\d+", "", stored) == re.sub(r"\d+", "", fresh), REMEDY
    numbers = [np.array(re.findall(r"\d+", text), dtype=float) for text in (stored, fresh)]
    # A coordinate may round to the next pixel on another processor.
    assert np.abs(numbers[0] - numbers[1]).max() <= 1, REMEDY


def test_colors_are_those_of_the_figures():
    style = plotting._style
    sheet = (playground_assets.ASSETS / "playground.css").read_text(encoding="utf-8")
    light = dict(re.findall(r"--lp-([\w]+): (#\w{6})", sheet.split('html[data-theme="dark"]')[0]))
    assert light == {
        **{"a": style.BLUE, "b": style.VERMILLION},
        **{f"c{label}": style.CLASS_COLORS[label] for label in range(3)},
        **{"paper": style.PAPER, "ink": style.INK, "quiet": style.QUIET, "grid": style.GRID},
    }


@pytest.mark.parametrize("scripts", [playground_assets.SCRIPTS, ["explorers"]])
def test_scripts_joined_into_one_are_still_a_program(scripts, tmp_path):
    program = tmp_path / "joined.js"
    program.write_text(playground_assets.joined(scripts), encoding="utf-8")
    subprocess.run([playground_assets.NODE, "--check", program], check=True, capture_output=True)


def test_small_enough_to_load_on_a_phone():
    parts = [
        playground_assets.joined(playground_assets.SCRIPTS),
        (playground_assets.ASSETS / "playground.css").read_text(encoding="utf-8"),
        playground_assets.playground("wrong-targets", "all"),
    ]
    assert sum(len(gzip.compress(part.encode(), 9)) for part in parts) <= 40_000


# --- The same data, the same metrics --------------------------------------------------------------


def loaded(data, **state):
    """Return the training and test rows that the scripts draw, as arrays."""
    state = {"data": data, "draw": 0, "wrong": 0, "edits": [], **state}
    rows = playground_assets.evaluate(
        "(({ x, y, xTest, cTest }) => ({ x: Array.from(x), y: Array.from(y), "
        f"xTest: Array.from(xTest), cTest: Array.from(cTest) }}))(lp.load({json.dumps(state)}))"
    )
    return {name: np.array(values) for name, values in rows.items()}


@pytest.mark.parametrize("draw", [0, 7])
@pytest.mark.parametrize("problem", playground.PROBLEMS)
def test_scripts_draw_the_same_data(problem, draw):
    x, y, x_test, y_test = getattr(playground_data, problem)(draw)
    rows = loaded(problem, draw=draw)
    np.testing.assert_allclose(rows["x"], x.ravel(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(rows["y"], y.ravel(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(rows["xTest"], x_test.ravel(), rtol=0, atol=1e-12)
    label = y_test.argmax(axis=1) if y_test.shape[1] > 1 else y_test[:, 0]
    np.testing.assert_allclose(rows["cTest"], label, rtol=0, atol=1e-12)


@pytest.mark.parametrize("problem", playground.PROBLEMS)
def test_a_point_that_is_added_becomes_no_batch_of_its_own(problem):
    rows = len(getattr(playground_data, problem)(0)[1])
    assert 8 <= rows % 32 <= 24


def circle_posterior(x):
    """Return the probability of the inner circle, by Bessel's function."""
    r = np.linalg.norm(x, axis=1)
    outer, inner = (
        np.exp(-((r - radius) ** 2) / (2 * 0.1**2)) * i0e(r * radius / 0.1**2)
        for radius in (1.0, 0.8)
    )
    return inner / (inner + outer)


def test_the_ceiling_is_that_of_the_true_probabilities():
    _, _, x, y = playground_data.circles(0)
    accuracy = np.mean((circle_posterior(x) > 0.5) == (y[:, 0] == 1))
    state = json.dumps({"data": "circles", "draw": 0, "wrong": 0, "edits": []})
    assert playground_assets.evaluate(f"lp.metrics.accuracy.goal(lp.load({state}))") == accuracy


# --- The experiments ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs():
    """Train every experiment to its end, as the page does."""
    program = ROOT / "tests" / "playground" / "run.mjs"
    run = subprocess.run(
        [playground_assets.NODE, program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return {result["id"]: result for result in json.loads(run.stdout)}


@pytest.mark.parametrize("name", PRESETS)
def test_experiment_ends_decided(runs, name):
    result = runs[name]
    low, high = result["summary"]["low"], result["summary"]["high"]
    apart = low > 0 or high < 0
    # No difference is an answer, too, where the interval leaves room for no large one.
    assert apart or (result["percent"] and max(-low, high) < 0.01), result["verdict"]
    assert result["right"] is not None, "no answer fits what was measured"


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_said_afterwards_fits_what_was_measured(runs, name):
    result = runs[name]
    assert "not what this experiment was made to show" not in result["why"]
    assert "cannot tell the two apart" not in result["why"]
    assert "undefined" not in result["why"] + result["verdict"]
    assert "NaN" not in result["why"] + result["verdict"]
    for side in "ab":
        assert result["summary"]["mean"][side] == pytest.approx(np.mean(result["values"][side]))


@pytest.mark.parametrize("name", PRESETS)
def test_interval_is_that_of_compare(runs, name):
    frames = {
        side: pd.DataFrame({"seed": range(len(values)), "measure": "metric", "value": values})
        for side, values in runs[name]["values"].items()
    }
    row = training.compare(frames, "metric").loc["b"]
    summary = runs[name]["summary"]
    # Student's t travels with six digits.
    assert summary["difference"] == pytest.approx(row["difference"], abs=1e-12)
    assert summary["low"] == pytest.approx(row["low"], abs=1e-6)
    assert summary["high"] == pytest.approx(row["high"], abs=1e-6)


def test_circles_train_within_seconds_and_in_small_pieces(runs):
    result = runs["points-that-pull"]  # 120 epochs of 2 times 10 seeds
    assert result["seconds"] < 4
    assert result["longest"] < 100  # milliseconds


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_experiment_leads_to_a_chapter(preset):
    page = preset["chapter"][0]
    assert (BOOK / f"{page}.ipynb").is_file()


# --- The address ----------------------------------------------------------------------------------

EDITED = {
    **PRESETS["three-classes"]["state"],
    **{"draw": 3, "wrong": 10, "optimizer": "adam", "decay": 0.01, "hidden": 5, "seeds": 2},
    "edits": [
        {"row": 4, "x": [0.25, -1.5], "c": 2},
        {"row": 7, "gone": True},
        {"row": -1, "x": [3, 3], "c": 0},
    ],
}
STATES = {**{name: preset["state"] for name, preset in PRESETS.items()}, "edited": EDITED}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_address_keeps_the_settings(state):
    address = playground_assets.evaluate(f"lp.toHash({json.dumps(state)})")
    assert re.fullmatch(r"#[\w=.,:;/-]+", address), "safe in every address"
    assert playground_assets.evaluate(f"lp.fromHash({json.dumps(address)})") == state


@pytest.mark.parametrize(
    "address",
    [
        "",
        "#what-you-see",
        "#playground=",
        "#playground=curve,0,16,10,120,sgd,25,0,rmse;hinge,linear,0.01;huber,linear,0.01;",
        "#playground=curve,0,16,99,120,sgd,25,0,rmse;huber,linear,0.01;huber,linear,0.01;",
        "#playground=curve,0,16,10,120,sgd,25,0,rmse;huber,linear,7;huber,linear,0.01;",
        "#playground=curve,0,16,10,120,sgd,25,0,rmse;huber,linear,0.01,delta:-1;huber,linear,0.01;",
        "#playground=__proto__,0,0,1,60,sgd,25,0,rmse;huber,linear,0.01;huber,linear,0.01;",
        "#playground=circles,0,0,1,60,sgd,25,0,accuracy;hinge,linear,1;hinge,linear,1;0,1,2,9",
        "#playground=own_numbers,0,0,1,60,sgd,25,0,rmse;huber,linear,1;huber,linear,1;"
        + "/".join(map(str, range(10))),
        "#playground=%",
    ],
)
def test_an_address_that_names_nothing_on_offer_is_left_alone(address):
    assert playground_assets.evaluate(f"lp.fromHash({json.dumps(address)})") is None


# --- The same training as Keras code --------------------------------------------------------------

MORE_STATES = {
    "counts": {
        **PRESETS["wrong-targets"]["state"],
        **{"data": "counts", "wrong": 4, "decay": 0.01},
        "a": {"loss": "poisson", "output": "exponential", "rate": 0.003, "values": {}},
    },
    "likelihood": {
        **PRESETS["wrong-targets"]["state"],
        "b": {
            "loss": "gaussian_negative_log_likelihood",
            **{"output": "linear", "rate": 0.003, "values": {}},
        },
    },
    "logits": {
        **PRESETS["points-that-pull"]["state"],
        **{"hidden": 0, "wrong": 20},
        "a": {"loss": "binary_crossentropy", "output": "logits", "rate": 0.1, "values": {}},
    },
    "own": {
        **PRESETS["points-that-pull"]["state"],
        **{"data": "own_labels", "metric": "accuracy"},
        "edits": [{"row": -1, "x": [0, 0], "c": 1}],
    },
    "numbers of classes": {
        **EDITED,
        "a": {
            "loss": "sparse_categorical_crossentropy",
            "output": "softmax",
            "rate": 0.03,
            "values": {},
        },
    },
}


@pytest.mark.parametrize(
    "state", [*STATES.values(), *MORE_STATES.values()], ids=[*STATES, *MORE_STATES]
)
def test_copied_code_runs_the_same_training(state, capsys):
    code = playground_assets.evaluate(f"lp.kerasCode({json.dumps(state)})")
    line = f"SEEDS, EPOCHS = {state['seeds']}, {state['epochs']}"
    assert line in code
    names = {}
    exec(code.replace(line, "SEEDS, EPOCHS = 1, 1"), names)
    assert len(re.findall(r"^[AB]: \S+ on average", capsys.readouterr().out, re.M)) == 2

    rows = loaded(state["data"], **{key: state[key] for key in ("draw", "wrong", "edits")})
    np.testing.assert_allclose(names["x"].ravel(), rows["x"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(names["y"].ravel(), rows["y"], rtol=0, atol=1e-12)
    names["EPOCHS"] = 0  # build the models again, as they are before the training
    for side in "ab":
        wanted, model = state[side], names["train"](names["sides"][side.upper()], seed=0)
        values = {**playground.defaults(wanted["loss"]), **wanted["values"]}
        built = playground.LOSSES[wanted["loss"]].build(wanted["output"], **values)
        assert model.loss.get_config() == built.get_config()
        optimizer = model.optimizer
        assert type(optimizer).__name__.lower() == state["optimizer"]
        assert float(optimizer.learning_rate) == pytest.approx(wanted["rate"])
        assert (optimizer.weight_decay or 0) == state["decay"]
        same = playground.network(state["data"], wanted["loss"], wanted["output"], state["hidden"])
        shapes = [layer.get_config() for layer in model.layers]
        for config, layer in zip(shapes, same.layers, strict=True):
            other = layer.get_config()
            for key in ("units", "activation", "kernel_initializer", "dtype"):
                assert config[key] == other[key]


# --- The pages ------------------------------------------------------------------------------------

MARKS = """# A page

A sentence that says what it is.

<div class="loss-playground" data-preset="one-number">

![A picture](x.svg)

Text for readers elsewhere.

</div>

<div class="loss-explorer" data-explorer="huber">

Text for readers elsewhere.

</div>
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Build a page with marks and one without, and return them parsed."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "conf.py").write_text('extensions = ["myst_parser", "playground_assets"]\n')
    (folder / "index.md").write_text(MARKS)
    (folder / "plain.md").write_text("---\norphan: true\n---\n\n# Plain\n\nNothing.\n")
    out = folder / "out"
    Sphinx(folder, folder, out, folder / "trees", "html", status=None, warning=None).build()
    texts = [(out / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "plain")]
    return [BeautifulSoup(text, "html.parser") for text in texts]


def test_marks_become_playground_and_explorer(pages):
    page, _ = pages
    assert len(page.select("section.loss-playground")) == 1
    assert page.select_one(".lp-question legend").text == PRESETS["one-number"]["question"]
    assert len(page.select("figure.loss-explorer .le-panels svg")) == 2
    assert "Text for readers elsewhere" not in page.text


def test_without_scripts_there_is_a_picture_and_a_sentence(pages):
    page, _ = pages
    fallback = page.select_one(".lp-without")
    assert fallback.svg["aria-label"].startswith("One number")
    assert "With JavaScript" in fallback.p.text
    assert page.select_one("figure.loss-explorer path.le-curve")["d"].startswith("M")


def test_scripts_are_loaded_only_where_they_are_used(pages):
    loaded_by = [
        {tag["src"].split("?")[0].rsplit("/", 1)[1] for tag in page.find_all("script", src=True)}
        for page in pages
    ]
    assert {"playground.min.js", "explorer.min.js"} <= loaded_by[0]
    assert not {"playground.min.js", "explorer.min.js"} & loaded_by[1]
    assert all("playground" not in tag["href"] for tag in pages[1].find_all("link", href=True))


@pytest.mark.parametrize("make", [playground_assets.playground, playground_assets.explorer])
def test_an_unknown_name_is_an_error_that_names_the_known_ones(make):
    with pytest.raises(ValueError, match="'nothing': there are"):
        make("nothing")


# --- Explorers ------------------------------------------------------------------------------------


def explorer_data(name):
    soup = BeautifulSoup(playground_assets.explorer(name), "html.parser")
    return soup, json.loads(soup.select_one("script.le-data").string)


@pytest.mark.parametrize("name", EXPLORERS)
def test_explorer_is_up_to_date(name):
    stored, fresh = playground_assets.explorer(name), playground_explorers.explorer(name) + "\n"
    # The numbers are compared below: the last digit of one may depend on the processor.
    assert re.sub(r"[-\d.,]+", "", stored) == re.sub(r"[-\d.,]+", "", fresh), REMEDY


@pytest.mark.parametrize("name", playground_explorers.EXPLORERS)
def test_explorer_shows_the_numbers_of_the_catalogue(name):
    one = playground_explorers.EXPLORERS[name]
    _, data = explorer_data(name)
    sizes = [len(slider["values"]) for slider in data["sliders"]]
    assert len(data["rows"]) == np.prod(sizes)
    for at in range(0, len(data["rows"]), 7):
        places = np.unravel_index(at, sizes)
        parameters = {
            slider.name: choice["values"][place]
            for slider, choice, place in zip(one.sliders, data["sliders"], places, strict=True)
        }
        weight = parameters.pop("weight", None)
        entry = losses.CATALOGUE[one.loss]
        t, curves = entry.along_curve(points=playground_explorers.POINTS, **one.fixed, **parameters)
        assert data["t"] == pytest.approx([t[0], t[-1]])
        for i, (pair, packed) in enumerate(zip(curves.values(), data["rows"][at], strict=True)):
            factor = weight if weight and i == 0 else 1
            for values, text in zip(pair, packed, strict=True):
                shown = np.cumsum(np.cumsum(np.array(text.split(","), dtype=int))) / 1000
                np.testing.assert_allclose(shown, factor * values, rtol=0, atol=5.001e-4)


@pytest.mark.parametrize("name", EXPLORERS)
def test_explorer_has_labeled_native_sliders_on_their_defaults(name):
    soup, _ = explorer_data(name)
    for slider in soup.select("input"):
        assert slider["type"] == "range"
        assert slider.parent.name == "label"
        assert int(slider["min"]) <= int(slider["value"]) <= int(slider["max"])


def test_costs_of_the_threshold_add_up():
    data = json.loads(playground_explorers.CHURN.read_text(encoding="utf-8"))
    assert data["unneeded"][0] == data["stays"]
    assert data["missed"][0] == 0
    assert all(np.diff(data["missed"]) >= 0)
    assert all(np.diff(data["unneeded"]) <= 0)


# --- What few seeds decide ------------------------------------------------------------------------

VERDICTS = """(() => {
  const preset = lp.presets.find(({ id }) => id === "three-classes");
  const judged = (seeds, spread) => {
    const experiment = new lp.Experiment({ ...preset.state, seeds });
    experiment.epoch = 1;
    experiment.history.a.push(Array.from({ length: seeds }, () => 0.8));
    experiment.history.b.push(
      Array.from({ length: seeds }, (_, i) => 0.8 + spread * (i % 2 ? 1 : -1)));
    const right = lp.rightAnswer(preset, experiment);
    return right ? right.when : right;
  };
  return { one: judged(1, 0), two: judged(2, 0.001), wide: judged(10, 0.05),
           narrow: judged(10, 0.002) };
})()"""


def test_equal_is_said_only_where_enough_seeds_leave_no_room():
    judged = playground_assets.evaluate(VERDICTS)
    assert judged == {"one": None, "two": None, "wide": None, "narrow": "none"}
