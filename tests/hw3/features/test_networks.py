"""Question 1, the network: without its last layer, frozen, from the weights that were named."""

import dataclasses
import warnings

import pytest
import torch
from torchvision.models import resnet50

from coursework.backbones import BACKBONES
from coursework.data import sources
from coursework.storage import sha256
from hw3.features import build_extractor

pytestmark = pytest.mark.hw3_q1


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A whole ResNet-50 with known random weights, saved as torch.save does."""
    torch.manual_seed(5)
    network = resnet50(weights=None)
    path = tmp_path_factory.mktemp("checkpoint") / "resnet50.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_final_layer_is_removed(backbone):
    extractor = build_extractor(backbone, None)
    assert extractor(torch.zeros(2, 3, 32, 32)).shape == (2, BACKBONES[backbone].width)


def test_resnet_features_are_those_before_its_final_layer(checkpoint):
    whole = resnet50(weights=None).eval()
    whole.load_state_dict(torch.load(checkpoint, weights_only=True))
    x = torch.randn(3, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = build_extractor("resnet50", checkpoint)(x)
        torch.testing.assert_close(whole.fc(features), whole(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_it_is_frozen_and_never_leaves_evaluation_mode(backbone):
    extractor = build_extractor(backbone, None)
    assert not any(parameter.requires_grad for parameter in extractor.parameters())
    assert extractor.train() is extractor
    assert not any(module.training for module in extractor.modules())


def test_imagenet_weights_come_with_a_package():
    """Training has moved all statistics and made the first layer smoother than random weights."""
    trained = build_extractor("efficientnet_lite0", "imagenet").state_dict()
    random = build_extractor("efficientnet_lite0", None).state_dict()
    moved = [name for name in random if name.endswith("running_mean") and trained[name].any()]
    assert len(moved) == sum(name.endswith("running_mean") for name in random)

    def roughness(kernel):
        return (kernel.diff(dim=-1).square().mean() / kernel.square().mean()).item()

    name = "network.conv_stem.weight"
    assert roughness(trained[name]) < roughness(random[name])


def test_an_untrained_network_depends_on_its_seed_alone():
    torch.manual_seed(1)
    first = build_extractor("resnet50", None, seed=3).state_dict()
    before = torch.random.get_rng_state()
    again = build_extractor("resnet50", None, seed=3).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    other = build_extractor("resnet50", None, seed=4).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["network.conv1.weight"], other["network.conv1.weight"])


def test_the_removed_pretrained_argument_is_not_used():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_extractor("resnet50", None)
        build_extractor("efficientnet_lite0", "imagenet")


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


def test_what_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no backbone 'vgg'; there are resnet50"):
        build_extractor("vgg")
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*nothing\.pth"):
        build_extractor("resnet50", tmp_path / "nothing.pth")


def test_printed_it_shows_its_stages_and_that_it_is_frozen():
    text = repr(build_extractor("resnet50", None))
    for stage in ("conv1", "layer1", "layer4", "avgpool", "fc"):
        assert f"\n  {stage}" in text
    assert "23,508,032 parameters, 0 of them trained; evaluation mode" in text
    assert len(text.splitlines()) < 20
