"""The networks that both homeworks start from are those that the table describes."""

import argparse
import dataclasses
import zipfile

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image, ImageOps
from torch import nn

from coursework.backbones import BACKBONES, build_classifier
from coursework.data import sources
from coursework.storage import sha256


@pytest.mark.parametrize("name", BACKBONES)
def test_the_table_describes_the_networks(name):
    network, described = build_classifier(name, None, seed=7)
    backbone = BACKBONES[name]
    head = network.get_submodule(backbone.head)
    assert isinstance(head, nn.Linear)
    assert (head.in_features, head.out_features) == (backbone.width, 1000)
    assert list(network.get_submodule(backbone.last_stage).parameters())
    assert described == "untrained, seed 7"


def test_imagenet_weights_know_a_daisy_from_a_tulip(flowers5):
    """ImageNet's class 985 is the daisy; in that folder daisies are 1 and tulips are 5."""
    network, described = build_classifier("efficientnet_lite0")
    assert described == "trained on ImageNet"
    labels = scipy.io.loadmat(flowers5 / "imagelabels.mat")["labels"].ravel()
    photographs = np.array(sorted((flowers5 / "jpg").iterdir()))

    def share_with_a_daisy_among_five_guesses(label):
        images = [
            ImageOps.fit(Image.open(photograph).convert("RGB"), (224, 224))
            for photograph in photographs[labels == label][:20]
        ]
        x = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) / 127.5 - 1
        with torch.inference_mode():
            guesses = network.eval()(x).topk(5).indices
        return (guesses == 985).any(dim=1).float().mean().item()

    assert share_with_a_daisy_among_five_guesses(1) >= 0.8
    assert share_with_a_daisy_among_five_guesses(5) <= 0.4


def test_imagenet_weights_of_a_resnet_are_those_of_the_file_that_torchvision_publishes(
    tmp_path, monkeypatch
):
    state = build_classifier("resnet18", None, seed=5)[0].state_dict()
    path = tmp_path / "weights" / sources.WEIGHTS["resnet18"].name
    path.parent.mkdir()
    torch.save(state, path)
    here = dataclasses.replace(
        sources.WEIGHTS["resnet18"], size=path.stat().st_size, checksum=f"sha256:{sha256(path)}"
    )
    monkeypatch.setitem(sources.WEIGHTS, "resnet18", here)
    monkeypatch.setenv("COURSEWORK_DATA", str(tmp_path))
    network, described = build_classifier("resnet18")
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())
    assert described == "trained on ImageNet"


@pytest.fixture(scope="module")
def trained():
    """The tensors of the smallest backbone, as a training would leave them."""
    return build_classifier("efficientnet_lite0", None, seed=3)[0].state_dict()


@pytest.mark.parametrize(
    ("prefix", "key"),
    [
        *(("module.", "state_dict"), ("_orig_mod.", None), ("model.", "state_dict")),
        *(("module._orig_mod.", "model_state_dict"), ("model.module._orig_mod.", "model")),
    ],
)
def test_the_names_that_wrappers_give_are_understood(trained, tmp_path, prefix, key):
    path = tmp_path / "mine.pth"
    body = {name: tensor for name, tensor in trained.items() if not name.startswith("classifier")}
    state = {f"{prefix}{name}": tensor for name, tensor in body.items()}
    torch.save({key: state, "epoch": 3} if key else state, path)
    network, described = build_classifier("efficientnet_lite0", path)
    assert torch.equal(network.state_dict()["conv_head.weight"], trained["conv_head.weight"])
    assert described == "checkpoint mine.pth"


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch warns of what it no longer wants
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x * torch.nan, "infinite or undefined"),
        (lambda x: x + torch.inf, "infinite or undefined"),
        (lambda x: x.double() * 1e300, "infinite or undefined"),
        (lambda x: x.to(torch.complex64), "holds torch.complex64, where torch.float32"),
        (lambda x: x.to(torch.int8), "holds torch.int8, where torch.float32"),
        (lambda x: x.to_sparse(), "is sparse"),
        (lambda x: x.to("meta"), "on the device meta"),
        (lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8), "holds torch.qint8"),
    ],
)
def test_tensors_that_are_no_weights_are_refused_in_words(trained, tmp_path, change, message):
    path = tmp_path / "mine.pth"
    torch.save(trained | {"conv_stem.weight": change(trained["conv_stem.weight"] + 1e9)}, path)
    with pytest.raises(ValueError, match=rf"mine\.pth: the tensor conv_stem\.weight .*{message}"):
        build_classifier("efficientnet_lite0", path)


def test_half_precision_is_precise_enough_for_weights(trained, tmp_path):
    torch.save({name: tensor.half() for name, tensor in trained.items()}, tmp_path / "mine.pth")
    found = build_classifier("efficientnet_lite0", tmp_path / "mine.pth")[0].state_dict()[
        "conv_stem.weight"
    ]
    torch.testing.assert_close(found, trained["conv_stem.weight"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ({"options": argparse.Namespace(rate=0.1)}, r"a Namespace \(argparse\.Namespace\)"),
        ({"loss": np.float64(0.5)}, "a NumPy scalar"),
        ({"losses": np.zeros(3)}, "a NumPy array"),
        (nn.Linear(2, 2), r"a Linear \(torch\.nn\.modules\.linear\.Linear\)"),
    ],
)
def test_what_only_code_could_load_is_named_with_what_to_do(trained, tmp_path, content, held):
    path = tmp_path / "mine.pth"
    torch.save(trained | content if isinstance(content, dict) else content, path)
    with pytest.raises(
        ValueError, match=rf"mine\.pth .*: it holds {held}, .*alone: torch\.save"
    ) as e:
        build_classifier("efficientnet_lite0", path)
    assert str(e.value).isprintable()
    assert len(str(e.value)) < 400


@pytest.mark.parametrize(
    ("content", "held"),
    [({"epoch": 3, "net": {}}, "a dictionary of epoch, net"), ([1, 2, 3], "list")],
)
def test_a_file_without_weights_says_what_it_holds(tmp_path, content, held):
    path = tmp_path / "mine.pth"
    torch.save(content, path)
    with pytest.raises(ValueError, match=rf"mine\.pth holds no state_dict .* but {held}; write"):
        build_classifier("efficientnet_lite0", path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "strange.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"strange\.pth is not a checkpoint"):
        build_classifier("resnet18", path)


def test_a_checkpoint_that_was_packed_is_refused_before_it_is_unpacked(tmp_path):
    torch.save({"conv_stem.weight": torch.zeros(1_000_000)}, tmp_path / "loose.pth")
    with (
        zipfile.ZipFile(tmp_path / "loose.pth") as loose,
        zipfile.ZipFile(tmp_path / "packed.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in loose.namelist():
            packed.writestr(name, loose.read(name))
    with pytest.raises(ValueError, match=r"packed\.pth .*it is compressed"):
        build_classifier("efficientnet_lite0", tmp_path / "packed.pth")


def test_a_checkpoint_that_does_not_fit_is_refused_with_the_reasons(tmp_path):
    state = build_classifier("resnet18", None)[0].state_dict()
    del state["conv1.weight"]
    path = tmp_path / "other.pth"
    torch.save(state | {"bn1.weight": torch.zeros(3), "extra": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="does not fit this network") as error:
        build_classifier("resnet18", path)
    for reason in (
        str(path),
        'Missing key(s) in state_dict: "conv1.weight"',
        'Unexpected key(s) in state_dict: "extra"',
        "size mismatch for bn1.weight",
    ):
        assert reason in str(error.value)
    assert "\n" not in str(error.value)
