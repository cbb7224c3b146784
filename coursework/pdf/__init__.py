"""From an executed notebook to a PDF, with pip packages alone."""
