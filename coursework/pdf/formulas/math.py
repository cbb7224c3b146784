r"""Formulas: TeX rewritten, before pandoc reads it, so that nothing is lost.

Pandoc knows TeX's symbols and most of its constructions. What it gets wrong or refuses is written
here as Typst, and stands in the TeX as a private character that pandoc passes through: ``\!`` is
one character, ``\textcolor{red}{x}`` is x between two. The rules are in `math_rules`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from coursework.pdf.formulas.tex import (
    Macro,
    Tokens,
    UnreadableFormulaError,
    expand,
    join,
    read_argument,
    skip_spaces,
    tokenize,
)
from coursework.pdf.typst import string

_FIRST = 0xE000  # the private use area: 6,400 characters that mean nothing
_MAX_DEPTH = 60  # groups within groups


@dataclass
class Rewriter:
    """One formula on its way to pandoc.

    Attributes
    ----------
    rules
        For each command, the function that reads its arguments and returns what pandoc gets.
    inserts
        The Typst that stands for each private character.
    tag
        The number that the author gives to the formula, as plain text.
    tags_in_rows
        Whether rows have numbers of their own, which stand beside them.
    depth
        Groups around the token that is being read, 1 for none.
    at_start
        Whether nothing stands before that token.
    """

    rules: dict[str, "Rule"]
    inserts: list[str] = field(default_factory=list)
    tag: str = ""
    tags_in_rows: bool = False
    depth: int = 0
    at_start: bool = True

    def insert(self, typst: str) -> str:
        """Return the character that stands for a piece of Typst."""
        if typst not in self.inserts:
            self.inserts.append(typst)
        return chr(_FIRST + self.inserts.index(typst))

    def call(self, function: str, body: list[str]) -> list[str]:
        """Return tokens that give ``body`` to a function, whose name comes with its bracket."""
        return [self.insert(function), *body, self.insert(")" * function.count("("))]

    def text(self, text: str, function: str = "") -> list[str]:
        """Return tokens that show plain text."""
        literal = string(text)
        return [self.insert(f"{function}({literal})" if function else literal)]

    def argument(self, tokens: Tokens) -> list[str]:
        r"""Take an argument and return it rewritten; ``x_\text{a}`` needs no braces."""
        skip_spaces(tokens)
        if tokens and tokens[0] in self.rules:
            return self.rules[tokens.popleft()](self, tokens)
        return self.rewrite(read_argument(tokens))

    def group(self, tokens: Tokens) -> list[str]:
        """Take an argument and return it rewritten, in braces."""
        return ["{", *self.argument(tokens), "}"]

    def rewrite(self, tokens: Tokens) -> list[str]:
        """Rewrite a whole group; ``tokens`` is used up."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise UnreadableFormulaError("nested too deeply")
        done: list[str] = []
        while tokens:
            token = tokens.popleft()
            if token == "{":
                tokens.appendleft(token)
                done += self.group(tokens)
            elif token in ("^", "_"):
                done += [token, *self.group(tokens)]
            elif token in INFIX:
                # {a \over b}: everything before it in the group is the upper part.
                upper, done = done, []
                lower = self.rewrite(tokens)
                done = [INFIX[token], "{", *upper, "}", "{", *lower, "}"]
            elif token in (r"\limits", r"\nolimits") and done:
                function = "limits(" if token == r"\limits" else "scripts("
                done += self.call(function, [done.pop()])
            elif token in self.rules:
                self.at_start = self.depth == 1 and not "".join(done).strip()
                done += self.rules[token](self, tokens)
            else:
                done.append(token)
        self.depth -= 1
        return done


Rule = Callable[[Rewriter, Tokens], list[str]]

LINE_BREAK = "\\\n"
"""What starts a new line in Typst's formulas."""

INFIX = {r"\over": r"\frac", r"\choose": r"\binom", r"\atop": r"\binom"}


@dataclass(frozen=True)
class Rewritten:
    """A formula as pandoc gets it, and what to put in once it is Typst."""

    tex: str
    inserts: tuple[str, ...]
    tag: str

    def finish(self, typst: str) -> str:
        """Return Typst's notation for what pandoc wrote."""

        def put_in(match: re.Match[str]) -> str:
            typst = self.inserts[ord(match[1]) - _FIRST]
            # Text brings its own spaces; Typst would set another where the source has one.
            return typst if typst.startswith('"') else f" {typst}{match[2]}"

        typst = re.sub(r"\s*([\ue000-\uf8ff])(\s*)", put_in, typst)
        # Left over where a label or an empty group stood.
        return re.sub(r"<[\w:.-]+>\s*$", "", typst.strip())


def rewrite(tex: str, macros: dict[str, Macro]) -> Rewritten:
    """Rewrite a formula for pandoc.

    Parameters
    ----------
    tex
        Without dollars.
    macros
        Those of the page so far; definitions in this formula are added.

    Raises
    ------
    UnreadableFormulaError
        If a bracket or an argument is missing, or it is nested too deeply.
    """
    from coursework.pdf.formulas.math_rules import RULES

    tex = re.sub("[\ue000-\uf8ff]", "", tex)
    tokens = expand(tokenize(tex), macros)
    skip_spaces(tokens)
    rewriter = Rewriter(RULES)
    try:
        body = join(rewriter.rewrite(tokens)).strip()
    except RecursionError:
        raise UnreadableFormulaError("nested too deeply") from None
    return Rewritten(body, tuple(rewriter.inserts), rewriter.tag)
