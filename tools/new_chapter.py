"""Write the skeleton of a chapter, and its line in the table of contents.

    python tools/new_chapter.py regression/log_cosh

The skeleton has every part that CONTRIBUTING.md asks for, runs from top to bottom, and passes the
tests of the structure. What is in brackets is for its author to write.
"""

import argparse
import re
import sys

import nbformat
import notebooks

FOLDERS = ("foundations", "regression", "binary", "multiclass", "images", "practice")
SOLVED = {"tags": [notebooks.SOLUTION_TAG]}


def text(source):
    """Return a text cell."""
    return nbformat.v4.new_markdown_cell(source)


def code(source, **metadata):
    """Return a code cell."""
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def figure(source, name, alt, caption):
    """Return a code cell that draws a figure."""
    return code(
        source,
        mystnb={"image": {"alt": alt}, "figure": {"caption": caption, "name": f"fig-{name}"}},
    )


def cells(title, slug):
    """Return the cells of a skeleton, in the order of CONTRIBUTING.md."""
    return [
        text(
            f"# {title}\n\n"
            f"[Which question does the chapter on {title.lower()} answer?]\n\n"
            f"{notebooks.OPENING}\n\n"
            "* [work the loss out by hand]\n"
            "* [see where it beats its alternatives, on new draws of the problem]"
        ),
        code(
            "import keras\nimport numpy as np\n\n"
            "from lossutils import datasets, losses, models, plotting, training\n\n"
            "data = datasets.circles()"
        ),
        text("## The data\n\n[What is in it, and what is hard about it?]"),
        figure(
            "ax = plotting.scatter(data.x_train, data.y_train)",
            f"{slug}-data",
            "[What one sees: two noisy circles, one in the other.]",
            "[The training data.]",
        ),
        text(
            "## The loss\n\n[In words, and as a formula.]\n\n"
            "$$\n\\ell(y, \\hat y) = -y \\log \\hat y - (1 - y) \\log (1 - \\hat y)\n$$\n\n"
            "[Worked by hand on one example.]"
        ),
        code(
            "y_true, y_pred = np.array([[1.0], [0.0]]), np.array([[0.9], [0.2]])\n"
            "by_hand = -np.log([0.9, 0.8])\n"
            "print(by_hand.round(4), losses.binary_crossentropy(y_true, y_pred).round(4))"
        ),
        figure(
            'axes = plotting.loss_curve(losses.CATALOGUE["binary_crossentropy"])',
            f"{slug}-curve",
            "[What one sees: two panels, left the loss, right its gradient.]",
            "[The loss and its gradient.]",
        ),
        text(
            "## Output layer and targets\n\n[Which output layer and which targets does it need? "
            "What goes wrong otherwise?]"
        ),
        text("## Training"),
        code(
            "def build(loss):\n"
            '    model = models.mlp(inputs=2, hidden=[50], outputs=1, activation="sigmoid")\n'
            "    optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9)\n"
            '    model.compile(optimizer=optimizer, loss=loss, metrics=["binary_accuracy"])\n'
            "    return model\n\n\n"
            "keras.utils.set_random_seed(0)\n"
            'model = build("binary_crossentropy")\n'
            "history = training.fit(model, data, epochs=50)"
        ),
        figure(
            "axes = plotting.learning_curves(history)",
            f"{slug}-training",
            "[What one sees: loss and accuracy over the epochs, on training and test set.]",
            "[One run.]",
        ),
        text("## Repeated\n\n[What do new draws say, on a metric that all losses share?]"),
        code(
            "def draw(seed):\n"
            "    return datasets.circles(random_state=seed)\n\n\n"
            'names = {"Binary cross-entropy": "binary_crossentropy", '
            '"Squared error": "mean_squared_error"}\n'
            "runs = {\n"
            "    name: training.repeat(lambda loss=loss: build(loss), draw, epochs=50, seeds=30)\n"
            "    for name, loss in names.items()\n"
            "}\n"
            'print(training.compare(runs, "test_binary_accuracy").round(3))'
        ),
        text(
            "## When to use it, and when not\n\n[…]\n\n"
            f"{notebooks.CLOSING}\n\n"
            "* [what the loss is, by hand]\n"
            "* [where it beats its alternatives, and by how much]\n\n"
            f"## {notebooks.EXERCISES}\n\n"
            f"### {notebooks.EXERCISE} 1: [a prediction]\n\n[Ask for a prediction before the run.]"
        ),
        code(
            f"# @title {notebooks.SOLUTION} 1\n"
            "print(losses.binary_crossentropy([[1.0]], [[0.5]]).round(4))",
            **SOLVED,
        ),
        text(f"### {notebooks.EXERCISE} 2: [a change]\n\n[Ask for one change, and what follows.]"),
        code(
            f"# @title {notebooks.SOLUTION} 2\n"
            "print(losses.binary_crossentropy([[1.0]], [[0.1]]).round(4))",
            **SOLVED,
        ),
    ]


def skeleton(name):
    """Return the notebook of a new chapter."""
    slug = name.split("/")[1].replace("_", "-")
    title = name.split("/")[1].replace("_", " ").capitalize()
    notebook = nbformat.v4.new_notebook(cells=cells(title, slug))
    for at, cell in enumerate(notebook.cells):
        cell["id"] = f"{slug}-{at}"[:64]
    return notebooks.normalize(notebooks.with_setup(notebook, notebooks.repository_address()))


def with_line(toc, name):
    """Return the table of contents with a chapter after the others of its folder."""
    lines = toc.splitlines(keepends=True)
    folder = name.split("/")[0]
    last = [at for at, line in enumerate(lines) if f"- file: {folder}/" in line]
    if not last:
        raise ValueError(
            f"_toc.yml has no part with chapters of {folder}/ yet: write it there first"
        )
    # Where a part ends with a comparison, that stays its end.
    at = last[-1] if lines[last[-1]].rstrip().endswith("/comparing") else last[-1] + 1
    lines.insert(at, f"      - file: {name}\n")
    return "".join(lines)


def main(arguments=None):
    """Write a chapter."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("name", help="such as regression/log_cosh")
    name = parser.parse_args(arguments).name
    if not re.fullmatch(rf"({'|'.join(FOLDERS)})/[a-z][a-z0-9_]*", name):
        parser.error(f"{name!r} is not PART/NAME, with PART one of {', '.join(FOLDERS)}")
    path = notebooks.BOOK / f"{name}.ipynb"
    if path.exists():
        parser.error(f"{path.relative_to(notebooks.ROOT)} is there already")
    toc = notebooks.ROOT / "_toc.yml"
    try:
        contents = with_line(toc.read_text(encoding="utf-8"), name)
    except ValueError as error:
        parser.error(str(error))
    path.parent.mkdir(exist_ok=True)
    notebooks.write(skeleton(name), path)
    toc.write_text(contents, encoding="utf-8", newline="\n")
    print(f"Wrote {path.relative_to(notebooks.ROOT)} and its line in _toc.yml. Next:")
    print("- replace what is in brackets, and the example with yours;")
    print(f"- make refresh NOTEBOOKS=book/{name}.ipynb;")
    print("- name it in README.md's contents, and link it from its neighbors.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
