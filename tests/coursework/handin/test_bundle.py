"""The zip: everything in it, nothing else, checked by another process before it has its name."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from pypdf import PdfWriter

from coursework.display import Headline
from coursework.handin import BundleError, verify_bundle
from coursework.handin.bundle import write_bundle
from coursework.profiles import ROOT

FACTS = {"pages": 2, "seed": 7, "root": ROOT}


def make_parts(folder):
    """Write an executed notebook that uses two modules, and a PDF of two pages."""
    output = nbformat.v4.new_output("display_data", Headline({"accuracy": 0.5})._repr_mimebundle_())
    cells = [nbformat.v4.new_code_cell("from coursework import storage", outputs=[output])]
    notebook = nbformat.v4.new_notebook(cells=cells)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
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


def test_it_holds_documents_modules_and_manifest(bundle, parts):
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        assert archive.read("a.pdf") == parts[1].read_bytes()
        assert (
            archive.read("coursework/storage.py")
            == (ROOT / "coursework" / "storage.py").read_bytes()
        )
    modules = {"coursework/__init__.py", "coursework/storage.py"}
    assert names == {"manifest.json", "a.ipynb", "a.pdf"} | modules


def test_the_manifest_tells_what_was_run_and_found(bundle):
    manifest = verify_bundle(bundle)
    assert (manifest["seed"], manifest["root"]) == (7, str(ROOT))
    assert manifest["figures"] == {"accuracy": 0.5}
    assert len(manifest["files"]) == 4


def test_the_same_content_gives_the_same_bytes(bundle, parts, tmp_path):
    again = write_bundle(tmp_path / "b.zip", *parts, FACTS)
    assert again.read_bytes() == bundle.read_bytes()


def change(bundle, name, data):
    """Write the zip again with one file replaced, added, or with ``None`` left out."""
    with zipfile.ZipFile(bundle) as archive:
        content = {entry: archive.read(entry) for entry in archive.namelist()}
    content[name] = data
    with zipfile.ZipFile(bundle, "w") as archive:
        for entry, value in content.items():
            if value is not None:
                archive.writestr(entry, value)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"%PDF-another", "a.pdf is not the file that manifest.json lists"),
        ("a.pdf", None, r"differ in a\.pdf"),
        ("extra.txt", b"", r"differ in extra\.txt"),
        ("manifest.json", None, r"no manifest\.json"),
        ("manifest.json", b"{", r"no manifest\.json with files and pages"),
        ("manifest.json", b"{}", r"no manifest\.json with files and pages"),
    ],
)
def test_a_zip_that_was_changed_is_refused(bundle, name, data, message):
    change(bundle, name, data)
    with pytest.raises(BundleError, match=message):
        verify_bundle(bundle)


def test_a_zip_cut_short_is_refused(bundle):
    bundle.write_bytes(bundle.read_bytes()[:-100])
    with pytest.raises(BundleError, match="not a whole zip file"):
        verify_bundle(bundle)


def test_a_bundle_that_fails_its_check_leaves_no_zip(parts, tmp_path):
    parts[1].write_bytes(b"no PDF at all")
    with pytest.raises(BundleError, match=r"a\.pdf cannot be read"):
        write_bundle(tmp_path / "bad.zip", *parts, {"pages": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ipynb", "a.pdf"]


def test_a_wrong_page_count_is_found(parts, tmp_path):
    with pytest.raises(BundleError, match="2 pages, expected 3"):
        write_bundle(tmp_path / "bad.zip", *parts, {"pages": 3})
    assert not (tmp_path / "bad.zip").exists()


def test_a_module_that_needs_another_left_out_is_found(bundle):
    source = b"import coursework.missing"
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["files"]["coursework/storage.py"]["sha256"] = hashlib.sha256(source).hexdigest()
    change(bundle, "coursework/storage.py", source)
    change(bundle, "manifest.json", json.dumps(manifest))
    with pytest.raises(BundleError, match=r"cannot be imported alone: .*coursework\.missing"):
        verify_bundle(bundle)
