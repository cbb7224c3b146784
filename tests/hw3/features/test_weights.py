"""Question 1, the weights: where they come from, and what is no file of weights."""

import dataclasses

import pytest
import torch
from torchvision.models import resnet50

from coursework.data import sources
from coursework.storage import sha256
from hw3.features import build_extractor

pytestmark = pytest.mark.hw3_q1


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A whole ResNet-50 with random weights, saved as torch.save does."""
    path = tmp_path_factory.mktemp("checkpoint") / "resnet50.pth"
    torch.save(resnet50(weights=None).state_dict(), path)
    return path


@pytest.fixture
def published(checkpoint, monkeypatch, tmp_path):
    """The checkpoint stands in for the file that torchvision publishes; nothing serves it."""
    source = dataclasses.replace(
        sources.WEIGHTS["resnet50"],
        urls=("http://127.0.0.1:9/resnet50.pth",),
        size=checkpoint.stat().st_size,
        checksum=f"sha256:{sha256(checkpoint)}",
    )
    monkeypatch.setitem(sources.WEIGHTS, "resnet50", source)
    monkeypatch.setenv("COURSEWORK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return source


@pytest.mark.parametrize("folder", ["data/weights", "torch/hub/checkpoints"])
def test_imagenet_weights_of_resnet_are_fetched_once(checkpoint, published, tmp_path, folder):
    """They are taken from our folder, or from the cache that PyTorch filled earlier."""
    kept = tmp_path / folder / published.name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(checkpoint.read_bytes())
    extractor = build_extractor("resnet50", "imagenet")
    saved = torch.load(checkpoint, weights_only=True)
    name = "layer4.2.conv3.weight"
    assert torch.equal(extractor.state_dict()[f"network.{name}"], saved[name])
    assert extractor.weights == "trained on ImageNet"


def test_without_a_network_the_error_names_the_file_and_its_place(published, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"resnet50-0676ba61\.pth") as error:
        build_extractor("resnet50", "imagenet")
    digits = published.checksum.split(":")[1]
    for part in (published.urls[0], digits, str(tmp_path / "data" / "weights")):
        assert part in str(error.value)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_checkpoints_of_several_habits_load(checkpoint, tmp_path, wrap, prefix):
    saved = torch.load(checkpoint, weights_only=True)
    path = tmp_path / "mine.pth"
    without_head = {k: v for k, v in saved.items() if not k.startswith("fc.")}
    torch.save(wrap({f"{prefix}{name}": value for name, value in without_head.items()}), path)
    extractor = build_extractor("resnet50", path)
    assert torch.equal(extractor.state_dict()["network.conv1.weight"], saved["conv1.weight"])
    assert extractor.weights == "checkpoint mine.pth"


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "strange.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"strange\.pth is not a checkpoint"):
        build_extractor("resnet50", path)


def test_a_checkpoint_without_tensors_is_named(tmp_path):
    path = tmp_path / "list.pth"
    torch.save([1, 2, 3], path)
    with pytest.raises(ValueError, match=r"list\.pth holds no state_dict"):
        build_extractor("resnet50", path)
