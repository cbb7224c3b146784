"""The weights, as the networks ask for them."""

from pathlib import Path

import pytest
import torch

from coursework.cli import main
from coursework.data import FetchError, fetch, weights_file
from tests.coursework.data.fetching.conftest import CONTENTS, put_by_hand, quietly, visible


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
    assert server.requests == []
    assert visible(root) == []


def test_the_command_copies_weights_of_torch_into_the_folder(server, root, capsys):
    cached = write_to_cache_of_torch(CONTENTS["weights"]["resnet18.pth"])
    assert main(["fetch", "weights"]) == 0
    assert [request.path for request in server.requests] == ["/weights/resnet50.pth"]
    assert capsys.readouterr().out.splitlines()[0].endswith(f"from {cached}")
    assert visible(root) == ["weights/resnet18.pth", "weights/resnet50.pth"]
    cached.unlink()
    assert main(["fetch", "weights", "--offline"]) == 0


def test_good_weights_of_torch_replace_damaged_ones(no_network, root):
    put_by_hand(root, "weights")
    path = root / "weights" / "resnet18.pth"
    path.write_bytes(b"damaged")
    write_to_cache_of_torch(CONTENTS["weights"]["resnet18.pth"])
    fetch(["weights"], root, quietly())
    assert path.read_bytes() == CONTENTS["weights"]["resnet18.pth"]


def test_offline_weights_of_torch_are_verified_where_they_are(root):
    put_by_hand(root, "weights")
    (root / "weights" / "resnet18.pth").unlink()
    cached = write_to_cache_of_torch(CONTENTS["weights"]["resnet18.pth"])
    lines = []
    fetch(["weights"], root, quietly(lines, offline=True))
    assert lines[0].endswith(f"verified, at {cached}")
    assert visible(root) == ["weights/resnet50.pth"]


def test_damaged_weights_of_torch_are_left_and_good_ones_fetched(root):
    cached = write_to_cache_of_torch(b"damaged")
    assert weights_file("resnet18", manner=quietly()) == root / "weights" / "resnet18.pth"
    assert cached.read_bytes() == b"damaged"


def test_weights_of_another_network_are_refused():
    with pytest.raises(ValueError, match="'vgg16'; there are those of resnet18, resnet50"):
        weights_file("vgg16")
