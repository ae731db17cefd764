"""What all tests share: which notebooks `pytest --nbval` leaves out, and a table of run times."""

import time
from collections import defaultdict
from pathlib import Path

import notebooks
import pytest

NOTEBOOK_BUDGET = 40.0  # seconds, on two cores
BOOK_BUDGET = 420.0

START = time.perf_counter()


def pytest_configure(config):
    """Let every `pytest --nbval` leave out what cannot repeat; see tools/nbval.cfg."""
    if getattr(config.option, "nbval", False) and not config.option.nbval_sanitize_with:
        config.option.nbval_sanitize_with = str(Path(__file__).parent / "tools" / "nbval.cfg")


def pytest_collection_modifyitems(items):
    """Leave out the notebooks that need an optional package which is not installed."""
    for item in items:
        if item.path.suffix == ".ipynb" and (reason := notebooks.why_left_out(item.path)):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter):
    """Print how long each notebook ran, which exceeds its budget, and which is left out."""
    # Reported and not failed: how fast a machine is says nothing about the book.
    seconds = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            nodeid = getattr(report, "nodeid", "")
            if ".ipynb::" in nodeid and hasattr(report, "duration"):
                seconds[nodeid.split("::")[0]] += report.duration
    if not seconds:
        return
    elapsed = time.perf_counter() - START
    terminalreporter.section("run time of each notebook")
    for notebook in sorted(seconds, key=seconds.get, reverse=True):
        if reason := notebooks.why_left_out(terminalreporter.config.rootpath / notebook):
            terminalreporter.write_line(f" left out  {notebook}: {reason}")
            continue
        over = f"  over the {NOTEBOOK_BUDGET:.0f} s" if seconds[notebook] > NOTEBOOK_BUDGET else ""
        terminalreporter.write_line(f"{seconds[notebook]:7.1f} s  {notebook}{over}")
    over = f"  over the {BOOK_BUDGET:.0f} s" if elapsed > BOOK_BUDGET else ""
    terminalreporter.write_line(f"{elapsed:7.1f} s  all, start to end{over}")
