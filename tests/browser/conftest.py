"""The book in a browser: a server of its pages, and Debian's Chromium to read them with.

`make test-pages` installs what is missing and runs these tests; `make test` leaves them out.
"""

import functools
import gzip
import http.server
import shutil
import threading

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Nothing that a browser does of its own accord: no updates, no look-ups.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
}
COMPRESSED = (".html", ".css", ".js", ".mjs", ".svg", ".json", ".txt")


def pytest_ignore_collect(collection_path, config):
    """Leave these tests out of a run of all tests: they need a browser."""
    return None if any("browser" in argument for argument in config.args) else True


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serve files as a web server does: text compressed, on one connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing about a request."""

    def do_GET(self):
        """Send a file."""
        path = self.translate_path(self.path)
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        if path.endswith(COMPRESSED):
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="session")
def site(html):
    """Return the address at which the book is served."""
    handler = functools.partial(Compressing, directory=html)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium(site):
    """Return a running browser, which ends before the server does."""
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        pytest.fail("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, site):
    """Return a function that opens a page of the book in a new window.

    The window remembers what went wrong: `page.problems`, and what it asked of other hosts.
    """
    contexts = []

    def opened(page, view="light", **options):
        context = chromium.new_context(**{**VIEWS[view], **options})
        contexts.append(context)
        window = context.new_page()
        window.set_default_timeout(15_000)
        window.problems = []
        window.on("pageerror", lambda error: window.problems.append(f"error: {error}"))
        window.on(
            "console",
            lambda message: (
                message.type in ("error", "warning") and window.problems.append(message.text)
            ),
        )
        window.on(
            "request",
            lambda request: (
                request.url.startswith((site, "data:", "blob:"))
                or window.problems.append(f"asks another host: {request.url}")
            ),
        )
        window.goto(f"{site}/{page}" if "?" in page else f"{site}/{page}.html")
        return window

    yield opened
    for context in contexts:
        context.close()
