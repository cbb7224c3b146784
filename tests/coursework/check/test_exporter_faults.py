"""Faults planted in the exporter's own functions: the check finds each, once, in its cell."""

import base64
import dataclasses
import re

import pytest
from nbformat.v4 import new_markdown_cell

from coursework.pdf import cells, exporter, tables
from tests.coursework.check.conftest import Work, code, figure, picture

TABLE = (
    "<table><tr><th>model</th><th>loss</th></tr>"
    "<tr><td>ResNet</td><td>0.25</td></tr><tr><td>plain</td><td>0.5</td></tr>"
    "<tr><td>none</td><td>0.5</td></tr></table>"
)


CELLS = [
    new_markdown_cell("# Report\n\nSome *words* of prose.\n\n- one\n- two"),
    new_markdown_cell(
        "A model $x^2 + y_i$ of $a - b$ and\n\n$$\\frac{p}{q} = \\sum_{j=1}^m z_j < 2$$"
    ),
    code(
        "first = 1\nif first:\n    print(first)",
        "12    13\n",
        {"text/plain": "34"},
        {"text/latex": "$u + v$"},
    ),
    code("frame", {"text/html": TABLE}, count=2),
    code("plot()", picture(2), picture(3), count=3),
]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return Work(tmp_path_factory.mktemp("faults")).cells(*CELLS)


def test_without_a_fault_nothing_is_found(work):
    assert work.export().findings() == []


def around(owner, name, change):
    """Plant a change of what a function of the exporter returns."""

    def plant(patch):
        real = getattr(owner, name)
        patch.setattr(owner, name, lambda *given, **options: change(real, *given, **options))

    return plant


def dropped(mark):
    """Plant the loss of an output."""
    return around(
        cells, "write_output", lambda real, draft, out: "" if mark in str(out) else real(draft, out)
    )


def drawn(old, new):
    """Plant another drawing of a formula whose tag stays right."""

    def change(real, formulas):
        found = real(formulas)
        assert any(old in equation.code for equation in found), found
        return [
            dataclasses.replace(equation, code=new.join(equation.code.rsplit(old, 1)))
            for equation in found
        ]

    return around(exporter, "translate_formulas", change)


def written(pattern, new):
    """Plant another markup of a cell."""
    return around(exporter, "write_cell", lambda real, *given: re.sub(pattern, new, real(*given)))


def table(change):
    """Plant a fault in the cells of a table."""
    return around(
        tables,
        "read_grid",
        lambda real, tag: dataclasses.replace(grid := real(tag), cells=change(grid.cells)),
    )


def exchanged(one, other):
    """Exchange the contents of two cells of a table."""

    def change(found):
        tags = {one: found[other].tag, other: found[one].tag}
        return [
            dataclasses.replace(cell, tag=tags.get(number, cell.tag))
            for number, cell in enumerate(found)
        ]

    return table(change)


def outputs(*order):
    """Put the outputs of a cell into another order."""

    def change(real, draft, cell, *given):
        if len(cell.get("outputs", ())) == len(order):
            cell.outputs = [cell.outputs[number] for number in order]
        return real(draft, cell, *given)

    return around(exporter, "write_cell", change)


def other_picture(real, text):
    return base64.b64decode(figure(4)) if text == figure(3) else real(text)


def tiny(real, draft, image, alt, asked):
    is_it = image == base64.b64decode(figure(3))
    return real(draft, image, alt, dataclasses.replace(asked, width="3pt") if is_it else asked)


COVER = "#place(dy: -13pt, rect(width: 90pt, height: 14pt, fill: white));"
FAULTS = {
    "letters cut off": (
        written('#"Some";', "#box(clip: true, height: 1pt)[#v(3pt)Some];"),
        "page: cell 1: the line 'Some",
    ),
    "an exponent drawn as an index": (drawn("x^2", "x_2"), "formula: cell 2: 2 stands below"),
    "an index drawn as an exponent": (drawn("y_i", "y^i"), "formula: cell 2: i stands above"),
    "a minus drawn as a plus": (drawn("a - b", "a + b"), "formula: cell 2: drawn without -"),
    "a difference turned round": (drawn("a - b", "b - a"), "formula: cell 2: b stands before"),
    "a fraction turned round": (drawn("p / q", "q / p"), "formula: cell 2: q stands above"),
    "the bounds of a sum exchanged": (
        drawn("sum_(j = 1)^m", "sum_m^(j = 1)"), "formula: cell 2: m stands below",
    ),
    "another relation": (drawn("< 2", "> 2"), "formula: cell 2: drawn without <"),
    "the indent of a line of code": (
        around(cells, "highlight", lambda real, code, how: real(code.replace("    ", ""), how)),
        "code: cell 3: spaces are lost in the line: print(first)",
    ),
    "the spaces within a line": (
        around(cells, "play", lambda real, text: real(text.replace("  ", " "))),
        "output: cell 3, output 1: spaces are lost in the line: 12 13",
    ),
    "a result in TeX": (dropped("u + v"), "formula: cell 3, output 3: not shown as a formula"),
    "outputs exchanged": (
        outputs(1, 0, 2), "output: cell 3, output 1: not in its place: 34 of cell 3, output 2",
    ),
    "a column of a table": (
        table(lambda found: [cell for cell in found if cell.column != 1]),
        "table: cell 4, output 1: not in the PDF: loss",
    ),
    "cells of a column exchanged": (
        exchanged(3, 5), "table: cell 4, output 1: not in its place: 0.5 stands before 0.25",
    ),
    "another picture": (
        around(cells, "decode", other_picture), "figure: cell 5, output 2: another picture stands",
    ),
    "pictures exchanged": (outputs(1, 0), "figure: cell 5, output 1: the pictures of cell 5"),
    "a picture painted over": (
        written(r'(?<=image-1.png", alt: "<Fig>"\);)', COVER),
        "page: cell 5, output 2: the picture is painted over in part on page 1",
    ),
    "a picture as a dot": (
        around(cells, "picture", tiny), "figure: cell 5, output 2: the picture is only 3.0 points",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_exporter_is_found_and_named(work, monkeypatch, name):
    plant, words = FAULTS[name]
    plant(monkeypatch)
    findings = work.export().findings()
    assert str(findings[0]).startswith(words)
    assert {finding.severity for finding in findings} == {"lost"}
    assert {str(finding).split(":")[1] for finding in findings} == {words.split(":")[1]}
