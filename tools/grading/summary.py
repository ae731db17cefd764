"""What a teacher reads: how each task went, and which submissions are alike."""

import io
import itertools
import keyword
import tokenize
from html import escape

from . import rebuild
from .feedback import page
from .marks import number

ALIKE = 0.8  # share of common pieces from which two submissions are shown side by side
PIECE = 6  # tokens of a piece
READ = 20_000  # characters of a solution cell that are compared and shown
PAIRS = 20  # at most this many pairs, the most alike first


def write(results, rows, release, path):
    """Write the summary of a class.

    Parameters
    ----------
    results, rows : list of dict
        From the workers, and of the marks; in the same order.
    release : nbformat.NotebookNode
        The assignment.
    path : pathlib.Path
        The file.
    """
    name = release.metadata["lossutils"]["assignment"]
    parts = [f"<h1>{escape(name)}</h1>", _statuses(rows), _distribution(rows, release)]
    parts.append(_alike(results, release))
    path.write_text(page(name, "\n".join(parts)), encoding="utf-8")


def _statuses(rows):
    counts = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    lines = "".join(
        f"<tr><td>{escape(status)}</td><td>{count}</td></tr>"
        for status, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    listed = "".join(
        f"<tr><td>{escape(row['student'])}</td><td>{escape(row['status'])}</td>"
        f"<td>{escape(row['remarks'])}</td></tr>"
        for row in rows
        if row["status"] != "graded" or row["remarks"]
    )
    look = (
        "<h2>To look at</h2><table><tr><th>student</th><th>status</th><th>remarks</th></tr>"
        f"{listed}</table>"
    )
    return f"<h2>{len(rows)} submissions</h2><table>{lines}</table>{look if listed else ''}"


def _distribution(rows, release):
    """Show for each task how many have none, some and all of its points."""
    graded = [row for row in rows if row["status"] == "graded"]
    lines = []
    for task, maximum in rebuild.tasks(release).items():
        shares = [row[task] / maximum for row in graded]
        none = sum(share == 0 for share in shares)
        whole = sum(share >= 1 for share in shares)
        mean = f"{100 * sum(shares) / len(shares):.0f} %" if shares else "–"
        columns = (task, number(maximum), none, len(shares) - none - whole, whole, mean)
        bar = _bar(none, len(shares) - none - whole, whole)
        cells = "".join(f"<td>{escape(str(column))}</td>" for column in columns)
        lines.append(f"<tr>{cells}<td>{bar}</td></tr>")
    head = "".join(
        f"<th>{title}</th>"
        for title in ("task", "points", "none", "some", "all", "mean", "none – some – all")
    )
    return f"<h2>Each task</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


def _bar(*counts):
    total = sum(counts) or 1
    left, pieces = 0.0, []
    for count, color in zip(counts, ("#b3261e", "#c9b458", "#1f6f54"), strict=True):
        width = 200 * count / total
        pieces.append(
            f'<rect x="{left:.1f}" y="0" width="{width:.1f}" height="14" fill="{color}"/>'
        )
        left += width
    return f'<svg width="200" height="14" role="img" aria-hidden="true">{"".join(pieces)}</svg>'


def _alike(results, release):
    given = {cell["id"]: cell.source for cell in release.cells if rebuild.is_solution(cell)}
    common = set().union(*(pieces(source) for source in given.values()))
    written = [
        (result, set().union(*map(pieces, result["solutions"].values())) - common)
        for result in results
        if result["solutions"]
    ]
    pairs = []
    for (one, first), (two, second) in itertools.combinations(written, 2):
        if first and second:
            share = len(first & second) / len(first | second)
            if share >= ALIKE:
                pairs.append((share, one, two))
    pairs.sort(key=lambda pair: (-pair[0], pair[1]["student"], pair[2]["student"]))
    text = (
        "<h2>Nearly the same code</h2><p>Two right solutions of a short task are often alike; "
        "look at the mistakes that they share, and at the comments. "
        f"{len(pairs)} pairs share {100 * ALIKE:.0f} % or more of their code, names aside.</p>"
    )
    return text + "".join(_side_by_side(*pair) for pair in pairs[:PAIRS])


def _side_by_side(share, one, two):
    names = [name for name in one["solutions"] if name in two["solutions"]]
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td style="vertical-align:top"><pre class="code">'
            f"{escape(each['solutions'][name][:READ])}</pre></td>"
            for each in (one, two)
        )
        + "</tr>"
        for name in names
    )
    return (
        f"<details><summary>{100 * share:.0f} %: {escape(one['student'])} and "
        f"{escape(two['student'])}</summary><table>{lines}</table></details>"
    )


def pieces(source):
    """Return the runs of tokens of a code, with all names and comments taken for the same."""
    words = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source[:READ]).readline):
            if token.type == tokenize.NAME:
                words.append(token.string if keyword.iskeyword(token.string) else "name")
            elif token.type in (tokenize.OP, tokenize.NUMBER, tokenize.STRING):
                words.append(token.string)
    except (tokenize.TokenError, SyntaxError, ValueError):
        words = source[:READ].split()
    return {tuple(words[at : at + PIECE]) for at in range(len(words) - PIECE + 1)}
