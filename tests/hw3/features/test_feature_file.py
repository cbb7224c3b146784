"""Question 1, the file: MATLAB's format, labels that line up, all content checked."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from hw3.features import Features, load_features, save_features

pytestmark = [pytest.mark.hw3_q1, pytest.mark.handed_out]


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 12)).astype(np.float32)
    return Features(
        values, np.array([3, 1, 4, 1, 5]), "a small network", "untrained, seed 0", "as is"
    )


@pytest.fixture
def saved(features, mat_file):
    save_features(mat_file, features)
    return mat_file


def test_what_is_written_is_read(saved, features):
    loaded = load_features(saved)
    np.testing.assert_array_equal(loaded.features, features.features)
    np.testing.assert_array_equal(loaded.labels, features.labels)
    assert loaded.features.dtype == np.float32
    assert loaded.features.flags.c_contiguous
    for name in ("backbone", "weights", "preprocessing"):
        assert getattr(loaded, name) == getattr(features, name)


def test_labels_written_as_a_row_by_others_are_a_vector_too(saved):
    content = scipy.io.loadmat(saved)
    content["labels"] = content["labels"].reshape(1, 5)
    scipy.io.savemat(saved, {k: v for k, v in content.items() if not k.startswith("__")})
    assert load_features(saved).labels.tolist() == [3, 1, 4, 1, 5]


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.float64])
def test_numbers_as_matlab_writes_them_are_read(mat_file, features, kind):
    content = {**vars(features), "features": features.features.astype(np.float64)}
    scipy.io.savemat(mat_file, {**content, "labels": features.labels.astype(kind)})
    loaded = load_features(mat_file)
    assert loaded.labels.tolist() == [3, 1, 4, 1, 5]
    assert loaded.features.dtype == np.float32


def test_the_file_is_matlab_5_with_single_precision_and_without_a_date(saved):
    header = saved.read_bytes()[:116]
    assert header.rstrip() == b"MATLAB 5.0 MAT-file, by hw3.features", "with a date, bytes differ"
    variables = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(saved)}
    assert variables["features"] == ((5, 12), "single")
    assert variables["labels"] == ((5, 1), "int64")


@pytest.mark.parametrize("rows", [1, 1023, 1024, 1025])
@pytest.mark.parametrize("width", [1, 64, 65])
def test_every_number_is_where_it_was(mat_file, features, rows, width):
    """They are copied out of MATLAB's columns in tiles of 1,024 x 64."""
    values = np.arange(rows * width, dtype=np.float32).reshape(rows, width)
    save_features(mat_file, replace(features, features=values, labels=np.arange(rows)))
    loaded = load_features(mat_file)
    np.testing.assert_array_equal(loaded.features, values)
    assert loaded.features.flags.c_contiguous


def test_what_a_variable_of_the_format_cannot_hold_is_refused_before_writing(mat_file, features):
    """2 GiB of zeros that take no memory."""
    rows = 2**31 // (4 * 2048)
    zeros = np.broadcast_to(np.float32(0), (rows, 2048))
    with pytest.raises(ValueError, match=r"are 2\.0 GiB, but .* 262,143 rows; let hw3"):
        save_features(mat_file, replace(features, features=zeros, labels=np.zeros(rows)))
    assert not mat_file.exists()


def test_the_name_of_an_array_is_not_given_to_a_matlab_file(features, tmp_path):
    with pytest.raises(ValueError, match=r"x\.npy is the name of a NumPy array.*write to x\.mat"):
        save_features(tmp_path / "x.npy", features)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(5))
def test_files_that_matlab_compressed_are_read(mat_file, features, seed):
    """What stands where our own files have their shape may be any number there."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=rng.integers(100, 300, 2)).astype(np.float32)
    labels = np.arange(len(values))
    content = {**vars(features), "features": values, "labels": labels}
    scipy.io.savemat(mat_file, content, do_compression=True)
    np.testing.assert_array_equal(load_features(mat_file).features, values)


def test_another_variable_of_any_size_may_come_first(mat_file, features):
    scipy.io.savemat(mat_file, {"a": scipy.sparse.eye(70_000, format="csc"), **vars(features)})
    np.testing.assert_array_equal(load_features(mat_file).features, features.features)


@pytest.mark.parametrize("shape", [(1, 12), (5, 1), (5, 12)])
def test_what_is_read_may_be_written_to_and_is_not_tied_to_the_file(mat_file, features, shape):
    values = features.features[: shape[0], : shape[1]]
    save_features(mat_file, replace(features, features=values, labels=features.labels[: shape[0]]))
    assert load_features(mat_file).features.flags.writeable


def test_a_name_without_mat_stays_as_it_is(features, tmp_path):
    save_features(tmp_path / "train", features)
    assert load_features(tmp_path / "train").labels.tolist() == [3, 1, 4, 1, 5]


def test_a_file_of_old_says_neither_precision_nor_layout(mat_file, features):
    content = dict(vars(features))
    del content["precision"], content["layout"]
    scipy.io.savemat(mat_file, content)
    loaded = load_features(mat_file)
    assert (loaded.precision, loaded.layout) == ("fp32", "channels_last")


@pytest.fixture
def saved_array(features, tmp_path):
    path = tmp_path / "features.npy"
    np.save(path, features.features)
    content = {name: value for name, value in vars(features).items() if name != "features"}
    scipy.io.savemat(tmp_path / "features.labels.mat", content)
    return path


def test_an_array_stays_on_disk(saved_array, features):
    loaded = load_features(saved_array)
    np.testing.assert_array_equal(loaded.features, features.features)
    assert loaded.labels.tolist() == [3, 1, 4, 1, 5]
    assert loaded.backbone == "a small network"
    assert isinstance(loaded.features.base, np.memmap)


def test_an_array_without_its_labels_is_named(saved_array):
    (saved_array.parent / "features.labels.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"features\.npy lacks its labels, .*labels\.mat"):
        load_features(saved_array)


def test_an_array_beside_the_labels_of_another_is_refused(saved_array):
    np.save(saved_array, np.zeros((4, 12), np.float32))
    with pytest.raises(ValueError, match="expected one for each of the 4 rows"):
        load_features(saved_array)


def npy(header, data=bytes(240)):
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"x" * 200, b"\x93NUMPY\x01\x00", b"PK\x03\x04 an archive"),
        *(npy("{'descr': '<f4"), npy("{(((")),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (5, 12000)}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-5, -12)}"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (5, 6)}"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_an_array_of_another_kind_is_named(saved_array, content):
    saved_array.write_bytes(content)
    with pytest.raises(ValueError, match=r"features\.npy"):
        load_features(saved_array)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.mat; hw3.features.extract writes one"):
        load_features(tmp_path / "nothing.mat")


@pytest.mark.parametrize("length", [0, 100, 300])
def test_a_file_cut_short_is_named(saved, length):
    saved.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"features\.mat is not a MATLAB 5 file"):
        load_features(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": None}, "it lacks features and holds labels"),
        ({"labels": None}, "it lacks labels"),
        ({"backbone": None, "weights": None}, "it lacks backbone, weights"),
        ({"features": np.zeros((4, 12))}, r"expected one for each of the 4 rows"),
        ({"features": np.zeros((5, 12), int)}, r"features is int64 \(5, 12\), expected floats"),
        ({"features": np.zeros((0, 12))}, "expected floats"),
        ({"features": np.full((5, 12), np.nan)}, "infinite or undefined"),
        ({"labels": np.eye(5)}, r"labels is \(5, 5\)"),
        ({"labels": np.full(5, 0.5)}, "expected whole numbers"),
        ({"labels": np.array(list("abcde"))}, "expected whole numbers"),
        ({"labels": np.array([0, 1, 2, 3, np.inf])}, "expected whole numbers"),
        ({"labels": np.array([0, 1, 2, 3, 1e30])}, "expected whole numbers"),
        ({"labels": np.full(5, 2**64 - 1, np.uint64)}, "expected whole numbers"),
        ({"features": np.full((5, 12), 1e300)}, "infinite or undefined"),
        ({"backbone": 7.0 * np.ones((2, 2))}, "must be texts"),
        ({"weights": 7.0}, "must be texts"),
        ({"weights": ""}, "must be texts that are not empty"),
        ({"labels": scipy.sparse.eye(5, format="csc")}, r"labels is \(\), expected one for each"),
        ({"backbone": "resnet50"}, "features have 12 columns, but resnet50 gives 2048"),
    ],
)
def test_a_file_that_does_not_hold_what_it_should_is_refused(mat_file, features, changes, message):
    content = {k: v for k, v in {**vars(features), **changes}.items() if v is not None}
    scipy.io.savemat(mat_file, content)
    with pytest.raises(ValueError, match=message) as error:
        load_features(mat_file)
    assert str(mat_file) in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.zeros((0, 12), np.float32), "labels": np.zeros(0)}, "expected floats"),
        ({"features": np.full((5, 12), np.nan, np.float32)}, "infinite or undefined"),
        ({"features": np.full((5, 12), 1e300)}, "infinite or undefined"),
        ({"labels": np.array(3)}, "expected one for each"),
        ({"preprocessing": None}, "must be texts"),
    ],
)
def test_what_could_not_be_read_is_not_written(mat_file, features, changes, message):
    with pytest.raises(ValueError, match=rf"features\.mat is not written: .*{message}"):
        save_features(mat_file, replace(features, **changes))
    assert not list(mat_file.parent.iterdir())


@pytest.mark.skipif(shutil.which("octave") is None, reason="needs GNU Octave")
def test_octave_reads_the_file(saved, features):
    code = (
        f"s = load('{saved}'); "
        "printf('%s %d %d %.6f %d %s', class(s.features), size(s.features), s.features(5, 12), "
        "s.labels(5), s.backbone)"
    )
    result = subprocess.run(["octave", "--no-gui", "--eval", code], capture_output=True, text=True)
    assert result.stdout == f"single 5 12 {features.features[4, 11]:.6f} 5 a small network"
