"""From a notebook to the zip that is handed in: run it, name its author, bundle it."""

from coursework.handin.bundle import BundleError, used_modules, verify_bundle, write_bundle
from coursework.handin.run import NotebookError, run_notebook
from coursework.handin.submission import (
    CheckError,
    HandIn,
    clear_targets,
    notebook_parameters,
    submit,
    submit_all,
)

__all__ = [
    "BundleError",
    "CheckError",
    "HandIn",
    "NotebookError",
    "clear_targets",
    "notebook_parameters",
    "run_notebook",
    "submit",
    "submit_all",
    "used_modules",
    "verify_bundle",
    "write_bundle",
]
