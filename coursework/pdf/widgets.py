"""Progress bars of Jupyter widgets, whose last state is in the notebook's metadata."""

from html import unescape
from typing import Any

from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
_WIDTH = 10  # characters of a full bar, as tqdm draws it


def finish_progress_bars(notebook: NotebookNode) -> None:
    """Let the text of each tqdm widget say what the widget says in the end.

    The output of a widget holds only the text of its first moment, "0%"; its parts, a label, a bar
    and the counts, are in the metadata of the notebook where Jupyter saved them.
    """
    states = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            line = _line(states, data[VIEW]) if VIEW in data else ""
            if line:
                data["text/plain"] = line


def _line(states: dict[str, Any], view: dict[str, Any]) -> str:
    box = states.get(str(view.get("model_id", "")), {}).get("state", {})
    children = [str(child).removeprefix("IPY_MODEL_") for child in box.get("children", [])]
    widgets = [states.get(child, {}) for child in children]
    if not any(_is_bar(widget) for widget in widgets):
        return ""
    return "".join(map(_part, widgets))


def _is_bar(widget: dict[str, Any]) -> bool:
    return str(widget.get("model_name", "")).endswith("ProgressModel")


def _part(widget: dict[str, Any]) -> str:
    state = widget.get("state", {})
    value = state.get("value", "")
    if not _is_bar(widget):
        # Figure spaces keep a widget from breaking its lines.
        return unescape(str(value)).replace("\u2007", " ")
    try:
        share = float(value) / float(state.get("max") or 1)
    except (TypeError, ValueError):
        share = 0.0
    full = round(_WIDTH * min(1.0, max(0.0, share)))
    return "|" + "█" * full + " " * (_WIDTH - full) + "|"
