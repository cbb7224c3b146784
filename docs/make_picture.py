"""Draw the README's picture from the exported PDFs: ``python docs/make_picture.py``.

Run ``make submission`` first.
"""

import pypdfium2
from PIL import Image

from coursework.profiles import ROOT
from coursework.storage import atomic_path

PAGES = (("hw3_dnn.pdf", 1), ("hw3_dnn.pdf", 7), ("hw4_cnn.pdf", 5), ("hw4_cnn.pdf", 9))
"""Which pages stand side by side: file and page number."""


def main() -> None:
    """Render the pages and write them as one PNG."""
    pages = []
    for name, number in PAGES:
        document = pypdfium2.PdfDocument(ROOT / "build" / name)
        pages.append(document[number - 1].render(scale=0.72).to_pil().convert("RGB"))
    gap = 12
    width = sum(page.width for page in pages) + gap * (len(pages) + 1)
    sheet = Image.new("RGB", (width, max(page.height for page in pages) + 2 * gap), "#D8DADD")
    left = gap
    for page in pages:
        sheet.paste(page, (left, gap))
        left += page.width + gap
    target = ROOT / "docs" / "pages.png"
    with atomic_path(target) as temporary:
        sheet.quantize(64).save(temporary, optimize=True)
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
