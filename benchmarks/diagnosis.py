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

from lossutils.checks import diagnose  # first, so that TensorFlow starts quietly

# isort: split
from diagnosis_programs import FAULTS

KEPT = Path(tempfile.gettempdir()) / "diagnosis_kept.json"
REPORT = Path(__file__).with_name("diagnosis.md")

# Each program is diagnosed on two draws of its rows: the changes were chosen on the first, and the
# second shows whether what was chosen holds.
DRAWS = {"first draw": 0, "second draw": 1000}


def diagnosed(program, seed):
    """Return the codes of the causes that are found, the first first, and what else is reported."""
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
    return {
        "causes": causes,
        "value": float(found.table.loc["as given", "value"]),
        "seconds": time.perf_counter() - started,
        "left out": [title for title, why in found.left_out.items() if "time" in why],
    }


def measure(kept, only):
    """Diagnose the programs whose kind has these letters, unless that is kept."""
    for draw, first_seed in DRAWS.items():
        for number, fault in enumerate(FAULTS):
            name = f"{draw} {number + 1}"
            if name in kept or only not in fault.kind:
                continue
            kept[name] = {
                form: diagnosed(getattr(fault, form), first_seed + number)
                for form in ("faulty", "repaired")
            }
            KEPT.write_text(json.dumps(kept), encoding="utf-8")
            causes = {form: measured["causes"] for form, measured in kept[name].items()}
            print(name, fault.cause, causes, flush=True)


def counts(rows):
    """Return how often the cause is named, and named first, and how often one is that is none."""
    return (
        sum(fault.cause in row["faulty"]["causes"] for fault, row in rows),
        sum(row["faulty"]["causes"][:1] == [fault.cause] for fault, row in rows),
        sum(bool(row["repaired"]["causes"]) for _, row in rows),
    )


def report(kept):
    """Return the tables as Markdown."""
    of_draws = {
        draw: [(fault, kept[f"{draw} {i + 1}"]) for i, fault in enumerate(FAULTS)] for draw in DRAWS
    }
    lines = [
        "# Diagnosis, measured",
        "",
        f"{len(FAULTS)} faulty programs of degree and their repaired forms "
        "(`diagnosis_programs.py`), each on two draws of its rows, with 5 seeds. The changes that "
        "`diagnose` tries, and these programs, were chosen on the first draw.",
        "",
        f"| of {len(FAULTS)} programs | {' | '.join(DRAWS)} |",
        f"|---|{'--:|' * len(DRAWS)}",
    ]
    titles = (
        "the cause is among those reported",
        "the cause is reported first",
        "a cause is reported for the repaired program",
    )
    columns = [counts(rows) for rows in of_draws.values()]
    for title, values in zip(titles, zip(*columns, strict=True), strict=True):
        shares = " | ".join(f"{value} ({value / len(FAULTS):.0%})" for value in values)
        lines.append(f"| {title} | {shares} |")
    for draw, rows in of_draws.items():
        lines += [
            "",
            f"## The {draw}",
            "",
            "R², accuracy or balanced accuracy, a mean over seeds on the rows held out.",
            "",
            "| kind | cause | as given | reported | repaired | reported |",
            "|---|---|--:|---|--:|---|",
        ]
        lines += [line(fault, row) for fault, row in rows]
    return "\n".join(lines) + "\n"


def line(fault, row):
    """Return a line of a table."""
    cells = [fault.kind, fault.cause]
    for form in ("faulty", "repaired"):
        cells += [shown(row[form]["value"]), ", ".join(row[form]["causes"]) or "none"]
    return f"| {' | '.join(cells)} |"


def shown(value):
    """Round a metric; far below a constant it says nothing more."""
    if value != value:
        return "NaN"
    return f"{value:.2f}" if value > -1 else "below −1"


def main():
    """Measure, and report once all is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="letters of a kind")
    parser.add_argument("--anew", action="store_true", help="forget what was measured before")
    arguments = parser.parse_args()
    kept = {}
    if KEPT.exists() and not arguments.anew:
        kept = json.loads(KEPT.read_text(encoding="utf-8"))
    measure(kept, arguments.only)
    if len(kept) == len(FAULTS) * len(DRAWS):
        REPORT.write_text(report(kept), encoding="utf-8")
    seconds = [measured["seconds"] for row in kept.values() for measured in row.values()]
    print(f"{len(seconds)} diagnoses, {sum(seconds) / len(seconds):.1f} s each")


if __name__ == "__main__":
    main()
