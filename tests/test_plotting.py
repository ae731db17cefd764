"""Figures: what they show, that they leave nothing behind, and how they look.

`pytest --mpl` compares each picture with the one in tests/baseline; without the flag the same tests
check what the picture shows. `pytest --mpl-generate-path=tests/baseline tests/test_plotting.py`
draws the pictures anew: look at each before it is committed.
"""

import dataclasses
import doctest
import itertools

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from nbclient import NotebookClient
from scipy import stats
from sklearn.calibration import calibration_curve

from lossutils import plotting, training
from lossutils.losses import CATALOGUE
from lossutils.plotting import _style

matplotlib.use("agg")

picture = pytest.mark.mpl_image_compare(
    style="default", savefig_kwargs={"dpi": 60}, tolerance=3, deterministic=True
)


@pytest.fixture(autouse=True)
def _no_figure_left():
    yield
    plt.close("all")


# --- Data for the figures: small, made here, the same every time ------------------------------


def rng(seed=0):
    return np.random.default_rng(seed)


def rings():
    angle = rng().uniform(0, 2 * np.pi, 120)
    y = np.arange(120) % 2
    radius = np.where(y == 0, 1.0, 0.6) + rng(1).normal(0, 0.1, 120)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y[:, None]


def rings_model(points):
    return 1 / (1 + np.exp(12 * (np.hypot(points[:, :1], points[:, 1:]) - 0.85)))


def rings_truth(points):
    return 1 / (1 + np.exp(30 * (np.hypot(points[:, :1], points[:, 1:]) - 0.8)))


CENTERS = np.array([[-2.0, 0.0], [2.0, 0.0], [0.0, 3.0]])


def clouds():
    y = np.arange(90) % 3
    return CENTERS[y] + rng(2).normal(0, 1.2, (90, 2)), np.eye(3)[y]


def clouds_model(points, shift=0.0):
    scores = -np.square(points[:, None, :] - CENTERS - shift).sum(axis=-1) / 2
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def history(epochs=50):
    t = np.arange(epochs)
    return {
        "train_loss": list(0.25 + 0.7 * np.exp(-t / 12)),
        "test_loss": list(0.33 + 0.65 * np.exp(-t / 12) + 0.001 * t),
        "train_accuracy": list(0.88 - 0.4 * np.exp(-t / 8)),
        "test_accuracy": list(0.84 - 0.35 * np.exp(-t / 8)),
    }


def runs(names, seeds=20, measure="test_accuracy"):
    """What `training.repeat` returns, for made-up trainings that share a part by seed."""
    shared = rng(3).normal(0, 0.01, seeds)
    return {
        name: pd.DataFrame(
            {
                "seed": range(seeds),
                "measure": measure,
                "value": 0.8 + 0.01 * i + shared + rng(4 + i).normal(0, 0.006, seeds),
            }
        )
        for i, name in enumerate(names)
    }


def runs_with_curves(names, seeds=10, epochs=30):
    final = runs(names, seeds)
    return {
        name: pd.DataFrame(
            [
                (seed, epoch, "test_accuracy", value - 0.3 * np.exp(-epoch / 6))
                for seed, value in zip(frame["seed"], frame["value"], strict=True)
                for epoch in range(1, epochs + 1)
            ],
            columns=["seed", "epoch", "measure", "value"],
        )
        for name, frame in final.items()
    }


def sweep(names, rates=(0.001, 0.01, 0.1, 1.0), seeds=8):
    """What `repeat` returns for several rates a seed: each loss is best at a rate of its own."""
    return {
        name: pd.DataFrame(
            [
                (seed, rate, "test_accuracy", value - 0.03 * (np.log10(rate) + 2 - 0.7 * i) ** 2)
                for rate in rates
                for seed, value in zip(frame["seed"], frame["value"], strict=True)
            ],
            columns=["seed", "learning_rate", "measure", "value"],
        )
        for i, (name, frame) in enumerate(runs(names, seeds).items())
    }


LOSSES = ["Binary cross-entropy", "Hinge loss", "Squared hinge loss"]


def digit_images(number=6):
    images = np.zeros((number, 8, 8))
    for k in range(number):
        images[k, 1:7, 1 + k % 6] = 1
        images[k, 1 + k % 6, 1:7] = 0.6
    return images


def odds():
    p = rng(5).random(1000)
    return (rng(6).random(1000) < p).astype(int), p


def every_function():
    """Each function with data, as (name, number of Axes, call)."""
    x, y = rings()
    truth, p = odds()
    threshold = np.linspace(0, 1, 51)
    return [
        ("scatter", 1, lambda ax: plotting.scatter(x, y, ax)),
        ("histogram", 1, lambda ax: plotting.histogram({"train": p, "test": p**2}, ax)),
        ("digits", 6, lambda ax: plotting.digits(digit_images(), ax, labels=range(6))),
        ("loss_curve", 2, lambda ax: plotting.loss_curve(CATALOGUE["huber"], ax, delta=[1, 2])),
        ("learning_curves", 1, lambda ax: plotting.learning_curves(history(), ax=ax)),
        (
            "curves_over_seeds",
            1,
            lambda ax: plotting.curves_over_seeds(runs_with_curves(LOSSES), "test_accuracy", ax),
        ),
        ("seeds", 1, lambda ax: plotting.seeds(runs(LOSSES), "test_accuracy", ax)),
        ("paired", 1, lambda ax: plotting.paired(runs(LOSSES), "test_accuracy", ax)),
        ("rates", 1, lambda ax: plotting.rates(sweep(LOSSES), "test_accuracy", ax)),
        ("decision_regions", 1, lambda ax: plotting.decision_regions(rings_model, x, y, ax)),
        ("predictions", 1, lambda ax: plotting.predictions(1 + p, 1 + p**2, ax, scale="log")),
        ("confusion_matrix", 1, lambda ax: plotting.confusion_matrix(truth, p > 0.5, ax)),
        (
            "threshold_curves",
            1,
            lambda ax: plotting.threshold_curves(
                threshold, {"precision": threshold, "recall": 1 - threshold}, ax, marks={"a": 0.5}
            ),
        ),
        ("calibration", 1, lambda ax: plotting.calibration(truth, p, ax)),
    ]


EVERY = pytest.mark.parametrize(
    ("number", "draw"),
    [pytest.param(number, draw, id=name) for name, number, draw in every_function()],
)


# --- What holds for every figure --------------------------------------------------------------


def test_every_public_figure_is_in_the_common_tests():
    helpers = {"color_of", "style"}
    figures = {n for n in plotting.__all__ if n.islower()} - helpers
    assert figures == {name for name, *_ in every_function()}


@EVERY
def test_draws_into_the_axes_it_is_given_and_nowhere_else(number, draw):
    figure, axes = plt.subplots(1, number, squeeze=False)
    given_axes = axes[0, 0] if number == 1 else axes[0]
    returned = draw(given_axes)
    assert list(np.ravel(returned)) == list(axes[0])
    assert plt.get_fignums() == [figure.number]
    assert all(ax.has_data() for ax in axes[0])


@EVERY
def test_makes_one_figure_of_its_own_that_fits_a_text_column(number, draw):
    axes = draw(None)
    figures = {ax.figure for ax in np.ravel(axes)}
    assert plt.get_fignums() == [figure.number for figure in figures]
    assert figures.pop().get_figwidth() <= plotting.WIDE[0]


@EVERY
def test_changes_no_global_setting(number, draw):
    before = dict(matplotlib.rcParams)
    draw(None)
    assert dict(matplotlib.rcParams) == before


@EVERY
def test_looks_the_same_whatever_style_is_active_when_it_is_drawn(number, draw):
    def pixels():
        figure = np.ravel(draw(None))[0].figure
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()

    expected = pixels()
    with plt.style.context("dark_background"), plt.rc_context({"font.size": 20}):
        assert np.array_equal(pixels(), expected)


@EVERY
def test_ticks_made_after_the_style_has_ended_keep_it(number, draw):
    with plt.rc_context({"xtick.labelsize": 25, "ytick.labelsize": 25, "xtick.color": "red"}):
        for ax in np.ravel(draw(None)):
            ax.set_xlim(ax.get_xlim()[0], ax.get_xlim()[1] * 3 + 1)
            ax.figure.draw_without_rendering()
            sizes = {label.get_size() for label in [*ax.get_xticklabels(), *ax.get_yticklabels()]}
            assert sizes <= {_style.STYLE["xtick.labelsize"]}


@pytest.mark.parametrize("name", [name for name in plotting.__all__ if name.islower()])
def test_example_in_the_docstring_runs(name):
    finder = doctest.DocTestFinder(recurse=False)
    (test,) = finder.find(getattr(plotting, name), name, globs={})
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def test_a_notebook_shows_every_figure_and_keeps_doing_so():
    """In a new kernel the first figure turns interactive mode on, inside the style."""
    cells = [
        "from lossutils import plotting\nplotting.scatter([[0, 0], [1, 1]], [0, 1]);",
        "plotting.histogram([1, 2, 3]);",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    for cell in notebook.cells:
        (output,) = cell.outputs
        assert "image/png" in output.data


# --- Colors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", plotting.LOSS_COLORS)
def test_a_loss_has_one_color_by_its_name_title_and_aliases(name):
    entry = CATALOGUE[name]
    names = [name, entry.title, entry.title.upper(), f"{entry.title}, scaled", f"{name} (logits)"]
    assert {plotting.color_of(n) for n in [*names, *entry.aliases]} == {plotting.color_of(name)}


def test_colors_do_not_depend_on_what_else_is_in_the_figure():
    alone = plotting.seeds(runs(["hinge"]), "test_accuracy")
    among = plotting.seeds(runs(["a", "mse", "hinge"]), "test_accuracy")

    def mean_color(ax, row):
        return ax.containers[row].lines[0].get_color()

    assert mean_color(alone, 0) == mean_color(among, 2) == plotting.color_of("hinge")


@given(st.lists(st.text(min_size=1), min_size=1, max_size=9, unique=True))
def test_names_of_one_figure_can_be_told_apart(names):
    looks = [
        (style["color"], str(style["linestyle"])) for style in _style.styles_of(names).values()
    ]
    assert len(set(looks)) == len(names)


def linear(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """Contrast ratio of the Web Content Accessibility Guidelines."""
    bright = [linear(color) @ [0.2126, 0.7152, 0.0722] for color in (a, b)]
    return (max(bright) + 0.05) / (min(bright) + 0.05)


# Machado, Oliveira and Fernandes (2009), severity 1.0: what is left of linear RGB.
SEEN_BY = {
    "trichromat": np.eye(3),
    "protanope": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranope": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanope": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(rgb):
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    opponents = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.array(opponents) @ np.cbrt(np.array(cones) @ np.clip(rgb, 0, 1))


def difference(a, b, eye):
    seen = [oklab(np.array(SEEN_BY[eye]) @ linear(color)) for color in (a, b)]
    return np.linalg.norm(seen[0] - seen[1])


@pytest.mark.parametrize("color", [*plotting.PALETTE, *plotting.CLASS_COLORS, _style.QUIET])
def test_every_color_stands_out_from_the_paper(color):
    assert contrast(color, _style.PAPER) >= 3


def test_text_on_paper_is_readable():
    assert min(contrast(color, _style.PAPER) for color in (_style.INK, _style.QUIET)) >= 4.5


@pytest.mark.parametrize("eye", SEEN_BY)
@pytest.mark.parametrize(
    "colors",
    [
        pytest.param(plotting.SPLIT_COLORS.values(), id="splits"),
        pytest.param(plotting.CLASS_COLORS[:4], id="classes"),
        *(
            pytest.param([plotting.LOSS_COLORS[name] for name in names.split()], id=names)
            for names in (
                "mean_squared_error mean_absolute_error huber log_cosh pinball "
                "mean_squared_logarithmic_error poisson mean_absolute_percentage_error",
                "binary_crossentropy hinge squared_hinge binary_focal_crossentropy "
                "mean_squared_error",
                "categorical_crossentropy sparse_categorical_crossentropy kl_divergence "
                "categorical_hinge categorical_focal_crossentropy mean_squared_error "
                "binary_crossentropy categorical_generalized_cross_entropy multiclass_hinge",
            )
        ),
    ],
)
def test_colors_that_meet_differ_for_every_eye(colors, eye):
    # 0.02 is about the smallest difference that is seen side by side; lines need some more.
    assert min(difference(a, b, eye) for a, b in itertools.combinations(colors, 2)) > 0.07


# --- Data -------------------------------------------------------------------------------------


@picture
def test_scatter():
    x, y = rings()
    ax = plotting.scatter(x, y, class_names=("outer", "inner"))
    outer, inner = ax.collections
    assert np.array_equal(outer.get_offsets(), x[y[:, 0] == 0])
    assert np.array_equal(inner.get_offsets(), x[y[:, 0] == 1])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["outer", "inner"]
    assert ax.get_aspect() == 1
    return ax.figure


def test_one_hot_rows_signs_and_integers_are_the_same_classes():
    x, y = rings()
    expected = [c.get_offsets().tolist() for c in plotting.scatter(x, y).collections]
    for same in (y[:, 0], np.eye(2)[y[:, 0]], 2 * y - 1, y.astype(float), pd.Series(y[:, 0] == 1)):
        ax = plotting.scatter(x, same)
        assert [c.get_offsets().tolist() for c in ax.collections] == expected
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["class 0", "class 1"]
        colors = [to_rgb(c.get_facecolor()[0, :3]) for c in ax.collections]
        assert colors == [to_rgb(color) for color in plotting.CLASS_COLORS[:2]]


def test_signs_are_classes_0_and_1_in_every_figure():
    truth, p = odds()
    counts = [
        [text.get_text() for text in plotting.confusion_matrix(y, p > 0.3).texts]
        for y in (truth, 2 * truth - 1)
    ]
    assert counts[0] == counts[1]
    shares = [
        plotting.calibration(y, p).lines[1].get_ydata().tolist() for y in (truth, 2 * truth - 1)
    ]
    assert shares[0] == shares[1]
    # Where only the sign of class 1 occurs, it is that class still.
    ax = plotting.confusion_matrix([1, 1], [-1, 1])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1"]


def test_a_class_keeps_its_color_where_another_is_missing():
    x, y = clouds()
    y = y.argmax(axis=1)
    every = plotting.scatter(x, y).collections
    some = plotting.scatter(x[y > 0], y[y > 0]).collections
    colors = [c.get_facecolor().tolist() for c in every]
    assert [c.get_facecolor().tolist() for c in some] == colors[1:]


@picture
def test_histogram():
    values = np.exp(rng().normal(2, 1, 300))
    ax = plotting.histogram(values, scale="log", label="Price (€)", bins=20)
    heights = ax.patches[0].get_xy()[:, 1]
    assert heights.max() == np.histogram(np.log(values), 20)[0].max()
    assert ax.get_xscale() == "log"
    return ax.figure


def test_histogram_of_splits_has_their_colors_and_shares_the_bins():
    ax = plotting.histogram({"train": [0.0, 1, 1, 5], "test": [0.0, 2, 9]}, bins=9)
    train, test = ax.patches[1], ax.patches[3]
    assert train.get_edgecolor()[:3] == to_rgb(plotting.SPLIT_COLORS["train"])
    assert test.get_edgecolor()[:3] == to_rgb(plotting.SPLIT_COLORS["test"])
    assert train.get_xy()[:, 0].tolist() == test.get_xy()[:, 0].tolist()


@picture
def test_digits():
    axes = plotting.digits(
        digit_images(6)[..., None],
        labels=np.array([[4], [1], [2], [3], [4], [5]]),
        predictions=[9, 1, 2, 3, 4, 6],
        columns=4,
    )
    titles = [ax.title for ax in axes]
    assert [t.get_text() for t in titles] == ["4 → 9", "1", "2", "3", "4", "5 → 6"]
    assert [t.get_fontweight() == "bold" for t in titles] == [True, *[False] * 4, True]
    return axes[0].figure


# --- Losses -----------------------------------------------------------------------------------


@picture
def test_loss_curve_of_a_parameter():
    axes = plotting.loss_curve(CATALOGUE["huber"], delta=[0.5, 1, 2])
    for delta, line in zip((0.5, 1, 2), axes[1].get_lines(), strict=False):
        residual, slope = line.get_data()
        assert np.allclose(slope, np.clip(residual, -delta, delta))
        assert line.get_label() == f"δ = {delta:g}"
    return axes[0].figure


@picture
def test_loss_curve_of_several_losses():
    entries = [CATALOGUE[n] for n in ("mean_squared_error", "mean_absolute_error", "huber")]
    axes = plotting.loss_curve(entries)
    squared, absolute, _ = axes[0].get_lines()
    assert np.allclose(squared.get_ydata(), squared.get_xdata() ** 2)
    assert np.allclose(absolute.get_ydata(), np.abs(absolute.get_xdata()))
    assert squared.get_color() == plotting.color_of("mean_squared_error")
    assert "own unit" in axes[0].get_ylabel()
    return axes[0].figure


@picture
def test_loss_curve_of_both_classes():
    axes = plotting.loss_curve(CATALOGUE["binary_crossentropy"])
    p = axes[0].get_lines()[0].get_xdata()
    of_one, of_zero = (line.get_ydata() for line in axes[0].get_lines())
    assert np.allclose(of_one, -np.log(p), atol=1e-6)
    assert np.allclose(of_zero, -np.log1p(-p), atol=1e-6)
    # The gradient has no bound: it leaves the axes instead of flattening what is in them.
    assert axes[1].get_ylim()[1] < 30 < 1 / p.min()
    return axes[0].figure


def test_a_jump_of_the_gradient_is_a_gap_and_a_bend_is_not():
    residual, slope = plotting.loss_curve(CATALOGUE["mean_absolute_error"])[1].lines[0].get_data()
    assert np.isnan(slope[np.abs(residual) < 0.01]).any()
    assert np.array_equal(
        slope[np.abs(residual) > 0.05], np.sign(residual[np.abs(residual) > 0.05])
    )
    for name in ("mean_squared_error", "huber", "squared_hinge", "binary_crossentropy"):
        for line in plotting.loss_curve(CATALOGUE[name])[1].lines:
            assert np.isfinite(line.get_ydata()).all()


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_loss_of_the_catalogue_can_be_drawn(name):
    loss, gradient = plotting.loss_curve(CATALOGUE[name])
    targets = list(CATALOGUE[name].curve.targets)
    assert len(loss.lines) == len(targets)
    assert len(gradient.lines) == len(targets) + 1
    legends = loss.figure.legends
    assert [t.get_text() for legend in legends for t in legend.get_texts()] == (
        targets if len(targets) > 1 else []
    )


def test_loss_curve_follows_a_changed_curve():
    entry = CATALOGUE["huber"]
    entry = dataclasses.replace(entry, curve=dataclasses.replace(entry.curve, low=-9.0, high=9.0))
    assert plotting.loss_curve(entry)[0].lines[0].get_xdata()[[0, -1]].tolist() == [-9, 9]


# --- Training ---------------------------------------------------------------------------------


@picture
def test_learning_curves():
    ax = plotting.learning_curves(
        history(), "accuracy", references={"Bayes ceiling": 0.9, "majority": 0.5}
    )
    train, test = ax.lines[:2]
    assert train.get_ydata().tolist() == history()["train_accuracy"]
    assert test.get_ydata().tolist() == history()["test_accuracy"]
    assert test.get_xdata()[[0, -1]].tolist() == [1, 50]
    assert [line.get_ydata()[0] for line in ax.lines[2:]] == [0.9, 0.5]
    assert ax.get_ylim()[0] < 0.5
    assert ax.get_ylim()[1] > 0.9
    return ax.figure


@picture
def test_learning_curves_side_by_side():
    axes = plotting.learning_curves(history(), ["loss", "accuracy"])
    assert [ax.get_ylabel() for ax in axes] == ["Loss", "Accuracy"]
    return axes[0].figure


@picture
def test_learning_curves_of_a_training_that_diverged():
    record = {"train_loss": [1, 3, 9, np.nan, np.nan], "test_loss": [1, 4, 20, np.inf, np.nan]}
    ax = plotting.learning_curves(record)
    assert [text.get_text() for text in ax.texts] == ["diverged in epoch 4"]
    return ax.figure


@pytest.mark.parametrize("value", [0.2, 0.45, 0.6, 0.89])
def test_the_label_of_a_reference_line_covers_no_curve(value):
    ax = plotting.learning_curves(history(), "accuracy", references={"reference": value})
    ax.figure.draw_without_rendering()
    box = ax.texts[0].get_window_extent()
    for line in ax.lines[:2]:
        assert not box.count_contains(ax.transData.transform(line.get_xydata()))


@picture
def test_curves_over_seeds():
    trainings = runs_with_curves(LOSSES)
    ax = plotting.curves_over_seeds(trainings, "test_accuracy", references={"ceiling": 0.86})
    for name, line in zip(LOSSES, ax.lines, strict=False):
        table = trainings[name].pivot_table(index="epoch", columns="seed", values="value")
        assert np.allclose(line.get_ydata(), np.median(table, axis=1))
        assert line.get_color() == plotting.color_of(name)
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    table = trainings[LOSSES[0]].pivot_table(index="epoch", columns="seed", values="value")
    assert band.max() == pytest.approx(np.quantile(table, 0.9, axis=1).max())
    return ax.figure


@picture
def test_seeds():
    trainings = runs(LOSSES)
    ax = plotting.seeds(
        trainings, "test_accuracy", references={"baseline": 0.78, "Bayes ceiling": 0.86}
    )
    for name, points, mean in zip(LOSSES, ax.collections[::2], ax.containers, strict=True):
        values = trainings[name]["value"]
        assert np.array_equal(points.get_offsets()[:, 0], values)
        assert mean.lines[0].get_xdata() == pytest.approx([values.mean()])
        ((low, _), (high, _)) = mean.lines[2][0].get_segments()[0]
        assert (high - low) / 2 == pytest.approx(values.std())
    assert [label.get_text() for label in ax.get_yticklabels()] == LOSSES
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first name on top
    low, high = ax.get_xlim()
    assert low < 0.78 < 0.86 < high
    return ax.figure


def diverge(frame, rows=(0, 1, 2), values=(np.nan, np.inf, -np.inf)):
    """Return the runs with some that diverged, and with their rows in another order."""
    frame = frame.copy()
    frame.loc[list(rows), "value"] = values[: len(rows)]
    return frame.iloc[::-1]


@picture
def test_seeds_with_runs_that_diverged():
    trainings = runs(["mse", "mae", "huber"])
    trainings["mae"] = diverge(trainings["mae"])
    ax = plotting.seeds(trainings, "test_accuracy")
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["mse", "mae\n(3 of 20 diverged)", "huber"]
    # Those that did not diverge are points; a mean of them would be better than the loss is.
    assert [bar.lines[0].get_color() for bar in ax.containers] == [
        plotting.color_of("mse"),
        plotting.color_of("huber"),
    ]
    (points,) = [
        c
        for c in ax.collections
        if to_rgb(c.get_edgecolor()[0, :3]) == to_rgb(plotting.color_of("mae"))
    ]
    assert np.array_equal(points.get_offsets()[:, 0], trainings["mae"]["value"].iloc[:17])
    return ax.figure


def test_seeds_takes_the_last_epoch_where_all_are_kept():
    with_curves = runs_with_curves(["mse"])
    frame = with_curves["mse"]
    ax = plotting.seeds(with_curves, "test_accuracy")
    last = frame[frame["epoch"] == 30]["value"]
    assert np.array_equal(np.sort(ax.collections[0].get_offsets()[:, 0]), np.sort(last))


@picture
def test_paired():
    trainings = runs(LOSSES)
    # The order of the rows says nothing: pairs are made by seed.
    trainings[LOSSES[1]] = trainings[LOSSES[1]].iloc[::-1]
    ax = plotting.paired(trainings, "test_accuracy")
    first = trainings[LOSSES[0]]["value"]
    for name, bar in zip(LOSSES[1:], ax.containers, strict=True):
        expected = stats.ttest_rel(trainings[name].sort_values("seed")["value"], first)
        ((low, _), (high, _)) = bar.lines[2][0].get_segments()[0]
        # Two intervals that hold together with 95 %: each with 97.5 % (Bonferroni).
        assert (low, high) == pytest.approx(tuple(expected.confidence_interval(0.975)))
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1]
    return ax.figure


def bars_of(ax):
    """Return (center, low, high) of each bar."""
    bars = []
    for bar in ax.containers:
        ((low, _), (high, _)) = bar.lines[2][0].get_segments()[0]
        bars.append((bar.lines[0].get_xdata()[0], low, high))
    return bars


@pytest.mark.parametrize("test_to_train", [None, 0.5])
def test_paired_draws_what_compare_returns(test_to_train):
    trainings = runs(LOSSES)
    table = training.compare(trainings, "test_accuracy", test_to_train)
    ax = plotting.paired(trainings, "test_accuracy", test_to_train=test_to_train)
    expected = table[["difference", "low", "high"]].to_numpy()[1:]
    np.testing.assert_allclose(bars_of(ax), expected, atol=1e-12)
    assert "simultaneous 95 % interval" in ax.get_xlabel()


@picture
def test_paired_with_runs_that_diverged():
    trainings = runs([*LOSSES, "mse"], seeds=6)
    trainings["mse"] = diverge(trainings["mse"], rows=(1, 4))
    ax = plotting.paired(trainings, "test_accuracy")
    table = training.compare(trainings, "test_accuracy")
    assert table["diverged"].tolist() == [0, 0, 0, 2]
    np.testing.assert_allclose(
        bars_of(ax), table[["difference", "low", "high"]].dropna().to_numpy(), atol=1e-12
    )
    assert [label.get_text() for label in ax.get_yticklabels()][2] == "mse\n(2 of 6 diverged)"
    assert len(ax.containers) == 2
    return ax.figure


def test_paired_says_that_the_first_diverged():
    trainings = runs(["mse", "mae"], seeds=6)
    trainings["mse"] = diverge(trainings["mse"], rows=(1,))
    ax = plotting.paired(trainings, "test_accuracy")
    assert not ax.containers
    assert [text.get_text() for text in ax.texts] == ["same as mse (1 of 6 diverged)"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["mae"]


def test_every_figure_of_runs_takes_the_rate_that_each_seed_chose():
    trainings = runs_with_curves(["mse", "mae"])
    chosen = {
        name: frame.assign(learning_rate=0.1 / (1 + frame["seed"] % 3), epochs=30)
        for name, frame in trainings.items()
    }
    for draw in (plotting.seeds, plotting.paired, plotting.curves_over_seeds):
        plain, with_rates = (draw(each, "test_accuracy") for each in (trainings, chosen))
        for a, b in zip(plain.lines, with_rates.lines, strict=True):
            np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


@picture
def test_curves_over_seeds_with_runs_that_diverged_and_runs_that_stopped_early():
    trainings = runs_with_curves(["mse", "hinge"])
    frame = trainings["hinge"]
    frame.loc[(frame["seed"] < 3) & (frame["epoch"] >= 12), "value"] = np.nan
    short = trainings["mse"]
    trainings["mse"] = short[(short["seed"] != 0) | (short["epoch"] <= 4)]
    ax = plotting.curves_over_seeds(trainings, "test_accuracy")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "mse",
        "hinge (3 of 10 diverged)",
    ]
    whole = short.pivot_table(index="epoch", columns="seed", values="value")
    whole.loc[5:, 0] = whole.loc[4, 0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.median(whole, axis=1))
    others = frame.pivot_table(index="epoch", columns="seed", values="value").loc[12:, 3:]
    np.testing.assert_allclose(ax.lines[1].get_ydata()[11:], np.median(others, axis=1))
    return ax.figure


@picture
def test_rates():
    trainings = sweep(LOSSES)
    frame = trainings[LOSSES[2]]
    frame.loc[(frame["learning_rate"] == 1.0) & (frame["seed"] < 3), "value"] = np.inf
    # The order of the rows says nothing.
    trainings[LOSSES[1]] = trainings[LOSSES[1]].sample(frac=1, random_state=0)
    ax = plotting.rates(trainings, "test_accuracy", references={"Bayes ceiling": 0.84})
    assert ax.get_xscale() == "log"
    for name, line in zip(LOSSES, ax.lines, strict=False):
        means = trainings[name].groupby("learning_rate")["value"].mean()
        np.testing.assert_array_equal(line.get_xdata(), [0.001, 0.01, 0.1, 1])
        shown = slice(None, 3) if name == LOSSES[2] else slice(None)
        np.testing.assert_allclose(line.get_ydata()[shown], means[shown])
        assert line.get_color() == plotting.color_of(name)
    assert np.isnan(ax.lines[2].get_ydata()[3])  # not the mean of the others
    (told,) = [text for text in ax.texts if text.get_text() == "× 3"]
    assert told.xy == (1.0, 1)  # at the rate 1.0, at the top
    assert told.get_color() == plotting.color_of(LOSSES[2])
    # Every seed is a point, beside its rate and nearest to it.
    for name, points in zip(LOSSES, ax.collections, strict=True):
        x, y = points.get_offsets().T
        nearest = np.array([0.001, 0.01, 0.1, 1])[
            np.abs(np.log(np.divide.outer(x, [0.001, 0.01, 0.1, 1]))).argmin(axis=1)
        ]
        drawn = sorted(zip(nearest, y, strict=True))
        given = trainings[name][np.isfinite(trainings[name]["value"])]
        rows = sorted(zip(given["learning_rate"], given["value"], strict=True))
        np.testing.assert_allclose(drawn, rows)
    return ax.figure


def test_numbers_of_runs_that_diverged_do_not_overlap():
    trainings = sweep(["mse", "mae", "huber"])
    for number, frame in enumerate(trainings.values(), 2):
        frame.loc[(frame["learning_rate"] >= 0.1) & (frame["seed"] < number), "value"] = np.nan
    ax = plotting.rates(trainings, "test_accuracy")
    ax.figure.draw_without_rendering()
    told = [text for text in ax.texts if text.get_text().startswith("×")]
    assert [text.get_text() for text in told] == ["× 2", "× 2", "× 3", "× 3", "× 4", "× 4"]
    boxes = [text.get_window_extent() for text in told] + [ax.get_legend().get_window_extent()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_rates_where_every_run_diverged_are_drawn():
    trainings = sweep(["mse"])
    frame = trainings["mse"]
    frame["value"] = frame["value"].where(frame["learning_rate"] < 1)
    ax = plotting.rates(trainings, "test_accuracy")
    assert ax.get_xlim()[0] < 0.001 < 1 < ax.get_xlim()[1]
    frame["value"] = np.nan
    ax = plotting.rates(trainings, "test_accuracy")
    ax.figure.draw_without_rendering()  # warns where the layout has no room left
    assert [text.get_text() for text in ax.texts] == ["× 8"] * 4


def test_rates_takes_the_last_epoch_and_one_rate():
    trainings = {
        name: pd.concat(
            [frame.assign(epoch=2), frame.assign(epoch=1, value=0.0)], ignore_index=True
        )
        for name, frame in sweep(["mse"], rates=(0.01,)).items()
    }
    ax = plotting.rates(trainings, "test_accuracy")
    last = trainings["mse"].query("epoch == 2")["value"]
    assert ax.lines[0].get_ydata() == pytest.approx([last.mean()])


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_label_of_a_level_lies_at_the_end_that_the_line_leaves_free(side):
    """On a logarithmic axis too, whose left half holds a small part of the numbers."""
    trainings = sweep(["mse"], rates=np.geomspace(1e-4, 1, 9))
    frame = trainings["mse"]
    rising = 0.5 + 0.1 * np.log10(frame["learning_rate"])
    frame["value"] = rising if side == "left" else -rising
    level = frame["value"].max()
    ax = plotting.rates(trainings, "test_accuracy", references={"reference": level})
    (label,) = [text for text in ax.texts if text.get_text() == "reference"]
    assert label.get_ha() == side


@pytest.mark.parametrize("value", [0.6, 0.72, 0.8])
def test_the_label_of_a_level_covers_no_line_on_a_logarithmic_axis(value):
    ax = plotting.rates(sweep(["mse"]), "test_accuracy", references={"reference": value})
    ax.figure.draw_without_rendering()
    (label,) = [text for text in ax.texts if text.get_text() == "reference"]
    box = label.get_window_extent()
    assert not box.count_contains(ax.transData.transform(ax.lines[0].get_xydata()))


# --- Models -----------------------------------------------------------------------------------


def contour_points(ax, number):
    lines = [c for c in ax.collections if isinstance(c, matplotlib.contour.ContourSet)]
    lines = [c for c in lines if not c.filled]
    return np.concatenate([path.vertices for path in lines[number].get_paths()])


@picture
def test_decision_regions_of_two_classes():
    x, y = rings()
    ax = plotting.decision_regions(rings_model, x, y, posterior=rings_truth)
    assert np.allclose(np.hypot(*contour_points(ax, 0).T), 0.85, atol=0.01)
    assert np.allclose(np.hypot(*contour_points(ax, 1).T), 0.80, atol=0.01)
    assert np.array_equal(ax.collections[-1].get_offsets(), x[y[:, 0] == 1])
    return ax.figure


@picture
def test_decision_regions_of_three_classes():
    x, y = clouds()
    ax = plotting.decision_regions(
        lambda points: clouds_model(points, shift=0.4), x, y, posterior=clouds_model
    )
    true_boundary = np.concatenate([contour_points(ax, 2), contour_points(ax, 3)])
    two_largest = np.sort(clouds_model(true_boundary), axis=1)[:, -2:]
    assert np.allclose(two_largest[:, 0], two_largest[:, 1], atol=0.05)
    return ax.figure


@picture
def test_decision_regions_of_scores():
    x, y = rings()
    ax = plotting.decision_regions(
        lambda points: 8 * (0.85 - np.hypot(*points.T)),
        x,
        y,
        threshold=0,
        class_names=("out", "in"),
    )
    assert np.allclose(np.hypot(*contour_points(ax, 0).T), 0.85, atol=0.01)
    (bar,) = ax.child_axes
    assert bar.get_ylabel() == "Predicted score"
    return ax.figure


@picture
def test_predictions():
    true = rng().normal(150, 60, 80)
    ax = plotting.predictions(true[:, None], 75 + true / 2, label="progression (points)")
    assert np.allclose(ax.collections[0].get_offsets(), np.column_stack([true, 75 + true / 2]))
    assert ax.get_xlim() == ax.get_ylim()
    assert np.array_equal(*ax.lines[0].get_data())
    assert ax.get_xlabel() == "Observed progression (points)"
    return ax.figure


@picture
def test_confusion_matrix():
    y_true = np.array([[0], [0], [1], [1], [2], [2], [2]])
    y_pred = np.eye(3)[[0, 1, 1, 1, 2, 2, 0]]
    ax = plotting.confusion_matrix(y_true, y_pred, class_names=["red", "green", "blue"])
    counts = [int(text.get_text()) for text in ax.texts]
    assert counts == [1, 1, 0, 0, 2, 0, 1, 0, 2]
    return ax.figure


@picture
def test_threshold_curves():
    threshold = np.linspace(0, 1, 11)
    ax = plotting.threshold_curves(
        threshold,
        {"precision": 0.3 + 0.6 * threshold, "recall": 1 - threshold**2},
        marks={"cheapest 0.25": 0.25, "usual 0.5": 0.5},
        label="Precision or recall",
    )
    marked = {tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o"}
    # 0.25 lies between two thresholds: halfway between 1 - 0.04 and 1 - 0.09.
    assert {(x, round(y, 6)) for x, y in marked} == {
        (0.25, 0.45),
        (0.5, 0.6),
        (0.25, 0.935),
        (0.5, 0.75),
    }
    return ax.figure


def test_labels_of_close_marks_do_not_overlap():
    threshold = np.linspace(0, 1, 11)
    ax = plotting.threshold_curves(
        threshold, {"cost": threshold}, marks={"cheapest": 0.46, "usual": 0.5, "late": 0.98}
    )
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@picture
def test_calibration():
    truth, p = odds()
    ax = plotting.calibration(truth[:, None], {"model": p, "weighted": np.sqrt(p)})
    share, mean = calibration_curve(truth, p, n_bins=10, strategy="quantile")
    assert ax.lines[1].get_xdata() == pytest.approx(mean)
    assert ax.lines[1].get_ydata() == pytest.approx(share)
    return ax.figure


# --- Errors say what to do --------------------------------------------------------------------

X, Y = rings()
TRUTH, P = odds()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.scatter(X[:, :1], Y), r"x must have shape \(n, 2\).*got \(120, 1\)"),
        (lambda: plotting.scatter(X, Y[:5]), "120 rows and y has 5"),
        (lambda: plotting.scatter(X, Y, class_names=["one"]), "class_names has 1 names"),
        (lambda: plotting.scatter(X, np.full(120, 0.3)), "0.3; turn probabilities into labels"),
        (lambda: plotting.scatter(X, ["a"] * 120), "holds text; pass integer labels"),
        (lambda: plotting.scatter(X, np.array([])), r"got \(0,\)"),
        (lambda: plotting.histogram([1, -2], scale="log"), "positive values; the smallest is -2"),
        (lambda: plotting.histogram([1, 2], scale="cubic"), "'linear' or 'log'; got 'cubic'"),
        (lambda: plotting.histogram({"train": []}), r"values\['train'\] must have shape"),
        (lambda: plotting.digits(np.zeros((28, 28))), r"images must have shape.*\(28, 28\)"),
        (lambda: plotting.digits(digit_images(3), labels=[1, 2]), "2 rows for 3 images"),
        (lambda: plotting.loss_curve([]), "losses is empty"),
        (
            lambda: plotting.loss_curve(CATALOGUE["huber"], gamma=2),
            r"no parameter 'gamma'; it has \['delta'\]",
        ),
        (
            lambda: plotting.loss_curve(CATALOGUE["huber"], target="target 9"),
            r"no target 'target 9'; it has \['target 0'\]",
        ),
        (
            lambda: plotting.loss_curve([CATALOGUE["hinge"], CATALOGUE["binary_crossentropy"]]),
            "drawn over different things: .*'predicted probability of label 1', 'score'",
        ),
        (
            lambda: plotting.loss_curve(
                {"a": CATALOGUE["huber"], "b": CATALOGUE["huber"]}, delta=[1, 2]
            ),
            "losses and delta do; give single values",
        ),
        (
            lambda: plotting.learning_curves(history(), "mae"),
            r"no 'train_mae'; its measures are \['accuracy', 'loss'\]",
        ),
        (
            lambda: plotting.learning_curves(history(), ["loss", "accuracy"], references={"a": 1}),
            "draw each measure into its own Axes",
        ),
        (lambda: plotting.seeds({}, "test_accuracy"), "runs must map a name to the DataFrame"),
        (
            lambda: plotting.seeds(runs(["mse"]), "test_mae"),
            r"runs\['mse'\] has no measure 'test_mae'; it has \['test_accuracy'\]",
        ),
        (
            lambda: plotting.seeds({"mse": pd.DataFrame({"seed": [0]})}, "test_mae"),
            r"has no column 'measure'; its columns are \['seed'\]",
        ),
        (
            lambda: plotting.curves_over_seeds(runs(["mse"]), "test_accuracy"),
            "no column 'epoch'.*Repeat the training with curves=True",
        ),
        (lambda: plotting.paired(runs(["mse"]), "test_accuracy"), "pass at least two"),
        (
            lambda: plotting.paired(runs(["mse"]) | runs(["mae"], seeds=5), "test_accuracy"),
            "'mae' and 'mse' have different seeds",
        ),
        (
            lambda: plotting.decision_regions(lambda points: points[:7], X, Y),
            r"predict must return shape.*got \(7, 2\) for 25600 points",
        ),
        (
            lambda: plotting.decision_regions(lambda points: points[:, 0] * np.nan, X, Y),
            "not finite: has the training diverged",
        ),
        (lambda: plotting.predictions([1, 2], [1, 2, 3]), "2 rows and y_pred has 3"),
        (lambda: plotting.predictions([1, 2], [[1, 2], [3, 4]]), r"y_pred must have.*\(2, 2\)"),
        (lambda: plotting.confusion_matrix(TRUTH, P), "turn probabilities into labels"),
        (lambda: plotting.confusion_matrix([0, 1], [0, 1], class_names="abc"), "3 names for 2"),
        (
            lambda: plotting.threshold_curves([0, 1], {"cost": [1, 2, 3]}),
            r"curves\['cost'\] has 3 values for 2 thresholds",
        ),
        (lambda: plotting.threshold_curves([0, 1], [1, 2]), "curves must map a name"),
        (lambda: plotting.calibration(TRUTH, 4 * P - 2), "Apply a sigmoid to logits first"),
        (lambda: plotting.calibration(TRUTH, P[:5]), "1000 rows and probabilities has 5"),
        (lambda: plotting.calibration(TRUTH + 1, P), r"labels 0 and 1; got \[1, 2\]"),
        (lambda: plotting.calibration(TRUTH, {}), "probabilities is empty"),
        (lambda: plotting.histogram({}), "values is empty"),
        (
            lambda: plotting.threshold_curves([0.9, 0.5, 0.1], {"cost": [1, 2, 3]}),
            "thresholds must increase; sort them",
        ),
        (
            lambda: plotting.learning_curves({"train_loss": [1, 2, 3], "test_loss": [1, 2]}),
            "3 values of 'train_loss' and 2 of 'test_loss'",
        ),
        (
            lambda: plotting.learning_curves({"train_loss": [], "test_loss": []}),
            r"history\['train_loss'\] must have shape",
        ),
        (
            lambda: plotting.learning_curves({3: [1, 2], "test_mae": [1, 2]}),
            r"no 'train_loss'; its measures are \['mae'\]",
        ),
        (
            lambda: plotting.paired(runs(["mse", "mae"], seeds=1), "test_accuracy"),
            "at least two seeds",
        ),
        (
            lambda: plotting.rates(runs(["mse"]), "test_accuracy"),
            "no column 'learning_rate'.*learning_rates=",
        ),
        (
            lambda: plotting.rates(
                {"mse": sweep(["mse"])["mse"].replace(0.001, 0)}, "test_accuracy"
            ),
            "learning rate 0.0; a log axis needs positive ones",
        ),
        (
            lambda: plotting.rates({"mse": sweep(["mse"])["mse"][1:]}, "test_accuracy"),
            "lacks some seeds at some learning rates",
        ),
    ],
)
def test_errors_say_what_is_wrong_and_leave_no_figure(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.loss_curve("huber"), r"Use losses.CATALOGUE\['huber'\]"),
        (lambda: plotting.seeds({"mse": [1, 2]}, "loss"), r"runs\['mse'\] must be a DataFrame"),
        (
            lambda: plotting.seeds(runs(["mse"]), "test_accuracy", references=[0.5]),
            "references maps a label to a value",
        ),
    ],
)
def test_a_wrong_type_names_the_right_one(call, message):
    with pytest.raises(TypeError, match=message):
        call()
    assert not plt.get_fignums()


# What takes a column of numbers, as (argument, call with that argument).
COLUMNS = [
    ("y", lambda v: plotting.scatter(np.ones((3, 2)), v)),
    ("values", plotting.histogram),
    (r"values\['train'\]", lambda v: plotting.histogram({"train": v})),
    ("y_true", lambda v: plotting.predictions(v, [1, 2, 3])),
    ("y_pred", lambda v: plotting.predictions([1, 2, 3], v)),
    ("y_true", lambda v: plotting.confusion_matrix(v, [0, 1, 1])),
    ("y_pred", lambda v: plotting.confusion_matrix([0, 1, 1], v)),
    ("y_true", lambda v: plotting.calibration(v, [0, 0.5, 1], bins=2)),
    ("probabilities", lambda v: plotting.calibration([0, 1, 1], v, bins=2)),
    ("thresholds", lambda v: plotting.threshold_curves(v, {"cost": [1, 2, 3]})),
    ("labels", lambda v: plotting.digits(digit_images(3), labels=v)),
]
NUMBERS = [
    *COLUMNS,
    ("x", lambda v: plotting.scatter(np.column_stack([v, v]), [0, 1, 1])),
    ("x", lambda v: plotting.decision_regions(rings_model, np.column_stack([v, v]), [0, 1, 1])),
    ("images", lambda v: plotting.digits(np.reshape(v, (1, 3, 1)))),
]


@pytest.mark.parametrize(("name", "call"), NUMBERS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused(name, call, bad):
    with pytest.raises(ValueError, match=f"^{name} has [12] values that are NaN or infinite"):
        call(np.array([0, bad, 1]))
    assert not plt.get_fignums()


@pytest.mark.parametrize(("name", "call"), COLUMNS)
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.ma.masked_equal([0, 9, 1], 9), ValueError, "has masked values; fill or drop them"),
        (np.array(["2026-01-01"] * 3, "datetime64[D]"), TypeError, "holds dates or durations"),
        (np.array([1, 0, 1j]), TypeError, "has dtype complex128, not real numbers"),
    ],
)
def test_values_that_are_no_numbers_are_refused(name, call, bad, error, message):
    with pytest.raises(error, match=f"^{name} {message}"):
        call(bad)
    assert not plt.get_fignums()


@pytest.mark.parametrize(("name", "call"), COLUMNS)
def test_columns_of_pandas_are_numbers_and_their_missing_values_are_found(name, call):
    for dtype in ("Int64", "boolean", "Float32"):
        call(pd.Series([0, 1, 1], dtype=dtype))
        plt.close("all")
        with pytest.raises(ValueError, match=f"^{name} has 1 values that are NaN"):
            call(pd.Series([0, None, 1], dtype=dtype))


@pytest.mark.parametrize("bad", [10**9, 0, -1, 2.5, True, None, "auto", [1, 2]])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("bins", lambda v: plotting.histogram(P, bins=v)),
        ("bins", lambda v: plotting.calibration(TRUTH, P, bins=v)),
        ("columns", lambda v: plotting.digits(digit_images(), columns=v)),
        ("resolution", lambda v: plotting.decision_regions(rings_model, X, Y, resolution=v)),
    ],
)
def test_a_number_of_parts_is_whole_and_can_be_drawn(name, call, bad):
    with pytest.raises(ValueError, match=f"^{name} must be a whole number from . to .*; got"):
        call(bad)
    assert not plt.get_fignums()
    call(np.int64(5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.digits(np.zeros((8000, 2, 2))), r"8,000 images.*images\[:40\]"),
        (
            lambda: plotting.confusion_matrix(np.arange(500), np.arange(500)),
            "500 different labels, too many to draw; pass classes",
        ),
    ],
)
def test_what_would_be_drawn_for_minutes_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("measure", [["test_accuracy"], ("test_accuracy",), None, 3])
@pytest.mark.parametrize(
    "draw", [plotting.seeds, plotting.paired, plotting.curves_over_seeds, plotting.rates]
)
def test_figures_of_runs_draw_one_measure(draw, measure):
    frames = {
        name: frame.assign(learning_rate=0.1)
        for name, frame in runs_with_curves(["mse", "mae"]).items()
    }
    with pytest.raises(TypeError, match="measure must be one name.*Draw a figure for each"):
        draw(frames, measure)


@pytest.mark.parametrize(
    ("draw", "frames"),
    [
        (plotting.seeds, runs(["mse", "mae"])),
        (plotting.paired, runs(["mse", "mae"])),
        (plotting.curves_over_seeds, runs_with_curves(["mse"])),
        (plotting.rates, sweep(["mse"])),
    ],
)
def test_a_seed_that_is_there_twice_is_refused(draw, frames):
    """It would count twice, and the interval would be narrower than the seeds allow."""
    twice = {name: pd.concat([frame, frame]) for name, frame in frames.items()}
    with pytest.raises(ValueError, match=r"runs\['mse'\] has several values for seed 0.*of each"):
        draw(twice, "test_accuracy")


@pytest.mark.parametrize("draw", [plotting.seeds, plotting.paired])
def test_several_rates_of_a_seed_are_for_another_figure(draw):
    with pytest.raises(ValueError, match="several values for seed 0.*plotting.rates"):
        draw(sweep(["mse", "mae"]), "test_accuracy")


@pytest.mark.parametrize("value", [np.nan, None, "high", [1, 2], np.datetime64("2026-01-01")])
@pytest.mark.parametrize(
    "draw",
    [
        lambda lines: plotting.seeds(runs(["mse"]), "test_accuracy", references=lines),
        lambda lines: plotting.learning_curves(history(), references=lines),
        lambda lines: plotting.rates(sweep(["mse"]), "test_accuracy", references=lines),
        lambda lines: plotting.threshold_curves([0, 1], {"cost": [1, 2]}, marks=lines),
    ],
)
def test_a_reference_line_has_a_number(draw, value):
    with pytest.raises((TypeError, ValueError), match=r"^(references|marks)\['there'\]"):
        draw({"there": value})
    assert not plt.get_fignums()


@pytest.mark.parametrize("history", [3, None, [1, 2], "loss", np.zeros(3)])
def test_learning_curves_of_something_else_say_what_to_pass(history):
    with pytest.raises(TypeError, match="history must be what training.fit returns.*got"):
        plotting.learning_curves(history)


@pytest.mark.parametrize("measure", [3, None, [], [3], {"loss"}])
def test_learning_curves_need_the_name_of_a_measure(measure):
    with pytest.raises(TypeError, match="measure must be a name such as 'loss', or a list of"):
        plotting.learning_curves(history(), measure)


@pytest.mark.parametrize("functions", [(3, None), (rings_model, 3), (None, None)])
def test_decision_regions_need_functions(functions):
    predict, posterior = functions
    with pytest.raises(TypeError, match="predict and posterior must be callable"):
        plotting.decision_regions(predict, X, Y, posterior=posterior)


def test_a_precision_without_predictions_is_a_gap_in_its_curve():
    ax = plotting.threshold_curves([0.1, 0.5, 0.9], {"precision": [0.3, 0.6, np.nan]})
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.3, 0.6, np.nan])


def test_too_few_axes_are_refused():
    _, axes = plt.subplots(1, 3)
    with pytest.raises(ValueError, match="axes holds 3 Axes, but 2 panels are drawn; pass 2"):
        plotting.loss_curve(CATALOGUE["huber"], axes)
