"""The book in a browser: a server of its pages, and Debian's Chromium to read them with.

`make test-pages` builds the pages, installs what is missing and runs these tests; `make test`
leaves them out.
"""

import functools
import gzip
import http.server
import shutil
import threading

import pdf
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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Let one worker visit a page, once, for all its tests; other files go whole."""
    from xdist.scheduler import LoadScopeScheduling

    class ByPage(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            return test[test.find("[") :] if file.endswith("test_every_page.py") else file

    return ByPage(config, log)


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
def html():
    """Return the folder of the pages that `make book` has left."""
    if not (pdf.HTML / "index.html").is_file():
        pytest.fail("The pages are not built: make book")
    return pdf.HTML


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


@pytest.fixture(scope="session")
def window_on(chromium, site):
    """Return a function that opens an empty window, which is to be closed with its context.

    The window remembers what went wrong in `problems`, requests to other hosts included, and in
    `loaded` the bytes of each answer.
    """

    def opened(view="light", **options):
        window = chromium.new_context(**{**VIEWS[view], **options}).new_page()
        window.set_default_timeout(30_000)
        window.problems, window.loaded = [], []
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
        window.on(
            "requestfinished",
            lambda request: window.loaded.append(request.sizes()["responseBodySize"]),
        )
        return window

    return opened


@pytest.fixture
def open_page(window_on, site):
    """Return a function that opens a page of the book in a new window."""
    windows = []

    def opened(page, view="light", **options):
        window = window_on(view, **options)
        windows.append(window)
        window.goto(f"{site}/{page}" if "." in page else f"{site}/{page}.html")
        return window

    yield opened
    for window in windows:
        window.context.close()
