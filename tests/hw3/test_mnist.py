"""Question 1, the images: read right, or refused with a message that helps."""

import dataclasses
import gzip
import hashlib

import numpy as np
import pytest
import torchvision

from coursework.data import sources
from hw3 import mnist
from hw3.mnist import FILES, Digits, load_mnist, read_idx
from tests.coursework.data.conftest import NOWHERE, Reply, serving
from tests.hw3.conftest import idx

pytestmark = [pytest.mark.hw3_q1, pytest.mark.handed_out]


def write_mnist(folder, count=7, packed=True):
    """Write a tiny data set under MNIST's names and return its training images."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)
    labels = np.arange(count, dtype=np.uint8) % 10
    for names in FILES.values():
        for name, array in zip(names, (images, labels), strict=True):
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))
    return images


def test_the_embedded_digits_are_balanced(digits):
    for split, per_class in (("train", 500), ("test", 100)):
        part = digits[split]
        assert part.images.shape == (10 * per_class, 28, 28)
        assert part.images.dtype == part.labels.dtype == np.uint8
        assert np.bincount(part.labels).tolist() == [per_class] * 10


def test_an_item_is_an_image_and_its_label(digits):
    image, label = digits["train"][4]
    np.testing.assert_array_equal(image, digits["train"].images[4])
    assert label == digits["train"].labels[4]
    assert isinstance(label, int)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", [".", "MNIST/raw", "raw"])
def test_a_folder_that_holds_the_files_is_enough(tmp_path, packed, below):
    images = write_mnist(tmp_path / below, packed=packed)
    digits = load_mnist(tmp_path, "train")
    np.testing.assert_array_equal(digits.images, images)
    assert digits.labels.tolist() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "place",
    [
        "{dotted}",
        "{dotted}.gz",
        "{name}/{name}",
        "{dotted}/{dotted}",
        "{name}/{dotted}",
        "{name} (1).gz",
        "{name}(1).gz",
        "{dotted} (1)",
        "MNIST/raw/{dotted}",
    ],
)
def test_the_names_that_unpackers_and_browsers_give_are_found(tmp_path, place):
    images = write_mnist(tmp_path / "as served", packed=place.endswith(".gz"))
    for file in list((tmp_path / "as served").iterdir()):
        name = file.name.removesuffix(".gz")
        target = tmp_path / "here" / place.format(name=name, dotted=name.replace("-idx", ".idx"))
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    np.testing.assert_array_equal(load_mnist(tmp_path / "here", "train").images, images)


def test_another_data_set_below_is_named_and_not_taken_for_mnist(tmp_path):
    write_mnist(tmp_path / "FashionMNIST" / "raw", packed=False)
    with pytest.raises(FileNotFoundError, match="found are FashionMNIST/raw/t10k-images-idx3-uby"):
        load_mnist(tmp_path, "train")


@pytest.mark.parametrize(
    ("number", "content", "message"),
    [
        (1, idx(np.arange(7, 14, dtype=np.uint8)), "holds the label 13, expected the digits 0 to"),
        (0, idx(np.zeros((7, 27, 28), np.uint8)), r"shape \(7, 27, 28\), expected .* 28 x 28"),
        (0, idx(np.zeros((0, 28, 28), np.uint8)), r"shape \(0, 28, 28\), expected one or more"),
        (0, bytes([0, 0, 8, 3]) + b"\xff" * 12 + bytes(9), "promises 79,228,162,458,924,105,385"),
        (0, bytes([0, 0, 8, 3]) + 3 * b"\x00\x40\x00\x00", "promises 73,786,976,294,838,206,464"),
    ],
)
def test_what_mnist_does_not_hold_is_refused(tmp_path, number, content, message):
    write_mnist(tmp_path, packed=False)
    path = tmp_path / FILES["train"][number]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        load_mnist(tmp_path, "train")
    assert str(path) in str(error.value)


def test_all_of_mnist_equals_what_torchvision_reads(all_of_mnist, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for names in FILES.values():
        for name in names:
            content = gzip.decompress((all_of_mnist / f"{name}.gz").read_bytes())
            (raw / name).write_bytes(content)
    for split in FILES:
        ours = load_mnist(all_of_mnist, split)
        theirs = torchvision.datasets.MNIST(str(tmp_path), train=split == "train")
        np.testing.assert_array_equal(ours.images, theirs.data.numpy())
        np.testing.assert_array_equal(ours.labels, theirs.targets.numpy())


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte.*download=True"):
        load_mnist(tmp_path, "train")


def test_an_unknown_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'val', expected 'train' or 'test'"):
        load_mnist(tmp_path, "val")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[: len(content) // 2], "not a whole gzip file"),
        (lambda content: content[:10] + b"\xff" * 40 + content[50:], "not a whole gzip file"),
        (lambda content: b"", "an empty file"),
        (lambda content: b"<html>404</html>", "begins with the bytes 3c 68"),
        (lambda content: gzip.compress(gzip.decompress(content)[:-1]), "promises 5,488"),
        (lambda content: gzip.compress(gzip.decompress(content) + b"x"), "promises 5,488"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, damage, message):
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as error:
        load_mnist(tmp_path, "train")
    assert str(path) in str(error.value)


def test_labels_in_the_place_of_images_are_refused(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(ValueError, match="expected 00 00 08 03"):
        read_idx(tmp_path / "train-labels-idx1-ubyte.gz", dimensions=3)


def test_images_and_labels_of_two_data_sets_are_refused(tmp_path):
    write_mnist(tmp_path, count=7)
    write_mnist(tmp_path / "other", count=8)
    name = "train-labels-idx1-ubyte.gz"
    (tmp_path / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(ValueError, match=r"7 images but .* 8 labels"):
        load_mnist(tmp_path, "train")
    with pytest.raises(ValueError, match="as many labels"):
        Digits(np.zeros((3, 28, 28), np.uint8), np.zeros(2, np.uint8))


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Serve a tiny MNIST on this machine, as the second mirror; the first has no such file."""
    images, served = write_mnist(tmp_path / "server"), []
    with serving() as server:
        for source in sources.MNIST:
            content = (tmp_path / "server" / source.name).read_bytes()
            url = server.offer(f"/{source.name}", Reply(content))
            served.append(
                dataclasses.replace(
                    source,
                    urls=(f"{server.url}/gone/{source.name}", url),
                    size=len(content),
                    checksum=f"md5:{hashlib.md5(content).hexdigest()}",
                    content_checksum=f"md5:{hashlib.md5(gzip.decompress(content)).hexdigest()}",
                )
            )
        monkeypatch.setattr(sources, "MNIST", tuple(served))
        yield images


@pytest.fixture
def no_network(monkeypatch):
    unreachable = (dataclasses.replace(source, urls=(NOWHERE,)) for source in sources.MNIST)
    monkeypatch.setattr(sources, "MNIST", tuple(unreachable))


def test_missing_files_are_downloaded_from_the_next_mirror(tmp_path, mirror):
    digits = load_mnist(tmp_path / "new", "train", download=True)
    np.testing.assert_array_equal(digits.images, mirror)
    # All four come at once, so that the other split needs no network.
    assert len(load_mnist(tmp_path / "new", "test")) == len(mirror)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", [".", "MNIST/raw"])
def test_what_is_there_is_not_downloaded(tmp_path, no_network, packed, below):
    images = write_mnist(tmp_path / below, count=3, packed=packed)
    digits = load_mnist(tmp_path, "train", download=True)
    np.testing.assert_array_equal(digits.images, images)


def test_only_what_is_missing_is_downloaded(tmp_path, mirror):
    root = tmp_path / "new"
    load_mnist(root, "train", download=True)
    kept = root / "train-images-idx3-ubyte.gz"
    before = kept.stat().st_mtime_ns
    (root / "train-labels-idx1-ubyte.gz").unlink()
    load_mnist(root, "train", download=True)
    assert kept.stat().st_mtime_ns == before


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("strange", [0, 1])
def test_another_data_set_of_mnists_size_is_refused(tmp_path, monkeypatch, mirror, packed, strange):
    monkeypatch.setitem(mnist.IMAGES, "train", 7)
    write_mnist(tmp_path / "here", packed=packed)
    load_mnist(tmp_path / "here", "train", download=True)
    path = tmp_path / "here" / (FILES["train"][strange] + (".gz" if packed else ""))
    content = path.read_bytes()
    content = bytearray(gzip.decompress(content) if packed else content)
    content[-1] ^= 1
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(ValueError, match=r"not the same: expected md5:.* download=False") as error:
        load_mnist(tmp_path / "here", "train", download=True)
    assert str(path) in str(error.value)
    assert len(load_mnist(tmp_path / "here", "train")) == 7


def test_all_of_mnist_is_accepted(all_of_mnist):
    for split, count in mnist.IMAGES.items():
        assert len(load_mnist(all_of_mnist, split, download=True)) == count


def test_without_a_network_the_error_says_what_to_put_where(tmp_path, no_network):
    with pytest.raises(FileNotFoundError, match="4 files are missing") as error:
        load_mnist(tmp_path, "test", download=True)
    assert all(str(tmp_path / source.name) in str(error.value) for source in sources.MNIST)
