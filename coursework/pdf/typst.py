"""The Typst compiler: literals for its source, and what it says about a document."""

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, cast

PIN = "typst>=0.14,<0.15"

# Beyond the symbols: Chinese, Japanese, Korean and emoji, which Typst's own fonts lack.
_LAST_WESTERN = "\u2e7f"


class PdfToolError(RuntimeError):
    """A program that the export needs is missing, or of a release that does not fit."""


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


def check_typst() -> None:
    """Raise `PdfToolError` unless the compiler is there and its release writes what we expect."""
    try:
        found = metadata.version("typst")
    except metadata.PackageNotFoundError:
        raise PdfToolError(f'Typst is not installed; run: pip install "{PIN}"') from None
    if not found.startswith("0.14."):
        raise PdfToolError(
            f"Typst {found} renames symbols that pandoc 3.9 writes; "
            f'0.14 is needed: pip install "{PIN}"'
        )


def compile_pdf(folder: Path, font_folders: list[Path]) -> Compiled:
    """Compile ``main.typ`` in ``folder``.

    Each attempt asks for PDF/UA-1, the standard for accessible files. It forbids empty boxes, so a
    character without a glyph is refused by name; then more fonts may help: those of Typst are tried
    first, so that most documents are the same on every machine, then those of pip packages, then
    the system's. What is still missing is reported.

    Raises
    ------
    RefusedError
        If the source itself is wrong.
    """
    attempts: list[tuple[list[Path], bool]] = [([], False), (font_folders, True)]
    if font_folders:
        attempts.insert(1, (font_folders, False))
    if any(char > _LAST_WESTERN for char in (folder / "main.typ").read_text(encoding="utf-8")):
        del attempts[0]  # it would fail, and cost as much as the one that does not
    missing: list[str] = []
    for folders, system in attempts:
        try:
            return Compiled(_compile(folder, folders, system, ["ua-1"]), ())
        except RefusedError as refusal:
            missing = _missing_characters(str(refusal))
            if not missing:
                break
    return Compiled(_compile(folder, font_folders, True, []), tuple(missing))


def _compile(
    folder: Path, font_folders: list[Path], system_fonts: bool, standards: list[str]
) -> bytes:
    import typst  # takes 20 ms, and its absence is reported by check_typst

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


def _missing_characters(diagnostic: str) -> list[str]:
    """Return the characters that a standard's check found no glyph for."""
    texts = re.findall(r'the text `"(.*?)"` could not be displayed', diagnostic, re.DOTALL)
    return list(dict.fromkeys(texts))


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
