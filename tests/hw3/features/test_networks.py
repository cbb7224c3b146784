"""Question 1, the network: without its last layer, frozen, from the weights that were named."""

import warnings

import pytest
import torch
from torchvision.models import resnet50

from coursework.backbones import BACKBONES
from hw3.features import build_extractor

pytestmark = pytest.mark.hw3_q1


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_final_layer_is_removed(backbone):
    extractor = build_extractor(backbone, None)
    assert extractor(torch.zeros(2, 3, 32, 32)).shape == (2, BACKBONES[backbone].width)


def test_resnet_features_are_those_before_its_final_layer(tmp_path):
    torch.manual_seed(5)
    whole, x = resnet50(weights=None).eval(), torch.randn(3, 3, 28, 28)
    torch.save(whole.state_dict(), tmp_path / "resnet50.pth")
    with torch.inference_mode():
        features = build_extractor("resnet50", tmp_path / "resnet50.pth")(x)
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
