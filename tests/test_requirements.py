"""What is installed: on every Python that is promised, and beside what is there already."""

import tomllib
from contextlib import suppress
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from coursework.profiles import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PLAIN = [Requirement(line) for line in PROJECT["dependencies"]]
HOMEWORK = [Requirement(line) for line in EXTRAS["homework"]]
OLDEST_PYTHON = "3.11.0"

PINS = dict(
    line.strip().split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)

# Where somebody installs the homeworks beside a kernel that runs. Only packages are listed that the
# project names. What has to move is left out: mistune, which loses links below 3.3, and filelock.
COLAB = {  # 2025, Python 3.12
    "beautifulsoup4": "4.13.5",
    "ipykernel": "6.17.1",
    "ipython": "7.34.0",
    "jinja2": "3.1.6",
    "joblib": "1.5.2",
    "markdown-it-py": "4.0.0",
    "matplotlib": "3.10.0",
    "nbclient": "0.10.2",
    "nbconvert": "7.16.6",
    "nbformat": "5.10.4",
    "numpy": "2.0.2",
    "pandas": "2.2.2",
    "pillow": "11.3.0",
    "pygments": "2.19.2",
    "scikit-learn": "1.6.1",
    "scipy": "1.16.2",
    "threadpoolctl": "3.6.0",
    "timm": "1.0.20",
    "torch": "2.8.0",
    "torchvision": "0.23.0",
    "tqdm": "4.67.1",
    "traitlets": "5.7.1",
}
COURSE_SERVER = {  # JupyterHub's images of autumn 2024, with PyTorch
    "beautifulsoup4": "4.12.3",
    "ipykernel": "6.29.5",
    "ipython": "8.28.0",
    "jinja2": "3.1.4",
    "joblib": "1.4.2",
    "matplotlib": "3.9.2",
    "nbclient": "0.10.0",
    "nbformat": "5.10.4",
    "numpy": "2.0.2",
    "pandas": "2.2.3",
    "pillow": "10.4.0",
    "pygments": "2.18.0",
    "scikit-learn": "1.5.2",
    "scipy": "1.14.1",
    "threadpoolctl": "3.5.0",
    "torch": "2.4.1",
    "torchvision": "0.19.1",
    "tqdm": "4.66.5",
    "traitlets": "5.14.3",
}


@pytest.mark.parametrize("there", [COLAB, COURSE_SERVER], ids=["Colab", "course server"])
def test_what_a_server_has_already_is_not_moved(there):
    test = [Requirement(line) for line in EXTRAS["test"]]
    required = {r.name: r.specifier for r in (*PLAIN, *HOMEWORK, *test)}
    moved = {
        name: f"{version} is there, {required[name]} is asked for"
        for name, version in there.items()
        if not required[name].contains(version)
    }
    assert moved == {}


def test_the_tested_versions_are_within_the_ranges():
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    lines = [line for lines in (PROJECT["dependencies"], *EXTRAS.values()) for line in lines]
    for required in map(Requirement, lines):
        if required.name != PROJECT["name"]:
            assert required.specifier.contains(pins[canonicalize_name(required.name)]), required


def test_the_tested_versions_install_on_every_python_that_is_promised():
    assert PROJECT["requires-python"] == ">=3.11"
    refused = {}
    for name, version in PINS.items():
        # Not every extra is installed here, nor always the tested version.
        with suppress(metadata.PackageNotFoundError):
            found = metadata.distribution(name)
            accepted = SpecifierSet(found.metadata.get("Requires-Python") or "")
            if found.version == version and not accepted.contains(OLDEST_PYTHON):
                refused[name] = f"{version} needs Python {accepted}"
    assert refused == {}


def test_the_pdf_alone_does_without_pytorch_and_everything_else_brings_it():
    assert "torch" in {r.name for r in HOMEWORK}
    assert {r.name for r in PLAIN}.isdisjoint({r.name for r in HOMEWORK})
    for extra in EXTRAS.keys() - {"homework"}:
        assert f"{PROJECT['name']}[homework]" in EXTRAS[extra]
