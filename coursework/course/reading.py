"""Read a hand-in without running it: ``python -m coursework.course.reading ZIP N``.

Files of strangers can make a library hang, or take all memory. So this is a program, which the
grader starts within bounds; what it found goes as JSON to the open file N.
"""

import json
import os
import sys
import tempfile
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from coursework.check import check_pdf
from coursework.display import headline_figures
from coursework.handin import BundleError, verify_bundle


@dataclass(frozen=True)
class Read:
    """What a hand-in holds."""

    manifest: dict[str, Any] = field(default_factory=dict)  # empty if it is refused
    refused: str = ""  # why it is not what `coursework submit` writes; empty if it is
    lost: list[str] = field(default_factory=list)  # what is wrong with its PDF and its figures


def read(path: Path) -> Read:
    """Verify a hand-in, and hold its PDF and its manifest against its notebook."""
    try:
        manifest = verify_bundle(path)
    except BundleError as error:
        return Read(refused=str(error).partition(" is refused: ")[2] or str(error))
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        files = {}
        for name in archive.namelist():
            if name.endswith((".ipynb", ".pdf")):
                # The names are the student's; the content is what counts.
                files[Path(name).suffix] = target = Path(folder) / f"handin{Path(name).suffix}"
                target.write_bytes(archive.read(name))
        findings = check_pdf(files[".ipynb"], files[".pdf"])
        lost = [f"PDF: {finding}" for finding in findings if finding.severity == "lost"]
        shown = headline_figures(nbformat.read(files[".ipynb"], as_version=4))
    claimed = manifest.get("figures")
    if claimed != json.loads(json.dumps(shown, default=str)):
        lost.append("the figures of the manifest are not those that the notebook shows")
    return Read(manifest, "", lost)


def main() -> None:
    """Read one hand-in."""
    text = json.dumps(asdict(read(Path(sys.argv[1]))))
    with os.fdopen(int(sys.argv[2]), "w", encoding="utf-8") as channel:
        channel.write(text + "\n")


if __name__ == "__main__":
    main()
