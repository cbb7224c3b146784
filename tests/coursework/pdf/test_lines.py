"""Code in colour and long lines broken, and not one character of them changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursework.pdf.lines import Span, highlight, text_width, wrap


def texts(line, columns):
    return [
        (hang, "".join(span.text for span in piece)) for hang, piece in wrap([Span(line)], columns)
    ]


def test_long_line_breaks_after_a_space_and_hangs_below_its_own_indent():
    assert texts("    f(alpha, beta, gamma, delta)", 24) == [
        (0, "    f(alpha, beta, "),
        (8, "gamma, delta)"),
    ]


def test_word_without_a_space_breaks_anywhere():
    pieces = texts("w" * 50, 20)
    assert [len(text) for _, text in pieces] == [20, 16, 14]


def test_wide_characters_count_twice_and_marks_not_at_all():
    assert text_width("深度") == 4
    assert text_width("🚀") == 2
    assert text_width("e\u0301") == 1
    assert [text for _, text in texts("深" * 12, 20)] == ["深" * 10, "深" * 2]


def test_colours_survive_a_break():
    line = [Span("aaaa ", "red"), Span("bbbb", "blue")]
    assert [piece for _, piece in wrap(line, 7)] == [[line[0]], [line[1]]]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n")), st.integers(10, 120))
def test_wrapping_loses_no_character_and_keeps_the_width(text, columns):
    pieces = texts(text, columns)
    assert "".join(piece for _, piece in pieces) == text
    assert all(hang + text_width(piece) <= columns for hang, piece in pieces)


def test_no_line_is_the_indent_alone():
    (_, first), (_, second) = texts(" " * 70 + "Imputer(strategy='median')),", 90)
    assert first.lstrip() + second == "Imputer(strategy='median')),"
    assert first.strip()


def text(lines):
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_keywords_strings_numbers_and_comments_differ():
    (line,) = highlight("return 'a' + 1  # why", "python")
    styles = {span.text: span.style for span in line if span.text.strip()}
    assert "ink.keyword" in styles["return"]
    assert any("ink.string" in style for text, style in styles.items() if "a" in text)
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
