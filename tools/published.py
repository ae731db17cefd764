"""A Sphinx extension: what the pages say about the address at which they and the sources are.

Buttons for the repository, for issues and for Colab and Binder, and the address from which
finished_pages writes canonical links, Open Graph and a sitemap. All of it is left out where the
address is not known (tools/repository.py).
"""

from pathlib import Path

import repository


def configure(app, config):
    """Give the theme the address of the repository, and Sphinx that of the pages."""
    place = repository.known()
    if place is None or not place.on_the_web:
        return
    config.html_theme_options.update(
        repository_url=place.url,
        repository_branch=repository.MAIN_BRANCH,
        path_to_docs="book",
        use_repository_button=True,
        use_issues_button=place.on_github,
        use_edit_page_button=place.on_github,
    )
    config.html_baseurl = place.pages or ""


def add_launch_buttons(app, pagename, templatename, context, doctree):
    """Add buttons that open a notebook on Colab and Binder, at the release it belongs to.

    They are left out where the stored set-up cells would install from elsewhere.
    """
    place = repository.known()
    source = Path(app.srcdir, f"{pagename}.ipynb")
    if place is None or not place.on_github or place != repository.stored():
        return
    if not source.is_file():
        return
    notebook, tag = f"book/{pagename}.ipynb", repository.tag()
    places = {
        "Colab": (place.colab(notebook, tag), "_static/images/logo_colab.png"),
        "Binder": (place.binder(notebook, tag), "_static/images/logo_binder.svg"),
    }
    buttons = [
        {"type": "link", "text": name, "tooltip": f"Run on {name}", "icon": icon, "url": url}
        for name, (url, icon) in places.items()
    ]
    context["header_buttons"].append(
        {
            "type": "group",
            "label": "launch-buttons",
            "tooltip": "Run this notebook",
            "icon": "fas fa-rocket",
            "buttons": buttons,
        }
    )


def setup(app):
    """Run when the settings are read, and for each page."""
    app.connect("config-inited", configure)
    app.connect("html-page-context", add_launch_buttons, priority=502)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
