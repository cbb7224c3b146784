"""Coding part 2: files of rows ``x1 x2 label``, good and bad, and the data set."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from coursework.profiles import ROOT
from hw4.imbalanced import ImbalancedDataset, read_samples

pytestmark = pytest.mark.hw4_imbalanced

FILES = ROOT / "data" / "imbalanced"
GOOD = "0.5 -1.25 0\n1e-3 2 1\n-3 4.0 0\n"
DATA = [[0.5, -1.25], [0.001, 2], [-3, 4]]


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "samples.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


GOOD_FILES = {
    "as written": GOOD,
    "no last line end": GOOD.rstrip("\n"),
    "Windows line ends": GOOD.replace("\n", "\r\n"),
    "old Macintosh line ends": GOOD.replace("\n", "\r"),
    "blank lines": "\n" + GOOD.replace("\n", "\n\n") + "  \n",
    "tabs": GOOD.replace(" ", "\t"),
    "aligned with blanks": GOOD.replace(" ", "   ").replace("\n", "  \n"),
    "byte-order mark": "\ufeff" + GOOD,
    "labels as floats": GOOD.replace(" 1\n", " 1.0\n").replace(" 0\n", " 0.000000e+00\n"),
}


@pytest.mark.handed_out
@pytest.mark.parametrize("content", GOOD_FILES.values(), ids=GOOD_FILES)
def test_good_files(file, content):
    data, labels = read_samples(file(content))
    assert data.tolist() == DATA
    assert labels.tolist() == [0, 1, 0]
    assert (data.dtype, labels.dtype) == (np.float64, np.int64)


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n \r\n\n", "found 0 rows with the labels []"),
        ("1 2 1\n3 4 1\n\n", "found 2 rows with the labels [1], expected rows of 'x1 x2 label'"),
        (GOOD + "1 2\n", "line 4: found '1 2'; 2 columns; expected three numbers"),
        (GOOD + "\n1 2 0 1\n", "line 5: found '1 2 0 1'; 4 columns"),
        ("x1 x2 label\n" + GOOD, "line 1: found 'x1 x2 label'; 3 columns; expected three numbers"),
        (GOOD.replace(" ", ","), "line 1: found '0.5,-1.25,0'; 1 columns"),
        (GOOD + "nan 2 0\n", "line 4: found 'nan 2 0'; expected finite numbers"),
        (GOOD + "1e999 1 0\n", "line 4: found '1e999 1 0'; expected finite numbers"),
        (GOOD + "1 2 nan\n", "line 4: found '1 2 nan'; expected finite numbers"),
        (GOOD + "1 2 2\n", "line 4: found '1 2 2'; expected finite numbers, and 0 or 1 in the"),
        (GOOD + "1 2 0.5\n", "line 4: found '1 2 0.5'; expected finite numbers, and 0 or 1"),
        (GOOD.replace("\n", "\r\n") + "1 2 3\r\n", "line 4: found '1 2 3'; expected"),
        (b"1 2 0\n3 \xff 1\n", "not UTF-8 text at byte 8"),
        (GOOD.encode("utf-16"), "not UTF-8 text at byte 0"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(file, content, message):
    path = file(content)
    with pytest.raises(ValueError, match=re.escape(f"{path}") + ".*" + re.escape(message)):
        read_samples(path)


@pytest.mark.handed_out
def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(FileNotFoundError, match=re.escape(f"{path}: no such file")):
            read_samples(path)


rows = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 1),
)


@pytest.mark.handed_out
@given(st.lists(rows, min_size=2, max_size=20).filter(lambda r: len({row[2] for row in r}) == 2))
def test_every_float_comes_back_as_it_was(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("samples") / "samples.txt"
    path.write_text("".join(f"{x1!r} {x2!r} {label}\n" for x1, x2, label in values))
    data, labels = read_samples(path)
    assert data.tolist() == [[x1, x2] for x1, x2, _ in values]
    assert labels.tolist() == [label for _, _, label in values]


@pytest.mark.handed_out
@given(st.binary(max_size=60) | st.text("0123456789.eE+-naif \t\r\n#,\x00\x0b\x85_x", max_size=60))
def test_any_other_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("samples") / "samples.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        data, labels = read_samples(path)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert data.shape == (len(labels), 2)
        assert set(labels.tolist()) == {0, 1}
    assert refusal == "" or refusal.startswith(f"{path}")


def test_items_have_data_and_label():
    train_set, test_set = (ImbalancedDataset(FILES, mode) for mode in ("train", "test"))
    assert len(train_set) == len(test_set) == 10_000
    assert not torch.equal(train_set.data, test_set.data)
    item = train_set[9_999]
    assert set(item) == {"data", "label"}
    assert (item["data"].shape, item["data"].dtype) == ((2,), torch.float32)
    assert item["label"] == 1
    assert train_set[[0, 9_999]]["label"].tolist() == [0, 1]


def test_works_in_a_data_loader_and_ends():
    dataset = ImbalancedDataset(FILES, "test")
    batch = next(iter(DataLoader(dataset, 32, shuffle=True)))
    assert (batch["data"].shape, batch["label"].shape) == ((32, 2), (32,))
    with pytest.raises(IndexError):
        dataset[10_000]


@pytest.mark.handed_out
def test_other_files_are_found_by_name_or_path(tmp_path):
    for name, label in (("a.txt", "0"), ("b.txt", "1")):
        (tmp_path / name).write_text(f"1 2 0\n3 4 1\n5 6 {label}\n")
    files = ("a.txt", str(tmp_path / "b.txt"))
    assert ImbalancedDataset(tmp_path, "train", files).labels.tolist() == [0, 1, 0]
    assert ImbalancedDataset("elsewhere", "test", files).labels.tolist() == [0, 1, 1]


@pytest.mark.handed_out
def test_unknown_modes_and_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="mode is 'val', expected 'train' or 'test'"):
        ImbalancedDataset(FILES, "val")
    with pytest.raises(FileNotFoundError, match=r"samplestr\.txt: no such file"):
        ImbalancedDataset(tmp_path, "train")
    with pytest.raises(ValueError, match="the training file and the test file"):
        ImbalancedDataset(tmp_path, "train", "samplestr.txt")


@pytest.mark.handed_out
def test_a_number_that_the_data_set_cannot_hold_is_refused(tmp_path):
    (tmp_path / "samplestr.txt").write_text("1 2 0\n3 -1e39 1\n")
    with pytest.raises(ValueError, match=r"samplestr\.txt holds 1e\+39, which is too large"):
        ImbalancedDataset(tmp_path)
