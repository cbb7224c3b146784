"""Compute again what a hand-in claims: ``python -m coursework.course.claims NOTEBOOK N``.

Some cells of the course's notebook give figures within seconds. The table
``[tool.coursework.figures.HOMEWORK]`` names them: ``cells`` run one after another, and
``figures`` is an expression for the `coursework.display.Headline` that they end in. The grader runs
this program in a box, with the answers of a student; it reads the fields of the profile as JSON on
its standard input, and writes the figures as JSON to the open file N.
"""

import json
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from coursework.profiles import PATH_FIELDS, Profile

_TOLERANCE = 0.01
"""Of an accuracy: training rounds otherwise on another machine, and a few samples move."""


def figures_table(root: Path, homework: str) -> dict[str, Any] | None:
    """Return the cells and the expression of a homework, if it has figures that take seconds."""
    content = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    table: dict[str, Any] | None = content["tool"]["coursework"].get("figures", {}).get(homework)
    return table


def settings_of(profile: object) -> dict[str, Any]:
    """Return what a manifest says of its profile, but for paths, which are another machine's."""
    found = profile if isinstance(profile, dict) else {}
    known = {field.name for field in fields(Profile)} - PATH_FIELDS - {"name"}
    return {name: value for name, value in found.items() if name in known}


def differences(claimed: Mapping[str, Any], computed: Mapping[str, float]) -> list[str]:
    """Return a line for each figure that is claimed and is not what the code gives."""
    lines = []
    for name, value in computed.items():
        if name not in claimed:
            continue
        claim = claimed[name]
        try:
            right = abs(float(claim) - value) <= _TOLERANCE
        except (TypeError, ValueError, OverflowError):
            right = False
        if not right:
            lines.append(f"claims {name} {claim!r}, its code gives {value:.4f}"[:200])
    return lines


def compute(root: Path, notebook: Path, overrides: Mapping[str, Any]) -> dict[str, float]:
    """Run the cells of a notebook that the table names, and return the figures."""
    table = figures_table(root, notebook.stem.partition("_")[0])
    assert table is not None
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in cells}
    names: dict[str, Any] = {"profile": "embedded", "overrides": dict(overrides)}
    for cell in table["cells"]:
        lines = [line for line in sources[cell].splitlines() if not line.startswith("%")]
        exec(compile("\n".join(lines), f"cell {cell}", "exec"), names)
    figures: dict[str, float] = eval(table["figures"], names).figures
    return figures


def main() -> None:
    """Compute the figures of one hand-in."""
    figures = compute(Path.cwd(), Path(sys.argv[1]), json.loads(sys.stdin.readline()))
    os.write(int(sys.argv[2]), json.dumps(figures).encode() + b"\n")


if __name__ == "__main__":
    main()
