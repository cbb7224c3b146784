"""The hand-in as one file: the PDF, the executed notebook, the modules that answer, a manifest."""

import ast
import hashlib
import io
import json
import logging
import shutil
import stat
import subprocess
import tomllib
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbformat import NotebookNode
from pypdf import PdfReader

from coursework.display import headline_figures
from coursework.profiles import ROOT
from coursework.storage import atomic_path

# Without a handler, Python prints what pypdf logs, but `verify_bundle` tells a fault on one line.
logging.getLogger("pypdf").addHandler(logging.NullHandler())

MANIFEST = "manifest.json"

# A zip may come from anybody. What exceeds these limits is refused before it is unpacked.
_MOST_MEMBERS = 2_000
_MOST_BYTES = 100_000_000  # of the zip, and of all its members together
_MOST_RATIO = 200  # of the size of all members to the size of the zip
_MOST_SOURCE_BYTES = 1_000_000  # of a module or the manifest, which takes more memory parsed


class BundleError(RuntimeError):
    """A zip is no bundle, holds too much, or does not hold what its manifest says."""


def write_bundle(
    target: Path | str, notebook: Path | str, pdf: Path | str, facts: Mapping[str, Any]
) -> Path:
    """Write the zip to hand in; it gets its name only after `verify_bundle` accepts it.

    Parameters
    ----------
    target
        The zip.
    notebook, pdf
        The executed notebook and its export.
    facts
        What the manifest says besides the checksums, the headline figures and the version of the
        project: profile, machine, times, and under ``"pages"`` the number of the PDF's pages.
        Anything that JSON or ``str`` can write.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    BundleError
        If the zip is not accepted. No zip is left then.
    """
    notebook, pdf = Path(notebook), Path(pdf)
    executed = nbformat.read(notebook, as_version=4)
    content = {notebook.name: notebook.read_bytes(), pdf.name: pdf.read_bytes()}
    for module in used_modules(executed):
        content[module.as_posix()] = (ROOT / module).read_bytes()
    manifest = {
        **facts,
        "project": _describe_project(),
        "figures": headline_figures(executed),
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in content.items()
        },
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, default=str)
    with atomic_path(target) as temporary:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in {MANIFEST: text.encode(), **content}.items():
                # Always the same date, so that the same content gives the same bytes.
                information = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                information.external_attr = 0o644 << 16
                archive.writestr(information, data, zipfile.ZIP_DEFLATED)
        verify_bundle(temporary)
    return Path(target)


def used_modules(notebook: NotebookNode) -> list[Path]:
    """Return the modules that a notebook imports, directly or through others.

    Modules of ``coursework`` are left out: they fetch, draw and export, but they answer no
    question.

    Parameters
    ----------
    notebook
        Its code cells are parsed, not run.

    Returns
    -------
    list of Path
        Files of the project relative to its folder, sorted, with the ``__init__.py`` of each
        package on the way.
    """
    from IPython.core.inputtransformer2 import TransformerManager  # `verify_bundle` needs none

    # IPython turns magics and shell lines into Python.
    to_python = TransformerManager().transform_cell
    waiting: list[str] = []
    for cell in notebook.cells:
        # A cell that is not Python imports nothing; it may be there to show an error.
        with suppress(SyntaxError):
            if cell.cell_type == "code":
                waiting.extend(_imported_names(to_python(cell.source), ()))
    found: set[Path] = set()
    while waiting:
        for path in _files_of(waiting.pop()):
            if path not in found:
                found.add(path)
                source = (ROOT / path).read_text(encoding="utf-8")
                waiting.extend(_imported_names(source, path.parent.parts))
    return sorted(found)


def _imported_names(source: str, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the dotted names that a module of a package imports; some may not be modules."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # Each dot in front of a relative import after the first goes one package up.
            parts = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join((*parts, node.module) if node.module else parts)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _files_of(name: str) -> Iterator[Path]:
    """Yield the files of the project that run when a dotted name is imported."""
    parts = name.split(".")
    if parts[0] == "coursework":
        return
    for depth in range(1, len(parts) + 1):
        base = Path(*parts[:depth])
        for candidate in (base / "__init__.py", Path(f"{base}.py")):
            if (ROOT / candidate).is_file():
                yield candidate


def _describe_project() -> dict[str, Any]:
    """Return the project's version and, in a git checkout, its commit and the changed files."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    facts: dict[str, Any] = {"version": content["project"]["version"]}
    # A project without a .git of its own may lie inside of another repository.
    if (ROOT / ".git").exists() and shutil.which("git"):
        commit = _git("rev-parse", "--verify", "HEAD")
        if commit:
            facts["commit"] = commit[0]
            # Two letters for the kind of change and a space stand before each name.
            facts["changed"] = [line[3:] for line in _git("status", "--porcelain")]
    return facts


def _git(*arguments: str) -> list[str]:
    """Return the lines that git prints; none if it fails."""
    command = ["git", "-C", str(ROOT), *arguments]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return result.stdout.splitlines()


def verify_bundle(path: Path | str) -> dict[str, Any]:
    """Hold a zip that `write_bundle` wrote against its manifest.

    The zip is read in memory. Nothing is unpacked, and no code in it is run. Its sizes are within
    limits; every file has the checksum of the manifest and there is no other file; the notebook is
    valid; the PDF has as many pages as the manifest says; and the modules are valid Python.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    BundleError
        With the first thing that is wrong, on one line.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    try:
        content = _read_members(path)
        manifest = _read_manifest(content)
        for name, data in content.items():
            _check_content(name, data, manifest["pages"])
    except Exception as error:  # a hostile zip or manifest fails in ways that nobody can list
        raise BundleError(f"{path} is refused: {_one_line(error)}") from error
    return manifest


def _read_members(path: Path) -> dict[str, bytes]:
    """Read a zip, once its sizes and names are known to be harmless."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    packed = path.read_bytes()
    # This mark begins each entry of the table of contents. The entries are counted before zipfile
    # makes an object of each.
    if packed.count(b"PK\x01\x02") > _MOST_MEMBERS:
        raise ValueError(f"it holds more than {_MOST_MEMBERS:,} files")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = archive.infolist()
        _check_members(members, len(packed))
        content = {}
        for member in members:
            with archive.open(member) as file:
                # Without a number, zipfile would unpack more than the table of contents announces.
                content[member.filename] = file.read(member.file_size + 1)
    return content


def _check_members(members: Sequence[zipfile.ZipInfo], packed_bytes: int) -> None:
    unpacked_bytes = sum(member.file_size for member in members)
    most = min(_MOST_BYTES, _MOST_RATIO * packed_bytes)
    if unpacked_bytes > most:
        raise ValueError(f"its files have {unpacked_bytes:,} bytes, expected at most {most:,}")
    # Windows and macOS do not tell capital letters from small ones.
    if len({member.filename.casefold() for member in members}) < len(members):
        raise ValueError("two of its files have the same name")
    for member in members:
        name = member.filename
        if member.file_size > _MOST_SOURCE_BYTES and not name.endswith((".ipynb", ".pdf")):
            raise ValueError(f"{name!r} has more than {_MOST_SOURCE_BYTES:,} bytes")
        # Windows separates folders with a backslash, and puts a colon behind the letter of a disk.
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
            raise ValueError(f"{name!r} would be unpacked outside of its folder")
        if not name.isprintable():
            raise ValueError(f"{name!r} holds characters that cannot be seen")
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ValueError(f"{name!r} is a link or another thing that is not a plain file")
        # The other methods unpack without a limit.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name!r} is compressed by another method than deflate")


def _read_manifest(content: dict[str, bytes]) -> dict[str, Any]:
    """Take the manifest out of the content, and hold the names and checksums against it."""
    if MANIFEST not in content:
        raise ValueError(f"it has no {MANIFEST}")
    try:
        manifest: dict[str, Any] = json.loads(content.pop(MANIFEST))
        checksums = {name: file["sha256"] for name, file in manifest["files"].items()}
        if type(manifest["pages"]) is not int:
            raise TypeError("pages is not a number")
    except Exception as error:  # any JSON may stand in the place of any other
        raise ValueError(
            f"its {MANIFEST} does not list files with checksums and pages: {_one_line(error)}"
        ) from error
    odd = sorted(content.keys() ^ checksums.keys())
    if odd:
        raise ValueError(f"its files and its {MANIFEST} differ in {odd[0]!r}")
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != checksums[name]:
            raise ValueError(f"{name!r} is not the file that {MANIFEST} lists")
    suffixes = [PurePosixPath(name).suffix for name in content]
    if suffixes.count(".pdf") != 1 or suffixes.count(".ipynb") != 1:
        raise ValueError(f"it holds {sorted(content)}, expected one PDF and one notebook")
    return manifest


def _check_content(name: str, data: bytes, pages: int) -> None:
    """Read one file as what its name says it is: a notebook, a PDF or a module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name.endswith(".ipynb"):
                nbformat.validate(nbformat.reads(data.decode(), as_version=4))
            elif name.endswith(".pdf"):
                found = len(PdfReader(io.BytesIO(data), strict=True).pages)
                if found != pages:
                    raise ValueError(f"{found} pages, expected {pages}")
            elif name.endswith(".py"):
                ast.parse(data)
    except Exception as error:  # each format fails in its own ways
        raise ValueError(f"{name!r} cannot be read: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    """Return the first line of an error, without control characters, at most 300 characters."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return "".join(character for character in text if character.isprintable())[:300]
