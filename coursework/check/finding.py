"""What the check says of a PDF: findings, each on one line."""

from dataclasses import dataclass

LOST, WARNING = "lost", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a PDF.

    Attributes
    ----------
    kind
        ``"placeholder"``, ``"identity"``, ``"run"``, ``"error"``, ``"heading"``, ``"text"``,
        ``"code"``, ``"output"``, ``"table"``, ``"formula"``, ``"tex"``, ``"figure"``,
        ``"glyph"``, ``"page"``, ``"file"``, ``"note"`` (a note stands for what no page can show),
        ``"copy"`` (on the page, but a copy of the text reads otherwise), ``"noise"`` (on the
        page, but not in the notebook) or ``"looks"`` (not as its author asked).
    message
        What is wrong, where, and where it helps, what to do.
    severity
        ``"lost"``: the PDF cannot be handed in; or ``"warning"``: it is to be looked at.
    """

    kind: str
    message: str
    severity: str = LOST

    def __str__(self) -> str:
        mark = "" if self.severity == LOST else " (warning)"
        return f"{self.kind}{mark}: {self.message}"


def shorten(text: str, most: int = 80) -> str:
    """Return a text on one line, cut to a readable length."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
