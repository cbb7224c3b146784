"""Coding part 1, the networks: one architecture, trained in three ways."""

from collections import OrderedDict
from pathlib import Path
from typing import Self

from torch import Tensor, nn
from torch.nn import functional

from coursework.backbones import BACKBONES, build_classifier, count_parameters, seeded
from coursework.runtime import LAYOUTS

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
    frozen
        How many stages at the beginning are frozen; the others are trained.
    name
        The network in words.
    fixed_statistics
        Whether the BatchNorm layers of the trained part keep their statistics as well. Their scales
        and shifts are trained all the same.

    Attributes
    ----------
    frozen, trained
        The two parts, each a ``Sequential``. ``frozen`` may be empty; it then changes nothing.
    layout
        The order of its weights in memory, and of the images that it takes: a name in
        `coursework.runtime.LAYOUTS`.
    """

    def __init__(
        self,
        stages: "OrderedDict[str, nn.Module]",
        frozen: int,
        name: str,
        fixed_statistics: bool = False,
    ) -> None:
        super().__init__()
        items = list(stages.items())
        self.frozen = nn.Sequential(OrderedDict(items[:frozen])).requires_grad_(False)
        self.trained = nn.Sequential(OrderedDict(items[frozen:])).requires_grad_(True)
        self.name, self.fixed_statistics = name, fixed_statistics
        self.arrange("channels_last")
        self.train()

    def arrange(self, layout: str) -> None:
        """Bring the weights into another order of memory; values are the same up to rounding."""
        self.layout = layout
        self.to(memory_format=LAYOUTS[layout])

    @property
    def classes(self) -> int:
        """How many outputs there are."""
        head = self.trained[-1]
        assert isinstance(head, nn.Linear)
        return head.out_features

    def train(self, mode: bool = True) -> Self:
        """Switch the trained part to training mode or back; the frozen part stays in evaluation."""
        super().train(mode)
        self.frozen.eval()
        if self.fixed_statistics:
            for part in self.trained.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (b, 3, height, width) to logits (b, classes)."""
        logits: Tensor = self.trained(self.frozen(images))
        return logits

    def __repr__(self) -> str:
        """Show one line for each stage: the layers inside would fill pages."""
        lines = [self.name]
        for part, word in ((self.frozen, "frozen"), (self.trained, "trained")):
            for stage, module in part.named_children():
                if count := count_parameters(module):
                    lines.append(f"  {stage:<12}{word:<9}{count:>12,} parameters")
        both, trained = count_parameters(self), count_parameters(self.trained)
        lines.append(f"  {both:,} parameters, {trained:,} trained")
        return "\n".join(lines)


def build_network(
    mode: str,
    classes: int,
    backbone: str = "resnet18",
    weights: str | Path | None = "imagenet",
    *,
    seed: int = 0,
) -> StagedNetwork:
    """Build a fresh network for one of the ways to train.

    The head is new in every mode, with as many outputs as there are classes. The pretrained modes
    keep the BatchNorm statistics that were loaded: the statistics of a million photographs are
    steadier than those of small batches, and some hundred images are learned better with them.

    Parameters
    ----------
    mode
        A name in `MODES`. ``"last_layers"`` trains ``layer4`` and ``fc`` of a ResNet, and the
        matching last stage and head of another backbone.
    classes
        How many classes there are.
    backbone
        ``"resnet18"``, ``"resnet50"`` or ``"efficientnet_lite0"``.
    weights
        The weights that the pretrained modes load, as `coursework.backbones.build_classifier` takes
        them: ``"imagenet"``, the path of a checkpoint, or ``None`` for random ones. ``"scratch"``
        loads nothing.
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
    network = assemble_network(mode, classes, backbone, weights, seed)
    for module in network.trained.modules():
        if type(module) is nn.Conv2d and module.groups > 1:
            module.__class__ = PaddedFirst
    return network


class PaddedFirst(nn.Conv2d):
    """A depthwise convolution that pads maps smaller than its kernel before it begins.

    Where it pads on the fly, oneDNN has no fast gradient of the weights for such maps. The last
    stage but one of EfficientNet-Lite0 has maps of 3 x 3 for kernels of 5 x 5 where images have 80
    pixels: without this, its three layers would take a sixth of a training. The values are those of
    `torch.nn.Conv2d`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (b, channels, height, width)."""
        if x.shape[-2] >= self.kernel_size[0] and x.shape[-1] >= self.kernel_size[1]:
            return super().forward(x)
        padded = functional.pad(x, self._reversed_padding_repeated_twice)
        how = (self.stride, 0, self.dilation, self.groups)
        return functional.conv2d(padded, self.weight, self.bias, *how)


def assemble_network(
    mode: str, classes: int, backbone: str, weights: str | Path | None, seed: int
) -> StagedNetwork:
    """Give a backbone a new head, and freeze the stages that the mode does not train."""
    pretrained = mode != "scratch"
    network, origin = build_classifier(backbone, weights if pretrained else None, seed=seed)
    architecture = BACKBONES[backbone]
    stages = stages_of(network, architecture.head)
    with seeded(seed):
        stages[architecture.head] = nn.Linear(architecture.width, classes)
    frozen = 0
    if mode == "last_layers":
        frozen = list(stages).index(architecture.last_stage.replace(".", "_"))
    elif mode == "head":
        frozen = list(stages).index(architecture.head)
    name = f"{backbone}, {origin}: {MODES[mode]}"
    if pretrained:
        name += "; BatchNorm statistics kept"
    return StagedNetwork(stages, frozen, name, fixed_statistics=pretrained)


def stages_of(network: nn.Module, head: str) -> "OrderedDict[str, nn.Module]":
    """Return the parts of a backbone in the order in which it applies them."""
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for name, module in network.named_children():
        if name == "blocks":
            # EfficientNet keeps its stages in one container; PyTorch forbids a point in a name.
            stages.update((f"blocks_{number}", stage) for number, stage in module.named_children())
        elif name == head:
            # A ResNet flattens before its head; on features that are flat nothing changes.
            stages["flatten"], stages[name] = nn.Flatten(), module
        else:
            stages[name] = module
    return stages
