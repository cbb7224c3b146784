"""Coding part 1: a training that is stopped goes on, and ends as if it had not been stopped."""

import dataclasses

import pytest
import torch
from PIL import Image

from coursework.storage import BusyError, locked
from hw4.flowers import FlowerDataset, TrainingSettings, build_network, train_model
from tests.hw4.blobs import Blobs

pytestmark = pytest.mark.hw4_flowers

SETTINGS = TrainingSettings(epochs=3, learning_rate=0.01, batch_size=16, schedule="cosine")


def train(checkpoint=None, settings=SETTINGS, seed=0, mode="last_layers", train_set=None):
    network = build_network(mode, 3, "resnet18", None, seed=seed)
    source = train_set or Blobs(augments=True)
    return train_model(network, source, Blobs(samples=21, seed=1), settings, checkpoint=checkpoint)


def same(first, second):
    first, second = first.network.state_dict(), second.network.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


class PowerCutError(Exception):
    """Ends a training in the middle of a batch."""


@pytest.mark.parametrize("mode", ["scratch", "last_layers"])
@pytest.mark.parametrize("after", [3, 9, 12])
def test_stopped_anywhere_and_started_again_it_ends_with_the_same_weights(tmp_path, mode, after):
    """One image identifies the data, an epoch has four batches: stopped in the first or third."""

    class Interrupted(Blobs):
        left = after

        def batch(self, indices, epoch=0):
            type(self).left -= 1
            if type(self).left < 0:
                raise PowerCutError
            return super().batch(indices, epoch)

    path = tmp_path / "run.pt"
    with pytest.raises(PowerCutError):
        train(path, mode=mode, train_set=Interrupted(augments=True))
    resumed, whole = train(path, mode=mode), train(mode=mode)
    assert same(resumed, whole)
    assert resumed.history.training_loss == whole.history.training_loss
    assert resumed.history.validation_loss == whole.history.validation_loss


def test_a_finished_training_is_not_done_again(tmp_path):
    path = tmp_path / "run.pt"
    first = train(path)
    source = Blobs(augments=True)
    again = train(path, train_set=source)
    assert same(first, again)
    assert again.history == first.history
    # One image is looked at, to recognise the data.
    assert source.loaded == {0: 1}


def test_a_diverged_training_is_not_tried_again(tmp_path):
    wild = dataclasses.replace(SETTINGS, learning_rate=1e30)
    first = train(tmp_path / "run.pt", wild)
    assert train(tmp_path / "run.pt", wild).history == first.history
    assert first.history.diverged


def test_more_epochs_continue_a_training_at_a_constant_rate(tmp_path):
    path = tmp_path / "run.pt"
    short = dataclasses.replace(SETTINGS, schedule="constant", epochs=1)
    long = dataclasses.replace(short, epochs=3)
    train(path, short)
    assert same(train(path, long), train(settings=long))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"settings": dataclasses.replace(SETTINGS, learning_rate=0.02)}, "learning_rate"),
        ({"settings": dataclasses.replace(SETTINGS, epochs=4)}, "epochs"),
        ({"seed": 1}, "network|initial weights"),
        ({"mode": "scratch"}, "network"),
        ({"train_set": Blobs(samples=61, augments=True)}, "training set"),
        ({"train_set": Blobs(augments=True, noise=0.1)}, "training set"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused_and_kept(tmp_path, change, named):
    path = tmp_path / "run.pt"
    train(path)
    content = path.read_bytes()
    with pytest.raises(ValueError, match=rf"run\.pt belongs to another training: its ({named}) is"):
        train(path, **change)
    assert path.read_bytes() == content


@pytest.mark.parametrize(("mode", "index"), [("train", 1), ("val", -1)])
def test_the_checkpoint_knows_every_image(tmp_path, flower_folder, mode, index):
    root, path = flower_folder(), tmp_path / "run.pt"
    settings = dataclasses.replace(SETTINGS, epochs=1, batch_size=3)

    def run():
        sets = [FlowerDataset(root, mode, image_size=32) for mode in ("train", "val")]
        network = build_network("head", 2, "resnet18", None)
        return train_model(network, *sets, settings, checkpoint=path, device="cpu")

    run()
    content = path.read_bytes()
    image = FlowerDataset(root, mode).paths[index]
    Image.new("RGB", (40, 30)).save(image)
    with pytest.raises(ValueError, match=r"belongs to another training: its \w+ (images|set) is"):
        run()
    assert path.read_bytes() == content


def test_a_checkpoint_of_the_first_version_goes_on(tmp_path, caplog):
    """It does not say which images it was trained on; the rest has to be right."""
    path = tmp_path / "run.pt"
    finished = train(path, mode="head")
    content = torch.load(path, weights_only=True)
    for name in ("training images", "validation images"):
        del content["identity"][name]
    torch.save(content, path)
    assert same(train(path, mode="head"), finished)
    assert "does not say what its training images were" in caplog.text
    with pytest.raises(ValueError, match="belongs to another training"):
        train(path, seed=1, mode="head")


@pytest.fixture
def trial(monkeypatch):
    """Return a function that says what the next trials of the layouts will find."""
    monkeypatch.setattr("hw4.flowers.training.TRIAL_FROM", 1)

    def finds(layout):
        monkeypatch.setattr("hw4.flowers.training.choose_layout", lambda *_: layout)

    return finds


@pytest.mark.parametrize("named", [True, False])
def test_a_training_goes_on_in_the_layout_of_its_checkpoint(tmp_path, trial, named):
    """Versions before 0.2.0 knew `channels_last` alone, and did not name it."""
    path, short = tmp_path / "run.pt", dataclasses.replace(SETTINGS, schedule="constant", epochs=1)
    then, now = ("contiguous", "channels_last") if named else ("channels_last", "contiguous")
    trial(then)
    whole = train(settings=dataclasses.replace(short, epochs=2))
    train(path, short)
    if not named:
        content = torch.load(path, weights_only=True)
        assert content["state"].pop("layout") == then
        torch.save(content, path)
    trial(now)
    resumed = train(path, dataclasses.replace(short, epochs=2))
    assert resumed.network.layout == whole.network.layout == then
    assert same(resumed, whole)
    assert not same(resumed, train(settings=dataclasses.replace(short, epochs=2)))


def test_a_checkpoint_whose_state_is_damaged_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    train(path, mode="head")
    content = torch.load(path, weights_only=True)
    for damage in ({"trained": {}}, {"history": {"a": 1}}, {"optimizer": 3}):
        torch.save({**content, "state": content["state"] | damage}, path)
        with pytest.raises(ValueError, match=r"run\.pt does not hold the state .*remove it to"):
            train(path, mode="head")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_checkpoint_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.pt is not a checkpoint.*remove it to start anew"):
        train(path)
    assert path.read_bytes() == content


def test_two_trainings_do_not_write_one_checkpoint(tmp_path):
    path = tmp_path / "run.pt"
    with locked(path), pytest.raises(BusyError, match=r"another process is writing .*run\.pt"):
        train(path)


def test_a_checkpoint_that_is_a_folder_is_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match="is a folder; name a file in it"):
        train(tmp_path)


def test_fewer_epochs_than_there_are_already_are_not_what_was_asked_for(tmp_path):
    path = tmp_path / "run.pt"
    train(path, dataclasses.replace(SETTINGS, schedule="constant", epochs=2))
    with pytest.raises(ValueError, match=r"run\.pt holds 2 epochs already, 1 are asked for"):
        train(path, dataclasses.replace(SETTINGS, schedule="constant", epochs=1))
