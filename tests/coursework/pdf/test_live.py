"""What only a browser draws is its still picture, and a note and a warning that say so."""

import pytest

from coursework.pdf.cells import write_output
from coursework.pdf.html import html_to_typst
from tests.coursework.pdf.conftest import PNG64, code, display


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}, "widget"),
        ({"application/vnd.plotly.v1+json": {"data": []}}, "plotly chart"),
        ({"application/vnd.vegalite.v5+json": {}}, "Vega chart"),
        ({"application/vnd.bokehjs_exec.v0+json": "", "application/javascript": ""}, "Bokeh chart"),
        ({"application/geo+json": {}}, "map"),
        ({"application/javascript": "element.append('x')"}, "JavaScript program"),
        ({"video/mp4": "AAAA"}, "video"),
        ({"audio/wav": "AAAA"}, "audio"),
        ({"text/html": '<div id="q"></div><script>Plotly.newPlot("q")</script>'}, "plotly chart"),
        ({"text/html": '<div id="altair-viz-1"></div><script>vegaEmbed()</script>'}, "Vega chart"),
        ({"text/html": "<canvas id=c></canvas><script>draw(c)</script>"}, "canvas"),
        ({"text/html": "<script>document.write('x')</script>"}, "JavaScript program"),
        ({"text/html": "<p id=m></p><script type=module>f('m')</script>"}, "JavaScript program"),
        ({"text/html": "<table><td>Loading table...</table><script>f()</script>"}, "JavaScript"),
    ],
)
def test_a_drawing_is_a_note_and_not_the_text_of_its_object(draft, data, kind):
    markup = write_output(draft, display(data | {"text/plain": "<some.Figure at 0x7f>"}))
    assert f"[interactive content, not shown: {kind}" in markup
    assert "Figure" not in markup
    assert len(draft.warnings) == 1
    assert kind in draft.warnings[0]


def test_the_note_says_what_the_text_of_the_drawing_says(draft):
    data = {"application/vnd.plotly.v1+json": {}, "text/plain": "Sales " * 50}
    assert "not shown: plotly chart Sales Sales" in write_output(draft, display(data))


@pytest.mark.parametrize(
    "data",
    [
        {"application/vnd.plotly.v1+json": {}},
        {"text/html": "<div id=x></div><script>embed()</script>"},
        {"application/javascript": "draw()"},
    ],
)
def test_the_picture_beside_a_drawing_is_shown(draft, data):
    forms = data | {"image/png": PNG64, "text/plain": "chart"}
    markup = write_output(draft, display(forms))
    assert "#picture(" in markup
    assert "[interactive content, shown as a still picture: " in markup
    assert "is printed as a still picture" in draft.warnings[0]


def test_the_picture_beside_a_frame_is_shown_with_the_address_of_the_frame(draft):
    html = '<iframe width="400" src="https://a.b/film"></iframe>'
    forms = {"text/html": html, "image/jpeg": PNG64}
    markup = write_output(draft, display(forms | {"text/plain": "<Video at 0x7f>"}))
    assert "#picture(" in markup
    assert "[interactive content, not shown: iframe https://a.b/film]" in markup


def test_the_html_of_a_widget_is_shown_with_a_note(draft):
    data = {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<b>17 rows</b>"}
    markup = write_output(draft, display(data | {"text/plain": "Grid()"}))
    assert "17 rows" in markup
    assert len(draft.warnings) == 1


def test_the_first_frame_of_an_animation_is_shown(export):
    html = (
        '<div class="animation"><img id="_anim_img1"><input type="range" value="0">'
        '<form><input type="radio" value="once"><label>Once</label></form></div>'
        '<script>var frames = new Array(2);\nframes[0] = "data:image/png;base64,'
        + "\\\n".join(PNG64[i : i + 40] for i in range(0, len(PNG64), 40))
        + '\\\n"\nframes[1] = "data:image/png;base64,AAAA"\nnew Animation(frames)</script>'
    )
    done = export(code("movie", display({"text/html": html})))
    assert done.images == 1
    assert "[interactive content, shown as a still picture: animation]" in done.text
    assert "Once" not in done.text
    assert done.report.warnings == ("cell 1: an animation is printed as a still picture",)


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<style>p {color: navy}</style>",
        '<link rel="stylesheet" href="https://a.b/c.css"><!-- comment -->',
        "<div></div>",
        "<script>MathJax.Hub.Config({TeX: {}})</script>",
        "<script>window.PlotlyConfig = {}; define('plotly', () => document.append(1))</script>",
        "<style>a {}</style><script>window.answer = 42</script>",
        '<p style="display: none">hidden</p>',
        '<input type="hidden" value="x"><input type="range" value="3">',
        '<div><a class="logo"></a><span id="b1">Loading BokehJS ...</span></div>',
    ],
)
def test_html_that_shows_nothing_shows_nothing(draft, html):
    forms = {"text/html": html, "text/plain": "<IPython.core.display.HTML object>"}
    assert write_output(draft, display(forms)) == ""
    assert draft.warnings == []


def test_what_only_loads_a_library_shows_nothing(draft):
    forms = {"application/javascript": "load()", "application/vnd.bokehjs_load.v0+json": ""}
    assert write_output(draft, display(forms)) == ""
    assert draft.warnings == []


def test_a_program_for_another_page_changes_nothing(draft):
    program = {"application/vnd.google.colaboratory.module+javascript": "f()"}
    assert '"7"' in write_output(draft, display(program | {"text/html": "<b>7</b>"}))
    assert draft.warnings == []


def test_html_whose_scripts_add_to_its_text_is_shown(draft):
    html = "<table><tr><td>17</td></tr></table><script>document.querySelector('b')</script>"
    assert "17" in write_output(draft, display({"text/html": html}))
    assert draft.warnings == []


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ('Plotly.newPlot("q", [])', "plotly chart"),
        ('vegaEmbed("#q", {})', "Vega chart"),
        ('$3Dmol.createViewer(document.getElementById("x"))', "3Dmol view"),
        ("if (window.SHAP) SHAP.ReactDom.render(1)", "SHAP chart"),
        ('new DataTable("#t", {data})', "JavaScript table"),
        ("root.Bokeh.embed.embed_items_notebook(docs)", "Bokeh chart"),
        ('echarts.init(document.getElementById("q"))', "JavaScript program"),
    ],
)
def test_a_drawing_beside_words_is_a_note_below_the_words(draft, script, kind):
    html = f'<h4>17 rows</h4><div id="q"></div><script>{script}</script>'
    markup = write_output(draft, display({"text/html": html, "text/plain": "<IPython.HTML>"}))
    assert markup.index("17 rows") < markup.index(f"[interactive content, not shown: {kind}]")
    forms = {"text/html": html, "image/png": PNG64}
    markup = write_output(draft, display(forms))
    assert markup.index("17 rows") < markup.index("#picture(") < markup.index("as a still picture")


@pytest.mark.parametrize("tag", ["video", "audio", "iframe", "embed", "canvas", "object"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://a.b/c", "https://a.b/c"),
        ("data:video/mp4;base64," + "AAAA" * 20_000, "video/mp4, 60 kB"),
    ],
    ids=["linked", "embedded"],
)
def test_what_moves_is_named_by_its_address_or_its_kind_and_size(draft, tag, source, said):
    markup = html_to_typst(draft, f'<{tag} src="{source}"></{tag}>')
    assert f"[interactive content, not shown: {tag} {said}]" in markup
    article = "a" if tag in ("video", "canvas") else "an"
    assert draft.warnings == [f"{article} <{tag}> cannot be printed {said}"]


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ('<video src="x.mp4"><p>fallback</p></video>', "video x.mp4"),
        ('<object data="x.html"><p>fallback</p></object>', "object x.html"),
        ("<canvas><table><tr><td>fallback</table></canvas>", "canvas"),
    ],
)
def test_the_words_for_browsers_without_films_are_not_the_film(draft, html, kind):
    markup = write_output(draft, display({"text/html": html, "text/plain": "<Video>"}))
    assert f"[interactive content, not shown: {kind}]" in markup
    assert "fallback" not in markup


def test_an_object_that_names_no_file_is_what_is_in_it(draft):
    assert "words" in html_to_typst(draft, "<object><p>words</p></object>")
    assert draft.warnings == []


def test_a_film_shows_its_poster_its_name_and_the_address_of_its_source(draft, png):
    (draft.notebook_folder / "first.png").write_bytes(png)
    html = '<video poster="first.png" title="Swing"><source src="swing.mp4"></video>'
    markup = html_to_typst(draft, html)
    assert markup.startswith("#ragged[#picture(")
    assert "[interactive content, shown as a still picture: video Swing swing.mp4]" in markup
    assert draft.warnings == ["a <video> is printed as a still picture swing.mp4"]


def test_a_poster_that_is_missing_leaves_the_note(draft):
    markup = html_to_typst(draft, "<video poster=x.png src=a.mp4></video>")
    assert "not shown: video a.mp4" in markup
    assert len(draft.warnings) == 1


def test_an_embedded_picture_is_a_picture(draft, png):
    (draft.notebook_folder / "a.png").write_bytes(png)
    for html in ('<embed src="a.png">', '<object data="a.png"></object>', '<iframe src="a.png">'):
        assert html_to_typst(draft, html).startswith("#ragged[#picture(")
    assert draft.warnings == []


def test_a_mermaid_diagram_is_its_source_and_a_note(draft):
    data = {"text/vnd.mermaid": "graph TD\n  A --> B"}
    page = '<div class="mermaid">graph TD\n  A --&gt; B</div><script type="module">run()</script>'
    html = '<pre data-language="mermaid">graph TD\n  A --&gt; B</pre>'
    outputs = [write_output(draft, display(forms)) for forms in (data, {"text/html": page})]
    for markup in (*outputs, html_to_typst(draft, html)):
        assert "[mermaid diagram, shown as its source]" in markup
        assert "A --> B" in markup
    assert draft.warnings == ["a mermaid diagram is shown as its source"]
