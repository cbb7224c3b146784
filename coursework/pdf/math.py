r"""Formulas: TeX mended before pandoc reads it, Typst mended after pandoc wrote it.

Pandoc reads nearly all of TeX's mathematics, but not quite as MathJax shows it in a notebook. Each
rule below names what would be lost without it.
"""

import re
from collections.abc import Callable

# Applied to TeX, in this order: pattern and replacement.
_TEX_RULES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    # MathJax loads extensions on demand; here everything is loaded.
    (r"\\require\s*\{[^{}]*\}", ""),
    (r"\\(label|nonumber|notag|allowbreak)(?![A-Za-z])(\s*\{[^{}]*\})?", ""),
    # Spaces that pandoc turns into 0 or -1 em, so that letters stand on each other.
    (r"\\!", r"\\text{⟦thin-⟧}"),
    (r"\\;", r"\\text{⟦thick⟧}"),
    # Without a group, pandoc gives the subscript of \|x\|_2 to the bar as a limit.
    (r"\\\|", r"\\Vert{}"),
    (r"\\cfrac(?![A-Za-z])", r"\\dfrac"),
    (r"\\unicode\s*\{x([0-9A-Fa-f]+)\}", lambda m: chr(int(m[1], 16))),
    (r"\\surd(?![A-Za-z])", "√"),
)


def mend_tex(tex: str) -> str:
    """Return TeX that pandoc reads as MathJax would."""
    for pattern, replacement in _TEX_RULES:
        tex = re.sub(pattern, replacement, tex)
    return tex.strip()


def mend_typst(math: str) -> str:
    """Return Typst's notation for what pandoc wrote."""
    math = math.replace('upright("⟦thin-⟧")', "#h(-0.1667em)").replace(
        'upright("⟦thick⟧")', "thick"
    )
    # A term list may not start where a line does.
    return re.sub(r"^(\s*)([/=+-])", r"\1\\\2", math, flags=re.MULTILINE)
