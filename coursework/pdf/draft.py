"""A document that is being written: what its parts collect on the way to the compiler."""

from dataclasses import dataclass, field
from pathlib import Path

from coursework.pdf.formulas import Formula


@dataclass
class Draft:
    """What the parts of one document share.

    Attributes
    ----------
    folder
        Where the compiler runs and images are written.
    notebook_folder
        Where relative paths of images start.
    broken_images
        Contents of images that the compiler refused before.
    formulas
        Every formula, in order; the source refers to it by its number.
    images
        The file name of each image, by its content.
    warnings
        What the PDF cannot show as the notebook does, in order.
    anchors
        Targets of links inside the document.
    attachments
        The files attached to the cell that is being written, by name, each in its forms.
    place
        Where the text that is being written stands, such as "cell 3"; warnings start with it.
    last_level
        The outline's level of the last heading.
    """

    folder: Path
    notebook_folder: Path
    broken_images: frozenset[bytes] = frozenset()
    formulas: list[Formula] = field(default_factory=list)
    images: dict[bytes, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)
    place: str = ""
    last_level: int = 0

    def warn(self, message: str, place: str | None = None) -> None:
        """Remember a warning, with the cell it belongs to; repeated warnings count once.

        The cell is the one that is being written, unless another ``place`` is given.
        """
        place = self.place if place is None else place
        message = f"{place}: {message}" if place else message
        if message not in self.warnings:
            self.warnings.append(message)

    def warn_of_controls(self, spellings: tuple[str, ...]) -> None:
        """Remember a warning for each control character that the page spells out."""
        for spelling in spellings:
            self.warn(f"the control character {spelling} is written out")

    def formula(self, tex: str, display: bool) -> str:
        """Return markup that shows a formula; pandoc translates all formulas together later."""
        self.formulas.append(Formula(tex, display, self.place))
        return f"#formulas.at({len(self.formulas) - 1});"

    def image(self, data: bytes, suffix: str) -> str:
        """Write an image for the compiler, once however often it is shown, and return its name."""
        if data not in self.images:
            name = f"image-{len(self.images)}.{suffix}"
            (self.folder / name).write_bytes(data)
            self.images[data] = name
        return self.images[data]

    def outline_level(self, level: int) -> int:
        """Return the level of a heading in the outline, where no level may be skipped."""
        self.last_level = min(level, self.last_level + 1)
        return self.last_level

    def claim(self, anchor: str) -> bool:
        """Take the name of a link target, and say whether it was still free."""
        free = anchor not in self.anchors
        self.anchors.add(anchor)
        return free
