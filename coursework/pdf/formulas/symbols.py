"""Symbols and functions that pandoc does not know, or shows as another than MathJax does."""

SYMBOLS = {
    "argmin": 'op("arg min", limits: #true)', "argmax": 'op("arg max", limits: #true)',
    "liminf": 'op("lim inf", limits: #true)', "limsup": 'op("lim sup", limits: #true)',
    "injlim": 'op("inj lim", limits: #true)', "projlim": 'op("proj lim", limits: #true)',
    "longrightarrow": "arrow.r.long", "longleftarrow": "arrow.l.long",
    "longleftrightarrow": "arrow.l.r.long", "Longrightarrow": "arrow.r.double.long",
    "Longleftarrow": "arrow.l.double.long", "Longleftrightarrow": "arrow.l.r.double.long",
    "iff": "arrow.l.r.double.long", "longmapsto": "arrow.r.long.bar",
    "mod": '#h(1em)"mod"#h(0.333em)', "surd": "sqrt(#h(0pt))", "oiint": "integral.surf",
    "intop": "limits(integral)",
    "smallint": "inline(integral)", "And": r"\&", "S": '"§"', "P": '"¶"', "copyright": '"©"',
    "AA": '"Å"', "degree": '"°"', "circledS": '"Ⓢ"', "ldotp": ".", "notChar": '"⧸"',
    "divsymbol": "div", "diagup": '"╱"', "diagdown": '"╲"', "thicksim": "tilde.op",
    "thickapprox": "approx", "doublecap": "inter.double", "doublecup": "union.double",
    "llless": "lt.triple", "gggtr": "gt.triple", "shortmid": "divides", "shortparallel": "parallel",
    "nshortmid": "divides.not", "nshortparallel": "parallel.not", "nleqq": "lt.eq.not",
    "ngeqq": "gt.eq.not", "lvertneqq": "lt.neq", "gvertneqq": "gt.neq",
    "nsubseteqq": "subset.eq.not", "nsupseteqq": "supset.eq.not",
    "varsupsetneq": "supset.neq", "varsubsetneqq": 'class("relation", "⫋")',
    "varsupsetneqq": 'class("relation", "⫌")',
}  # fmt: skip
"""Typst for the name of each command."""
