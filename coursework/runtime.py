"""The machine a run finds itself on: which device, which versions."""

import os
import platform
from importlib import metadata

import torch


def choose_device(name: str = "auto") -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    name
        ``"auto"`` takes CUDA where there is one, then Apple's MPS, then the CPU. Anything else is a
        PyTorch device name such as ``"cpu"`` or ``"cuda:1"``.

    Raises
    ------
    ValueError
        If the named device does not exist on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device {name!r} is not usable here ({reason}); use 'auto' or 'cpu'"
        ) from error
    return device


def describe_machine() -> dict[str, str]:
    """Return what a report should say about the machine and the versions, as name and value."""
    packages = ("numpy", "scipy", "torch", "torchvision", "timm")
    versions = {package: metadata.version(package) for package in packages}
    return {
        "Python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "CPU cores": str(os.cpu_count()),
        "device": str(choose_device()),
        **versions,
    }
