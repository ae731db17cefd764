"""The address of the book's repository: where it stands, and what follows from it.

It stands in one place, `Repository` in `[project.urls]` of pyproject.toml. set_repository.py
writes it there and wherever it is repeated.
"""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
UNSET = "https://repository.invalid/unset"
MAIN_BRANCH = "main"


@dataclass(frozen=True)
class Repository:
    """An address, and what a host of repositories offers at it.

    Parameters
    ----------
    url : str
        ``https://github.com/OWNER/NAME``, another ``https://`` address, or ``file:///…``.
    """

    url: str

    @property
    def on_github(self):
        """Whether GitHub hosts it, so that its pages, badges and Colab have known addresses."""
        return bool(re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", self.url))

    @property
    def on_the_web(self):
        """Whether others can open it in a browser."""
        return self.url.startswith("https://")

    @property
    def name(self):
        """Owner and name of a repository on GitHub."""
        return urlsplit(self.url).path.strip("/")

    @property
    def pages(self):
        """Where GitHub Pages publishes the book, or None."""
        if not self.on_github:
            return None
        owner, _, repository = self.name.partition("/")
        host = f"{owner.lower()}.github.io"
        return f"https://{host}/" if repository.lower() == host else f"https://{host}/{repository}/"

    def binder(self, path, tag):
        """Return the address that opens a notebook on Binder, or None."""
        if not self.on_github:
            return None
        return f"https://mybinder.org/v2/gh/{self.name}/{tag}?urlpath=lab/tree/{path}"

    def colab(self, path, tag):
        """Return the address that opens a notebook on Colab, or None."""
        if not self.on_github:
            return None
        return f"https://colab.research.google.com/github/{self.name}/blob/{tag}/{path}"


def normal(url):
    """Return an address in its one form.

    Raises
    ------
    ValueError
        If it is neither an address on the web nor a repository on this machine.
    """
    url = url.strip().removeprefix("git+").rstrip("/").removesuffix(".git")
    if ssh := re.fullmatch(r"git@([\w.-]+):([\w.-]+/[\w.-]+)", url):
        url = f"https://{ssh[1]}/{ssh[2]}"
    if not re.fullmatch(r"https://[\w.-]+(:\d+)?/[\w./~-]+|file:///[^\s\"'\\]+", url):
        raise ValueError(
            f"{url!r} is not the address of a repository. Write https://github.com/OWNER/NAME, "
            "another https:// address, or file:///FOLDER for one on this machine."
        )
    return url


def stored(root=ROOT):
    """Return the repository that the sources name, or None while none is set."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    url = project["urls"]["Repository"]
    return None if url == UNSET else Repository(url)


def known(root=ROOT):
    """Return the repository that this is: in GitHub Actions the one that runs, else as stored."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return Repository(f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}")
    return stored(root)


def version(root=ROOT):
    """Return the version of lossutils, which stands in lossutils/__init__.py."""
    text = (root / "lossutils" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.M)[1]


def tag(root=ROOT):
    """Return the tag of the release that the notebooks belong to."""
    return f"v{version(root)}"
