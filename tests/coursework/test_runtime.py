"""The machine: detected, never assumed."""

import pytest
import torch

from coursework.runtime import choose_device, describe_machine


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


def test_a_report_names_machine_and_versions():
    report = describe_machine()
    assert report["torch"] == torch.__version__.partition("+")[0]
    assert int(report["CPU cores"]) >= 1
    assert choose_device(report["device"]) is not None
