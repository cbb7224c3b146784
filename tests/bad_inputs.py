"""Bad inputs of every kind: how one is written, and how it is read.

The functions of a kind stand side by side. ``write_KIND(rng, folder)`` returns what
``read_KIND`` takes: a path, which an error has to name, or values. The reader raises
`AssertionError` if what it read is not right.
"""

import argparse
import functools
import gzip
import hashlib
import io
import json
import math
import tarfile
import zipfile

import numpy as np
import scipy.io
import scipy.sparse
import torch
from nbformat import v4
from PIL import Image
from pypdf import PdfWriter

from coursework.backbones import build_classifier
from coursework.data.archive import unpack
from coursework.handin import verify_bundle
from coursework.identity import load_identity
from coursework.pdf import export_pdf
from coursework.profiles import PROFILES, get_profile
from hw3.features import load_features
from hw3.mnist import load_mnist
from hw3.softmax_regression import SoftmaxRegression
from hw4.flowers.files import read_labels, read_official_split
from hw4.flowers.images import load_image
from hw4.flowers.training import load_state
from hw4.imbalanced import ImbalancedDataset
from tests.hw3.conftest import idx

ODD = [
    *(None, True, -1, 0, 2**70, 1e308, math.nan, "", "x" * 999, "\x1b[31m\x00", "\ud800", [], {}),
    *([None], [[[]]], {"": {}}, ["a", 1], {"a": [1, {"b": "c"}]}),
]
FOREIGN = [
    *(b"", b"\n", b"\0" * 600, b"<html>404</html>", b"PK\x03\x04", b"\x1f\x8b\x08", b"\x93NUMPY"),
    *(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n", b"%PDF-1.7", b"\x80\x02}."),
]
TEXTS = {"backbone": "a net", "weights": "none", "preprocessing": "as is", "precision": "fp32"}


def damaged(rng, content, start=0):
    """Return bytes with some of them overwritten, cut out or inserted, or others altogether."""
    if rng.random() < 0.04:
        return rng.choice([*FOREIGN, rng.randbytes(rng.randrange(2000))])
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        where = rng.randrange(start, max(len(content), start + 1))
        size = rng.choice([1, 1, 1, 2, 4, 8, 64])
        number = rng.randrange(2**31).to_bytes(4, rng.choice(["little", "big"]))
        new = rng.choice([b"", b"\0" * size, b"\xff" * size, rng.randbytes(size), number])
        content[where : where + rng.choice([size, len(new), len(new)])] = new
    return bytes(content[: rng.randrange(len(content) + 1)] if rng.random() < 0.1 else content)


def maybe(rng, share, content):
    """Return the bytes damaged in a share of all cases."""
    return damaged(rng, content) if rng.random() < share else content


def spoiled(rng, value):
    """Return a JSON value with one of its parts replaced by an odd one, or without it."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return rng.choice(ODD)
    key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    changed = value.copy()
    if rng.random() < 0.1:
        del changed[key]
    else:
        changed[key] = spoiled(rng, value[key])
    return changed


def mat(rng, content):
    """Return a damaged MATLAB file."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, content, do_compression=rng.random() < 0.4, oned_as="row")
    return damaged(rng, buffer.getvalue(), 0 if rng.random() < 0.1 else 128)


def write_features(rng, folder):
    values = np.random.default_rng(0).normal(size=(7, 5)).astype(rng.choice(["f4", "f8"]))
    path = folder / "features.mat"
    path.write_bytes(mat(rng, {"features": values, "labels": np.arange(7) % 3, **TEXTS}))
    return path


def read_features(path):
    found = load_features(path)
    assert (found.features.ndim, found.features.dtype) == (2, np.float32)
    assert np.isfinite(found.features).all()
    assert found.labels.shape == found.features.shape[:1]
    assert found.backbone
    assert found.precision


def write_array(rng, folder):
    buffer = io.BytesIO()
    np.save(buffer, np.ones((7, 5), rng.choice(["f4", "f8", "i4", "c8"])))
    header, numbers = buffer.getvalue()[:128], buffer.getvalue()[128:]
    path = folder / "features.npy"
    path.write_bytes(damaged(rng, header, rng.choice([0, 8, 10])) + numbers)
    scipy.io.savemat(folder / "features.labels.mat", {"labels": np.arange(7), **TEXTS})
    return path


def write_labels(rng, folder):
    path = folder / "imagelabels.mat"
    path.write_bytes(mat(rng, {"labels": [rng.randrange(1, 4) for _ in range(9)]}))
    return path


def read_classes(path):
    labels = read_labels(path.parent)
    assert set(labels.tolist()) == set(range(labels.max() + 1))


def write_split(rng, folder):
    path = folder / "setid.mat"
    path.write_bytes(mat(rng, {"trnid": [1, 2], "valid": [3], "tstid": [5, 4]}))
    return path


def read_split(path):
    parts = read_official_split(path.parent, 9)
    numbers = [number for part in parts.values() for number in part.tolist()]
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(range(9))


def write_digits(rng, folder):
    path = folder / "train-"
    hit = rng.choice(["images", "labels"])
    for name, shape in (("images", (5, 28, 28)), ("labels", (5,))):
        content = idx(np.resize(np.arange(10, dtype=np.uint8), shape))
        inside = maybe(rng, 0.5 if name == hit else 0, content)
        outside = rng.choice([inside, gzip.compress(inside, mtime=0)])
        outside = damaged(rng, outside) if name == hit and inside == content else outside
        (folder / f"train-{name}-idx{len(shape)}-ubyte").write_bytes(outside)
    return path


def read_digits(path):
    digits = load_mnist(path.parent, "train")
    assert digits.images.shape[1:] == (28, 28)
    assert len(digits) > 0
    assert digits.labels.max() <= 9


def write_photograph(rng, folder):
    path = folder / "image_00001.jpg"
    kinds = [(mode, "png") for mode in ("RGB", "RGBA", "P", "I;16")]
    kinds += [(mode, "jpeg") for mode in ("RGB", "L", "CMYK")] + [("RGB", "gif"), ("RGB", "tiff")]
    mode, kind = rng.choice(kinds)
    picture = Image.frombytes("L", (24, 18), bytes(i % 251 for i in range(24 * 18)))
    picture = Image.new(mode, (9, 9)) if mode == "I;16" else picture.convert("RGB").convert(mode)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    picture.save(path, format=kind, **({"exif": exif} if kind == "jpeg" else {}))
    path.write_bytes(damaged(rng, path.read_bytes()))
    return path


def read_photograph(path):
    assert load_image(path, 8).mode == "RGB"


@functools.cache
def good_weights():
    return build_classifier("efficientnet_lite0", None)[0].state_dict()


def write_weights(rng, folder):
    state = dict(good_weights())
    hit = rng.choice(list(state))
    number = state[hit]
    changes = [number.half(), number * math.nan, number.to(torch.complex64), number.to(torch.int8)]
    changes += [number.to("meta"), number.reshape(-1).to_sparse(), number.unsqueeze(0), number]
    changes += [number.new_zeros(1).expand(2**20, 2**20), rng.choice(list(state.values()))]
    changes += [argparse.Namespace(a=1), np.float64(1), np.zeros(2), rng.choice(ODD)]
    state[hit] = rng.choice(changes)
    prefix = rng.choice(["", "module.", "_orig_mod.", "model.", "trained."])
    content = {f"{prefix}{name}": value for name, value in state.items()}
    content = rng.choice([content, content, {"state_dict": content, "a": 1}, rng.choice(ODD)])
    path = folder / "weights.pth"
    torch.save(content, path)
    if rng.random() < 0.4:
        whole = path.read_bytes()
        # Most of the file is numbers: damage the pickle before them, or the table after them.
        start = rng.choice([0, len(whole) - 40_000])
        part = damaged(rng, whole[start : start + 40_000])
        path.write_bytes(whole[:start] + part + whole[start + 40_000 :])
    return path


def read_weights(path):
    network = build_classifier("efficientnet_lite0", path)[0]
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())


def write_checkpoint(rng, folder):
    content = {"identity": {"seed": "0"}, "state": {"trained": {"w": torch.zeros(9)}, "best": 1}}
    path = folder / "run.pt"
    torch.save(content if rng.random() < 0.7 else spoiled(rng, content), path)
    path.write_bytes(damaged(rng, path.read_bytes()))
    return path


def read_checkpoint(path):
    assert isinstance(load_state(path, {"seed": "0"}), dict)


def good_notebook():
    code = v4.new_code_cell("print(1)", id="b", execution_count=1, metadata={"tags": ["a"]})
    code.outputs = [
        v4.new_output("stream", text="1\n"),
        v4.new_output("display_data", {"text/html": "<b>1</b>", "text/plain": ["1"]}),
        v4.new_output("error", ename="E", evalue="x", traceback=["\x1b[31mE\x1b[0m: x"]),
    ]
    prose = v4.new_markdown_cell("# A\n\n$x^2$ and ![i](attachment:a.png)", id="a")
    prose["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo="}}
    cells = [prose, code, v4.new_raw_cell("r", id="c")]
    return json.loads(json.dumps(v4.new_notebook(cells=cells)))


def write_notebook(rng, folder):
    notebook = good_notebook()
    for _ in range(rng.choice([1, 1, 2, 4])):
        notebook = spoiled(rng, notebook)
    path = folder / "some.ipynb"
    path.write_bytes(maybe(rng, 0.2, json.dumps(notebook).encode()))
    return path


def read_notebook(path):
    assert export_pdf(path, path.with_suffix(".pdf")).pages >= 1
    assert path.with_suffix(".pdf").read_bytes()[:5] == b"%PDF-"


def write_zip(rng, folder):
    writer, pdf = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(pdf)
    files = {
        "a.ipynb": json.dumps(good_notebook()).encode(),
        "a.pdf": pdf.getvalue(),
        "hw3/a.py": b"x",
    }
    hit = rng.choice(list(files))
    files[hit] = maybe(rng, 0.4, files[hit])
    if rng.random() < 0.2:
        files[rng.choice(["../x.py", "/x.py", "A.PDF", "C:\\x", "a\n.py", "b.pdf"])] = b"x"
    sums = {name: {"sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    manifest = {"pages": 1, "files": sums}
    manifest = json.dumps(spoiled(rng, manifest) if rng.random() < 0.4 else manifest).encode()
    path = folder / "hw3.zip"
    method = rng.choice([zipfile.ZIP_STORED, *[zipfile.ZIP_DEFLATED] * 3, zipfile.ZIP_LZMA])
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in {"manifest.json": manifest, **files}.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)  # with a date that stays
    path.write_bytes(maybe(rng, 0.6, path.read_bytes()))
    return path


def read_zip(path):
    assert isinstance(verify_bundle(path)["pages"], int)


def write_student(rng, folder):
    deep = rng.choice([2, 90, 3000])
    values = ["[" * deep + "]" * deep, "{a=" * deep + "1" + "}" * deep, "9" * 5000, "1979-99-01"]
    values += ["'Ada'", '"\\u0000"', "nan", "[1, 'a']"]
    line = f"{rng.choice(['name', 'name', 'surname', 'a.' * deep + 'a'])} = {rng.choice(values)}"
    path = folder / "student.toml"
    path.write_bytes(maybe(rng, 0.5, f'student_id = "1"\n{line}\n'.encode()))
    return path


def read_student(path):
    assert all(isinstance(text, str) for text in vars(load_identity(path)).values())


def write_value(rng, folder):
    values = [*ODD, 8, 0.5, [8], [0.5], [8, "x"], math.inf, b"x", 1j, {1}, ()]
    value = rng.choice(values)
    for _ in range(rng.choice([0, 0, 1, 3000])):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return rng.choice(list(vars(PROFILES["embedded"]))), value


def read_value(chosen):
    field, value = chosen
    kept = getattr(get_profile("embedded", **{field: value}), field)
    assert kept == value or str(kept) == value or list(kept) == value


def write_samples(rng, folder):
    rows = [f"{rng.gauss(0, 9)} {rng.gauss(0, 9)} {i % 2}" for i in range(8)]
    if rng.random() < 0.5:
        rows[3] = rng.choice(
            ["", "1 2", "a b c", "nan 1 0", "1e39 1 0", "1 1 2", "#", "\0", "1,2,0"]
        )
    content = rng.choice(["\n", "\r\n", "\r"]).join(rows).encode(rng.choice(["utf-8", "utf-16"]))
    path = folder / "samplestr.txt"
    path.write_bytes(maybe(rng, 0.6, content))
    return path


def read_samples(path):
    samples = ImbalancedDataset(path.parent)
    assert samples.data.isfinite().all()
    assert set(samples.labels.tolist()) == {0, 1}


def write_archive(rng, folder):
    kind = rng.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
    content = b""
    for number in range(1, 4):
        entry = tarfile.TarInfo(f"jpg/image_{number:05d}.jpg")
        entry.size = 100
        if rng.random() < 0.2:
            entry.name = rng.choice(["../x", "/x", "jpg/../x", "jpg/" + "x" * 90, "jpg/é", "jpg"])
        if rng.random() < 0.2:
            entry.size = rng.choice([0, 2**32, 2**33 - 1])
            entry.type = rng.choice([b"0", b"1", b"2", b"5", b"6", b"x", b"g", b"L", b"K", b"S"])
        content += entry.tobuf(kind) + bytes(512)
    path = folder / "102flowers.tgz"
    path.write_bytes(
        maybe(rng, 0.4, gzip.compress(maybe(rng, 0.6, content + bytes(1024)), mtime=0))
    )
    return path


def read_archive(path):
    folder = path.parent / "jpg"
    assert unpack(path, folder, 3) == len(list(folder.iterdir())) == 3


def write_labelled(rng, folder):
    X, y = np.random.default_rng(0).normal(size=(9, 2)), [i % 3 for i in range(9)]
    odd = [None, math.nan, math.inf, "a", 1.0, 2**70, 1j, [], True, b"a", np.int8(2)]
    for _ in range(rng.choice([0, 1, 2])):
        y[rng.randrange(9)] = rng.choice(odd)
    ys = [y, y, y, [str(label) for label in y], [y], y[:5], scipy.sparse.eye(9), "abc", None]
    Xs = [
        X,
        X,
        X,
        X.tolist(),
        X[0],
        X * math.nan,
        scipy.sparse.eye(9),
        X.astype(object),
        X * 1j,
        None,
    ]
    sizes = rng.choice([4, 4, 4, 4, 9.0, 0, "4", None, True, 2**70])
    return rng.choice(Xs), rng.choice(ys), sizes


def read_labelled(given):
    X, y, batch_size = given
    model = SoftmaxRegression(max_epochs=2, batch_size=batch_size).fit(X, y)
    assert set(model.predict(X).tolist()) <= set(model.classes_.tolist()) == set(y)
    assert 0 <= model.score(X, y) <= 1


KINDS = {
    "features, .mat": (600, write_features, read_features),
    "features, .npy": (400, write_array, read_features),
    "labels of flowers, .mat": (450, write_labels, read_classes),
    "splits of flowers, .mat": (450, write_split, read_split),
    "digits, IDX": (500, write_digits, read_digits),
    "photographs": (600, write_photograph, read_photograph),
    "weights": (200, write_weights, read_weights),
    "checkpoints": (250, write_checkpoint, read_checkpoint),
    "zips to verify": (500, write_zip, read_zip),
    "notebooks to export": (250, write_notebook, read_notebook),
    "student.toml": (250, write_student, read_student),
    "values of a profile": (250, write_value, read_value),
    "sample files": (300, write_samples, read_samples),
    "archives": (300, write_archive, read_archive),
    "features and labels": (400, write_labelled, read_labelled),
}
"""How many inputs of each kind are tried, how one is written, and how it is read."""
