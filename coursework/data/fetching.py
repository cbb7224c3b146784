"""Make folders hold what the homeworks need: verified if it is there, downloaded if it is not."""

import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from coursework.data import sources
from coursework.data.archive import count_differing, unpack
from coursework.data.download import DownloadError, FetchOptions, download, part_of, received_bytes
from coursework.data.sources import Source
from coursework.profiles import data_root
from coursework.storage import atomic_path, locked

Result = TypeVar("Result")


class FetchError(FileNotFoundError):
    """Files are missing; ``missing`` describes each: its place, size, checksum and mirrors."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        number = "1 file is" if len(missing) == 1 else f"{len(missing)} files are"
        listed = "\n\n".join(missing)
        advice = (
            "Run `coursework fetch` again when there is a network, or put each file into its place "
            "by hand and let `coursework fetch --offline` verify it. COURSEWORK_DATA names another "
            "folder to write to. The profile 'embedded' needs no downloads."
        )
        if "CERTIFICATE_VERIFY_FAILED" in listed:
            advice += " SSL_CERT_FILE or REQUESTS_CA_BUNDLE names certificates of your network."
        super().__init__(f"{number} missing or damaged:\n\n{listed}\n\n{advice}")


def fetch(groups: Iterable[str], root: Path, options: FetchOptions) -> None:
    """Fetch groups of files, each into the folder of its name.

    Weights that PyTorch has in its own cache are copied: the root can then be taken to a machine
    without a network, or be served as a mirror.

    Parameters
    ----------
    groups, root
        Keys of `coursework.data.GROUPS`, and the folder that holds their folders.
    options
        How files are fetched.

    Raises
    ------
    FetchError
        If files are missing in the end; it lists the missing files of all groups.
    """
    _each(partial(_fetch_group, group, root / group, options) for group in groups)


def fetch_files(
    wanted: Iterable[Source], folder: Path, options: FetchOptions | None = None
) -> list[Path]:
    """Make a folder hold files, intact, and return where each one is.

    Intact files are left alone, missing and damaged ones are downloaded. A damaged file is replaced
    only when the good one is whole. If two processes want the same file, the second waits for the
    first and finds it there.

    The name of the folder is the group for which `FetchOptions.mirrors` are asked.

    Raises
    ------
    FetchError
        If any of the files cannot be had, because of the network or because the folder cannot be
        written. The others have been fetched all the same.
    """
    options = options or FetchOptions()
    return _each(partial(_fetch_file, source, folder, options) for source in wanted)


def fetch_flowers(folder: Path, options: FetchOptions | None = None) -> None:
    """Make a folder hold Oxford 102 Flowers: ``jpg/``, ``imagelabels.mat`` and ``setid.mat``.

    The folder is that of the flowers alone, not the data root. The archive of the photographs stays
    beside them. Each photograph is compared with the archive, and replaced if it differs.
    Photographs without their archive are counted and believed.

    Raises
    ------
    FetchError
        If files cannot be had, see `fetch_files`, or the archive cannot be unpacked.
    """
    options = options or FetchOptions()
    *labels, archive = sources.FLOWERS
    # An archive that was put there by hand is unpacked even if the labels cannot be had yet.
    steps: list[Callable[[], object]] = [
        partial(fetch_files, labels, folder, options),
        partial(_fetch_photographs, archive, folder, options),
    ]
    _each(steps)


def weights_file(network: str) -> Path:
    """Return the verified file with torchvision's ImageNet weights of a network, such as resnet18.

    It lies in the folder ``weights`` of `coursework.profiles.data_root`, and is downloaded if it is
    neither there nor in the cache where PyTorch keeps its own downloads.

    Raises
    ------
    ValueError
        If there are no weights for the network.
    FetchError
        If the file is missing and cannot be downloaded.
    """
    if network not in sources.WEIGHTS:
        known = ", ".join(sources.WEIGHTS)
        raise ValueError(f"no ImageNet weights for {network!r}; there are weights for {known}")
    source = _also_in_torch_cache(sources.WEIGHTS[network])
    return fetch_files([source], data_root() / "weights")[0]


def table(groups: Iterable[str], root: Path) -> str:
    """Return a list of what can be fetched: each file with its place, size, sum and mirrors."""
    return "\n\n".join(
        _describe(source, root / group / source.name, {})
        for group in groups
        for source in sources.GROUPS[group]
    )


def _each(steps: Iterable[Callable[[], Result]]) -> list[Result]:
    """Take every step, even after one failed, and raise one `FetchError` for all that failed."""
    results: list[Result] = []
    missing: list[str] = []
    for step in steps:
        try:
            results.append(step())
        except FetchError as error:
            missing.extend(error.missing)
    if missing:
        raise FetchError(missing)
    return results


def _fetch_group(group: str, folder: Path, options: FetchOptions) -> None:
    files = sources.GROUPS[group]
    if group == "flowers":
        fetch_flowers(folder, options)
    elif group == "weights" and options.offline:
        fetch_files(map(_also_in_torch_cache, files), folder, options)
    elif group == "weights":
        _each(partial(_fetch_file, file, folder, options, _torch_cache()) for file in files)
    else:
        fetch_files(files, folder, options)


def _fetch_file(
    source: Source, folder: Path, options: FetchOptions, copy_from: Path | None = None
) -> Path:
    """Find a file, copy it from another folder, or download it, and return where it is."""
    shown, target = f"{folder.name}/{source.name}", folder / source.name
    own_urls = (f"{mirror.rstrip('/')}/{shown}" for mirror in options.mirrors)
    source = dataclasses.replace(source, urls=(*own_urls, *source.urls))
    if intact := _intact_copy(source, folder, options):
        return intact
    if options.offline:
        options.report(f"{'damaged' if source.find(folder) else 'missing'}   {shown}")
        raise FetchError([_describe_missing(source, target)])
    waiting = partial(options.report, f"waiting   {shown}  another run is fetching it")
    try:
        with locked(target, waiting):
            # Another process may have fetched it in the meantime.
            if intact := _intact_copy(source, folder, options):
                return intact
            if source.find(folder):
                options.report(f"damaged   {shown}  stays until a good one is there")
            began = time.monotonic()
            if copy_from and (intact := source.find_intact(copy_from)):
                with atomic_path(target) as temporary:
                    shutil.copyfile(intact, temporary)
                origin = str(intact)
            else:
                origin = urlsplit(download(source, target, options)).netloc
    except OSError as error:
        options.report(f"failed    {shown}")
        raise FetchError([_describe_missing(source, target, error)]) from error
    seconds = time.monotonic() - began
    options.report(f"fetched   {shown}  {source.size:,} bytes in {seconds:.1f} s from {origin}")
    return target


def _intact_copy(source: Source, folder: Path, options: FetchOptions) -> Path | None:
    """Return a copy of a file that needs no download, and report it, or return ``None``."""
    path = source.find_intact(folder)
    if path:
        shown, first = f"{folder.name}/{source.name}", source.find(folder)
        where = "" if path == folder / source.name else f", at {path}"
        options.report(f"present   {shown}  {path.stat().st_size:,} bytes, verified{where}")
        if first != path:
            options.report(f"damaged   {shown}  delete {first}, which is looked at first")
    return path


def _fetch_photographs(archive: Source, folder: Path, options: FetchOptions) -> None:
    """Fetch the archive of the photographs, and unpack what ``jpg/`` lacks of them."""
    jpg, count, shown = folder / "jpg", sources.PHOTOGRAPHS, f"{folder.name}/jpg"
    names = [f"image_{number:05d}.jpg" for number in range(1, count + 1)]
    if archive.find(folder) is None and all((jpg / name).is_file() for name in names):
        options.report(f"present   {shown}  {count:,} photographs, counted: no archive to compare")
        return
    [packed] = fetch_files([archive], folder, options)
    waiting = partial(options.report, f"waiting   {shown}  another run is unpacking it")
    try:
        differing = count_differing(packed, jpg, count)
        if differing and options.offline:
            problem = f"{differing:,} of {count:,} photographs are missing or differ"
            raise ValueError(f"{problem}: run without --offline to unpack them")
        if differing:
            with locked(jpg, waiting):
                unpacked = unpack(packed, jpg, count)
            options.report(f"unpacked  {shown}  {unpacked:,} of {count:,} photographs")
        else:
            options.report(f"present   {shown}  {count:,} photographs, each as in {archive.name}")
    except (ValueError, OSError) as error:
        options.report(f"failed    {shown}  {error}")
        lines = [shown, f"  place      {jpg}", f"  archive    {packed}, intact"]
        raise FetchError(["\n".join([*lines, f"  problem    {error}"])]) from error


def _describe_missing(source: Source, path: Path, error: OSError | None = None) -> str:
    """Describe a file that cannot be had, with what went wrong and what is there of it."""
    reasons = error.reasons if isinstance(error, DownloadError) else {}
    text = _describe(source, path, reasons)
    if error and not reasons:
        text += f"\n  problem    cannot write here: {error}"
    if received := received_bytes(part_of(path)):
        text += f"\n  received   {received:,} bytes so far, kept for the next run"
    if damaged := source.find(path.parent):
        size, found = damaged.stat().st_size, source.checksum_of(damaged)
        text += f"\n  damaged    {damaged} ({size:,} bytes, {found}); left as it is"
    return text


def _describe(source: Source, path: Path, reasons: dict[str, str]) -> str:
    """Return what one needs to know to fetch a file by hand, and why each URL did not give it."""
    lines = [
        source.name,
        f"  place      {path}",
        f"  size       {source.size:,} bytes",
        f"  checksum   {source.checksum}",
    ]
    for url in source.urls:
        reason = f"  ({reasons[url]})" if url in reasons else ""
        lines.append(f"  from       {url}{reason}")
    return "\n".join(lines)


def _also_in_torch_cache(source: Source) -> Source:
    return dataclasses.replace(source, also_at=(*source.also_at, str(_torch_cache() / source.name)))


def _torch_cache() -> Path:
    """Return where PyTorch keeps the weights it downloads, whether it is installed or not."""
    caches = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(caches, "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"
