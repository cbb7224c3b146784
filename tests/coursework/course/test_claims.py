"""Figures that a hand-in claims are compared with what its code gives."""

import dataclasses
import json

from coursework.course.claims import compute, differences, figures_table, settings_of
from coursework.profiles import ROOT, get_profile


def test_a_figure_that_the_code_does_not_give_is_named():
    computed = {"accuracy": 0.80, "balanced accuracy": 0.5, "unclaimed": float("nan")}
    claimed = {"accuracy": 0.99, "balanced accuracy": 0.503, "of the flowers": 0.7}
    assert differences(claimed, computed) == ["claims accuracy 0.99, its code gives 0.8000"]
    for claim in ("best", [1], float("nan"), 10**400):
        assert differences({"accuracy": claim}, computed) != []


def test_settings_are_those_of_the_manifest_but_for_paths():
    profile = dataclasses.asdict(get_profile("embedded", imbalanced_epochs=3))
    settings = settings_of(json.loads(json.dumps(profile, default=str)))
    assert settings["imbalanced_epochs"] == 3
    assert not any(name.endswith("_root") for name in settings)
    assert get_profile("embedded", **settings).imbalanced_epochs == 3
    assert settings_of("nothing") == {}


def test_the_cells_of_the_notebook_give_the_figures_of_the_table():
    assert figures_table(ROOT, "hw3") is None
    notebook = ROOT / "notebooks" / "hw4_cnn.ipynb"
    figures = compute(ROOT, notebook, {"imbalanced_epochs": 1})
    assert 0.5 < figures["plain batches, accuracy"] <= 1
    assert "balanced batches, balanced accuracy" in figures
