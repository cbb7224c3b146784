"""The hand-in as one file: the PDF, the executed notebook, the modules, and a manifest."""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat

from coursework.display import headline_figures
from coursework.handin.modules import used_modules
from coursework.profiles import ROOT
from coursework.storage import atomic_path

MANIFEST = "manifest.json"

# Fixed, so that the same content gives the same bytes; a zip file knows no earlier date.
_DATE = (1980, 1, 1, 0, 0, 0)


class BundleError(RuntimeError):
    """A bundle does not hold what its manifest says."""


def write_bundle(
    target: Path | str, notebook: Path | str, pdf: Path | str, facts: Mapping[str, Any]
) -> Path:
    """Write the zip to hand in, and give it its name only after it was opened again.

    Parameters
    ----------
    target
        The zip.
    notebook, pdf
        The executed notebook and its export.
    facts
        What the manifest says besides: profile, versions, times. Anything that JSON or ``str``
        can write.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    BundleError
        If the zip, opened in another process, does not hold what it should. Nothing is left.
    """
    notebook, pdf = Path(notebook), Path(pdf)
    executed = nbformat.read(notebook, as_version=4)
    content = {notebook.name: notebook.read_bytes(), pdf.name: pdf.read_bytes()}
    for module in used_modules(executed):
        content[module.as_posix()] = (ROOT / module).read_bytes()
    manifest = {
        **facts,
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
                information = zipfile.ZipInfo(name, _DATE)
                information.external_attr = 0o644 << 16
                archive.writestr(information, data, zipfile.ZIP_DEFLATED)
        verify_in_clean_process(temporary)
    return Path(target)


def verify_in_clean_process(path: Path | str) -> None:
    """Call `verify_bundle` in a new Python, which has nothing of this one in memory.

    Raises
    ------
    BundleError
        With the message of that process.
    """
    command = [sys.executable, "-m", "coursework", "verify", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if result.returncode != 0:
        raise BundleError(result.stderr.strip().removeprefix("coursework: "))


def verify_bundle(path: Path | str) -> dict[str, Any]:
    """Open a zip that `write_bundle` wrote, and hold it against its manifest.

    Every file has the checksum of the manifest and there is no other; the notebook is valid; the
    PDF has the pages that the manifest names; and the modules, unpacked alone into an empty folder,
    can all be imported.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    BundleError
        With the first thing that is not so.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise BundleError(f"{path} is not a whole zip file: {error}") from error
    try:
        manifest: dict[str, Any] = json.loads(content.pop(MANIFEST))
        files, pages = manifest["files"], manifest["pages"]
    except (KeyError, ValueError) as error:
        raise BundleError(f"{path} has no {MANIFEST} with files and pages: {error!r}") from error
    if content.keys() != files.keys():
        odd = ", ".join(sorted(content.keys() ^ files.keys()))
        raise BundleError(f"{path} and its {MANIFEST} differ in {odd}")
    for name, data in content.items():
        if hashlib.sha256(data).hexdigest() != files[name]["sha256"]:
            raise BundleError(f"{path}: {name} is not the file that {MANIFEST} lists")
    _verify_documents(path, content, pages)
    _verify_imports(path, content)
    return manifest


def _verify_documents(path: Path | str, content: Mapping[str, bytes], pages: int) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    kinds = [PurePosixPath(name).suffix for name in content]
    if kinds.count(".pdf") != 1 or kinds.count(".ipynb") != 1:
        raise BundleError(f"{path} holds {sorted(content)}, expected one PDF and one notebook")
    for name, data in content.items():
        try:
            if name.endswith(".ipynb"):
                nbformat.validate(nbformat.reads(data.decode(), as_version=4))
            elif name.endswith(".pdf"):
                found = len(PdfReader(BytesIO(data)).pages)
                if found != pages:
                    raise ValueError(f"{found} pages, expected {pages}")
        except Exception as error:  # each format fails in its own ways
            raise BundleError(f"{path}: {name} cannot be read: {error}") from error


def _verify_imports(path: Path | str, content: Mapping[str, bytes]) -> None:
    modules = [PurePosixPath(name) for name in content if name.endswith(".py")]
    names = [
        ".".join(module.parent.parts if module.stem == "__init__" else module.with_suffix("").parts)
        for module in modules
    ]
    with tempfile.TemporaryDirectory() as folder:
        for module in modules:
            unpacked = Path(folder, module)
            unpacked.parent.mkdir(parents=True, exist_ok=True)
            unpacked.write_bytes(content[str(module)])
        # The folder comes first on the path, and each module has to come from there.
        code = (
            "import importlib, sys\n"
            f"sys.path.insert(0, {folder!r})\n"
            f"for name in {names!r}:\n"
            "    file = importlib.import_module(name).__file__\n"
            f"    assert file.startswith({folder!r}), f'{{name}} came from {{file}}'\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False
        )
    if result.returncode != 0:
        reason = result.stderr.strip().splitlines()[-1]
        raise BundleError(f"{path}: the modules cannot be imported alone: {reason}")
