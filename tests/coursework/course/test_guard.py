"""What a stranger changes in the libraries that he is tested with is noticed, and put back."""

import sys
import types

import numpy as np
import numpy.testing
import pytest

from coursework.course.guard import Guard, libraries_of

GUARD = Guard(["numpy.testing"])
"""Made here, and not within a test, during which pytest itself replaces functions of its own."""


def replace_a_function(patch):
    patch.setattr(np.testing, "assert_allclose", print)


def replace_code(patch):
    patch.setattr(np.testing.assert_equal, "__code__", (lambda *a, **k: None).__code__)


def replace_defaults(patch):
    patch.setattr(np.testing.assert_equal, "__defaults__", ("", True, True))


def replace_a_method(patch):
    patch.setattr(pytest.RaisesExc, "__exit__", lambda *a: True)


def hide_an_attribute(patch):
    pytest.RaisesExc.matched = property(lambda self: True)


def replace_a_module(patch):
    patch.setitem(sys.modules, "numpy.testing", types.ModuleType("numpy.testing"))


@pytest.mark.parametrize(
    "change",
    [
        replace_a_function,
        replace_code,
        replace_defaults,
        replace_a_method,
        hide_an_attribute,
        replace_a_module,
    ],
)
def test_a_change_is_named_and_put_back(change):
    with pytest.MonkeyPatch.context() as patch:
        change(patch)
        assert any(name.startswith(("numpy.testing", "Raises")) for name in GUARD.mend())
        assert not any(name.startswith(("numpy.testing", "Raises")) for name in GUARD.changed())
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(1, 2)


def test_the_libraries_of_tests_are_what_they_import_and_what_they_ask_for(tmp_path):
    file = tmp_path / "test_some.py"
    lines = ["import a.b", "from c import d", "import n as m", "from mine import f", "m.t.u(f.g)"]
    file.write_text("\n".join(lines))
    assert set(libraries_of([file], without=["mine"])) == {"a.b", "c", "c.d", "n", "n.t"}
