"""``python -m hw4.training``: a training from the command line, alone and under torchrun."""

import re
import sys

import pytest
import torch

from coursework.backbones import HALF, build_classifier
from hw4.flowers import FlowerDataset, build_network, predict
from hw4.training import main
from tests.hw4.conftest import DRAWN, by_processes

pytestmark = pytest.mark.hw4_flowers

QUICK = [
    *("--root", str(DRAWN), "--image-size", "32", "--device", "cpu"),
    *("--backbone", "efficientnet_lite0", "--mode", "head", "--epochs", "2"),
    *("--learning-rate", "0.1", "--no-augmentation", "--precision", "fp32"),
]
ACCURACY = re.compile(r"best epoch (\d+), test accuracy (0\.\d{4})")


def test_it_trains_and_writes_the_network_it_tested(tmp_path, capsys):
    output = tmp_path / "best.pt"
    assert main([*QUICK, "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if re.match(r" +\d ", line)]
    assert [row[0] for row in rows] == ["1", "2"]
    network = build_network("head", 10, "efficientnet_lite0")
    network.load_state_dict(torch.load(output, weights_only=True))
    flowers = FlowerDataset(DRAWN, "test", image_size=32, normalisation=HALF)
    accuracy = predict(network, flowers, device="cpu").accuracy
    assert float(ACCURACY.search(printed)[2]) == pytest.approx(accuracy, abs=0.02)
    assert accuracy > 0.2
    # What was trained is where the next training, and the extraction of features, can start.
    again = build_network("finetune", 3, "efficientnet_lite0", output).state_dict()
    extractor = build_classifier("efficientnet_lite0", output)[0].state_dict()
    for name, tensor in network.state_dict().items():
        if not name.startswith("trained.classifier"):
            inside = name.removeprefix("frozen.").removeprefix("trained.")
            assert torch.equal(again[f"trained.{inside}"], tensor)
            assert torch.equal(extractor[inside.replace("blocks_", "blocks.")], tensor)


@pytest.mark.handed_out
def test_an_error_is_told_in_words(tmp_path, capsys):
    assert main([*QUICK, "--root", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("hw4.training: ")
    assert str(tmp_path) in error
    assert main([*QUICK, "--batch-size", "0"]) == 1
    assert "batch_size is 0, expected 1 or more" in capsys.readouterr().err
    assert main([*QUICK, "--image-size", "100000"]) == 1
    assert "image_size is 100000, expected 1 to 1024" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, capsys):
    for options, message in (
        (["--output", str(tmp_path)], "is a folder; name a file in it"),
        (["--checkpoint", str(tmp_path)], "is a folder; name a file in it"),
        (["--output", "run.pt", "--checkpoint", "./run.pt"], "are both run.pt; name two files"),
    ):
        assert main([*QUICK, *options]) == 1
        assert message in capsys.readouterr().err


def test_a_run_that_learned_nothing_says_so_and_writes_nothing(tmp_path, capsys):
    output = tmp_path / "best.pt"
    assert main([*QUICK, "--learning-rate", "1e38", "--output", str(output)]) == 1
    assert "nothing was learned and nothing is written: the" in capsys.readouterr().err
    assert not output.exists()


def test_under_torchrun_it_gives_what_it_gives_alone(capsys):
    """The head alone, on images that stay the same: rounding stays small."""
    assert main(QUICK) == 0
    alone = capsys.readouterr().out
    together = by_processes(2, "-m", "hw4.training", *QUICK)
    # One of the two prints.
    assert len(ACCURACY.findall(together.stdout)) == 1
    for pattern in (r" 1 +(\d\.\d{4})", r" 2 +(\d\.\d{4})"):
        first, second = (float(re.search(pattern, t)[1]) for t in (alone, together.stdout))
        assert first == pytest.approx(second, abs=2e-3)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the threads in /proc")
def test_no_thread_of_the_group_outlives_the_training(tmp_path):
    """Such a thread aborts the process at the end of Python, now and then."""
    program = tmp_path / "program.py"
    program.write_text("""
import sys
from pathlib import Path
from hw4.training import main
code = main(sys.argv[1:])
names = [(thread / "comm").read_text().strip() for thread in Path("/proc/self/task").iterdir()]
print(f"threads: {' '.join(names)}", flush=True)
sys.exit(code)
""")
    together = by_processes(2, str(program), *QUICK, "--epochs", "1")
    assert together.stdout.count("threads: ") == 2
    assert "gloo" not in together.stdout
