"""What a page shows is what ran: every function given to `show_source` is entered by its notebook.

Each notebook runs once, on small settings, in a process of its own whose every call is recorded.
"""

import json
import subprocess
import sys

import pytest

from coursework.profiles import ROOT

SMALL = {
    "hw3_dnn": {
        "feature_image_size": 32,
        "softmax_epochs": 2,
        "sweep_learning_rates": [0.01],
        "sweep_batch_sizes": [512],
    },
    "hw4_cnn": {
        "flowers_image_size": 32,
        "flowers_epochs": 1,
        "flowers_search_epochs": 1,
        "flowers_learning_rates": [0.01],
        "imbalanced_epochs": 2,
    },
}

PAGES = {"hw3_dnn": 4, "hw4_cnn": 5}
"""Pages that the shown source may take at most, of some 55 lines each."""

RECORD = """
import inspect, json, sys, threading
import joblib
import nbformat
from IPython.core.interactiveshell import InteractiveShell
from coursework import display

notebook, overrides = sys.argv[1], json.loads(sys.argv[2])
entered, shown, lines = set(), {}, 0

def record(frame, event, argument):
    if event == "call":
        entered.add(frame.f_code)

def functions(thing):
    # A class is shown with all of its methods, a decorated function as what it wraps.
    if not inspect.isclass(thing):
        return [inspect.unwrap(getattr(thing, "fget", thing))]
    parts = [getattr(part, "__func__", part) for part in vars(thing).values()]
    parts = [getattr(part, "fget", part) for part in parts]
    own = [inspect.unwrap(part) for part in parts if inspect.isfunction(part)]
    # What a dataclass adds has no source of its own.
    return [part for part in own if part.__code__.co_filename == inspect.getfile(thing)]

show = display.show_source

def show_source(*things):
    for function in (function for thing in things for function in functions(thing)):
        shown[f"{function.__module__}.{function.__qualname__}"] = function.__code__
    global lines
    block = show(*things)
    lines += len(block.data.splitlines()) - 2
    return block

display.show_source = show_source
shell = InteractiveShell.instance()
threading.setprofile(record)
sys.setprofile(record)
# Another process would not be recorded.
joblib.parallel_config(backend="sequential")
for cell in nbformat.read(notebook, as_version=4).cells:
    if cell.cell_type == "code":
        # The magics only choose how figures are embedded.
        source = "\\n".join(line for line in cell.source.splitlines() if line[:1] != "%")
        if "parameters" in cell.metadata.get("tags", []):
            source += f"\\noverrides = {overrides!r}"
        shell.run_cell(source, silent=True).raise_error()
sys.setprofile(None)
never = sorted(name for name, code in shown.items() if code not in entered)
print("RESULT", json.dumps({"shown": sorted(shown), "never": never, "lines": lines}))
"""


@pytest.mark.parametrize("name", SMALL)
def test_every_function_on_the_page_is_entered_when_the_notebook_runs(name, tmp_path):
    overrides = SMALL[name] | {"build_root": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", RECORD, ROOT / "notebooks" / f"{name}.ipynb", json.dumps(overrides)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    (found,) = [line for line in result.stdout.splitlines() if line.startswith("RESULT ")]
    found = json.loads(found.removeprefix("RESULT "))
    assert len(found["shown"]) >= 10
    assert found["never"] == []
    assert found["lines"] <= 55 * PAGES[name]


def test_every_notebook_is_recorded():
    assert SMALL.keys() == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
