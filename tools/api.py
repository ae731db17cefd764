"""Write the page of the package from its docstrings.

The docstrings are the one source. What autodoc makes of them is stored, so that the pages can be
built where neither lossutils nor TensorFlow is installed; a test compares what is stored with what
this would write.
"""

import re
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import notebooks
from sphinx.application import Sphinx
from sphinx.ext.autodoc.directive import DocumenterBridge, process_documenter_options

PAGE = notebooks.BOOK / "reference" / "api.md"

TEMPLATE = """\
# The package lossutils

What do the functions take, what do they return, and when do they refuse?

`lossutils` is the package behind the notebooks. Install it from a copy of the repository with
`python -m pip install .`, and import it before Keras, so that TensorFlow starts quietly. What
stands here comes from the docstrings.

## lossutils.datasets

.. automodule:: lossutils.datasets
   :members:

## lossutils.models

.. automodule:: lossutils.models
   :members:

## lossutils.training

.. automodule:: lossutils.training
   :members: fit, repeat, compare

## lossutils.checks

Each code of `RULES` has a section in the chapter on [mistakes](../practice/mistakes.ipynb).

.. automodule:: lossutils.checks
   :members: check_setup, diagnose

.. autoclass:: lossutils.checks.CheckSetup

.. autoclass:: lossutils.checks.Diagnosis
   :members: plot

.. autoclass:: lossutils.checks.Findings

.. autoclass:: lossutils.checks.Finding

.. autoclass:: lossutils.checks.Rule

## lossutils.losses

The definitions of all losses stand on the page [Every Keras loss](every_keras_loss.md).

.. automodule:: lossutils.losses
   :no-members:

.. autoclass:: lossutils.losses.Entry
   :members: name, parameters, takes_logits, along_curve

.. autoclass:: lossutils.losses.Values

.. autoclass:: lossutils.losses.Equivalent

.. autoclass:: lossutils.losses.Curve

.. autoclass:: lossutils.losses.Source

### Losses that Keras lacks

.. automodule:: lossutils.losses.keras_losses
   :members:

## lossutils.plotting

.. automodule:: lossutils.plotting
   :members:
   :imported-members:
"""

DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (\S+)\n((?:   :.*\n)*)", re.MULTILINE)
SETTINGS = {
    "extensions": ["sphinx.ext.autodoc", "sphinx.ext.napoleon"],
    "autodoc_member_order": "bysource",
    "autodoc_typehints": "none",
    "napoleon_google_docstring": False,
    "napoleon_use_rtype": False,
}


def documented(app, kind, name, options):
    """Return what autodoc makes of one directive, as reStructuredText."""
    if kind == "module":
        import_module(name)  # autodoc would make a warning of an error, and leave the module out
    documenter = app.registry.documenters[kind]
    state = SimpleNamespace(document=SimpleNamespace(settings=SimpleNamespace(tab_width=8)))
    chosen = process_documenter_options(documenter, app.config, options)
    bridge = DocumenterBridge(app.env, None, chosen, 1, state)
    documenter(bridge, name).generate()
    lines = [line.rstrip() for line in bridge.result]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def page():
    """Return the whole page."""
    with tempfile.TemporaryDirectory() as folder:
        app = Sphinx(
            *(folder, None, Path(folder, "out"), Path(folder, "trees"), "dummy"),
            confoverrides=SETTINGS,
            status=None,
            warning=None,
        )

        def expand(directive):
            kind, name, options = directive.groups()
            named = dict(re.findall(r":([\w-]+): ?(.*)", options))
            # An option without a value says yes, which is None for a directive.
            chosen = {option: value or None for option, value in named.items()}
            return f"```{{eval-rst}}\n{documented(app, kind, name, chosen)}\n```\n"

        return DIRECTIVE.sub(expand, TEMPLATE)


def main():
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
