"""When Typst refuses a document: finding the formulas, images or cells it is about.

A submission is never lost to one of its parts: what is refused is shown as its source, or as a
note, and the rest as it should be.
"""

from dataclasses import dataclass, field
from pathlib import Path

from coursework.pdf.draft import Draft, Formula
from coursework.pdf.typst import compiles, string


@dataclass
class Faults:
    """What Typst refused so far.

    Attributes
    ----------
    formulas
        Formulas that pandoc translated, but not well.
    images
        Contents of files that are damaged.
    cells
        Numbers of cells that fail for another reason, counted from 0.
    """

    formulas: set[Formula] = field(default_factory=set)
    images: set[bytes] = field(default_factory=set)
    cells: set[int] = field(default_factory=set)

    def add(self, other: "Faults") -> None:
        """Take over what another search found."""
        self.formulas |= other.formulas
        self.images |= other.images
        self.cells |= other.cells

    def __len__(self) -> int:
        return len(self.formulas) + len(self.images) + len(self.cells)


def find_faults(draft: Draft, equations: dict[Formula, str | None], cells: list[str]) -> Faults:
    """Try the parts of a document one by one; whole cells only if no smaller part is at fault."""
    faults = Faults()
    for data, name in draft.images.items():
        if not _works(draft.folder, f"#image({string(name)})"):
            faults.images.add(data)
    for formula, code in equations.items():
        if code is not None and not _works(draft.folder, f"#{code}"):
            faults.formulas.add(formula)
    if not faults:
        faults.cells.update(i for i, cell in enumerate(cells) if not _works(draft.folder, cell))
    return faults


def _works(folder: Path, markup: str) -> bool:
    head = '#import "style.typ": *\n'
    if not markup.startswith("#equation"):
        # The file of all formulas may hold the bad one, so a formula is tried without it.
        head += '#import "formulas.typ": formulas\n'
    return compiles(folder, head + markup)
