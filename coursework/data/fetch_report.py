"""What a user is told about files that can be fetched, and about those that could not."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursework.data import sources
from coursework.data.mirror import part_of, received_bytes
from coursework.data.sources import Source


@dataclass(frozen=True)
class Missing:
    """A file that could not be had.

    Attributes
    ----------
    source, path
        Which file, and where it should be.
    reasons
        What went wrong, for each URL that was tried.
    damaged
        A file that was found instead; it is left as it is.
    problem
        What went wrong on this machine, whatever the URLs have.
    """

    source: Source
    path: Path
    reasons: dict[str, str]
    damaged: Path | None
    problem: str = ""

    def __str__(self) -> str:
        text = describe(self.source, self.path, self.reasons)
        if self.problem:
            text += f"\n  problem    {self.problem}"
        if begun := received_bytes(part_of(self.path)):
            text += f"\n  received   {begun:,} bytes so far, kept for the next run"
        if self.damaged:
            size, found = self.damaged.stat().st_size, self.source.checksum_of(self.damaged)
            text += f"\n  damaged    {self.damaged} ({size:,} bytes, {found}); left as it is"
        return text


@dataclass(frozen=True)
class NotUnpacked:
    """A folder that does not hold what its archive does, which is there and intact.

    Attributes
    ----------
    archive, folder
        From where it is unpacked, and into what.
    problem
        Why that was not done.
    """

    archive: Path
    folder: Path
    problem: str

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.folder.name}/",
                f"  place      {self.folder}",
                f"  archive    {self.archive}, intact",
                f"  problem    {self.problem}",
            ]
        )


class FetchError(FileNotFoundError):
    """Files are missing; the message says of each what it is and where to put it by hand.

    Attributes
    ----------
    missing
        The files, and folders that are not unpacked.
    """

    def __init__(self, missing: Sequence[Missing | NotUnpacked]) -> None:
        self.missing = tuple(missing)
        files = [item for item in missing if isinstance(item, Missing)]
        headline, advice = [], []
        if files:
            number = "1 file is" if len(files) == 1 else f"{len(files)} files are"
            damaged = " or damaged" if any(item.damaged for item in files) else ""
            headline.append(f"{number} missing{damaged}")
            advice.append(
                "Run `coursework fetch` again when there is a network, or put each file into its "
                "place by hand and let `coursework fetch --offline` verify it."
            )
        if len(files) < len(missing):
            headline.append("an archive is not unpacked as it should be")
        if any(item.problem for item in files):
            advice.append("COURSEWORK_DATA chooses another folder to write to.")
        advice.append("The profile 'embedded' needs none of them.")
        listed = "\n\n".join(str(item) for item in missing)
        super().__init__(f"{', and '.join(headline)}:\n\n{listed}\n\n{' '.join(advice)}")


def table(groups: Sequence[str], root: Path) -> str:
    """Return a list of what can be fetched: each file with its place, size, sum and mirrors."""
    return "\n\n".join(
        describe(source, root / group / source.name)
        for group in groups
        for source in sources.GROUPS[group]
    )


def describe(source: Source, path: Path, reasons: Mapping[str, str] | None = None) -> str:
    """Return what one needs to know to fetch a file by hand."""
    algorithm, _, digits = source.checksum.partition(":")
    lines = [
        source.name,
        f"  place      {path}",
        f"  size       {source.size:,} bytes",
        f"  {algorithm:<9}  {digits}",
    ]
    for label, url in itertools.zip_longest(["from"], source.urls, fillvalue=""):
        reason = f"  ({reasons[url]})" if reasons and url in reasons else ""
        lines.append(f"  {label:<9}  {url}{reason}")
    return "\n".join(lines)


def megabytes(size: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size:,} bytes"
