"""From TeX formulas to Typst, as MathJax would show them: tokens, rules, one call of pandoc."""

from coursework.pdf.formulas.equations import Equation, Formula, tex_of_mathml, translate_formulas

__all__ = ["Equation", "Formula", "tex_of_mathml", "translate_formulas"]
