"""The theme's scripts, less what no page needs and what assets/book.js does better."""

import re
from pathlib import Path

# When a page has loaded, the theme looks for the boxes that scroll. It changes each before it
# measures the next, for which the browser lays out the page again, far-away code included.
SCROLLING = re.compile(
    r',"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)'
)
MAP = re.compile(r"\n//# sourceMappingURL=\S+")


def finish(app, exception):
    """Take out of the theme's scripts what is not needed, and the maps of scripts that changed."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static", "scripts")
    for path in folder.glob("*.js"):
        text = SCROLLING.sub("", path.read_text(encoding="utf-8"))
        path.write_text(MAP.sub("", text), encoding="utf-8")
    for pattern in ("*.map", "fontawesome.*"):
        for path in folder.glob(pattern):
            path.unlink()
