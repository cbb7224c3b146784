"""From an executed notebook to a PDF, with pip packages alone."""

from coursework.pdf.exporter import ExportReport, TypstPDFExporter, export_pdf
from coursework.pdf.typst import PdfToolError

__all__ = ["ExportReport", "PdfToolError", "TypstPDFExporter", "export_pdf"]
