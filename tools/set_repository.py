"""Set or unset the address of the book's repository, wherever it is repeated.

    python tools/set_repository.py https://github.com/OWNER/NAME
    python tools/set_repository.py ""

README.md's badges, CITATION.cff and the set-up cells of all notebooks repeat what pyproject.toml
says, since they are read where no program runs. The pages ask for it when they are built
(tools/published.py).
"""

import argparse
import re
import sys

import notebooks
from repository import ROOT, UNSET, Repository, normal, tag


def urls_block(repository):
    """Return the lines below ``[project.urls]``."""
    urls = {"Repository": repository.url if repository else UNSET}
    if repository and repository.on_github:
        urls["Documentation"] = repository.pages
        urls["Issues"] = f"{repository.url}/issues"
        urls["Changelog"] = f"{repository.url}/blob/HEAD/CHANGELOG.md"
    return "".join(f'{name} = "{url}"\n' for name, url in urls.items())


def badges(repository, tag):
    """Return the line of badges below README.md's title, or an empty text."""
    if not (repository and repository.on_github):
        return ""
    first = "book/foundations/what_a_loss_does.ipynb"
    tests = f"{repository.url}/actions/workflows/test.yml"
    shown = {
        "Tests": (f"{tests}/badge.svg", tests),
        "Open in Colab": (
            "https://colab.research.google.com/assets/colab-badge.svg",
            repository.colab(first, tag),
        ),
        "Open on Binder": ("https://mybinder.org/badge_logo.svg", repository.binder(first, tag)),
    }
    return "\n".join(f"[![{name}]({image})]({link})" for name, (image, link) in shown.items())


def with_badges(readme, line):
    """Return README.md with one block of badges below its title, or without one."""
    title, rest = readme.split("\n\n", 1)
    if rest.startswith("[!["):
        rest = rest.split("\n\n", 1)[1]
    return "\n\n".join([title, line, rest] if line else [title, rest])


def with_urls(pyproject, repository):
    """Return pyproject.toml with its ``[project.urls]``."""
    block = re.compile(r"^\[project\.urls\]\n(?:\w+ = .*\n)*", re.M)
    lines = f"[project.urls]\n{urls_block(repository)}"
    return block.sub(lambda _: lines, pyproject)


def with_citation(citation, repository):
    """Return CITATION.cff with the addresses of the repository and of the pages."""
    citation = re.sub(r"^(repository-code|url): .*\n", "", citation, flags=re.M)
    if repository and repository.on_the_web:
        citation += f'repository-code: "{repository.url}"\n'
    if repository and repository.pages:
        citation += f'url: "{repository.pages}"\n'
    return citation


def change(path, changed):
    """Rewrite a file where that changes it; return whether it did."""
    before = path.read_text(encoding="utf-8")
    after = changed(before)
    if after == before:
        return False
    path.write_text(after, encoding="utf-8", newline="\n")
    return True


def write(repository):
    """Write an address, or None, wherever it is repeated; return the paths that changed."""
    line = badges(repository, tag())
    edits = {
        "pyproject.toml": lambda text: with_urls(text, repository),
        "README.md": lambda text: with_badges(text, line),
        "CITATION.cff": lambda text: with_citation(text, repository),
    }
    changed = [ROOT / name for name, edit in edits.items() if change(ROOT / name, edit)]
    return changed + notebooks.write_setup_cells()


def main(arguments=None):
    """Set or unset the address."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("url", help="the address, or an empty text")
    options = parser.parse_args(arguments)
    try:
        repository = Repository(normal(options.url)) if options.url.strip() else None
    except ValueError as error:
        parser.error(str(error))
    changed = write(repository)
    print(f"The repository is {repository.url if repository else 'unset'}.")
    print(f"{len(changed)} files changed." if changed else "Nothing had to be changed.")
    if repository:
        print(f"Its notebooks install its tag {tag()}; KEEPER.md says how it gets there.")
    if repository and not repository.on_github:
        print("Badges, Colab and the address of the pages are known for GitHub only.")


if __name__ == "__main__":
    sys.exit(main())
