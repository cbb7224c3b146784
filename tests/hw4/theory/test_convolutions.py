"""Theory 1: parameters and output size of convolutions, with PyTorch as the oracle."""

import copy

import pytest
import torch
import torchvision
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from coursework.backbones import count_parameters
from hw4.theory.convolutions import (
    conv_parameters,
    homework_table,
    layer_table,
    network_table,
    output_size,
)

pytestmark = pytest.mark.hw4_theory1


def test_the_three_layers_of_the_homework_by_formula_and_in_pytorch():
    table = homework_table()
    assert table["parameters"].tolist() == table["in PyTorch"].tolist() == [393_312, 6_240, 192]
    assert table["output by formula"].tolist() == table["output in PyTorch"].tolist()
    assert table["output by formula"].tolist() == ["1 × 1", "15 × 15", "64 × 64"]


small = st.integers(1, 4)


@given(small, small, small, st.tuples(small, small), st.booleans())
def test_the_parameters_are_those_that_pytorch_makes(groups, c, f, kernel, bias):
    layer = nn.Conv2d(c * groups, f * groups, kernel, groups=groups, bias=bias)
    found = conv_parameters(f * groups, c * groups, kernel, groups, bias)
    assert found == count_parameters(layer)


@given(st.integers(1, 20), small, small, st.integers(0, 3), small)
def test_the_output_has_the_size_that_pytorch_gives_it(size, kernel, stride, padding, dilation):
    assume(size + 2 * padding > 0)
    layer = nn.Conv1d(1, 1, kernel, stride, padding, dilation)
    found = output_size(size, kernel, stride, padding, dilation)
    try:
        assert found == layer(torch.zeros(1, 1, size)).shape[-1]
    except RuntimeError:
        assert found < 1  # PyTorch refuses a filter that does not fit


@pytest.fixture(scope="module")
def resnets():
    models = torchvision.models
    return {"ResNet-18": models.resnet18(), "ResNet-50": models.resnet50()}


def test_resnets_hold_what_the_formula_says(resnets):
    table = network_table(resnets).set_index("network")
    assert table["in all"].to_dict() == {"ResNet-18": 11_689_512, "ResNet-50": 25_557_032}
    assert table["by formula"].tolist() == table["in PyTorch"].tolist()
    assert table["convolutions"].tolist() == [20, 53]


@pytest.mark.handed_out
@pytest.mark.parametrize("depth", [None, 1, 2])
def test_layer_tables_add_up(resnets, depth):
    table = layer_table(resnets["ResNet-18"], (3, 64, 64), depth)
    assert table["parameters"].iloc[-1] == 11_689_512
    assert table["parameters"].iloc[:-1].sum() == 11_689_512


@pytest.mark.handed_out
def test_a_stage_is_one_row_with_the_output_of_its_last_layer(resnets):
    table = layer_table(resnets["ResNet-50"], (3, 224, 224), depth=1)
    assert len(table) == 8
    assert table.loc[table["layer"] == "layer4", "output"].item() == "2048 × 7 × 7"


@pytest.mark.handed_out
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
    rows = layer_table(network, (3, 64, 64)).iloc[:-1]
    assert len(rows) == 41
    for row in rows.itertuples():
        assert row.output == " × ".join(map(str, seen[row.layer]))


@pytest.mark.handed_out
def test_a_table_changes_nothing_in_the_network():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    before = copy.deepcopy(network.state_dict())
    layer_table(network, (1, 8, 8))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.handed_out
def test_shared_parameters_count_once():
    network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    network[2].weight = network[0].weight
    assert layer_table(network, (4,))["parameters"].tolist() == [20, 4, 24]
    assert count_parameters(network) == 24


@pytest.mark.handed_out
def test_a_single_layer_is_a_network_and_its_frozen_parameters_count():
    table = layer_table(nn.Linear(2, 1).requires_grad_(False), (2,))
    assert table["layer"].tolist() == ["(whole)", "sum"]
    assert table["parameters"].tolist() == [3, 3]
