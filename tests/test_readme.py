"""Every command of the README is run: by CI, by a test, or, with the reason why not, by hand."""

import re

import pytest

from coursework.profiles import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"^```\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

BY_TESTS = {
    'make submission ARGS="notebooks/hw3_dnn.ipynb -p softmax_epochs=20"': (
        "test_cli.py::test_run_passes_profile_and_fields_on"
    ),
    'make submission ARGS="--profile full"': "test_cli.py::test_run_passes_profile_and_fields_on",
    "make submission ARGS=--partial": (
        "handin/test_submission.py"
        "::test_a_part_finished_homework_names_on_its_first_page_what_is_missing"
    ),
    ".venv/bin/coursework score": (
        "course/test_score.py::test_all_points_for_the_answers_of_the_course"
    ),
    ".venv/bin/coursework grade FOLDER_OF_ZIPS --output grades.csv": (
        "course/test_grade.py::test_a_hand_in_scores_what_is_true"
    ),
    ".venv/bin/coursework fetch": (
        "data/test_fetching.py::test_the_command_fetches_everything_and_then_nothing"
    ),
    ".venv/bin/coursework fetch --offline": (
        "data/test_fetching.py::test_offline_verifies_asks_nobody_and_writes_nothing"
    ),
}
"""The tests that run a command with other servers, notebooks or folders."""

BY_HAND = {
    'make test ARGS="-m hw3_q2"': "a part of `make test`",
    "make notebooks": "opens a browser",
    "make bench": "needs a machine that does nothing else",
    "make oldest": "installs other libraries",
    "make newest PYTHON=python3.13": "installs other libraries, and needs another Python",
    "python -m venv .venv": "as `make test` does",
    '.venv/bin/python -m pip install -c constraints.txt -e ".[test]"': "as `make test` does",
    ".venv/bin/coursework submit": "as `make submission` does",
    ".venv/bin/python -m pytest": "as `make test` does",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_run(command):
    assert command in (*CI, *BY_TESTS, *BY_HAND)


@pytest.mark.parametrize("test", sorted(set(BY_TESTS.values())))
def test_what_runs_a_command_is_there(test):
    file, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / "tests" / "coursework" / file).read_text(encoding="utf-8")


def test_every_target_of_make_is_there():
    targets = {command.split()[1] for command in COMMANDS if command.startswith("make ")}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"^([a-z ]+):.*##", makefile, flags=re.MULTILINE)
    assert targets <= set(" ".join(named).split())


def test_it_fits_three_screens_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 160
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
