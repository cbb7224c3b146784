"""Answers are taken out of a module, and every other character of it stays."""

import ast
import textwrap

import pytest

from coursework.course.blank import PLACE, answer_lines, blank_notebook, blank_source


def dedent(text):
    return textwrap.dedent(text).lstrip("\n")


CASES = {
    "signature, docstring, comments around": (
        '''
        X = {"a":1}   # not formatted


        # before
        @decorated( 1 )
        def f(
            x: int = 1,  # an argument
        ) -> int:
            """Return x.

            More.
            """
            # a hint
            y = x  # another

            return (
                y
            )

        # after
        Z = 2
        ''',
        '''
        X = {"a":1}   # not formatted


        # before
        @decorated( 1 )
        def f(
            x: int = 1,  # an argument
        ) -> int:
            """Return x.

            More.
            """
            raise NotImplementedError("Q: f")

        # after
        Z = 2
        ''',
        ["f"],
    ),
    "no docstring, comments above and below the code": (
        """
        def f(x):
            # a hint

            # and another
            return x
            # done

        g = 1
        """,
        """
        def f(x):
            raise NotImplementedError("Q: f")

        g = 1
        """,
        ["f"],
    ),
    "one line": (
        'def f(x: "größer"): return x; x  # done\ndef g(): """Say."""; return 1\n',
        'def f(x: "größer"): raise NotImplementedError("Q: f")\n'
        'def g(): """Say."""; raise NotImplementedError("Q: g")\n',
        ["f", "g"],
    ),
    "methods, a property with its setter, a class within a class": (
        """
        class A:
            @property
            def p(self):
                return 1

            @p.setter
            def p(self, value):
                self.q = value

            class B:
                async def m(self):
                    yield 1

            def m(self):
                return 2
        """,
        """
        class A:
            @property
            def p(self):
                raise NotImplementedError("Q: A.p")

            @p.setter
            def p(self, value):
                raise NotImplementedError("Q: A.p")

            class B:
                async def m(self):
                    raise NotImplementedError("Q: A.B.m")

            def m(self):
                return 2
        """,
        ["A.p", "A.B.m"],
    ),
    "under an if, with text that looks like code": (
        '''
        if True:
            def f():
                text = """
        def f():
            return 1
        # no comment
        """
                return text
        else:
            def f(): ...
        ''',
        """
        if True:
            def f():
                raise NotImplementedError("Q: f")
        else:
            def f(): raise NotImplementedError("Q: f")
        """,
        ["f"],
    ),
    "the notes of a docstring": (
        '''
        def f():
            """Return n.

            Notes
            -----
            Because of this.

            And that.

            Examples
            --------
            >>> f()
            """
            return 1

        def g():
            """Return n.

            Notes
            -----
            Because.
            """
            return 1
        ''',
        '''
        def f():
            """Return n.

            Examples
            --------
            >>> f()
            """
            raise NotImplementedError("Q: f")

        def g():
            """Return n.
            """
            raise NotImplementedError("Q: g")
        ''',
        ["f", "g"],
    ),
}


def blank(source, names):
    return blank_source(source, {name: f"Q: {name}" for name in names})


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("source", "expected", "names"), CASES.values(), ids=CASES)
def test_the_body_goes_and_the_rest_stays(source, expected, names, newline):
    source, expected = (dedent(text).replace("\n", newline) for text in (source, expected))
    assert blank(source, names) == expected


def test_a_separator_of_pages_is_no_end_of_a_line():
    """Python ends a line where str.splitlines ends more of them."""
    source = "a = '\x0c \u2028'\ndef f():\n\x0c    return 1\nb = 2"
    assert blank(source, ["f"]).splitlines()[-2:] == [
        '    raise NotImplementedError("Q: f")',
        "b = 2",
    ]


def test_a_message_may_hold_any_character():
    source = blank_source("def f():\n    return 1\n", {"f": 'Größe "α" \\ 1'})
    (function,) = ast.parse(source).body
    assert function.body[0].exc.args[0].value == 'Größe "α" \\ 1'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def g(): pass", "no function f; there are g"),
        ("f = lambda: 1", "no function f; there are none"),
        ('def f():\n    """Say."""\n', "f has a docstring and no body"),
        ('def f():\n    """Say.\n\n    Notes\n    -----\n    So."""\n    return 1\n', "own"),
    ],
)
def test_what_cannot_be_taken_out_is_said(source, message):
    with pytest.raises(ValueError, match=message):
        blank(source, ["f"])


def test_the_lines_of_an_answer_are_those_that_go():
    source = dedent(CASES["the notes of a docstring"][0])
    lines = answer_lines(source, ["f"])
    assert {"Because of this.", "And that.", "return 1"} <= set(lines)
    assert ">>> f()" not in lines


def test_a_cell_in_words_or_code_becomes_a_place_to_write_in():
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["why"]},
        {"cell_type": "code", "id": "b", "metadata": {}, "outputs": [], "source": ["say()"]},
        {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "source": ["f()"]},
    ]
    notebook = {"cells": cells, "metadata": {"x": 1}}
    found = blank_notebook(notebook, ["a", "b"])
    assert [(cell["cell_type"], cell["source"]) for cell in found["cells"]] == [
        ("markdown", [PLACE]),
        ("markdown", [PLACE]),
        ("code", ["f()"]),
    ]
    assert found["metadata"] == {"x": 1}
    assert notebook["cells"][0]["source"] == ["why"]
    with pytest.raises(ValueError, match="no cell 'd'; there are a, b, c"):
        blank_notebook(notebook, ["d"])
