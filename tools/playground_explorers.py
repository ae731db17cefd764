"""The explorers: a loss and its gradient under sliders, computed by the catalogue.

Every number that a slider can reach comes from `Entry.along_curve`; the script looks them up and
draws them, and knows no formula. Without it, the curves of the default stand in the page.
"""

import html
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from playground_assets import ASSETS

from lossutils.losses import CATALOGUE

POINTS = 121  # abscissas of a curve, all of which the slider of the abscissa reaches
SCALE = 1000  # numbers travel as whole thousandths, and are shown to as many digits
WIDTH, HEIGHT = 640, 480
LEFT, RIGHT, TOP, BOTTOM = 82, WIDTH - 14, 42, HEIGHT - 84
FRAME = f'<path d="M{LEFT},{TOP}H{RIGHT}V{BOTTOM}H{LEFT}Z"/>'
DOT = '<circle class="le-dot" r="10" cx="-20" cy="-20"/>'


@dataclass(frozen=True)
class Slider:
    """A parameter, with the values that it takes; the default is one of them."""

    name: str
    symbol: str
    label: str
    values: tuple
    default: float


def _steps(low, high, step):
    return tuple(np.round(np.arange(low, high + step / 2, step), 4).tolist())


def _along(entry, points=POINTS, **parameters):
    return entry.along_curve(points=points, **parameters)


@dataclass(frozen=True)
class Explorer:
    """A loss under one or two sliders.

    Parameters
    ----------
    loss : str
        Its name in the catalogue.
    sliders : tuple of Slider
    caption : str
        What to see.
    others : tuple of str
        Losses to compare with, drawn faintly with their defaults.
    fixed : dict
        Parameters that are not the defaults.
    compute : callable
        ``compute(entry, **parameters)`` as `Entry.along_curve`.
    title : str
        Where the catalogue's does not fit.
    """

    loss: str
    sliders: tuple
    caption: str
    others: tuple = ()
    fixed: dict = field(default_factory=dict)
    compute: Callable = _along
    title: str = ""


def _weighted(entry, weight):
    """Multiply loss and slope of label 1 by a weight, as `class_weight={1: weight}` does."""
    t, curves = _along(entry)
    (one, pair), *rest = curves.items()
    return t, {one: tuple(weight * values for values in pair), **dict(rest)}


EXPLORERS = {
    "huber": Explorer(
        "huber",
        (Slider("delta", "δ", "threshold", _steps(0.1, 3, 0.1), 1.0),),
        "Huber’s loss for the threshold δ. Its gradient is the error, cut off at δ: no sample "
        "pulls harder than that. Toward small δ it is a scaled absolute error, toward large δ "
        "half of the squared error.",
        ("mean_squared_error", "mean_absolute_error"),
    ),
    "quantile": Explorer(
        "pinball",
        (Slider("quantile", "τ", "quantile", _steps(0.05, 0.95, 0.05), 0.9),),
        "The pinball loss asks for the quantile τ. A prediction that is too low by 1 costs τ, one "
        "that is too high by 1 costs 1 − τ.",
        ("mean_absolute_error",),
    ),
    "focal": Explorer(
        "binary_focal_crossentropy",
        (
            Slider("gamma", "γ", "focus", _steps(0, 5, 0.5), 2.0),
            Slider("alpha", "α", "weight of label 1", (0.1, 0.25, 0.5, 0.75, 0.9), 0.5),
        ),
        "The focal loss with its two parameters. The larger γ, the less a sample counts that is "
        "nearly right. α weighs label 1, 1 − α label 0; at α = 0.5 and γ = 0 it is half of the "
        "cross-entropy.",
        ("binary_crossentropy",),
        fixed={"apply_class_balancing": True},
    ),
    "label-smoothing": Explorer(
        "categorical_crossentropy",
        (Slider("label_smoothing", "ε", "smoothing", _steps(0, 0.5, 0.02), 0.1),),
        "Cross-entropy with smoothed labels, for two classes. The loss of the right class is "
        "lowest at 1 − ε/2: more certainty costs.",
    ),
    "tversky": Explorer(
        "tversky",
        (
            Slider("alpha", "α", "price of a pixel too many", _steps(0.1, 0.9, 0.1), 0.3),
            Slider("beta", "β", "price of a pixel missed", _steps(0.1, 0.9, 0.1), 0.7),
        ),
        "The Tversky loss of four pixels, two of them in the mask; outside, the network says 0.2. "
        "At α = β = 0.5 it is the Dice loss.",
        ("dice",),
    ),
    "generalized-cross-entropy": Explorer(
        "categorical_generalized_cross_entropy",
        (Slider("q", "q", "exponent", _steps(0.05, 0.95, 0.05), 0.5),),
        "The generalized cross-entropy. Toward q = 0 it is cross-entropy, which pulls without "
        "limit at a label that it gives no chance; toward q = 1 it is 1 − p, which pulls "
        "everywhere alike.",
        ("categorical_crossentropy",),
    ),
    "class-weight": Explorer(
        "binary_crossentropy",
        (Slider("weight", "w", "weight of label 1", _steps(1, 20, 1), 5.0),),
        "Binary cross-entropy with class_weight={0: 1, 1: w}. The loss and the pull of label 1 are "
        "w times as large, those of label 0 stay.",
        compute=_weighted,
        title="Class weight",
    ),
}
THRESHOLD = "threshold"
CHURN = ASSETS / "churn.json"


def table(one):
    """Return abscissas, legends, and loss and slope of each combination of the sliders."""
    entry = CATALOGUE[one.loss]
    rows = []
    for values in itertools.product(*(slider.values for slider in one.sliders)):
        names = (slider.name for slider in one.sliders)
        t, curves = one.compute(entry, **one.fixed, **dict(zip(names, values, strict=True)))
        rows.append(list(curves.values()))
    return t, list(curves), np.array(rows)  # rows: combination, curve, loss or slope, abscissa


def packed(values):
    """Return numbers as thousandths, by their second differences: short, and they compress."""
    whole = np.rint(np.asarray(values) * SCALE).astype(int)
    twice = np.diff(np.diff(whole, prepend=0), prepend=0)
    return ",".join(map(str, twice.tolist()))


def _limits(values):
    """Return a range that shows most of the values, with some room."""
    low, high = np.quantile(values, [0.03, 0.97])
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.06 * (high - low)
    return float(low - room), float(high + room)


def _ticks(low, high, count):
    raw = (high - low) / count
    size = 10 ** np.floor(np.log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw)
    return np.round(np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step, 10).tolist()


def _number(value):
    return f"{value:g}".replace("-", "−") if value else "0"


def _text(kind, x, y, text, anchor="middle"):
    return (
        f'<text class="le-{kind}" text-anchor="{anchor}" x="{x}" y="{y}">{html.escape(text)}</text>'
    )


def _path(values, limits):
    low, high = limits
    x = LEFT + np.arange(POINTS) / (POINTS - 1) * (RIGHT - LEFT)
    share = (np.clip(values, low - (high - low), high + (high - low)) - low) / (high - low)
    y = BOTTOM - share * (BOTTOM - TOP)
    return "M" + " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x, y, strict=True))


def _panel(name, at, one, t, default, faint, limits):
    """Return the picture of the loss (0) or of its gradient (1) as SVG."""
    heading, (low, high) = ("Loss", "Gradient")[at], limits[at]
    entry = CATALOGUE[one.loss]
    label = f"{heading} of {one.title or entry.title}. {one.caption}"
    middle = (LEFT + RIGHT) // 2
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(label)}">',
        f'<clipPath id="le-{name}-{at}">{FRAME}</clipPath>',
        _text("title", LEFT, TOP - 14, heading, "start"),
    ]
    for value in _ticks(low, high, 4):
        y = round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP))
        parts.append(f'<path class="le-grid" d="M{LEFT},{y}H{RIGHT}"/>')
        parts.append(_text("tick", LEFT - 10, y + 8, _number(value), "end"))
    for value in _ticks(t[0], t[-1], 5):
        x = round(LEFT + (value - t[0]) / (t[-1] - t[0]) * (RIGHT - LEFT))
        parts.append(_text("tick", x, BOTTOM + 32, _number(value)))
    parts.append(_text("label", middle, BOTTOM + 70, entry.curve.label))
    parts.append(f'<g clip-path="url(#le-{name}-{at})">')
    for i, values in enumerate(faint):
        parts.append(f'<path class="le-other le-o{i}" d="{_path(values[at], limits[at])}"/>')
    for i, values in enumerate(default):
        parts.append(f'<path class="le-curve le-t{i}" d="{_path(values[at], limits[at])}"/>')
    parts.append(f"</g>{DOT}</svg>")
    return "".join(parts)


def _controls(sliders, probe):
    """Return the sliders; each stands on its default."""
    labels = [
        f'<label>{html.escape(slider.label)} <input type="range" class="le-value" min="0" '
        f'max="{len(slider.values) - 1}" value="{slider.values.index(slider.default)}"> '
        f"<output>{slider.symbol} = {slider.default:g}</output></label>"
        for slider in sliders
    ]
    return f'<div class="le-controls">{"".join(labels)}{probe}</div>'


def explorer(name):
    """Return the HTML of an explorer."""
    if name == THRESHOLD:
        return threshold()
    one = EXPLORERS[name]
    entry = CATALOGUE[one.loss]
    t, legends, rows = table(one)
    sizes = [len(slider.values) for slider in one.sliders]
    places = [slider.values.index(slider.default) for slider in one.sliders]
    default = rows[np.ravel_multi_index(places, sizes)]
    faint = [next(iter(_along(CATALOGUE[other])[1].values())) for other in one.others]
    limits = [_limits(rows[:, :, at]) for at in (0, 1)]
    data = {
        "sliders": [{"symbol": slider.symbol, "values": slider.values} for slider in one.sliders],
        "t": [round(float(t[0]), 6), round(float(t[-1]), 6)],
        "limits": [[round(end, 4) for end in pair] for pair in limits],
        "rows": [[[packed(values) for values in curve] for curve in row] for row in rows],
    }
    panels = "".join(_panel(name, at, one, t, default, faint, limits) for at in (0, 1))
    keys = [
        f'<span class="le-key le-t{i}">{html.escape(key)}</span>' for i, key in enumerate(legends)
    ]
    keys = keys if len(keys) > 1 else []
    keys += [
        f'<span class="le-key le-o{i}">{html.escape(CATALOGUE[other].title)}</span>'
        for i, other in enumerate(one.others)
    ]
    probe = (
        f'<label>{html.escape(entry.curve.label)} <input type="range" class="le-probe" min="0" '
        f'max="{POINTS - 1}" value="{POINTS * 2 // 3}"> <output class="le-read"></output></label>'
    )
    return (
        f'<figure class="loss-explorer" id="explore-{name}" data-kind="curve">'
        f"{_controls(one.sliders, probe)}"
        f'<div class="le-panels">{panels}</div><div class="le-keys">{"".join(keys)}</div>'
        f"<figcaption>{html.escape(one.caption)}</figcaption></figure>"
        f"{_data(data)}"
    )


def _data(data):
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return f'<script type="application/json" class="le-data">{text}</script>'


# --- The threshold of the churn model -------------------------------------------------------------


def _rounded_up(cost):
    """Return the end of an axis of costs: the next half above the largest, with some room."""
    return math.ceil(2.04 * cost) / 2


def threshold():
    """Return the explorer of the churn model's threshold, its decisions and their cost."""
    data = json.loads(CHURN.read_text(encoding="utf-8"))
    thresholds = [round(i / 100, 2) for i in range(101)]
    sliders = (
        Slider("threshold", "threshold", "an offer from a probability of", _steps(0, 1, 0.01), 0.5),
        Slider(
            "missed", "cost", "cost of a missed leaver, in unneeded offers", _steps(1, 20, 1), 5.0
        ),
    )
    at = thresholds.index(0.5)
    missed, unneeded = data["missed"][at], data["unneeded"][at]
    cells = {
        "stays": (data["stays"] - unneeded, unneeded),
        "leaves": (missed, data["leaves"] - missed),
    }
    rows = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(f"<td>{count}</td>" for count in pair)
        + "</tr>"
        for name, pair in cells.items()
    )
    customers = data["stays"] + data["leaves"]
    cost = (5 * missed + unneeded) / customers
    caption = (
        "The network of 8 hidden units of the chapter on customer churn, on its test rows. Where "
        "an unneeded offer costs 1, a missed leaver c, and a right decision nothing, an offer pays "
        "from a probability of 1 / (1 + c), if the probabilities are true."
    )
    low, high = 0, _rounded_up(max(data["missed"][-1] * 5, data["unneeded"][0]) / customers)
    values = (5 * np.array(data["missed"]) + np.array(data["unneeded"])) / customers
    x = LEFT + np.array(thresholds) * (RIGHT - LEFT)
    y = BOTTOM - (values - low) / (high - low) * (BOTTOM - TOP)
    curve = "M" + " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x, y, strict=True))
    ticks = "".join(
        _text("tick", round(LEFT + v * (RIGHT - LEFT)), BOTTOM + 32, _number(v))
        for v in (0, 0.2, 0.4, 0.6, 0.8, 1)
    )
    title = _text("title", LEFT, TOP - 14, "Mean cost of a customer", "start")
    label = _text("label", (LEFT + RIGHT) // 2, BOTTOM + 70, "threshold")
    scale = _text("tick le-high", LEFT - 10, TOP + 8, _number(high), "end")
    scale += _text("tick", LEFT - 10, BOTTOM + 8, "0", "end")
    return (
        f'<figure class="loss-explorer" id="explore-{THRESHOLD}" data-kind="threshold">'
        f'{_controls(sliders, "")}<div class="le-panels">'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Mean cost of a customer '
        f'against the threshold.">{title}{ticks}{scale}{label}'
        f'<path class="le-grid" d="M{LEFT},{BOTTOM}H{RIGHT}"/>'
        f'<path class="le-curve le-t0" d="{curve}"/>{DOT}'
        '</svg><div class="le-counts"><table><caption>Customers</caption><thead><tr><td></td>'
        f'<th scope="col">no offer</th><th scope="col">offer</th></tr></thead><tbody>{rows}</tbody>'
        f'</table><p class="le-cost" role="status">Cost of a customer: {cost:.3f}. Accuracy: '
        f"{1 - (missed + unneeded) / customers:.1%}.</p></div></div>"
        f"<figcaption>{html.escape(caption)}</figcaption></figure>{_data(data)}"
    )
