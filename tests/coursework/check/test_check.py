"""The check passes what is whole, and names each of the faults that are planted here."""

import ast
import base64
import copy
import json

import pytest
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfReader, PdfWriter, Transformation

import coursework.check
from coursework.check import Finding, check_pdf
from coursework.pdf import export_pdf
from coursework.profiles import ROOT
from tests.coursework.check.conftest import code, needs_fonts


def test_a_whole_pdf_has_no_findings(whole):
    assert whole.findings() == []


def test_the_check_shares_no_code_with_the_exporter():
    for module in (ROOT / "coursework" / "check").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in getattr(node, "names", ())]
            borrowed = ("coursework.pdf", "mistune", "nbconvert", "bs4", "pypdf", "pypandoc")
            assert not [n for n in names if n.split("#")[0] in borrowed or "coursework.pdf" in n]
    assert coursework.check.__all__ == ["Finding", "check_pdf"]


def put(cell, old, new):
    """Change a text in a cell of the notebook whose PDF is given, or in its outputs."""

    def change(notebook):
        text = json.dumps(notebook.cells[cell])
        before, after = json.dumps(old)[1:-1], json.dumps(new)[1:-1]
        assert before in text
        notebook.cells[cell] = from_dict(json.loads(text.replace(before, after)))

    return change


def add_output(cell, **data):
    output = new_output("display_data", data={k.replace("_", "/"): v for k, v in data.items()})
    return lambda notebook: notebook.cells[cell].outputs.append(output)


def add_cell(cell):
    return lambda notebook: notebook.cells.append(cell)


def add_picture_between(notebook):
    """Put a picture of another size between two."""
    small = copy.deepcopy(notebook.cells[3].outputs[0])
    small.data["image/png"] = PIXEL
    notebook.cells[3].outputs.insert(1, small)


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
LOSSES = {
    "a heading": (put(1, "## Question 1", "## Question 1\n\n### Part a"), "heading", "Part a"),
    "a sentence": (put(1, "\n\n- first", "\n\nOne more.\n\n- first"), "text", "One more"),
    "a sentence that is there once and not twice": (
        put(1, "\n\n- first", "\n\nThe answer is *quite* simple.\n\n- first"), "text", "quite",
    ),
    "a list item": (put(1, "- second item", "- second item\n- third item"), "text", "third item"),
    "a name in a table": (put(0, "Ada Lovelace", "Grace Hopper"), "table", "Grace Hopper"),
    "a line of code": (put(2, "\nprint", "\nresult += 1\nprint"), "code", "result += 1"),
    "the end of a long line": (put(3, "and ends here", "and ends there"), "code", "comment"),
    "a printed line": (put(2, "second", "0.5\nsecond"), "output", "cell 3, output 1"),
    "a digit of a result": (put(2, "[0 1 2]", "[0 1 3]"), "output", "[0 1 3]"),
    "one of 200 equal lines": (put(5, "row 117", "row 117\nrow 117"), "output", "row 117"),
    "the standard error": (put(2, "careful", "be careful"), "output", "cell 3, output 2"),
    "a row of a table": (put(4, "</table>", "<tr><td>12</td></tr></table>"), "table", ": 12"),
    "a table without rows": (put(4, "</table>", "</table><table><td>a1"), "table", "a1"),
    "text of a table outside of its cells": (put(4, "<tr>", "<p>7 rows</p><tr>"), "text", "7 r"),
    "a result as text": (add_output(4, text_plain="the answer"), "output", "cell 5, output 2"),
    "a picture": (add_output(5, image_png=PIXEL), "figure", "cell 6, output 2: the picture is not"),
    "a picture between others": (add_picture_between, "figure", "cell 4, output 2: the picture"),
    "a picture of prose": (put(1, "Inline", "![plot](no.png)\n\nInline"), "figure", "'plot'"),
    "an inline formula": (put(1, "Inline", "Inline $x_1$ and"), "formula", "x_1"),
    "a letter of a formula": (put(1, "\\alpha^2", "\\alpha^2 + \\gamma"), "formula", r"\gamma"),
    "a displayed formula": (put(1, "\n\n$$", "\n\n$$x+1$$\n\n$$"), "formula", "x+1"),
    "a short text beside many formulas": (add_cell(new_markdown_cell("L")), "text", "cell 7"),
    "a raw cell": (add_cell({"cell_type": "raw", "source": "raw!"}), "text", "raw!"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_found_and_named_and_taken_for_nothing_else(lacking, name):
    change, kind, words = LOSSES[name]
    findings = lacking(change).findings()
    assert [f for f in findings if f.kind == kind and words in f.message], findings
    allowed = {kind, "text"} if kind == "formula" else {kind}  # the words around it change, too
    assert {f.kind for f in findings} <= allowed
    assert {f.severity for f in findings} == {"lost"}


def counted(number, count):
    """Change the execution count of a cell."""
    return lambda notebook: notebook.cells[number].update(execution_count=count)


def with_error(notebook):
    notebook.cells[3].outputs.append(
        new_output("error", ename="ValueError", evalue="odd", traceback=["ValueError: odd"])
    )


def without_name(notebook):
    notebook.cells[0].metadata["tags"] = ["identity"]
    notebook.cells[0].source += "\n\n*your full name*, *your student ID*"


STATES = {
    "a cell run twice": (counted(3, 3), "run", "cell 4 was run as number 3, expected 2"),
    "a cell run too early": (counted(4, 1), "run", "cell 5 was run as number 1, expected 3"),
    "a cell that was not run": (counted(3, None), "run", "cell 4 was not run"),
    "an error": (with_error, "error", "cell 4 ends in ValueError: odd"),
    "no name": (without_name, "placeholder", "cell 1 still says *your full name*: no name"),
    "no student ID": (without_name, "placeholder", "no student id"),
    "another author": (
        lambda notebook: notebook.metadata["authors"].append({"name": "Bob"}),
        "identity", "the name 'Ada Lovelace, Bob' is not on page 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_state_that_cannot_be_handed_in_is_named(lacking, name):
    change, kind, words = STATES[name]
    findings = lacking(change).findings()
    assert [f for f in findings if f.kind == kind and words in f.message], findings


def test_an_expected_error_and_a_skipped_cell_are_no_findings(work):
    error = new_output("error", ename="E", evalue="odd", traceback=["E: odd"])
    tags = {"tags": ["raises-exception"]}
    work.cells(
        new_code_cell("1/0", execution_count=1, outputs=[error], metadata=tags),
        new_code_cell("sleep()", metadata={"tags": ["skip-execution"]}),
        new_code_cell("x", execution_count=2),
    )
    assert work.export().findings() == []


def test_hidden_parts_of_cells_are_not_expected(whole, whole_notebook):
    for cell, tag in ((2, "remove-input"), (3, "remove-output"), (5, "remove-cell")):
        whole_notebook.cells[cell].metadata["tags"] = [tag]
    assert whole.write(whole_notebook).export().findings() == []


def test_one_formula_shown_as_tex_is_one_finding(work):
    work.prose(
        "Good: $\\lambda$ and $\\theta$ and $\\lambda + \\theta$.",
        "Bad: $$\\nosuch \\lambda + \\theta = \\lambda$$",
    )
    assert work.export().lost() == [
        "tex: cell 2: raw TeX is left on the page: \\nosuch \\lambda + \\theta = \\lambda"
    ]


TALL = " ".join(f"word{i}" for i in range(1500))
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='30'><text y='20'>a</text></svg>"
LONG_SUM = " \\\\\n".join(rf"q_{{{i}}} &= \frac{{a}}{{b + {i}}}" for i in range(60))
WIDE = "".join(
    "<tr>" + "".join(f"<td>{row * column / 7:.4f}</td>" for column in range(14)) + "</tr>"
    for row in range(8)
)
RIGHT = {
    "a commutative diagram": r"So $$\begin{CD} A @>f>> B \\ @VgVV @AAhA \\ C @= D \end{CD}$$",
    "a rule": r"So $$\rule{1cm}{1pt}$$",
    "a formula longer than a page": rf"So $$\begin{{align}}{LONG_SUM}\end{{align}}$$",
    "bars of a formula in a table": "| a | b |\n|--|--|\n| $P(A|B)$ | z |\n| $\\|x\\|$ | w |",
    "a macro": r"So $\renewcommand{\vec}[1]{\mathbf{#1}} \vec{x}$ is",
    "a link to a file or to a program": "a [f](file:///C:/x.txt) b [js](javascript:void(0)) c",
    "a cell of a table that goes on on the next page": f"| a | b |\n|--|--|\n| {TALL} | side |",
    "a line of code that goes on on the next page": code(f"x = '{TALL}'", "done\n"),
    "one that begins below others": code("y = 2\n" * 20 + f"x = '{TALL}'", "done\n"),
    "centred code": "<center><pre>def f():\n    return 1</pre></center>",
    "code at the right": "<p align=right><pre>def f():\n    return 1</pre></p>",
    "a drawing that holds only words": code("x", {"image/svg+xml": SVG, "text/plain": "<SVG>"}),
    "an output that is not cut": code("x", "".join(f"row {i}\n" for i in range(1000))),
    "an output that is just cut": code("x", "".join(f"row {i}\n" for i in range(1001))),
    "a table in parts": code("x", {"text/html": f"<table>{WIDE}</table>"}),
    "texts that hold each other": code("x", "\n".join("*" * count for count in range(1, 9))),
    "tabs": code("if a:\n\tb = 1\nelse:\n    b = 2\n    if c:\n\t\td = 3", "a\tb\n  1\t2\n"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_on_the_page_is_right(work, name):
    cell = RIGHT[name]
    work.prose(cell) if isinstance(cell, str) else work.cells(cell)
    assert work.export().findings() == []


FORMULAS = {
    "where the signs stand": [
        r"\frac{x^2}{2} + x_2^2 - {x'}^2", r"\sum\nolimits_{i=1}^n i^{n-1} - n^{-i}", r"{x+y}^2_3",
        r"\frac{\frac{a}{b}}{\frac{b}{a}} = \frac{a+b}{b-a}", r"a - b \quad b - a", r"\int_0^1 t^0",
        r"\begin{pmatrix} a - b & b^2 \\ b - a & b_2 \end{pmatrix}", r"\mathbf{x}^T\hat{x}_T",
        r"10^{-3} \times 10^3 = 3^{10}", r"x_{1,2}^{1/2} \text{ per-use}", r"\sqrt{x^2}_2",
        r"a \perp b^\perp + \vec{x}' (\hat{y}) / \sqrt{\dot z}",
        r"\begin{aligned} a^2 &= b \\ b_2 &= a - c \end{aligned}", r"\binom{n}{k}^2 = {}_2F_1",
    ],
    "what tells TeX how to draw": [
        r"\begin{aligned}[t] a \end{aligned}", r"\begin{gathered}[b] a \end{gathered}",
        r"\cfrac[l]{1}{2}", r"a \mspace{18mu} b", r"\fcolorbox{red}{white}{E}",
        r"\enclose{circle}{x}", r"\sqrt[\uproot{2}n]{x}", r"\ce{A -> B}", r"\ce{A <=> B v}",
        r"\quad",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_of_a_formula_that_is_right_on_the_page_nothing_is_found(work, name):
    work.prose(*(f"So ${tex}$ and\n\n$${tex}$$" for tex in FORMULAS[name]))
    assert work.export().findings() == []


def test_what_is_lost_in_the_middle_of_a_tall_cell_is_found(work):
    page = f"#table(columns: 2)[a][b][{TALL.replace('word700', 'x')}][side]"
    work.prose(RIGHT["a cell of a table that goes on on the next page"])
    assert work.typeset(page).kinds() == ["table"]


@pytest.mark.parametrize(
    ("number", "shown"), [("2", "-2"), ("12.50", "-12.50"), ("3.1", "33.10"), ("4", "4.5")]
)
def test_a_piece_of_a_number_is_not_the_number(work, number, shown):
    work.prose(f"| a | b |\n|--|--|\n| {number} | side |")
    page = "#table(columns: 2)[a][b][{}][side]".format
    assert work.typeset(page(number)).lost() == []
    assert work.typeset(page(shown)).lost() == [f"table: cell 1: not in the PDF: {number}"]


def equation(tex, drawn):
    """Return a part of a page whose tag names a formula, however it is drawn."""
    return f"#math.equation(alt: {json.dumps(tex, ensure_ascii=False)}, ${drawn}$)"


def test_a_formula_of_the_same_signs_in_another_order_is_to_be_looked_at(work):
    work.prose(r"So $\frac{a}{b}$ holds.")
    right, turned = equation(r"\frac{a}{b}", "a/b"), equation(r"\frac{b}{a}", "a/b")
    assert work.typeset(f"So {right} holds.").findings() == []
    (finding,) = work.typeset(f"So {turned} holds.").findings()
    assert (finding.kind, finding.severity) == ("formula", "warning")


def test_the_second_part_of_a_formula_that_is_broken_must_be_there(work):
    work.prose("So $a + b = c + d$ holds.")
    page = f"So {equation('a + b = c + d', 'a + b')} {{}} holds.".format
    assert work.typeset(page(equation("…", "= c + d"))).findings() == []
    (lost,) = work.typeset(page(equation("…", "= c"))).lost()
    assert "drawn without + d" in lost


def test_two_amounts_in_dollars_are_no_formula_that_was_lost(work):
    work.prose("It costs $5 today and $6 tomorrow.")
    assert work.typeset("It costs \\$5 today and \\$6 tomorrow.").findings() == []
    work.prose("| a | b |\n|--|--|\n| $5 | now |\n| then | $6 |")
    assert work.export().lost() == []


@pytest.mark.parametrize(
    ("tex", "drawn", "severity", "why"),
    [
        (r"a \beta", "a gamma", "lost", "drawn without β"),
        ("x^2 + 1", "x^2", "lost", "drawn without + 1"),
        (r"\sum_i q_i", "sum_i i", "lost", "drawn without q"),
        (r"{a \atop b}", "binom(a, b)", "warning", "drawn with brackets that it does not have"),
        (r"{x \brack y}", "[x/y]", "warning", "drawn with a bar that it does not have"),
        (r"\left\lgroup x \right\rgroup", "x", "warning", "its brackets are not drawn"),
        (r"\text{5 \AA}", r'"5 \\AA"', "warning", "a command in it is shown as TeX"),
        (r"\overparen{AB}", '"⏜" A B', "warning", "an arc stands beside its letters"),
        (r"\overparen{AB}", "overparen(A B)", "", ""),
    ],
)
def test_a_formula_drawn_otherwise_is_found_in_spite_of_its_tag(work, tex, drawn, severity, why):
    work.prose(f"So ${tex}$ holds.").typeset(f"So {equation(tex, drawn)} holds.")
    found = [(finding.kind, finding.severity) for finding in work.findings()]
    assert found == ([("formula", severity)] if severity else [])
    assert why in str(work.findings())


REPLACED = {
    "a widget": {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}},
    "a plotly chart": {"application/vnd.plotly.v1+json": {}, "text/html": "<div></div>"},
    "a vega chart": {"application/vnd.vegalite.v5+json": {}},
    "JavaScript": {"application/javascript": "draw()"},
    "audio": {"text/html": "<audio src='data:audio/wav;base64,UklGRg=='></audio>"},
    "audio/mpeg": {"audio/mpeg": "UklG"},
    "video/mp4": {"video/mp4": "AAAA"},
    "a mermaid drawing": {"text/vnd.mermaid": "graph TD"},
    "a vega chart ": {"text/html": "<div id=v></div><script>vegaEmbed('#v', {})</script>"},
    "a 3D view": {"text/html": "<div id=m></div><script>$3Dmol.createViewer('m')</script>"},
    "a drawing made by a script": {
        "text/html": "<div id='q'></div><script>f(document.getElementById('q'))</script>"
    },
    "a video": {"text/html": "<video src='clip.mp4'></video>"},
    "an iframe": {"text/html": "<iframe src='https://example.org'></iframe>"},
    "a drawing made by a script ": {
        "text/html": "<svg class='q'></svg><script>d3.select('.q').append('g')</script>"
    },
    "an animation": {"text/html": "<div class=animation><img><form>once loop</form></div>"},
}


@pytest.mark.parametrize("name", REPLACED)
def test_what_only_a_browser_shows_is_listed_and_refuses_nothing(work, name):
    work.shows({**REPLACED[name], "text/plain": "<Repr>"})
    (finding,) = work.typeset('#raw("[1] x")\n\n[Only a note]').findings()
    assert (finding.kind, finding.severity) == ("note", "warning")
    name = {"audio/mpeg": "audio", "video/mp4": "a video"}.get(name, name).strip()
    assert f"cell 1, output 1: {name} cannot be printed" in finding.message


def test_a_mermaid_drawing_and_a_picture_on_the_network_are_listed(work):
    work.prose(
        "```mermaid\ngraph TD\n```",
        "<pre class='mermaid'>graph LR</pre>",
        "![run online](https://example.org/badge.svg)",
    )
    findings = work.typeset("graph TD\n\ngraph LR").findings()
    assert [f.kind for f in findings] == ["note"] * 3
    assert "its description 'run online' is not on the page" in findings[2].message


def test_a_note_that_the_notebook_does_not_tell_of_is_listed_from_the_page(work):
    html = "<div id=v></div><script>(function(spec) {draw(spec)})({})</script>"
    work.cells(code("x", {"text/html": html, "text/plain": "<C>"}), new_markdown_cell("Words"))
    page = "x\n\n[interactive content, not shown: program]\n\nWords"
    (finding,) = work.typeset(page).findings()
    assert (finding.kind, finding.severity) == ("note", "warning")
    assert "at cell 1 the page says: [interactive content, not shown" in finding.message


def test_the_words_beside_a_drawing_made_by_a_script_are_expected(work):
    html = '<h4>Words</h4><div id="q"></div><script>Plotly.newPlot("q", [])</script>'
    work.shows({"text/html": html, "text/plain": "<Repr>"})
    assert work.typeset("x\n\n= Words").kinds() == ["note"]
    assert work.typeset("x").kinds() == ["heading", "note"]


def test_the_alternative_text_of_a_picture_stands_for_no_picture(work):
    work.prose("text ![clip](nofile.png) end")
    (lost,) = work.typeset("text clip end").lost()
    assert lost == "figure: cell 1: the picture 'clip' is not in the PDF"


def test_the_still_picture_of_something_live_is_expected(work):
    work.shows({"text/html": "<iframe src='x'></iframe>", "image/png": PIXEL})
    assert work.typeset("x").lost() == ["figure: cell 1, output 1: the picture is not in the PDF"]


def widget(**models):
    """Return a notebook that shows the widget ``a``; a model is its name, state and buffers."""
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "Box()"}
    state = {
        key: {"model_name": f"{name}Model", "state": state, "buffers": buffers}
        for key, (name, state, *buffers) in models.items()
    }
    saved = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    return new_notebook(cells=[code("x", view)], metadata={"widgets": saved})


STREAM = {"output_type": "stream", "name": "stdout", "text": "the answer is 42"}
TABS = {"children": ["IPY_MODEL_b", "IPY_MODEL_c"], "titles": ["One", "Two"]}
FOLD = {"children": ["IPY_MODEL_b"], "_titles": {"0": "A fold"}}
WIDGETS = {
    "words in HTML": (widget(a=("HTML", {"value": "<b>bold</b> words"})), "bold words"),
    "a label": (widget(a=("Label", {"value": "a label"})), "a label"),
    "a text": (widget(a=("Textarea", {"value": "typed", "description": "Why"})), "Why typed"),
    "a number": (widget(a=("IntText", {"value": 4711})), "4711"),
    "a fold without its content": (widget(a=("Accordion", FOLD)), "A fold"),
    "tabs": (
        widget(a=("Tab", TABS), b=("Label", {"value": "first"}), c=("Label", {"value": "second"})),
        "One\n\nfirst\n\nTwo\n\nsecond",
    ),
    "an output in a box that holds itself": (
        widget(
            a=("VBox", {"children": ["IPY_MODEL_b", "IPY_MODEL_a"]}),
            b=("Output", {"outputs": [STREAM]}),
        ),
        "the answer is 42",
    ),
}


@pytest.mark.parametrize("name", WIDGETS)
def test_what_a_widget_holds_is_expected(work, name):
    notebook, words = WIDGETS[name]
    assert work.write(notebook).export().findings() == []
    assert work.typeset("x\n\n" + words).findings() == []
    assert "not in the PDF" in work.typeset("x").lost()[0]


def test_the_picture_of_a_widget_is_expected(work):
    buffer = {"path": ["value"], "encoding": "base64", "data": PIXEL}
    work.write(widget(a=("Image", {}, buffer)))
    assert work.export().findings() == []
    assert work.typeset("x").kinds() == ["figure"]


@pytest.mark.parametrize("name", ["Tab", "Accordion", "Text", "BoundedIntText", "Image", "Slider"])
def test_only_a_widget_that_moves_cannot_be_printed(work, name):
    work.write(widget(a=(name, {})))
    assert work.typeset("x").kinds() == (["note"] if name == "Slider" else [])


def test_a_widget_that_holds_a_view_of_itself_ends(work):
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}
    outputs = [{"output_type": "display_data", "data": view}]
    work.write(widget(a=("Output", {"outputs": outputs})))
    assert work.typeset("x").lost() == []


def test_a_progress_bar_shows_its_last_state_and_may_leave_out_its_time(work):
    bar = "FloatProgress", {"value": 10, "max": 10}
    label = "HTML", {"value": "10/10 [00:01&lt;00:00, 9.8it/s]"}
    work.write(widget(a=("HBox", {"children": ["IPY_MODEL_b", "IPY_MODEL_c"]}), b=bar, c=label))
    assert work.typeset("x\n\n|████| 10/10").findings() == []
    work.shows("  0%|   | 0/9\r 50%|██ | 4/9 [00:01, 3.1it/s]\r100%|███| 9/9 [00:03, 3.0it/s]\n")
    assert work.typeset("x\n\n100%|███| 9/9").findings() == []
    assert "9/9" in work.typeset("x\n\n50%|██ | 4/9").lost()[0]
    html = "<p>90%|███| 9/10 [00:03&lt;00:00, 3.2it/s]</p>"
    html += "<progress value=9 max=9></progress> 100.00% [9/9 00:05&lt;00:00 loss = 2]"
    keras = "9/9 ━━━━ 2s 13ms/step - loss: 0.4\n9/9 [==] - 2s 3s/step\n"
    work.shows(keras, {"text/html": html})
    assert work.export().findings() == []
    page = "x\n\n9/9 ━━━━ - loss: 0.4\\\n9/9 [==]\n\n90%|███| 9/10\n\n100.00% [9/9 loss = 2]"
    assert work.typeset(page).findings() == []
    assert len(work.typeset(page.replace("0.4", "0.5")).lost()) == 1
    bar = f"{'=' * 80}> 9/9 [==] - 2s 13ms/step - loss: {{}}\n".format
    work.shows("".join(map(bar, range(1000))) + "100%|███| 9/9 [00:03, 3.0it/s]\n")
    assert work.export().findings() == []


def test_colours_of_a_terminal_are_no_text(work):
    work.shows("\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m\a\n")
    assert work.typeset('x\n\nred and bold#"\\\\x07"').findings() == []


@pytest.mark.parametrize("shown", ["x&y < z", "a *b* c_d", "1. “quoted” text", "n = 5: m"])
def test_marks_of_markdown_on_which_readers_differ_are_no_loss(work, shown):
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace("*", "\\*")
    work.prose(f"Text {escaped}")
    assert work.typeset(f'Text #"{shown}"').findings() == []


NOISE = {
    "<IPython.core.display.HTML object>": "the name of an object",
    "| a | |---|---| b |": "the source of a table",
    "Line \\eqref{eq:a} is": "a reference to an equation",
    "iVBORw0KGgo" * 40: "the data of a file",
}


@pytest.mark.parametrize("shown", NOISE)
def test_what_the_page_shows_and_the_notebook_does_not_is_to_be_looked_at(work, shown):
    work.prose("Text")
    page = f"Text\n\n#set text(size: 1pt)\n#{{{json.dumps(shown)}}}"
    (finding,) = work.typeset(page).findings()
    assert (finding.kind, finding.severity) == ("noise", "warning")
    assert NOISE[shown] in finding.message


def test_equal_lines_are_counted_also_where_each_page_begins_with_one(work):
    work.shows("loss nan\n" * 300)
    work.typeset("x\n\n" + "loss nan \\\n" * 300)
    assert work.findings() == []
    work.typeset("x\n\n" + "loss nan \\\n" * 299)
    assert work.lost() == ["output: cell 1, output 1: not in the PDF: loss nan"]


def test_long_output_may_be_cut_with_a_note_and_not_without(work):
    text = "".join(f"line {i:05}\n" for i in range(3000))
    work.shows(text)
    assert work.export().findings() == []
    ends = " \\\n".join(text.splitlines()[:500] + text.splitlines()[-500:])
    assert work.typeset(f"x\n\n{ends}").lost() == [
        "output: cell 1, output 1: a long output is cut without a note"
    ]
    work.export().shows(text.replace("line 02990", "line 92990"))
    assert work.lost() == ["output: cell 1, output 1: not in the PDF: line 92990"]


X, Y = equation("x", "x"), equation("y", "y")
ORDERS = {
    "paragraphs": ("Two.\n\nOne.", "One.\n\nTwo."),
    "headings": ("# Two\n\n# One", "= One\n= Two"),
    "lines of code": ("```\nb\na\n```", '#raw("a\\nb", block: true)'),
    "formulas": ("$y$ and $x$ so", f"{X} and {Y} so"),
    "a formula and a text": ("$x$\n\nText", f"Text\n\n{X}"),
    "cells of a table": ("|a|b|\n|-|-|\n|2|1|", "#table(columns: 2)[a][b][1][2]"),
    "rows of a table": ("|a|\n|-|\n|2|\n|1|", "#table[a][1][2]"),
}


@pytest.mark.parametrize("name", ORDERS)
def test_what_is_not_in_its_place_is_one_finding(work, name):
    source, page = ORDERS[name]
    (lost,) = work.prose(source).typeset(page).lost()
    assert "cell 1: not in its place: " in lost


def test_two_cells_of_a_table_are_not_taken_for_one(work):
    cells = "".join(f"<td>{text}</td>" for text in ["0.0", "0", "1", "0.00", "10", "1"])
    work.shows({"text/html": f"<table><tr>{cells}</tr></table>"})
    table = "#table(columns: 3)[0.0][0][1][0.00][10][1]"
    assert work.typeset(f"x\n\n{table}").findings() == []
    assert len(work.typeset(f"x\n\n{table.replace('[10]', '')}").lost()) == 1


def test_pdf_without_tags_is_checked_by_its_letters(work):
    """Made by another route: no tags, the Greek letters dropped, a line cut off."""
    work.cells(
        new_markdown_cell("# Title\n\nFormula $\\alpha + \\beta \\le 1$ here."),
        code("x = 'left' + 'right'"),
    )
    work.typeset("= Title\nFormula $ + β ≤ 1$ here.\n\n#raw(\"[1] x = 'left' + \")")
    assert without_tags(work).lost() == [
        "code: cell 2: not in the PDF: x = 'left' + 'right'",
        "formula: formulas hold α 1 times, the PDF 0 times",
    ]


def without_tags(work):
    untagged = PdfWriter()
    for page in PdfReader(work.pdf).pages:
        untagged.add_page(page)
    untagged.write(work.pdf)
    return work


def test_footers_of_a_pdf_without_tags_are_no_part_of_its_text(work):
    work.prose(
        "One.\n\nThis is page 7 of 9",
        f"![](data:image/png;base64,{PIXEL})",
        "| a | b |\n|--|--|\n| 11 | 22 |",
    )
    footer = "#set page(footer: context [page #counter(page).display() of 3])\n"
    picture = f"#image(bytes({tuple(base64.b64decode(PIXEL))}))"
    pages = ["One.", "This is page 7 of 9", f"{picture}\n#table(columns: 2)[a][b][11][22]"]
    work.typeset(footer + "\n#pagebreak()\n".join(pages))
    assert without_tags(work).findings() == []


def test_many_losses_are_counted_and_not_all_listed(lacking):
    more = "".join(f"more {i:03}\n" for i in range(200))
    findings = lacking(put(5, "row 000", more + "row 000")).findings()
    assert len(findings) == 21
    assert findings[0].message == "cell 6, output 1: not in the PDF: more 000"
    assert findings[-1].message == "and 180 more like these are not in the PDF"


def test_a_finding_reads_as_a_line_and_says_whether_it_matters():
    assert str(Finding("code", "cell 3: x")) == "code: cell 3: x"
    assert str(Finding("note", "cell 3: x", "warning")) == "note (warning): cell 3: x"


def swap_pages(writer):
    first = writer.pages[0]
    del writer.pages[0]
    writer.insert_page(first, 1)


MOVED = Transformation().translate(tx=-300)
PAGES = {
    "a page is gone": (lambda writer: writer.pages.__delitem__(1), {"output", "page"}),
    "a blank page": (lambda writer: writer.insert_blank_page(595, 842, 1), {"page"}),
    "pages in another order": (swap_pages, {"page"}),
    "text beyond the right edge": (
        lambda writer: setattr(writer.pages[0].mediabox, "upper_right", (300, 842)), {"page"},
    ),
    "text and picture beyond the left edge": (
        lambda writer: writer.pages[0].add_transformation(MOVED), {"page"},
    ),
    "a password": (lambda writer: writer.encrypt("secret"), {"file"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_damaged_pages_are_found(whole, name):
    change, kinds = PAGES[name]
    assert kinds <= set(whole.rewrite(change).kinds())


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"not a PDF", b"%PDF-1.7 cut", None])
def test_file_that_is_no_pdf_is_a_finding(whole, content):
    bytes_of_it = whole.pdf.read_bytes()
    whole.pdf.write_bytes(bytes_of_it[: len(bytes_of_it) // 3] if content is None else content)
    assert set(whole.kinds()) & {"file", "text"}


def test_too_many_pages_and_too_many_bytes(whole, monkeypatch):
    monkeypatch.setattr("coursework.check.compare.MOST_PAGES", 1)
    monkeypatch.setattr("coursework.check.compare.MOST_BYTES", 1000)
    messages = [finding.message for finding in whole.findings()]
    assert any("pages, more than 1" in message for message in messages)
    assert any("bytes, more than 1,000" in message for message in messages)


def test_missing_files_are_errors(whole, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such PDF; export the notebook first"):
        check_pdf(whole.notebook, tmp_path / "gone.pdf")
    with pytest.raises(FileNotFoundError, match="no such notebook"):
        check_pdf(tmp_path / "gone.ipynb", whole.pdf)


@needs_fonts
@pytest.mark.parametrize("name", ["small", "hw"])
def test_real_notebooks_lose_nothing(shared_notebooks, tmp_path, name):
    """The large one holds a cell that is meant to fail, and texts in six scripts."""
    notebook = shared_notebooks / f"{name}.ipynb"
    pdf = export_pdf(notebook, tmp_path / "real.pdf").path
    assert [f.kind for f in check_pdf(notebook, pdf) if f.severity == "lost"] == []
