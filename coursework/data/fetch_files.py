"""Files of one folder: verified if they are there, downloaded if they are not."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import filelock

from coursework.data.download import DownloadError, download
from coursework.data.fetch_report import FetchError, Missing, NotUnpacked, megabytes
from coursework.data.mirror import Patience
from coursework.data.sources import Source
from coursework.storage import atomic_path

Report = Callable[[str], None]


@dataclass(frozen=True)
class Manner:
    """How files are fetched.

    Attributes
    ----------
    offline
        Verify what is there: download nothing, and write nothing.
    patience
        When to give up on a server.
    show_progress
        Whether downloads show a progress bar.
    report
        Called with a line about each file.
    hosts
        What is known of each host, see `coursework.data.download.download`.
    """

    offline: bool = False
    patience: Patience = field(default_factory=Patience)
    show_progress: bool = True
    report: Report = lambda line: None
    hosts: dict[str, str] = field(default_factory=dict)


def fetch_files(
    wanted: Sequence[Source],
    folder: Path,
    manner: Manner | None = None,
    *,
    copy_from: Path | None = None,
) -> list[Path]:
    """Make a folder hold files, intact, and return where each one is.

    What is there is verified and left alone; what is missing or damaged is downloaded, and a
    damaged file is replaced only when the good one is complete. If two processes want the same
    file, the second waits for the first and finds it there.

    Parameters
    ----------
    wanted
        The files.
    folder
        Where they should be.
    manner
        See `Manner`.
    copy_from
        A folder on this machine that may have some of them: what is intact there is copied and not
        downloaded.

    Raises
    ------
    FetchError
        If any of the files cannot be had, from the network or because the disk is full or the
        folder cannot be written. The others have been fetched all the same.
    """
    manner = manner or Manner()
    missing: list[Missing | NotUnpacked] = []
    paths = []
    for source in wanted:
        with collected(missing):
            paths.append(_fetch_file(source, folder, manner, copy_from))
    if missing:
        raise FetchError(missing)
    return paths


@contextlib.contextmanager
def collected(missing: list[Missing | NotUnpacked]) -> Iterator[None]:
    """Add the files that a block finds to be missing to a list, and go on."""
    try:
        yield
    except FetchError as error:
        missing.extend(error.missing)


def _fetch_file(source: Source, folder: Path, manner: Manner, copy_from: Path | None) -> Path:
    shown, target = f"{folder.name}/{source.name}", folder / source.name
    if intact := _intact_copy(source, folder, manner):
        return intact
    found = source.find(folder)
    if manner.offline:
        manner.report(f"{'damaged' if found else 'missing'}   {shown}")
        raise FetchError([Missing(source, target, {}, found)])
    try:
        with locked(target, manner):
            # Another process may have fetched it in the meantime.
            if intact := _intact_copy(source, folder, manner):
                return intact
            found = source.find(folder)
            if found:
                manner.report(f"damaged   {shown}  stays until a good one is there")
            began = time.monotonic()
            origin = _obtain(source, target, manner, copy_from)
    except DownloadError as error:
        manner.report(f"failed    {shown}")
        raise FetchError([Missing(source, target, error.reasons, found)]) from error
    except OSError as error:
        # The list of what is missing is needed most where nothing can be written.
        manner.report(f"failed    {shown}")
        problem = f"cannot write here: {error}"
        raise FetchError([Missing(source, target, {}, found, problem)]) from error
    seconds = time.monotonic() - began
    manner.report(f"fetched   {shown}  {megabytes(source.size)} in {seconds:.1f} s from {origin}")
    return target


def _obtain(source: Source, target: Path, manner: Manner, copy_from: Path | None) -> str:
    """Copy a file from another folder, or download it, and return where it came from."""
    if copy_from and (intact := source.find_intact(copy_from)):
        with atomic_path(target) as temporary:
            shutil.copyfile(intact, temporary)
        return str(intact)
    url = download(
        source,
        target,
        patience=manner.patience,
        hosts=manner.hosts,
        show_progress=manner.show_progress,
    )
    return urlsplit(url).netloc


def _intact_copy(source: Source, folder: Path, manner: Manner) -> Path | None:
    """Return a copy of a file that needs no download, and tell of it, or return ``None``."""
    if path := source.find_intact(folder):
        shown, first = f"{folder.name}/{source.name}", source.find(folder)
        where = "" if path == folder / source.name else f", at {path}"
        size = megabytes(path.stat().st_size)
        manner.report(f"present   {shown}  {size}, verified{where}")
        if first != path:
            manner.report(f"damaged   {shown}  delete {first}, which is looked at first")
    return path


@contextlib.contextmanager
def locked(path: Path, manner: Manner) -> Iterator[None]:
    """Let one process at a time write to a path; the system frees the lock of a dead one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        manner.report(f"waiting   {path.parent.name}/{path.name}  another run is fetching it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
