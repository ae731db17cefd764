"""Run notebooks of the book from top to bottom, and store them with their outputs.

Each notebook runs in a kernel of its own and in an empty folder, so that it finds neither the
state nor the files of another. A notebook with an error, or with a word on stderr, is left
as it was, and the run fails. One that needs a package which is not installed is left out.
"""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbclient
import notebooks


def refresh(path, timeout):
    """Run one notebook and store it; return the seconds that it took.

    Parameters
    ----------
    path : pathlib.Path
        The notebook.
    timeout : float
        Seconds after which a single cell counts as hung.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        When a cell raises.
    RuntimeError
        When a cell writes to stderr.
    """
    start = time.perf_counter()
    notebook = notebooks.with_setup(notebooks.read(path), notebooks.repository_address())
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            # At its default level the kernel warns of the local TCP that every notebook uses.
            extra_arguments=["--IPKernelApp.log_level=40"],
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise RuntimeError(f"this cell writes to stderr:\n{cell.source}\n\n{output.text}")
    notebooks.write(notebooks.normalize(notebook), path)
    return time.perf_counter() - start


def main(arguments=None):
    """Refresh the notebooks that are named, or all; return how many that were asked for failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("notebook", nargs="*", type=Path, help="all of the book, if none is named")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at once (default: 2)")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for a cell (300)")
    options = parser.parse_args(arguments)
    paths = options.notebook or notebooks.in_book()
    if missing := [str(path) for path in paths if not path.is_file()]:
        parser.error(f"no such notebook: {', '.join(missing)}")
    left_out = {path: why for path in paths if (why := notebooks.why_left_out(path))}
    for path, why in left_out.items():
        print(f"left out  {path}: {why}", flush=True)
    paths = [path for path in paths if path not in left_out]

    # Without this, the debugger of each kernel says on stderr that frozen modules slow it down.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    failures = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        runs = [(path, pool.submit(refresh, path.resolve(), options.timeout)) for path in paths]
        for path, run in runs:
            try:
                print(f"{run.result():6.1f} s  {path}", flush=True)
            except Exception as error:
                failures += 1
                print(f"  FAILED  {path}\n{error}", file=sys.stderr, flush=True)
    if failures:
        print(f"{failures} of {len(paths)} notebooks failed and stay as they were.")
    return failures + (len(left_out) if options.notebook else 0)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
