"""Copies the data files into the package and describes it; the rest is in pyproject.toml."""

import re
import shutil
import tomllib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

RELATIVE_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


class BuildWithData(build_py):
    """Put the files of data/ into lossutils/data.

    The data lies beside the package, where readers of the repository look for it, and package
    data can only name files inside. An editable install finds the files where they are.
    """

    def run(self):  # noqa: D102
        if not self.editable_mode:
            # An earlier build may have left modules there that the package no longer has.
            shutil.rmtree(Path(self.build_lib, "lossutils"), ignore_errors=True)
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "lossutils", "data")
        self.mkpath(str(target))
        for source in [*Path("data").glob("*.gz"), Path("data/README.md")]:
            self.copy_file(str(source), str(target / source.name))


def long_description():
    """Return README.md, with links that work outside the repository once that has an address."""
    text = Path("README.md").read_text(encoding="utf-8")
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project["urls"]["Repository"]
    if not address.startswith("https://github.com/"):
        return text

    def absolute(link):
        image, shown, path = link.groups()
        kind = "raw" if image else "blob"
        return f"{image}[{shown}]({address}/{kind}/HEAD/{path})"

    return RELATIVE_LINK.sub(absolute, text)


setup(
    cmdclass={"build_py": BuildWithData},
    long_description=long_description(),
    long_description_content_type="text/markdown",
)
