"""What the tests of homework 4 share; PyTorch is imported only for tests that need it."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest

from coursework.profiles import ROOT

DRAWN = ROOT / "data" / "flowers"
PARTS = {"trnid": [6, 1, 4], "valid": [2, 5], "tstid": [3]}


def drawn(figure):
    """Draw a figure for real, so that an error in its text or layout shows."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    from coursework.figure import WIDTH

    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] == pytest.approx(WIDTH)
    assert figure.get_size_inches()[1] < 9
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    assert plt.get_fignums() == []
    return figure


def by_processes(number, *program):
    """Run a Python program in one process, or in several under torchrun, of one thread each."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={number}"]
    done = subprocess.run(
        [sys.executable, *(launcher if number > 1 else ()), *program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(autouse=True, scope="module")
def plain_arithmetic():
    """Compute in float32 on the CPU, whatever this machine has, unless a test says otherwise."""
    if "hw4.flowers" not in sys.modules:  # the tests of other questions
        yield
        return
    from coursework.runtime import choose_device

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("coursework.runtime.reduced_precision", lambda device: None)
        for module in ("hw4.flowers.training", "hw4.flowers.evaluation"):
            patched.setattr(
                f"{module}.choose_device",
                lambda name="auto": choose_device("cpu" if name == "auto" else name),
            )
        yield


@pytest.fixture
def blobs():
    from tests.hw4.blobs import Blobs

    return Blobs()


@pytest.fixture
def validation_blobs():
    from tests.hw4.blobs import Blobs

    return Blobs(samples=21, seed=1)


@pytest.fixture
def flower_folder(tmp_path):
    """Return a function that writes six images of two classes, or what its arguments change."""
    from PIL import Image
    from scipy.io import savemat

    def write(labels=(1, 1, 1, 2, 2, 2), parts=PARTS, images=None, size=(40, 30)):
        root = tmp_path / "flowers"
        (root / "jpg").mkdir(parents=True)
        rng = np.random.default_rng(0)
        for number in range(1, 1 + (len(labels) if images is None else images)):
            # Smooth, so that JPEG keeps it.
            coarse = rng.integers(0, 256, (3, 4, 3), np.uint8)
            picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
            picture.save(root / "jpg" / f"image_{number:05d}.jpg", quality=95)
        if labels is not None:
            savemat(root / "imagelabels.mat", {"labels": np.asarray(labels)}, oned_as="row")
        if parts is not None:
            content = {name: np.asarray(part, np.uint16) for name, part in parts.items()}
            savemat(root / "setid.mat", content, oned_as="row")
        return root

    return write


@pytest.fixture(scope="session")
def make_history():
    """Return a function that makes a history from its validation accuracies."""
    from hw4.flowers import History

    def make(accuracies, diverged="", seconds=1.5):
        count = len(accuracies)
        falling = tuple(1 / (epoch + 1) for epoch in range(count))
        return History(
            falling, falling, tuple(accuracies), (0.01,) * count, (seconds,) * count, diverged
        )

    return make


@pytest.fixture(scope="session")
def make_result(make_history):
    """Return a function that makes the result of a mode in which given test images are right."""
    from hw4.flowers import ModeResult, Predictions

    def predict(right, count):
        labels = np.arange(count) % 4
        answers = (labels + 1) % 4
        answers[list(right)] = labels[list(right)]
        return Predictions(labels, 0.1 + 0.6 * np.eye(4)[answers])

    def make(right=range(90), accuracies=(0.2, None), diverged="", seconds=1.5, validation=None):
        test = predict(right, 100)
        if validation is None:
            validation = min(1.0, test.accuracy + 0.05)
        history = make_history(
            [validation if value is None else value for value in accuracies], diverged, seconds
        )
        return ModeResult(0.01, history, None, predict(range(round(100 * validation)), 100), test)

    return make


@pytest.fixture
def results(make_result):
    """Return three modes; B and C have equally many images right, but not the same ones."""
    return {
        "scratch": make_result(right=range(40)),
        "finetune": make_result(right=range(90)),
        "last_layers": make_result(right=range(10, 100)),
    }
