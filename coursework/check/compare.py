"""The PDF read back and held against the notebook: everything must be there.

No exporter is trusted here, not even ours: both files are read with code and libraries of the
check's own, and whatever the notebook shows must be on a page as often as the notebook shows it.
"""

import contextlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from coursework.check.align import Alignment, align, is_hard_to_read, skeleton
from coursework.check.expected import Expected, Item, expect
from coursework.check.finding import LOST, WARNING, Finding, shorten
from coursework.check.formulas import find_odd_formulas
from coursework.check.looks import find_odd_looks
from coursework.check.notebook import Notebook, read_notebook
from coursework.check.page import Reading, fold, read_pdf
from coursework.check.pages import Pages
from coursework.check.pictures import find_other_pictures
from coursework.check.spacing import find_lost_spaces
from coursework.identity import PLACEHOLDERS

MOST_PAGES = 300
MOST_BYTES = 50_000_000
"""More than this, no course wants to receive."""

_AT_MOST = 20  # findings of one kind that are listed one by one
_HEAD_LETTERS = 40  # of a long name that the head of a page must show

_DATA_LETTERS = 300  # with hardly a break between words, they are data

# What an exporter may leave on a page and no notebook shows, without spaces.
_NOISE = {
    r"<IPython\.core\.display\.\w+object>|<Figuresize\S+?Axes>": "the name of an object",
    r"\|(?::?-{2,}:?\|)+": "the source of a table",
    r"\\(?:eq)?ref\{[^{}]*\}": "a reference to an equation as TeX",
    rf"[A-Za-z0-9+/=]{{{_DATA_LETTERS},}}": "the data of a file",
}
# How a note in the place of something else reads, without spaces.
_NOTE = re.compile(
    r"\[[^\[\]]*?(notshown|cannotbe|couldnotbe|asastillpicture|asitssource)[^\[\]]*\]"
)
_LAYOUT = {
    "covered": "is painted over in part",
    "unseen": "is there and cannot be seen",
    "overlap": "overlaps another line",
    "outside": "runs over the edge",
}


def check_pdf(notebook: Path | str, pdf: Path | str) -> list[Finding]:
    """List everything that a PDF lost of the notebook it was made from.

    Parameters
    ----------
    notebook
        The executed notebook.
    pdf
        Its export, by any exporter. One that tags its PDF, as ours does, is checked to the last
        formula and figure; in others they are recognised by what is left of them.

    Returns
    -------
    list of Finding
        Empty if everything is there; those of severity ``"warning"`` cost nothing.

    Raises
    ------
    FileNotFoundError
        If one of the files does not exist.
    ValueError
        If the notebook is not one.
    """
    notebook, pdf = Path(notebook), Path(pdf)
    read = read_notebook(notebook)
    if not pdf.is_file():
        raise FileNotFoundError(f"{pdf}: no such PDF; export the notebook first")
    findings = [*_check_run(read), *_check_identity(read)]
    try:
        reading = read_pdf(pdf, 2 * MOST_PAGES)
    except ValueError as error:
        return [*findings, Finding("file", f"{pdf}: {error}")]
    expected = expect(read)
    texts = [item for item in expected.items if item.kind != "formula"]
    alignment = align(reading, texts)
    with contextlib.closing(Pages(pdf, reading.places)) as pages:
        return [
            *findings,
            *_check_file(pdf, reading),
            *_check_heads(read, reading),
            *_check_texts(alignment),
            *find_lost_spaces(pages, alignment),
            *_check_cuts(expected, alignment),
            *find_odd_formulas(expected, reading, alignment),
            *find_other_pictures(pages, alignment, reading.pictures),
            *_check_layout(expected, reading, alignment),
            *_check_glyphs(alignment),
            *_check_noise(alignment),
            *find_odd_looks(pages, expected, alignment),
            *_list_replaced(expected, reading, alignment),
        ]


def _check_run(notebook: Notebook) -> Iterator[Finding]:
    """Find cells that were not run, not in order, or ended in an error that nobody expected."""
    last = 0
    for cell in notebook.cells:
        if cell.kind != "code" or not cell.source.strip() or "skip-execution" in cell.tags:
            continue
        if cell.count is None:
            yield Finding("run", f"cell {cell.number} was not run; run the whole notebook")
        elif cell.count != last + 1:
            message = f"cell {cell.number} was run as number {cell.count}, expected {last + 1}; "
            yield Finding("run", message + "restart the kernel and run all cells")
        last = cell.count or last + 1
        for output in cell.outputs:
            if output.kind == "error" and "raises-exception" not in cell.tags:
                said = shorten(output.data["said"])
                yield Finding("error", f"cell {cell.number} ends in {said}")


def _check_identity(notebook: Notebook) -> Iterator[Finding]:
    for cell in notebook.cells:
        if "identity" in cell.tags:
            for name, placeholder in PLACEHOLDERS.items():
                if placeholder in cell.source:
                    message = f"cell {cell.number} still says {placeholder}: no "
                    yield Finding("placeholder", message + name.replace("_", " "), WARNING)


def _check_file(path: Path, reading: Reading) -> Iterator[Finding]:
    size, pages = path.stat().st_size, len(reading.page_texts)
    if not pages:
        yield Finding("file", "the PDF has no page")
    if pages > MOST_PAGES:
        yield Finding("file", f"the PDF has {pages} pages, more than {MOST_PAGES}")
    if size > MOST_BYTES:
        yield Finding("file", f"the PDF has {size:,} bytes, more than {MOST_BYTES:,}")
    for number in reading.blank:
        yield Finding("page", f"page {number} is blank")
    if any(reading.numbering):
        for number, footer in enumerate(reading.numbering, 1):
            if footer != f"page {number} of {pages}":
                said = repr(footer) if footer else "nothing"
                yield Finding("page", f"page {number} of {pages} is numbered {said}")


def _check_heads(notebook: Notebook, reading: Reading) -> Iterator[Finding]:
    """Find pages that do not name the student whom the notebook names."""
    for field, text in (("name", notebook.author), ("student ID", notebook.student_id)):
        missing = [n for n, head in enumerate(reading.page_texts, 1) if not _names(head, text)]
        if missing:
            # A name that readers garble cannot be told from one that is not there.
            is_hard = any(map(is_hard_to_read, fold(text)))
            pages = ", ".join(map(str, missing[:_AT_MOST]))
            message = f"the {field} {text!r} is not on page {pages}"
            if is_hard and all(_has_ink(reading.page_texts[n - 1], text) for n in missing):
                message = f"the {field} {text!r} is on the pages, but a copy of it reads otherwise"
                yield Finding("copy", message, WARNING)
            else:
                yield Finding("identity", message)


def _names(head: str, text: str) -> bool:
    """Whether a page shows a name, of a very long one its beginning."""
    wanted = fold(text)[:_HEAD_LETTERS]
    if wanted in head or skeleton(wanted) in skeleton(head):
        return True
    # A reader that takes a line for one from right to left turns what is in it, too.
    turns = any(unicodedata.bidirectional(char) in ("R", "AL") for char in head)
    words = re.findall(r"\w+", wanted)
    return turns and all(word in head or word[::-1] in head for word in words)


def _has_ink(head: str, text: str) -> bool:
    wanted = Counter(skeleton(fold(text)[:_HEAD_LETTERS]))
    return (wanted & Counter(head)).total() >= wanted.total() / 2


def _check_texts(alignment: Alignment) -> Iterator[Finding]:
    """Find texts and pictures that nothing in the PDF shows."""
    lost: dict[str, list[Item]] = {}
    for number in alignment.missing():
        item = alignment.items[number]
        if item.required:
            lost.setdefault(item.kind, []).append(item)
    for kind, items in lost.items():
        for item in items[:_AT_MOST]:
            if kind == "figure":
                name = f" {shorten(item.text)!r}" if item.text else ""
                yield Finding(kind, f"{item.where}: the picture{name} is not in the PDF")
            else:
                yield Finding(kind, f"{item.where}: not in the PDF: {shorten(item.text)}")
        if len(items) > _AT_MOST:
            yield Finding(kind, f"and {len(items) - _AT_MOST} more like these are not in the PDF")
    otherwise = [alignment.items[number] for number in alignment.otherwise]
    if otherwise:
        cells = ", ".join(map(str, dict.fromkeys(item.cell for item in otherwise)))
        message = "on the page, but a copy of the text reads otherwise: "
        message += f"{len(otherwise)} texts of cells {cells}, such as {shorten(otherwise[0].text)}"
        yield Finding("copy", message, WARNING)


def _check_cuts(expected: Expected, alignment: Alignment) -> Iterator[Finding]:
    notes = alignment.rest.count(fold("lines of this output are not printed"))
    for item in expected.cut[notes:]:
        yield Finding("output", f"{item.where}: a long output is cut without a note")


def _check_layout(expected: Expected, reading: Reading, alignment: Alignment) -> Iterator[Finding]:
    """Name the cell to which each fault of a page belongs."""
    owners = dict(zip(reading.places, alignment.owners, strict=True)) if reading.faults else {}
    pictures = {
        (picture.page, picture.number): alignment.owners[place]
        for place, picture in reading.pictures.items()
    }
    formulas = {fold(item.text): item for item in expected.items if item.kind == "formula"}
    nameless: dict[tuple[int, str], list[str]] = {}
    for fault in reading.faults:
        is_picture = fault.kind.startswith("picture")
        place = fault.page - 1, fault.position
        owner = (pictures if is_picture else owners).get(place, -1)
        item = formulas.get(fold(fault.text)) or (alignment.items[owner] if owner >= 0 else None)
        if item and fault.kind == "unseen" and {"white", "backed"} & item.looks == {"white"}:
            continue  # as its author wants it
        if item is None:
            nameless.setdefault((fault.page, fault.kind), []).append(fault.text)
            continue
        name = "formula" if item.kind == "formula" else "line"
        what = "the picture" if is_picture else f"the {name} {shorten(fault.text)!r}"
        yield _tell(f"{item.where}: {what}", fault.kind, fault.page)
    for (page, kind), texts in nameless.items():
        what = "a picture" if kind.startswith("picture") else f"the line {shorten(texts[0])!r}"
        more = f", and {len(texts) - 1} more" if len(texts) > 1 else ""
        yield _tell(what, kind, page, more)


def _tell(what: str, kind: str, page: int, more: str = "") -> Finding:
    severity = WARNING if kind == "overlap" else LOST
    how = _LAYOUT[kind.removeprefix("picture ")]
    return Finding("page", f"{what} {how} on page {page}{more}", severity)


def _check_glyphs(alignment: Alignment) -> Iterator[Finding]:
    wanted = sum(item.text.count("\ufffd") for item in alignment.items)
    surplus = alignment.text.count("\ufffd") - wanted
    counts = {"an empty glyph": alignment.empty, "a replacement character": surplus}
    for name, count in counts.items():
        if count > 0:
            message = f"{name} stands {count} times where no font has the character; "
            yield Finding("glyph", message + "install one of the fonts that the export names")


def _check_noise(alignment: Alignment) -> Iterator[Finding]:
    """Find what the page shows and the notebook does not."""
    rest = alignment.rest
    for pattern, what in _NOISE.items():
        found = [
            match[0]
            for match in re.finditer(pattern, rest)
            if match.end() - match.start() < _DATA_LETTERS
            or len(alignment.breaks.intersection(range(*match.span()))) < len(match[0]) / 30
        ]
        if found:
            message = f"the page shows {what}, which the notebook does not: {shorten(found[0])}"
            yield Finding("noise", message, WARNING)


def _list_replaced(expected: Expected, reading: Reading, alignment: Alignment) -> Iterator[Finding]:
    """List what no page can show, and whether its description is there instead."""
    whole = "".join(reading.page_texts)
    for item in expected.replaced:
        message = f"{item.where}: {item.text} cannot be printed; look what stands in its place"
        if item.also and fold(item.also) not in whole:
            message += f"; its description {shorten(item.also)!r} is not on the page"
        yield Finding("note", message, WARNING)
    # The page may say so itself where the notebook does not tell.
    listed = {item.cell for item in expected.replaced}
    for match in _NOTE.finditer(alignment.rest):
        owners = alignment.owners
        before = [alignment.items[n].cell for n in owners[: match.start()] if n >= 0] or [1]
        after = [alignment.items[n].cell for n in owners[match.end() :] if n >= 0] or [before[-1]]
        if listed.isdisjoint(range(before[-1], after[0] + 1)):
            message = f"at cell {before[-1]} the page says: {_spaced(alignment, match)}"
            yield Finding("note", message, WARNING)


def _spaced(alignment: Alignment, match: re.Match[str]) -> str:
    """Return a part of the text with spaces between its words."""
    spaced = (" " * (n in alignment.breaks) + alignment.text[n] for n in range(*match.span()))
    return shorten("".join(spaced))
