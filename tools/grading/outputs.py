"""What feedback shows of the outputs of a student's cells: text, and pictures of some size."""

import base64
import binascii
import struct

LONGEST = 20_000  # characters of one output
MOST = 100  # outputs of one cell
PIXELS = 50_000_000  # of all pictures of a notebook: a browser holds four bytes for each

_PNG = b"\x89PNG\r\n\x1a\n"


class Budget:
    """Keeps outputs of one notebook, until its pictures are too many.

    What is kept is text and numbers of ours: a result may hold anything, however deep and large.
    """

    def __init__(self):
        self._pixels = PIXELS

    def keep(self, found):
        """Return what feedback shows of the outputs of a cell.

        Parameters
        ----------
        found : list of nbformat.NotebookNode
            Outputs.

        Returns
        -------
        list of dict
            With ``kind`` (text, error or picture) and ``text``, which is the base64 of a picture.
        """
        kept = [self._one(output) for output in found[:MOST]]
        if len(found) > MOST:
            kept.append({"kind": "text", "text": f"… {len(found) - MOST} outputs more"})
        return [each for each in kept if each]

    def _one(self, output):
        if output.output_type == "stream":
            return _text("text", output.text)
        if output.output_type == "error":
            return _text("error", f"{output.ename}: {output.evalue}")
        data = output.get("data", {})
        size = pixels(data.get("image/png"))
        if size is None:
            plain = data.get("text/plain")
            return _text("text", plain) if isinstance(plain, str) else None
        if size > self._pixels:
            return {"kind": "text", "text": f"A picture of {size} pixels is not shown."}
        self._pixels -= size
        return {"kind": "picture", "text": "".join(data["image/png"].split())}


def _text(kind, text):
    text = str(text)
    cut = f"\n… {len(text) - LONGEST} characters more" if len(text) > LONGEST else ""
    return {"kind": kind, "text": text[:LONGEST] + cut}


def pixels(picture):
    """Return the number of pixels of a PNG in base64, or None where it is no such picture."""
    try:
        data = base64.b64decode("".join(picture.split()), validate=True)
    except (AttributeError, ValueError, binascii.Error):
        return None
    if len(data) < 24 or not data.startswith(_PNG) or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width * height
