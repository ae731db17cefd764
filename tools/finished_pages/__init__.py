"""A Sphinx extension: what a page still lacks after the theme has written it.

The theme writes pages for every site. This book knows more: which styles its pages use, how large
a figure is, that no script has to run before the text is read. Each page passes here as a whole,
between the template and the file.
"""

import hashlib
from pathlib import Path

from sphinx.jinja2glue import BuiltinTemplateLoader

from . import figures, head, markup, scripts


class Finisher(BuiltinTemplateLoader):
    """Sphinx's own templates; a page that they have written is finished."""

    def init(self, builder, *rest):
        """Remember the builder, which knows the files that a page shows."""
        super().init(builder, *rest)
        self.builder = builder

    def render(self, template, context):
        """Return the finished text of a page."""
        page = super().render(template, context)
        if "</html>" not in page:
            return page
        page = head.finish(page, self.builder, context)
        page = figures.finish(page, self.builder, context)
        return markup.finish(page)


def version():
    """Return a number that changes with this package, so that all pages are written anew."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def setup(app):
    """Take the place of Sphinx's templates, and write the one style sheet in the end."""
    app.config.template_bridge = "finished_pages.Finisher"
    app.add_config_value("finished_pages_version", version(), "html", str)
    app.connect("build-finished", head.write_styles, priority=900)
    app.connect("build-finished", head.write_for_search_engines, priority=900)
    app.connect("build-finished", scripts.finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
