"""The file of all formulas, in Typst."""

from coursework.pdf.draft import Draft, Formula
from coursework.pdf.formulas.math import Rewritten, rewrite
from coursework.pdf.formulas.pandoc import translate
from coursework.pdf.formulas.tex import Macro, UnreadableFormulaError
from coursework.pdf.notebook import shorten
from coursework.pdf.typst import string


def write_formulas(draft: Draft, equations: dict[Formula, str | None]) -> None:
    """Write ``formulas.typ``: an array of equations, in the order of their numbers.

    Parameters
    ----------
    draft
        The document; a formula that cannot be read is added to its warnings and shown as TeX.
    equations
        What `translate_formulas` returned; ``None`` also for what Typst refused.
    """
    lines = []
    for formula in draft.formulas:
        equation = equations[formula]
        if equation is None:
            draft.warn(f"a formula cannot be read and is shown as TeX: {shorten(formula.tex)}")
            equation = f"verbatim-formula({string(_delimited(formula))})"
        lines.append(equation + ",\n")
    head = '#import "style.typ": boxed, colored, equation, verbatim-formula\n'
    source = f"{head}#let formulas = (\n{''.join(lines)})\n"
    (draft.folder / "formulas.typ").write_text(source, encoding="utf-8")


def translate_formulas(formulas: list[Formula]) -> dict[Formula, str | None]:
    """Return the Typst code of each formula, ``None`` where it cannot be read."""
    macros: dict[str, Macro] = {}
    rewritten: list[Rewritten | None] = []
    for formula in formulas:
        try:
            rewritten.append(rewrite(formula.tex, macros))
        except UnreadableFormulaError:
            rewritten.append(None)
    translated = iter(translate([each.tex for each in rewritten if each and each.tex]))
    code: dict[Formula, str | None] = {}
    for formula, each in zip(formulas, rewritten, strict=True):
        math = next(translated) if each and each.tex else ""
        code[formula] = None if each is None or math is None else _equation(formula, each, math)
    return code


def _equation(formula: Formula, rewritten: Rewritten, math: str) -> str:
    if not rewritten.tex:
        return "[]"  # only definitions of macros
    options = f"block: {'true' if formula.display else 'false'}"
    if rewritten.tag and formula.display:
        options += f", numbering: _ => {string(rewritten.tag)}"
    elif rewritten.tag:
        math += f" quad {string(rewritten.tag)}"
    tex = " ".join(formula.tex.split())
    return f"equation({string(tex)}, {options}, ${rewritten.finish(math)}$)"


def _delimited(formula: Formula) -> str:
    dollars = "$$" if formula.display else "$"
    return f"{dollars}{formula.tex}{dollars}"
