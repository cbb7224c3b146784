"""Code in colour, and not one character of it changed."""

import pytest
from coursework.pdf.highlight import highlight
from hypothesis import given
from hypothesis import strategies as st


def text(lines):
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_keywords_strings_numbers_and_comments_differ():
    (line,) = highlight("return 'a' + 1  # why", "python")
    styles = {span.text: span.style for span in line if span.text.strip()}
    assert "ink.keyword" in styles["return"]
    assert "ink.string" in styles["a"] if "a" in styles else "ink.string" in styles["'"]
    assert "ink.number" in styles["1"]
    assert "ink.comment" in styles["# why"]


@pytest.mark.parametrize("language", ["no such language", ""])
def test_an_unknown_language_stays_black(language):
    assert all(span.style == "" for line in highlight("if x", language) for span in line)


def test_magics_and_shell_lines_of_ipython_are_kept():
    source = "%matplotlib inline\n!ls -l\nx?\n%%time"
    assert text(highlight(source, "ipython3")) == source


def test_blank_lines_at_the_start_are_kept():
    assert text(highlight("\n\nx", "python")) == "\n\nx"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=80))
def test_no_character_is_lost(source):
    assert text(highlight(source, "python")).rstrip("\n") == source.rstrip("\n")
