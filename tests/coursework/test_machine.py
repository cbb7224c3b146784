"""What a report says of the machine."""

import sys

import torch

from coursework.machine import describe_machine
from coursework.runtime import choose_device


def test_a_report_names_machine_and_versions():
    report = describe_machine()
    assert report["torch"] == torch.__version__.partition("+")[0]
    assert int(report["CPU cores"]) >= 1
    assert choose_device(report["device"]) is not None


def test_without_torch_the_rest_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "coursework.runtime")
    report = describe_machine()
    assert report["device"] == "none without torch"
    assert int(report["CPU cores"]) >= 1
