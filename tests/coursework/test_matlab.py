"""MATLAB files are read as SciPy reads them, and no damage to them ends the interpreter."""

import io
import struct
import zlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from coursework.matlab import read_mat

CONTENT = {
    "numbers": np.arange(12.0).reshape(3, 4) / 7,
    "labels": np.arange(1, 8, dtype=np.uint8),
    "text": "grün × 😀",
    "lines": ["two", "rows"],
    "empty": "",
    "sparse": scipy.sparse.eye(5, format="csc"),
    "inside": {"a": [1, 2], "b": "text"},
}


def mat_bytes(content, **options):
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, content, **options)
    return buffer.getvalue()


@pytest.fixture
def read(tmp_path):
    """Return a function that reads bytes as a file."""

    def read_bytes(content):
        path = tmp_path / "some.mat"
        path.write_bytes(content)
        return read_mat(path, "fetch it again")

    return read_bytes


@pytest.mark.parametrize("compressed", [False, True])
def test_numbers_and_texts_are_read_as_scipy_reads_them(read, compressed):
    found = read(mat_bytes(CONTENT, do_compression=compressed))
    known = {name: CONTENT[name] for name in ("numbers", "labels", "text", "lines", "empty")}
    expected = scipy.io.loadmat(io.BytesIO(mat_bytes(known)))
    assert list(found) == list(CONTENT)
    for name in known:
        assert found[name].dtype.kind == expected[name].dtype.kind
        np.testing.assert_array_equal(found[name], expected[name])
    for name in ("sparse", "inside"):
        assert (found[name].dtype, found[name].shape) == (object, ())


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (0, 4), (2, 3, 2)])
def test_every_type_and_shape_stays_as_it_is(read, kind, shape):
    values = np.random.default_rng(0).integers(0, 100, shape).astype(kind)
    found = read(mat_bytes({"x": values}))["x"]
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("order", ["<", ">"])
def test_doubles_that_matlab_stored_in_bytes_are_doubles_in_either_byte_order(read, order):
    """The flags, class 6; the shape (1, 3); the name x; three bytes in a small element."""
    parts = struct.pack(f"{order}IIII", 6, 8, 6, 0) + struct.pack(f"{order}IIii", 5, 8, 1, 3)
    for kind, data in ((1, b"x"), (2, b"\x01\x02\x03")):
        parts += struct.pack(f"{order}I4s", len(data) << 16 | kind, data)
    header = b"MATLAB 5.0".ljust(124) + struct.pack(f"{order}HH", 0x100, 0x4D49)
    found = read(header + struct.pack(f"{order}II", 14, len(parts)) + parts)["x"]
    assert found.dtype.kind == "f"
    assert found.tolist() == [[1.0, 2.0, 3.0]]


@given(data=st.data())
def test_damage_is_an_error_that_names_the_file_or_changes_numbers_alone(tmp_path_factory, data):
    content = bytearray(mat_bytes(CONTENT, do_compression=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "some.mat"
    path.write_bytes(content[: data.draw(st.integers(0, 2 * len(content)))])
    try:
        assert all(isinstance(value, np.ndarray) for value in read_mat(path, "fetch it").values())
    except ValueError as error:
        assert str(error).startswith(f"{path} is not a MATLAB 5 file (")  # noqa: PT017


@pytest.mark.parametrize("start", [b"MATLAB 7.3 MAT-file, Platform: GLNXA64", b"\x89HDF\r\n\x1a\n"])
def test_a_file_of_version_7_3_says_how_to_save_it(read, start):
    with pytest.raises(ValueError, match=r"some\.mat is a MATLAB 7\.3 file.* save it with -v7"):
        read(start.ljust(512))


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(read):
    packer = zlib.compressobj(9)
    zeros = bytes(2**20)
    packed = b"".join(packer.compress(zeros) for _ in range(80)) + packer.flush()
    header = mat_bytes({})[:128]
    with pytest.raises(ValueError, match="unpacks to far more than its size"):
        read(header + struct.pack("=II", 15, len(packed)) + packed)


def test_two_variables_of_one_name_are_refused(read):
    whole = mat_bytes({"x": 1.0})
    with pytest.raises(ValueError, match="it holds x twice"):
        read(whole + whole[128:])
