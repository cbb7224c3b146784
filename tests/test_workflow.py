"""The workflow for other systems runs what the README tells a reader to run, and nothing else."""

import re

import pytest
import yaml

from coursework.profiles import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))


def read(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key "on" as True.
    return {("on" if key is True else key): value for key, value in content.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_workflow_has_the_shape_that_github_expects(path):
    workflow = read(path)
    assert {"name", "on", "jobs"} <= workflow.keys()
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps"} <= job.keys()
        named = set(re.findall(r"matrix\.(\w+)", str(job)))
        assert named == job["strategy"]["matrix"].keys()
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)


def test_the_first_commands_of_the_readme_run_on_three_systems_with_the_oldest_and_newest_python():
    (job,) = read(ROOT / ".github" / "workflows" / "commands.yml")["jobs"].values()
    matrix = job["strategy"]["matrix"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.split("```")[1].strip().splitlines()
    assert matrix["command"] == [line.split("#")[0].strip() for line in block]
    assert {name.split("-")[0] for name in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"][0] == "3.11"
    assert [step["run"] for step in job["steps"] if "run" in step] == ["${{ matrix.command }}"]
    assert job["defaults"]["run"]["shell"] == "bash"
