"""The committed digits: unchanged, and made by their script from the real MNIST."""

import gzip
import runpy
import sys

from coursework.profiles import ROOT
from coursework.storage import sha256

FOLDER = ROOT / "data" / "mnist"


def sums():
    return dict(reversed(line.split()) for line in (FOLDER / "SHA256SUMS").open())


def test_the_files_have_their_checksums():
    listed = sums()
    assert len(listed) == 4
    assert {name: sha256(FOLDER / name) for name in listed} == listed
    assert sum((FOLDER / name).stat().st_size for name in listed) < 1_100_000


def test_the_script_makes_the_same_digits_again(all_of_mnist, tmp_path, monkeypatch):
    arguments = ["make_mnist.py", str(all_of_mnist), "--target", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(str(ROOT / "data" / "make_mnist.py"), run_name="__main__")
    for name in sums():
        # The content, since compressed bytes depend on the release of zlib.
        made, kept = ((folder / name).read_bytes() for folder in (tmp_path, FOLDER))
        assert gzip.decompress(made) == gzip.decompress(kept)
    assert (tmp_path / "SHA256SUMS").is_file()
