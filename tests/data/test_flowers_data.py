"""The committed flowers: drawn by their script, different in form, and in part in colour."""

import runpy
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from coursework.profiles import ROOT
from coursework.storage import sha256
from hw4.flowers import PARTS, FlowerDataset
from hw4.flowers.files import read_labels, read_official_split

pytestmark = [pytest.mark.hw4_flowers, pytest.mark.handed_out]

DATA = ROOT / "data"
FOLDER = DATA / "flowers"


@pytest.fixture(scope="module")
def scripts():
    """Return what the script defines and imports; its parts lie in the same folder."""
    before = list(sys.path)
    sys.path.insert(0, str(DATA))
    yield runpy.run_path(str(DATA / "make_flowers.py"))
    sys.path[:] = before
    for name in ("flower_drawing", "flower_kinds"):
        sys.modules.pop(name, None)


def test_the_files_have_their_checksums():
    lines = (FOLDER / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert files == {*sums, "SHA256SUMS"}
    assert {name: sha256(FOLDER / name) for name in sums} == sums


def test_the_set_is_small():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) < 2_000_000


@pytest.mark.parametrize("label", range(10))
def test_the_script_draws_the_same_pictures_again(scripts, label, tmp_path):
    """A little rounding is allowed: another processor may add up in another order."""
    random = np.random.RandomState([scripts["SEED"], label, 7])
    path = tmp_path / "image.jpg"
    name = list(scripts["KINDS"])[label]
    scripts["draw_flower"](name, random).save(path, quality=85, optimize=True)
    kept = FOLDER / "jpg" / f"image_{label * 60 + 8:05d}.jpg"
    with Image.open(path) as made, Image.open(kept) as known:
        difference = np.abs(np.asarray(made).astype(int) - np.asarray(known))
    assert difference.mean() < 0.5


def test_the_script_writes_the_same_labels_again(scripts, tmp_path):
    scripts["write_labels"](tmp_path)
    assert (tmp_path / "names.txt").read_bytes() == (FOLDER / "names.txt").read_bytes()
    assert (read_labels(tmp_path) == read_labels(FOLDER)).all()
    made, kept = (read_official_split(folder, 600) for folder in (tmp_path, FOLDER))
    assert all((made[mode] == kept[mode]).all() for mode in PARTS)
    # No time of day in the files: twice the same bytes.
    first = [path.read_bytes() for path in sorted(tmp_path.glob("*.mat"))]
    scripts["write_labels"](tmp_path)
    assert [path.read_bytes() for path in sorted(tmp_path.glob("*.mat"))] == first


def test_it_says_that_these_are_drawings(scripts):
    for text in (
        (FOLDER / "names.txt").read_text(encoding="utf-8"),
        (DATA / "README.md").read_text(encoding="utf-8").replace("*", ""),
        (DATA / "make_flowers.py").read_text(encoding="utf-8"),
        (DATA / "flower_kinds.py").read_text(encoding="utf-8"),
    ):
        assert "drawings" in text
        assert "not photographs" in text


def test_every_class_has_its_share_of_every_part():
    for mode, share in zip(PARTS, (36, 12, 12), strict=True):
        data = FlowerDataset(FOLDER, mode)
        assert np.bincount(data.labels).tolist() == [share] * 10
        assert data.stored(0).size == (96, 96)
    assert len(set(data.class_names)) == 10


def test_no_picture_occurs_twice():
    assert len({path.read_bytes() for path in (FOLDER / "jpg").iterdir()}) == 600


def histogram(picture, bins):
    """Return the square roots of the shares of each colour, (bins^3,)."""
    colours = np.asarray(picture).reshape(-1, 3) // (256 // bins)
    counts = np.bincount(colours @ [bins * bins, bins, 1], minlength=bins**3)
    return np.sqrt(counts / len(colours))


@pytest.mark.parametrize("bins", [4, 8])
def test_colours_tell_the_classes_apart_in_part(bins):
    """A guess is right one time in ten; networks that look at form as well reach nine in ten."""
    parts = {mode: FlowerDataset(FOLDER, mode) for mode in PARTS}
    X = {
        mode: np.array([histogram(part.stored(i), bins) for i in range(len(part))])
        for mode, part in parts.items()
    }
    known = np.concatenate([X["train"], X["val"]])
    labels = np.concatenate([parts["train"].labels, parts["val"].labels])
    for classifier in (
        RandomForestClassifier(200, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500)),
    ):
        accuracy = classifier.fit(known, labels).score(X["test"], parts["test"].labels)
        assert 0.3 < accuracy < 0.8
