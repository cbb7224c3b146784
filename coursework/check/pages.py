"""The pages of a PDF, opened again for the texts and pictures whose place matters."""

import ctypes
from pathlib import Path
from typing import Any, cast

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdf

from coursework.check.layout import Box

_FIXED_PITCH = 1  # in the flags of a font

Color = tuple[int, int, int]


class Pages:
    """The pages of a PDF; each is read when it is asked for.

    A position is one in the text of the PDF; ``places`` has the page and the number of the
    character there for each of them.
    """

    def __init__(self, path: Path, places: list[tuple[int, int]]) -> None:
        self.document = pdfium.PdfDocument(path)
        self.places = places
        self.pages: dict[int, tuple[pdfium.PdfPage, pdfium.PdfTextPage]] = {}

    def open(self, number: int) -> tuple[pdfium.PdfPage, pdfium.PdfTextPage]:
        """Return a page and its text."""
        if number not in self.pages:
            page = self.document[number]
            self.pages[number] = page, page.get_textpage()
        return self.pages[number]

    def close(self) -> None:
        """Let go of the file, which may be moved next."""
        self.document.close()

    def page_of(self, position: int) -> int:
        """Return the page, counted from 0, of a character of the text."""
        return self.places[position][0]

    def box(self, position: int) -> Box:
        """Return left, bottom, right and top of a character."""
        page, number = self.places[position]
        return cast(Box, self.open(page)[1].get_charbox(number))

    def origin(self, position: int) -> tuple[float, float]:
        """Return where the baseline of a character begins."""
        x, y = ctypes.c_double(), ctypes.c_double()
        pdf.FPDFText_GetCharOrigin(*self._character(position), x, y)
        return x.value, y.value

    def size(self, position: int) -> float:
        """Return the size of a character's font, in points."""
        return float(pdf.FPDFText_GetFontSize(*self._character(position)))

    def font(self, position: int) -> tuple[str, bool]:
        """Return the name of a character's font, and whether all characters of it are as wide."""
        buffer, flags = ctypes.create_string_buffer(100), ctypes.c_int()
        pdf.FPDFText_GetFontInfo(*self._character(position), buffer, 100, flags)
        # Before the plus stands a tag of the subset.
        name = buffer.value.decode("utf-8", "replace").split("+")[-1]
        return name, bool(flags.value & _FIXED_PITCH)

    def _character(self, position: int) -> tuple[Any, int]:
        """Return the text of a page, as PDFium knows it, and a character's number there."""
        page, number = self.places[position]
        return self.open(page)[1].raw, number

    def colors(self, number: int) -> set[Color]:
        """Return the colours of a page as it is drawn."""
        page, _ = self.open(number)
        bitmap = page.render(rev_byteorder=True, prefer_bgrx=True)
        pixels = bitmap.to_numpy()[:, :, :3].astype(np.uint32)
        # Only steps of 16 levels are told apart, so that a photograph has not too many colours.
        mixed = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32) & 0xF0F0F0)
        return {(int(c) >> 16, int(c) >> 8 & 255, int(c) & 255) for c in mixed}
