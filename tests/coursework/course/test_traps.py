"""The known mistakes are changes of the answers as they are now."""

import ast

import pytest

from coursework.course.questions import load_questions
from coursework.profiles import ROOT
from tests.coursework.course import traps


@pytest.mark.parametrize("kind", ["TRAPS", "HOSTILE"])
def test_each_mistake_is_a_change_of_an_answer(kind):
    """Grading them shows that each is caught; that takes minutes, see CONTRIBUTING.md."""
    questions = load_questions()
    seen = set()
    for trap in getattr(traps, kind):
        source = (ROOT / trap.path).read_text(encoding="utf-8")
        changed = trap.applied(source)
        ast.parse(changed)
        assert changed != source
        assert (trap.question, trap.name) not in seen, trap.name
        seen.add((trap.question, trap.name))
        module = trap.path.removesuffix(".py").replace("/", ".")
        assert any(a.startswith(f"{module}:") for a in questions[trap.question].answers), trap.name
    assert {trap.question for trap in traps.TRAPS} == questions.keys()
