"""The modules that go with the hand-in: all that are used, and no others."""

import nbformat

from coursework.handin.modules import used_modules


def write(root, name, source=""):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def test_imports_are_followed_to_the_end(tmp_path):
    write(tmp_path, "own/__init__.py")
    write(tmp_path, "own/first.py", "from own import second\nimport numpy")
    write(tmp_path, "own/second.py", "def late():\n    from own.deep.third import x")
    write(tmp_path, "own/deep/__init__.py", "from own import first  # a circle")
    write(tmp_path, "own/deep/third.py", "x = 1")
    write(tmp_path, "own/unused.py", "import own.first")
    cells = [
        nbformat.v4.new_markdown_cell("import own.unused"),
        nbformat.v4.new_code_cell(
            "%matplotlib inline\n!ls\nimport own.first as f\nprint('from x')"
        ),
    ]
    found = used_modules(nbformat.v4.new_notebook(cells=cells), tmp_path)
    assert [path.as_posix() for path in found] == [
        "own/__init__.py",
        "own/deep/__init__.py",
        "own/deep/third.py",
        "own/first.py",
        "own/second.py",
    ]


def test_several_lines_of_import_are_understood(tmp_path):
    write(tmp_path, "own/__init__.py")
    write(tmp_path, "own/a.py")
    write(tmp_path, "own/b.py")
    cell = nbformat.v4.new_code_cell(
        "%time x = 1\nfrom own import (\n    a,\n    b,\n)\n\nx = !ls\n"
    )
    found = used_modules(nbformat.v4.new_notebook(cells=[cell]), tmp_path)
    assert [path.name for path in found] == ["__init__.py", "a.py", "b.py"]
