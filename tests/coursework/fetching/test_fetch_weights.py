"""The weights, as the networks ask for them."""

from pathlib import Path

import pytest
import torch

from coursework.fetch import FetchError, fetch, weights_file
from tests.coursework.fetching.conftest import CONTENTS, quietly, visible


def test_weights_are_asked_for_by_the_name_of_the_network(root):
    path = weights_file("resnet50", manner=quietly())
    assert path == root / "weights" / "resnet50.pth"
    assert path.read_bytes() == CONTENTS["weights"]["resnet50.pth"]
    assert visible(root) == ["weights/resnet50.pth"]


def write_to_cache_of_torch(content):
    path = Path(torch.hub.get_dir()) / "checkpoints" / "resnet18.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_weights_that_torch_has_already_are_not_fetched_again(server, root):
    with pytest.raises(FetchError):
        weights_file("resnet18", manner=quietly(offline=True))
    cached = write_to_cache_of_torch(CONTENTS["weights"]["resnet18.pth"])
    lines = []
    assert weights_file("resnet18", manner=quietly(lines)) == cached
    assert str(cached) in lines[0]
    fetch(["weights"], root, quietly())
    assert [request.path for request in server.requests] == ["/weights/resnet50.pth"]


def test_damaged_weights_of_torch_are_left_and_good_ones_fetched(root):
    cached = write_to_cache_of_torch(b"damaged")
    assert weights_file("resnet18", manner=quietly()) == root / "weights" / "resnet18.pth"
    assert cached.read_bytes() == b"damaged"


def test_weights_of_another_network_are_refused():
    with pytest.raises(ValueError, match="'vgg16'; there are those of resnet18, resnet50"):
        weights_file("vgg16")
