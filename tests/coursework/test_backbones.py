"""The networks that both homeworks start from are those that the table describes."""

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image, ImageOps
from torch import nn

from coursework.backbones import BACKBONES, build_classifier


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
