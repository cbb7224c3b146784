"""The machine: detected, never assumed."""

from contextlib import suppress
from operator import attrgetter
from types import SimpleNamespace

import pytest
import torch

from coursework.runtime import (
    choose_device,
    choose_precision,
    describe_machine,
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

    def pretend(*instructions, onednn=True):
        for name in INSTRUCTIONS:
            monkeypatch.setattr(
                torch.cpu, name, lambda name=name: name in instructions, raising=False
            )
        monkeypatch.setattr(
            torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: onednn, raising=False
        )

    return pretend


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_a_cpu_with_instructions_for_it_computes_in_bfloat16(a_cpu, name):
    a_cpu(name)
    assert reduced_precision("cpu") is torch.bfloat16


def test_a_cpu_that_would_emulate_it_stays_in_float32(a_cpu):
    a_cpu()
    assert reduced_precision(torch.device("cpu")) is None
    a_cpu(*INSTRUCTIONS, onednn=False)
    assert reduced_precision("cpu") is None


def test_a_pytorch_that_cannot_be_asked_stays_in_float32(a_cpu, monkeypatch):
    a_cpu(*INSTRUCTIONS)
    for name in INSTRUCTIONS:
        monkeypatch.delattr(torch.cpu, name)
    assert reduced_precision("cpu") is None


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), torch.bfloat16), ((8, 0), torch.bfloat16), ((7, 5), torch.float16), ((6, 1), None)],
)
def test_a_gpu_computes_in_what_its_tensor_cores_multiply(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert reduced_precision("cuda:0") is expected


def test_other_devices_stay_in_float32():
    assert reduced_precision("mps") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("auto", torch.bfloat16)],
)
def test_a_precision_that_is_fast_can_be_chosen(a_cpu, name, expected):
    a_cpu(*INSTRUCTIONS)
    assert choose_precision(name, "cpu") is expected


@pytest.mark.parametrize("name", ["bf16", "fp16"])
def test_a_precision_that_would_be_emulated_is_refused(a_cpu, name):
    a_cpu()
    message = rf"{name} is not fast on this CPU \(.+\), which has nothing faster than fp32; use"
    with pytest.raises(ValueError, match=message):
        choose_precision(name, "cpu")
    assert choose_precision("auto", "cpu") is torch.float32


def test_a_cpu_with_bfloat16_is_not_one_with_float16(a_cpu):
    a_cpu(*INSTRUCTIONS)
    with pytest.raises(ValueError, match=r"fp16 is not fast on this CPU .* which has bf16"):
        choose_precision("fp16", "cpu")


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_a_new_gpu_takes_every_precision(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    assert choose_precision(name, "cuda").itemsize == (4 if name == "fp32" else 2)


def test_a_precision_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no precision 'half'; there are auto, fp32, bf16, fp16"):
        choose_precision("half", "cpu")


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


def conv_alone():
    torch.backends.cudnn.conv.fp32_precision = "ieee"


def everything():
    torch.backends.fp32_precision = "tf32"


def by_older_names():
    torch.backends.cuda.matmul.allow_tf32 = True


def matmul_on_the_cpu():
    torch.set_float32_matmul_precision("medium")


@newer
@pytest.mark.parametrize(
    "asked", [lambda: None, conv_alone, everything, by_older_names, matmul_on_the_cpu]
)
def test_full_precision_is_full_whatever_else_is_asked_for(restored, asked):
    """By default, a GPU rounds the inputs of a convolution to 10 bits."""
    asked()
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


def test_a_report_names_machine_and_versions():
    report = describe_machine()
    assert report["torch"] == torch.__version__.partition("+")[0]
    assert int(report["CPU cores"]) >= 1
    assert choose_device(report["device"]) is not None
