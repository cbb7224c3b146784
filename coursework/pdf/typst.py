"""The Typst compiler: literals for its source, its fonts, and what it says about a document."""

import re
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

TOOLS = {
    "typst": ("0.14", "typst>=0.14,<0.15"),
    "pypandoc_binary": ("1.17", "pypandoc_binary>=1.17,<1.18"),
}
"""The packages of the compiler and of pandoc: the release of each that suits the other, and a pin.

Pandoc writes the names of symbols, which Typst changes from release to release.
"""

FONT_PACKAGES = ("noto_cjk_sans_jp_regular", "manimgx_fonts")
"""Chinese, Japanese and Korean; emoji and more. Both come with the project; neither is needed."""

# Beyond the symbols: Chinese, Japanese, Korean and emoji, which Typst's own fonts lack.
_LAST_WESTERN = "\u2e7f"

_NO_GLYPH = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)


class PdfToolError(RuntimeError):
    """A program that the export needs is missing, or its release does not fit."""


class RefusedError(RuntimeError):
    """Typst refused a document for what is in it."""


@dataclass(frozen=True)
class Compiled:
    """A PDF, and the characters that no font could show.

    Attributes
    ----------
    pdf
        The file.
    missing
        Each character once, in order of appearance; the page shows an empty box for it.
    """

    pdf: bytes
    missing: tuple[str, ...]


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
    for package, (release, pin) in TOOLS.items():
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            raise PdfToolError(f'{package} is not installed; run: pip install "{pin}"') from None
        if not f"{found}.".startswith(f"{release}."):
            raise PdfToolError(
                f'{package} {found} does not fit; {release} is needed: pip install "{pin}"'
            )


def font_folders() -> list[Path]:
    """Return the folders of the font packages that are installed."""
    specs = [find_spec(package) for package in FONT_PACKAGES]
    return [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]


def font_advice(missing: tuple[str, ...]) -> str:
    """Return a warning that names the characters that no font has, and says what would help."""
    shown = " ".join(missing[:20]) + (" …" if len(missing) > 20 else "")
    names = " ".join(package.replace("_", "-") for package in FONT_PACKAGES)
    return (
        f"no font here has these {len(missing)} characters, they are printed as boxes: {shown} "
        f"(pip install {names} brings Chinese, Japanese, Korean, emoji and more)"
    )


def compile_pdf(folder: Path) -> Compiled:
    """Compile ``main.typ`` in ``folder``.

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
    packages = font_folders()
    attempts: list[tuple[list[Path], bool]] = [([], False), (packages, False), (packages, True)]
    if any(char > _LAST_WESTERN for char in (folder / "main.typ").read_text(encoding="utf-8")):
        del attempts[0]  # it would fail, and take as long as the one that succeeds
    missing: list[str] = []
    for folders, system in attempts:
        try:
            return Compiled(_compile(folder, folders, system, ["ua-1"]), ())
        except RefusedError as refusal:
            missing = list(dict.fromkeys(_NO_GLYPH.findall(str(refusal))))
            if not missing:
                break
    return Compiled(_compile(folder, packages, True, []), tuple(missing))


def _compile(
    folder: Path, font_folders: list[Path], system_fonts: bool, standards: list[str]
) -> bytes:
    import typst  # takes 20 ms, and its absence is reported by check_tools

    try:
        return typst.compile(
            folder / "main.typ",
            root=folder,
            font_paths=[*font_folders],
            ignore_system_fonts=not system_fonts,
            pdf_standards=cast(Any, standards),  # the stub lists those of an older release
        )
    except typst.TypstError as error:
        raise RefusedError(error.diagnostic) from error


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
