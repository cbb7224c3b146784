"""Coding part 1, the networks: what each way of training loads, trains and leaves alone."""

import pytest
import torch
from torch import nn

from coursework.backbones import BACKBONES, build_classifier
from hw4.flowers import MODES, build_network
from hw4.flowers.networks import PaddedFirst

pytestmark = pytest.mark.hw4_flowers

IMAGES = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A whole ResNet-18 with known weights, which stand in for ImageNet's."""
    network, _ = build_classifier("resnet18", None, seed=5)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(network.state_dict(), path)
    return path


def snapshot(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def changed(before, module):
    after = module.state_dict()
    return {name for name in before if not torch.equal(before[name], after[name])}


def train_a_little(network, steps=2):
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(IMAGES), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_cut_into_stages_it_computes_what_the_whole_network_computes(backbone):
    whole, _ = build_classifier(backbone, None, seed=3)
    staged = build_network("scratch", 1000, backbone, seed=3)
    setattr(whole, BACKBONES[backbone].head, staged.trained[-1])
    with torch.inference_mode():
        expected = whole.eval()(IMAGES)
        torch.testing.assert_close(staged.eval()(IMAGES), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.handed_out
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (4, 4), (9, 9), (3, 9), (9, 3)])
def test_padded_first_a_convolution_and_its_gradients_are_the_same(kernel, stride, shape):
    convolution = nn.Conv2d(8, 8, kernel, stride, padding=kernel // 2, groups=8)
    images = torch.randn(4, 8, *shape, requires_grad=True)
    variables = [images, *convolution.parameters()]
    expected = convolution(images)
    wanted = torch.autograd.grad(expected.square().sum(), variables)
    convolution.__class__ = PaddedFirst
    found = convolution(images)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found.square().sum(), variables), wanted)


def test_the_trained_depthwise_convolutions_of_efficientnet_are_padded_first():
    network = build_network("last_layers", 10, "efficientnet_lite0", None)
    depthwise = [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.groups > 1]
    assert [isinstance(m, PaddedFirst) for m in depthwise] == [False] * 15 + [True]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("classes", [2, 102])
def test_every_mode_has_as_many_outputs_as_there_are_classes(mode, classes, checkpoint):
    network = build_network(mode, classes, "resnet18", checkpoint)
    assert network.classes == classes
    assert network.eval()(IMAGES).shape == (4, classes)


def test_scratch_loads_nothing_even_if_weights_are_named(checkpoint):
    saved = torch.load(checkpoint, weights_only=True)
    scratch = build_network("scratch", 3, "resnet18", checkpoint, seed=1)
    assert not torch.equal(scratch.state_dict()["trained.conv1.weight"], saved["conv1.weight"])
    assert "untrained" in scratch.name


@pytest.mark.parametrize("mode", ["finetune", "last_layers", "head"])
def test_the_others_load_everything_but_the_head(mode, checkpoint):
    saved = torch.load(checkpoint, weights_only=True)
    state = build_network(mode, 3, "resnet18", checkpoint).state_dict()
    loaded = {name.split(".", 1)[1]: tensor for name, tensor in state.items()}
    assert set(loaded) == set(saved)
    for name in set(saved) - {"fc.weight", "fc.bias"}:
        assert torch.equal(loaded[name], saved[name]), name


@pytest.mark.parametrize(
    ("backbone", "mode", "expected"),
    [
        ("resnet18", "last_layers", {"layer4", "fc"}),
        ("resnet50", "last_layers", {"layer4", "fc"}),
        ("efficientnet_lite0", "last_layers", {"blocks_6", "conv_head", "bn2", "classifier"}),
        ("resnet18", "head", {"fc"}),
        ("efficientnet_lite0", "head", {"classifier"}),
    ],
)
def test_a_frozen_part_never_moves_and_neither_do_its_statistics(backbone, mode, expected):
    network = build_network(mode, 3, backbone, None)
    before = snapshot(network)
    train_a_little(network)
    moved = {name.split(".")[1] for name in changed(before, network)}
    assert moved == expected
    assert not any(name.startswith("frozen.") for name in changed(before, network))
    # Frozen by itself, and not only because an optimizer leaves it out.
    assert not any(parameter.requires_grad for parameter in network.frozen.parameters())
    assert not any(module.training for module in network.frozen.modules())


@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_lite0"])
def test_statistics_of_loaded_weights_are_kept_while_all_weights_are_trained(backbone):
    network = build_network("finetune", 3, backbone, weights=None)
    before = snapshot(network)
    train_a_little(network)
    statistics = {name for name in before if "running_" in name or "num_batches" in name}
    assert statistics
    assert changed(before, network) == set(before) - statistics
    assert "statistics kept" in network.name


@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_lite0"])
def test_from_scratch_the_statistics_move_too_but_not_in_evaluation(backbone):
    network = build_network("scratch", 3, backbone)
    before = snapshot(network)
    train_a_little(network)
    assert changed(before, network) == set(before)
    before = snapshot(network)
    network.eval()(IMAGES)
    assert not changed(before, network)


def test_equal_seeds_give_equal_networks_and_leave_the_global_generator_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first, again, other = (build_network("scratch", 3, "resnet18", seed=s) for s in (3, 3, 4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert not changed(first.state_dict(), again)
    assert {"trained.conv1.weight", "trained.fc.weight"} <= changed(first.state_dict(), other)


@pytest.mark.handed_out
def test_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no mode 'frozen'; there are scratch, finetune"):
        build_network("frozen", 3)
    with pytest.raises(ValueError, match="classes is 1, expected 2 or more"):
        build_network("scratch", 1)


def test_printed_it_shows_what_is_frozen():
    """As many parameters as counted by hand.

    ``layer4`` has four 3 x 3 convolutions, a 1 x 1 shortcut, and two numbers for each of 5 x 512
    channels; what comes before it has 2,782,784.
    """
    layer4 = 9 * 512 * (256 + 3 * 512) + 256 * 512 + 5 * 2 * 512
    head = 102 * (512 + 1)
    lines = repr(build_network("last_layers", 102, "resnet18", None)).splitlines()
    stages = {line.split()[0]: line.split()[1] for line in lines[1:-1]}
    assert stages["layer3"] == "frozen"
    assert stages["layer4"] == stages["fc"] == "trained"
    count = f"{2_782_784 + layer4 + head:,} parameters, {layer4 + head:,} trained"
    assert lines[-1] == f"  {count}" == "  11,228,838 parameters, 8,446,054 trained"
