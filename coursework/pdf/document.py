"""The document that Typst gets, and the search for the parts of it that Typst refuses."""

import unicodedata
from dataclasses import dataclass, field
from importlib import resources

from coursework.pdf.css import reads_right_to_left
from coursework.pdf.draft import Draft
from coursework.pdf.formulas import Equation, Formula
from coursework.pdf.inline import write_text
from coursework.pdf.notebook import Head, shorten
from coursework.pdf.typst import compiles, font_advice, string

_HERE = resources.files("coursework.pdf")
_CELLS_HEAD = '#import "style.typ": *\n#import "formulas.typ": formulas, lines\n'
_FORMULAS_HEAD = '#import "math.typ": *\n#import "style.typ": tall-lines, verbatim-formula\n'
# No face has the keys of 1️⃣: a box is drawn around the digit.
_KEYCAPS = """#show regex("[0-9#*]\\u{fe0f}?\\u{20e3}"): it => keycap(it.text.codepoints().first())
"""
# Lines of text, with the numbers of the formulas in them.
_LINES = """#let lines(numbers, body, ..options) = {{
  if numbers.any(number => number in ({})) {{ tall-lines(body, ..options) }} else {{ body }}
}}
"""


def write_document(draft: Draft, head: Head, cells: list[str], equations: list[Equation]) -> None:
    """Write the files of a document: ``main.typ``, ``formulas.typ`` and what they import.

    The draft gets a warning for each formula that is shown as TeX.
    """
    # The mark keeps the digits of the ID at the right of a name that reads from right to left.
    between = "\u200e · " if reads_right_to_left(head.author) else " · "
    identity = between * bool(head.author and head.student_id) + head.student_id
    source = _CELLS_HEAD
    if any("\u20e3" in text for text in (*cells, head.title, head.author)):
        source += _KEYCAPS
    source += f"""#show: document-style.with(
  title: {string(head.title)},
  author: {string(head.author)},
  left-head: {_page_head(" · ".join(filter(None, (head.course, head.title))), "")},
  right-head: {_page_head(head.author, identity)},
)
"""
    title = [] if head.title_in_text else [f"#titled(1, 1, none)[{write_text(head.title)}]"]
    source += "\n\n".join([*title, *cells])
    (draft.folder / "main.typ").write_text(source, encoding="utf-8")
    for name in ("style.typ", "math.typ"):
        (draft.folder / name).write_bytes((_HERE / name).read_bytes())
    _write_formulas(draft, equations)


def _page_head(words: str, rest: str) -> str:
    """Return Typst code of a head: what may be shortened, what follows, and the markup of both.

    In markup, unlike in a string, a word that is wider than the page breaks.
    """
    return f"({string(words)}, {string(rest)}, [{write_text(words + rest)}])"


def _write_formulas(draft: Draft, equations: list[Equation]) -> None:
    """Write ``formulas.typ``: an array of equations, in the order of their numbers."""
    lines = []
    for formula, equation in zip(draft.formulas, equations, strict=True):
        for label in equation.unknown_labels:
            warning = f"a reference names no equation and is shown as ???: {shorten(label)}"
            draft.warn(warning, formula.place)
        code = equation.code
        if code is None:
            warning = f"a formula cannot be read and is shown as TeX: {shorten(formula.tex)}"
            draft.warn(warning, formula.place)
            dollars = "$$" if formula.display else "$"
            code = f"verbatim-formula({string(dollars + formula.tex + dollars)})"
        lines.append(code + ",\n")
    tall = "".join(f"{number}, " for number, each in enumerate(equations) if each.tall)
    source = f"{_FORMULAS_HEAD}#let formulas = (\n{''.join(lines)})\n{_LINES.format(tall)}"
    (draft.folder / "formulas.typ").write_text(source, encoding="utf-8")


def warn_of_small_formulas(draft: Draft, too_small: tuple[str, ...]) -> None:
    """Warn of the formulas that the page shows as TeX, since they are wide and cannot be broken."""
    for formula in draft.formulas:
        if " ".join(formula.tex.split()) in too_small:
            warning = f"a formula is too wide and is shown as TeX: {shorten(formula.tex)}"
            draft.warn(warning, formula.place)


def warn_of_boxes(
    draft: Draft,
    missing: tuple[str, ...],
    head: Head,
    cells: dict[str, str],
    equations: list[Equation],
) -> None:
    """Warn of the characters that no font has, in the head of the pages and in each cell.

    Parameters
    ----------
    missing
        The characters, each alone or with its marks.
    cells
        The markup of each cell, by its place.
    """
    texts = {"the head of the pages": f"{head.title} {head.author} {head.student_id} {head.course}"}
    for place, markup in cells.items():
        drawings = [
            data.decode("utf-8", "ignore")
            for data, name in draft.images.items()
            if name.endswith(".svg") and string(name) in markup
        ]
        formulas = [
            f"{formula.tex} {equation.code}"
            for formula, equation in zip(draft.formulas, equations, strict=True)
            if formula.place == place
        ]
        texts[place] = "\n".join((markup, *drawings, *formulas))
    # With a mark that is missing, its letter is said to be missing.
    signs = [sign for sign in missing if not sign.isascii()]
    lost = set(signs)
    for place, text in texts.items():
        found = [sign for sign in signs if sign in text]
        lost -= {*found}
        if found:
            draft.warn(font_advice([*map(_named, found)]), place)
    if lost:
        draft.warn(font_advice([_named(sign) for sign in signs if sign in lost]))


def _named(sign: str) -> str:
    """Return a character, or the number of one that is not seen by itself."""
    is_seen = len(sign) > 1 or unicodedata.category(sign)[0] not in "CMZ"
    return sign if is_seen else f"U+{ord(sign):04X}"


@dataclass
class Refused:
    """What Typst refused so far: shown as its source or as a note, so that the rest is not lost."""

    formulas: set[Formula] = field(default_factory=set)  # pandoc translated them, but not well
    images: set[bytes] = field(default_factory=set)  # contents of damaged files
    cells: set[int] = field(default_factory=set)  # numbers from 0: they fail for another reason

    def search(self, draft: Draft, equations: list[Equation], cells: list[str]) -> bool:
        """Try the parts of a refused document one by one, and say whether one was found.

        Whole cells are tried only if no smaller part is to blame.
        """

        def refuses(source: str) -> bool:
            return not compiles(draft.folder, source)

        images = {data for data, name in draft.images.items() if refuses(f"#image({string(name)})")}
        codes = {equation.code for equation in equations if equation.code is not None}
        wrong = {code for code in codes if refuses(f"{_FORMULAS_HEAD}#{code}")}
        formulas = {
            formula
            for formula, equation in zip(draft.formulas, equations, strict=True)
            if equation.code in wrong
        }
        numbers = set()
        if not images and not formulas:
            numbers = {number for number, cell in enumerate(cells) if refuses(_CELLS_HEAD + cell)}
        self.images |= images
        self.formulas |= formulas
        self.cells |= numbers
        return bool(images or formulas or numbers)
