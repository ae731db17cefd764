"""The address of the repository stands in one place, and reaches all that repeat it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import notebooks
import pytest
import repository
import set_repository
from bs4 import BeautifulSoup

ROOT = notebooks.ROOT
FORK = "https://github.com/a-teacher/losses-2027"
OTHER = "https://github.com/another-teacher/a-course"
COPIED = ["pyproject.toml", "README.md", "CITATION.cff", "_config.yml", "_toc.yml"]
FOLDERS = ["tools", "book", "assignments", "lossutils"]


@pytest.fixture
def tree(tmp_path):
    """Return a copy of the sources without an address."""
    for name in COPIED:
        shutil.copy(ROOT / name, tmp_path)
    for name in FOLDERS:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    set_address(tmp_path, "")
    return tmp_path


def run(folder, *command, actions=None):
    environment = {name: value for name, value in os.environ.items() if "GITHUB" not in name}
    result = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**environment, **(actions or {})},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def set_address(folder, url):
    return run(folder, "tools/set_repository.py", url)


def contents(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_sources_repeat_what_pyproject_says():
    """Where they do not, `make repository URL=…` was not run; test_notebooks.py has the cells."""
    stored = repository.stored()
    line = set_repository.badges(stored, repository.tag())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == set_repository.with_badges(readme, line)
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert citation == set_repository.with_citation(citation, stored)


def test_a_fork_sets_its_address_and_unsets_it_without_a_trace(tree):
    before = contents(tree)
    set_address(tree, FORK + ".git")
    once = contents(tree)
    assert "Nothing had to be changed" in set_address(tree, FORK)
    assert contents(tree) == once
    for name in ("pyproject.toml", "README.md", "CITATION.cff"):
        assert FORK in once[name].decode(), name
    for path in tree.rglob("book/*/*.ipynb"):
        assert f"git+{FORK}@{repository.tag()}" in path.read_text(encoding="utf-8"), path.name

    set_address(tree, OTHER)
    left = [name for name, content in contents(tree).items() if b"a-teacher/losses" in content]
    assert left == []

    set_address(tree, "")
    assert contents(tree) == before


def test_unset_it_is_nobodys_address():
    # RFC 2606 keeps the domain .invalid free for ever.
    assert re.fullmatch(r"https://\w+\.invalid/\w+", repository.UNSET)
    assert repository.Repository(repository.UNSET).pages is None


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("https://github.com/o/n.git", "https://github.com/o/n"),
        ("https://github.com/o/n/", "https://github.com/o/n"),
        ("git@github.com:o/n.git", "https://github.com/o/n"),
        ("git+file:///srv/books/losses", "file:///srv/books/losses"),
        ("https://gitlab.com/group/part/n", "https://gitlab.com/group/part/n"),
    ],
)
def test_an_address_has_one_form(written, stored):
    assert repository.normal(written) == stored
    assert repository.normal(stored) == stored


@pytest.mark.parametrize(
    "url", ["o/n", "http://github.com/o/n", "https://github.com", 'https://x.org/a"b', "/srv/book"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match=r"https://github\.com/OWNER/NAME"):
        repository.normal(url)


def test_pages_of_a_fork():
    assert repository.Repository(FORK).pages == "https://a-teacher.github.io/losses-2027/"
    own = repository.Repository("https://github.com/Owner/owner.github.io")
    assert own.pages == "https://owner.github.io/"
    assert repository.Repository("https://gitlab.com/o/n").pages is None


def test_the_set_up_cell_says_the_oldest_versions_that_the_package_takes():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package, shown in (("keras", "Keras"), ("tensorflow", "TensorFlow")):
        floor = re.search(rf'"{package}>=([\d.]+)', pyproject)[1]
        assert f"{shown} before {floor}" in notebooks.setup_source(FORK)


def test_the_set_up_cell_never_asks_for_a_bare_name():
    """On a registry, that name could be anybody's."""
    for address in (None, FORK):
        assert not re.search(r'pip install lossutils|"lossutils"', notebooks.setup_source(address))


def build(tree, actions=None):
    """Return two pages built from a tree: the first page and a notebook."""
    toc = "format: jb-book\nroot: index\nchapters:\n- file: binary/hinge\n"
    (tree / "_toc.yml").write_text(toc, encoding="utf-8")
    run(tree, "tools/book.py", "--quiet", actions=actions)
    return {
        name: BeautifulSoup(
            (tree / "_build/html" / name).read_text(encoding="utf-8"), "html.parser"
        )
        for name in ("index.html", "binary/hinge.html")
    }


def addresses(soup):
    return [link["href"] for link in soup.find_all("a", href=True)]


def test_pages_without_an_address_have_no_buttons_and_no_canonical_address(tree):
    for soup in build(tree).values():
        assert not soup.select('link[rel="canonical"], meta[property^="og:"]')
        assert not [a for a in addresses(soup) if re.search("github.com/a-|colab|mybinder", a)]
    assert not (tree / "_build/html/sitemap.xml").exists()


def test_pages_of_a_fork_point_to_the_fork(tree):
    set_address(tree, FORK)
    soup = build(tree)["binary/hinge.html"]
    found = addresses(soup)
    tag = repository.tag()
    assert f"{FORK}/edit/main/book/binary/hinge.ipynb" in found
    assert any(a.startswith(f"{FORK}/issues/new") for a in found)
    assert any(
        f"colab.research.google.com/github/a-teacher/losses-2027/blob/{tag}" in a for a in found
    )
    assert any(f"mybinder.org/v2/gh/a-teacher/losses-2027/{tag}" in a for a in found)
    here = "https://a-teacher.github.io/losses-2027/binary/hinge.html"
    assert soup.select_one('link[rel="canonical"]')["href"] == here
    assert soup.select_one('meta[property="og:url"]')["content"] == here
    assert f"<loc>{here}</loc>" in (tree / "_build/html/sitemap.xml").read_text(encoding="utf-8")


def test_github_actions_know_the_address(tree):
    actions = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "a-teacher/losses-2027",
    }
    found = addresses(build(tree, actions)["binary/hinge.html"])
    assert f"{FORK}/edit/main/book/binary/hinge.ipynb" in found
    # The stored set-up cells cannot install from there, so nobody is sent to Colab.
    assert not [address for address in found if "colab" in address]


def test_links_of_the_package_description_are_absolute_once_there_is_an_address(tree):
    shutil.copy(ROOT / "setup.py", tree)
    set_address(tree, FORK)
    code = (
        "import json, setuptools; setuptools.setup = lambda **given: "
        "print(json.dumps(given['long_description']))\nexec(open('setup.py').read())"
    )
    text = json.loads(run(tree, "-c", code))
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links
    assert [link for link in links if not re.match("https?:|#", link)] == []
    for link in links:
        if found := re.match(rf"{FORK}/(blob|raw)/HEAD/(.+)", link):
            assert Path(ROOT, found[2]).exists(), link
