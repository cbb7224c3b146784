"""What the homeworks need from the network: MNIST, the flowers, and weights trained on ImageNet."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from coursework.data import sources
from coursework.data.archive import look_like_photographs, unlike, unpack
from coursework.data.fetch_files import Manner, collected, fetch_files, locked
from coursework.data.fetch_report import FetchError, Missing, NotUnpacked
from coursework.data.sources import Source
from coursework.profiles import data_root


def fetch(
    groups: Sequence[str] = tuple(sources.GROUPS),
    root: Path | None = None,
    manner: Manner | None = None,
    mirrors: Sequence[str] = (),
) -> None:
    """Fetch groups of files, each into the folder of its name.

    The root can then be copied to a machine without a network, or served as a mirror: weights that
    PyTorch has in its own cache are copied into it.

    Parameters
    ----------
    groups
        Keys of `coursework.data.GROUPS`.
    root
        The folder that holds the folders of the groups; by default `coursework.profiles.data_root`.
    manner
        See `Manner`.
    mirrors
        URLs of servers that hold ``GROUP/NAME`` for each file, asked before all others.

    Raises
    ------
    FetchError
        If files are missing in the end: all of them, of all groups.
    ValueError
        If a mirror is no URL.
    """
    manner = manner or Manner()
    missing: list[Missing | NotUnpacked] = []
    for group in groups:
        folder = (root or data_root()) / group
        wanted = [_also_from(mirrors, group, source) for source in sources.GROUPS[group]]
        with collected(missing):
            if group == "flowers":
                fetch_flowers(folder, manner, wanted)
            elif group == "weights":
                if manner.offline:
                    wanted = [_also_in_torch_cache(source) for source in wanted]
                fetch_files(wanted, folder, manner, copy_from=_torch_cache())
            else:
                fetch_files(wanted, folder, manner)
    if missing:
        raise FetchError(missing)


def fetch_flowers(
    folder: Path, manner: Manner | None = None, wanted: Sequence[Source] | None = None
) -> Path:
    """Make a folder hold Oxford 102 Flowers: ``jpg/``, ``imagelabels.mat`` and ``setid.mat``.

    The archive stays beside them, since it is the proof of every photograph: each is compared with
    it, and replaced if it differs. Photographs without the archive are counted and believed.

    Parameters
    ----------
    folder
        Of the flowers alone, not the data root.
    manner
        See `Manner`.
    wanted
        The two label files and the archive, in that order.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    FetchError
        As `fetch_files` raises it, or if the archive cannot be unpacked.
    """
    manner = manner or Manner()
    *labels, archive = wanted or sources.FLOWERS
    missing: list[Missing | NotUnpacked] = []
    with collected(missing):
        fetch_files(labels, folder, manner)
    # An archive that was put there by hand is unpacked even if the labels cannot be had yet.
    with collected(missing):
        _fetch_photographs(archive, folder, manner)
    if missing:
        raise FetchError(missing)
    return folder


def weights_file(network: str, root: Path | None = None, manner: Manner | None = None) -> Path:
    """Return the file with torchvision's ImageNet weights of a network, verified.

    Parameters
    ----------
    network
        ``"resnet18"`` or ``"resnet50"``.
    root
        The data root, by default `coursework.profiles.data_root`: the file is in its folder
        ``weights``. One that PyTorch downloaded earlier into its own cache is taken as well.
    manner
        See `Manner`.

    Raises
    ------
    ValueError
        If the network is not one of those.
    FetchError
        If the file is missing and cannot be downloaded.
    """
    if network not in sources.WEIGHTS:
        known = ", ".join(sources.WEIGHTS)
        raise ValueError(f"no ImageNet weights for {network!r}; there are those of {known}")
    folder = (root or data_root()) / "weights"
    source = _also_in_torch_cache(sources.WEIGHTS[network])
    return fetch_files([source], folder, manner)[0]


def _fetch_photographs(archive: Source, folder: Path, manner: Manner) -> None:
    jpg, count = folder / "jpg", sources.PHOTOGRAPHS
    shown = f"{folder.name}/jpg"
    names = [jpg / f"image_{number:05d}.jpg" for number in range(1, count + 1)]
    if archive.find(folder) is None and look_like_photographs(names):
        manner.report(f"present   {shown}  {count:,} photographs, counted: no archive to compare")
        return
    if jpg.is_dir():
        # What is there already needs no room again.
        archive = dataclasses.replace(archive, unpacked_size=0)
    (packed,) = fetch_files([archive], folder, manner)
    began = time.monotonic()
    written = 0
    try:
        differing = unlike(packed, jpg, count)
        if differing and not manner.offline:
            with locked(jpg, manner):
                written = unpack(packed, jpg, count)
    except (ValueError, OSError) as error:
        manner.report(f"failed    {shown}")
        raise FetchError([NotUnpacked(packed, jpg, str(error))]) from error
    if differing and manner.offline:
        state = "not unpacked yet"
        if jpg.is_dir():
            state = f"{differing:,} of {count:,} photographs are missing or differ"
        manner.report(f"{'damaged' if jpg.is_dir() else 'missing'}   {shown}  {state}")
        raise FetchError([NotUnpacked(packed, jpg, f"{state}: run without --offline")])
    if written:
        seconds = time.monotonic() - began
        manner.report(f"unpacked  {shown}  {written:,} of {count:,} photographs in {seconds:.1f} s")
    else:
        manner.report(f"present   {shown}  {count:,} photographs, each as in {archive.name}")


def _also_from(mirrors: Sequence[str], group: str, source: Source) -> Source:
    for mirror in mirrors:
        if not mirror.startswith(("http://", "https://")):
            raise ValueError(f"the mirror is {mirror!r}, expected an http or https URL")
    first = tuple(f"{mirror.rstrip('/')}/{group}/{source.name}" for mirror in mirrors)
    return dataclasses.replace(source, urls=(*first, *source.urls))


def _also_in_torch_cache(source: Source) -> Source:
    cached = _torch_cache() / source.name
    return dataclasses.replace(source, also_at=(*source.also_at, str(cached)))


def _torch_cache() -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints"
