r"""The letters, digits and signs that a formula must show, read from its TeX.

A page that names a formula may still draw another one. What is drawn is therefore held against the
symbols that the TeX names. Spaces and brackets with corners are left out: they have many forms.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|%[^\n]*|\s+|.", re.DOTALL)

SIGNS = {
    "infty": "∞", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "coprod": "∐", "int": "∫",
    "iint": "∬", "iiint": "∭", "oint": "∮", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂",
    "supset": "⊃", "subseteq": "⊆", "supseteq": "⊇", "cup": "∪", "cap": "∩",
    "forall": "∀", "exists": "∃", "neg": "¬", "lnot": "¬", "land": "∧",
    "wedge": "∧", "lor": "∨", "vee": "∨", "times": "×", "div": "÷", "pm": "±", "mp": "∓",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ll": "≪", "gg": "≫",
    "approx": "≈", "equiv": "≡", "sim": "∼", "simeq": "≃", "cong": "≅", "propto": "∝",
    "to": "→", "rightarrow": "→", "gets": "←", "leftarrow": "←", "leftrightarrow": "↔",
    "Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "mapsto": "↦",
    "oplus": "⊕", "otimes": "⊗", "odot": "⊙", "circ": "∘", "perp": "⊥",
    "triangleq": "≜", "aleph": "\u05d0", "top": "⊤", "lt": "<", "gt": ">", "square": "□",
}  # fmt: skip
for _code in (*range(0x391, 0x3AA), *range(0x3B1, 0x3CA)):
    if unicodedata.category(chr(_code))[0] == "L":
        _words = unicodedata.name(chr(_code)).replace("LAMDA", "LAMBDA").split()
        _name = _words[3].lower()
        SIGNS[_name.title() if _words[1] == "CAPITAL" else _name] = chr(_code)
# The other forms of these letters fold to them.
SIGNS.update({f"var{name}": SIGNS[name] for name in ("epsilon", "theta", "pi", "rho", "phi")})
UNARY = {
    "mathbf", "mathrm", "mathit", "mathsf", "mathcal", "mathbb", "boldsymbol", "bm", "hat", "bar",
    "vec", "tilde", "dot", "ddot", "widehat", "widetilde", "overline", "underline",
}  # fmt: skip
"""Commands that change the look of one argument and not its place."""
_FUNCTIONS = {
    "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim",
    "exp", "gcd", "hom", "inf", "ker", "lg", "lim", "ln", "log", "max", "min", "Pr", "sec", "sin",
    "sinh", "sup", "tan", "tanh",
}  # fmt: skip
# Marks on letters, and what typesetters without tags draw in many ways.
OTHERS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "dot": "\u0307",
    "ddot": "\u0308", "vec": "\u20d7", "sqrt": "√", "cdot": "⋅", "prime": "′",
}  # fmt: skip
# How many arguments of a command are not drawn.
_UNDRAWN = {
    "label": 1, "tag": 1, "tag*": 1, "ref": 1, "eqref": 1, "color": 1, "textcolor": 1, "hspace": 1,
    "hspace*": 1, "vspace": 1, "vspace*": 1, "phantom": 1, "hphantom": 1, "vphantom": 1, "class": 1,
    "cssId": 1, "style": 1, "href": 1, "require": 1, "end": 1, "bbox": 0, "raise": 1, "lower": 1,
    "mathchoice": 4, "genfrac": 4, "colorbox": 1, "smash": 0, "unicode": 1, "rule": 2,
    "mspace": 1, "fcolorbox": 2, "enclose": 1, "uproot": 1, "leftroot": 1,
}  # fmt: skip
# Commands that draw nothing.
_SPACES = {*" ,:;!>", "quad", "qquad", "enspace", "enskip", "thinspace", "medspace", "thickspace",
           "negthinspace", "space", "nobreakspace", "hfill", "displaystyle", "textstyle",
           "strut", "mathstrut", "null"}  # fmt: skip
# In a formula of chemistry, signs are arrows and bonds.
_CHEMISTRY = re.compile(r"(\\ce\s*)(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})")
_CHEMISTRY_SIGNS = re.compile(r"[-+=<>!]|(?<=\s)v(?=[\s}])")
# An arrow of a commutative diagram is written with its head three times, with labels in between.
_ARROW = re.compile(r"@([<>AV()])(.*?)\1(.*?)\1|@[=|.]", re.DOTALL)
_DIMENSION = re.compile(r"\\[a-z]*(?:kern|skip|raise|lower|above)\s*-?[\d.]+\s*[a-z]{2}")
_DEFINED = re.compile(
    r"\\(?:(?:re|provide)?newcommand|providecommand|DeclareMathOperator)\*?\s*\{?\s*\\([A-Za-z]+)"
    r"|\\def\s*\\([A-Za-z]+)"
)
DEFINITIONS = ("newcommand", "renewcommand", "providecommand", "def", "DeclareMathOperator")
_ENDS = {"{": "}", "[": "]"}


@dataclass
class Shown:
    """What a formula shows."""

    symbols: Counter[str] = field(default_factory=Counter)
    """How often each letter, digit and sign must be drawn, folded."""
    visible: bool = False
    """Whether it shows any sign; it may hold only definitions, or a rule, which has no tag."""


def tokens_of(tex: str, spaces: bool = False) -> list[str]:
    """Split TeX into commands and characters; comments and lengths are left out."""
    found = _TOKEN.findall(_DIMENSION.sub("", tex))
    return [token for token in found if token[0] != "%" and (spaces or not token.isspace())]


def defined_names(texts: Iterable[str]) -> set[str]:
    """Return the commands to which formulas give a meaning of their own."""
    return {name for tex in texts for names in _DEFINED.findall(tex) for name in names if name}


def read_tex(tex: str, defined: Container[str] = ()) -> Shown:
    """List what the TeX of a formula shows, apart from commands that are defined elsewhere."""
    shown = Shown()
    if not re.search(r"\\(text|mbox|hbox|operatorname|mathrm)", tex):
        tex = tex.replace("'", r"\prime ")  # and no apostrophe
    tex = _CHEMISTRY.sub(lambda match: match[1] + _CHEMISTRY_SIGNS.sub(" ", match[2]), tex)
    if r"\begin{CD}" in tex:
        tex = _ARROW.sub(r"{\2}{\3}", tex)
    tokens = tokens_of(tex, spaces=True)
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        name = token[1:]
        if not token.startswith("\\"):
            _add(shown, token)
        elif name in ("begin", *DEFINITIONS):
            position = _skip_definition(tokens, position, name)
        elif name == "\\" or name in _UNDRAWN:
            position = _skip_optional(tokens, position)
            for _ in range(_UNDRAWN.get(name, 0)):
                position = _skip_argument(tokens, position)
        elif name not in _SPACES:
            if name == "cfrac":
                position = _skip_optional(tokens, position)
            shown.visible = True
            named = name if name in _FUNCTIONS else SIGNS.get(name) or OTHERS.get(name, "")
            shown.symbols.update("" if name in defined else named)
    return shown


def drawn_otherwise(tex: str, glyphs: str, has_bars: bool, beside: bool) -> str:
    """Say how what is drawn differs in shape from what the TeX means; empty if it does not."""
    if "\\" in glyphs and not re.search(r"\\(backslash|setminus|textbackslash|verb|\\)", tex):
        return "a command in it is shown as TeX"
    if beside:
        return "a brace or an arc stands beside its letters"
    plain = not re.search(r"[()\[\]|]|\\[{}|]|\\[a-zA-Z]", tex.replace(r"\atop", ""))
    if plain and set(glyphs) & set("()[]"):
        return "it is drawn with brackets that it does not have"
    barless = re.search(r"\\(atop|brack|brace|choose|binom)\b|\\genfrac.*?\{0(pt|em)?\}", tex)
    others = re.search(
        r"\\([dtc]?frac|over|sqrt|(over|under)line|bar|hline|rule|cancel|boxed)\b", tex
    )
    if barless and not others and has_bars:
        return "it is drawn with a bar that it does not have"
    if re.search(r"\\left\s*[^.\s\w]", tex) and not re.search(r"[^\w=+\-*/,.;:]", glyphs):
        return "its brackets are not drawn"
    return ""


def _add(shown: Shown, token: str) -> None:
    if token.isspace() or token in "{}^_&~$":
        return
    shown.visible = True
    folded = unicodedata.normalize("NFKD", token)
    if folded.isalnum() or folded in "+-=<>!()/":
        shown.symbols.update(folded)


def _skip_definition(tokens: list[str], position: int, name: str) -> int:
    """Pass over the name of an environment and its columns, or over a whole definition."""
    if name == "begin":
        start = position
        position = _skip_argument(tokens, position)
        environment = "".join(tokens[start:position]).strip(" {}*")
        if environment in ("array", "subarray", "alignat", "alignedat", "tabular"):
            position = _skip_argument(tokens, _skip_optional(tokens, position))
        elif re.match(r"\[[tbclr]\]", "".join(tokens[position : position + 3])):
            position += 3  # where it stands beside its line, or how its columns are aligned
        return position
    while position < len(tokens) and tokens[position] != "{":
        position += 1
    position = _skip_argument(tokens, position)
    if name != "def":
        position = _skip_argument(tokens, _skip_optional(tokens, position))
    return position


def _skip_optional(tokens: list[str], position: int) -> int:
    while position < len(tokens) and tokens[position].isspace():
        position += 1
    while position < len(tokens) and tokens[position] == "[":
        position = _skip_argument(tokens, position)
    return position


def _skip_argument(tokens: list[str], position: int) -> int:
    """Pass over one argument: a group, or a single token."""
    while position < len(tokens) and tokens[position].isspace():
        position += 1
    if position >= len(tokens) or tokens[position] not in _ENDS:
        return position + 1
    start, end = tokens[position], _ENDS[tokens[position]]
    depth = 0
    while position < len(tokens):
        depth += (tokens[position] == start) - (tokens[position] == end)
        position += 1
        if depth == 0:
            break
    return position
