"""What a student reads: the own notebook with points and messages, and no hidden test."""

from html import escape

from . import rebuild
from .marks import number

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem;
       color: #1b1b1b; background: #fff; }
pre { font: 14px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
      margin: 0.4rem 0; padding: 0.5rem 0.8rem; }
pre.code { background: #f3f4f6; border-left: 4px solid #5b6b7f; }
pre.error { border-left: 4px solid #b3261e; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: 0.2rem 0.8rem; border-bottom: 1px solid #c8ccd2; }
section.points { margin: 0.8rem 0 1.6rem; padding: 0.5rem 1rem; border: 1px solid #5b6b7f; }
img { max-width: 100%; background: #fff; }
"""

# Nothing in the page runs or loads anything, whatever slips through.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title, body):
    """Return a whole HTML page that loads nothing."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def write(result, row, release, path):
    """Write the feedback of one student.

    Parameters
    ----------
    result : dict
        From the worker.
    row : dict
        The student's row of the marks.
    release : nbformat.NotebookNode
        The assignment.
    path : pathlib.Path
        The file.
    """
    name = release.metadata["lossutils"]["assignment"]
    parts = [f"<h1>{escape(name)}: {escape(row['student'])}</h1>", _verdict(row, release)]
    checks = {}
    for check in result["checks"]:
        checks.setdefault(check["task"], []).append(check)
    last = _last_cells(result["cells"])
    for at, cell in enumerate(result["cells"]):
        parts.append(_cell(cell))
        task = last.get(at)
        if task in checks:
            parts.append(_points(task, checks.pop(task)))
    parts += [_points(task, left) for task, left in checks.items()]
    path.write_text(page(f"{name}: {row['student']}", "\n".join(parts)), encoding="utf-8")


def _verdict(row, release):
    points = rebuild.tasks(release)
    if row["status"] == "graded":
        text = f"<p><strong>{number(row['score'])} of {number(row['maximum'])} points.</strong></p>"
    else:
        text = f"<p><strong>No mark: {escape(row['status'])}.</strong></p>"
    text += f"<p>{escape(row['remarks'])}</p>" if row["remarks"] else ""
    lines = "".join(
        f"<tr><td>{escape(task)}</td><td>{number(row[task]) or '–'}</td>"
        f"<td>{number(maximum)}</td></tr>"
        for task, maximum in points.items()
    )
    return f"{text}<table><tr><th>task</th><th>points</th><th>of</th></tr>{lines}</table>"


def _last_cells(cells):
    """Return the task whose last solution cell stands at a place."""
    places = {rebuild.task_of(cell["id"]): at for at, cell in enumerate(cells) if cell["id"]}
    return {at: task for task, at in places.items()}


def _cell(cell):
    kind = "code" if cell["type"] == "code" else "text"
    return f'<pre class="{kind}">{escape(cell["source"])}</pre>' + "".join(
        _output(output) for output in cell["outputs"]
    )


def _output(output):
    """Show an output as text or as a picture; HTML and scripts of the student are not shown."""
    if output["kind"] == "picture":
        return f'<img alt="a figure of this cell" src="data:image/png;base64,{output["text"]}">'
    kind = ' class="error"' if output["kind"] == "error" else ""
    return f"<pre{kind}>{escape(output['text'])}</pre>"


def _points(task, checks):
    score = sum(check["score"] for check in checks)
    maximum = sum(check["maximum"] for check in checks)
    lines = "".join(
        f"<li>{number(check['score'])} of {number(check['maximum'])}"
        f"{': ' + escape(check['message']) if check['message'] else ': passed'}</li>"
        for check in checks
    )
    return (
        f'<section class="points"><strong>{escape(task)}: {number(score)} of {number(maximum)} '
        f"points from checks</strong><ul>{lines}</ul></section>"
    )
