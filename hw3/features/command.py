"""The command ``python -m hw3.features``, which extracts the features of MNIST.

Under ``torchrun --nproc-per-node N -m hw3.features ...`` the processes, on one machine or on
several that share a file system, take shards from one queue, so that a slow process
holds nobody up. The first process puts the file together. If a process dies, the run ends, and the
next run starts from the finished shards.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from coursework.backbones import BACKBONES
from coursework.processes import ProcessLostError, process_group
from coursework.storage import BusyError
from hw3.features.extraction import extract
from hw3.features.extractor import build_extractor
from hw3.features.pipeline import Preprocessing
from hw3.mnist import FILES, load_mnist


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract one split of MNIST, as the command line says."""
    chosen = _parser().parse_args(arguments)
    try:
        with process_group(chosen.device) as device:
            weights = None if chosen.weights == "none" else chosen.weights
            extract(
                load_mnist(chosen.root, chosen.split),
                chosen.output,
                build_extractor(chosen.backbone, weights, seed=chosen.seed),
                Preprocessing(image_size=chosen.image_size),
                batch_size=chosen.batch_size,
                device=str(device),
                precision=chosen.precision,
            )
    except (ValueError, FileNotFoundError, BusyError, ProcessLostError) as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(
            f"error: {chosen.output} was not made: {error}; once that is mended, the same command "
            "goes on from the shards that are finished"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hw3.features",
        description="Write the features of MNIST's digits to a file. A run that was stopped goes "
        "on where it was. torchrun --nproc-per-node N -m hw3.features shares it among N processes.",
    )
    parser.add_argument("--root", type=Path, required=True, help="the folder of MNIST's IDX files")
    parser.add_argument("--split", choices=tuple(FILES), default="train")
    parser.add_argument("--output", type=Path, required=True, help="NAME.mat, or NAME.npy")
    parser.add_argument("--backbone", choices=tuple(BACKBONES), default="resnet50")
    parser.add_argument("--weights", default="imagenet", help="imagenet, none, or a checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="of the weights, where there are none")
    parser.add_argument("--image-size", type=int, help="pixels a side; as stored by default")
    parser.add_argument("--batch-size", type=int, default=250)
    parser.add_argument("--precision", default="fp32", help="fp32, bf16, fp16 or auto")
    parser.add_argument("--device", default="auto")
    return parser
