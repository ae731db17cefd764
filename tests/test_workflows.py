"""The workflows of GitHub Actions: pinned, without rights they do not need, calling what exists."""

import re
import shutil
import subprocess

import notebooks
import pytest
import yaml

ROOT = notebooks.ROOT
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def parsed(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path):
    return [step for job in parsed(path)["jobs"].values() for step in job["steps"]]


def targets():
    return set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.M))


def test_there_are_some():
    assert {"test", "publish", "weekly"} <= {path.stem for path in WORKFLOWS}


@each_workflow
def test_each_action_is_pinned_to_a_commit_and_says_its_version(path):
    used = re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8"))
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version_everywhere():
    used = {
        tuple(action.split("@"))
        for path in WORKFLOWS
        for action in re.findall(r"uses: *(\S+)", path.read_text(encoding="utf-8"))
    }
    names = [name for name, _ in used]
    assert len(set(names)) == len(names)


@each_workflow
def test_rights_are_the_least(path):
    workflow = parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert "contents" not in job.get("permissions", {}), name
        assert job["timeout-minutes"] <= 360, name


@each_workflow
def test_a_checkout_leaves_no_credentials_behind(path):
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_make_targets_exist(path):
    called = set(re.findall(r"\bmake ([a-z-]+)", path.read_text(encoding="utf-8")))
    for job in parsed(path)["jobs"].values():
        called |= set(job.get("strategy", {}).get("matrix", {}).get("target", []))
    assert called <= targets()


def test_ci_calls_targets_that_exist():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    called = set(re.findall(r"^step make (?:--[\w-]+ )*([a-z-]+)", script, re.M))
    assert {"lint", "test", "book"} <= called <= targets()


def test_make_help_names_every_target():
    shown = set(re.findall(r"make ([a-z-]+)", MAKEFILE[: MAKEFILE.index("\nbook:")]))
    assert targets() - shown - {"help", "test-units", "test-notebooks"} == set()


def test_other_systems_run_what_the_readme_says():
    weekly = parsed(ROOT / ".github" / "workflows" / "weekly.yml")
    run = [step["run"] for step in weekly["jobs"]["systems"]["steps"] if "run" in step]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in run[1:]:
        assert command.replace("$PYTHON", ".venv\\Scripts\\python") in readme, command


def test_dependabot_stays_below_jupyter_book_2():
    dependabot = parsed(ROOT / ".github" / "dependabot.yml")
    pip = next(one for one in dependabot["updates"] if one["package-ecosystem"] == "pip")
    ignored = {rule["dependency-name"]: rule.get("versions") for rule in pip["ignore"]}
    assert ignored["jupyter-book"] == [">=2"]


@pytest.mark.skipif(shutil.which("zizmor") is None, reason="zizmor is not installed")
def test_zizmor_finds_nothing():
    command = ["zizmor", "--offline", "--no-progress", str(ROOT / ".github")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing():
    result = subprocess.run(["actionlint"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
