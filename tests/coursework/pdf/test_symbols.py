"""Every symbol that pandoc can write is one that this release of Typst knows.

Both programs name symbols in words, and Typst renames them from release to release. One name that
is gone would be a compile error in every notebook that uses it.
"""

import re
import unicodedata

import pytest

from coursework.pdf.formulas.equations import translate
from coursework.pdf.typst import compiles

# The blocks of Unicode that hold symbols of mathematics, letters in its alphabets, and accents.
BLOCKS = (
    (0x00A0, 0x0600), (0x2000, 0x2C00), (0x3000, 0x3020), (0x1D400, 0x1D800), (0x1EE00, 0x1EF00),
)  # fmt: skip
ACCENTS = [
    "hat", "widehat", "bar", "overline", "underline", "tilde", "widetilde", "vec", "dot", "ddot",
    "acute", "grave", "check", "breve", "overbrace", "underbrace", "overrightarrow",
    "overleftarrow", "cancel", "boldsymbol", "mathbf", "mathcal", "mathfrak",
]  # fmt: skip


@pytest.fixture(scope="module")
def written():
    """Return what pandoc writes for each character and accent that it can be given."""
    characters = [chr(code) for first, last in BLOCKS for code in range(first, last)]
    symbols = [c for c in characters if unicodedata.category(c)[0] in "LSPN"]
    formulas = [f"a {symbol} b" for symbol in symbols] + [rf"\{name}{{x}}" for name in ACCENTS]
    return [math for math in translate(formulas) if math]


def names(math):
    """Return the names of symbols and functions in a formula: two letters or more, with dots."""
    return set(re.findall(r"(?<![\w#\".])[A-Za-z]{2,}(?:\.[a-z]+)*", re.sub(r'"[^"]*"', "", math)))


def refused(folder, formulas):
    """Return those that Typst does not accept; halving finds them among thousands."""
    if compiles(folder, "\n".join(f"$ {formula} $" for formula in formulas)):
        return []
    if len(formulas) == 1:
        return formulas
    half = len(formulas) // 2
    return refused(folder, formulas[:half]) + refused(folder, formulas[half:])


def test_every_name_compiles(written, tmp_path):
    found = sorted(set().union(*map(names, written)))
    assert len(found) > 900
    assert refused(tmp_path, found) == []


def test_every_formula_compiles(written, tmp_path):
    assert refused(tmp_path, written) == []


def test_a_name_that_does_not_exist_is_seen(tmp_path):
    assert refused(tmp_path, ["alpha", "nosuchsymbol", "beta"]) == ["nosuchsymbol"]
