"""Tables as a page shows them."""

import pandas as pd


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for reading: its first column names the rows, numbers have separators."""
    first = table.columns[0]
    # The name of the first column goes into the corner, not into a row of its own.
    named = table.set_index(first).rename_axis(index=None, columns=first)
    return named.map(lambda value: f"{value:,}" if isinstance(value, int) else value)
