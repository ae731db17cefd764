"""One style sheet out of many, less the rules that no page of the book can use."""

import re
from pathlib import Path

# The sheets that are on every page, in the order of the cascade.
SHEETS = (
    "basic.css",
    "styles/theme.css",  # imports basic.css
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
    "sphinx-design.min.css",
    "katex/katex.min.css",
    "katex-math.css",
    "icons.css",
    "book.css",
)

TOKEN = re.compile(
    r"""(/\*.*?\*/)|("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^)"']*\))|([{};])""", re.S
)
FUNCTION = re.compile(r":(?:not|is|where|has|host|nth-[a-z-]+)\((?:[^()]|\([^()]*\))*\)")
CLASS = re.compile(r"\.(-?[_a-zA-Z][\w-]*)")
NESTED = ("@media", "@supports", "@layer", "@container")


def is_shared(name):
    """Tell whether a sheet, named by its path below _static, is on every page."""
    return any(Path(name).match(pattern) for pattern in SHEETS)


def joined(static):
    """Return all sheets as one text, addresses relative to the folder of static files."""
    texts = []
    for pattern in SHEETS:
        for path in sorted(static.glob(pattern)):
            text = re.sub(r'@charset "[^"]*";|@import [^;]*;', "", path.read_text("utf-8"))
            folder = path.parent.relative_to(static).as_posix()
            texts.append(_relative(text, "" if folder == "." else folder + "/"))
    return "\n".join(texts)


def _relative(text, folder):
    """Let addresses in a sheet begin at another folder."""

    def moved(match):
        address = match[2]
        if address.startswith(("data:", "#")):
            return match[0]
        parts = []
        for part in (folder + address).split("/"):
            if part == ".." and parts:
                parts.pop()
            else:
                parts.append(part)
        return f"url({match[1]}{'/'.join(parts)}{match[1]})"

    return re.sub(r"url\(([\"']?)([^\"')]+)\1\)", moved, text)


def words(folder):
    """Return each word in a class of a page, and each word of a script: what a rule may name."""
    found = set()
    for path in folder.rglob("*.html"):
        text = path.read_text("utf-8")
        for names in set(re.findall(r'class="([^"]*)"', text)):
            found.update(names.split())
        for script in re.findall(r"<script[^>]*>([^<]*)</script>", text):
            found.update(re.findall(r"[\w-]+", script))
    for path in folder.rglob("*.js"):
        if path.name != "searchindex.js":
            found.update(re.findall(r"[\w-]+", path.read_text("utf-8")))
    return found


def used(text, known):
    """Return the rules of a sheet that can apply where only these classes are known."""
    return "\n".join(_kept(_rules(text), known)) + "\n"


def _rules(text):
    """Yield a prelude and the body of each rule; the body of a plain statement is None."""
    start = position = depth = 0
    body = None
    while match := TOKEN.search(text, position):
        position = match.end()
        if match[1] and depth == 0 and not text[start : match.start()].strip():
            if match[1].startswith("/*!"):
                yield match[1], None  # a license
            start = position
        elif match[3] == "{":
            if depth == 0:
                body = match.start()
            depth += 1
        elif match[3] == "}":
            depth -= 1
            if depth == 0:
                yield text[start:body].strip(), text[body + 1 : match.start()].strip()
                start = position
        elif match[3] == ";" and depth == 0:
            yield text[start:position].strip(), None
            start = position


def _kept(rules, known):
    """Yield the rules that can apply."""
    for prelude, body in rules:
        prelude = re.sub(r"/\*(?!!).*?\*/", "", prelude, flags=re.S).strip()
        if body is None:
            if "Font Awesome" not in prelude:
                yield prelude
        elif prelude.startswith(NESTED):
            inner = "\n".join(_kept(_rules(body), known))
            if inner:
                yield f"{prelude} {{\n{inner}\n}}"
        elif prelude.startswith("@font-face"):
            if "Font Awesome" not in body.replace("\\", ""):  # icons.css draws what the book uses
                yield f"{prelude} {{ {body} }}"
        elif prelude.startswith("@"):
            yield f"{prelude} {{ {body} }}"
        else:
            selectors = [one for one in _selectors(prelude) if _can_apply(one, known)]
            if selectors and body:
                yield f"{', '.join(selectors)} {{ {' '.join(body.split())} }}"


def _selectors(prelude):
    """Return the selectors of a rule, split at the commas between them."""
    parts = re.findall(r"(?:[^,()\[\]]|\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])+", prelude)
    return [" ".join(part.split()) for part in parts]


def _can_apply(selector, known):
    """Tell whether some element can have all classes of a selector."""
    if "\\" in selector:
        return True
    plain = re.sub(r"\[[^\]]*\]", "", FUNCTION.sub("", selector))
    return all(name in known for name in CLASS.findall(plain))
