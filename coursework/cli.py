"""The command ``coursework``: doctor, run, pdf, submit, verify."""

import argparse
import ast
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coursework.bundle import BundleError, verify_bundle
from coursework.execute import NotebookError, run_notebook
from coursework.profiles import PROFILES, ROOT, Profile, get_profile


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 1 after an error in one line."""
    options = _parser().parse_args(arguments)
    try:
        options.action(options)
    except (ValueError, OSError, NotebookError, BundleError) as error:
        print(f"coursework: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coursework", description="Run the homework notebooks and make the hand-in."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    doctor = commands.add_parser("doctor", help="show the machine, the versions and the profiles")
    doctor.set_defaults(action=_doctor)

    run = commands.add_parser("run", help="run notebooks on a fresh kernel")
    submit = commands.add_parser("submit", help="run notebooks and export each to PDF")
    for command in (run, submit):
        command.add_argument(
            "notebooks", nargs="*", type=Path, help="default: all in notebooks/", metavar="NOTEBOOK"
        )
        command.add_argument("--profile", choices=PROFILES, default="embedded")
        command.add_argument(
            "-p",
            "--set",
            action="append",
            default=[],
            type=_assignment,
            metavar="FIELD=VALUE",
            help="replace one field of the profile; may be given again",
        )
        command.add_argument("--build", type=Path, default=ROOT / "build", help="default: build/")
        command.add_argument("--cell-timeout", type=int, metavar="SECONDS")
    run.set_defaults(action=_run)
    submit.set_defaults(action=_submit)

    pdf = commands.add_parser("pdf", help="export a notebook as it stands to PDF")
    pdf.add_argument("notebook", type=Path)
    pdf.add_argument("pdf", type=Path, nargs="?", help="default: beside the notebook")
    pdf.set_defaults(action=_pdf)

    verify = commands.add_parser("verify", help="hold a submission against its manifest")
    verify.add_argument("zip", type=Path, metavar="ZIP")
    verify.set_defaults(action=_verify)
    return parser


def _assignment(text: str) -> tuple[str, Any]:
    """Read ``FIELD=VALUE``; a value that is no Python literal is text."""
    field, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form FIELD=VALUE")
    try:
        return field.strip(), ast.literal_eval(value.strip())
    except (SyntaxError, ValueError):
        return field.strip(), value.strip()


def _doctor(options: argparse.Namespace) -> None:
    from coursework.runtime import describe_machine

    for name, value in describe_machine().items():
        print(f"{name:<12} {value}")
    for profile in PROFILES.values():
        print(f"\nprofile {profile.name!r}")
        for field in dataclasses.fields(Profile)[1:]:
            print(f"  {field.name:<24} {getattr(profile, field.name)}")


def _run(options: argparse.Namespace) -> list[Path]:
    overrides = dict(options.set)
    build = options.build.resolve()
    if build != PROFILES[options.profile].build_root:
        overrides.setdefault("build_root", str(build))
    # A wrong field is an error here and now, not after the kernel has started.
    get_profile(options.profile, **overrides)
    parameters: dict[str, Any] = {}
    if options.profile != "embedded" or overrides:
        parameters = {"profile": options.profile, "overrides": overrides}
    written = []
    for notebook in options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
        run = run_notebook(
            notebook,
            build / notebook.name,
            parameters=parameters,
            cell_timeout=options.cell_timeout,
            report=lambda line: print(line, flush=True),
        )
        print(f"{run.path} ({run.seconds:.0f} s)", flush=True)
        written.append(run.path)
    return written


def _submit(options: argparse.Namespace) -> None:
    for notebook in _run(options):
        _export(notebook, notebook.with_suffix(".pdf"))


def _pdf(options: argparse.Namespace) -> None:
    _export(options.notebook, options.pdf or options.notebook.with_suffix(".pdf"))


def _verify(options: argparse.Namespace) -> None:
    manifest = verify_bundle(options.zip)
    print(f"{options.zip}: {len(manifest['files'])} files as its manifest lists them")


def _export(notebook: Path, pdf: Path) -> None:
    from coursework.pdf import export_pdf

    report = export_pdf(notebook, pdf)
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{report.path} ({report.pages} pages)", flush=True)
