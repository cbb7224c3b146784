"""The check: a PDF is read back and held against its notebook."""

from coursework.check.compare import Finding, check_pdf

__all__ = ["Finding", "check_pdf"]
