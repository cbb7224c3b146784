"""Every symbol that pandoc can write is one that this release of Typst knows.

Both programs name symbols in words, and Typst renames them from release to release. One name that
is gone would be a compile error in every notebook that uses it.
"""

import re
import unicodedata

from coursework.pdf.formulas.equations import translate

# The blocks of Unicode that hold symbols of mathematics, letters in its alphabets, and accents.
BLOCKS = (
    (0x00A0, 0x0600), (0x2000, 0x2C00), (0x3000, 0x3020), (0x1D400, 0x1D800), (0x1EE00, 0x1EF00),
)  # fmt: skip
ACCENTS = [
    "hat", "widehat", "bar", "overline", "underline", "tilde", "widetilde", "vec", "dot", "ddot",
    "acute", "grave", "check", "breve", "overbrace", "underbrace", "overrightarrow",
    "overleftarrow", "cancel", "boldsymbol", "mathbf", "mathcal", "mathfrak",
]  # fmt: skip


def test_every_symbol_compiles(refused):
    characters = [chr(code) for first, last in BLOCKS for code in range(first, last)]
    symbols = [c for c in characters if unicodedata.category(c)[0] in "LSPN"]
    formulas = [f"a {symbol} b" for symbol in symbols] + [rf"\{name}{{x}}" for name in ACCENTS]
    written = [math for math in translate(formulas) if math]
    names = set(re.findall(r"(?<![\w#\".])[A-Za-z]{2,}(?:\.[a-z]+)*", " ".join(written)))
    assert len(names) > 900
    assert refused([f"$ {math} $" for math in written]) == []


def test_a_name_that_does_not_exist_is_seen(refused):
    assert refused(["$ alpha $", "$ nosuchsymbol $", "$ beta $"]) == ["$ nosuchsymbol $"]
