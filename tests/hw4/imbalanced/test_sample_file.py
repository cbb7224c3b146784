"""Coding part 2: files of rows ``x1 x2 label``, good and bad."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw4.imbalanced import from_text

pytestmark = pytest.mark.hw4_imbalanced

GOOD = "0.5 -1.25 0\n1e-3 2 1\n-3 4.0 0\n"
DATA = [[0.5, -1.25], [0.001, 2], [-3, 4]]


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "samples.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD + "\n\n  \n",
        "\n" + GOOD.replace("\n", "\n\n"),
        GOOD.replace(" ", "\t"),
        GOOD.replace(" ", "   ").replace("\n", "  \n"),
        "\ufeff" + GOOD,
        GOOD.replace(" 1\n", " 1.0\n").replace(" 0\n", " 0.000000e+00\n"),
    ],
    ids=[
        "as written",
        "no last line end",
        "Windows line ends",
        "old Macintosh line ends",
        "trailing blank lines",
        "blank lines",
        "tabs",
        "aligned with blanks",
        "byte-order mark",
        "labels as floats",
    ],
)
def test_good_files(file, content):
    samples = from_text(file(content))
    assert samples.data.tolist() == DATA
    assert samples.labels.tolist() == [0, 1, 0]
    assert samples.data.dtype == np.float64
    assert samples.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n \r\n\n", "the file is empty"),
        ("1 0\n2 1\n", "line 1: found '1 0', 2 columns; expected three"),
        (GOOD + "1 2\n", "line 4: found '1 2', 2 columns"),
        (GOOD + "\n1 2 0 1\n", "line 5: found '1 2 0 1', 4 columns"),
        ("1 2 0 0\n3 4 1 1\n", "line 1: found '1 2 0 0', 4 columns"),
        ("x1 x2 label\n" + GOOD, "line 1: found 'x1 x2 label', not three numbers"),
        (GOOD + "1 two 0\n", "line 4: found '1 two 0', not three numbers"),
        (GOOD.replace(" ", ","), "line 1: found '0.5,-1.25,0', 1 columns"),
        ("# made by hand\n" + GOOD, "line 1: found '# made by hand', 4 columns"),
        ("# x1 x2\n" + GOOD, "line 1: found '# x1 x2', not three numbers"),
        (GOOD + "1_0 2 0\n", "line 4: found '1_0 2 0', not three numbers"),
        (GOOD + "1 ٢ 0\n", "line 4: found '1 ٢ 0', not three numbers"),
        (GOOD + "nan 2 0\n", "line 4: found 'nan 2 0'; expected finite numbers"),
        (GOOD + "1 inf 0\n", "line 4: found '1 inf 0'; expected finite numbers"),
        (GOOD + "1e999 1 0\n", "line 4: found '1e999 1 0'; expected finite numbers"),
        (GOOD + "1 2 nan\n", "line 4: found '1 2 nan'; expected finite numbers"),
        (GOOD + "1 2 2\n", "line 4: found '1 2 2'; expected the label 0 or 1"),
        (GOOD + "1 2 -1\n", "line 4: found '1 2 -1'; expected the label 0 or 1"),
        (GOOD + "1 2 0.5\n", "line 4: found '1 2 0.5'; expected the label 0 or 1"),
        (GOOD.replace("\n", "\r\n") + "1 2 3\r\n", "line 4: found '1 2 3'; expected the label"),
        ("1 2 1\n3 4 1\n\n", "lines 1 to 2: every label is 1; expected samples of both classes"),
        ("1 2 0\n", "lines 1 to 1: every label is 0"),
        (b"1 2 0\n3 \xff 1\n", "line 2: not UTF-8 text"),
        (GOOD.encode("utf-16"), "line 1: not UTF-8 text"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(file, content, message):
    path = file(content)
    with pytest.raises(ValueError, match=re.escape(f"{path}") + ".*" + re.escape(message)):
        from_text(path)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(FileNotFoundError, match=re.escape(f"{path}: no such file")):
            from_text(path)


rows = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 1),
)


@given(st.lists(rows, min_size=2, max_size=20).filter(lambda r: len({row[2] for row in r}) == 2))
def test_every_float_comes_back_as_it_was(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("samples") / "samples.txt"
    path.write_text("".join(f"{x1!r} {x2!r} {label}\n" for x1, x2, label in values))
    samples = from_text(path)
    assert samples.data.tolist() == [[x1, x2] for x1, x2, _ in values]
    assert samples.labels.tolist() == [label for _, _, label in values]


@given(st.binary(max_size=60) | st.text("0123456789.eE+-naif \t\r\n#,\x00\x0b\x85_x", max_size=60))
def test_any_other_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("samples") / "samples.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        samples = from_text(path)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert samples.data.shape == (len(samples.labels), 2)
        assert set(samples.labels.tolist()) == {0, 1}
    assert refusal == "" or refusal.startswith(f"{path}")
