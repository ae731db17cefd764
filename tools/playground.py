"""Write what the scripts of the playground read: texts, findings of the checker, and pictures.

    python tools/playground.py        (or: make playground)

`texts.js` has the titles and notes of the catalogue, and what `check_setup` says of each loss on
each output layer that the playground offers. Each experiment gets a picture, trained by lossutils,
for readers without JavaScript. Explorers get the values of their curves. The pages are built
without lossutils, so all this is stored; tests compare it with what lossutils says today.
"""

import inspect  # noqa: I001 (lossutils comes before keras, since it quiets TensorFlow)
import json
import re
import string
from dataclasses import dataclass

import lossutils  # noqa: F401
import contourpy
import keras
import notebooks
import numpy as np
import playground_assets
import playground_data
import playground_explorers
from scipy import stats
from sklearn.model_selection import train_test_split

from lossutils import checks, datasets, models, training
from lossutils.losses import CATALOGUE, keras_losses
from lossutils.plotting import _style

TEXTS = playground_assets.ASSETS / "texts.js"

MOST_SEEDS = 20


@dataclass(frozen=True)
class Slider:
    """A parameter of a loss that the reader sets."""

    name: str
    symbol: str
    low: float
    high: float
    step: float


@dataclass(frozen=True)
class Choice:
    """A loss that the playground offers, as Keras code.

    Parameters
    ----------
    call : str
        The loss as a Python expression; parameters stand in braces.
    from_logits : str
        The same for a linear output layer of logits, where Keras has that.
    sliders : tuple of Slider
    units : int
        Outputs for each target.
    integers : bool
        Whether it takes class numbers in place of one-hot rows.
    margin : bool
        Whether the sign of a single score decides, not a threshold of 0.5.
    """

    call: str
    from_logits: str = ""
    sliders: tuple = ()
    units: int = 1
    integers: bool = False
    margin: bool = False

    @property
    def fields(self):
        """The parameters that the call names."""
        return [field for _, field, _, _ in string.Formatter().parse(self.call) if field]

    def build(self, output="linear", **parameters):
        """Return the Keras loss for an output layer of the playground."""
        code = (self.from_logits if output == "logits" else self.call).format(**parameters)
        return eval(code, {"keras": keras, "keras_losses": keras_losses})


SMOOTHING = Slider("label_smoothing", "ε", 0, 0.5, 0.05)
FOCUS = Slider("gamma", "γ", 0, 5, 0.5)
LOSSES = {
    "mean_squared_error": Choice("keras.losses.MeanSquaredError()"),
    "mean_absolute_error": Choice("keras.losses.MeanAbsoluteError()"),
    "huber": Choice(
        "keras.losses.Huber(delta={delta})", sliders=(Slider("delta", "δ", 0.1, 3, 0.1),)
    ),
    "log_cosh": Choice("keras.losses.LogCosh()"),
    "mean_squared_logarithmic_error": Choice("keras.losses.MeanSquaredLogarithmicError()"),
    "poisson": Choice("keras.losses.Poisson()"),
    "pinball": Choice(
        "keras_losses.Pinball(quantile={quantile})",
        sliders=(Slider("quantile", "τ", 0.05, 0.95, 0.05),),
    ),
    "gaussian_negative_log_likelihood": Choice(
        "keras_losses.GaussianNegativeLogLikelihood()", units=2
    ),
    "binary_crossentropy": Choice(
        "keras.losses.BinaryCrossentropy(label_smoothing={label_smoothing})",
        "keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing={label_smoothing})",
        (SMOOTHING,),
    ),
    "binary_focal_crossentropy": Choice(
        "keras.losses.BinaryFocalCrossentropy(gamma={gamma})", sliders=(FOCUS,)
    ),
    "hinge": Choice("keras.losses.Hinge()", margin=True),
    "squared_hinge": Choice("keras.losses.SquaredHinge()", margin=True),
    "dice": Choice("keras.losses.Dice()"),
    # Keras 3.15 exchanges the two, as the catalogue says.
    "tversky": Choice(
        "keras.losses.Tversky(alpha={beta}, beta={alpha})",
        sliders=(Slider("alpha", "α", 0.1, 0.9, 0.1), Slider("beta", "β", 0.1, 0.9, 0.1)),
    ),
    "categorical_crossentropy": Choice(
        "keras.losses.CategoricalCrossentropy(label_smoothing={label_smoothing})",
        "keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing={label_smoothing})",
        (SMOOTHING,),
    ),
    "sparse_categorical_crossentropy": Choice(
        "keras.losses.SparseCategoricalCrossentropy()",
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        integers=True,
    ),
    "kl_divergence": Choice("keras.losses.KLDivergence()"),
    "categorical_focal_crossentropy": Choice(
        "keras.losses.CategoricalFocalCrossentropy(alpha={alpha}, gamma={gamma})",
        sliders=(FOCUS,),
    ),
    "categorical_generalized_cross_entropy": Choice(
        "keras.losses.CategoricalGeneralizedCrossEntropy(q={q})",
        sliders=(Slider("q", "q", 0.1, 0.9, 0.1),),
        integers=True,
    ),
    "categorical_hinge": Choice("keras.losses.CategoricalHinge()"),
    "multiclass_hinge": Choice("keras_losses.MulticlassHinge()"),
}

KINDS = {
    "numbers": {
        "losses": (
            *("mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "pinball"),
            "gaussian_negative_log_likelihood",
        ),
        "outputs": ("linear", "sigmoid", "tanh"),
    },
    "counts": {
        "losses": (
            *("poisson", "mean_squared_error", "mean_absolute_error", "huber", "log_cosh"),
            *("pinball", "mean_squared_logarithmic_error"),
        ),
        "outputs": ("exponential", "softplus", "linear", "relu"),
    },
    "two": {
        "losses": (
            *("binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge"),
            *("mean_squared_error", "mean_absolute_error", "dice", "tversky"),
        ),
        "outputs": ("sigmoid", "linear", "tanh", "softmax", "logits"),
    },
    "many": {
        "losses": (
            *("categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence"),
            *("categorical_focal_crossentropy", "categorical_generalized_cross_entropy"),
            *("categorical_hinge", "multiclass_hinge", "mean_squared_error"),
            "mean_absolute_error",
        ),
        "outputs": ("softmax", "linear", "sigmoid", "logits"),
    },
}

# A negative output to a power that is no whole number: every weight is NaN after a few steps.
NOT_A_NUMBER = {("categorical_generalized_cross_entropy", "linear")}

MOVED = "Targets moved up by 4"
PROBLEMS = {
    "curve": ("numbers", "A curve", MOVED, ("rmse", "below")),
    "counts": ("counts", "Counts", "Counts with a zero too many", ("rmse", "below")),
    "circles": ("two", "Two circles", "Labels flipped", ("accuracy", "calibration", "pulling")),
    "blobs": ("many", "Three clusters", "Labels flipped", ("accuracy", "calibration", "pulling")),
    "rare": (
        "two",
        "A rare class",
        "Labels flipped",
        ("f1", "accuracy", "found", "calibration", "pulling"),
    ),
    "own_numbers": ("numbers", "Your own numbers", "", ("rmse", "below")),
    "own_labels": ("two", "Your own two classes", "", ("accuracy", "pulling")),
}
METRICS = {
    "rmse": "RMSE to the true curve",
    "below": "share of the training targets below the fit",
    "accuracy": "test accuracy",
    "f1": "F1 of the rare class, on the test set",
    "found": "share of the rare class that is found, on the test set",
    "calibration": "mean distance to the true probability",
    "pulling": "share of the training points that pull",
}
# The reader's own points are trained on and measured on: no true curve, no test set.
OWN_METRICS = {"rmse": "RMSE on your points", "accuracy": "accuracy on your points"}
OUTPUTS = {"logits": "linear, from_logits=True"}


def is_offered(loss, output):
    """Tell whether the playground offers a loss on an output layer."""
    if (loss, output) in NOT_A_NUMBER:
        return False
    if output == "logits":
        return bool(LOSSES[loss].from_logits)
    return LOSSES[loss].units == 1 or output == "linear"  # a mean and a log variance


def offered(kind):
    """Return the losses of a kind of problem, each with its output layers."""
    losses, outputs = KINDS[kind]["losses"], KINDS[kind]["outputs"]
    return {loss: [out for out in outputs if is_offered(loss, out)] for loss in losses}


def network(problem, loss, output, hidden=25):
    """Return the network that the playground trains, not compiled."""
    x, y, _, _ = getattr(playground_data, problem)(0)
    return models.mlp(
        inputs=x.shape[1],
        hidden=[hidden] if hidden else [],
        outputs=y.shape[1] * LOSSES[loss].units,
        activation="linear" if output == "logits" else output,
    )


def targets(y, loss):
    """Return the targets as a loss takes them."""
    return y.argmax(axis=1) if LOSSES[loss].integers else y


def defaults(loss):
    """Return the parameters that the call of a loss names, with the catalogue's defaults."""
    return {field: CATALOGUE[loss].parameters[field] for field in LOSSES[loss].fields}


def findings(problem, loss, output):
    """Return what `check_setup` says against a loss on an output layer, as texts."""
    x, y, _, _ = getattr(playground_data, problem)(0)
    model = network(problem, loss, output)
    built = LOSSES[loss].build(output, **defaults(loss))
    model.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9), loss=built)
    found = checks.check_setup(model, x, targets(y, loss))
    return [
        [finding.severity, finding.code, finding.message, " ".join(finding.fix.split())]
        for finding in found
        if finding.severity in ("error", "warning")
    ]


def first_sentence(text):
    """Return the first sentence of a text."""
    return re.split(r"(?<=[.?])\s", text, maxsplit=1)[0]


def texts():
    """Return all that `texts.js` holds."""
    says, found = [], {}
    for problem, (kind, *_) in PROBLEMS.items():
        found[problem] = {}
        for loss, outputs in offered(kind).items():
            for output in outputs:
                texts_of_one = findings(problem, loss, output)
                says += [text for text in texts_of_one if text not in says]
                if texts_of_one:
                    places = [says.index(text) for text in texts_of_one]
                    found[problem][f"{loss}/{output}"] = places
    return {
        "losses": {loss: _loss(loss) for loss in LOSSES},
        "kinds": {
            kind: {"losses": offered(kind), "outputs": KINDS[kind]["outputs"]} for kind in KINDS
        },
        "problems": {
            name: {"kind": kind, "title": title, "wrong": wrong, "metrics": metrics}
            for name, (kind, title, wrong, metrics) in PROBLEMS.items()
        },
        "metrics": METRICS,
        "ownMetrics": OWN_METRICS,
        "outputs": OUTPUTS,
        "says": says,
        "findings": found,
        "student": [0, 0, *(round(stats.t.ppf(0.975, n - 1), 6) for n in range(2, MOST_SEEDS + 1))],
        "python": {name: _sources(name) for name in PROBLEMS},
    }


def _loss(name):
    entry, choice = CATALOGUE[name], LOSSES[name]
    return {
        "title": entry.title,
        "note": first_sentence(entry.traps[0]),
        "fits": entry.activation,
        "call": choice.call,
        "fromLogits": choice.from_logits,
        "parameters": [vars(slider) for slider in choice.sliders],
        "defaults": defaults(name),
        "units": choice.units,
        "integers": choice.integers,
        "margin": choice.margin,
    }


def _sources(problem):
    """Return the functions that draw a problem, in the order of the module."""
    own = problem.startswith("own")
    names = [problem] if own else ["uniform", "normal", problem, "wrong_rows", "next_class"]
    if problem != "blobs" and "next_class" in names:
        names.remove("next_class")
    return [inspect.getsource(getattr(playground_data, name)) for name in names]


def script(content):
    """Return `texts.js`."""
    packed = json.dumps(content, ensure_ascii=False, indent=1)
    return (
        "// Written by tools/playground.py: what the catalogue and check_setup say.\n"
        f'"use strict";\nglobalThis.lossPlayground.texts = {packed};\n'
    )


# --- Pictures for readers without JavaScript ------------------------------------------------------

PICTURE_SEEDS = 3
WIDTH, HEIGHT, GAP, TOP = 380, 300, 40, 34
RANGES = {"curve": (-3.1, 3.1, -2.2, 6), "circles": (-1.7, 1.7, -1.35, 1.35)}
RANGES |= {"blobs": (-8.5, 8.5, -6.7, 6.7), "rare": (-4.4, 4.4, -3.5, 3.5)}
COLORS = {
    **{"a": _style.BLUE, "b": _style.VERMILLION, "paper": _style.PAPER, "ink": _style.INK},
    **{f"c{label}": color for label, color in enumerate(_style.CLASS_COLORS[:3])},
}


def training_rows(state):
    """Return the data of an experiment, wrong targets included, as a `Dataset` and the rows."""
    name, draw = state["data"], state["draw"]
    x, y, x_test, y_test = getattr(playground_data, name)(draw)
    wrong = playground_data.wrong_rows(len(y), state["wrong"], draw)
    if name == "curve":
        y[wrong] += 4
    elif y.shape[1] == 1:
        y[wrong] = 1 - y[wrong]
    return datasets.Dataset(x_train=x, y_train=y, x_test=x_test, y_test=y_test), wrong


def trained(state, side, seeds=PICTURE_SEEDS):
    """Return networks of one side of an experiment, trained by lossutils."""
    settings = state[side]
    loss, output = settings["loss"], settings["output"]
    data, _ = training_rows(state)
    for seed in range(seeds):
        keras.utils.set_random_seed(seed)
        model = network(state["data"], loss, output, state["hidden"])
        built = LOSSES[loss].build(output, **{**defaults(loss), **settings["values"]})
        model.compile(keras.optimizers.SGD(settings["rate"], momentum=0.9), built)
        training.fit(model, data, epochs=state["epochs"], seed=seed)
        yield model


def name_of(state, side):
    """Return how a picture calls one side of an experiment: by what tells it from the other."""
    settings, other = state[side], state["b" if side == "a" else "a"]
    name = CATALOGUE[settings["loss"]].title
    for slider in LOSSES[settings["loss"]].sliders:
        if slider.name in settings["values"]:
            name += f", {slider.symbol} = {settings['values'][slider.name]:g}"
    alike = settings["loss"] == other["loss"] and settings["output"] != other["output"]
    return f"{name}, {settings['output']}" if alike else name


def picture(preset):
    """Return an SVG of both sides of an experiment after training."""
    state = preset["state"]
    sides = "".join(_side_picture(state, side, at) for at, side in enumerate("ab"))
    titles = [name_of(state, side) for side in "ab"]
    label = f"{preset['title']}. The same data and networks, trained with {titles[0]} on the left"
    colors = "".join(f".{name}{{--c:var(--lp-{name},{color})}}" for name, color in COLORS.items())
    width, height = 2 * WIDTH + GAP, HEIGHT + TOP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{label} and {titles[1]} on the right."><style>{colors}'
        ".f{fill:var(--c)}.l{stroke:var(--c);fill:none}.d{stroke:var(--c);stroke-linecap:round;"
        "stroke-width:5;opacity:.75}text{font:600 17px system-ui,sans-serif}</style>"
        f'<path class="paper f" d="M0,0H{width}V{height}H0Z"/>{sides}</svg>\n'
    )


def _side_picture(state, side, at):
    left, right, low, high = RANGES[state["data"]]
    data, wrong = training_rows(state)

    def place(x, y):
        across = (np.asarray(x) - left) / (right - left) * WIDTH
        up = HEIGHT - (np.asarray(y) - low) / (high - low) * HEIGHT
        return np.rint(np.column_stack([across, up])).astype(int)

    fitted = list(trained(state, side))
    draw = _curves if data.x_train.shape[1] == 1 else _regions
    drawing = draw(data, wrong, fitted, side, place, RANGES[state["data"]])
    clip = f"{state['data']}-{side}"
    return (
        f'<g transform="translate({at * (WIDTH + GAP)},{TOP})"><text class="{side} f" y="-10">'
        f"{side.upper()}: {name_of(state, side)}</text>"
        f'<clipPath id="{clip}"><path d="M0,0H{WIDTH}V{HEIGHT}H0Z"/></clipPath>'
        f'<g clip-path="url(#{clip})">{drawing}</g></g>'
    )


def _dots(points, color):
    """Return points as one path of dots."""
    path = "".join(f"M{x},{y}h0" for x, y in np.unique(points, axis=0))
    return f'<path class="{color} d" d="{path}"/>'


def _line(points, color, width, more=""):
    path = "M" + " ".join(f"{x},{y}" for x, y in points)
    return f'<path class="{color} l" stroke-width="{width}" d="{path}"{more}/>'


def _curves(data, wrong, fitted, side, place, limits):
    x, y = data.x_train[:, 0], data.y_train[:, 0]
    off = np.isin(np.arange(len(x)), wrong)
    grid = np.linspace(limits[0], limits[1], 63)
    dashed = ' stroke-dasharray="5 4"'
    parts = [_dots(place(x[~off], y[~off]), "c0"), _dots(place(x[off], y[off]), "c2")]
    parts.append(_line(place(data.x_test[::2, 0], data.y_test[::2, 0]), "ink", 1.5, dashed))
    for seed, model in reversed(list(enumerate(fitted))):
        faint = ' opacity=".4"' if seed else ""
        p = model(grid.reshape(-1, 1)).numpy()[:, 0]
        parts.append(_line(place(grid, p), side, 1.2 if seed else 2.6, faint))
    return "".join(parts)


def _regions(data, wrong, fitted, side, place, limits):
    left, right, low, high = limits
    across, up = np.meshgrid(np.linspace(left, right, 33), np.linspace(low, high, 27))
    points = np.column_stack([across.ravel(), up.ravel()])
    classes = max(2, data.y_train.shape[1])
    label = data.y_train.argmax(axis=1) if classes > 2 else data.y_train[:, 0].astype(int)
    parts = []
    for seed, model in enumerate(fitted):
        p = model(points).numpy()
        level = 0 if model.layers[-1].activation.__name__ == "linear" else 0.5
        scores = p if classes > 2 else np.column_stack([2 * level - p, p])
        for k in range(classes):
            lead = scores[:, k] - np.delete(scores, k, axis=1).max(axis=1)
            contours = contourpy.contour_generator(across, up, lead.reshape(across.shape))
            if seed == 0:
                outlines = contours.filled(0, np.inf)[0]
                areas = "".join(
                    "M" + " ".join(f"{x},{y}" for x, y in place(*outline.T)) + "Z"
                    for outline in outlines
                )
                parts.insert(0, f'<path class="c{k} f" opacity=".35" d="{areas}"/>')
            for line in contours.lines(0) if k else []:
                faint = ' opacity=".4"' if seed else ""
                parts.append(_line(place(*line.T), "ink", 1 if seed else 2.4, faint))
        if seed == 0:
            shown = slice(0, 200)
            for k in range(classes):
                rows = label[shown] == k
                parts.append(_dots(place(*data.x_train[shown][rows].T), f"c{k}"))
    return "".join(parts)


def churn():
    """Return how the churn model of the book decides on its test rows, by threshold.

    It is the network of 8 hidden units of the chapter on customer churn, fitted as there.
    """
    data = datasets.telco_churn()
    x_fit, x_val, y_fit, y_val = train_test_split(
        data.x_train, data.y_train, test_size=0.25, random_state=0, stratify=data.y_train
    )
    fitting = datasets.Dataset(x_train=x_fit, y_train=y_fit, x_test=x_val, y_test=y_val)
    keras.utils.set_random_seed(0)
    model = models.mlp(inputs=x_fit.shape[1], hidden=[8], outputs=1, activation="sigmoid")
    model.compile("adam", loss=keras.losses.BinaryCrossentropy())
    training.fit(model, fitting, epochs=20)
    p, left = model(data.x_test).numpy(), data.y_test == 1
    offers = [p >= i / 100 for i in range(101)]
    return {
        "stays": int(np.sum(~left)),
        "leaves": int(np.sum(left)),
        "missed": [int(np.sum(left & ~offer)) for offer in offers],
        "unneeded": [int(np.sum(~left & offer)) for offer in offers],
    }


def main():
    """Write texts, explorers and pictures."""
    TEXTS.write_text(script(texts()), encoding="utf-8")
    print(f"{TEXTS.relative_to(notebooks.ROOT)}: {TEXTS.stat().st_size // 1024} kB")
    playground_explorers.CHURN.write_text(json.dumps(churn()) + "\n", encoding="utf-8")
    for name in (*playground_explorers.EXPLORERS, playground_explorers.THRESHOLD):
        path = playground_assets.ASSETS / f"explorer-{name}.html"
        path.write_text(playground_explorers.explorer(name) + "\n", encoding="utf-8")
    for name, preset in playground_assets.presets().items():
        path = playground_assets.ASSETS / f"{name}.svg"
        path.write_text(picture(preset), encoding="utf-8")
        print(f"{path.relative_to(notebooks.ROOT)}: {path.stat().st_size / 1024:.1f} kB")


if __name__ == "__main__":
    main()
