"""The command ``coursework``: run, check and hand in a homework; release and grade a course."""

import argparse
import ast
import dataclasses
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from coursework.data import GROUPS, FetchOptions, fetch, table
from coursework.profiles import (
    BUILD,
    PROFILES,
    ROOT,
    OutsideProjectError,
    Profile,
    data_root,
    get_profile,
    require_project,
)

ANYWHERE = {"doctor", "fetch", "pdf", "check", "verify"}
"""The commands that need neither the project's folder nor the homeworks' libraries."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        The exit code: 0; 1 after an error, which is printed in words, and 2 where the command
        has no project to work on; 130 after Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A console may lack a character that a notebook prints; the run goes on with a "?".
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        if options.command not in ANYWHERE:
            _require_homeworks()
        return int(options.action(options) or 0)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"coursework: {error}", file=sys.stderr)
        return 2 if isinstance(error, OutsideProjectError) else 1
    except KeyboardInterrupt:
        print("coursework: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coursework", description="Run the homework notebooks and make the hand-in."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    doctor = commands.add_parser("doctor", help="show the machine, the versions and the profiles")
    doctor.set_defaults(action=_doctor)

    fetch = commands.add_parser("fetch", help="download data sets and weights, or verify them")
    fetch.add_argument(
        "group", nargs="?", choices=(*GROUPS, "all"), default="all", help="default: all"
    )
    fetch.add_argument("--root", type=Path, help="default: $COURSEWORK_DATA or data/downloads")
    fetch.add_argument("--list", action="store_true", help="show what there is to fetch, and stop")
    fetch.add_argument(
        "--offline", action="store_true", help="verify only: use no network, write nothing"
    )
    fetch.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="URL",
        help="a server that holds the files of --list as GROUP/FILE; asked before all others, may "
        "be given again",
    )
    fetch.add_argument(
        "--timeout",
        type=float,
        default=FetchOptions().timeout,
        metavar="SECONDS",
        help="leave a server that sends nothing for so long (default: %(default)g seconds)",
    )
    fetch.set_defaults(action=_fetch)

    run = commands.add_parser("run", help="run notebooks on a fresh kernel")
    _add_run_options(run)
    run.set_defaults(action=_run)

    pdf = commands.add_parser("pdf", help="export a notebook as it stands to PDF")
    pdf.set_defaults(action=_pdf)
    check = commands.add_parser("check", help="read a PDF back and list what it lost")
    check.set_defaults(action=_check)
    for command in (pdf, check):
        command.add_argument("notebook", type=Path)
        command.add_argument("pdf", type=Path, nargs="?", help="default: beside the notebook")

    submit = commands.add_parser("submit", help="run, export, check and bundle")
    _add_run_options(submit)
    for option in ("--name", "--student-id", "--course", "--due-date"):
        submit.add_argument(option, help="default: from student.toml")
    submit.add_argument(
        "--partial",
        action="store_true",
        help="hand in what there is: go on after a cell that fails, name on page 1 what is missing",
    )
    submit.set_defaults(action=_submit)

    verify = commands.add_parser(
        "verify", help="hold a submission against its manifest, without running anything in it"
    )
    verify.add_argument("zip", type=Path)
    verify.set_defaults(action=_verify)

    score = commands.add_parser(
        "score", help="run the tests of each question: the points so far, and what fails first"
    )
    score.add_argument(
        "questions", nargs="*", metavar="QUESTION", help="such as hw3_q2; default: all"
    )
    score.set_defaults(action=_score)

    grade = commands.add_parser(
        "grade",
        help="grade a folder of hand-ins: a table, a report for each, and Gradescope's results",
        description="Grade every zip in a folder and in the folders within it. Each one is read "
        "without running it; then its answers are laid over a clean copy of this course, and the "
        "tests of each question run on them in a process of their own, within bounds. What was "
        "graded before is not graded again, unless the zip or the course has changed.",
    )
    grade.add_argument("folder", type=Path, help="the zips, under any names")
    grade.add_argument(
        "--output",
        type=Path,
        default=Path("grades.csv"),
        metavar="FILE.csv",
        help="a row for each zip; the folder FILE beside it gets report.md and results.json "
        "(Gradescope) for each (default: %(default)s)",
    )
    grade.add_argument(
        "--backend",
        choices=("dask", "ray"),
        help="grade on a cluster instead of the cores of this machine: Dask at "
        "$DASK_SCHEDULER_ADDRESS, or Ray at $RAY_ADDRESS; its machines see the same files",
    )
    grade.set_defaults(action=_grade)

    release = commands.add_parser(
        "release", help="write the students' version of the course: everything but the answers"
    )
    release.add_argument("folder", type=Path, help="a new folder")
    release.add_argument(
        "--prove",
        action="store_true",
        help="also install it, run its notebooks and its tests, without the answers and with them",
    )
    release.set_defaults(action=_release)
    return parser


def _require_homeworks() -> None:
    require_project()
    if find_spec("torch") is None:
        raise OutsideProjectError(
            "the libraries of the homeworks are missing here; run "
            f"`pip install --editable '.[homework]'` in {ROOT}"
        )


def _add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "notebooks", nargs="*", type=Path, help="default: all in notebooks/", metavar="NOTEBOOK"
    )
    command.add_argument("--profile", choices=PROFILES, help="default: as the notebook says")
    command.add_argument(
        "-p",
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="FIELD=VALUE",
        help="replace one field of the profile; may be given again",
    )
    command.add_argument("--build", type=Path, default=BUILD, help="default: build/")
    command.add_argument("--cell-timeout", type=_seconds, metavar="SECONDS")


def _seconds(text: str) -> int:
    """Read a whole number of seconds, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 1 or more")
    return int(text)


def _assignment(text: str) -> tuple[str, Any]:
    """Read ``FIELD=VALUE``; a value that is not a Python literal is text."""
    field, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form FIELD=VALUE")
    try:
        return field.strip(), ast.literal_eval(value.strip())
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return field.strip(), value.strip()


def _notebooks(options: argparse.Namespace) -> list[Path]:
    return options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))


def _build_folder(options: argparse.Namespace) -> Path:
    """Return the folder to write to, or refuse it before anything runs."""
    build: Path = options.build.resolve()
    there = next(folder for folder in (build, *build.parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise OSError(f"cannot write to {there}; name another folder with --build")
    return build


def _say(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError as error:  # a full disk, or a reader that has gone
        raise OSError(error.errno, error.strerror, "standard output") from error


def _warn(line: str) -> None:
    print(f"warning: {line}", file=sys.stderr, flush=True)


def _doctor(options: argparse.Namespace) -> None:
    from coursework.machine import describe_machine

    facts = describe_machine()
    with suppress(ModuleNotFoundError):  # the networks come with the extra `homework`
        from coursework.backbones import describe_layouts

        facts["layout"] = describe_layouts(PROFILES["full"])
    for name, value in facts.items():
        _say(f"{name:<12} {value}")
    try:
        profiles = [get_profile(name) for name in PROFILES]
    except OutsideProjectError as error:
        _say(f"\nno profile: {error}")
        return
    for profile in profiles:
        _say(f"\nprofile {profile.name!r}")
        for field in dataclasses.fields(Profile)[1:]:
            _say(f"  {field.name:<24} {getattr(profile, field.name)}")


def _fetch(options: argparse.Namespace) -> None:
    groups = tuple(GROUPS) if options.group == "all" else (options.group,)
    root = (options.root or data_root()).resolve()
    if options.list:
        _say(table(groups, root))
        return
    how = FetchOptions(
        offline=options.offline,
        mirrors=tuple(options.mirror),
        timeout=options.timeout,
        show_progress=sys.stdout.isatty(),
        report=_say,
    )
    fetch(groups, root, how)
    with suppress(OutsideProjectError):  # no project, so no profile either
        if root != data_root().resolve():
            _say(f"set COURSEWORK_DATA={root} so that the profile 'full' finds this")


def _run(options: argparse.Namespace) -> None:
    from coursework.handin import notebook_parameters, run_notebook

    build = _build_folder(options)
    for notebook in _notebooks(options):
        target = build / notebook.name
        parameters = notebook_parameters(notebook, build, options.profile, dict(options.set))
        run = run_notebook(
            notebook,
            target,
            parameters=parameters,
            cell_timeout=options.cell_timeout,
            report=_say,
        )
        _say(f"{target} ({run.seconds:.0f} s)")


def _pdf(options: argparse.Namespace) -> None:
    from coursework.pdf import export_pdf

    report = export_pdf(options.notebook, options.pdf or options.notebook.with_suffix(".pdf"))
    for warning in report.warnings:
        _warn(warning)
    _say(f"{report.path} ({_pages(report.pages)})")


def _check(options: argparse.Namespace) -> int:
    from coursework.check import check_pdf

    pdf = options.pdf or options.notebook.with_suffix(".pdf")
    findings = check_pdf(options.notebook, pdf)
    for finding in findings:
        _say(str(finding))
    losses = sum(finding.severity == "lost" for finding in findings)
    _say(f"{pdf}: {losses or 'nothing'} to mend, {len(findings) - losses or 'nothing'} to look at")
    return 1 if losses else 0


def _submit(options: argparse.Namespace) -> None:
    from coursework.course.missing import missing_answers
    from coursework.handin import submit_all
    from coursework.identity import load_identity

    identity = load_identity(
        name=options.name,
        student_id=options.student_id,
        course=options.course,
        due_date=options.due_date,
    )
    results = submit_all(
        _notebooks(options),
        _build_folder(options),
        profile=options.profile,
        overrides=dict(options.set),
        identity=identity,
        cell_timeout=options.cell_timeout,
        missing=missing_answers if options.partial else None,
        report=_say,
    )
    for result in results:
        for remark in result.remarks:
            _warn(remark)
        _say(f"{result.pdf} ({_pages(result.pages)}), {result.bundle.name}: checked")


def _verify(options: argparse.Namespace) -> None:
    from coursework.handin import verify_bundle

    manifest = verify_bundle(options.zip)
    _say(f"{options.zip}: {len(manifest['files'])} files as its manifest lists them")


def _release(options: argparse.Namespace) -> None:
    from coursework.course.release import release

    files = release(options.folder)
    _say(f"{options.folder}: {len(files)} files, and no line or sentence of an answer in them")
    if options.prove:
        from coursework.course.prove import prove

        prove(options.folder, report=_say)


def _grade(options: argparse.Namespace) -> None:
    from coursework.course.grade import grade

    rows = grade(options.folder, options.output, backend=options.backend, report=_say)
    graded = sum(bool(row.answered) for row in rows)
    _say(f"{options.output}: {len(rows)} hand-ins, {graded} graded")


def _score(options: argparse.Namespace) -> None:
    from coursework.course.questions import load_questions
    from coursework.course.score import score

    questions = load_questions()
    for name in options.questions:
        if name not in questions:
            raise ValueError(f"no question {name!r}; there are {', '.join(questions)}")
    for name in options.questions or questions:
        _say(score(questions[name]))


def _pages(number: int) -> str:
    return "1 page" if number == 1 else f"{number} pages"
