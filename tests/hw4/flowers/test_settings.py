"""Coding part 1, settings: what is out of range is refused, and which precision is taken."""

import math

import pytest
import torch

from hw4.flowers import TrainingSettings, choose_precision

pytestmark = pytest.mark.hw4_flowers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("learning_rate", 0),
        ("learning_rate", math.nan),
        ("batch_size", 0),
        ("momentum", 1),
        ("weight_decay", -1),
        ("schedule", "linear"),
        ("patience", 0),
        ("seed", -1),
        ("precision", "half"),
        ("cache_bytes", -1),
    ],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value!r}, expected"):
        TrainingSettings(**{name: value})


def test_reduced_precision_is_taken_where_the_hardware_has_it(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr("coursework.runtime.reduced_precision", lambda device: torch.bfloat16)
    assert choose_precision("auto", cpu) is choose_precision("bf16", cpu) is torch.bfloat16
    assert choose_precision("fp32", cpu) is None
    monkeypatch.setattr("coursework.runtime.reduced_precision", lambda device: None)
    assert choose_precision("auto", cpu) is None
    with pytest.raises(ValueError, match="bf16 is not fast on this CPU"):
        choose_precision("bf16", cpu)
