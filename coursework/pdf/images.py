"""Images: found, recognised, and written for the compiler; the network is never touched."""

import base64
import re
from urllib.parse import unquote, unquote_to_bytes

from coursework.pdf.dom import Size
from coursework.pdf.draft import Draft
from coursework.pdf.typst import string

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"),
    (b"%PDF-", "pdf"),
)

NATURAL = Size()
"""The size that an image has by itself."""


def note(text: str) -> str:
    """Return markup of a note on the page, in place of what could not be shown."""
    return f"#note({string(text)});"


def picture(draft: Draft, data: bytes, alt: str = "", size: Size = NATURAL) -> str:
    """Return markup that shows an image given as bytes, or a note if the bytes are no image."""
    suffix = "" if data in draft.broken_images else _suffix(data)
    if not suffix:
        what = "a broken image" if data else "an empty image"
        draft.warn(f"{what} ({alt or 'no description'}) is shown as a note")
        return note(f"[{what}: {alt}]" if alt else f"[{what}]")
    arguments = [string(draft.image(data, suffix)), f"alt: {string(alt or 'figure')}"]
    if size.width:
        arguments.append(f"width: {size.width}")
    if size.height:
        arguments.append(f"height: {size.height}")
    return f"#picture({', '.join(arguments)});"


def linked_picture(draft: Draft, source: str, alt: str = "", size: Size = NATURAL) -> str:
    """Return markup for the ``src`` of an ``<img>``: a data URI or a file beside the notebook."""
    if source.startswith("data:"):
        data = _data_uri(source)
        if data is not None:
            return picture(draft, data, alt, size)
        draft.warn(f"an image ({alt or 'no description'}) holds a broken data URI")
        return note(f"[broken image: {alt}]")
    if re.match(r"(?!file:)[a-z][a-z0-9+.-]*://|//", source, re.IGNORECASE):
        draft.warn(f"the image {source} is on the network and is not shown; save it in the folder")
        return note(f"[image on the network, not shown: {source}]")
    path = draft.notebook_folder / unquote(re.sub(r"^file://|[?#].*", "", source))
    try:
        return picture(draft, path.read_bytes(), alt or path.name, size)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        draft.warn(f"the image {source!r} is not shown: {reason}; expected {path}")
        return note(f"[missing image: {source}]")


def decode(text: str) -> bytes:
    """Return the bytes of an image that an output holds as base64 or as the text of an SVG."""
    if text.lstrip().startswith("<"):
        return text.encode("utf-8", "replace")
    return _from_base64(text) or b""


def _data_uri(source: str) -> bytes | None:
    head, comma, body = source.partition(",")
    if not comma:
        return None
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    return _from_base64(re.sub(r"\s", "", unquote(body)))


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
