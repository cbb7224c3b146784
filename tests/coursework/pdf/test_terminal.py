"""A stream is shown as a terminal would show it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursework.pdf.terminal import PALETTE, play


def shown(text):
    return ["".join(span.text for span in line) for line in play(text).lines]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a\nb\n", ["a", "b"]),
        ("a\n\nb", ["a", "", "b"]),
        ("a\r\nb", ["a", "b"]),
        ("50%\r100%", ["100%"]),
        ("100%\r5", ["500%"]),
        ("long line\r\x1b[Kshort", ["short"]),
        ("abc\b\bX", ["aXc"]),
        ("bar 1\nbar 2\x1b[A\rBAR", ["BAR 1", "bar 2"]),
        ("a\x1b[5Cb", ["a     b"]),
        ("abc\x1b[2K!", ["   !"]),
        ("a\tb", ["a       b"]),
        ("ab\x1b]0;window title\x07c", ["abc"]),
        ("\x1b[?25lhidden cursor\x1b[?25h", ["hidden cursor"]),
    ],
)
def test_what_stands_on_the_screen_at_the_end(text, lines):
    assert shown(text) == lines


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("31", f'fill: rgb("{PALETTE[1]}")'),
        ("91", f'fill: rgb("{PALETTE[9]}")'),
        ("1", 'weight: "bold"'),
        ("3", 'style: "italic"'),
        ("1;32", f'fill: rgb("{PALETTE[2]}"), weight: "bold"'),
        ("38;5;208", 'fill: rgb("#ff8700")'),
        ("38;5;244", 'fill: rgb("#808080")'),
        ("38;2;1;2;3", 'fill: rgb("#010203")'),
        ("38;5", ""),
        ("0", ""),
        ("31;39", ""),
    ],
)
def test_escape_sequences_become_styles(codes, style):
    (line,) = play(f"\x1b[{codes}mtext\x1b[0m").lines
    assert [(span.text, span.style) for span in line] == [("text", style)]


def test_background_underline_and_inverse():
    (line,) = play("\x1b[48;2;255;255;0my\x1b[0;4mu\x1b[0;7mi\x1b[m").lines
    assert [(span.background, span.underline) for span in line] == [
        ('rgb("#ffff00")', False),
        ("", True),
        (f'rgb("{PALETTE[0]}")', False),
    ]


def test_control_characters_are_spelled_out_and_named():
    screen = play("a\x00b\x07\x7f\x9b\ufffe")
    assert ["".join(span.text for span in screen.lines[0])] == [r"a\x00b\x07\x7f\x9b\ufffe"]
    assert screen.spelled_out == (r"\x00", r"\x07", r"\x7f", r"\x9b", r"\ufffe")


@given(st.text(st.characters(codec="utf-8")))
def test_no_text_breaks_it_and_nothing_unprintable_is_left(text):
    for line in shown(text):
        assert all(ord(char) >= 32 and char != "\x7f" for char in line)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_plain_text_is_left_alone(text):
    assert shown(text) == [text]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("100%|████| 10/10 [00:03<00:00, 3.2it/s]", "100%|████| 10/10"),
        ("  0%|    | 0/10 [00:00<?, ?it/s]", "  0%|    | 0/10"),
        (" 50%|██  | 5/10 [1:00:03<1:00:00,  7.05s/it, loss=0.1]", " 50%|██  | 5/10 [loss=0.1]"),
        ("a: 100%|\x1b[32m████\x1b[0m| 9M/9M [00:06<00:00, 30.6MiB/s] b", "a: 100%|████| 9M/9M b"),
        ("5it [00:00, 74.32it/s]", "5it"),
        ("a: 50.0B [00:01, 1.2kB/s, x=3]", "a: 50.0B [x=3]"),
        ("9/9 ━━━━ 2s 13ms/step - loss: 0.4", "9/9 ━━━━ - loss: 0.4"),
        ("9/10 ━━━━ 1:02 3s/step", "9/10 ━━━━"),
        ("9/9 [====] - 2s 36us/sample - loss: 0.2", "9/9 [====] - loss: 0.2"),
        ("7/9 [==>.] - ETA: 0s - loss: 0.2", "7/9 [==>.] - loss: 0.2"),
        ("40.00% [4/10 00:05<00:07]", "40.00% [4/10]"),
        ("4/10 [a] - 2s 3ms/step", "4/10 [a] - 2s 3ms/step"),
        ("at 5 [10:30, Vienna]", "at 5 [10:30, Vienna]"),
        ("from [00:03<00:00, 3.2it/s] to", "from [00:03<00:00, 3.2it/s] to"),
        ("100%|████| 10/10 [12 rows]", "100%|████| 10/10 [12 rows]"),
    ],
)
def test_the_times_of_a_progress_bar_are_left_out(line, kept):
    assert shown(line) == [kept]
    assert shown(f"\x1b[1m{line}") == [kept]
