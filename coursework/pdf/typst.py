"""The Typst compiler: literals for its source, its fonts, and what it says about a document."""

import json
import re
import shutil
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from packaging.requirements import Requirement

from coursework.pdf.textlayer import IN_PIECES, mend_text_layer

TOOLS = {
    "typst": "typst>=0.14.4,<0.15",
    "pypandoc_binary": "pypandoc_binary>=1.17,<1.18",
}
"""The packages of the compiler and of pandoc, with the releases of each that suit the other.

Pandoc writes the names of symbols, which Typst changes from release to release.
"""

FONT_PACKAGES = ("noto_cjk_sans_jp_regular", "manimgx_fonts")
"""Chinese, Japanese and Korean; emoji and more. Both come with the project; neither is needed."""

# What no text face of Typst's own has: other scripts than Latin, Greek, Cyrillic and Hebrew, and
# emoji. Typst would take some of it from its typewriter face and from its mathematics font, which
# does not join the letters of Devanagari.
_NEEDS_PACKAGES = re.compile("[\u0530-\u058f\u0600-\u1cff\u20d0-\u20dc\u2e80-\U0010ffff]")

# What matplotlib has the best faces for. From the packages above Typst draws an Arabic letter in
# pieces, which a reader copies one by one; no other face has the arrow of x⃗ and its letter; and
# mathematical letters in prose are text.
_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff]")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_FACES = {
    re.compile(f"{_ARABIC.pattern}|[\u20d0-\u20dc]"): ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    re.compile("[\u20d0-\u20dc]"): ("DejaVuSans-Oblique.ttf", "DejaVuSans-BoldOblique.ttf"),
    _MATHEMATICAL: ("STIXGeneral.ttf",),
}

_NO_GLYPH = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}")
_MOST_NAMED = 100


class PdfToolError(RuntimeError):
    """A program that the export needs is missing, or its release does not fit."""


class RefusedError(RuntimeError):
    """Typst refused a document for what is in it."""


@dataclass(frozen=True)
class Compiled:
    """A PDF, and what it cannot show.

    Attributes
    ----------
    missing
        Each character or combination of them that no font has, once, in order of appearance; the
        page shows an empty box for it.
    too_small
        The TeX of each formula that fits on the page only in letters too small to be read.
    """

    pdf: bytes
    too_small: tuple[str, ...]
    missing: tuple[str, ...] = ()


def string(text: str) -> str:
    """Return ``text`` as a Typst string literal: the one way in for anything a student wrote.

    Inside a literal nothing is markup, so there is nothing to escape and nothing to inject.
    """
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f'"{text}"'


def literal(text: str) -> str:
    """Return markup that shows ``text`` as it is; the semicolon ends the code expression."""
    return f"#{string(text)};" if text else ""


def check_tools() -> None:
    """Raise `PdfToolError` unless Typst and pandoc are there, in the releases that fit."""
    for package, pin in TOOLS.items():
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            raise PdfToolError(f'{package} is not installed; run: pip install "{pin}"') from None
        if not Requirement(pin).specifier.contains(found):
            raise PdfToolError(f'{package} {found} does not fit; run: pip install "{pin}"')


def font_folders() -> list[Path]:
    """Return the folders of the font packages that are installed."""
    specs = [find_spec(package) for package in FONT_PACKAGES]
    return [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]


def font_advice(missing: list[str]) -> str:
    """Return a warning that names the characters that no font has, and says what would help."""
    shown = " ".join(missing[:_MOST_NAMED]) + (" …" if len(missing) > _MOST_NAMED else "")
    warning = (
        f"no font here has these {len(missing)} characters, they are printed as boxes: {shown}"
    )
    if len(font_folders()) == len(FONT_PACKAGES):
        return warning
    names = " ".join(package.replace("_", "-") for package in FONT_PACKAGES)
    return f"{warning} (pip install {names} brings Chinese, Japanese, Korean, emoji and more)"


def compile_pdf(folder: Path) -> Compiled:
    """Compile ``main.typ`` in ``folder``, which imports ``formulas.typ``.

    Each attempt asks for PDF/UA-1, the standard for accessible files. The standard forbids empty
    boxes, so Typst refuses a character without a glyph by name, and another attempt has more fonts:
    first those of Typst alone, so that most documents are the same on every machine, then those of
    the pip packages, then those of the system. The last attempt, without the standard, reports
    what is still missing.

    Raises
    ------
    RefusedError
        If the source itself is wrong.
    """
    source = (folder / "main.typ").read_text(encoding="utf-8")
    source += _MATHEMATICAL.sub("", (folder / "formulas.typ").read_text(encoding="utf-8"))
    packages = [*font_folders(), *_copy_faces(folder, source)]
    attempts: list[tuple[list[Path], bool]] = [([], False), (packages, False), (packages, True)]
    if _NEEDS_PACKAGES.search(source):
        del attempts[0]
    missing: list[str] = []
    for folders, system in attempts:
        try:
            return _compile(folder, folders, system, ["ua-1"])
        except RefusedError as refusal:
            texts = dict.fromkeys(_NO_GLYPH.findall(str(refusal)))
            missing = [_ESCAPE.sub(lambda code: chr(int(code[1], 16)), text) for text in texts]
            if not missing:
                break
    return replace(_compile(folder, packages, True, []), missing=tuple(missing))


def _copy_faces(folder: Path, source: str) -> list[Path]:
    """Copy the faces of matplotlib that a text needs, and return their folder, if there is one.

    They are copied because Typst would take signs of other scripts from the other faces there.
    """
    needed = [name for script, names in _FACES.items() if script.search(source) for name in names]
    if _ARABIC.search(source):
        # For words in italics, Typst would not look beyond the oblique faces.
        needed = [name for name in needed if "Oblique" not in name]
    spec = find_spec("matplotlib")
    if not needed or spec is None or not spec.origin:
        return []
    target = folder / "faces"
    target.mkdir(exist_ok=True)
    for name in needed:
        shutil.copy(Path(spec.origin).parent / "mpl-data/fonts/ttf" / name, target)
    return [target]


def _compile(
    folder: Path, font_folders: list[Path], system_fonts: bool, standards: list[str]
) -> Compiled:
    import typst  # takes 20 ms, and its absence is reported by check_tools

    compiler = typst.Compiler(
        folder / "main.typ",
        root=folder,
        font_paths=[*font_folders],
        ignore_system_fonts=not system_fonts,
    )
    try:
        # The stub lists the standards of an older release.
        pdf = cast(bytes, compiler.compile(format="pdf", pdf_standards=cast(Any, standards)))
        too_small = json.loads(compiler.query("<too-small>", field="value"))
    except typst.TypstError as error:
        raise RefusedError(error.diagnostic) from error
    source = (folder / "main.typ").read_text(encoding="utf-8")
    pdf = mend_text_layer(pdf) if IN_PIECES.search(source) else pdf
    return Compiled(pdf, tuple(too_small))


def compiles(folder: Path, source: str) -> bool:
    """Whether Typst accepts a document with the files in ``folder``."""
    import typst

    trial = folder / "trial.typ"
    trial.write_text(source, encoding="utf-8")
    try:
        typst.compile(trial, root=folder, ignore_system_fonts=True)
    except typst.TypstError:
        return False
    return True


def page_count(pdf: bytes) -> int:
    """Return the number of pages that a PDF by Typst says it has."""
    match = re.search(rb"/Type /Pages\s+/Count (\d+)", pdf)
    return int(match[1]) if match else 0
