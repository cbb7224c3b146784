"""Long lines go on below, with a hanging indent, and nothing of them is lost."""

from hypothesis import given
from hypothesis import strategies as st

from coursework.pdf.lines import Span, split_lines, text_width, wrap, write_lines


def texts(line, columns):
    return [
        (hang, "".join(span.text for span in piece)) for hang, piece in wrap([Span(line)], columns)
    ]


def test_short_line_stays_as_it_is():
    assert texts("x = 1", 20) == [(0, "x = 1")]


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


def test_newlines_split_spans():
    lines = split_lines([Span("a\nb", "red"), Span("c\n")])
    assert lines == [[Span("a", "red")], [Span("b", "red"), Span("c")], []]


def test_middle_of_a_long_output_is_left_out_with_a_note():
    lines = [[Span(f"line {i}")] for i in range(25)]
    markup, dropped = write_lines(lines, 80, keep=10)
    assert dropped == 5
    assert "#omitted(5);" in markup
    assert '"line 9"' in markup
    assert '"line 10"' not in markup
    assert '"line 14"' not in markup
    assert '"line 15"' in markup


def test_output_just_short_enough_is_whole():
    markup, dropped = write_lines([[Span("x")]] * 20, 80, keep=10)
    assert (markup.count('"x"'), dropped) == (20, 0)
