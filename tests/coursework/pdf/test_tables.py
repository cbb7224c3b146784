"""Tables: every cell in its place, all of them within the page."""

import random
import time

import numpy as np
import pandas as pd
import pypdfium2
import pytest
from nbformat.v4 import new_markdown_cell

from coursework.pdf.dom import parse
from coursework.pdf.tables import PAGE_WIDTH, fit, read_grid
from tests.coursework.pdf.conftest import code, display


def grid(html):
    return read_grid(parse(f"<table>{html}</table>").find("table"))


PLACES = {
    "cells move aside for those that span rows": (
        "<tr><td rowspan=2>a<td>b<tr><td>c",
        [("a", 0, 0, 2, 1), ("b", 0, 1, 1, 1), ("c", 1, 1, 1, 1)],
    ),
    "a span over columns that no cell uses is cut": (
        "<tr><td colspan=9999>a<tr><td>b", [("a", 0, 0, 1, 1), ("b", 1, 0, 1, 1)],
    ),
    "a span over rows ends with the table": (
        "<tr><td rowspan=0>a<tr><td>b", [("a", 0, 0, 2, 1), ("b", 1, 1, 1, 1)],
    ),
    "cells do not cover each other": (
        "<tr><td>a<td rowspan=2>b<tr><td colspan=3>c<td>d",
        [("a", 0, 0, 1, 1), ("b", 0, 1, 2, 1), ("c", 1, 0, 1, 1), ("d", 1, 2, 1, 1)],
    ),
    "a cell ends with the head or the body that it stands in": (
        "<thead><tr><th rowspan=3>a<tbody><tr><td>b", [("a", 0, 0, 1, 1), ("b", 1, 0, 1, 1)],
    ),
    "an empty header is none": (
        "<thead><tr><th></th></tr></thead><tbody><tr><td>a</td></tr></tbody>", [("a", 0, 0, 1, 1)],
    ),
    "tables within tables keep their rows": (
        "<tr><td><table><tr><td>1</td></tr></table></td></tr>", [("1", 0, 0, 1, 1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("html", "places"), PLACES.values(), ids=PLACES)
def test_every_cell_has_its_place(html, places):
    found = grid(html).cells
    assert [(c.tag.get_text(), c.row, c.column, c.rows, c.columns) for c in found] == places


@pytest.mark.parametrize("html", ["<tr><th rowspan=2>a<th>b<tr><td>c", "<tr><th><tr><td>a"])
def test_a_row_of_headings_that_reach_below_it_or_are_empty_is_no_header(html):
    assert grid(html).header_rows == 0


def random_table(rng):
    def cell():
        spans = [f"{n}={rng.randrange(6)}" for n in ("rowspan", "colspan") if rng.random() < 0.3]
        return f"<{rng.choice(['td', 'td', 'th'])} {' '.join(spans)}>cell"

    def rows(most):
        return "".join(
            "<tr>" + "".join(cell() for _ in range(rng.randrange(5))) for _ in range(most)
        )

    parts = [(f"<{part}>{rows(2)}", "") for part in ("thead", "tbody", "tfoot")]
    return "<table>" + rows(2) + "".join(map(rng.choice, parts)) + "</table>"


def test_no_table_is_refused_whatever_its_spans(export):
    rng = random.Random(7)
    tables = "".join(random_table(rng) for _ in range(60))
    done = export(code("x", display({"text/html": tables})))
    assert done.text.count("cell") == tables.count("cell")
    assert done.warnings == ""


def test_header_and_index_of_a_dataframe():
    frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]}, index=["first", "second"])
    found = read_grid(parse(frame.to_html()).find("table"))
    assert (len(found.cells), found.columns, found.header_rows, found.index_columns) == (9, 3, 1, 1)


def test_wider_table_is_split_and_repeats_its_index():
    size, parts = fit([2, *[10] * 30], 1)
    assert len(parts) > 1
    assert all(part[0] == 0 for part in parts)
    assert sorted(column for part in parts for column in part[1:]) == list(range(1, 31))
    assert all(sum([2, 10][i > 0] for i in part) * size * 0.5 < PAGE_WIDTH for part in parts)


@pytest.mark.parametrize("columns", [3, 12, 40])
def test_every_number_of_a_frame_reaches_the_page(export, columns):
    frame = pd.DataFrame([[1000 * r + c for c in range(columns)] for r in range(4)])
    with pd.option_context("display.max_columns", 100):
        done = export(code("frame", display({"text/html": frame._repr_html_()})))
    words = done.text.split()
    assert all(str(1000 * r + c) in words for r in range(4) for c in range(columns))
    assert done.warnings.count("is split into") == (columns == 40)


def test_nothing_of_a_table_is_beyond_the_page(export):
    frame = pd.DataFrame([["long text " * 5] * 9, ["w" * 80] * 9])
    done = export(code("frame", display({"text/html": frame.to_html()})))
    positions = []
    for page in done.reader.pages:
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: positions.append(tm[4]))
    assert max(positions) < 595 - 40
    assert done.squeezed.count("w") >= 80 * 9


def test_long_names_of_columns_do_not_run_into_each_other(export):
    names = ["Title of it", *(f"Production_Budget_{i}" for i in range(4)), "Rotten_Tomatoes_Rating"]
    frame = pd.DataFrame([["a long title " * 3, 1, 2, 3, 4, 5]], columns=names)
    done = export(code("frame", display({"text/html": frame.to_html()})))
    page = pypdfium2.PdfDocument(done.report.path)[0].get_textpage()
    boxes = {}
    for name in names[1:]:
        found = page.search(name).get_next()
        ends = [page.get_charbox(found[0] + i) for i in (0, found[1] - 1)]
        boxes[name] = ends[0][0], ends[1][2]
    edges = [edge for name in names[1:] for edge in boxes[name]]
    assert edges == sorted(edges)


def test_a_formula_that_a_cell_cuts_off_is_shown_as_it_is_written(export):
    html = "<table><tr><td>Evaluate \\(x_1 + ...</td><td>so \\) it</td></tr></table>"
    done = export(code("frame", display({"text/html": html})))
    assert "\\(x_1+..." in done.squeezed
    assert done.warnings == ""


@pytest.mark.parametrize(
    ("name", "around"),
    [("td", "{}"), ("th", "<ul><li>{}</li></ul>"), ("td", "<blockquote>{}</blockquote>")],
)
def test_a_cell_taller_than_a_page_goes_on_on_the_next(export, name, around):
    words = [f"w{i}w" for i in range(1500)]
    row = f"<tr><{name}>{' '.join(words)}</{name}></tr>"
    done = export(new_markdown_cell(around.format(f"<table>{row}<tr><td>end</td></tr></table>")))
    assert set(words) <= set(done.text.split())
    for page in pypdfium2.PdfDocument(done.report.path):
        text = page.get_textpage()
        assert min(text.get_charbox(i)[1] for i in range(text.count_chars())) > 20


def test_a_table_of_twenty_rows_is_whole_on_its_page(export):
    frame = pd.DataFrame({"name": [f"row_{number}" for number in range(20)]})
    output = display({"text/html": frame.to_html()})
    done = export(new_markdown_cell("words\n\n" * 25 + "# Heading"), code("frame", output))
    first, second = (page.extract_text() for page in done.reader.pages)
    assert (first.count("row_"), second.count("row_")) == (0, 20)
    # What leads to the table goes with it.
    assert ("Heading" in second, "frame" in second) == (True, True)


def test_rows_that_follow_an_empty_line_are_shown(export):
    table = "<table>\n <tr><td>first</td></tr>\n\n    <tr><td>second</td></tr>\n\n</table>"
    done = export(new_markdown_cell(table))
    assert "first" in done.text
    assert "second" in done.text


def styled_output(styler):
    return code("frame", display({"text/html": styler.to_html()}))


def test_colours_and_bars_of_a_styler_are_drawn(export):
    frame = pd.DataFrame({"a": [1.0, -2.0], "b": [3.0, 4.0]})
    done = export(
        styled_output(frame.style.highlight_max(color="#12ab34")),
        styled_output(frame.style.bar(color="#12ab34")),
    )
    fills = colours(done.report.path)
    assert (0x12, 0xAB, 0x34) in fills
    assert done.warnings == ""
    assert done.text.count("-2.000000") == 2


def test_a_cell_has_the_colours_of_what_holds_it(export):
    parts = ["table", "thead", "tr", "th"]
    tables = "".join(
        f"<style>.n{n} {part}, {part}.n{n} {{ color: #fedcb{n}; background: #12345{n} }}</style>"
        f"<div class=n{n}><table class=n{n}><thead><tr><th>██</th></tr></thead>"
        "<tr><td>x</td></tr></table></div>"
        for n, part in enumerate(parts)
    )
    found = colours(export(code("x", display({"text/html": tables}))).report.path)
    for n in range(len(parts)):
        assert {(0xFE, 0xDC, 0xB0 + n), (0x12, 0x34, 0x50 + n)} <= found


def test_what_is_not_shown_of_a_styler_is_warned_of_with_the_cell(export):
    frame = pd.DataFrame({"a": [1.0]})
    style = frame.style.set_properties(**{"border": "1px solid", "background": "url(x.png)"})
    done = export(styled_output(style))
    assert "cell 1: a table is shown without some of its style: border" in done.warnings
    assert "cell 1: the background of a <td> is not shown: url(x.png)" in done.warnings


def colours(path):
    """Return the colours of the pixels of the first page."""
    picture = pypdfium2.PdfDocument(path)[0].render(scale=1, rev_byteorder=True).to_numpy()
    return set(map(tuple, np.unique(picture.reshape(-1, picture.shape[-1])[:, :3], axis=0)))


@pytest.mark.parametrize("depth", [2, 60])
def test_tables_within_tables_are_printed_in_little_time(export, depth):
    html = "<table><tr><td>x</td><td>" * depth + "innermost" + "</td></tr></table>" * depth
    started = time.perf_counter()
    done = export(code("t", display({"text/html": html})))
    assert time.perf_counter() - started < 10
    assert done.squeezed.count("x") == depth
    assert "innermost" in done.squeezed
    assert ("nested too deeply" in done.warnings) == (depth > 3)
