"""The hand-in shows the code it calls."""

from coursework.display import show_source


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
