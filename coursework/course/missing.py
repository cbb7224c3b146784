"""What a student has not answered yet: functions that only raise, places that nobody wrote in.

The modules are read and not run.
"""

import ast
import json
from collections.abc import Collection
from pathlib import Path

from coursework.course.blank import PLACE, functions_of
from coursework.course.questions import load_questions
from coursework.profiles import ROOT


def missing_answers(notebook: Path, root: Path = ROOT) -> dict[str, str]:
    """Return what is not answered yet in the homework that a notebook's name begins with.

    Returns
    -------
    dict
        From the question, as a reader sees it, to what is missing, in words. A question with
        nothing missing is not in it.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8")).get("cells", [])
    written = {cell.get("id"): PLACE not in "".join(cell["source"]) for cell in cells}
    missing = {}
    for question in load_questions(root).values():
        if question.homework != notebook.stem.partition("_")[0]:
            continue
        parts = []
        for path, names in question.functions.items():
            answered = _written(root / path)
            parts += [f"`{name}`" for name in names if name not in answered]
        places = sum(not written.get(cell, False) for cell in question.prose)
        if places:
            parts.append("1 answer in words" if places == 1 else f"{places} answers in words")
        if parts:
            missing[question.label] = ", ".join(parts)
    return missing


def _written(path: Path) -> Collection[str]:
    """Return the functions of a module that do more than to raise ``NotImplementedError``."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    return {name for name, function in functions_of(tree.body) if not _only_raises(function)}


def _only_raises(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    last = function.body[-1]
    documented = ast.get_docstring(function) is not None
    raised = ast.unparse(last) if isinstance(last, ast.Raise) else ""
    return len(function.body) == 1 + documented and raised.startswith("raise NotImplementedError")
