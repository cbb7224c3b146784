"""The table of downloads agrees with torchvision, and its checksums with the real files."""

import dataclasses
import gzip
import hashlib

import pytest
import torchvision

from coursework.data import GROUPS, sources
from coursework.data.sources import Source
from coursework.profiles import ROOT

CONTENT = b"the same again and again " * 4000
EVERYTHING = [source for group in GROUPS.values() for source in group]


def md5(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


def test_mnist_and_the_flowers_are_the_ones_of_torchvision():
    mnist, flowers = torchvision.datasets.MNIST, torchvision.datasets.Flowers102
    theirs = {*mnist.resources, *flowers._file_dict.values()}
    ours = (*sources.MNIST, *sources.FLOWERS)
    assert {(s.name, s.checksum.removeprefix("md5:")) for s in ours} == theirs
    for source in sources.MNIST:
        assert {f"{mirror}{source.name}" for mirror in mnist.mirrors} <= set(source.urls)
    for source in sources.FLOWERS:
        assert source.urls[0] == flowers._download_url_prefix + source.name


@pytest.mark.parametrize("network", sources.WEIGHTS)
def test_the_weights_are_the_ones_of_torchvision(network):
    source = sources.WEIGHTS[network]
    theirs = torchvision.models.get_model_weights(network).IMAGENET1K_V1
    assert source.urls[0] == theirs.url
    # Their name holds the first digits of the sum; their size is in MiB with three decimals.
    digits = theirs.url.removesuffix(".pth").rpartition("-")[2]
    assert source.checksum.startswith(f"sha256:{digits}")
    assert round(source.size / 2**20, 3) == theirs.meta["_file_size"]


@pytest.mark.parametrize("source", EVERYTHING, ids=lambda source: source.name)
def test_every_file_has_a_checksum_and_a_second_mirror(source):
    algorithm, _, digits = source.checksum.partition(":")
    assert len(digits) == {"md5": 32, "sha256": 64}[algorithm]
    assert len(source.urls) >= 2
    assert all(url.endswith(f"/{source.name}") for url in source.urls)


def test_the_readme_says_how_much_it_all_is():
    total = sum(source.size + source.unpacked_size for source in EVERYTHING)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{total / 1e9:.2f} GB in data/downloads" in readme


def test_mnist_that_somebody_packed_again_is_intact(all_of_mnist):
    for source in sources.MNIST:
        assert source.is_intact(all_of_mnist / source.name)
        assert source.checksum_of(all_of_mnist / source.name) != source.checksum


def test_the_label_files_of_the_flowers_are_intact(flowers102_labels):
    for source in sources.FLOWERS[:2]:
        assert source.is_intact(flowers102_labels / source.name)


@pytest.fixture
def source():
    packed = gzip.compress(CONTENT, mtime=0)
    return Source("file.gz", (), len(packed), md5(packed), md5(CONTENT), ("file",))


@pytest.mark.parametrize(
    ("content", "is_intact"),
    [
        (gzip.compress(CONTENT, mtime=0), True),
        (gzip.compress(CONTENT, 1, mtime=9), True),
        (CONTENT, True),
        (gzip.compress(CONTENT)[:-1], False),
        (gzip.compress(CONTENT)[:50] + b"\xff" * 9 + gzip.compress(CONTENT)[59:], False),
        (gzip.compress(CONTENT[:-1]), False),
        (CONTENT[:-1], False),
        (b"\x1f\x8b", False),
        (b"", False),
    ],
)
def test_a_file_is_intact_by_its_bytes_or_by_its_content(tmp_path, source, content, is_intact):
    (tmp_path / "file").write_bytes(content)
    assert source.is_intact(tmp_path / "file") is is_intact
    strict = dataclasses.replace(source, content_checksum=None)
    same_bytes = content == gzip.compress(CONTENT, mtime=0)
    assert strict.is_intact(tmp_path / "file") is same_bytes


def test_a_file_is_found_under_its_own_name_first_and_intact_under_any(tmp_path, source):
    assert source.find(tmp_path) is None
    (tmp_path / "file").write_bytes(CONTENT)
    assert source.find(tmp_path) == source.find_intact(tmp_path) == tmp_path / "file"
    (tmp_path / "file.gz").write_bytes(b"damaged")
    assert source.find(tmp_path) == tmp_path / "file.gz"
    assert source.find_intact(tmp_path) == tmp_path / "file"
    (tmp_path / "file.gz").write_bytes(gzip.compress(CONTENT))
    assert source.find_intact(tmp_path) == tmp_path / "file.gz"
