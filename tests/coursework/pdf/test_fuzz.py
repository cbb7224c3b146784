"""Whatever a notebook holds, there is a PDF, and no cell of it is lost.

The suite tries a few seeded notebooks; ``COURSEWORK_FUZZ=500`` tries as many.
"""

import base64
import os
import random
import string

import pytest
from nbformat.v4 import new_markdown_cell, new_output, new_raw_cell

from tests.coursework.pdf.conftest import code, display, stream

NOTEBOOKS = int(os.environ.get("COURSEWORK_FUZZ", "25"))

PIECES = [
    "# head", "## head\n\n### x", "*a*", "**b", "_c_", "`d`", "```python\nx = 1\n```", "~~e~~",
    "> f", "- a\n  - b\n    1. c", "1. a\n2. b", "- [x] done", "---",
    "| a | b |\n|---|---|\n| 1 | $|x|$ |", "[l](http://a.b)", "[l](#a)", "![i](nope.png)",
    "![i](https://a.b/c.png)", "<http://a.b>", "$x$", "$$\\frac{a}{b}$$", "$\\frac{a$",
    "\\begin{align}a&=b\\\\c&=d\\end{align}", "$$", "$", "\\(x\\)", "\\\\[y\\\\]",
    "$\\text{#panic()}$", "$\\color{red}{x} \\left( \\right]$", "\\$5",
    "$\\begin{pmatrix}1&2\\\\3\\end{pmatrix}$", "$x^{y^{z_{w}}}$", "$\\newcommand{\\q}{\\q}\\q$",
    "<b>", "</b>", "<div>", "</div>", "<table><tr><td>1<td>2<tr><td colspan=3>4", "</table>",
    "<ul><li>", "<details><summary>s</summary>", "<img src='x'>",
    "<img src='data:image/png;base64,AAAA'>", "<svg><g></svg>",
    "<svg width='9' height='9'><rect width='9' height='9'/></svg>", "<script>x</script>",
    "<p style='color:red;display:none'>", "<font color=blue>", "<a id='x y'>", "<a href='#x y'>",
    "<pre>", "<!--", "-->", "<!DOCTYPE html>", "<![CDATA[x]]>", "<?php", "&amp;", "&#0;",
    "&#x1F680;", "<br/>", "<td>", "<h1>", "<iframe src=x>", "<math><mi>x</mi></math>",
    "<sub><sup><sub>", "<center>", "#panic()", '#import "x"', "]", ")", "}", '"', "\\", "//", "/*",
    "*/", "@x", "#let x = 1;", "=", "\x00", "\x07", "\x1b[31m", "\x1b[999;999H", "\r", "\t",
    "\u200b", "\u202e", "\ufeff", "\u0301", "α", "深度", "🚀",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467", "שלום", "ﷺ", "𒀀", "\ud7ff", "Ω", "ǎ", "w" * 300,
    " " * 50, "\n\n",
]  # fmt: skip


def some_text(rng):
    pieces = rng.choices([*PIECES, *string.printable], k=rng.randrange(12))
    return rng.choice(["", " ", "\n", "\n\n"]).join(pieces)


def some_output(rng, png):
    text = some_text(rng)
    if rng.random() < 0.3:
        return stream(text, rng.choice(["stdout", "stderr"]))
    if rng.random() < 0.2:
        return new_output("error", ename="E", evalue=text, traceback=rng.choice([[], [text]]))
    forms = {
        "text/plain": text,
        "text/html": text,
        "text/markdown": text,
        "text/latex": text,
        "image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{text}</svg>",
        "image/png": base64.b64encode(png[: rng.randrange(10, 100)]).decode(),
        "image/jpeg": text,
        "application/json": {"a": [text]},
        "application/x-odd": text,
    }
    chosen = rng.sample(sorted(forms), rng.randrange(1, 4))
    return display({kind: forms[kind] for kind in chosen})


def some_cell(rng, png, marker):
    source = marker + some_text(rng)
    kind = rng.random()
    if kind < 0.5:
        return new_markdown_cell(source)
    if kind < 0.95:
        return code(source, *(some_output(rng, png) for _ in range(rng.randrange(4))))
    return new_raw_cell(source)


@pytest.mark.parametrize("seed", range(NOTEBOOKS))
def test_random_notebook_gives_a_pdf_with_every_cell(seed, png, export):
    rng = random.Random(seed)
    markers = [f"cellnumber{number}" for number in range(rng.randrange(1, 6))]
    cells = [some_cell(rng, png, f"{marker}\n\n") for marker in markers]
    done = export(*cells, title=rng.choice(["", some_text(rng)]))
    assert [marker for marker in markers if marker not in done.text] == []
    assert "shown as its source" not in done.warnings
