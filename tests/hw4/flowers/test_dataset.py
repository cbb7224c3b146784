"""Coding part 1: the data set of flowers, and all of its parts as a network expects them."""

import hashlib
import pickle
import re
import shutil

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from coursework.backbones import HALF, IMAGENET
from coursework.data import sources
from coursework.data.sources import Source
from hw4.flowers import PARTS, FlowerDataset, load_flowers, unnormalise
from hw4.flowers import dataset as module
from hw4.flowers.together import finish_together
from tests.hw4.conftest import DRAWN

pytestmark = pytest.mark.hw4_flowers


@pytest.fixture(scope="module")
def training():
    return FlowerDataset(DRAWN, "train", image_size=32)


def test_an_item_is_a_dictionary_of_image_and_label(training):
    item = training[359]
    assert set(item) == {"image", "label"}
    assert (item["image"].shape, item["image"].dtype) == ((3, 32, 32), torch.float32)
    assert (item["label"], type(item["label"])) == (9, int)
    assert training[-1]["label"] == 9
    with pytest.raises(IndexError):
        training[360]


@pytest.mark.handed_out
def test_modes_and_attributes():
    parts = {mode: FlowerDataset(DRAWN, mode) for mode in PARTS}
    assert [len(parts[mode]) for mode in PARTS] == [360, 120, 120]
    for part in parts.values():
        assert (part.classes, len(part.class_names), part.class_names[2]) == (10, 10, "daisy")
        assert (part.labels.dtype, part.labels.shape) == (np.int64, (len(part),))
        numbers = [int(path.stem.removeprefix("image_")) for path in part.paths]
        assert ((np.array(numbers) - 1) // 60 == part.labels).all()
    paths = [path for part in parts.values() for path in part.paths]
    assert len(set(paths)) == 600


@pytest.mark.handed_out
def test_the_homework_split_has_parts_of_its_own():
    parts = [FlowerDataset(DRAWN, mode, "homework") for mode in PARTS]
    assert [len(part) for part in parts] == [420, 90, 90]
    assert len({path for part in parts for path in part.paths}) == 600
    # The seed of the augmentation does not move an image from one part to another.
    assert FlowerDataset(DRAWN, "val", "homework", seed=1).paths == parts[1].paths


@pytest.mark.handed_out
def test_the_homework_split_needs_no_setid(flower_folder):
    root = flower_folder(parts=None)
    assert [len(FlowerDataset(root, mode, "homework")) for mode in PARTS] == [2, 2, 2]


def test_training_augments_and_the_others_do_not_unless_asked_to(flower_folder):
    root = flower_folder()
    for mode in PARTS:
        for augment in (None, True, False):
            data = FlowerDataset(root, mode, image_size=16, augment=augment)
            same = torch.equal(data.batch([0], epoch=0)[0], data.batch([0], epoch=1)[0])
            assert same == (not data.augments)
            assert data.augments == (mode == "train" if augment is None else augment)


def test_stored_and_normalised_show_the_same_flower():
    data = FlowerDataset(DRAWN, "val", image_size=96, normalisation=HALF)
    stored = np.asarray(data.stored(5))
    assert stored.shape == (96, 96, 3)
    seen = unnormalise(data[5]["image"], HALF).permute(1, 2, 0).numpy() * 255
    assert np.abs(seen - stored).max() < 1e-3


def test_a_batch_is_its_items_in_the_order_asked_for(training):
    indices = [300, 4, 4, 171]
    training.epoch = 3
    images, labels = training.batch(indices, epoch=3)
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert (labels.tolist(), labels.dtype) == ([8, 0, 0, 4], torch.int64)
    for index, image in zip(indices, images, strict=True):
        assert torch.equal(image, training[index]["image"])
    training.epoch = 0
    for kind in (np.array(indices), torch.tensor(indices)):
        assert torch.equal(training.batch(kind, 3)[0], images)


# Each example reads the data set: to look for the smallest one that fails would take minutes.
@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 500), st.lists(st.integers(0, 359), max_size=6), st.integers(0, 359))
def test_augmentation_depends_on_seed_epoch_and_index_alone(epoch, before, index):
    """Trap: a resumed run must see what the run that was killed would have seen."""
    fresh = FlowerDataset(DRAWN, "train", image_size=16, cache_bytes=0)
    used = FlowerDataset(DRAWN, "train", image_size=16)
    torch.rand(3), np.random.default_rng().random()
    for other in range(2):
        if before:
            used.batch(before, other)
    expected = fresh.batch([index], epoch)[0][0]
    assert torch.equal(used.batch([*before, index], epoch)[0][-1], expected)
    assert not torch.equal(used.batch([index], epoch + 1)[0][0], expected)
    other_seed = FlowerDataset(DRAWN, "train", image_size=16, seed=1)
    assert not torch.equal(other_seed.batch([index], epoch)[0][0], expected)


@pytest.mark.parametrize("mode", PARTS)
def test_another_device_is_shown_the_same(mode):
    """The device ``meta`` computes nothing: what another would compute is computed beside it."""
    data = FlowerDataset(DRAWN, mode, image_size=32)
    assert data.cache.limit == 2**30
    indices, epoch = [7, 119, 3], 4
    images, labels = data.batch(indices, epoch, torch.device("meta"))
    assert data.cache.limit == 4 * 2**30
    assert (images.device.type, images.shape) == ("meta", (3, 3, 32, 32))
    assert images.dtype is torch.float32
    assert labels.tolist() == data.labels[indices].tolist()
    decoded, rngs = zip(*((data.pixels(i), data.rng(i, epoch)) for i in indices), strict=True)
    there = finish_together(data.transform, decoded, rngs, torch.device("cpu"))
    here, _ = data.batch(indices, epoch)
    assert (unnormalise(there) - unnormalise(here)).abs().max() < 2 / 255


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_shows_the_same(flower_folder, workers):
    data = FlowerDataset(flower_folder(), "train", image_size=16)
    data.epoch = 2
    loaded = next(iter(DataLoader(data, batch_size=3, num_workers=workers)))
    images, labels = data.batch(range(3), epoch=2)
    assert torch.equal(loaded["image"], images)
    assert torch.equal(loaded["label"], labels)


@pytest.mark.parametrize("mode", PARTS)
def test_the_memory_for_decoded_images_is_bounded_and_changes_nothing(mode):
    room = 10 * 48 * 48 * 3 + 100
    data = FlowerDataset(DRAWN, mode, image_size=32, cache_bytes=room)
    plain = FlowerDataset(DRAWN, mode, image_size=32, cache_bytes=0)
    for epoch in range(2):
        assert torch.equal(data.batch(range(100), epoch)[0], plain.batch(range(100), epoch)[0])
        assert room - 48 * 48 * 3 <= data.cache.used <= room
    assert plain.cache.used == 0
    kept = FlowerDataset(DRAWN, mode, image_size=32)
    kept.batch(range(50))
    # As many bytes as the documentation says.
    assert kept.cache.used == 50 * 3 * (48 if mode == "train" else 32) ** 2


def test_an_image_that_is_kept_is_not_decoded_again(flower_folder):
    data = FlowerDataset(flower_folder(), "train")
    first = data.batch([0, 1])[0]
    for path in data.paths[:2]:
        path.unlink()
    assert torch.equal(data.batch([0, 1])[0], first)
    # A copy starts without images, so that it is small enough to be sent to a worker.
    copy = pickle.loads(pickle.dumps(data))
    assert copy.cache.used == 0
    with pytest.raises(FileNotFoundError):
        copy.batch([0])


def test_an_image_that_is_broken_is_named_also_from_a_batch(flower_folder):
    data = FlowerDataset(flower_folder(), "train")
    data.paths[1].write_bytes(data.paths[1].read_bytes()[:200])
    with pytest.raises(ValueError, match=re.escape(str(data.paths[1]))):
        data.batch([0, 1, 2])


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "validation"}, "mode is 'validation', expected one of train, val, test"),
        ({"split": "random"}, "split is 'random', expected one of official, homework"),
        ({"cache_bytes": -1}, "cache_bytes is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"image_size": 0}, "image_size is 0"),
        ({"image_size": 100_000}, "image_size is 100000, expected 1 to 1024"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FlowerDataset(DRAWN, **arguments)


@pytest.mark.handed_out
def test_an_empty_part_is_refused(flower_folder):
    root = flower_folder(parts={"trnid": [1, 2], "valid": [], "tstid": [3]})
    with pytest.raises(ValueError, match="the official split has no image for mode 'val'"):
        FlowerDataset(root, "val")


def test_real_photographs_load(flowers5):
    data = FlowerDataset(flowers5, "test", image_size=64)
    images, labels = data.batch(range(len(data)))
    assert images.shape == (100, 3, 64, 64)
    assert np.bincount(labels).tolist() == np.bincount(data.labels).tolist()
    assert images.std() == pytest.approx(1, abs=0.4)


def test_all_parts_are_normalised_as_the_backbone_expects():
    for backbone, normalisation in (("efficientnet_lite0", HALF), ("resnet18", IMAGENET)):
        flowers = load_flowers(DRAWN, "official", backbone, 32, seed=3)
        assert [part.mode for part in flowers] == list(PARTS)
        assert [part.augments for part in flowers] == [True, False, False]
        for part in flowers:
            assert (part.normalisation, part.seed) == (normalisation, 3)
            assert part[0]["image"].shape == (3, 32, 32)
        assert flowers.class_names == flowers.test.class_names
    assert not load_flowers(DRAWN, "official", "resnet18", 32, augment=False).train.augments


@pytest.mark.handed_out
def test_an_unknown_backbone_is_refused_by_name():
    with pytest.raises(ValueError, match="no backbone 'vgg16'; there are resnet50, resnet18"):
        load_flowers(DRAWN, "official", "vgg16", 32)


@pytest.mark.handed_out
def test_missing_flowers_are_downloaded_only_if_asked_for(flower_folder, tmp_path, monkeypatch):
    asked = []

    def fetch(folder):
        asked.append(folder)
        flower_folder()

    monkeypatch.setattr(module, "fetch_flowers", fetch)
    root = tmp_path / "flowers"
    with pytest.raises(FileNotFoundError, match="coursework fetch flowers"):
        load_flowers(root, "official", "resnet18", 32)
    assert asked == []
    for _ in range(2):
        assert len(load_flowers(root, "official", "resnet18", 32, download=True).train) == 3
    # Flowers that are there are not fetched again.
    assert asked == [root]


@pytest.fixture
def oxford(flower_folder, tmp_path, monkeypatch):
    """A small folder that stands for Oxford's: its label files have the checksums of the table."""
    folder = flower_folder().rename(tmp_path / "oxford")
    (folder / "102flowers.tgz").write_bytes(b"archive")
    names = [source.name for source in sources.FLOWERS]
    contents = [(folder / name).read_bytes() for name in names]
    table = [
        Source(name, (), len(content), f"md5:{hashlib.md5(content).hexdigest()}")
        for name, content in zip(names, contents, strict=True)
    ]
    monkeypatch.setattr(sources, "FLOWERS", tuple(table))
    return folder


@pytest.mark.handed_out
@pytest.mark.parametrize(
    ("names", "continued"),
    [
        ("", True),
        ("imagelabels.mat", True),
        ("imagelabels.mat jpg", True),
        ("imagelabels.mat setid.mat jpg", True),
        ("102flowers.tgz jpg", True),
        ("102flowers.tgz.part own:setid.mat", True),
        ("jpg own:.102flowers.tgz.lock", False),
        ("own:imagelabels.mat", False),
        ("imagelabels.mat own:setid.mat", False),
    ],
)
def test_a_stopped_download_is_completed_and_flowers_of_another_origin_are_left_alone(
    oxford, tmp_path, monkeypatch, names, continued
):
    def fetch(folder):
        shutil.copytree(oxford, folder, dirs_exist_ok=True)

    monkeypatch.setattr(module, "fetch_flowers", fetch)
    root = tmp_path / "flowers"
    root.mkdir()
    for name in names.split():
        if name == "jpg":
            (root / "jpg").mkdir()
        elif name.startswith("own:"):
            (root / name.removeprefix("own:")).write_bytes(b"of another origin")
        else:
            shutil.copy(oxford / name.removesuffix(".part"), root / name)
    if continued:
        assert len(load_flowers(root, "official", "resnet18", 32, download=True).train) == 3
    else:
        with pytest.raises(FileNotFoundError):
            load_flowers(root, "official", "resnet18", 32, download=True)
