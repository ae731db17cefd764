"""Copies the data files into the package; everything else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithData(build_py):
    """Put the files of data/ into lossutils/data.

    The data lies beside the package, where readers of the repository look for it, and package
    data can only name files inside. An editable install finds the files where they are.
    """

    def run(self):  # noqa: D102
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "lossutils", "data")
        self.mkpath(str(target))
        for source in [*Path("data").glob("*.gz"), Path("data/README.md")]:
            self.copy_file(str(source), str(target / source.name))


setup(cmdclass={"build_py": BuildWithData})
