"""Question 1, speed: a network without its BatchNorm layers gives the same features."""

import logging

import numpy as np
import pytest
import torch
from torch import nn

from hw3.features import BACKBONES, build_extractor, build_pipeline
from hw3.features.folding import fold_batch_norm

pytestmark = pytest.mark.hw3_q1


def batch_norms(network):
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def move_statistics(network, seed=0):
    """Give every BatchNorm statistics and weights that a trained one may have."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -1, 1),
                (module.running_var, 0.5, 2),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -1, 1),
            ):
                tensor.uniform_(low, high, generator=generator)
    return network.eval()


def both(network, images):
    with torch.inference_mode():
        return network(images).numpy(), fold_batch_norm(network)(images).numpy()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_all_batch_norms_go_and_the_features_stay(backbone):
    extractor = move_statistics(build_extractor(backbone, None))
    assert batch_norms(extractor) > 0
    images = torch.randn(2, 3, 40, 40, generator=torch.Generator().manual_seed(1))
    expected, found = both(extractor, images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert batch_norms(fold_batch_norm(extractor)) == 0


def test_the_network_itself_is_left_alone():
    extractor = move_statistics(build_extractor("resnet18", None))
    before = {name: value.clone() for name, value in extractor.state_dict().items()}
    folded = fold_batch_norm(extractor)
    after = extractor.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not any(parameter.requires_grad for parameter in folded.parameters())
    assert (folded.backbone, folded.width) == ("resnet18", 512)


def test_what_stays_as_it_is_is_not_in_memory_twice():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(6, 6)).eval()
    folded = fold_batch_norm(network)
    assert folded[2].weight is network[2].weight
    assert folded[0].weight is not network[0].weight


class TwoReaders(nn.Module):
    """The convolution is read once more, before its BatchNorm."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        x = self.convolution(x)
        return self.norm(x) + x


class CalledTwice(nn.Module):
    """One convolution for two BatchNorms."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(3), nn.BatchNorm2d(3)])

    def forward(self, x):
        for norm in self.norms:
            x = norm(self.convolution(x))
        return x


class FirstOfAll(nn.Module):
    """The BatchNorm reads the images: there is no convolution before it."""

    def __init__(self):
        super().__init__()
        self.norm, self.convolution = nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.convolution(self.norm(x))


class Standardised(nn.Conv2d):
    """It standardises its weights, as timm's StdConv2d: a scale folded into them would be lost."""

    def forward(self, x):
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        return self._conv_forward(x, weight / weight.std((1, 2, 3), keepdim=True), self.bias)


class OtherConvolution(nn.Sequential):
    """A convolution of which only its own code knows what it computes."""

    def __init__(self):
        super().__init__(Standardised(3, 4, 3), nn.BatchNorm2d(4))


class Hooked(nn.Sequential):
    """Somebody's hook changes what the convolution gives."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self[0].register_forward_hook(lambda layer, inputs, output: output + 1)


class HookedNorm(nn.Sequential):
    """Somebody's hook changes what the BatchNorm gives."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self[1].register_forward_hook(lambda layer, inputs, output: output + 1)


class HookedBefore(nn.Sequential):
    """Somebody's hook changes what the convolution is given."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self[0].register_forward_pre_hook(lambda layer, inputs: (inputs[0] + 1,))


class OtherNorm(nn.Sequential):
    """A BatchNorm of which only its own code knows what it computes."""

    class Doubled(nn.BatchNorm2d):
        def forward(self, x):
            return 2 * super().forward(x)

    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), self.Doubled(4))


class OtherForward(nn.Sequential):
    """One convolution, not its class, was given other code."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        plain = self[0].forward
        self[0].forward = lambda x: plain(x).relu()


class TwoNames(nn.Module):
    """The convolution that is replaced under one name would be called by the other."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.body = nn.Sequential(self.first)

    def forward(self, x):
        return self.norm(self.body(x))


class ReadsWeights(nn.Module):
    """Its code reads the weights of the convolution, which folding changes."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        return self.norm(self.convolution(x)) * self.convolution.weight.abs().mean()


class NoStatistics(nn.Sequential):
    """This BatchNorm normalises by each batch, in evaluation mode too."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))


@pytest.mark.parametrize(
    "kind",
    [
        TwoReaders,
        CalledTwice,
        FirstOfAll,
        OtherConvolution,
        OtherNorm,
        OtherForward,
        Hooked,
        HookedNorm,
        HookedBefore,
        TwoNames,
        ReadsWeights,
    ],
)
def test_a_layer_that_cannot_go_stays(kind):
    network = move_statistics(kind())
    expected, found = both(network, torch.randn(2, 3, 8, 8))
    np.testing.assert_array_equal(found, expected)
    assert batch_norms(fold_batch_norm(network)) == batch_norms(network)


def test_a_layer_without_statistics_stays():
    network = NoStatistics().eval()
    expected, found = both(network, torch.randn(2, 3, 8, 8))
    np.testing.assert_array_equal(found, expected)


def test_a_layer_that_trains_stays():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).train()
    assert batch_norms(fold_batch_norm(network)) == 1


class Branches(nn.Module):
    """Its code decides by a value: which layer reads which is not known beforehand."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        x = self.convolution(x)
        return self.norm(x) if x.mean() > 0 else x


def test_code_that_cannot_be_followed_is_run_as_it_is(caplog):
    network = Branches().eval()
    with caplog.at_level(logging.INFO, logger="hw3.features.folding"):
        assert fold_batch_norm(network) is network
    assert "BatchNorm layers of Branches are not folded" in caplog.text


def test_a_network_without_such_layers_is_not_copied():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    assert fold_batch_norm(network) is network


def test_extraction_runs_the_folded_network():
    pipeline = build_pipeline(build_extractor("resnet18", None), device="cpu")
    assert batch_norms(pipeline.extractor) == 0
