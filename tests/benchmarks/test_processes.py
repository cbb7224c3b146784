"""The speed of processes: what is timed is the extraction itself, and makes the same file."""

from benchmarks.extraction import digits
from benchmarks.processes import free_port, take_part
from hw3.features import build_extractor, extract
from hw3.mnist import Digits


def test_who_takes_part_writes_what_extract_writes(monkeypatch, tmp_path):
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "set by the benchmark, and back afterwards")
    assert 0 < take_part(tmp_path / "x.mat", 20, 0, 1, free_port()) < 60
    train = digits()
    some = Digits(train.images[:20], train.labels[:20])
    network = build_extractor("resnet50", None)
    extract(some, tmp_path / "y.mat", network, device="cpu", show_progress=False)
    assert (tmp_path / "x.mat").read_bytes() == (tmp_path / "y.mat").read_bytes()
