"""Coding part 1: several processes give the network that one process gives."""

import numpy as np
import pytest
import torch

from tests.hw4.conftest import by_processes

pytestmark = pytest.mark.hw4_flowers


TRAINING = """
import sys
import torch
from coursework.processes import process_group
from hw4.flowers import TrainingSettings, build_network, train_model
from hw4.flowers.processes import current_processes
from tests.hw4.blobs import Blobs

mode, backbone, batch_size, output = sys.argv[1:]
settings = TrainingSettings(2, 0.001, int(batch_size), precision="fp32")
with process_group("cpu", patience=60) as device:
    train, validation = Blobs(samples=59, augments=True), Blobs(samples=22, seed=1)
    train.type = validation.type = torch.float64
    # In float64: in float32 an untrained network on few images turns the last digit of a sum into
    # the third digit of a gradient, in one process too, if the order of the sum is changed.
    network = build_network(mode, 3, backbone, None).double()
    training = train_model(network, train, validation, settings, device=device)
    if current_processes().rank == 0:
        torch.save([training.network.state_dict(), vars(training.history)], output)
"""


@pytest.mark.parametrize(
    ("mode", "backbone", "batch_size", "processes"),
    [
        ("scratch", "resnet18", "20", 2),
        ("finetune", "efficientnet_lite0", "20", 2),
        # The last batch of the 59 samples has two, so that one of three processes has none.
        ("head", "resnet18", "19", 3),
    ],
)
def test_the_result_is_that_of_one_process_up_to_rounding(
    tmp_path, mode, backbone, batch_size, processes
):
    script = tmp_path / "job.py"
    script.write_text(TRAINING)
    results = []
    for number in (1, processes):
        output = tmp_path / f"{number}.pt"
        by_processes(number, str(script), mode, backbone, batch_size, str(output))
        results.append(torch.load(output, weights_only=False))
    (one, alone), (many, together) = results
    for name in ("training_loss", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(alone[name], together[name], rtol=1e-5, err_msg=name)
    for name in one:
        torch.testing.assert_close(one[name], many[name], rtol=1e-3, atol=1e-6, msg=name)
