"""The file of all formulas, in Typst."""

from coursework.pdf.draft import Draft, Formula
from coursework.pdf.math import mend_tex, mend_typst
from coursework.pdf.notebook import shorten
from coursework.pdf.pandoc import translate
from coursework.pdf.typst import string


def write_formulas(draft: Draft, refused: frozenset[int] = frozenset()) -> None:
    """Write ``formulas.typ``: an array of equations, in the order of their numbers.

    Parameters
    ----------
    draft
        The document; a formula that pandoc does not understand is added to its warnings.
    refused
        Numbers of formulas that Typst refused: they are shown as TeX, too.
    """
    formulas = list(draft.formulas)
    translated = translate([mend_tex(formula.tex) for formula in formulas])
    lines = []
    for number, (formula, math) in enumerate(zip(formulas, translated, strict=True)):
        if math is None or number in refused:
            draft.warn(f"a formula cannot be read and is shown as TeX: {shorten(formula.tex)}")
            lines.append(f"verbatim-formula({string(_delimited(formula))}),")
        else:
            lines.append(_equation(formula, mend_typst(math)))
    source = '#import "style.typ": *\n#let formulas = (\n' + "\n".join(lines) + "\n)\n"
    (draft.folder / "formulas.typ").write_text(source, encoding="utf-8")


def _equation(formula: Formula, math: str) -> str:
    display = "true" if formula.display else "false"
    return f"math.equation(block: {display}, alt: {string(formula.tex.strip())}, ${math}$.body),"


def _delimited(formula: Formula) -> str:
    dollars = "$$" if formula.display else "$"
    return f"{dollars}{formula.tex}{dollars}"
