"""The PDF read back and held against the notebook: everything must be there.

No exporter is trusted here, not even ours: the file is opened again, and whatever the notebook
shows must be in it as often as the notebook shows it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from coursework.check.expected import Expected, Text, expect
from coursework.check.readback import (
    PICTURE,
    Readback,
    UnreadablePdfError,
    holds_reordered,
    read_back,
    squeeze,
)
from coursework.identity import PLACEHOLDERS
from coursework.pdf.mend import mend
from coursework.pdf.notebook import read_notebook, shorten

MOST_PAGES = 300
MOST_BYTES = 50_000_000
"""A PDF with more pages or bytes is a finding: courses do not accept it."""

_AT_MOST = 20  # findings of one kind that are listed one by one

# Letters by their TeX names. A PDF without tags does not name its formulas; only such letters tell
# whether they are there.
_LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "theta": "θ", "lambda": "λ", "mu": "μ",
    "sigma": "σ", "pi": "π", "eta": "η", "sum": "∑", "int": "∫", "partial": "∂", "nabla": "∇",
    "infty": "∞", "in": "∈", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a PDF.

    Attributes
    ----------
    kind
        ``"placeholder"``, ``"identity"``, ``"run"``, ``"error"``, ``"heading"``, ``"text"``,
        ``"code"``, ``"output"``, ``"table"``, ``"formula"``, ``"tex"``, ``"figure"``,
        ``"glyph"``, ``"page"`` or ``"file"``.
    message
        What is wrong, where, and where it helps, what to do.
    """

    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


def check_pdf(notebook: Path | str, pdf: Path | str) -> list[Finding]:
    """List everything that a PDF lost of the notebook it was made from.

    Parameters
    ----------
    notebook
        The executed notebook.
    pdf
        Its export, by any exporter. In a PDF with tags, such as ours, every formula and figure is
        checked. Without tags, formulas are recognised by their letters, and figures are counted.

    Returns
    -------
    list of Finding
        Empty if everything is there.

    Raises
    ------
    FileNotFoundError
        If one of the files does not exist.
    ValueError
        If the file of the notebook is not a notebook.
    """
    notebook, pdf = Path(notebook), Path(pdf)
    node, _ = mend(read_notebook(notebook))
    findings = [*_check_run(node), *_check_identity(node)]
    if not pdf.is_file():
        raise FileNotFoundError(f"{pdf}: no such PDF; export the notebook first")
    try:
        found = read_back(pdf)
    except UnreadablePdfError as error:
        return [*findings, Finding("file", f"{pdf}: {error}")]
    expected = expect(node)
    return [
        *findings,
        *_check_file(pdf, found),
        *_check_heads(node, found),
        *_check_texts(expected, found),
        *_check_formulas(expected, found),
        *_check_figures(expected, found),
    ]


def _check_run(notebook: NotebookNode) -> Iterator[Finding]:
    """Find cells that were not run, not in order, or ended in an error."""
    last = 0
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        count = cell.get("execution_count")
        if count is None:
            yield Finding("run", f"cell {number} was not run; run the whole notebook")
        elif count != last + 1:
            yield Finding(
                "run",
                f"cell {number} was run as number {count}, expected {last + 1}; "
                "restart the kernel and run all cells",
            )
        last = count or last + 1
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                why = shorten(f"{output.ename}: {output.evalue}")
                yield Finding("error", f"cell {number} ends in {why}")


def _check_identity(notebook: NotebookNode) -> Iterator[Finding]:
    for number, cell in enumerate(notebook.cells, 1):
        if "identity" in cell.metadata.get("tags", []):
            for name, placeholder in PLACEHOLDERS.items():
                if placeholder in cell.source:
                    field = name.replace("_", " ")
                    yield Finding(
                        "placeholder", f"cell {number} still says {placeholder}: no {field}"
                    )


def _check_file(path: Path, found: Readback) -> Iterator[Finding]:
    size, pages = path.stat().st_size, len(found.pages)
    if not pages:
        yield Finding("file", "the PDF has no page")
    if pages > MOST_PAGES:
        yield Finding("file", f"the PDF has {pages} pages, more than {MOST_PAGES}")
    if size > MOST_BYTES:
        yield Finding("file", f"the PDF has {size:,} bytes, more than {MOST_BYTES:,}")
    for number in found.blank_pages:
        yield Finding("page", f"page {number} is blank")
    # Pictures first: there are few of them, and a page may hold a hundred texts.
    for number, what in sorted(found.outside, key=lambda item: item[1] != PICTURE)[:_AT_MOST]:
        yield Finding("page", f"{what} runs over the edge of page {number}")
    if any(found.numbering):
        for number, footer in enumerate(found.numbering, 1):
            if footer.strip() != f"page {number} of {pages}":
                said = repr(footer.strip()) if footer else "nothing"
                yield Finding("page", f"page {number} of {pages} is numbered {said}")


def _check_heads(notebook: NotebookNode, found: Readback) -> Iterator[Finding]:
    """Find pages that do not name the student whom the notebook names."""
    authors = [str(a.get("name", "")) for a in notebook.metadata.get("authors") or []]
    wanted = {
        "name": ", ".join(filter(None, authors)),
        "student ID": str((notebook.metadata.get("coursework") or {}).get("student_id", "")),
    }
    for field, text in wanted.items():
        missing = [
            number
            for number, page in enumerate(map(squeeze, found.pages), 1)
            if squeeze(text) not in page and not holds_reordered(page, text)
        ]
        if missing:
            pages = ", ".join(map(str, missing[:_AT_MOST]))
            yield Finding("identity", f"the {field} {text!r} is not on page {pages}")


def _check_texts(expected: Expected, found: Readback) -> Iterator[Finding]:
    """Find texts that occur less often than in the notebook.

    Both sides are counted as substrings, so that a line that is part of another line counts alike
    on both. The longest texts come first: if one is lost, the texts inside it are not lost again.
    """
    squeezed = [(text, squeeze(text.text)) for text in expected.texts]
    everything = "\n".join(text for _, text in squeezed)
    lost: dict[str, list[Text]] = {}
    lost_forms: dict[str, int] = {}
    for wanted in sorted({text for _, text in squeezed if text}, key=len, reverse=True):
        within_lost = sum(n * form.count(wanted) for form, n in lost_forms.items())
        missing = everything.count(wanted) - within_lost - found.text.count(wanted)
        if missing > 0:
            # Nobody can know which of several equal lines are lost; the last ones are named.
            same = [text for text, form in squeezed if form == wanted]
            if holds_reordered(found.text, same[-1].text):
                continue
            lost_forms[wanted] = missing
            for text in same[-missing:]:
                lost.setdefault(text.kind, []).append(text)
    for kind, texts in lost.items():
        texts.sort(key=expected.texts.index)
        for text in texts[:_AT_MOST]:
            yield Finding(kind, f"cell {text.cell}: not in the PDF: {shorten(text.text)}")
        if len(texts) > _AT_MOST:
            yield Finding(kind, f"and {len(texts) - _AT_MOST} more like these are not in the PDF")
    for cell in dict.fromkeys(expected.shortened):
        if squeeze("lines of this output are not printed") not in found.text:
            yield Finding("output", f"cell {cell}: a long output is cut without a note")
    for mark, name in (("\x00", "an empty glyph"), ("\ufffd", "a replacement character")):
        surplus = found.text.count(mark) - everything.count(mark)
        if surplus > 0:
            yield Finding(
                "glyph",
                f"{name} stands {surplus} times where no font has the character; "
                "install one of the fonts that the export names",
            )


def _check_formulas(expected: Expected, found: Readback) -> Iterator[Finding]:
    yield from _check_raw_tex(expected, found)
    if found.formulas is not None:
        counts = Counter(squeeze(tex) for _, tex in expected.formulas)
        named = {squeeze(tex): (cell, tex) for cell, tex in expected.formulas}
        for form, count in counts.items():
            if found.formulas[form] < count:
                cell, tex = named[form]
                message = f"cell {cell}: not shown as a formula: {shorten(tex)}"
                yield Finding("formula", message)
        return
    everything = squeeze(" ".join(text.text for text in expected.texts))
    for name, letter in _LETTERS.items():
        command = rf"\\{name}(?![A-Za-z])"
        wanted = sum(len(re.findall(command, tex)) for _, tex in expected.formulas)
        shown = found.text.count(squeeze(letter)) - everything.count(squeeze(letter))
        if shown < wanted:
            message = f"formulas hold {letter} {wanted} times, the PDF {max(shown, 0)} times"
            yield Finding("formula", message)


def _check_raw_tex(expected: Expected, found: Readback) -> Iterator[Finding]:
    """Find formulas whose TeX is printed on a page although no code, output or prose holds it."""
    command = re.compile(r"\\[A-Za-z]{2,}")
    texts = squeeze("\n".join(text.text for text in expected.texts))
    for tex in dict.fromkeys(tex for _, tex in expected.formulas):
        form = squeeze(tex)
        if command.search(tex) and found.text.count(form) > texts.count(form):
            yield Finding("tex", f"raw TeX is left on the page: {shorten(tex)}")


def _check_figures(expected: Expected, found: Readback) -> Iterator[Finding]:
    lost = len(expected.figures) - found.figures
    if lost > 0:
        cells = ", ".join(map(str, dict.fromkeys(expected.figures)))
        yield Finding(
            "figure",
            f"{lost} of {len(expected.figures)} figures are not in the PDF (cells with figures: "
            f"{cells})",
        )
