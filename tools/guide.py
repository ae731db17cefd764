"""A Sphinx extension: the guide of the page on choosing, from the questions in `book/guide.yml`.

The answers are part of the page, with code that can be copied; `book/assets/guide.js` asks the
questions and shows the one answer. Without scripts the tables of the page have the same rows.
"""

import json
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

DATA = Path(__file__).resolve().parents[1] / "book" / "guide.yml"

SNIPPET = """\
{imports}

{prepare}model = keras.Sequential(
    [
        keras.Input(x_train.shape[1:]),
        Dense(64, "relu"),
        {layer},
    ]
)
model.compile(optimizer="adam", loss={loss}{metrics})
model.fit(x_train, y_train, validation_split=0.2, epochs=20)
"""


def data():
    """Return the question that comes first, and all answers by name."""
    guide = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return guide["question"], guide["answers"]


def leaves(question):
    """Yield the name of the answer at the end of each way through the questions."""
    for option in question["options"]:
        if "answer" in option:
            yield option["answer"]
        else:
            yield from leaves(option["question"])


def snippet(answer):
    """Return the code of an answer, which needs `x_train` and `y_train`."""
    imports = ["import keras", "from keras.layers import Dense"]
    if "imports" in answer:
        imports += ["", answer["imports"]]
    metrics = "" if answer["metrics"] == "[]" else f", metrics={answer['metrics']}"
    compiled = f'model.compile(optimizer="adam", loss={answer["loss"]}{metrics})'
    code = SNIPPET.format(
        imports="\n".join(imports),
        prepare=f"{answer['prepare']}\n" if "prepare" in answer else "",
        layer=answer["layer"],
        loss=answer["loss"],
        metrics=metrics,
    )
    if len(compiled) > 70:
        lines = ['    optimizer="adam"', f"    loss={answer['loss']}", f"    {metrics[2:]}"]
        wrapped = ",\n".join(line for line in lines if line.strip())
        code = code.replace(compiled, f"model.compile(\n{wrapped},\n)")
    return code


def markdown(answer, title_of_chapter):
    """Return an answer as Markdown."""
    return f"""\
**{answer["title"]}**

| Targets | Output layer | Loss | Judge it by |
|---|---|---|---|
| {answer["targets"]} | `{answer["layer"]}` | `{answer["loss"]}` | {answer["judge"]} |

```python
{snippet(answer)}```

The chapter to read: [{title_of_chapter}](/{answer["chapter"]}.ipynb).
"""


class Guide(SphinxDirective):
    """The questions and the answers."""

    def run(self):
        """Return the place of the questions, and the answers."""
        question, answers = data()
        self.env.note_dependency(str(DATA))
        tree = json.dumps(question, ensure_ascii=False, separators=(",", ":"))
        found = nodes.raw(
            "",
            '<form class="guide" hidden></form>'
            f'<script type="application/json" id="guide-questions">{tree}</script>',
            format="html",
        )
        shown = nodes.container(classes=["guide-answers"])
        for name, answer in answers.items():
            box = nodes.container(classes=["guide-answer"], ids=[f"guide-{name}"])
            text = markdown(answer, self.title_of(answer["chapter"]))
            self.state.nested_parse(StringList(text.split("\n"), str(DATA)), 0, box)
            shown += box
        return [found, shown]

    def title_of(self, chapter):
        """Return the title of a chapter, which its notebook begins with."""
        path = Path(self.env.srcdir, f"{chapter}.ipynb")
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        first = next(cell for cell in cells if cell["cell_type"] == "markdown")
        return "".join(first["source"]).split("\n")[0].removeprefix("# ")


def load_script(app, pagename, templatename, context, doctree):
    """Load the script where there is a guide."""
    if doctree is not None and "guide-questions" in context.get("body", ""):
        app.add_js_file("guide.js")


def setup(app):
    """Add the directive ``guide``."""
    app.add_directive("guide", Guide)
    app.connect("html-page-context", load_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
