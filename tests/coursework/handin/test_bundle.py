"""The zip holds the answers, and is read as what a stranger sent: nothing in it is ever run."""

import ast
import contextlib
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfWriter

from coursework.display import Headline
from coursework.handin import BundleError, used_modules, verify_bundle, write_bundle
from coursework.profiles import ROOT

FACTS = {"pages": 2, "seed": 7, "root": ROOT}


def notebook_of(*sources):
    cells = [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    return new_notebook(cells=cells)


def make_parts(folder):
    """Write an executed notebook that uses a module, and a PDF of two pages."""
    notebook = notebook_of("from coursework import display\nfrom hw3 import roc")
    headline = Headline({"accuracy": 0.5})._repr_mimebundle_()
    notebook.cells[0].outputs = [new_output("display_data", headline)]
    nbformat.write(notebook, folder / "a.ipynb")
    writer = PdfWriter()
    for _ in range(2):
        writer.add_blank_page(100, 100)
    writer.write(folder / "a.pdf")
    return folder / "a.ipynb", folder / "a.pdf"


@pytest.fixture
def parts(tmp_path):
    return make_parts(tmp_path)


@pytest.fixture(scope="module")
def bundle_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    return write_bundle(folder / "a.zip", *make_parts(folder), FACTS)


@pytest.fixture
def bundle(bundle_once, tmp_path):
    """A good bundle, to be spoiled."""
    return Path(shutil.copy(bundle_once, tmp_path))


def content_of(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(bundle, content, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(bundle, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def replace(bundle, name, data):
    """Replace or add a file, and give the manifest its checksum."""
    content = content_of(bundle) | {name: data}
    manifest = json.loads(content["manifest.json"])
    manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest()}
    write(bundle, content | {"manifest.json": json.dumps(manifest)})


def test_it_holds_the_documents_the_answers_and_the_manifest(bundle, parts):
    content = content_of(bundle)
    assert content.keys() == {"manifest.json", "a.ipynb", "a.pdf", "hw3/__init__.py", "hw3/roc.py"}
    assert content["a.pdf"] == parts[1].read_bytes()
    assert content["hw3/roc.py"] == (ROOT / "hw3" / "roc.py").read_bytes()


def test_the_manifest_tells_what_was_run_and_found(bundle):
    manifest = verify_bundle(bundle)
    assert (manifest["seed"], manifest["root"]) == (7, str(ROOT))
    assert manifest["figures"] == {"accuracy": 0.5}
    assert len(manifest["files"]) == 4


def test_the_manifest_names_the_version_of_the_code_that_is_left_out(bundle):
    project = verify_bundle(bundle)["project"]
    assert f'version = "{project["version"]}"' in (ROOT / "pyproject.toml").read_text()
    if (ROOT / ".git").exists() and shutil.which("git"):
        assert len(project["commit"]) == 40
        assert isinstance(project["changed"], list)


def test_the_same_content_gives_the_same_bytes(bundle, parts, tmp_path):
    again = write_bundle(tmp_path / "b.zip", *parts, FACTS)
    assert again.read_bytes() == bundle.read_bytes()


def test_imports_are_found_in_any_cell_and_followed_to_the_end(tmp_path, monkeypatch):
    modules = {
        "hw9/__init__.py": "",
        "hw9/first.py": "from hw9 import second\nimport numpy",
        "hw9/second.py": "def late():\n    from .deep.third import x",
        "hw9/deep/__init__.py": "from .. import first  # a circle",
        "hw9/deep/third.py": "from . import fourth",
        "hw9/deep/fourth.py": "from coursework import display",
        "hw9/fifth.py": "x = 1",
    }
    unused = {"hw9/unused.py": "import hw9.first", "coursework/display.py": "", "other.py": ""}
    for name, source in {**modules, **unused}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.setattr("coursework.handin.bundle.ROOT", tmp_path)
    notebook = notebook_of(
        "%matplotlib inline\n!ls\nimport hw9.first as f, coursework.display\nprint('import other')",
        "x = = 'an error on purpose'",
        "%time x = 1\nfrom hw9 import (\n    first,\n    fifth as r,\n)\n\nx = !ls\n",
    )
    notebook.cells.append(new_markdown_cell("import hw9.unused"))
    assert [path.as_posix() for path in used_modules(notebook)] == sorted(modules)


@pytest.mark.parametrize("name", ["hw3_dnn", "hw4_cnn"])
def test_a_homework_runs_with_the_modules_of_its_zip_alone(name, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    for path in used_modules(notebook):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    imports = [
        ast.unparse(node)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source.replace("%", "#")))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    code = [
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})",
        *imports,
        f"files = [m.__file__ for n, m in sys.modules.items() if n.startswith({name[:3]!r})]",
        f"assert files and all(file.startswith({str(tmp_path)!r}) for file in files), files",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(code)], cwd=tmp_path, check=True)


def test_modules_are_read_and_never_run(bundle, tmp_path):
    ran = tmp_path / "ran"
    for name in ("hw3/roc.py", "hw3/__init__.py"):
        replace(bundle, name, f"open({str(ran)!r}, 'w').close(); raise SystemExit(0)".encode())
    assert len(verify_bundle(bundle)["files"]) == 4
    assert not ran.exists()


def refused(bundle, message):
    """Verify a spoiled bundle; whatever is wrong with it is told on one line."""
    with pytest.raises(BundleError, match=message) as error:
        verify_bundle(bundle)
    assert str(error.value).startswith(f"{bundle} is refused: ")
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("hw3/roc.py", b"x = '\\d' + (", r"'hw3/roc\.py' cannot be read: '\(' was never closed"),
        ("hw3/roc.py", b"a" + b".a" * 300_000, r"'hw3/roc\.py' cannot be read"),
        ("hw3/roc.py", b"-" * 900_000 + b"1", r"'hw3/roc\.py' cannot be read"),
        ("hw3/roc.py", b"#" * 1_000_001, r"'hw3/roc\.py' has more than 1,000,000 bytes"),
        ("a.pdf", b"%PDF-1.7 no more", r"'a\.pdf' cannot be read"),
        ("a.ipynb", b"[" * 100_000, r"'a\.ipynb' cannot be read"),
        ("a.ipynb", b'{"nbformat": 4, "nbformat_minor": 5}', r"'a\.ipynb' cannot be read"),
        ("b.pdf", b"", "expected one PDF and one notebook"),
        ("../evil.py", b"", r"'\.\./evil\.py' would be unpacked outside of its folder"),
        ("hw3/../../evil.py", b"", "outside of its folder"),
        ("/etc/evil.py", b"", "outside of its folder"),
        ("C:evil.py", b"", "outside of its folder"),
        ("..\\evil.py", b"", "outside of its folder"),
        ("a\n\x1b[31m.py", b"(", r"'a\\n\\x1b\[31m\.py' holds characters that cannot be seen"),
        ("HW3/__init__.py", b"", "two of its files have the same name"),
    ],
)
def test_a_file_that_no_homework_holds_is_refused(bundle, name, data, message, recwarn, capfd):
    replace(bundle, name, data)
    refused(bundle, message)
    assert (*recwarn.list, *capfd.readouterr()) == ("", "")


def test_a_file_that_is_not_the_one_of_the_manifest_is_refused(bundle):
    whole = content_of(bundle)
    write(bundle, whole | {"a.pdf": b"%PDF-another"})
    refused(bundle, r"'a\.pdf' is not the file that manifest\.json lists")
    write(bundle, whole | {"extra.txt": b""})
    refused(bundle, r"differ in 'extra\.txt'")
    del whole["a.pdf"]
    write(bundle, whole)
    refused(bundle, r"differ in 'a\.pdf'")
    del whole["manifest.json"]
    write(bundle, whole)
    refused(bundle, r"it has no manifest\.json")


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", "null", "3", '"text"', "\x00", "[" * 100_000, "9" * 5_000,
        '{"files": {}}', '{"files": [], "pages": 2}', '{"files": {"a.pdf": {}}, "pages": 2}',
        '{"files": {"a.pdf": []}, "pages": 2}', '{"files": {"a.pdf": "x"}, "pages": 2}',
        '{"files": {"a.pdf": {"sha256": 1}}, "pages": "2"}', '{"files": null, "pages": 2}',
    ],
)  # fmt: skip
def test_a_manifest_of_another_kind_is_refused(bundle, text):
    write(bundle, content_of(bundle) | {"manifest.json": text})
    refused(bundle, r"its manifest\.json does not list files with checksums and pages")


@pytest.mark.parametrize("value", [None, 3, [], {"a": 1}, "0" * 64])
def test_a_checksum_of_another_kind_is_refused(bundle, value):
    content = content_of(bundle)
    manifest = json.loads(content["manifest.json"])
    manifest["files"]["a.pdf"]["sha256"] = value
    write(bundle, content | {"manifest.json": json.dumps(manifest)})
    refused(bundle, "is not the file")


def test_a_zip_that_holds_too_much_is_refused_before_it_is_unpacked(bundle):
    whole = content_of(bundle)
    write(bundle, whole | {f"{number}.py": b"" for number in range(2_000)})
    refused(bundle, "it holds more than 2,000 files")
    write(bundle, whole | {"a.ipynb": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    refused(bundle, r"its files have 50,\d+,\d+ bytes, expected at most")
    # The same file again, whose sizes now say that it has a byte.
    size = (50_000_000).to_bytes(4, "little")
    bundle.write_bytes(bundle.read_bytes().replace(size, (1).to_bytes(4, "little")))
    refused(bundle, "Bad CRC-32")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_unpack_in_unusual_ways_are_refused(bundle):
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("a.pdf", b"")
    refused(bundle, "two of its files have the same name")
    link = zipfile.ZipInfo("link.py")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(bundle, r"'link\.py' is a link")
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.pdf", bytes(1_000))
    refused(bundle, "compressed by another method than deflate")


def test_a_damaged_zip_is_refused(bundle, tmp_path):
    whole = bundle.read_bytes()
    for damaged in (b"", b"no zip", whole[:-100], whole[100:], whole[: len(whole) // 2]):
        bundle.write_bytes(damaged)
        refused(bundle, "zip")
    with pytest.raises(FileNotFoundError, match="no file"):
        verify_bundle(tmp_path / "nothing.zip")


def test_a_flipped_bit_is_refused_unless_it_changes_no_file(bundle):
    whole, files = bundle.read_bytes(), content_of(bundle)
    rng = random.Random(0)
    accepted = 0
    for _ in range(500):
        place = rng.randrange(len(whole))
        flipped = bytes([whole[place] ^ 1 << rng.randrange(8)])
        bundle.write_bytes(whole[:place] + flipped + whole[place + 1 :])
        with contextlib.suppress(BundleError):
            verify_bundle(bundle)
            assert content_of(bundle) == files
            accepted += 1
    assert accepted < 50


def test_a_bundle_that_is_refused_leaves_no_zip(parts, tmp_path):
    with pytest.raises(BundleError, match="2 pages, expected 3"):
        write_bundle(tmp_path / "bad.zip", *parts, {"pages": 3})
    parts[1].write_bytes(b"no PDF at all")
    with pytest.raises(BundleError, match=r"'a\.pdf' cannot be read"):
        write_bundle(tmp_path / "bad.zip", *parts, FACTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ipynb", "a.pdf"]
