"""From TeX formulas to Typst, as MathJax would show them: tokens, rules, one call of pandoc."""

from coursework.pdf.formulas.equations import Equation, Formula, translate_formulas

__all__ = ["Equation", "Formula", "translate_formulas"]
