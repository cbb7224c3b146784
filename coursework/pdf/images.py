"""Images: found, recognised, and written for the compiler; the network is never touched.

What a notebook asks for is not trusted: a picture is a file of the notebook's folder, or comes with
the notebook; its content says that it is a picture; it is of bounded size.
"""

import base64
import io
import re
import unicodedata
import warnings
from contextlib import suppress
from urllib.parse import unquote, unquote_to_bytes
from xml.parsers import expat

from bs4 import BeautifulSoup

from coursework.pdf.css import Size
from coursework.pdf.draft import Draft
from coursework.pdf.notebook import shorten
from coursework.pdf.typst import string

MOST_BYTES = 50_000_000
MOST_PIXELS = 100_000_000
MOST_DEEP = 500
"""Elements of an SVG within each other: with tens of thousands, the compiler would crash."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"),
    (b"%PDF-", "pdf"),
)
_RASTERS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP"}
"""Formats whose pixels are counted, as Pillow calls them; it is to try no other decoder."""

_PAGES = re.compile(rb"/Count\s+(\d+)")

NATURAL = Size()
"""The size that an image has by itself."""


class RefusedPictureError(ValueError):
    """A picture cannot be shown; the message says why."""


def note(text: str) -> str:
    """Return markup of a note on the page, in place of what could not be shown."""
    return f"#note({string(text)});"


def said_of(source: str) -> str:
    """Return an address as a note or a warning shows it: short, and of a data URI only the kind."""
    if not _is_data(source):
        return shorten(source, 120)
    head, _, body = source.strip().partition(",")
    kind = head[5:].partition(";")[0] or "text/plain"
    return f"{kind}, {_size_of(len(body) * (3 if head.endswith('base64') else 4) // 4)}"


def _size_of(count: int) -> str:
    return f"{count} bytes" if count < 1000 else f"{count // 1000:,} kB"


def picture(draft: Draft, data: bytes, alt: str = "", size: Size = NATURAL) -> str:
    """Return markup that shows an image given as bytes, or a note if it cannot be shown."""
    try:
        return _shown(draft, data, alt, size)
    except RefusedPictureError as refusal:
        draft.warn(f"{refusal} ({alt or 'no description'}) is shown as a note")
        return note(f"[{refusal}: {alt}]" if alt else f"[{refusal}]")


def linked_picture(draft: Draft, source: str, alt: str = "", size: Size = NATURAL) -> str:
    """Return markup for the ``src`` of an ``<img>``, or a note if it cannot be shown."""
    try:
        return try_picture(draft, source, alt, size)
    except RefusedPictureError as refusal:
        said = said_of(source)
        draft.warn(f"the image {said!r} is not shown: {refusal}")
        if _is_remote(source):
            return note(f"[image on the network, not shown: {alt or said}]")
        return note(f"[missing image: {f'{alt} ({said})' if alt and said else alt or said}]")


def try_picture(draft: Draft, source: str, alt: str = "", size: Size = NATURAL) -> str:
    """Return markup for the ``src`` of an ``<img>``.

    Raises
    ------
    RefusedPictureError
        If there is no picture, or it may not be shown.
    """
    name = ""
    source = source.strip()
    if _is_data(source):
        data = _data_uri(source)
    elif source.startswith("attachment:"):
        data = _attached(draft, source.removeprefix("attachment:"))
    elif _is_remote(source):
        raise RefusedPictureError("it is on the network; save it in the notebook's folder")
    else:
        data, name = _file(draft, source)
    return _shown(draft, data, alt or name, size)


def _shown(draft: Draft, data: bytes, alt: str, size: Size) -> str:
    data, left_out = _without_links(data) if _suffix(data) == "svg" else (data, [])
    suffix = "" if data in draft.broken_images else _suffix(data)
    if not suffix:
        raise RefusedPictureError("a broken image" if data else "an empty image")
    if len(data) > MOST_BYTES:
        raise RefusedPictureError(f"an image of more than {_size_of(MOST_BYTES)}")
    if suffix == "svg" and _depth(data) > MOST_DEEP:
        raise RefusedPictureError("a drawing nested too deeply")
    if suffix == "pdf" and any(int(count) > 1 for count in _PAGES.findall(data)):
        draft.warn(f"a PDF ({alt or 'no description'}) is shown by its first page")
    if suffix in _RASTERS and _is_animated(data, _RASTERS[suffix]):
        draft.warn(f"an animation ({alt or 'no description'}) is shown by its first picture")
    arguments = [string(draft.image(data, suffix)), f"alt: {string(alt or 'figure')}"]
    if size.width:
        arguments.append(f"width: {size.width}")
    if size.height:
        arguments.append(f"height: {size.height}")
    shown = f"#picture({', '.join(arguments)});"
    if left_out:
        draft.warn(f"a part of a drawing ({alt or 'no description'}) is shown as a note")
        shown = f"{shown} {note('[in the drawing: ' + ' · '.join(left_out) + ']')}"
    return shown


_LINKED = re.compile(
    rb"""<image\b[^>]*?href=["'](?!\s*data:)([^"']*)["'][^>]*?(?:/>|>\s*</image>)"""
)


def _without_links(svg: bytes) -> tuple[bytes, list[str]]:
    """Take out of an SVG what the compiler refuses, and return what else it passes over as well.

    It refuses pictures in other files; it passes over texts in HTML.
    """
    files = [address.decode("utf-8", "replace") for address in _LINKED.findall(svg)]
    texts = []
    if b"foreignObject" in svg:
        tree = BeautifulSoup(svg, "html.parser")  # it knows names in small letters only
        texts = [" ".join(part.get_text(" ").split()) for part in tree.find_all("foreignobject")]
    return _LINKED.sub(b"", svg), [*filter(None, texts), *files]


def _is_animated(data: bytes, kind: str) -> bool:
    """Whether a picture has several frames; what Pillow cannot read is left to the compiler.

    Raises
    ------
    RefusedPictureError
        If it has too many pixels.
    """
    from PIL import Image  # takes 50 ms, and many notebooks have no picture

    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), "r", [kind]) as im,
        ):
            pixels = im.width * im.height
            # The second picture in the JPEG of a telephone is no frame but a small copy.
            animated = kind != "JPEG" and bool(getattr(im, "is_animated", False))
    except Image.DecompressionBombError:
        pixels, animated = MOST_PIXELS + 1, False
    except (OSError, ValueError, SyntaxError):
        return False
    if pixels > MOST_PIXELS:
        raise RefusedPictureError(f"an image of more than {MOST_PIXELS:,} pixels")
    return animated


def _depth(svg: bytes) -> int:
    """Return how many elements of an SVG stand within each other; an error in it ends the count."""
    depth = deepest = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    with suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(svg, True)
    return deepest


def _is_data(source: str) -> bool:
    return source.lstrip()[:5].lower() == "data:"


def _is_remote(source: str) -> bool:
    return re.match(r"\s*((?!file:)[a-z][a-z0-9+.-]*://|//)", source, re.IGNORECASE) is not None


def _file(draft: Draft, source: str) -> tuple[bytes, str]:
    """Return the content and the name of a file in the notebook's folder, or below it."""
    folder = draft.notebook_folder.resolve()
    for name in dict.fromkeys((unquote(re.sub(r"^file://|[?#].*", "", source)), source)):
        try:
            path = (folder / name).resolve()
            if not path.is_relative_to(folder):
                raise RefusedPictureError(
                    f"it is not in the notebook's folder {folder}; copy it there"
                )
            if not path.exists():
                continue
            if not path.is_file():
                raise RefusedPictureError(f"{path} is not a file")
            if path.stat().st_size > MOST_BYTES:
                raise RefusedPictureError(f"it has more than {_size_of(MOST_BYTES)}")
            return path.read_bytes(), path.name
        except RefusedPictureError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or shorten(str(error))
            raise RefusedPictureError(reason) from error
    raise RefusedPictureError(f"there is no such file in {folder}")


def _attached(draft: Draft, name: str) -> bytes:
    """Return the picture that a cell has under a name, whatever way the name is written."""
    wanted = {_plain_name(name), _plain_name(unquote(name))}
    for attached, forms in draft.attachments.items():
        if _plain_name(attached) in wanted:
            return next(filter(None, map(decode, forms.values())), b"")
    raise RefusedPictureError("the cell has no such attachment")


def _plain_name(name: str) -> str:
    """Return a name in which equal letters are equal characters, without outer spaces."""
    return unicodedata.normalize("NFC", name).strip()


def decode(text: str) -> bytes:
    """Return the bytes of an image that an output holds: base64, a data URI, or the text of an SVG.

    They are empty if they cannot be read.
    """
    if _is_data(text):
        with suppress(RefusedPictureError):
            return _data_uri(text.strip())
        return b""
    if text.lstrip().startswith("<"):
        return text.encode("utf-8", "replace")
    return _from_base64(text) or b""


def _data_uri(source: str) -> bytes:
    head, comma, body = source.partition(",")
    if len(body) > 2 * MOST_BYTES:
        raise RefusedPictureError(f"it has more than {_size_of(MOST_BYTES)}")
    if head.endswith(";base64"):
        data = _from_base64(re.sub(r"\s", "", unquote(body)))
    else:
        data = unquote_to_bytes(body) if comma else None
    if data is None:
        raise RefusedPictureError("it is a broken data URI")
    return data


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text)
    except ValueError:
        return None


def _suffix(data: bytes) -> str:
    for signature, suffix in _SIGNATURES:
        if data.startswith(signature):
            return suffix
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "svg" if b"<svg" in data[:4096] else ""
