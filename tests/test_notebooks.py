"""Notebooks tell the story: committed without outputs, with parameters, and without logic."""

import ast

import nbformat
import pytest

from coursework.profiles import ROOT


@pytest.fixture(params=sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def notebook(request):
    found = nbformat.read(request.param, as_version=4)
    nbformat.validate(found)
    return found


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_committed_without_outputs(notebook):
    for cell in code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_its_first_two_cells_take_the_profile(notebook):
    first, second = code_cells(notebook)[:2]
    assert first.metadata.get("tags") == ["parameters"]
    assert first.source == 'profile = "embedded"\noverrides = {}'
    assert "from coursework.profiles import get_profile" in second.source
    assert "settings = get_profile(profile, **overrides)" in second.source


def test_its_kernel_is_any_python_3(notebook):
    assert notebook.metadata.kernelspec.name == "python3"


def test_no_cell_has_a_loop_or_a_branch(notebook):
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if not line.startswith("%")]
        for node in ast.walk(ast.parse("\n".join(lines))):
            assert not isinstance(node, ast.For | ast.While | ast.If), cell.source


def test_hw3_shows_the_functions_that_answer_it():
    path = ROOT / "notebooks" / "hw3_dnn.ipynb"
    shown = [
        name.split(".")[-1]
        for cell in code_cells(nbformat.read(path, as_version=4))
        for node in ast.walk(ast.parse(cell.source.replace("%", "#")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "show_source"
        for name in map(ast.unparse, node.args)
    ]
    assert {
        "run_rows", "extract",
        "one_hot", "softmax", "cross_entropy", "logits", "gradient", "apply_gradients",
        "predict_proba", "predict", "accuracy", "train", "measure",
        "roc_curve", "auc",
    } <= set(shown)  # fmt: skip


def test_cells_are_short(notebook):
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 15, cell.source
