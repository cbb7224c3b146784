"""Two real notebooks and a hundred real formulas, where the shared data is at hand.

That nothing of the notebooks is lost says the check of the PDF, in ``tests/coursework/check``.
"""

import re

import nbformat
import pytest

from coursework.pdf import export_pdf
from coursework.pdf.formulas import Formula, translate_formulas


@pytest.mark.parametrize("name", ["hw", "small"])
def test_a_real_notebook_has_its_figures_formulas_and_one_line_a_bar(
    shared_notebooks, tmp_path, read_back, name
):
    pdf = tmp_path / "real.pdf"
    done = read_back(export_pdf(shared_notebooks / f"{name}.ipynb", pdf))
    assert done.images == 6
    assert not any("image" in warning for warning in done.report.warnings)
    assert not re.findall(r"\\(frac|begin\{a|operatorname|nabla|require)", done.text)
    assert done.text.count("epoch 1:") == (name == "hw")
    assert name == "hw" or done.report.warnings == ()


def test_all_formulas_are_translated(shared_notebooks, tmp_path):
    source = (shared_notebooks / "formulas.txt").read_text(encoding="utf-8").splitlines()
    equations = translate_formulas([Formula(tex, True) for tex in source])
    assert len(source) == 101
    assert [tex for tex, each in zip(source, equations, strict=True) if each.code is None] == []
    cells = [nbformat.v4.new_markdown_cell(f"$${tex}$$") for tex in source]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "formulas.ipynb")
    report = export_pdf(tmp_path / "formulas.ipynb", tmp_path / "formulas.pdf")
    # Three Chinese characters have no glyph without an optional font; every formula is accepted.
    assert [w for w in report.warnings if "no font here has these" not in w] == []
