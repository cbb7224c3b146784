"""From a notebook to the hand-in: run, export, check, bundle; all of it or nothing."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.check import check_pdf
from coursework.handin.bundle import write_bundle
from coursework.handin.run import Run, read_parameters, run_notebook
from coursework.identity import Identity
from coursework.machine import describe_machine
from coursework.pdf import export_pdf
from coursework.profiles import PATH_FIELDS, PROFILES, Profile, get_profile
from coursework.storage import locked, scratch_folder


@dataclass(frozen=True)
class HandIn:
    """What a submission left in the build folder.

    Attributes
    ----------
    notebook, pdf, bundle
        The executed notebook, its export, and the zip that holds both.
    pages
        The number of pages of the PDF.
    remarks
        What the student should look at before handing in; none of it is a loss.
    """

    notebook: Path
    pdf: Path
    bundle: Path
    pages: int
    remarks: tuple[str, ...]


class CheckError(RuntimeError):
    """The PDF lost something, or shows an error; the message lists what."""


def submit_all(
    sources: Sequence[Path],
    build: Path | str,
    *,
    profile: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    identity: Identity | None = None,
    cell_timeout: int | None = None,
    missing: Callable[[Path], Mapping[str, str]] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Iterator[HandIn]:
    """Run notebooks, export them, read the PDFs back, and bundle everything, one after the other.

    A PDF and a zip get their names only if every step succeeds. Those of an earlier run, of all the
    notebooks, are removed first, so that nobody mistakes them for the new ones. No other process
    can hand in to the same folder until the last notebook is done.

    Parameters
    ----------
    sources
        The notebooks.
    build
        The folder for ``NAME.ipynb``, ``NAME.pdf`` and ``HOMEWORK_submission.zip``, where the
        homework is the notebook's name up to its first underscore.
    profile, overrides
        As `coursework.profiles.get_profile` takes them. Without a profile, a notebook runs with
        the one that it names.
    identity
        Who hands in. A missing field is a remark, not an error.
    missing
        For a part-finished homework: from a notebook to what is missing, as
        `coursework.handin.run_notebook` takes it. The manifest lists it too.
    cell_timeout, report
        As `coursework.handin.run_notebook` takes them.

    Raises
    ------
    ValueError, FileNotFoundError, coursework.handin.NotebookError
        As `coursework.handin.run_notebook` raises them.
    CheckError
        If the PDF does not show all of the notebook.
    coursework.handin.BundleError
        If the zip that was written does not pass `coursework.handin.verify_bundle`.
    coursework.storage.BusyError
        If another process is handing in to the folder.
    """
    build, identity = Path(build).resolve(), identity or Identity()
    with locked(build / "hand-in"):
        clear_targets(sources, build)
        for source in sources:
            parameters = notebook_parameters(source, build, profile, overrides or {})
            lacking = None if missing is None else missing(source)
            # Everything grows in one folder, which the next run removes if this one is killed.
            with scratch_folder("hand-in", build) as folder:
                run = run_notebook(
                    source,
                    build / source.name,
                    parameters=parameters,
                    identity=identity,
                    cell_timeout=cell_timeout,
                    missing=lacking,
                    report=report,
                )
                yield _hand_in(source, build, folder, run, identity, lacking)


def submit(source: Path | str, build: Path | str, **choices: Any) -> HandIn:
    """Run a notebook, export it, read the PDF back, and bundle everything, as `submit_all` does."""
    [result] = submit_all([Path(source)], build, **choices)
    return result


def _hand_in(
    source: Path,
    build: Path,
    folder: Path,
    run: Run,
    identity: Identity,
    missing: Mapping[str, str] | None,
) -> HandIn:
    """Make the PDF and the zip of an executed notebook in a folder, and move them to ``build``."""
    executed = build / source.name
    pdf, bundle = _targets(source, build)
    new_pdf, new_bundle = folder / pdf.name, folder / bundle.name
    exported = export_pdf(executed, new_pdf, pictures=source.parent)
    findings = check_pdf(executed, new_pdf)
    losses = [str(finding) for finding in findings if finding.severity == "lost"]
    if losses:
        # The warnings of the export may explain what is lost.
        listed = "\n".join(f"  - {line}" for line in (*losses, *exported.warnings))
        raise CheckError(f"the PDF is not what the notebook shows:\n{listed}")
    odd = [f.message for f in findings if f.kind in ("formula", "noise", "page")]
    remarks = [*exported.warnings, *odd]
    empty = " and ".join(identity.missing()).replace("_", " ")
    if empty:
        remarks.append(f"{empty} not filled in: edit student.toml before you hand in")
    settings = _settings(read_parameters(executed))
    facts = {
        "homework": source.stem,
        "identity": dataclasses.asdict(identity),
        "profile": dataclasses.asdict(settings) if settings else None,
        "seed": settings.seed if settings else None,
        "machine": describe_machine(),
        "seconds": {
            "run": round(run.seconds, 1),
            "cells": [round(seconds, 1) for seconds in run.cell_seconds],
        },
        "pages": exported.pages,
        "remarks": remarks,
    }
    if missing is not None:
        facts["missing"] = dict(missing)
    write_bundle(new_bundle, executed, new_pdf, facts)
    os.replace(new_pdf, pdf)
    os.replace(new_bundle, bundle)
    return HandIn(executed, pdf, bundle, exported.pages, tuple(remarks))


def clear_targets(sources: Sequence[Path], build: Path) -> None:
    """Remove the PDF and the zip that an earlier run made of each notebook.

    Raises
    ------
    FileNotFoundError
        If a notebook does not exist.
    ValueError
        If two notebooks would have the same zip, or one lies where its result goes. After any
        error, nothing is removed.
    """
    owners: dict[Path, Path] = {}
    for source in sources:
        if not source.is_file():
            raise FileNotFoundError(f"no notebook {source}")
        if source.resolve() == (build / source.name).resolve():
            raise ValueError(f"{source} would be overwritten by its own result; choose --build")
        for target in _targets(source, build):
            other = owners.setdefault(target, source)
            if other != source:
                raise ValueError(
                    f"{other.name} and {source.name} would both be {target.name}; name one of them "
                    "so that it differs before its first underscore, or move it away"
                )
    for target in owners:
        target.unlink(missing_ok=True)


def _targets(source: Path, build: Path) -> tuple[Path, Path]:
    """Return where the PDF and the zip of a notebook go."""
    return build / f"{source.stem}.pdf", build / f"{source.stem.partition('_')[0]}_submission.zip"


def notebook_parameters(
    source: Path, build: Path, profile: str | None, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of a notebook that writes its results to ``build``.

    Returns
    -------
    dict
        ``profile`` and ``overrides``: those that the notebook itself names, replaced by those that
        are asked for, with the build folder and full paths among the overrides. Empty if the
        notebook's own parameters say the same, and for a notebook that names no profile if
        nothing is asked for.

    Raises
    ------
    ValueError
        If the profile or a field does not exist, a value does not fit its field, or ``build_root``
        is overridden, which is ``build``; or if the notebook is not one. It is raised here,
        before a kernel starts.
    FileNotFoundError
        If the notebook does not exist.
    """
    if "build_root" in overrides:
        raise ValueError("build_root follows --build; use that instead")
    own = read_parameters(source)
    settings = _settings(own)
    if settings is None:
        if profile is None and not overrides:
            return {}
        own = {"profile": "embedded", "overrides": {}}
        settings = get_profile()
    name, changed = profile or settings.name, {**own["overrides"], **overrides}
    if build != get_profile(name).build_root:
        changed["build_root"] = str(build)
    else:
        changed.pop("build_root", None)
    settings = get_profile(name, **changed)
    for field in PATH_FIELDS & overrides.keys():
        # The kernel runs in the notebook's folder, where it would not find a relative path.
        if getattr(settings, field) not in (None, "imagenet"):
            changed[field] = str(Path(getattr(settings, field)).expanduser().resolve())
    parameters = {"profile": name, "overrides": changed}
    return parameters if parameters != own else {}


def _settings(own: Mapping[str, Any]) -> Profile | None:
    """Return the profile that the parameters of a notebook name; ``None`` if they name none."""
    match own:
        case {"profile": str(name), "overrides": dict(overrides)}:
            if name in PROFILES and all(isinstance(field, str) for field in overrides):
                return get_profile(name, **overrides)
    return None
