"""What Typst refuses is found and set aside; everything else is shown."""

from nbformat.v4 import new_code_cell, new_markdown_cell

from coursework.pdf.draft import Formula


def test_a_formula_that_typst_refuses_is_shown_as_tex(export, monkeypatch):
    from coursework.pdf import exporter
    from coursework.pdf.formulas import formulas

    def translate(found):
        code = formulas.translate_formulas(found)
        code[Formula("b", False)] = 'equation("b", block: false, $nosuchsymbol$)'
        return code

    monkeypatch.setattr(exporter, "translate_formulas", translate)
    done = export(new_markdown_cell("before $a$ and $b$ after"))
    assert "$b$" in done.text
    assert "before" in done.text
    assert "$a$" not in done.text
    assert done.report.warnings == ("a formula cannot be read and is shown as TeX: b",)


def test_a_cell_that_typst_refuses_is_shown_as_its_source(export, monkeypatch):
    from coursework.pdf import cells, exporter

    def write(draft, cell, language, show_input):
        if cell.source == "bad":
            return "#nosuchfunction()"
        return cells.write_cell(draft, cell, language, show_input)

    monkeypatch.setattr(exporter, "write_cell", write)
    done = export(new_code_cell("good"), new_code_cell("bad"), new_markdown_cell("*fine*"))
    assert "[this cell could not be converted; its source follows]" in done.text
    for word in ("good", "bad", "fine"):
        assert word in done.text
    assert done.report.warnings == (
        "cell 2: the cell cannot be converted and is shown as its source",
    )
