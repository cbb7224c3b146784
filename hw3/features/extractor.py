"""The networks whose features are used: ImageNet classifiers without their last layer."""

from pathlib import Path
from typing import Self

from torch import Tensor, nn

from coursework.backbones import BACKBONES, build_classifier, count_parameters


class Extractor(nn.Module):
    """A frozen network that turns normalised images into features.

    No parameter asks for a gradient, and the module is always in evaluation mode: ``train()``
    leaves it there, since BatchNorm statistics would move otherwise, gradients or not.

    Parameters
    ----------
    network
        Maps images (b, 3, height, width) to features (b, width).
    backbone
        Its name, recorded with the features.
    weights
        Where its weights come from, in words, recorded with the features.
    """

    def __init__(self, network: nn.Module, backbone: str, weights: str) -> None:
        super().__init__()
        self.network = network.requires_grad_(False)
        self.backbone = backbone
        self.weights = weights
        self.width = BACKBONES[backbone].width
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever ``mode`` says."""
        return super().train(False)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (b, 3, height, width) to features (b, width)."""
        features: Tensor = self.network(images)
        return features

    def __repr__(self) -> str:
        """Show one line for each stage, since all layers would fill three pages."""
        lines = []
        for name, stage in self.network.named_children():
            inside = count_parameters(stage)
            blocks = f" x {len(stage)}" if isinstance(stage, nn.Sequential) and len(stage) else ""
            kind = f"{type(stage).__name__}{blocks}"
            lines.append(f"  {name:<12}{kind:<24}{inside:>12,} parameters")
        total = count_parameters(self)
        trained = sum(p.numel() for p in self.parameters() if p.requires_grad)
        mode = "training" if any(module.training for module in self.modules()) else "evaluation"
        return "\n".join(
            [
                f"Extractor: {self.backbone}, {self.weights}",
                *lines,
                f"  {total:,} parameters, {trained} of them trained; {mode} mode; "
                f"output (batch, {self.width})",
            ]
        )


def build_extractor(
    backbone: str = "resnet50", weights: str | Path | None = "imagenet", *, seed: int = 0
) -> Extractor:
    """Build a frozen network without its final layer.

    Parameters
    ----------
    backbone
        ``"resnet50"`` (2,048 features), ``"resnet18"`` (512) or ``"efficientnet_lite0"`` (1,280).
    weights, seed
        ``"imagenet"``, the path of a checkpoint, or ``None`` for an untrained network whose random
        weights depend on the seed; as `coursework.backbones.build_classifier` takes them.

    Returns
    -------
    Extractor
        In evaluation mode, on the CPU.

    Raises
    ------
    ValueError, FileNotFoundError
        As `coursework.backbones.build_classifier` raises them.
    """
    network, described = build_classifier(backbone, weights, seed=seed)
    setattr(network, BACKBONES[backbone].head, nn.Identity())
    return Extractor(network, backbone, described)
