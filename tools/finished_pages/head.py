"""The head of a page: one style sheet, no script before the text, an address where there is one."""

import hashlib
import re
from html import escape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from . import styles

STYLES = "styles.css"  # in place of all sheets that are on every page
SHEET = re.compile(r'[ \t]*<link[^>]*?href="([^"]*_static/([^"?]+\.css)[^"]*)"[^>]*>\n?')
SCRIPT = re.compile(r'(<script )(?!defer|async)([^>]*src="[^"]*"[^>]*></script>)')
SEARCH_SCRIPT = re.compile(
    r'[ \t]*<script[^>]*src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>\n?'
)
# A million and a half bytes that draw a dozen icons, which assets/icons.css draws.
ICON_SCRIPT = re.compile(r'[ \t]*<script[^>]*src="[^"]*fontawesome\.js[^"]*"></script>\n?')
OPTIONS = re.compile(r'<script src="[^"]*documentation_options\.js[^"]*"></script>')
VIEWPORT = re.compile(r'[ \t]*<meta name="viewport"[^>]*>\n?')

# Before the first paint, or a dark page would flash white.
THEME = """\
<script>{
    const mode = localStorage.getItem("mode") || "auto";
    const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    document.documentElement.dataset.mode = mode;
    document.documentElement.dataset.theme = mode === "auto" ? dark : mode;
  }</script>"""
THEME_OF_THEME = re.compile(r'<script data-cfasync="false">.*?</script>', re.S)


def finish(page, builder, context):
    """Return a page with a head that a phone on a slow line reads fast."""
    top, end, rest = page.partition("</head>")
    top = _one_sheet(top)
    top = ICON_SCRIPT.sub("", top)
    top = SEARCH_SCRIPT.sub("", top)  # search.js loads what it needs when a reader searches
    options = Path(builder.outdir, "_static", "documentation_options.js")
    text = " ".join(options.read_text(encoding="utf-8").split())
    top = OPTIONS.sub(lambda _: f"<script>{text}</script>", top)
    top = SCRIPT.sub(r"\1defer \2", top)
    top = THEME_OF_THEME.sub(lambda _: THEME, top)
    top = top.replace('data-theme="auto"', 'data-theme="light"')  # what a page without scripts has
    first = VIEWPORT.search(top)
    top = top[: first.end()] + VIEWPORT.sub("", top[first.end() :])
    return top + _address(builder, context) + end + rest


def _one_sheet(top):
    """Put one style sheet in the place of those that every page has."""
    shared = [match for match in SHEET.finditer(top) if styles.is_shared(match[2])]
    root, _, _ = shared[0][1].partition("_static/")
    # The addresses carry digests of the contents: browsers keep a sheet until one changes.
    addresses = " ".join(match[1].removeprefix(root) for match in shared)
    version = hashlib.sha256(addresses.encode()).hexdigest()[:8]
    link = f'  <link rel="stylesheet" href="{root}_static/{STYLES}?v={version}" />\n'
    first = shared[0]
    rest = SHEET.sub(lambda m: "" if styles.is_shared(m[2]) else m[0], top[first.end() :])
    return top[: first.start()] + link + rest


def write_styles(app, exception):
    """Write the one sheet, with the rules that some page can use."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    used = styles.words(Path(app.outdir))
    (static / STYLES).write_text(styles.used(styles.joined(static), used), encoding="utf-8")


def _address(builder, context):
    """Return what other sites read of a page, once the book has an address."""
    base = builder.config.html_baseurl
    if not base:
        return ""
    title = re.sub("<[^>]+>", "", context.get("title") or context["project"])
    found = re.search(r'name="description" content="([^"]*)"', context.get("metatags", ""))
    tags = {
        "og:type": "website",
        "og:site_name": escape(builder.config.html_title),
        "og:title": title,
        "og:description": found[1] if found else "",
        "og:url": urljoin(base, builder.get_target_uri(context["pagename"])),
        "og:image": urljoin(base, "_static/screenshot.png"),
    }
    return "".join(
        f'    <meta property="{name}" content="{value}" />\n'
        for name, value in tags.items()
        if value
    )


def write_for_search_engines(app, exception):
    """Write the map of the site, and the page for an address that is none."""
    base = app.config.html_baseurl
    if exception or app.builder.format != "html" or not base:
        return
    out = Path(app.outdir)
    lines = [
        f"  <url><loc>{escape(urljoin(base, app.builder.get_target_uri(page)))}</loc></url>"
        for page in sorted(app.env.found_docs)
    ]
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    sitemap = ['<?xml version="1.0" encoding="UTF-8"?>', f'<urlset xmlns="{space}">', *lines]
    (out / "sitemap.xml").write_text("\n".join([*sitemap, "</urlset>"]) + "\n", encoding="utf-8")
    robots = f"User-agent: *\nAllow: /\nSitemap: {urljoin(base, 'sitemap.xml')}\n"
    (out / "robots.txt").write_text(robots, encoding="utf-8")
    _write_missing(out, urlsplit(base).path or "/")


def _write_missing(out, root):
    """Write 404.html: the page of the search, which a server shows at any address."""
    page = (out / "search.html").read_text(encoding="utf-8")
    page = page.replace("<head>", f'<head>\n    <base href="{root}" />', 1)
    page = page.replace("<h1>Search</h1>", "<h1>There is no such page</h1>", 1)
    (out / "404.html").write_text(page, encoding="utf-8")
