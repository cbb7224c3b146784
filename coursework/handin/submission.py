"""From a notebook to the hand-in: run, export, check, bundle; all of it or nothing."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.check import Finding, check_pdf
from coursework.handin.bundle import write_bundle
from coursework.handin.run import run_notebook, takes_parameters
from coursework.identity import Identity
from coursework.machine import describe_machine
from coursework.pdf import export_pdf
from coursework.profiles import PATH_FIELDS, get_profile
from coursework.storage import atomic_path


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


def submit(
    source: Path | str,
    build: Path | str,
    *,
    profile: str = "embedded",
    overrides: Mapping[str, Any] | None = None,
    identity: Identity | None = None,
    cell_timeout: int | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> HandIn:
    """Run a notebook, export it, read the PDF back, and bundle everything.

    The PDF and the zip get their names only if every step succeeds. Those of an earlier run are
    removed first, so that nobody mistakes them for the new ones.

    Parameters
    ----------
    source
        The notebook.
    build
        The folder for ``NAME.ipynb``, ``NAME.pdf`` and ``HOMEWORK_submission.zip``, where the
        homework is the notebook's name up to its first underscore.
    profile, overrides
        As `coursework.profiles.get_profile` takes them.
    identity
        Who hands in. A missing field is a remark, not an error.
    cell_timeout
        Seconds that a cell may take; ``None`` waits for ever.
    report
        Called with lines of progress.

    Raises
    ------
    ValueError, FileNotFoundError, coursework.handin.NotebookError
        As `coursework.handin.run_notebook` raises them.
    CheckError
        If the PDF does not show all of the notebook.
    coursework.handin.BundleError
        If the zip that was written does not pass `coursework.handin.verify_bundle`.
    """
    source, build = Path(source), Path(build).resolve()
    identity = identity or Identity()
    clear_targets([source], build)
    pdf, bundle = _targets(source, build)
    parameters = notebook_parameters(source, build, profile, overrides or {})
    executed = build / source.name
    run = run_notebook(
        source,
        executed,
        parameters=parameters,
        identity=identity,
        cell_timeout=cell_timeout,
        report=report,
    )
    with atomic_path(pdf) as temporary:
        exported = export_pdf(executed, temporary, pictures=source.parent)
        findings = check_pdf(executed, temporary)
        _refuse_losses(findings, exported.warnings)
        odd = [f.message for f in findings if f.kind in ("formula", "noise", "page")]
        remarks = [*exported.warnings, *odd]
        missing = " and ".join(identity.missing()).replace("_", " ")
        if missing:
            remarks.append(f"{missing} not filled in: edit student.toml before you hand in")
        settings = get_profile(profile, **parameters.get("overrides", {}))
        facts = {
            "homework": source.stem,
            "identity": dataclasses.asdict(identity),
            "profile": dataclasses.asdict(settings),
            "seed": settings.seed,
            "machine": describe_machine(),
            "seconds": {
                "run": round(run.seconds, 1),
                "cells": [round(seconds, 1) for seconds in run.cell_seconds],
            },
            "pages": exported.pages,
            "remarks": remarks,
        }
        write_bundle(bundle, executed, temporary, facts)
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
    source: Path, build: Path, profile: str, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of a notebook that writes its results to ``build``.

    Returns
    -------
    dict
        ``profile`` and ``overrides``, where the build folder and full paths stand among the
        overrides. Empty if the notebook's own parameters say the same, and for a notebook without
        a cell tagged ``parameters`` if neither another profile nor an override is asked for.

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
    changed = dict(overrides)
    if build != get_profile(profile).build_root:
        changed["build_root"] = str(build)
    settings = get_profile(profile, **changed)
    for field in PATH_FIELDS & changed.keys():
        # The kernel runs in the notebook's folder, where it would not find a relative path.
        if getattr(settings, field) not in (None, "imagenet"):
            changed[field] = str(Path(getattr(settings, field)).expanduser().resolve())
    is_asked = profile != "embedded" or bool(overrides)
    if not is_asked and (not changed or not takes_parameters(source)):
        return {}
    return {"profile": profile, "overrides": changed}


def _refuse_losses(findings: Sequence[Finding], warnings: Sequence[str]) -> None:
    """Raise if anything is lost, with the warnings of the export, which may explain it."""
    losses = [str(finding) for finding in findings if finding.severity == "lost"]
    if losses:
        listed = "\n".join(f"  - {line}" for line in (*losses, *warnings))
        raise CheckError(f"the PDF is not what the notebook shows:\n{listed}")
