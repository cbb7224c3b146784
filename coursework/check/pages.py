"""The pages of a PDF, opened again for the texts and pictures whose place matters."""

import ctypes
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from coursework.check.layout import box_of

_FIXED_PITCH = 1  # in the flags of a font

Box = tuple[float, float, float, float]
Color = tuple[int, int, int]


class Pages:
    """The pages of a PDF; each is read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.document = pdfium.PdfDocument(path)
        self.pages: dict[int, tuple[pdfium.PdfPage, pdfium.PdfTextPage]] = {}

    def open(self, number: int) -> tuple[pdfium.PdfPage, pdfium.PdfTextPage]:
        """Return a page and its text."""
        if number not in self.pages:
            page = self.document[number]
            self.pages[number] = page, page.get_textpage()
        return self.pages[number]

    def box(self, place: tuple[int, int]) -> Box:
        """Return left, bottom, right and top of a character."""
        return box_of(self.open(place[0])[1], place[1])

    def origin(self, place: tuple[int, int]) -> tuple[float, float]:
        """Return where the baseline of a character begins."""
        x, y = ctypes.c_double(), ctypes.c_double()
        pdf.FPDFText_GetCharOrigin(self.open(place[0])[1].raw, place[1], x, y)
        return x.value, y.value

    def is_typewritten(self, place: tuple[int, int]) -> bool:
        """Return whether the font of a character says that all of its characters are as wide."""
        flags = ctypes.c_int()
        pdf.FPDFText_GetFontInfo(self.open(place[0])[1].raw, place[1], None, 0, flags)
        return bool(flags.value & _FIXED_PITCH)

    def size(self, place: tuple[int, int]) -> float:
        """Return the size of a character's font, in points."""
        return float(pdf.FPDFText_GetFontSize(self.open(place[0])[1].raw, place[1]))

    def font(self, place: tuple[int, int]) -> str:
        """Return the name of the font of a character."""
        buffer = ctypes.create_string_buffer(100)
        flags = ctypes.c_int()
        pdf.FPDFText_GetFontInfo(self.open(place[0])[1].raw, place[1], buffer, 100, flags)
        # Before the plus stands a tag of the subset.
        return buffer.value.decode("utf-8", "replace").split("+")[-1]

    def close(self) -> None:
        """Let go of the file, which may be moved next."""
        self.document.close()

    def drawn(self, number: int) -> set[Color]:
        """Return the colours of a page as it is drawn."""
        page, _ = self.open(number)
        bitmap = page.render(rev_byteorder=True, prefer_bgrx=True)
        pixels = bitmap.to_numpy()[:, :, :3].astype(np.uint32)
        # Only steps of 16 levels are told apart, so that a photograph has not too many colours.
        mixed = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32) & 0xF0F0F0)
        return {(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in mixed}
