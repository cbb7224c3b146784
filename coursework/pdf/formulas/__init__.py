"""From TeX formulas to Typst, as MathJax would show them: tokens, rules, one call of pandoc."""

from coursework.pdf.formulas.equations import Formula, translate_formulas

__all__ = ["Formula", "translate_formulas"]
