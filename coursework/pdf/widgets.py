"""What widgets show, from the state that Jupyter saved in the notebook's metadata."""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Any

from nbformat import NotebookNode, from_dict

from coursework.pdf.notebook import as_dict, as_list, as_text, mend_output
from coursework.pdf.terminal import progress_bar, without_times

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

_MOST_OPENED = 100  # times that a box is shown: boxes of two boxes each would come 2^n times
_TEXT = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^()'"]"""
# How the text of an output writes a password: with its value.
_PASSWORD = re.compile(rf"\bPassword\((?:{_TEXT}|\((?:{_TEXT})*\))*\)?")
_FIELD = re.compile(r"(Text|Textarea|Combobox|(Bounded)?(Int|Float)Text)Model")

_Models = dict[str, dict[str, Any]]


def print_widgets(notebook: NotebookNode) -> None:
    """Put what each widget shows in the place of its view, as outputs that can be printed.

    A progress bar becomes the line of its last state: the output holds only the text of its first
    moment, "0%". What an ``Output`` widget has caught, texts and pictures come as they are. A
    control such as a slider stays a view, described by its name and its value.
    """
    models = as_dict(as_dict(notebook.metadata.get("widgets")).get(STATE)).get("state")
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [
                shown
                for output in cell.outputs
                for shown in _without_views(as_dict(models), output, (), Counter())
            ]


def _without_views(
    models: _Models, output: NotebookNode, path: tuple[str, ...], opened: Counter[str]
) -> list[NotebookNode]:
    """Return what is printed for an output that may be the view of a widget: never a password.

    The boxes and ``Output`` widgets of the ``path`` to it are not opened again: one may hold
    itself. ``opened`` counts how often each has been opened.
    """
    data = output.get("data", {})
    name = as_text(as_dict(data.get(VIEW)).get("model_id"))
    if VIEW in data and "text/plain" in data:
        data["text/plain"] = _PASSWORD.sub("Password()", as_text(data["text/plain"]))
    if VIEW not in data or not as_dict(models.get(name)):
        return [output]
    shown = list(_shown(models, name, path, opened))
    has_picture = any(form not in (VIEW, "text/plain") for form in data)
    if has_picture and all(VIEW in part.get("data", {}) for part in shown):
        return [output]
    return shown


def _shown(
    models: _Models, name: str, path: tuple[str, ...], opened: Counter[str]
) -> Iterator[NotebookNode]:
    """Yield what a widget shows; nothing if its state was not saved."""
    model = as_dict(models.get(name))
    if not model or name in path or opened[name] == _MOST_OPENED:
        return
    kind = as_text(model.get("model_name"))
    state = as_dict(model.get("state"))
    if kind == "OutputModel" or "children" in state:
        path = (*path, name)
        opened[name] += 1
    children = [
        as_text(child).removeprefix("IPY_MODEL_") for child in as_list(state.get("children"))
    ]
    value = state.get("value")
    bar = _progress(models, model, children)
    if bar:
        yield _output({"text/plain": bar})
    elif kind == "OutputModel":
        for output in map(mend_output, as_list(state.get("outputs"))):
            yield from _without_views(models, output, path, opened)
    elif "children" in state:
        titles = state.get("titles", state.get("_titles"))
        numbered = titles if isinstance(titles, dict) else dict(enumerate(as_list(titles)))
        for number, child in enumerate(children):
            title = as_text(numbered.get(number, numbered.get(str(number))))
            if title:
                yield _output({"text/plain": title})
            yield from _shown(models, child, path, opened)
    elif kind in ("HTMLModel", "HTMLMathModel"):
        yield _output({"text/html": as_text(value)})
    elif kind == "LabelModel":
        yield _output({"text/plain": as_text(value)})
    elif kind == "ImageModel":
        for buffer in map(as_dict, as_list(model.get("buffers"))):
            if buffer.get("path") == ["value"]:
                yield _output({"image/png": as_text(buffer.get("data"))})
    elif _FIELD.fullmatch(kind):
        yield _output({"text/plain": _described(state)})
    else:
        said = as_text(state.get("description")) if kind == "PasswordModel" else _described(state)
        described = f"{kind.removesuffix('Model')} {said}".strip()
        yield _output({VIEW: {}, "text/plain": described})


def _output(data: dict[str, Any]) -> NotebookNode:
    form = {"output_type": "display_data", "data": data, "metadata": {}}
    output: NotebookNode = from_dict(form)
    return output


def _described(state: dict[str, Any]) -> str:
    """Return the label of a control and its value, in words that say something by themselves."""
    options = as_list(state.get("_options_labels"))
    if options:  # the control knows the places of what is chosen
        places = state.get("index")
        chosen = places if isinstance(places, list) else [places]
        value: Any = [options[i] for i in chosen if isinstance(i, int) and i < len(options)]
    else:
        value = state.get("value")
    return f"{as_text(state.get('description'))} {_in_words(value)}".strip()


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_in_words, value)))
    if isinstance(value, dict):
        day: list[Any] = [value.get(key) for key in ("year", "month", "date")]
        time = [value.get(key) for key in ("hours", "minutes", "seconds")]
        written = []
        if all(isinstance(number, int) for number in day):
            written.append(f"{day[0]}-{day[1] + 1:02d}-{day[2]:02d}")  # months count from 0
        if all(isinstance(number, int) for number in time):
            written.append(":".join(f"{number:02d}" for number in time))
        return " ".join(written)
    return as_text(value) if isinstance(value, str | int | float) else ""


def _progress(models: _Models, model: dict[str, Any], children: list[str]) -> str:
    """Return the line that a progress bar shows, empty for any other widget."""
    parts = [model] if _is_bar(model) else [as_dict(models.get(child)) for child in children]
    if not any(map(_is_bar, parts)):
        return ""
    return without_times("".join(map(_bar_text, parts)))


def _is_bar(model: dict[str, Any]) -> bool:
    return as_text(model.get("model_name")).endswith("ProgressModel")


def _bar_text(model: dict[str, Any]) -> str:
    state = as_dict(model.get("state"))
    value = state.get("value", "")
    if not _is_bar(model):
        # tqdm writes figure spaces, at which a widget does not break its lines.
        return unescape(as_text(value)).replace("\u2007", " ")
    return progress_bar(value, state.get("max"))
