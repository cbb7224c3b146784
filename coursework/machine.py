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
        "device": _device(),
        **versions,
    }


def _device() -> str:
    try:
        from coursework.runtime import choose_device
    except ModuleNotFoundError:
        return "none without torch"
    return str(choose_device())
