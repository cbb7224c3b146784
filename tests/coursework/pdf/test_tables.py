"""Tables: every cell in its place, all of them within the page."""

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_output

from coursework.pdf.dom import parse
from coursework.pdf.tables import PAGE_WIDTH, fit, read_grid


def grid(html):
    return read_grid(parse(f"<table>{html}</table>").find("table"))


def places(html):
    return [(c.tag.get_text(), c.row, c.column, c.rows, c.columns) for c in grid(html).cells]


def test_cells_move_aside_for_those_that_span_rows():
    html = "<tr><td rowspan=2>a<td>b<tr><td>c"
    assert places(html) == [("a", 0, 0, 2, 1), ("b", 0, 1, 1, 1), ("c", 1, 1, 1, 1)]


def test_a_span_over_columns_that_no_cell_uses_is_cut():
    assert places("<tr><td colspan=9999>a<tr><td>b") == [("a", 0, 0, 1, 1), ("b", 1, 0, 1, 1)]


def test_a_span_over_rows_ends_with_the_table():
    assert places("<tr><td rowspan=0>a<tr><td>b") == [("a", 0, 0, 2, 1), ("b", 1, 1, 1, 1)]


def test_an_empty_header_is_none():
    html = "<thead><tr><th></th></tr></thead><tbody><tr><td>a</td></tr></tbody>"
    assert (places(html), grid(html).header_rows) == ([("a", 0, 0, 1, 1)], 0)


def test_header_and_index_of_a_dataframe():
    frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]}, index=["first", "second"])
    found = read_grid(parse(frame.to_html()).find("table"))
    assert (len(found.cells), found.columns, found.header_rows, found.index_columns) == (9, 3, 1, 1)


def test_tables_within_tables_keep_their_rows():
    assert len(grid("<tr><td><table><tr><td>1</td></tr></table></td></tr>").cells) == 1


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
        output = new_output("execute_result", data={"text/html": frame._repr_html_()})
    done = export(new_code_cell("frame", outputs=[output]))
    words = done.text.split()
    assert all(str(1000 * r + c) in words for r in range(4) for c in range(columns))
    assert done.warnings.count("is split into") == (columns == 40)


def test_nothing_of_a_table_is_beyond_the_page(export):
    frame = pd.DataFrame([["long text " * 5] * 9, ["w" * 80] * 9])
    output = new_output("execute_result", data={"text/html": frame.to_html()})
    done = export(new_code_cell("frame", outputs=[output]))
    positions = []
    for page in done.reader.pages:
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: positions.append(tm[4]))
    assert max(positions) < 595 - 40
    assert done.squeezed.count("w") >= 80 * 9
