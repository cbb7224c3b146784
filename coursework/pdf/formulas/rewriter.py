r"""The machine that rewrites the TeX of a formula before pandoc reads it, so that nothing is lost.

Pandoc knows the symbols of TeX and most of its constructions. What pandoc gets wrong or refuses is
written here as Typst. In the TeX that pandoc reads, a private character stands for each such piece
of Typst, and pandoc passes it through: ``\!`` becomes one character, ``\textcolor{red}{x}`` becomes
x between two. The machine is given its rules: for each command, how it is rewritten.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from coursework.pdf.formulas.tex import (
    Macro,
    Tokens,
    UnreadableFormulaError,
    predefined_macros,
    read_argument,
    skip_spaces,
)
from coursework.pdf.typst import string

_FIRST = 0xE000  # the private use area: 6,400 characters that mean nothing
_MAX_DEPTH = 60  # groups within groups
_LONG_TEXT = 60  # letters

LINE_BREAK = "\\\n"
"""What starts a new line in Typst's formulas."""


@dataclass
class Page:
    """What the formulas of one document have defined so far, in their order."""

    macros: dict[str, Macro] = field(default_factory=predefined_macros)
    colors: dict[str, str] = field(default_factory=dict)  # as #rrggbb
    labels: dict[str, str] = field(default_factory=dict)  # for each, the number of its equation
    last_number: int = 0  # of an equation


@dataclass(frozen=True)
class Reference:
    """The number of a labelled equation, which may come later; ``pattern`` adds parentheses."""

    label: str
    pattern: str


@dataclass
class Rewriter:
    r"""One formula on its way to pandoc."""

    # For each command, what reads its arguments and returns what pandoc gets. An infix such as
    # \over is also given what stands before it in its group.
    rules: dict[str, "Rule"]
    infixes: dict[str, "Infix"]
    page: Page
    display: bool  # the formula has a line of its own
    tex: str = ""  # the whole formula, rewritten; empty if it only defines macros
    number: str = ""  # beside the whole formula; rows may have numbers of their own
    inserts: list[str | Reference] = field(default_factory=list)  # for each private character
    # Of the row that is being read: what the author writes as its number and its label, and
    # whether it gets the next number if it has no tag.
    tag: str = ""
    label: str = ""
    numbered: bool = False
    # Of the token that is being read: how much larger it is than the text around the formula, how
    # many groups are around it (1 outside of all braces), and whether it is the first.
    size: float = 1
    depth: int = 0
    at_start: bool = True

    def insert(self, piece: str | Reference) -> str:
        """Return the character that stands for a piece of Typst, or for a reference."""
        if piece not in self.inserts:
            self.inserts.append(piece)
        return chr(_FIRST + self.inserts.index(piece))

    def call(self, function: str, body: list[str]) -> list[str]:
        """Return tokens that give ``body`` to a function, such as ``"display("``, if there is one.

        An empty body stays empty: Typst refuses a function without an argument.
        """
        if not function or not "".join(body).strip():
            return body
        open_brackets = function.count("(") - function.count(")")
        return [self.insert(function), *body, self.insert(")" * open_brackets)]

    def text(self, text: str, function: str = "") -> list[str]:
        """Return tokens that show plain text, which a function such as ``bold`` may change."""
        # Lines may end between the words of a long text.
        words = [text] if len(text) <= _LONG_TEXT else re.split(r"(?<=\S) (?=\S)", text)
        shown = [f"{function}({string(word)})" if function else string(word) for word in words]
        return [self.insert(each + "#h(0.25em)") for each in shown[:-1]] + [self.insert(shown[-1])]

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
        last = 0  # where the last symbol or command begins
        while tokens:
            token = tokens.popleft()
            if token in self.infixes:
                done = self.infixes[token](self, done, tokens)
                continue
            if token in (r"\limits", r"\nolimits") and done[last:]:
                function = "limits(" if token == r"\limits" else "scripts("
                done[last:] = self.call(function, done[last:])
                continue
            if token != " ":
                last = len(done)
            if token == "{":
                tokens.appendleft(token)
                done += self.group(tokens)
            elif token in ("^", "_"):
                done += [token, *self.group(tokens)]
            elif token in self.rules:
                self.at_start = self.depth == 1 and not "".join(done).strip()
                done += self.rules[token](self, tokens)
            else:
                done.append(token)
        self.depth -= 1
        return done

    def take_number(self) -> str:
        """Return the number of the row that ends here, empty if it has none."""
        tag, name = self.tag, self.tag.strip("()")
        if not tag and self.numbered:
            self.page.last_number += 1
            name = str(self.page.last_number)
            tag = f"({name})"
        if tag and self.label:
            self.page.labels.setdefault(self.label, name)
        self.tag = self.label = ""
        return tag

    def unknown_labels(self) -> list[str]:
        """Return the labels to which the formula refers and which no equation has."""
        references = [piece for piece in self.inserts if isinstance(piece, Reference)]
        return [each.label for each in references if each.label not in self.page.labels]

    def put_back(self, typst: str) -> str:
        """Return what pandoc wrote, with the pieces of Typst in place of their characters."""

        def put_in(match: re.Match[str]) -> str:
            piece = self.inserts[ord(match[1]) - _FIRST]
            if isinstance(piece, Reference):
                number = self.page.labels.get(piece.label, "???")  # as MathJax writes it
                piece = string(piece.pattern.format(number))
            # Text brings its own spaces; Typst would set another where the source has one.
            return piece if piece.startswith('"') else f" {piece}{match[2]}"

        typst = re.sub(r"\s*([\ue000-\uf8ff])(\s*)", put_in, typst)
        # Left over where a label or an empty group stood.
        return re.sub(r"<[\w:.-]+>\s*$", "", typst.strip())


Rule = Callable[[Rewriter, Tokens], list[str]]
Infix = Callable[[Rewriter, list[str], Tokens], list[str]]


def show(typst: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    """Show a piece of Typst where pandoc writes something else, or refuses."""
    return [rewriter.insert(typst)]


def wrap(function: str, rewriter: Rewriter, tokens: Tokens) -> list[str]:
    """Give the argument to a function of Typst, if there is one."""
    return rewriter.call(function, rewriter.argument(tokens))
