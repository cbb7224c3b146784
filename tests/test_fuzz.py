"""One bad input of each kind; ``python -m tests.fuzz`` tries thousands."""

import random
import sys

import pytest

from tests.bad_inputs import KINDS
from tests.fuzz import judge, main


@pytest.mark.filterwarnings("ignore")  # what damaged files make libraries warn of
@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_input_is_read_right_or_refused_in_words(kind, tmp_path):
    assert judge(*KINDS[kind][1:], random.Random(kind), tmp_path) == ""


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (KeyError("labels"), "KeyError: \"'labels'\""),
        (ValueError("it is damaged"), "ValueError that does not help: 'it is damaged'"),
        (AssertionError(), "AssertionError: ''"),
    ],
)
def test_other_errors_and_those_that_name_no_file_are_wrong(error, verdict, tmp_path):
    def read(path):
        raise error

    assert judge(lambda rng, folder: folder / "a.mat", read, random.Random(0), tmp_path) == verdict


@pytest.mark.skipif(sys.platform == "win32", reason="waits for pipes as Windows cannot")
def test_children_read_the_inputs_and_the_table_counts_them(capsys):
    assert main(["--inputs", "6", "--kind", "sample files", "--children", "1"]) == 0
    assert "sample files                   6     6" in capsys.readouterr().out
