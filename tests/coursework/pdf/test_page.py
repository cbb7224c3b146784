"""The page as it is drawn: no ink is painted over, and the standards of archives are kept."""

import ctypes
import re
from collections import Counter

import pypdfium2
import pytest
import typst
from nbformat.v4 import new_markdown_cell, new_output
from pypdfium2 import raw

from coursework.pdf.cells import write_cell
from coursework.pdf.document import write_document
from coursework.pdf.formulas import translate_formulas
from coursework.pdf.notebook import Head
from tests.coursework.pdf.conftest import PNG64, code, display, stream

PROSE = r"""
# Heading g_y

Para_graph `code_gyp` <mark>g_y</mark> <kbd>gy</kbd> gypj $\boxed{\frac{g_y}{p_q}}$ of
$\textcolor{red}{g_y}$ many `g_y` words ![](nope.png) that go on `until_gyp` the line ends.

- gyp `A|b`
- `Àgyp`

> quote gyp `Àx`

| `gy` | gyp   |
|------|-------|
| g_p  | `A|Å` |
| ÄÅ   | gyp   |

<details><summary>g_y</summary>gyp</details>

[x](https://a.b)
"""
CODE = "\n".join(f"g_y_{i} = 'qp̣j|[{{(Ä'  # _gyp" for i in range(20))


def page_cells():
    """Return cells that use every construction of the page, with letters that hang low."""
    colours = "\n".join(["\x1b[44mg_y_p|(q\x1b[0m normal _gyp \x1b[4;41mu_gy\x1b[0m"] * 4)
    return [
        new_markdown_cell(PROSE),
        code(CODE, stream(colours)),
        code(
            f"print(1)  # {'a long _comment ' * 12}",
            stream("g_y_p\n" * 3, "stderr"),
            display({"image/png": PNG64}),
            new_output("error", ename="g_y", evalue="p_q", traceback=[]),
        ),
    ]


def is_filled(path):
    mode, stroked = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path, mode, stroked)
    return mode.value != raw.FPDF_FILLMODE_NONE


def painted_over(path):
    """Return the texts of a PDF that a later fill covers, if only by a part of a letter."""
    covered = []
    for page in pypdfium2.PdfDocument(path):
        texts = []
        for drawn in page.get_objects():  # in the order of drawing
            left, bottom, right, top = drawn.get_bounds()
            if drawn.type == raw.FPDF_PAGEOBJ_TEXT:
                texts.append((left, bottom, right, top))
            elif drawn.type == raw.FPDF_PAGEOBJ_PATH and is_filled(drawn):
                covered += [
                    page.get_textpage().get_text_bounded(*box)
                    for box in texts
                    if min(right, box[2]) - max(left, box[0]) > 0.05
                    and min(top, box[3]) - max(bottom, box[1]) > 0.05
                ]
    return covered


def test_no_ink_is_painted_over(export):
    done = export(*page_cells())
    assert painted_over(done.report.path) == []
    assert "g_y_13 = 'qp" in done.text


def test_no_line_of_code_is_painted_over_wherever_the_page_ends(export):
    lengths = range(13, 53, 2)
    sources = ["\n".join(f"g_y_{i} = p_q[{i}]" for i in range(length)) for length in lengths]
    done = export(*(code(source, stream("_gyp\n" * 9)) for source in sources))
    assert painted_over(done.report.path) == []
    assert done.text.count("g_y_") == sum(lengths)


@pytest.mark.parametrize("place", ["alone", "above an output", "above a call"])
def test_no_page_has_a_few_lines_of_a_function_alone(export, place):
    lengths = range(5, 30)
    functions = ["\n".join(f"line_{n}_{i}" for i in range(n)) for n in lengths]
    listing = "\n\n\n".join(functions)
    cells = {
        "alone": [new_markdown_cell(f"```python\n{listing}\n```"), *map(code, functions)],
        "above an output": [
            code("a = 0\n" * 12 + f"\n\n{function}", stream("x")) for function in functions
        ],
        "above a call": [code(f"{function}\n\n\na = 0", stream("x")) for function in functions],
    }
    done = export(*cells[place])
    assert done.report.pages > 8
    for page in done.reader.pages:
        shown = Counter(re.findall(r"line_(\d+)_", page.extract_text()))
        assert [n for n, lines in shown.items() if lines < (6 if int(n) > 12 else int(n))] == []


@pytest.mark.parametrize("outputs", [[], [stream("x")]])
def test_empty_lines_of_code_are_as_high_as_others(export, outputs):
    rows = [0, 1, 4, 6, 9, 13, 15, 16]
    text = "\n".join("q" if number in rows else "" for number in range(17))
    page = pypdfium2.PdfDocument(export(code(text, *outputs)).report.path)[0].get_textpage()
    letters = page.get_text_range()
    tops = [page.get_charbox(i)[3] for i, letter in enumerate(letters) if letter == "q"]
    heights = [(tops[0] - top) / (tops[0] - tops[1]) for top in tops]
    assert heights == pytest.approx(rows, abs=0.01)


def test_a_fill_over_letters_is_seen(tmp_path):
    source = "#set page(width: 9cm, height: 9cm)\ng_y#v(-1em)#rect(fill: white, height: 1em)"
    (tmp_path / "covered.typ").write_text(source)
    (tmp_path / "covered.pdf").write_bytes(typst.compile(tmp_path / "covered.typ"))
    assert painted_over(tmp_path / "covered.pdf") == ["g_y"]


@pytest.mark.parametrize("standard", ["a-2a", "ua-1"])
def test_document_passes_the_check_of_the_standard(draft, standard):
    cells = [write_cell(draft, cell, "python") for cell in page_cells()]
    head = Head("Title", "Name", "1", "Course", title_in_text=True)
    write_document(draft, head, cells, translate_formulas(list(draft.formulas)))
    style = draft.folder / "style.typ"
    # An archive wants a date; the exporter writes none, so that the bytes repeat.
    day = "date: datetime(year: 2026, month: 1, day: 1)"
    style.write_text(style.read_text().replace("date: none", day))
    pdf = typst.compile(draft.folder / "main.typ", root=draft.folder, pdf_standards=[standard])
    assert pdf.startswith(b"%PDF-1.7")
