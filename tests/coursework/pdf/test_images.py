"""Images are found without a network, and what is missing is seen."""

import base64
import io
import os
import socket
import struct
import zlib

import pytest
from nbformat.v4 import new_markdown_cell
from PIL import Image
from pypdf import PdfWriter

from coursework.pdf.css import Size
from coursework.pdf.html import html_to_typst
from coursework.pdf.images import MOST_BYTES, decode, linked_picture, picture
from tests.coursework.pdf.conftest import PNG64, code, display

DATA_URI = "data:image/png;base64," + PNG64
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
    '<rect width="40" height="20"/></svg>'
)


def png_of(width, height):
    """Return a picture of one colour: few bytes, however many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image-0.png"),
        (b"\xff\xd8\xff\xe0...", "image-0.jpg"),
        (b"GIF89a...", "image-0.gif"),
        (b"RIFF....WEBPVP8 ", "image-0.webp"),
        (b"%PDF-1.7 ...", "image-0.pdf"),
        (b"<?xml version='1.0'?>\n<svg></svg>", "image-0.svg"),
    ],
)
def test_kind_is_seen_in_the_data(draft, data, name):
    markup = picture(draft, data, 'my "alt"', Size("50%", "3pt"))
    assert markup == f'#picture("{name}", alt: "my \\"alt\\"", width: 50%, height: 3pt);'
    assert (draft.folder / name).read_bytes() == data


def test_one_image_shown_twice_is_stored_once(draft, png):
    assert picture(draft, png) == picture(draft, png)
    assert [path.name for path in draft.folder.iterdir()] == ["image-0.png"]


@pytest.mark.parametrize("data", [b"", b"not an image", b"\x00" * 10])
def test_data_that_is_no_image_is_a_note(draft, data):
    assert picture(draft, data, "the plot").startswith("#note(")
    assert len(draft.warnings) == 1


def test_file_beside_the_notebook(draft, png):
    folder = draft.notebook_folder / "my figures"
    folder.mkdir()
    (folder / "a.png").write_bytes(png)
    for source in ("my figures/a.png", "my%20figures/a.png", "./my figures/a.png?raw=true"):
        assert linked_picture(draft, source).startswith('#picture("image-0.png"')
    assert draft.warnings == []


@pytest.mark.parametrize(
    "source", ["gone.png", "", ".", "a\x00b.png", "x" * 5000, "http:", "//[bad"]
)
def test_image_that_is_not_there_is_a_note(draft, source):
    assert linked_picture(draft, source).startswith("#note(")
    assert len(draft.warnings) == 1


def test_remote_image_is_a_note_and_the_network_is_never_touched(draft, monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    for source in ("https://a.b/c.png", "http://a.b/c.png", "//a.b/c.png", "ftp://a.b/c.png"):
        assert f"[image on the network, not shown: {source}]" in linked_picture(draft, source)
    assert len(draft.warnings) == 4


def test_data_uris(draft):
    assert "image-0.png" in linked_picture(draft, DATA_URI)
    assert "image-1.svg" in linked_picture(draft, "data:image/svg+xml," + SVG.replace("#", "%23"))
    assert draft.warnings == []
    for broken in ("data:image/png;base64,@@@", "data:nothing"):
        assert linked_picture(draft, broken).startswith("#note(")
    assert len(draft.warnings) == 2


def test_decode_reads_base64_data_uris_and_the_text_of_drawings(png):
    assert decode(PNG64) == png
    assert decode(base64.encodebytes(png).decode()) == png
    assert decode(SVG) == SVG.encode()
    assert decode("!") == decode("data:image/png") == b""
    assert decode(DATA_URI) == decode("\n" + DATA_URI) == png
    assert decode("data:image/svg+xml;utf8," + SVG) == SVG.encode()


def test_figures_of_each_route_reach_the_page(export, png, tmp_path):
    (tmp_path / "local.png").write_bytes(png)
    done = export(
        new_markdown_cell("![file](local.png)"),
        new_markdown_cell('<img src="local.png" width="30">'),
        new_markdown_cell(f"![uri]({DATA_URI})"),
        new_markdown_cell("![a](attachment:a.png)", attachments={"a.png": {"image/png": PNG64}}),
        code("plot", display({"image/png": PNG64})),
    )
    assert done.images == 5
    assert done.report.warnings == ()


def test_a_drawing_within_html_keeps_its_names(draft):
    html = '<svg viewBox="0 0 8 4"><linearGradient gradientUnits="userSpaceOnUse"/></svg>'
    assert html_to_typst(draft, html).startswith("#ragged[#picture(")
    (data,) = draft.images
    for name in (b"viewBox=", b"<linearGradient", b"gradientUnits="):
        assert name in data


def test_svg_stays_vector(export):
    done = export(code("plot", display({"image/svg+xml": SVG})))
    assert (done.images, done.report.warnings) == (1, ())
    assert list(done.reader.pages[0].images) == []


def test_a_broken_picture_is_a_note_or_its_png_twin(export, png):
    broken = {"image/svg+xml": "<svg><g></svg>"}
    cut_off = {"image/png": base64.b64encode(png[:40]).decode()}
    twin = broken | {"image/png": PNG64}
    cells = [code("plot", display(data)) for data in (broken, cut_off, twin)]
    done = export(*cells, new_markdown_cell("and the rest"))
    assert done.text.count("[a broken image: figure]") == 2
    assert "and the rest" in done.text
    assert done.images == 1
    assert done.report.warnings == tuple(
        f"cell {number}: a broken image (figure) is shown as a note" for number in (1, 2)
    )


def test_missing_attachment_is_a_note(export):
    done = export(new_markdown_cell("![a](attachment:gone.png) and the rest"))
    assert "[missing image: a (attachment:gone.png)]" in done.text
    assert "and the rest" in done.text
    assert "attachment:gone.png" in done.warnings


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("My Shot.png", "![x](<attachment:My Shot.png>)"),
        ("My Shot.png", "![x](attachment:My%20Shot.png)"),
        ("Gr\u00f6\u00dfe.png", "![x](attachment:Gr\u00f6\u00dfe.png)"),
        ("Gro\u0308\u00dfe.png", "![x](attachment:Gr%C3%B6%C3%9Fe.png)"),
        ("a(1)+b&c.png", "![x](attachment:a(1)+b&c.png)"),
        ("100%25.png", "![x](attachment:100%25.png)"),
        ("100%.png", '<img src="attachment:100%25.png">'),
        ("<a>.png", '<img src="attachment:&lt;a&gt;.png" width="30">'),
        ("plot.png", "text\n\n<p align=center><img src='attachment:plot.png'></p>"),
    ],
)
def test_an_attachment_is_found_whatever_its_name(export, name, written):
    attachments = {"other.png": {}, name: {"image/png": PNG64}}
    done = export(new_markdown_cell(written, attachments=attachments))
    assert (done.images, done.report.warnings) == (1, ())


def test_the_alternative_text_is_shown_where_a_picture_is_not(draft):
    remote = linked_picture(draft, "https://a.b/badge.svg?x=1", "run online")
    assert "[image on the network, not shown: run online]" in remote
    assert "[missing image: the plot (gone.png)]" in linked_picture(draft, "gone.png", "the plot")
    assert "https://a.b/badge.svg?x=1" in draft.warnings[0]


def test_a_data_uri_is_never_written_out(draft):
    source = "data:image/png;base64," + "QUJD" * 1000
    assert linked_picture(draft, source).startswith('#note("[missing image: image/png, 3 kB]")')
    assert "QUJD" not in draft.warnings[0]


def test_a_picture_outside_of_the_folder_is_refused(draft, png, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(png)
    (draft.notebook_folder / "link.png").symlink_to(outside)
    up = os.path.relpath(outside, draft.notebook_folder)
    for source in (up, str(outside), f"file://{outside}", "link.png"):
        assert linked_picture(draft, source).startswith("#note(")
    assert len(draft.warnings) == 4
    assert all("it is not in the notebook's folder" in warning for warning in draft.warnings)


def test_a_link_within_the_folder_is_followed(draft, png):
    (draft.notebook_folder / "a.png").write_bytes(png)
    (draft.notebook_folder / "b.png").symlink_to("a.png")
    assert linked_picture(draft, "b.png").startswith('#picture("image-0.png"')


def test_only_regular_files_are_opened(draft):
    os.mkfifo(draft.notebook_folder / "pipe.png")
    for source in ("pipe.png", "/dev/zero", "/dev/stdin", "build"):
        assert linked_picture(draft, source).startswith("#note(")
    assert len(draft.warnings) == 4


def test_the_size_of_a_picture_is_bounded(draft, tmp_path):
    with open(tmp_path / "large.png", "wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert linked_picture(draft, "large.png").startswith("#note(")
    uri = "data:image/png," + "A" * (2 * MOST_BYTES + 1)
    assert linked_picture(draft, uri).startswith("#note(")
    assert all("it has more than 50,000 kB" in warning for warning in draft.warnings)


@pytest.mark.parametrize(("width", "height"), [(20_000, 6_000), (200_000, 2_000)])
def test_the_pixels_of_a_picture_are_bounded(draft, width, height):
    markup = picture(draft, png_of(width, height), "the map")
    assert "[an image of more than 100,000,000 pixels: the map]" in markup
    assert len(draft.warnings) == 1
    assert picture(draft, png_of(2_000, 2_000)).startswith("#picture(")


def test_the_depth_of_a_drawing_is_bounded(draft):
    deep = b"<svg>" + b"<g>" * 50_000 + b"</g>" * 50_000 + b"</svg>"
    assert "[a drawing nested too deeply]" in picture(draft, deep)
    assert picture(draft, SVG.encode()).startswith("#picture(")


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"BM....", b"P6 1 1 255 ..."]
)
def test_the_content_and_not_the_name_says_what_a_picture_is(draft, tmp_path, content):
    (tmp_path / "plot.jpg").write_bytes(content)
    assert "[missing image: plot.jpg]" in linked_picture(draft, "plot.jpg")
    assert "a broken image" in draft.warnings[0]


def test_an_animated_gif_is_its_first_frame_and_a_warning(export):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    data = {"image/gif": base64.b64encode(file.getvalue()).decode(), "text/plain": "<Figure>"}
    done = export(code("movie", display(data)))
    assert done.images == 1
    assert done.warnings == "cell 1: an animation (<Figure>) is shown by its first picture"


def test_a_pdf_of_several_pages_is_its_first_page_and_a_warning(export):
    file = io.BytesIO()
    writer = PdfWriter()
    for _ in range(3):
        writer.add_blank_page(90, 90)
    writer.write(file)
    data = {"application/pdf": base64.b64encode(file.getvalue()).decode()}
    done = export(code("plot", display(data)))
    assert done.images == 1
    assert done.report.warnings == ("cell 1: a PDF (figure) is shown by its first page",)


def test_pictures_fit_the_page(export):
    done = export(
        new_markdown_cell(f'<img src="{DATA_URI}" width="9000" height="30">'),
        new_markdown_cell(f'- item\n\n  <img src="{DATA_URI}" height="9000">'),
    )
    assert done.images == 2
    for page in done.reader.pages:
        data = page.get_contents().get_data().decode("latin-1")
        widths = [abs(float(line.split()[0])) for line in data.splitlines() if line.endswith(" cm")]
        assert max(widths) <= 600


def test_what_the_compiler_passes_over_in_a_drawing_is_told(draft, export):
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><foreignObject width="90" '
        'height="30"><div>Label <b>in</b> HTML</div></foreignObject><image href="photo.png"/>'
        f'<image href="data:image/png;base64,{PNG64}"/></svg>'
    )
    (draft.notebook_folder / "a.svg").write_text(drawing)
    told = "[in the drawing: Label in HTML · photo.png]"
    for html in (drawing, '<img src="a.svg">'):
        assert told in html_to_typst(draft, html)
    done = export(code("x", display({"image/svg+xml": drawing})))
    assert told in done.text
    assert done.warnings == "cell 1: a part of a drawing (figure) is shown as a note"
