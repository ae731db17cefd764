"""Figures: how large they are, and another arrangement of their panels for a phone."""

import re
from pathlib import Path
from urllib.parse import unquote

from PIL import Image, ImageChops

IMAGE = re.compile(r"<img\b[^>]*?/?>")
DOTS = 0.8  # pixels of the page for a pixel of a figure: sharp, and letters as large as the text's
PHONE = "screen and (max-width: 600px)"
GAP = 7  # narrower is the space between letters
MIDDLE = (0.3, 0.62)  # where the left of two panels ends, as a share of the width


def finish(page, builder, context):
    """Return a page whose images have a size; the first comes at once, others when they near."""
    root = "../" * context["pagename"].count("/")
    sources = {name: Path(builder.srcdir, path) for path, name in builder.images.items()}
    seen = 0

    def finished(match):
        nonlocal seen
        tag = match[0]
        found = re.search(rf'src="{re.escape(root)}_images/([^"]+)"', tag)
        path = found and sources.get(unquote(found[1]))
        if not path or path.suffix != ".png" or ' width="' in tag:
            return tag
        seen += 1
        with Image.open(path) as image:
            picture = image.copy()
        extra = _size(picture) + ("" if seen == 1 else ' loading="lazy"') + ' decoding="async"'
        tag = f"<img{extra}{tag[4:]}"
        stacked = _stacked(picture)
        if stacked is None:
            return _boxed(tag, picture)
        name = f"{path.stem}-phone.png"
        folder = Path(builder.outdir, "_images")
        folder.mkdir(exist_ok=True)
        stacked.save(folder / name, optimize=True)
        source = f'<source media="{PHONE}" srcset="{root}_images/{name}"{_size(stacked)}>'
        return _boxed(f"<picture>{source}{tag}</picture>", picture)

    return IMAGE.sub(finished, page)


def _size(picture):
    width, height = (round(DOTS * length) for length in picture.size)
    return f' width="{width}" height="{height}"'


def _boxed(tag, picture):
    """Put an image into a box that scrolls where the image is wider."""
    return f'<span class="figure-box" style="--width: {round(DOTS * picture.width)}px">{tag}</span>'


def _stacked(picture):
    """Return a picture of two panels with one above the other, or None where they share something.

    Panels can be set apart where a gap without a single drop of ink parts them from top to bottom.
    """
    between = [
        (gap.start(), gap.end())
        for gap in re.finditer(rb"\0{%d,}" % GAP, _ink_of_columns(picture))
        if MIDDLE[0] * picture.width < gap.start() and gap.end() < MIDDLE[1] * picture.width
    ]
    if not between:
        return None
    start, end = between[0]
    middle = (start + end) // 2
    left = picture.crop((0, 0, middle, picture.height))
    right = picture.crop((middle, 0, picture.width, picture.height))
    stacked = Image.new(picture.mode, (max(left.width, right.width), 2 * picture.height))
    if picture.mode == "P":
        stacked.putpalette(picture.getpalette())
    stacked.paste(picture.getpixel((0, 0)), (0, 0, *stacked.size))
    stacked.paste(left, (0, 0))
    stacked.paste(right, (0, picture.height))
    return stacked


def _ink_of_columns(picture):
    """Return a byte for each column of a picture: 0 where all of it is paper."""
    colors = picture.convert("RGB")
    paper = Image.new("RGB", picture.size, colors.getpixel((0, 0)))
    red, green, blue = ImageChops.difference(colors, paper).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    ink = most.point(lambda value: 255 if value > 3 else 0).tobytes()
    every = 0
    for row in range(0, len(ink), picture.width):
        every |= int.from_bytes(ink[row : row + picture.width], "big")
    return every.to_bytes(picture.width, "big")
