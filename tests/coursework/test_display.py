"""The hand-in shows the code it calls."""

import nbformat

from coursework.display import Headline, headline_figures, show_source


def documented(x):
    """Add one.

    Parameters
    ----------
    x
        A number.
    """

    def inner(y):
        """Return y ```as it is```."""
        return y

    return inner(x) + 1  # kept


class Counter:
    """Count.

    Slowly.
    """

    steps: "tuple[int, ...]" = ()


def test_code_is_shown_with_the_first_line_of_each_docstring():
    shown = show_source(documented, Counter).data
    assert (
        shown
        == '''~~~~python
def documented(x):
    """Add one."""

    def inner(y):
        """Return y ```as it is```."""
        return y

    return inner(x) + 1  # kept


class Counter:
    """Count."""

    steps: "tuple[int, ...]" = ()
~~~~'''
    )


def noted(x):
    """Add one."""
    return x + 1  # type: ignore[no-untyped-call, operator]  # kept


def test_notes_to_the_type_checker_are_not_shown():
    assert show_source(noted).data.splitlines()[-2] == "    return x + 1  # kept"


def test_two_headlines_are_one_in_their_order():
    both = Headline({"b": 1, "c": 2}) | Headline({"a": 3})
    assert list(both.figures.items()) == [("b", 1), ("c", 2), ("a", 3)]


def test_a_headline_is_a_table_to_see_and_data_to_collect():
    headline = Headline({"accuracy": 0.12345, "images": 5000, "network": "resnet50"})
    bundle = headline._repr_mimebundle_()
    assert bundle["text/markdown"].splitlines()[2:] == [
        "| accuracy | 0.1235 |",
        "| images | 5,000 |",
        "| network | resnet50 |",
    ]
    output = nbformat.v4.new_output("display_data", bundle)
    cells = [
        nbformat.v4.new_markdown_cell("text"),
        nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("stream", text="0.5")]),
        nbformat.v4.new_code_cell("y", outputs=[output]),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert headline_figures(notebook) == headline.figures
