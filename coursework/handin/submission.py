"""From a notebook to the hand-in: run, export, check, bundle; all of it or nothing."""

import dataclasses
import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from coursework.check import Finding, check_pdf
from coursework.handin.bundle import write_bundle
from coursework.handin.execute import run_notebook
from coursework.identity import Identity, fill_in
from coursework.pdf import export_pdf
from coursework.profiles import PATH_FIELDS, PROFILES, get_profile
from coursework.runtime import describe_machine

Report = Callable[[str], None]


@dataclass(frozen=True)
class HandIn:
    """What a submission left in the build folder.

    Attributes
    ----------
    notebook, pdf, bundle
        The executed notebook, its export, and the zip that holds both.
    pages
        Of the PDF.
    remarks
        What should be looked at before handing in; nothing in it is lost.
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
    report: Report = lambda line: None,
) -> HandIn:
    """Run a notebook, export it, read the PDF back, and bundle everything.

    The PDF and the zip have their names only if every step succeeds; those of an earlier run are
    removed first, so that they cannot be mistaken for the new ones.

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
        Who hands in. What is missing is a remark, not an error.
    cell_timeout
        Seconds a cell may take; ``None`` waits for ever.
    report
        Called with lines of progress.

    Raises
    ------
    ValueError, FileNotFoundError, coursework.handin.NotebookError
        As `coursework.handin.run_notebook` raises them.
    CheckError
        If the PDF does not show all of the notebook.
    coursework.handin.BundleError
        If the zip cannot be read back.
    """
    source, build = Path(source), Path(build).resolve()
    identity = identity or Identity()
    clear_targets([source], build)
    pdf, bundle = _targets(source, build)
    run = run_notebook(
        source,
        build / source.name,
        parameters=notebook_parameters(build, profile, overrides or {}),
        prepare=functools.partial(fill_in, identity=identity),
        cell_timeout=cell_timeout,
        report=report,
    )
    with tempfile.TemporaryDirectory(prefix=f".{source.stem}.", dir=build) as folder:
        exported = export_pdf(run.path, Path(folder) / pdf.name)
        remarks = [*exported.warnings, *_unfinished(identity)]
        findings = check_pdf(run.path, exported.path)
        _refuse_losses(findings, exported.warnings)
        settings = get_profile(profile, **{**dict(overrides or {}), "build_root": build})
        facts = {
            "homework": source.stem,
            "identity": dataclasses.asdict(identity),
            "profile": dataclasses.asdict(settings),
            "seed": settings.seed,
            "machine": describe_machine(),
            "seconds": {"run": round(run.seconds, 1), "cells": _cell_seconds(run.path)},
            "pages": exported.pages,
            "remarks": remarks,
        }
        write_bundle(bundle, run.path, exported.path, facts)
        exported.path.replace(pdf)
    return HandIn(run.path, pdf, bundle, exported.pages, tuple(remarks))


def clear_targets(sources: Sequence[Path], build: Path) -> None:
    """Remove what an earlier run left under the names of the hand-ins that are to be made.

    Raises
    ------
    FileNotFoundError
        If a notebook does not exist.
    ValueError
        If two notebooks would have the same zip, or one lies where its result goes. In no such
        case is anything removed.
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


def notebook_parameters(build: Path, profile: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the cell tagged ``parameters`` has to be told; nothing for a plain run.

    Raises
    ------
    ValueError
        If a field does not exist or a value does not fit: now, not after the kernel has started.
        Also if ``build_root`` is among them, which is ``build``.
    """
    changed = dict(overrides)
    if "build_root" in changed:
        raise ValueError("build_root follows --build; use that instead")
    if build != PROFILES[profile].build_root:
        changed["build_root"] = str(build)
    settings = get_profile(profile, **changed)
    for field in changed:
        # The kernel runs in the notebook's folder: what is relative to ours would not be found.
        if field in PATH_FIELDS and getattr(settings, field) not in (None, "imagenet"):
            changed[field] = str(Path(getattr(settings, field)).expanduser().resolve())
    if profile == "embedded" and not changed:
        return {}
    return {"profile": profile, "overrides": changed}


def _unfinished(identity: Identity) -> list[str]:
    missing = [field.replace("_", " ") for field in identity.missing()]
    if not missing:
        return []
    return [f"{' and '.join(missing)} not filled in: edit student.toml before you hand in"]


def _refuse_losses(findings: Sequence[Finding], warnings: Sequence[str]) -> None:
    """Raise if anything is lost; what the export warned of may explain it."""
    # What is not filled in is remarked on, and can be tried out all the same.
    losses = [str(finding) for finding in findings if finding.kind != "placeholder"]
    if losses:
        listed = "\n".join(f"  - {line}" for line in (*losses, *warnings))
        raise CheckError(f"the PDF is not what the notebook shows:\n{listed}")


def _cell_seconds(path: Path) -> list[float]:
    """Return how long each code cell ran, from the times that the kernel recorded."""
    from datetime import datetime

    seconds = []
    for cell in nbformat.read(path, as_version=4).cells:
        times = cell.metadata.get("execution", {})
        begin, end = times.get("iopub.execute_input"), times.get("shell.execute_reply")
        if begin and end:
            spent = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
            seconds.append(round(spent.total_seconds(), 1))
    return seconds
