"""The one call of pandoc: all formulas of a document, from TeX to Typst."""

import json
import re
import subprocess
import unicodedata
from functools import lru_cache

from coursework.pdf.typst import PdfToolError

VERSION = "3.9"
PIN = "pypandoc_binary==1.17"
_SECONDS = 60


def translate(formulas: list[str]) -> list[str | None]:
    """Translate display formulas together; starting pandoc costs more than its work.

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
        # An attribute that no formula can hold marks where each translation ends.
        blocks += [{"t": "Para", "c": [math]}, {"t": "RawBlock", "c": ["typst", _MARK]}]
    document = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
    command = [find_pandoc(), "--from=json", "--to=typst", "--wrap=none"]
    done = subprocess.run(
        command,
        input=json.dumps(document).encode(),
        capture_output=True,
        timeout=_SECONDS,
        check=True,
    )
    parts = _quote_accented(done.stdout.decode()).split(_MARK)[:-1]
    return [_between_dollars(part.strip()) for part in parts]


_MARK = "//////// formula ////////"


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


@lru_cache
def find_pandoc() -> str:
    """Return the path of pandoc.

    Raises
    ------
    PdfToolError
        If it is missing or of another release: what it writes must suit the release of Typst.
    """
    install = f'run: pip install "{PIN}"'
    try:
        import pypandoc  # only here, so that its absence is one clear line

        path = str(pypandoc.get_pandoc_path())
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (ImportError, OSError, subprocess.SubprocessError):
        raise PdfToolError(f"pandoc is not installed; {install}") from None
    found = answer.stdout.split("\n")[0].removeprefix("pandoc ").strip()
    if found != VERSION and not found.startswith(VERSION + "."):
        raise PdfToolError(f"pandoc {found} at {path} does not fit; {VERSION} is needed: {install}")
    return path
