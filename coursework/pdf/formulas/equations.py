"""All formulas of a document: rewritten, translated by one call of pandoc, written as Typst."""

import json
import os
import re
import subprocess
import unicodedata
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from coursework.pdf.formulas.rewriter import Rewriter
from coursework.pdf.formulas.rules import RULES
from coursework.pdf.formulas.tex import (
    Macro,
    UnreadableFormulaError,
    expand,
    join,
    skip_spaces,
    tokenize,
)
from coursework.pdf.typst import string

_SECONDS = 60
_MARK = "//////// formula ////////"


@dataclass(frozen=True)
class Formula:
    """A formula as its author wrote it, in TeX without dollars; ``display`` if on its own line."""

    tex: str
    display: bool


def translate_formulas(formulas: list[Formula]) -> dict[Formula, str | None]:
    """Return the Typst code of each formula; ``None`` where the formula cannot be read.

    A macro that one formula defines holds for the formulas after it, as on a page with MathJax.
    """
    macros: dict[str, Macro] = {}
    rewritten: list[Rewriter | None] = []
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


def rewrite(tex: str, macros: dict[str, Macro]) -> Rewriter:
    """Rewrite a formula for pandoc.

    Parameters
    ----------
    tex
        The formula, without dollars.
    macros
        The macros of the page so far; definitions in this formula are added.

    Returns
    -------
    Rewriter
        With the TeX for pandoc in ``tex``; ``put_back`` completes what pandoc makes of it.

    Raises
    ------
    UnreadableFormulaError
        If a bracket or an argument is missing, or the formula is nested too deeply.
    """
    tex = re.sub("[\ue000-\uf8ff]", "", tex)
    tokens = expand(tokenize(tex), macros)
    skip_spaces(tokens)
    rewriter = Rewriter(RULES)
    try:
        rewriter.tex = join(rewriter.rewrite(tokens)).strip()
    except RecursionError:
        raise UnreadableFormulaError("nested too deeply") from None
    return rewriter


def _equation(formula: Formula, rewritten: Rewriter, math: str) -> str:
    if not rewritten.tex:
        return "[]"  # only definitions of macros
    options = f"block: {'true' if formula.display else 'false'}"
    if rewritten.tag and formula.display:
        options += f", numbering: _ => {string(rewritten.tag)}"
    elif rewritten.tag:
        math += f" quad {string(rewritten.tag)}"
    tex = " ".join(formula.tex.split())
    return f"equation({string(tex)}, {options}, ${rewritten.put_back(math)}$)"


def translate(formulas: list[str]) -> list[str | None]:
    """Translate display formulas in one call of pandoc, whose start takes most of the time.

    Parameters
    ----------
    formulas
        TeX, without dollars.

    Returns
    -------
    list
        Typst's notation for each, without dollars; ``None`` where pandoc does not understand it.
    """
    if not formulas:
        return []
    blocks = []
    for formula in formulas:
        math = {"t": "Math", "c": [{"t": "DisplayMath"}, formula]}
        # A line that no formula can hold marks where each translation ends.
        blocks += [{"t": "Para", "c": [math]}, {"t": "RawBlock", "c": ["typst", _MARK]}]
    document = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
    done = subprocess.run(
        [_pandoc(), "--from=json", "--to=typst", "--wrap=none"],
        input=json.dumps(document).encode(),
        capture_output=True,
        timeout=_SECONDS,
        check=True,
    )
    parts = _quote_accented(done.stdout.decode()).split(_MARK)[:-1]
    return [_between_dollars(part.strip()) for part in parts]


def _quote_accented(typst: str) -> str:
    """Write letters with accents as strings: Typst 0.14 fails on some of them in formulas."""

    def quote(match: re.Match[str]) -> str:
        char = match[1]
        return f'"{char}"' if char and unicodedata.decomposition(char)[:1] not in "<" else match[0]

    return re.sub(r'"[^"]*"|([\u00c0-\u1fff])', quote, unicodedata.normalize("NFC", typst))


def _between_dollars(markup: str) -> str | None:
    """Return a formula without dollars and label; pandoc shows what it cannot read as text."""
    match = re.fullmatch(r"\$ (.*) \$(<[^<>$]*>)?", markup, re.DOTALL)
    return match[1] if match else None


def _pandoc() -> Path:
    """Return the pandoc that its package brings, whatever other pandoc the machine has."""
    name = "pandoc.exe" if os.name == "nt" else "pandoc"
    return Path(str(distribution("pypandoc_binary").locate_file(f"pypandoc/files/{name}")))
