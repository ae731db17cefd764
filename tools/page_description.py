"""A Sphinx extension: the first paragraph of a page is its description for search engines.

A chapter opens with the question that it answers, which is what a search shows. A page with a
description of its own in its front matter (``html_meta``) keeps it.
"""

from html import escape

from docutils import nodes

LONGEST = 160


def describe(app, pagename, templatename, context, doctree):
    """Add ``<meta name="description">`` to a page that has none."""
    if doctree is None or 'name="description"' in context.get("metatags", ""):
        return
    paragraph = next(doctree.findall(nodes.paragraph), None)
    if paragraph is None:
        return
    text = " ".join(paragraph.astext().split())
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " …"
    tag = f'<meta name="description" content="{escape(text)}" />\n'
    context["metatags"] = context.get("metatags", "") + tag


def setup(app):
    """Run for each page."""
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
