"""Coding part 1, the data as a network expects it: there already, or fetched if it may be."""

import hashlib
import shutil

import pytest

from coursework.data import FetchError, sources
from coursework.data.sources import Source
from hw4.flowers import HALF, IMAGENET, load_flowers
from hw4.flowers import sets as flower_sets

pytestmark = pytest.mark.hw4_flowers


def test_the_sets_are_normalised_as_the_backbone_expects(flowers_root):
    for backbone, normalisation in (("efficientnet_lite0", HALF), ("resnet18", IMAGENET)):
        flowers = load_flowers(flowers_root, "official", backbone, 32, seed=3)
        assert [part.mode for part in flowers] == ["train", "val", "test"]
        assert flowers.train.augments
        assert not flowers.val.augments
        assert not flowers.test.augments
        for part in flowers:
            assert part.normalisation == normalisation
            assert part[0]["image"].shape == (3, 32, 32)
            assert part.seed == 3
        assert flowers.class_names == flowers.test.class_names


def test_an_unknown_backbone_is_refused_by_name(flowers_root):
    with pytest.raises(ValueError, match="no backbone 'vgg16'; there are resnet50, resnet18"):
        load_flowers(flowers_root, "official", "vgg16", 32)


def test_missing_flowers_are_downloaded_only_if_asked_for(flower_folder, tmp_path, monkeypatch):
    asked = []

    def fetch(folder):
        asked.append(folder)
        flower_folder()

    monkeypatch.setattr(flower_sets, "fetch_flowers", fetch)
    root = tmp_path / "flowers"
    with pytest.raises(FileNotFoundError, match="coursework fetch flowers"):
        load_flowers(root, "official", "resnet18", 32)
    assert asked == []
    assert len(load_flowers(root, "official", "resnet18", 32, download=True).train) == 3
    assert asked == [root]
    # What is there is not fetched again.
    load_flowers(root, "official", "resnet18", 32, download=True)
    assert asked == [root]


def test_a_download_that_fails_says_so(tmp_path, monkeypatch):
    def fetch(folder):
        raise FetchError([])

    monkeypatch.setattr(flower_sets, "fetch_flowers", fetch)
    with pytest.raises(FetchError):
        load_flowers(tmp_path, "official", "resnet18", 32, download=True)


@pytest.fixture
def oxford(flower_folder, tmp_path, monkeypatch):
    """A small folder that stands for Oxford's: its label files have the checksums of the table."""
    folder = flower_folder().rename(tmp_path / "oxford")
    (folder / "102flowers.tgz").write_bytes(b"archive")
    names = [source.name for source in sources.FLOWERS]
    contents = [(folder / name).read_bytes() for name in names]
    monkeypatch.setattr(
        sources,
        "FLOWERS",
        tuple(
            Source(name, (), len(content), f"md5:{hashlib.md5(content).hexdigest()}")
            for name, content in zip(names, contents, strict=True)
        ),
    )
    return folder


def take(names, oxford, root):
    """Put files of Oxford's, or of somebody's own, into a folder."""
    root.mkdir(exist_ok=True)
    for name in names.split():
        if name == "jpg":
            (root / "jpg").mkdir()
        elif name.startswith("own:"):
            (root / name.removeprefix("own:")).write_bytes(b"of somebody else")
        else:
            shutil.copy(oxford / name.removesuffix(".part"), root / name)


@pytest.mark.parametrize(
    ("names", "continued"),
    [
        ("", True),
        ("imagelabels.mat", True),
        ("imagelabels.mat setid.mat", True),
        ("imagelabels.mat setid.mat jpg", True),
        ("imagelabels.mat jpg", True),
        ("102flowers.tgz", True),
        ("102flowers.tgz jpg", True),
        ("102flowers.tgz.part own:setid.mat", True),
        ("jpg", False),
        ("jpg own:.102flowers.tgz.lock", False),
        ("own:imagelabels.mat", False),
        ("own:setid.mat jpg", False),
        ("imagelabels.mat own:setid.mat", False),
    ],
)
def test_only_oxfords_flowers_are_completed(oxford, tmp_path, monkeypatch, names, continued):
    def fetch(folder):
        raise FetchError([])

    monkeypatch.setattr(flower_sets, "fetch_flowers", fetch)
    root = tmp_path / "flowers"
    take(names, oxford, root)
    with pytest.raises(FileNotFoundError) as error:
        load_flowers(root, "official", "resnet18", 32, download=True)
    assert isinstance(error.value, FetchError) is continued


def test_a_download_that_stopped_before_the_archive_is_continued(oxford, tmp_path, monkeypatch):
    asked = []

    def fetch(folder):
        asked.append(folder)
        if len(asked) == 1:
            take("imagelabels.mat setid.mat own:.102flowers.tgz.lock", oxford, folder)
            raise FetchError([])
        shutil.copytree(oxford, folder, dirs_exist_ok=True)

    monkeypatch.setattr(flower_sets, "fetch_flowers", fetch)
    root = tmp_path / "flowers"
    with pytest.raises(FetchError):
        load_flowers(root, "official", "resnet18", 32, download=True)
    assert len(load_flowers(root, "official", "resnet18", 32, download=True).train) == 3
    assert asked == [root, root]
