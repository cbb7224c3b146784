"""The facts about a machine that a report names."""

import os
import platform
from contextlib import suppress
from importlib import metadata


def describe_machine() -> dict[str, str]:
    """Return the facts about the machine and the versions of the libraries that compute."""
    versions = dict.fromkeys(("numpy", "scipy", "torch", "torchvision", "timm"), "not installed")
    for package in versions:
        with suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return {
        "Python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "CPU cores": str(os.cpu_count()),
        **_device(),
        **versions,
    }


def _device() -> dict[str, str]:
    try:
        from coursework.runtime import choose_device, choose_precision
    except ModuleNotFoundError:
        return {"device": "none without torch"}
    device = choose_device()
    precision = choose_precision("auto", device)
    return {"device": str(device), "precision": str(precision).removeprefix("torch.")}
