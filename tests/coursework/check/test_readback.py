"""Texts are compared by what a reader sees, in scripts of either direction."""

import pytest

from coursework.check.readback import holds_reordered, squeeze


def test_white_space_and_invisible_marks_do_not_count():
    assert squeeze("a b\n\tc\u200bd\u00ad") == "abcd"
    assert squeeze("ﬁrst ½") == squeeze("first 1⁄2")


@pytest.mark.parametrize(
    ("page", "text", "found"),
    [
        ("page of בן־גוריון דוד", "דוד בן־גוריון", True),
        ("page of דוד", "דוד בן־גוריון", False),
        ("page of ילע دمحم", "محمد", True),
        ("page of nobody", "محمد", False),
        ("reverse order", "order reverse", False),
    ],
)
def test_words_may_be_reordered_only_where_a_script_runs_from_the_right(page, text, found):
    assert holds_reordered(squeeze(page), text) is found
