r"""The machine that rewrites the TeX of a formula before pandoc reads it, so that nothing is lost.

Pandoc knows the symbols of TeX and most of its constructions. What pandoc gets wrong or refuses is
written here as Typst. In the TeX that pandoc reads, a private character stands for each such piece
of Typst, and pandoc passes it through: ``\!`` becomes one character, ``\textcolor{red}{x}`` becomes
x between two. The machine is given its rules: for each command, how it is rewritten.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from coursework.pdf.formulas.tex import Tokens, UnreadableFormulaError, read_argument, skip_spaces
from coursework.pdf.typst import string

_FIRST = 0xE000  # the private use area: 6,400 characters that mean nothing
_MAX_DEPTH = 60  # groups within groups
_INFIX = {r"\over": r"\frac", r"\choose": r"\binom", r"\atop": r"\binom"}

LINE_BREAK = "\\\n"
"""What starts a new line in Typst's formulas."""


@dataclass
class Rewriter:
    """One formula on its way to pandoc.

    Attributes
    ----------
    rules
        For each command, the function that reads its arguments and returns what pandoc gets.
    tex
        The whole formula, rewritten; empty until the end, or if the formula only defines macros.
    inserts
        The Typst that stands for each private character.
    tag
        The number that the author gives to the formula, as plain text.
    tags_in_rows
        Whether rows have numbers of their own, which stand beside them.
    depth
        Groups around the token that is being read; 1 outside of all braces.
    at_start
        Whether the token that is being read is the first of the formula.
    """

    rules: dict[str, "Rule"]
    tex: str = ""
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
        """Return tokens that give ``body`` to a function, such as ``"display("``."""
        return [self.insert(function), *body, self.insert(")" * function.count("("))]

    def text(self, text: str, function: str = "") -> list[str]:
        """Return tokens that show plain text, which a function such as ``bold`` may change."""
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
        """Rewrite a whole group; ``tokens`` is empty afterwards."""
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
            elif token in _INFIX:
                # {a \over b}: everything before \over in the group is the upper part.
                upper, done = done, []
                lower = self.rewrite(tokens)
                done = [_INFIX[token], "{", *upper, "}", "{", *lower, "}"]
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

    def put_back(self, typst: str) -> str:
        """Return what pandoc wrote, with the pieces of Typst in place of their characters."""

        def put_in(match: re.Match[str]) -> str:
            piece = self.inserts[ord(match[1]) - _FIRST]
            # Text brings its own spaces; Typst would set another where the source has one.
            return piece if piece.startswith('"') else f" {piece}{match[2]}"

        typst = re.sub(r"\s*([\ue000-\uf8ff])(\s*)", put_in, typst)
        # Left over where a label or an empty group stood.
        return re.sub(r"<[\w:.-]+>\s*$", "", typst.strip())


Rule = Callable[[Rewriter, Tokens], list[str]]
