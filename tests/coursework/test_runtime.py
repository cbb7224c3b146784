"""The machine is asked what it can do; nothing is assumed."""

import time
from contextlib import suppress
from operator import attrgetter
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from coursework.runtime import (
    LAYOUTS,
    bfloat16_pays,
    choose_device,
    choose_layout,
    choose_precision,
    full_float32,
    reduced_precision,
)


def test_auto_takes_an_accelerator_only_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device() == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device() == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device() == torch.device("cuda")


@pytest.mark.parametrize("name", ["cuda:99", "abacus"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=f"device '{name}' is not usable here .*use 'auto'"):
        choose_device(name)


INSTRUCTIONS = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")


@pytest.fixture
def a_cpu(monkeypatch):
    """Return a function that pretends the CPU has some instructions, and oneDNN uses them."""

    def pretend(*instructions, onednn=True, pays=True):
        monkeypatch.setattr("coursework.runtime.bfloat16_pays", lambda: pays)
        for name in INSTRUCTIONS:
            monkeypatch.setattr(
                torch.cpu, name, lambda name=name: name in instructions, raising=False
            )
        monkeypatch.setattr(
            torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: onednn, raising=False
        )

    return pretend


@pytest.fixture
def a_gpu(monkeypatch):
    """Return a function that pretends there is a GPU of a compute capability."""
    return lambda *capability: monkeypatch.setattr(
        torch.cuda, "get_device_capability", lambda device: capability
    )


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_a_cpu_with_instructions_for_bfloat16_computes_in_it(a_cpu, name):
    a_cpu(name)
    assert reduced_precision("cpu") is torch.bfloat16
    assert choose_precision("auto", "cpu") is choose_precision("bf16", "cpu") is torch.bfloat16
    assert choose_precision("fp32", "cpu") is torch.float32
    with pytest.raises(ValueError, match=r"fp16 is not fast on this CPU .* which has bf16"):
        choose_precision("fp16", "cpu")


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_a_cpu_that_is_slower_in_bfloat16_computes_in_it_only_on_demand(a_cpu, name):
    a_cpu(name, pays=False)
    assert choose_precision("auto", "cpu") is torch.float32
    assert choose_precision("bf16", "cpu") is torch.bfloat16


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() != "AVX2", reason="this CPU may multiply bfloat16"
)
def test_a_cpu_that_emulates_bfloat16_finds_that_it_does_not_pay():
    assert not bfloat16_pays()


def test_a_cpu_that_would_emulate_bfloat16_stays_in_float32(a_cpu):
    a_cpu(*INSTRUCTIONS, onednn=False)
    assert reduced_precision("cpu") is None
    a_cpu()
    assert reduced_precision(torch.device("cpu")) is None
    assert choose_precision("auto", "cpu") is torch.float32
    for name in ("bf16", "fp16"):
        message = rf"{name} is not fast on this CPU \(.+\), which has nothing faster than fp32; use"
        with pytest.raises(ValueError, match=message):
            choose_precision(name, "cpu")


def test_a_pytorch_that_cannot_be_asked_stays_in_float32(a_cpu, monkeypatch):
    a_cpu(*INSTRUCTIONS)
    for name in INSTRUCTIONS:
        monkeypatch.delattr(torch.cpu, name)
    assert reduced_precision("cpu") is None


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), torch.bfloat16), ((8, 0), torch.bfloat16), ((7, 5), torch.float16), ((6, 1), None)],
)
def test_a_gpu_computes_in_the_type_that_its_tensor_cores_multiply(a_gpu, capability, expected):
    a_gpu(*capability)
    assert reduced_precision("cuda:0") is expected


def test_a_new_gpu_takes_every_precision(a_gpu):
    a_gpu(8, 0)
    expected = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    assert {name: choose_precision(name, "cuda") for name in expected} == expected


def test_other_devices_stay_in_float32():
    assert reduced_precision("mps") is None


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="no precision 'half'; there are auto, fp32, bf16, fp16"):
        choose_precision("half", "cpu")


class Slow(nn.Module):
    """A network that takes its time where images come in one of the layouts."""

    def __init__(self, layout, seconds=0.03):
        super().__init__()
        self.layout, self.seconds, self.norm = layout, seconds, nn.BatchNorm2d(3)
        self.passes = []

    def forward(self, images):
        self.passes.append(images.shape)
        end = time.process_time()
        if images.is_contiguous(memory_format=LAYOUTS[self.layout]):
            end += self.seconds
        while time.process_time() < end:
            pass
        return self.norm(images)

    def __deepcopy__(self, memo):
        copy = Slow(self.layout, self.seconds)
        copy.passes = self.passes
        return copy.train(self.training)

    def __repr__(self):
        return f"{self.seconds} seconds in {self.layout}"


IMAGES = torch.ones(2, 3, 4, 5)


@pytest.mark.parametrize(("slow", "chosen"), [tuple(LAYOUTS), tuple(reversed(LAYOUTS))])
def test_the_layout_is_the_one_that_takes_less_time_here(slow, chosen):
    assert choose_layout(Slow(slow), IMAGES, torch.float32) == chosen


def test_a_layout_is_tried_once_for_each_network_size_type_and_mode():
    network = Slow("contiguous", 0.001)
    for _ in range(3):
        choose_layout(network, IMAGES, torch.float32)
    assert network.passes == 4 * [(2, 3, 4, 5)]
    choose_layout(network, IMAGES, torch.bfloat16)
    choose_layout(network.eval(), IMAGES, torch.float32)
    choose_layout(network, IMAGES[:1], torch.float32)
    assert len(network.passes) == 16


def test_the_trial_of_a_layout_takes_part_of_a_large_batch():
    network = Slow("contiguous", 0)
    choose_layout(network, torch.ones(5, 3, 400, 500), torch.float32)
    choose_layout(network, torch.ones(5, 3, 1000, 1000), torch.float32)
    assert network.passes == 4 * [(2, 3, 400, 500)] + 4 * [(1, 3, 1000, 1000)]


def test_the_trial_of_a_layout_leaves_network_and_global_generator_as_they_are():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    random = torch.random.get_rng_state()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    strides = [parameter.stride() for parameter in network.parameters()]
    choose_layout(network, IMAGES, torch.float32)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert [parameter.stride() for parameter in network.parameters()] == strides
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_other_devices_are_not_tried():
    network = Slow("channels_last")
    assert choose_layout(network, IMAGES.to("meta"), torch.float32) == "channels_last"
    assert not network.passes


newer = pytest.mark.skipif(
    not hasattr(torch.backends, "fp32_precision"), reason="needs PyTorch 2.9"
)
SWITCHES = ("cudnn.conv", "cudnn.rnn", "cuda.matmul", "mkldnn.conv", "mkldnn.matmul")


def switches():
    return {name: attrgetter(name)(torch.backends).fp32_precision for name in SWITCHES}


@pytest.fixture
def restored():
    """Leave the process as it was, whatever a test asks PyTorch for."""
    before, generic = switches(), torch.backends.fp32_precision
    yield
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision("highest")
    torch.backends.fp32_precision = generic
    for name, value in before.items():
        attrgetter(name)(torch.backends).fp32_precision = value


@newer
@pytest.mark.parametrize(
    ("switch", "value"),
    [
        ("cudnn.conv.fp32_precision", "ieee"),
        ("fp32_precision", "tf32"),
        ("cuda.matmul.allow_tf32", True),
        ("cudnn.allow_tf32", True),  # the default
    ],
)
def test_full_precision_is_full_whatever_else_is_asked_for(restored, switch, value):
    """By default, a GPU rounds the inputs of a convolution to 10 bits."""
    part, _, name = switch.rpartition(".")
    setattr(attrgetter(part)(torch.backends) if part else torch.backends, name, value)
    before = switches()
    assert "tf32" in before.values()
    with suppress(KeyError), full_float32():
        assert set(switches().values()) == {"ieee"}
        raise KeyError
    assert switches() == before


def test_full_precision_is_full_with_older_releases_too(monkeypatch):
    backends = SimpleNamespace(cudnn=SimpleNamespace(allow_tf32=True))
    asked = ["high"]
    monkeypatch.setattr(torch, "backends", backends)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: asked[-1])
    monkeypatch.setattr(torch, "set_float32_matmul_precision", asked.append)
    with suppress(KeyError), full_float32():
        assert (backends.cudnn.allow_tf32, asked[-1]) == (False, "highest")
        raise KeyError
    assert (backends.cudnn.allow_tf32, asked[-1]) == (True, "high")
