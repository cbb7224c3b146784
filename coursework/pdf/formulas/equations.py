"""All formulas of a document: rewritten, translated by one call of pandoc, written as Typst."""

import json
import os
import re
import subprocess
import unicodedata
from dataclasses import dataclass
from importlib.metadata import distribution

from coursework.pdf.formulas.delimiters import INFIXES
from coursework.pdf.formulas.rewriter import Page, Rewriter
from coursework.pdf.formulas.rules import RULES
from coursework.pdf.formulas.tex import UnreadableFormulaError, expand, join, skip_spaces, tokenize
from coursework.pdf.typst import string

_SECONDS = 60
_LONG = 80  # characters of Typst: with fewer, no formula is as wide as a page
_TALL = re.compile(r"^inlined\(.* / |^inlined\(.*(frac|binom|display|mat|cases|boxed|sized|lr)\(")
_MATH = re.compile(r'"t": "Math", "c": \[\{[^}]*\}, ("(?:[^"\\]|\\.)*")')
_MARK = "//////// formula ////////"


@dataclass(frozen=True)
class Formula:
    """A formula as its author wrote it."""

    tex: str  # without dollars
    display: bool  # it has a line of its own
    place: str = ""  # such as "cell 3"


@dataclass(frozen=True)
class Equation:
    """What became of a formula."""

    code: str | None  # in Typst; None if it cannot be read
    unknown_labels: tuple[str, ...] = ()  # to which it refers and which no equation has

    @property
    def tall(self) -> bool:
        """Whether a formula within a line may be taller than the line."""
        return self.code is not None and bool(_TALL.search(self.code))


def translate_formulas(formulas: list[Formula]) -> list[Equation]:
    """Translate the formulas of a document, in their order.

    A macro that one formula defines holds for the formulas after it, as on a page with MathJax.
    Equations are numbered through the whole document, and a reference may name a later equation.
    """
    page = Page()
    rewritten: list[Rewriter | None] = []
    for formula in formulas:
        try:
            rewritten.append(rewrite(formula.tex, page, formula.display))
        except UnreadableFormulaError:
            rewritten.append(None)
    translated = iter(translate([each.tex for each in rewritten if each and each.tex]))
    equations = []
    for formula, each in zip(formulas, rewritten, strict=True):
        math = next(translated) if each and each.tex else ""
        if each is None or math is None:
            equations.append(Equation(None))
        else:
            code = _equation(formula, each, math)
            equations.append(Equation(code, tuple(each.unknown_labels())))
    return equations


def rewrite(tex: str, page: Page, display: bool = True) -> Rewriter:
    """Rewrite a formula for pandoc; ``page`` holds what the formulas before this one have defined.

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
    rewriter = Rewriter(RULES, INFIXES, page, display)
    try:
        tokens = expand(tokenize(tex), page.macros)
        skip_spaces(tokens)
        rewriter.tex = join(rewriter.rewrite(tokens)).strip()
    except (RecursionError, ValueError) as error:  # also a number of thousands of digits
        raise UnreadableFormulaError(str(error)) from error
    rewriter.number = rewriter.take_number()
    return rewriter


def _equation(formula: Formula, rewritten: Rewriter, math: str) -> str:
    if not rewritten.tex:
        return "[]"  # only definitions of macros
    math = rewritten.put_back(math)
    tex = string(" ".join(formula.tex.split()))
    number = string(rewritten.number)
    if formula.display:
        option = f", number: {number}" if rewritten.number else ""
        return f"displayed({tex}, ${math} ${option})"
    math += f" quad {number}" if rewritten.number else ""
    option = ", long: true" if len(math) > _LONG else ""
    return f"inlined({tex}, ${math} ${option})"


def translate(formulas: list[str]) -> list[str | None]:
    """Return Typst's notation for display formulas; ``None`` where pandoc does not understand one.

    One call of pandoc translates all of them, since its start takes most of the time.
    """
    if not formulas:
        return []
    blocks = []
    distinct = list(dict.fromkeys(formulas))
    for formula in distinct:
        math = {"t": "Math", "c": [{"t": "DisplayMath"}, formula]}
        # A line that no formula can hold marks where each translation ends.
        blocks += [{"t": "Para", "c": [math]}, {"t": "RawBlock", "c": ["typst", _MARK]}]
    document = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
    typst = _run_pandoc("json", "typst", json.dumps(document))
    parts = _quote_accented(typst).split(_MARK)[:-1]
    translated = dict(zip(distinct, map(_between_dollars, parts), strict=True))
    return [translated[formula] for formula in formulas]


def tex_of_mathml(formulas: list[str]) -> list[str]:
    """Return the TeX of formulas in MathML, in one call of pandoc; empty for what is none."""
    if not formulas:
        return []
    paragraphs = "".join(f"<div>{formula}</div>" for formula in formulas)
    blocks = json.loads(_run_pandoc("html", "json", paragraphs))["blocks"]
    found = [_MATH.search(json.dumps(block)) for block in blocks]
    return [json.loads(match[1]) if match else "" for match in found]


def _run_pandoc(source: str, target: str, text: str) -> str:
    # The pandoc that the package brings, whatever other pandoc the machine has.
    name = "pandoc.exe" if os.name == "nt" else "pandoc"
    pandoc = str(distribution("pypandoc_binary").locate_file(f"pypandoc/files/{name}"))
    command = [pandoc, f"--from={source}", f"--to={target}", "--wrap=none"]
    done = subprocess.run(
        command, input=text.encode(), capture_output=True, timeout=_SECONDS, check=True
    )
    return done.stdout.decode()


def _quote_accented(typst: str) -> str:
    """Write letters with accents as strings: Typst 0.14 fails on some of them in formulas."""

    def quote(match: re.Match[str]) -> str:
        char = match[1]
        return f'"{char}"' if char and unicodedata.decomposition(char)[:1] not in "<" else match[0]

    return re.sub(r'"[^"]*"|([\u00c0-\u1fff])', quote, unicodedata.normalize("NFC", typst))


def _between_dollars(markup: str) -> str | None:
    """Return a formula without dollars and label; pandoc shows what it cannot read as text."""
    match = re.fullmatch(r"\$ (.*) \$(<[^<>$]*>)?", markup.strip(), re.DOTALL)
    return match[1] if match else None
