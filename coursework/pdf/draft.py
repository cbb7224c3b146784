"""A document that is being written: what its parts collect on the way to the compiler."""

from dataclasses import dataclass, field
from pathlib import Path

from coursework.pdf.formulas import Formula


@dataclass
class Draft:
    """What the parts of one document share."""

    folder: Path  # where the compiler runs and images are written
    notebook_folder: Path  # where relative paths of images start
    broken_images: frozenset[bytes] = frozenset()  # contents that the compiler refused before
    formulas: list[Formula] = field(default_factory=list)  # the source refers to their numbers
    images: dict[bytes, str] = field(default_factory=dict)  # the file name of each content
    warnings: list[str] = field(default_factory=list)  # of what the PDF cannot show
    anchors: set[str] = field(default_factory=set)  # targets of links inside the document
    # The files attached to the cell that is being written, by name, each in its forms.
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)
    place: str = ""  # of the text that is being written, such as "cell 3"
    last_level: int = 0  # of the last heading in the outline

    def warn(self, message: str, place: str = "") -> None:
        """Remember a warning once, with the cell that is being written, or another ``place``."""
        place = place or self.place
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
