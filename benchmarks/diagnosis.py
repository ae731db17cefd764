"""Measure how often `diagnose` names the cause of faulty programs, and none for repaired ones.

    .venv/bin/python benchmarks/diagnosis.py                    # all, and writes diagnosis.md
    .venv/bin/python benchmarks/diagnosis.py --only "rate"      # kinds with these letters
    .venv/bin/python benchmarks/diagnosis.py --anew             # forget what was measured before

What was measured is kept in a file, and not measured again, so that it can be done in parts.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from lossutils.checks._diagnosis import diagnose  # first, so that TensorFlow starts quietly

# isort: split
from diagnosis_programs import FAULTS

KEPT = Path(tempfile.gettempdir()) / "diagnosis_kept.json"
REPORT = Path(__file__).with_name("diagnosis.md")


def codes(program, seed):
    """Return the codes of the causes that are found, the first first, and the seconds."""
    x, y = program.data(seed)
    started = time.perf_counter()
    found = diagnose(
        lambda: program.build(x.shape[1]),
        x,
        y,
        epochs=program.epochs,
        batch_size=program.batch_size,
        shuffle=program.shuffle,
        class_weight=program.class_weight,
        verbose=False,
    )
    causes = list(found.causes)
    if found.learnable is False:
        causes.append("nothing-to-learn")
    return causes, found, time.perf_counter() - started


def measure(kept, only, first_seed):
    """Diagnose the programs whose kind has these letters."""
    for number, fault in enumerate(FAULTS):
        name = f"{number + 1}"
        if name in kept or (only not in fault.kind and only != name):
            continue
        row = {"kind": fault.kind, "cause": fault.cause}
        for form in ("faulty", "repaired"):
            causes, found, seconds = codes(getattr(fault, form), first_seed + number)
            row[form] = causes
            row[f"{form} value"] = float(found.table.loc["as given", "value"])
            row["seconds"] = seconds
            row["left out"] = sorted(t for t, w in found.left_out.items() if "time" in w)
        kept[name] = row
        KEPT.write_text(json.dumps(kept), encoding="utf-8")
        print(name, json.dumps(row), flush=True)


def table(kept):
    """Return the report as Markdown."""
    rows = [kept[name] for name in sorted(kept, key=int)]
    among = sum(row["cause"] in row["faulty"] for row in rows)
    first = sum(row["faulty"][:1] == [row["cause"]] for row in rows)
    wrong = sum(bool(row["repaired"]) for row in rows)
    lines = [
        "# Diagnosis, measured",
        "",
        f"{len(rows)} faulty programs of degree and their repaired forms "
        "(`diagnosis_programs.py`), each with rows of its own, 5 seeds.",
        "",
        "| | of | share |",
        "|---|--:|--:|",
        f"| the cause is among those reported | {among} of {len(rows)} | {among / len(rows):.0%} |",
        f"| the cause is reported first | {first} of {len(rows)} | {first / len(rows):.0%} |",
        f"| a cause is reported for a repaired program | {wrong} of {len(rows)} "
        f"| {wrong / len(rows):.0%} |",
        "",
        "| kind | cause | as given | reported | repaired | reported |",
        "|---|---|--:|---|--:|---|",
    ]
    for row in rows:
        faulty, repaired = (", ".join(row[form]) or "none" for form in ("faulty", "repaired"))
        lines.append(
            f"| {row['kind']} | {row['cause']} | {shown(row['faulty value'])} | {faulty} "
            f"| {shown(row['repaired value'])} | {repaired} |"
        )
    return "\n".join(lines) + "\n"


def shown(value):
    """Round a metric; far below a constant it says nothing more."""
    if value != value:
        return "NaN"
    return f"{value:.2f}" if value > -1 else "below −1"


def main():
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="letters of a kind, or a number")
    parser.add_argument("--anew", action="store_true", help="forget what was measured before")
    parser.add_argument("--first-seed", type=int, default=0, help="of the rows that are drawn")
    arguments = parser.parse_args()
    kept = {}
    if KEPT.exists() and not arguments.anew:
        kept = json.loads(KEPT.read_text(encoding="utf-8"))
    measure(kept, arguments.only, arguments.first_seed)
    if len(kept) == len(FAULTS):
        REPORT.write_text(table(kept), encoding="utf-8")
    print(table(kept))


if __name__ == "__main__":
    main()
