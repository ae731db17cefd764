"""Write a page for each loss, their index and their pictures from the catalogue of losses.

The catalogue is the one source; `make reference` is the one command, and a test compares what is
stored with what this would write.
"""

import ast
import inspect
import io
import re
import sys
from html import escape
from pathlib import Path
from textwrap import dedent

import matplotlib as mpl
import matplotlib.pyplot as plt
import notebooks
import numpy as np
import plain_arrays
from mdit_py_plugins.anchors.index import slugify
from PIL import Image

from lossutils import plotting
from lossutils.losses import CATALOGUE, IMPORTS

PAGE = notebooks.BOOK / "reference" / "every_keras_loss.md"
LOSSES = notebooks.BOOK / "reference" / "losses"  # the pages and the pictures
ENDING = Path(__file__).with_name("reference_ending.md")

# What only refuses bad parameters is left out of the printed code.
CHECKS = {"between", "check_axes", "in_range", "one_of", "positive"}

# The chapter that teaches a loss, where the book has one.
CHAPTERS = {
    "mean_squared_error": "regression/mean_squared_error",
    "mean_absolute_error": "regression/mean_absolute_error",
    "huber": "regression/huber",
    "mean_squared_logarithmic_error": "regression/mean_squared_logarithmic_error",
    "pinball": "regression/quantile",
    "poisson": "regression/counts",
    "gaussian_negative_log_likelihood": "practice/writing_your_own_loss",
    "binary_crossentropy": "binary/binary_cross_entropy",
    "binary_focal_crossentropy": "binary/class_imbalance",
    "hinge": "binary/hinge",
    "squared_hinge": "binary/squared_hinge",
    "categorical_crossentropy": "multiclass/categorical_cross_entropy",
    "sparse_categorical_crossentropy": "multiclass/sparse_categorical_cross_entropy",
    "kl_divergence": "multiclass/kl_divergence",
}

INTRODUCTION = """\
# Every Keras loss

What does this loss compute, which output layer and which targets does it take, and what is it
called elsewhere?

Each loss class of `keras.losses` has a page, and so have the losses that Keras lacks and
`lossutils.losses.keras_losses` adds. The formula gives the loss of one sample; Keras
reports the mean over the samples, for the [circle loss](#circle-loss) over those above 0. The NumPy
code is the definition that the tests compare with Keras, for values and for gradients, less the
checks of its parameters; each block runs when it is pasted. The calls of other frameworks are
executed by the tests too: “equal” means to at least six digits, and what is marked “differs” does.

Each class takes `reduction`, `name` and `dtype` besides the parameters that its table lists. What
Keras does with the losses of a batch, and what it says when that fails, stands
[at the end of the page](#from-the-losses-to-one-number).
"""


def group(entry):
    """Return the kind of task that the index offers as a choice."""
    for kind in ("regression", "binary classification", "multiclass classification"):
        if kind in entry.task:
            return kind
    return "masks, sequences, embeddings"


def index_table():
    """Return the index of all losses as HTML, with a choice of task above it."""
    groups = list(dict.fromkeys(map(group, CATALOGUE.values())))
    options = "\n".join(
        f'<label><input type="radio" name="task" value="{slugify(name)}"'
        f"{' checked' if name == 'all tasks' else ''}> {escape(name)}</label>"
        for name in ["all tasks", *groups]
    )
    rows = "\n".join(
        f'<tr data-task="{slugify(group(entry))}">'
        f'<td><a href="losses/{entry.name}.html">{escape(entry.title)}</a><br>'
        f"<code>{escape(entry.name)}</code></td>"
        f"<td>{escape(entry.task)}</td>"
        f"<td>{'<br>'.join(f'<code>{name}</code>' for name in entry.activation)}</td>"
        f"<td>{escape(entry.targets.encoding)}</td></tr>"
        for entry in CATALOGUE.values()
    )
    hide = "\n".join(
        f'.loss-index:has(input[value="{slugify(name)}"]:checked) '
        f'tr[data-task]:not([data-task="{slugify(name)}"]) {{ display: none; }}'
        for name in groups
    )
    return f"""\
```{{raw}} html
<div class="loss-index">
<style>
{hide}
</style>
<fieldset><legend>Show the losses for</legend>
{options}
</fieldset>
<table class="table">
<thead>
<tr><th>Loss, and its name in Keras</th><th>Task</th><th>Output layer</th><th>Targets</th></tr>
</thead>
<tbody>
{rows}
</tbody>
</table>
</div>
```
"""


def loss_page(entry):
    """Return the page of one loss."""
    parts = [
        f"# Reference: {entry.title}",
        f"{entry.title} for {entry.task}: the formula and the gradient, the output layer and the "
        "targets that it takes, its traps, and its calls in other frameworks.",
        f"$$\n{entry.formula}\n$$",
        picture_of(entry),
        facts(entry),
        in_numpy(entry),
        elsewhere(entry),
    ]
    if entry.traps:
        parts += ["## Traps", "\n".join(f"- {trap}" for trap in entry.traps)]
    sources = "\n".join(f"- {source.citation} <{source.url}>" for source in entry.sources)
    parts += ["## Sources", sources, "All losses: [Every Keras loss](../every_keras_loss.md)."]
    return linked("\n\n".join(parts), "") + "\n"


def linked(text, folder):
    """Let links to a loss by the heading of its name lead to its page."""
    pages = {slugify(entry.title): f"{folder}{entry.name}.md" for entry in CATALOGUE.values()}
    return re.sub(
        r"\]\(#([\w-]+)\)", lambda match: f"]({pages.get(match[1], '#' + match[1])})", text
    )


def picture_of(entry):
    """Return the picture of a loss and its gradient as a figure of the page."""
    targets = " and ".join(entry.curve.targets)
    name = entry.title[0].lower() + entry.title[1:]
    alt = (
        f"Two panels over “{entry.curve.label}”: left the {name}, right its derivative, "
        f"for {targets}."
    )
    return f"""\
```{{image}} {entry.name}.png
:alt: {alt}
```"""


def facts(entry):
    """Return the table of facts of a loss."""
    strings = ", ".join(f'`"{name}"`' for name in (entry.name, *entry.aliases))
    if not entry.keras_class.startswith("keras."):
        strings = "none: Keras lacks this loss"
    elif not entry.takes_name:
        strings = "none: pass the class"
    parameters = listed(entry.parameters)
    if entry.fixed:
        parameters += f"{'; ' if parameters else ''}in Keras also {listed(entry.fixed)}"
    logits = ", or `linear` with `from_logits=True`" if entry.takes_logits else ""
    rows = {
        "Task": entry.task,
        "Keras class": f"`{entry.keras_class}`",
        "As a string": strings,
        "Parameters": parameters or "none",
        "Output layer": ", ".join(f"`{name}`" for name in entry.activation) + logits,
        "Targets": entry.targets.description,
        "Predictions": entry.predictions.description,
    }
    if entry.name in CHAPTERS:
        page = notebooks.BOOK / f"{CHAPTERS[entry.name]}.ipynb"
        if page.exists():
            title = notebooks.title(page)
            rows["Chapter"] = f"[{title}](../../{CHAPTERS[entry.name]}.ipynb)"
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| Property | Value |", "|---|---|", *lines])


def listed(parameters):
    """Return parameters and their values as code."""
    return ", ".join(f"`{name}={value!r}`" for name, value in parameters.items())


def in_numpy(entry):
    """Return the definition of a loss and of its gradient, with all that they need."""
    return f"## In NumPy\n\n```python\n{standalone(entry.numpy, entry.gradient)}\n```"


def standalone(*functions):
    """Return the sources of functions after the imports, constants and functions that they use."""
    imports, constants, sources = {}, {}, {}
    for function in functions:
        collect(function, imports, constants, sources)
    lines = [
        *(f"import {name}" for name, names in sorted(imports.items()) if not names),
        *(
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(imports.items())
            if names
        ),
    ]
    values = [f"{name} = {value!r}" for name, value in constants.items()]
    head = "\n\n".join("\n".join(part) for part in (lines, values) if part)
    return "\n\n\n".join([head, *sources.values()])


def collect(function, imports, constants, sources):
    """Add the source of a function to `sources`, after those of the functions that it calls."""
    home = sys.modules[function.__module__]
    source = source_of(getattr(plain_arrays, function.__name__, function))
    imported = imports_of(home)
    for name in dict.fromkeys(n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)):
        value = vars(home).get(name)
        if name in imported:
            module, names = imported[name]
            imports.setdefault(module, set()).update(names)
        elif inspect.isfunction(value) and name not in sources:
            collect(value, imports, constants, sources)
        elif isinstance(value, (int, float)):
            constants[name] = value
    sources[function.__name__] = source


def imports_of(module):
    """Return {name: (statement's module, names taken from it)} of a module's imports."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name] = (ast.unparse(alias), ())
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, (ast.unparse(alias),))
    return found


def source_of(function):
    """Return the source of a function less its docstring and the checks of its parameters."""
    source = dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    lines = source.splitlines()
    for node in ast.walk(definition):
        if isinstance(node, ast.Expr) and is_left_out(node.value):
            lines[node.lineno - 1 : node.end_lineno] = [None] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line for line in lines if line is not None).strip()


def is_left_out(expression):
    """Tell whether a statement is a docstring or a check of a parameter."""
    if isinstance(expression, ast.Constant):
        return True
    return isinstance(expression, ast.Call) and getattr(expression.func, "id", None) in CHECKS


def elsewhere(entry):
    """Return the calls of other frameworks, in a tab for each."""
    tabs = []
    for framework in IMPORTS:
        calls = [e for e in entry.equivalents if e.framework == framework]
        if not calls:
            continue
        blocks = [f"```python\n{IMPORTS[framework]}\n```"]
        blocks += [call_block(entry, call) for call in calls]
        body = "\n\n".join(blocks)
        tabs.append(f":::{{tab-item}} {framework}\n{body}\n:::")
    return "\n\n".join(["## Elsewhere", "::::{tab-set}", *tabs, "::::"])


def call_block(entry, call):
    """Return one call with what it gives."""
    given = listed(call.parameters)
    verdict = "Equal" if call.relation == "equal" else "Differs"
    where = f" for {given}" if given else ""
    note = f": {call.note}" if call.note else "."
    return f"**{verdict}**{where}{note}\n\n```python\n{call.call}\n```"


def page():
    """Return the page that lists all losses."""
    ending = ENDING.read_text(encoding="utf-8").strip()
    return linked("\n\n".join([INTRODUCTION, index_table(), ending]), "losses/") + "\n"


def picture(entry):
    """Draw a loss and its gradient; return the bytes of a PNG of few colors."""
    axes = plotting.loss_curve(entry)
    figure = axes[0].figure
    with io.BytesIO() as buffer:
        figure.savefig(buffer, format="png", dpi=150)
        plt.close(figure)
        return notebooks.small_png(buffer.getvalue())


def pixels(png):
    """Return the pixels of a PNG."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int)


def main():
    """Write the pages and the pictures; remove those of losses that are gone."""
    mpl.use("agg")
    LOSSES.mkdir(exist_ok=True)
    for entry in CATALOGUE.values():
        (LOSSES / f"{entry.name}.png").write_bytes(picture(entry))
        (LOSSES / f"{entry.name}.md").write_text(loss_page(entry), encoding="utf-8")
    for path in LOSSES.iterdir():
        if path.stem not in CATALOGUE:
            path.unlink()
    Path(PAGE).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
