"""Coding part 1: the Oxford layout on disk, good and bad, and the homework's stratified split."""

import hashlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import loadmat, savemat
from torchvision.datasets import Flowers102

from hw4.flowers import PARTS, FlowerDataset
from hw4.flowers.files import OXFORD_NAMES, homework_split, read_labels, read_official_split

pytestmark = [pytest.mark.hw4_flowers, pytest.mark.handed_out]


def refusal(error, path, message):
    """Expect an error that names the file and says this."""
    return pytest.raises(error, match=re.escape(str(path)) + ".*" + re.escape(message))


def test_labels_count_from_0_and_parts_are_positions(flower_folder):
    root = flower_folder()
    assert read_labels(root).tolist() == [0, 0, 0, 1, 1, 1]
    parts = {part: members.tolist() for part, members in read_official_split(root, 6).items()}
    assert parts == {"train": [5, 0, 3], "val": [1, 4], "test": [2]}


def test_a_column_reads_like_a_row(flower_folder):
    root = flower_folder()
    savemat(root / "imagelabels.mat", {"labels": [[1], [2], [1]]})
    assert read_labels(root).tolist() == [0, 1, 0]


def test_a_folder_that_torchvision_made_is_found(flower_folder):
    root = flower_folder()
    inner = root.parent / "downloads" / "flowers-102"
    inner.parent.mkdir()
    root.rename(inner)
    paths = FlowerDataset(inner.parent, "val").paths
    assert paths == [inner / "jpg" / name for name in ("image_00002.jpg", "image_00005.jpg")]


def test_the_folder_of_the_images_stands_for_the_folder_above(flower_folder):
    root = flower_folder()
    assert FlowerDataset(root / "jpg", "test").paths == [root / "jpg" / "image_00003.jpg"]


@pytest.mark.parametrize("ending", [".JPG", ".jpeg", ".JPEG"])
def test_images_may_have_another_ending(flower_folder, ending):
    root = flower_folder()
    third = root / "jpg" / "image_00003.jpg"
    third.rename(third.with_suffix(ending))
    assert FlowerDataset(root, "test").paths == [third.with_suffix(ending)]
    third.with_suffix(".jpg" if ending == ".jpeg" else ".jpeg").write_bytes(b"another")
    with refusal(ValueError, third.with_suffix(""), "are two files for one image"):
        FlowerDataset(root)


@pytest.mark.parametrize("missing", ["jpg", "imagelabels.mat", "setid.mat"])
def test_a_missing_file_is_named_with_the_way_to_get_it(flower_folder, missing):
    root = flower_folder()
    (root / missing).rename(root / "elsewhere")
    with refusal(FileNotFoundError, root, f"lacks {missing}; `coursework fetch flowers` brings"):
        FlowerDataset(root)


def test_an_absent_folder_lacks_everything(tmp_path):
    with refusal(FileNotFoundError, tmp_path / "no", "lacks jpg and imagelabels.mat"):
        FlowerDataset(tmp_path / "no")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 1, 2, 2, 2], "labels run from 0 to 2, expected classes that count from 1"),
        ([1, 1, 1, 2, 2, np.inf], "expected whole numbers"),
        ([1, 1, 3, 3, 4, 4], "expected every class from 1 to K; 2 is absent"),
        ([1.5, 1, 1, 1, 2, 2], "expected whole numbers"),
        ([np.nan, 1, 1, 1, 2, 2], "expected whole numbers"),
        (["a", "b"], "expected"),
        (np.ones((2, 3)), "labels has the shape (2, 3), expected one row"),
        (np.empty((1, 0)), "labels is empty"),
    ],
)
def test_bad_labels_are_refused(flower_folder, labels, message):
    root = flower_folder(labels, images=6)
    with refusal(ValueError, root / "imagelabels.mat", message):
        read_labels(root)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"trnid": [0, 1], "valid": [2], "tstid": [3]}, "trnid names image 0, but"),
        ({"trnid": [1], "valid": [2], "tstid": [7]}, "tstid names image 7, but"),
        ({"trnid": [1, 2], "valid": [2], "tstid": [3]}, "image 2 stands 2 times, in trnid and"),
        ({"trnid": [1, 1], "valid": [2], "tstid": [3]}, "image 1 stands 2 times, in trnid;"),
        ({"trnid": [1], "valid": [2]}, "no variable 'tstid', it holds trnid, valid"),
    ],
)
def test_parts_that_do_not_fit_are_refused(flower_folder, parts, message):
    root = flower_folder(parts=parts)
    with refusal(ValueError, root / "setid.mat", message):
        read_official_split(root, 6)


@pytest.mark.parametrize("name", ["imagelabels.mat", "setid.mat"])
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(flower_folder, name):
    root = flower_folder()
    damaged = (root / name).read_bytes()[:150]
    version_7_3 = b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n"
    for content, message in ((damaged, "fetch it again"), (version_7_3, "save it with -v7")):
        (root / name).write_bytes(content)
        with refusal(ValueError, root / name, message):
            FlowerDataset(root)


def test_there_have_to_be_as_many_images_as_labels(flower_folder):
    root = flower_folder(images=8)
    with refusal(ValueError, root / "jpg", "8 images, but imagelabels.mat has 6 labels"):
        FlowerDataset(root)
    for number in (3, 5, 7, 8):
        (root / "jpg" / f"image_{number:05d}.jpg").unlink()
    with refusal(FileNotFoundError, root / "jpg", "lacks 2 of the 6 images"):
        FlowerDataset(root)


def test_class_names_come_from_a_file_if_there_is_one(flower_folder):
    root = flower_folder()
    assert FlowerDataset(root).class_names == ("class 1", "class 2")
    (root / "names.txt").write_bytes("\ufeff# drawn\r\nKäthe\r\n\r\n  rose \r\n".encode())
    assert FlowerDataset(root).class_names == ("Käthe", "rose")
    for content, message in ((b"one\ntwo\nthree", "3 names for 2 classes"), (b"\xff", "not UTF-8")):
        (root / "names.txt").write_bytes(content)
        with refusal(ValueError, root / "names.txt", message):
            FlowerDataset(root)


def test_the_names_of_102_classes_are_those_of_torchvision(flower_folder):
    root = flower_folder(np.arange(1, 103), size=(4, 4))
    assert FlowerDataset(root).class_names == OXFORD_NAMES
    if not hasattr(Flowers102, "classes"):
        pytest.skip("this torchvision has no names")
    assert list(OXFORD_NAMES) == Flowers102.classes


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("flowers5", [300, 50, 100]), ("flowers102_labels", [1020, 1020, 6149])],
)
def test_the_official_split_of_real_data_is_the_one_in_setid(name, sizes, request):
    root = request.getfixturevalue(name)
    parts = read_official_split(root, len(read_labels(root)))
    assert [len(parts[part]) for part in PARTS] == sizes
    content = loadmat(root / "setid.mat")
    for part, variable in zip(PARTS, ("trnid", "valid", "tstid"), strict=True):
        assert (parts[part] + 1 == content[variable][0]).all()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(0, 2**40))
def test_the_homework_split_is_disjoint_and_complete_and_alike_in_every_class(sizes, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    parts = homework_split(labels)
    assert tuple(parts) == PARTS
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(labels)))
    assert all((np.diff(part) > 0).all() for part in parts.values())
    train, val, test = (np.bincount(labels[parts[part]], minlength=len(sizes)) for part in PARTS)
    n = np.array(sizes)
    assert (train[n <= 2] == 1).all()
    for part in (train, val, test):
        assert (part[n >= 3] >= 1).all()
    # 70 % rounded down, unless a class of three needs an image elsewhere.
    assert (train[n >= 4] == np.floor(0.7 * n[n >= 4] + 1e-9)).all()
    assert ((test - val >= 0) & (test - val <= 1)).all()


def digest(parts):
    return hashlib.sha256(np.concatenate(list(parts.values())).astype("<i8").tobytes()).hexdigest()


def test_the_homework_split_is_the_same_for_ever():
    """These very images on every machine and with every release of NumPy."""
    parts = homework_split(np.repeat(np.arange(7), 40))
    assert digest(parts) == "07259aa47d907b20736e29029047613682c56ffd59e2d7a071227f82d002b760"


def test_the_sizes_on_oxford_102_are_those_of_the_homework(flowers102_labels):
    parts = homework_split(read_labels(flowers102_labels))
    assert [len(parts[part]) for part in PARTS] == [5687, 1224, 1278]
    assert digest(parts) == "646f411a5e2adb13d54192ac86be25351dd5c60b057fc72331c1d10bce272c30"
