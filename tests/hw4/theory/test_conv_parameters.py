"""Theory 1: parameters and output size of convolutions, with PyTorch as the oracle."""

import copy

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from hw4.theory.conv_parameters import (
    HOMEWORK,
    count_parameters,
    homework_table,
    layer_table,
    layers,
    network_table,
)
from hw4.theory.convolution import Convolution

pytestmark = pytest.mark.hw4_theory1


@pytest.mark.parametrize(
    ("layer", "parameters", "side"),
    list(zip(HOMEWORK.values(), (393_312, 6_240, 192), (1, 15, 64), strict=True)),
)
def test_the_three_layers_of_the_homework(layer, parameters, side):
    assert layer.parameters == parameters
    assert layer.output_size(64, 64) == (side, side)


def test_the_stride_does_not_enter():
    counts = {Convolution(1, 96, 8, stride=stride).parameters for stride in (1, 2, 4, 8)}
    assert counts == {6_240}


pairs = st.integers(1, 4) | st.tuples(st.integers(1, 4), st.integers(1, 4))


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    pairs,
    pairs,
    pairs,
    st.integers(0, 3) | st.tuples(st.integers(0, 3), st.integers(0, 3)) | st.just("valid"),
    st.booleans(),
    st.integers(4, 20),
    st.integers(4, 20),
)
def test_agrees_with_pytorch(groups, c, f, kernel, stride, dilation, padding, bias, height, width):
    layer = Convolution(c * groups, f * groups, kernel, stride, padding, dilation, groups, bias)
    real = layer.to_torch()
    assert layer.parameters == count_parameters(real)
    assert Convolution.of(real).parameters == layer.parameters
    image = torch.zeros(1, layer.in_channels, height, width)
    try:
        expected = tuple(real(image).shape[2:])
    except RuntimeError:
        with pytest.raises(ValueError, match="padded input has only"):
            layer.output_size(height, width)
    else:
        assert layer.output_size(height, width) == expected
        assert Convolution.of(real).output_size(height, width) == expected


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(pairs, pairs, st.integers(1, 12), st.integers(1, 12))
def test_same_padding_keeps_the_size(kernel, dilation, height, width):
    layer = Convolution(1, 1, kernel, padding="same", dilation=dilation)
    assert layer.output_size(height, width) == (height, width)
    assert layer.to_torch()(torch.zeros(1, 1, height, width)).shape[2:] == (height, width)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 0}, "kernel_size is 0"),
        ({"kernel_size": 3, "stride": 0}, "stride is 0"),
        ({"kernel_size": 3, "padding": -1}, "padding is -1"),
        ({"kernel_size": 3, "padding": "full"}, "'full'"),
        ({"kernel_size": 3, "padding": "same", "stride": 2}, "stride of 1"),
        ({"kernel_size": 3, "groups": 2}, "2 groups do not divide 3"),
    ],
)
def test_impossible_layers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Convolution(3, 6, **arguments)


def test_the_homework_table_has_formula_and_pytorch_agree():
    table = homework_table()
    assert table["parameters"].tolist() == table["in PyTorch"].tolist() == [393_312, 6_240, 192]
    assert table["output"].tolist() == table["of PyTorch"].tolist()
    assert table["output"].tolist() == ["1 × 1", "15 × 15", "64 × 64"]


@pytest.fixture(scope="module")
def resnets():
    return {
        "ResNet-18": torchvision.models.resnet18(),
        "ResNet-50": torchvision.models.resnet50(),
    }


def test_resnets_hold_what_the_formula_says(resnets):
    table = network_table(resnets).set_index("network")
    assert table["in all"].to_dict() == {"ResNet-18": 11_689_512, "ResNet-50": 25_557_032}
    assert table["by formula"].tolist() == table["in PyTorch"].tolist()
    assert table["convolutions"].tolist() == [20, 53]


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_layer_tables_add_up(resnets, depth):
    for network in resnets.values():
        table = layer_table(network, depth=depth)
        assert table["parameters"].iloc[-1] == count_parameters(network)
        assert table["parameters"].iloc[:-1].sum() == count_parameters(network)


def test_a_stage_table_fits_a_page(resnets):
    table = layer_table(resnets["ResNet-50"], (3, 224, 224), depth=1)
    assert len(table) == 8
    assert table.loc[table["layer"] == "layer4", "output"].item() == "2048 × 7 × 7"


def test_outputs_are_those_of_a_real_run(resnets):
    network, seen = resnets["ResNet-18"], {}
    handles = [
        part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out.shape[1:]}))
        for name, part in network.named_modules()
    ]
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, 64, 64))
    for handle in handles:
        handle.remove()
    rows = layers(network, (3, 64, 64))
    assert len(rows) == 41
    assert all(row.output == tuple(seen[row.name]) for row in rows)


def test_listing_changes_nothing():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    before = copy.deepcopy(network.state_dict())
    layers(network, (1, 8, 8))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_shared_parameters_count_once():
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    network[2].weight = network[0].weight
    assert [row.parameters for row in layers(network)] == [20, 4]
    assert count_parameters(network) == 24


def test_a_network_without_parameters_and_one_that_is_a_single_layer():
    assert layer_table(nn.ReLU())["parameters"].tolist() == [0]
    assert layer_table(nn.Linear(2, 1))["layer"].tolist() == ["(whole)", "sum"]


def test_lazy_layers_are_refused():
    with pytest.raises(ValueError, match="lazy"):
        layers(nn.LazyLinear(3))


def test_frozen_parameters_count():
    network = nn.Linear(3, 2).requires_grad_(False)
    assert count_parameters(network) == 8
