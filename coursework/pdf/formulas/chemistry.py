r"""Formulas of chemistry, ``\ce{2H2 + O2 -> 2H2O}``, as TeX."""

import re

_ARROWS = {
    "->": r"\xrightarrow", "<-": r"\xleftarrow", "<->": r"\xleftrightarrow",
    "<-->": r"\xleftrightarrow", "<=>": r"\xrightleftharpoons", "<=>>": r"\xrightleftharpoons",
    "<<=>": r"\xrightleftharpoons",
}  # fmt: skip
_PIECE = re.compile(
    r"""(?P<arrow><-->|<->|<=>>|<<=>|<=>|->|<-)(?:\[(?P<above>[^\]]*)\])?(?:\[(?P<below>[^\]]*)\])?
    |(?P<math>\$[^$]*\$)
    |(?P<command>\\[A-Za-z]+\s?)
    |(?P<script>[\^_])(?:\{(?P<group>[^{}]*)\}|(?P<one>[A-Za-z.*']|\d*[+-]?))
    |(?P<charge>(?<=[A-Za-z\d)\]}])[+-]+(?=\s|$|\)|\]))
    |(?P<count>(?<=[A-Za-z)\]}])\d+)
    |(?P<state>\((?:aq|s|l|g)\))
    |(?P<letters>[A-Za-z]+)
    |(?P<space>\s+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_OTHERS = {"-": "-", "=": "=", "#": r"\equiv ", "*": r"\cdot ", ".": r"\cdot ", "+": "+"}


def formula_of_chemistry(source: str) -> str:
    r"""Return TeX for what stands in ``\ce{...}``."""
    done = ""
    for match in _PIECE.finditer(source):
        piece = match[0]
        if match["arrow"]:
            above, below = (formula_of_chemistry(match[key] or "") for key in ("above", "below"))
            done += rf"\;{_ARROWS[match['arrow']]}[{below}]{{{above or chr(92) + 'quad'}}}\;"
        elif match["math"]:
            done += "{" + piece[1:-1] + "}"
        elif match["script"]:
            inner = match["group"] if match["group"] is not None else match["one"]
            done += r"\uparrow " if not inner and piece == "^" else ""
            done += f"{piece[0]}{{\\mathrm{{{inner}}}}}" if inner else ""
        elif match["charge"]:
            done += f"^{{{piece}}}"
        elif match["count"]:
            done += f"_{{{piece}}}"
        elif match["state"] or match["letters"]:
            done += r"\downarrow " if piece == "v" else rf"\mathrm{{{piece}}}"
        elif match["space"]:
            done += r"\;"
        else:
            done += _OTHERS.get(piece, piece)
    return done
