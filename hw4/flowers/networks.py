"""Coding part 1, the networks: one architecture, trained in three ways."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from coursework.backbones import BACKBONES, Backbone, build_classifier

MODES = {
    "scratch": "no weights loaded, all layers trained",
    "finetune": "ImageNet weights loaded, all layers trained",
    "last_layers": "ImageNet weights loaded, the last stage and the head trained",
    "head": "ImageNet weights loaded, the head alone trained",
}
"""The ways to train: A, B and C of the homework, and a linear probe to compare them with."""


class StagedNetwork(nn.Module):
    """A classifier cut into stages, of which the first few may be frozen.

    A frozen stage is frozen in both senses: its parameters ask for no gradient, and it stays in
    evaluation mode whatever ``train()`` says. Otherwise the running statistics of its BatchNorm
    layers would move with every batch, and the stage would no longer be what was loaded.

    Parameters
    ----------
    stages
        The parts of the network in order; applied one after another they map images (b, 3, height,
        width) to logits (b, classes).
    trained
        How many stages at the end are trained; the others are frozen.
    name
        What it is, in words.
    fixed_statistics
        Whether the BatchNorm layers of the trained part, too, normalise by the statistics that were
        loaded. Their scales and shifts are trained all the same.

    Attributes
    ----------
    frozen, trained
        The two parts, each a ``Sequential``. ``frozen`` may be empty, and then changes nothing.
    """

    def __init__(
        self,
        stages: "OrderedDict[str, nn.Module]",
        trained: int,
        name: str,
        fixed_statistics: bool = False,
    ) -> None:
        super().__init__()
        if not 1 <= trained <= len(stages):
            raise ValueError(f"{trained} stages are to be trained, expected 1 to {len(stages)}")
        items = list(stages.items())
        cut = len(items) - trained
        self.frozen = nn.Sequential(OrderedDict(items[:cut])).requires_grad_(False)
        self.trained = nn.Sequential(OrderedDict(items[cut:])).requires_grad_(True)
        self.name, self.fixed_statistics = name, fixed_statistics
        # The layout in which convolutions are fastest; values are the same up to rounding.
        self.to(memory_format=torch.channels_last)
        self.train()

    @property
    def classes(self) -> int:
        """How many outputs there are."""
        head = self.trained[-1]
        assert isinstance(head, nn.Linear)
        return head.out_features

    def train(self, mode: bool = True) -> Self:
        """Switch the trained part to training mode or back; the frozen one stays in evaluation."""
        super().train(mode)
        self.frozen.eval()
        if self.fixed_statistics:
            for module in self.trained.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (b, 3, height, width) to logits (b, classes)."""
        logits: Tensor = self.trained(self.frozen(images))
        return logits

    def __repr__(self) -> str:
        """Show one line a stage: the layers inside would fill pages."""
        lines = [f"{self.name}"]
        for part, word in ((self.frozen, "frozen"), (self.trained, "trained")):
            for stage, module in part.named_children():
                count = sum(parameter.numel() for parameter in module.parameters())
                if count:
                    lines.append(f"  {stage:<12}{word:<9}{count:>12,} parameters")
        lines.append(f"  {count_parameters(self):,} parameters, {count_trained(self):,} trained")
        return "\n".join(lines)


def build_network(
    mode: str,
    classes: int,
    backbone: str = "resnet18",
    weights: str | Path | None = "imagenet",
    *,
    fixed_statistics: bool = True,
    seed: int = 0,
) -> StagedNetwork:
    """Build a fresh network for one of the ways to train.

    The head is new in every mode, with as many outputs as there are classes.

    Parameters
    ----------
    mode
        A name in `MODES`. ``"last_layers"`` trains ``layer4`` and ``fc`` of a ResNet, and the
        matching last stage and head of another backbone.
    classes
        How many there are.
    backbone
        ``"resnet18"``, ``"resnet50"`` or ``"efficientnet_lite0"``.
    weights
        What the pretrained modes load, as `coursework.backbones.build_classifier` takes it:
        ``"imagenet"``, the path of a checkpoint, or ``None`` for random ones. ``"scratch"`` loads
        nothing.
    fixed_statistics
        Whether the pretrained modes keep the BatchNorm statistics that were loaded. Those of a
        million photographs are steadier than those of small batches: some hundred images are
        learned better with them, photographs and drawings alike. ``"scratch"`` has none to keep.
    seed
        Where random weights start: equal seeds give equal networks.

    Returns
    -------
    StagedNetwork
        In training mode, on the CPU.

    Raises
    ------
    ValueError
        If the mode or the backbone does not exist, or there are fewer than two classes.
    FileNotFoundError
        If weights can be neither found nor downloaded.
    """
    if mode not in MODES:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(MODES)}")
    if classes < 2:
        raise ValueError(f"classes is {classes}, expected 2 or more")
    network, origin = build_classifier(backbone, None if mode == "scratch" else weights, seed=seed)
    architecture = BACKBONES[backbone]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(architecture.width, classes)
    stages = OrderedDict(_stages(network, architecture.head))
    stages[architecture.head] = head
    trained = len(stages) - _first_trained(list(stages), architecture, mode)
    fixed = fixed_statistics and mode != "scratch"
    name = f"{backbone}, {origin}: {MODES[mode]}{'; BatchNorm statistics kept' if fixed else ''}"
    return StagedNetwork(stages, trained, name, fixed)


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters of a network."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_trained(network: nn.Module) -> int:
    """Return the number of parameters that training changes."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def _stages(network: nn.Module, head: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the parts of a network in the order in which it applies them."""
    for name, module in network.named_children():
        if name == "blocks":
            # EfficientNet keeps its stages in one container; a name may not hold a point.
            yield from ((f"blocks_{number}", stage) for number, stage in module.named_children())
        elif name == head:
            # A ResNet flattens in between, in its forward; where it is flat already, nothing moves.
            yield "flatten", nn.Flatten()
            yield name, module
        else:
            yield name, module


def _first_trained(stages: list[str], architecture: Backbone, mode: str) -> int:
    """Return the position of the first stage that a mode trains."""
    if mode in ("scratch", "finetune"):
        return 0
    first = architecture.head if mode == "head" else architecture.last_stage[0]
    return stages.index(first.replace(".", "_"))
