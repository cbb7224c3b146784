"""Coding part 1: the Oxford layout on disk, good and bad."""

import re

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from torchvision.datasets import Flowers102

from hw4.flowers import PARTS, read_labels, read_official_split
from hw4.flowers.files import find_folder, image_paths, read_class_names
from hw4.flowers.names import OXFORD_NAMES

pytestmark = pytest.mark.hw4_flowers


def refusal(error, path, message):
    """Expect an error that names the file and says this."""
    return pytest.raises(error, match=re.escape(str(path)) + ".*" + re.escape(message))


def test_labels_count_from_0_and_parts_are_positions(flower_folder):
    root = flower_folder()
    assert read_labels(root).tolist() == [0, 0, 0, 1, 1, 1]
    parts = {mode: part.tolist() for mode, part in read_official_split(root, 6).items()}
    assert parts == {"train": [5, 0, 3], "val": [1, 4], "test": [2]}
    assert [path.name for path in image_paths(root, 6)][::5] == [
        "image_00001.jpg",
        "image_00006.jpg",
    ]


def test_a_folder_that_torchvision_made_is_found(flower_folder):
    root = flower_folder()
    inner = root.parent / "downloads" / "flowers-102"
    inner.parent.mkdir()
    root.rename(inner)
    assert find_folder(inner.parent) == find_folder(inner) == inner


@pytest.mark.parametrize("missing", ["jpg", "imagelabels.mat"])
def test_what_is_missing_is_named_with_the_way_to_get_it(flower_folder, missing):
    root = flower_folder()
    (root / missing).rename(root / "elsewhere")
    with refusal(FileNotFoundError, root, f"lacks {missing}; `coursework fetch flowers` brings"):
        find_folder(root)


def test_an_absent_folder_lacks_everything(tmp_path):
    with refusal(FileNotFoundError, tmp_path / "no", "lacks jpg and imagelabels.mat"):
        find_folder(tmp_path / "no")


def test_a_missing_setid_is_named(flower_folder):
    root = flower_folder(parts=None)
    with refusal(FileNotFoundError, root, "lacks setid.mat"):
        read_official_split(root, 6)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 1, 2, 2, 2], "labels run from 0 to 2"),
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
        (
            {"trnid": [1], "valid": [2], "tstid": [7]},
            "tstid names image 7, but",
        ),
        (
            {"trnid": [1, 2], "valid": [2], "tstid": [3]},
            "image 2 stands 2 times, in trnid and",
        ),
        ({"trnid": [1, 1], "valid": [2], "tstid": [3]}, "image 1 stands 2 times, in trnid;"),
        ({"trnid": [1], "valid": [2]}, "no variable 'tstid', it holds trnid, valid"),
    ],
)
def test_parts_that_do_not_fit_are_refused(flower_folder, parts, message):
    root = flower_folder(parts=parts)
    with refusal(ValueError, root / "setid.mat", message):
        read_official_split(root, 6)


def test_a_damaged_file_is_named(flower_folder):
    root = flower_folder()
    for name, read in (
        ("imagelabels.mat", read_labels),
        ("setid.mat", lambda root: read_official_split(root, 6)),
    ):
        (root / name).write_bytes((root / name).read_bytes()[:150])
        with refusal(ValueError, root / name, "fetch it again"):
            read(root)


def test_images_and_labels_have_to_be_as_many(flower_folder):
    root = flower_folder()
    with refusal(ValueError, root / "jpg", "6 images, but imagelabels.mat has 5 labels"):
        image_paths(root, 5)
    with refusal(FileNotFoundError, root / "jpg", "lacks 2 of the 8 images"):
        image_paths(root, 8)


def test_class_names(flower_folder):
    root = flower_folder()
    assert read_class_names(root, 2) == ("class 1", "class 2")
    assert read_class_names(root, 102) == OXFORD_NAMES
    (root / "names.txt").write_bytes("\ufeff# drawn\r\nKäthe\r\n\r\n  rose \r\n".encode())
    assert read_class_names(root, 2) == ("Käthe", "rose")
    with refusal(ValueError, root / "names.txt", "2 names for 3 classes"):
        read_class_names(root, 3)
    (root / "names.txt").write_bytes(b"\xff\xfe")
    with refusal(ValueError, root / "names.txt", "not UTF-8"):
        read_class_names(root, 2)


def test_the_oxford_names_are_torchvision_s():
    if not hasattr(Flowers102, "classes"):
        pytest.skip("this torchvision has no names")
    assert list(OXFORD_NAMES) == Flowers102.classes


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("flowers5", [300, 50, 100]), ("flowers102_labels", [1020, 1020, 6149])],
)
def test_the_official_split_is_that_of_setid(name, sizes, request):
    root = request.getfixturevalue(name)
    parts = read_official_split(root, len(read_labels(root)))
    assert [len(parts[mode]) for mode in PARTS] == sizes
    content = loadmat(root / "setid.mat")
    for mode, variable in zip(PARTS, ("trnid", "valid", "tstid"), strict=True):
        assert (parts[mode] + 1 == content[variable][0]).all()


def test_a_column_reads_like_a_row(flower_folder):
    root = flower_folder()
    savemat(root / "imagelabels.mat", {"labels": [[1], [2], [1]]})
    assert read_labels(root).tolist() == [0, 1, 0]
