"""The check: a PDF is read back and held against its notebook."""

from coursework.check.compare import check_pdf
from coursework.check.finding import Finding

__all__ = ["Finding", "check_pdf"]
