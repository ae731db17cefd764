"""Take the picture of the book that README.md shows: one page, light and dark.

    python tools/screenshot.py binary/binary_cross_entropy

Needs the built book (`make book`) and Chromium, which the pins do not bring.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import notebooks
from PIL import Image, ImageDraw

HTML = notebooks.ROOT / "_build" / "html"
PICTURE = notebooks.BOOK / "assets" / "screenshot.png"
WIDTH, HEIGHT = 1440, 1340
SCHEMES = {"light": 1, "dark": 0}  # Chromium's numbers


def shoot(address, scheme, folder):
    """Return a picture of what a window shows of a page, in a color scheme."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise RuntimeError("Chromium is not installed; it takes the picture.")
    picture = Path(folder, f"{scheme}.png")
    subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", "--virtual-time-budget=4000"),
            f"--user-data-dir={folder}/{scheme}",
            f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
            f"--window-size={WIDTH},{HEIGHT}",
            f"--screenshot={picture}",
            address,
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return Image.open(picture).convert("RGB")


def main(page):
    """Store the top of one page, half of it light and half dark."""
    address = (HTML / f"{page}.html").as_uri()
    with tempfile.TemporaryDirectory() as folder:
        light, dark = (shoot(address, scheme, folder) for scheme in SCHEMES)
    width, height = light.size
    mask = Image.new("L", light.size, 0)
    edge = [(width * 0.66, 0), (width, 0), (width, height), (width * 0.46, height)]
    ImageDraw.Draw(mask).polygon(edge, fill=255)
    light.paste(dark, mask=mask)
    light.quantize(256, dither=Image.Dither.NONE).save(PICTURE, optimize=True)
    print(f"{PICTURE.relative_to(notebooks.ROOT)}: {PICTURE.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "binary/binary_cross_entropy")
