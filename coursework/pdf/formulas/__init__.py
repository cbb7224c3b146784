"""From TeX formulas to Typst, as MathJax would show them."""
