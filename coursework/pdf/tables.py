"""HTML tables: their grid, and the type size at which they fit the page."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bs4 import Tag

from coursework.pdf.css import alignment
from coursework.pdf.draft import Draft
from coursework.pdf.inline import LONG_WORD, dress, fill_of

PAGE_WIDTH = 481.0
"""Points between the margins of style.typ."""

SIZES = (9.5, 8.5, 7.5, 6.5)
"""Type sizes to try, in points; below the last, a table is split."""

BAR_WIDTH = 16
"""Characters that fit on a bar in a cell, as style.typ draws it."""

_LONGEST_HEADER = 1500  # characters
_CHARACTER = 0.52  # mean width of a digit or letter, in units of the type size, a little generous
_FRAME = 20.0  # points that the frame of an output takes
_PADDING = 9.0  # points left and right of a cell together, at full size


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its element and the place it takes."""

    tag: Tag
    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Grid:
    """A table with every cell in its place."""

    cells: list[Cell]  # in reading order
    columns: int
    header_rows: int  # at the top; they repeat on each page
    index_columns: int  # at the left; they name the rows


def read_grid(table: Tag) -> Grid:
    """Give each cell of an HTML table its row and column, as a browser does."""
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    # Markdown cannot write a table without a header, so authors leave the header empty.
    while len(rows) > 1 and not rows[0].get_text().strip() and not rows[0].find("img"):
        del rows[0]
    last = {id(row.parent): y for y, row in enumerate(rows)}
    taken: set[tuple[int, int]] = set()
    cells = []
    for y, row in enumerate(rows):
        # A cell ends with the head, the body or the foot that it stands in.
        room = last[id(row.parent)] + 1 - y
        x = 0
        for tag in row.find_all(["td", "th"], recursive=False):
            while (y, x) in taken:
                x += 1
            across, down = _span(tag, "colspan", 1000) or 1, _span(tag, "rowspan", room) or room
            # Typst has no cells above each other: a cell ends before one that is there already.
            free = (dx for dx in range(1, across) if (y, x + dx) in taken)
            across = next(free, across)
            taken.update((y + dy, x + dx) for dy in range(down) for dx in range(across))
            cells.append(Cell(tag, y, x, down, across))
            x += across
    cells = _without_empty_columns(cells)
    columns = max((cell.column + cell.columns for cell in cells), default=0)
    header = _header_rows(rows)
    if any(cell.row < header < cell.row + cell.rows for cell in cells):
        header = 0  # a cell of the header reaches below it, so the header cannot stand alone
    body = [cell for cell in cells if cell.row >= header]
    index = 0
    while index < columns - 1 and _all_headings(body, index):
        index += 1
    return Grid(cells, columns, header, index)


def _without_empty_columns(cells: list[Cell]) -> list[Cell]:
    """Drop the columns in which no cell starts: a ``colspan`` may ask for a thousand."""
    starts = sorted({cell.column for cell in cells})
    number = {column: i for i, column in enumerate(starts)}

    def width(cell: Cell) -> int:
        return sum(cell.column <= start < cell.column + cell.columns for start in starts)

    return [replace(cell, column=number[cell.column], columns=width(cell)) for cell in cells]


def fit(words: list[int], index_columns: int) -> tuple[float, list[list[int]]]:
    """Choose a type size in points, and the columns that stand side by side in each part.

    Parameters
    ----------
    words
        For each column, the length of its longest unbreakable word.
    index_columns
        How many columns each part repeats at its left.
    """
    for size in SIZES:
        if _width(words, size) <= PAGE_WIDTH:
            return size, [list(range(len(words)))]
    # Split at a size that reads well: the table goes on below instead of shrinking further.
    size = SIZES[2]
    index = list(range(index_columns))
    parts: list[list[int]] = [[]]
    for column in range(index_columns, len(words)):
        candidate = [*index, *parts[-1], column]
        if parts[-1] and _width([words[i] for i in candidate], size) > PAGE_WIDTH:
            parts.append([])
        parts[-1].append(column)
    return size, [index + part for part in parts]


def _width(words: list[int], size: float) -> float:
    return sum(_column_width(word, size) for word in words)


def _column_width(word: int, size: float) -> float:
    """Return the points that a column needs for its longest word."""
    return word * _CHARACTER * size + _PADDING * size / SIZES[0]


def _narrow_columns(words: list[int], size: float) -> list[str]:
    """Return the widths of columns whose texts must break into lines.

    Typst would give all of them the same room, even where a long word needs more.
    """
    widths = ["auto"] * len(words)
    room, others = PAGE_WIDTH - _FRAME, len(words)
    for column in sorted(range(len(words)), key=lambda column: -words[column]):
        width = _column_width(words[column], size)
        if width <= room / others:
            break
        widths[column] = f"{width:.1f}pt"
        room -= width
        others -= 1
    return widths


def _span(tag: Tag, name: str, limit: int) -> int:
    value = str(tag.get(name, "1")).strip()
    return min(int(value), limit) if value.isdecimal() else 1


def _header_rows(rows: list[Tag]) -> int:
    count = 0
    for row in rows[:-1]:
        in_head = row.parent is not None and row.parent.name == "thead"
        cells = row.find_all(["td", "th"], recursive=False)
        if not in_head and (count or not cells or any(cell.name == "td" for cell in cells)):
            break
        count += 1
    # The header repeats on each page, so it must leave room for other rows.
    height = sum(len(row.get_text()) for row in rows[:count])
    return count if height < _LONGEST_HEADER else 0


def _all_headings(body: list[Cell], column: int) -> bool:
    here = [cell for cell in body if cell.column == column]
    return bool(here) and all(cell.tag.name == "th" and cell.columns == 1 for cell in here)


def write_table(draft: Draft, table: Tag, title: str, write_cell: Callable[[Tag], str]) -> str:
    """Return the markup of an HTML table; one that is too wide goes on below itself.

    ``title`` is the markup of its caption; ``write_cell`` returns the markup of what is in a cell.
    """
    heading = [f"#table-title[{title}]"] if title else []
    grid = read_grid(table)
    if not grid.cells:
        return "".join(heading)
    bodies = {id(cell): _body(cell, write_cell(cell.tag)) for cell in grid.cells}
    fills = {id(cell): _background(draft, cell.tag) for cell in grid.cells}
    words = _longest_words(grid)
    size, parts = fit(words, grid.index_columns)
    is_inner = table.find_parent("table") is not None
    written = []
    for columns in parts:
        narrow = _narrow_columns([words[column] for column in columns], size)
        written.append(_part(grid, bodies, fills, columns, size, narrow, is_inner))
    if len(parts) > 1:
        draft.warn(f"a table of {grid.columns} columns is split into {len(parts)} parts")
    return "\n\n".join([*heading, *written])


def _body(cell: Cell, content: str) -> str:
    for part in _around(cell.tag)[:-1]:  # the table dresses itself
        content = content and dress(part, content)
    if _has_bar(cell.tag):
        content = f"#barred[{content}]"
    return f"#strong[{content}]" if cell.tag.name == "th" and content else content


def _has_bar(tag: Tag) -> bool:
    return "linear-gradient" in str(tag.get("style", ""))


def _background(draft: Draft, tag: Tag) -> str:
    """Return the colour or the bar behind a cell: its own, of its row, or of what holds its row."""
    return next(filter(None, (fill_of(draft, part) for part in _around(tag))), "")


def _around(cell: Tag) -> list[Tag]:
    """Return a cell, its row, what holds the row, and the table."""
    parts = [cell]
    while parts[-1].name != "table" and parts[-1].parent is not None:
        parts.append(parts[-1].parent)
    return parts


def _part(
    grid: Grid,
    bodies: dict[int, str],
    fills: dict[int, str],
    columns: list[int],
    size: float,
    narrow: list[str],
    is_inner: bool,
) -> str:
    head: list[str] = []
    body: list[str] = []
    for cell in grid.cells:
        shown = [c for c in range(cell.column, cell.column + cell.columns) if c in columns]
        if not shown:
            continue
        arguments = [f"x: {columns.index(shown[0])}, y: {cell.row}"]
        if len(shown) > 1:
            arguments.append(f"colspan: {len(shown)}")
        if cell.rows > 1:
            arguments.append(f"rowspan: {cell.rows}")
        align = alignment(cell.tag) or _default_alignment(cell, grid)
        arguments.append(f"align: {align}")
        if fills[id(cell)]:
            arguments.append(f"fill: {fills[id(cell)]}")
        target = head if cell.row < grid.header_rows else body
        target.append(f"table.cell({', '.join(arguments)})[{bodies[id(cell)]}]")
    header = f"({', '.join(head)},)" if head else "()"
    widths = f"narrow: ({', '.join(narrow)}), " if set(narrow) != {"auto"} else ""
    inner = "inner: true, " if is_inner else ""
    return (
        f"#grid-table({len(columns)}, {size}pt, {grid.header_rows}, {header}, {widths}{inner}\n"
        + ",\n".join(body)
        + ");"
    )


def _default_alignment(cell: Cell, grid: Grid) -> str:
    """Return the alignment of a cell that names none: data frames hold numbers, others words."""
    if "dataframe" in cell.tag.find_parent("table").get_attribute_list("class"):  # type: ignore[union-attr]
        return "right"
    return "center" if cell.row < grid.header_rows else "start"


def _longest_words(grid: Grid) -> list[int]:
    widths = [1] * grid.columns
    for cell in grid.cells:
        words = [min(len(word), LONG_WORD) for word in cell.tag.get_text().split()]
        pictures = 8 * len(cell.tag.find_all("img"))
        longest = max([1, pictures, BAR_WIDTH * _has_bar(cell.tag), *words])
        for column in range(cell.column, cell.column + cell.columns):
            widths[column] = max(widths[column], longest // cell.columns)
    return widths
