"""Run notebooks each alone in an empty folder, in another Python, and compare what they print.

    python tools/alone.py --python ENVIRONMENT/bin/python [NOTEBOOK …]

That Python needs ipykernel and lossutils; what runs this needs neither. Text is compared and
pictures are not, as in `make test`. For each notebook it prints the seconds and the largest
resident memory of the kernel with its children.
"""

import argparse
import difflib
import json
import os
import re
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbclient
import nbformat
import notebooks
import psutil
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

MB = 1 << 20
STARTUP_TIMEOUT = 300  # seconds; the first kernel of an environment reads it from the disk
CELL_TIMEOUT = 900  # a cell that takes longer hangs


@dataclass
class Run:
    """What became of one notebook."""

    path: Path
    seconds: float = 0.0
    peak: int = 0
    problems: list = field(default_factory=list)


@contextmanager
def kernel_of(python):
    """Yield a kernel manager for another Python, without installing a kernel for the user."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "kernels", "alone")
        spec.mkdir(parents=True)
        # At its default level the kernel warns of the local TCP that every notebook uses.
        options = ["--IPKernelApp.log_level=40", "-f", "{connection_file}"]
        argv = [str(python), "-m", "ipykernel_launcher", *options]
        content = {"argv": argv, "display_name": "alone", "language": "python"}
        (spec / "kernel.json").write_text(json.dumps(content), encoding="utf-8")
        specs = KernelSpecManager(kernel_dirs=[str(spec.parent)], ensure_native_kernel=False)
        yield AsyncKernelManager(kernel_name="alone", kernel_spec_manager=specs)


@contextmanager
def memory_of(manager, run):
    """Poll the resident memory of a kernel and of its children, and keep the largest."""
    done = threading.Event()

    def poll():
        while not done.wait(0.1):
            process = getattr(getattr(manager, "provisioner", None), "process", None)
            if process is None:
                continue
            try:
                kernel = psutil.Process(process.pid)
                tree = [kernel, *kernel.children(recursive=True)]
                run.peak = max(run.peak, sum(each.memory_info().rss for each in tree))
            except psutil.Error:  # a child that has just ended
                continue

    poller = threading.Thread(target=poll, daemon=True)
    poller.start()
    try:
        yield
    finally:
        done.set()
        poller.join()


def texts(cell):
    """Return what a cell shows as text: a text for each stream, and one for each other output."""
    shown = {}
    for at, output in enumerate(cell.get("outputs", [])):
        if output.output_type == "stream":
            shown[output.name] = shown.get(output.name, "") + output.text
        elif output.output_type == "error":
            shown["error"] = f"{output.ename}: {output.evalue}"
        else:
            data = output.get("data", {})
            for kind in ("text/html", "text/plain"):
                if kind in data:
                    shown[f"{at} {kind}"] = re.sub(r" at 0x[0-9a-f]+", "", data[kind])
    return shown


def differences(stored, fresh):
    """Return, as texts for a reader, where a fresh run shows other text than what is stored."""
    problems = []
    for at, (before, after) in enumerate(zip(stored.cells, fresh.cells, strict=True)):
        if before.cell_type != "code" or notebooks.is_setup(before):
            continue
        old, new = texts(before), texts(after)
        if old == new:
            continue
        lines = difflib.unified_diff(
            "\n".join(old.values()).splitlines(), "\n".join(new.values()).splitlines(), lineterm=""
        )
        only = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        problems.append(f"cell {at}:\n" + "\n".join(f"    {line}" for line in only))
    return problems


def execute(notebook, python, run):
    """Run a notebook in an empty folder; say in ``run`` how long it took and what it left there."""
    # Without this, the debugger of each kernel says on stderr that frozen modules slow it down.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, kernel_of(python) as manager:
        client = nbclient.NotebookClient(
            notebook,
            km=manager,
            startup_timeout=STARTUP_TIMEOUT,
            timeout=CELL_TIMEOUT,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        )
        with memory_of(manager, run):
            try:
                client.execute(cleanup_kc=True)  # also ends the kernel, which is ours
            except (nbclient.exceptions.CellExecutionError, RuntimeError, TimeoutError) as error:
                # An error in a cell, a kernel that died, or a cell that hangs.
                run.problems.append(str(error)[-2000:])
        run.seconds = time.perf_counter() - start
        if left := sorted(path.name for path in Path(folder).iterdir()):
            run.problems.append(f"files left in the folder: {left}")
    return notebook


def run_alone(path, python, setup=None):
    """Run one notebook, with another set-up cell if one is given, and compare it."""
    run = Run(path)
    stored = notebooks.read(path)
    fresh = nbformat.from_dict(json.loads(json.dumps(stored)))
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs = []
        if setup is not None and notebooks.is_setup(cell):
            cell.source = setup
    execute(fresh, python, run)
    if not run.problems:
        run.problems += differences(stored, fresh)
    return run


def run_all(paths, python, setup=None, jobs=1):
    """Run notebooks and print a line for each, with what differs below; return the runs."""
    runs = []
    with ThreadPoolExecutor(jobs) as pool:
        for run in pool.map(lambda path: run_alone(path, python, setup), paths):
            verdict = "differs" if run.problems else "equal"
            name = run.path.relative_to(notebooks.ROOT)
            print(f"{verdict:>8}  {run.seconds:6.1f} s  {run.peak // MB:5d} MB  {name}", flush=True)
            for problem in run.problems:
                print(f"  {problem}", flush=True)
            runs.append(run)
    return runs


def main(arguments=None):
    """Run the notebooks that are named, or all; return how many differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("notebook", nargs="*", type=Path, help="all of the book, if none is named")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs them")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks at once (default: 1)")
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.notebook] or notebooks.in_book()
    runs = run_all(paths, options.python, jobs=options.jobs)
    return sum(bool(run.problems) for run in runs)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
