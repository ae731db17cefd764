"""Small repairs of the markup that the theme and pandas write."""

import re

HEAD = re.compile(r"<thead>(.*?)</thead>", re.S)
TABLE = re.compile(r'<table class="(?:docutils [^"]*|table)">.*?</table>', re.S)
ROW = re.compile(r"<tr\b.*?</tr>", re.S)
CODE = re.compile(
    r'(<div class="cell_input docutils container">\s*<div class="highlight-[^>]*>'
    r'<div class="highlight"><pre>(.*?)</pre></div>)',
    re.S,
)
PRE = re.compile(
    r'(<div class="(output )?[^"]*highlight-[^>]*>\s*<div class="highlight">)<pre>(.*?)</pre>', re.S
)
LONG = 20  # lines of code that a page shows without being asked; of more, book.css shows fewer
# Names, punctuation and space have the color of the text. They are most of the words of code, and
# an element for each would be half of a page's, which a browser has to style and to lay out.
PLAIN = ("n", "nn", "p", "pm", "w")
PLAIN_WORD = re.compile(rf'<span class="(?:{"|".join(PLAIN)})">([^<]*)</span>')
COPY = '<button class="copybtn" type="button" aria-label="Copy this code"></button>'
CELL = re.compile(r"<(t[dh])\b([^>]*)>(.*?)</\1>", re.S)


NO_SEARCH = re.compile(r'<noscript>\s*<div class="admonition error">.*?</noscript>', re.S)
WITHOUT_SCRIPTS = """<noscript>
      <p>The search needs JavaScript. The chapters are listed on the
      <a href="index.html">first page</a>, and your browser finds a word within a page.</p>
    </noscript>"""
CODE_IN_TEXT = re.compile(r"<code\b.*?</code>", re.S)


def finish(page):
    """Return a page that reads well aloud and on a phone."""
    page = NO_SEARCH.sub(WITHOUT_SCRIPTS, page)
    # The name of a control is the text that it shows.
    page = page.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    page = re.sub(
        r'(<button class="btn search-button-field[^>]*?) title="Search" aria-label="Search"',
        r"\1",
        page,
    )
    page = re.sub(r'(<i class="theme-switch[^>]*?) title="[^"]*"', r"\1", page)
    page = page.replace(
        '<summary><span class="toctree-toggle"',
        '<summary aria-label="Show or hide the pages below"><span class="toctree-toggle"',
    )
    page = re.sub(r"<summary>\s*<p>(.*?)</p>\s*</summary>", r"<summary>\1</summary>", page)
    # A list among the values that a function returns.
    page = re.sub(r"<p>(<ul\b(?:(?!<p><ul\b).)*?</ul>)\s*</p>", r"\1", page, flags=re.S)
    # The corner of a table is no heading.
    page = re.sub(r"<th((?: [^>]*)?)>(?:\s|&nbsp;|&#160;)*</th>", _corner, page)
    page = CODE.sub(_unfoldable, page)
    page = PRE.sub(_light, page)
    return TABLE.sub(lambda match: _labelled(match[0]), page)


def _unfoldable(match):
    """Let a reader ask for the rest of a long cell: a box to tick, which needs no script."""
    lines = _lines(match[2])
    if lines <= LONG:
        return match[0]
    return f'{match[1]}<label class="whole"><input type="checkbox">Show all {lines} lines</label>'


def _light(match):
    """Return code with an element for each word that has a color, and a button that copies it.

    The number of its lines lets a browser leave out code that is far from the screen: book.css.
    """
    opening, output, code = match.groups()
    code = PLAIN_WORD.sub(r"\1", code)
    if output:
        return f"{opening}<pre>{code}</pre>"
    return f'{opening}<pre style="--lines: {_lines(code)}">{code}</pre>{COPY}'


def _lines(code):
    return code.rstrip("\n").count("\n") + 1


def _corner(match):
    attributes = re.sub(r' scope="[^"]*"', "", match[1])
    return f"<td{attributes}></td>"


def _labelled(table):
    """Give each cell of a table the heading of its column, which a phone shows beside it."""
    head = HEAD.search(table)
    if head is None:
        return table
    labels = [
        re.sub("<[^>]+>", "", text).strip().replace('"', "&quot;")
        for _, _, text in CELL.findall(head[1])
    ]
    top, body = table[: head.end()], table[head.end() :]
    return top + ROW.sub(lambda match: _labelled_row(match[0], labels), body)


def _labelled_row(row, labels):
    names = iter(labels)

    def labelled(match):
        tag, attributes, text = match.groups()
        # A long name breaks behind its words.
        text = CODE_IN_TEXT.sub(lambda code: code[0].replace("_", "_<wbr>"), text)
        return f'<{tag}{attributes} data-label="{next(names, "")}">{text}</{tag}>'

    return CELL.sub(labelled, row)
