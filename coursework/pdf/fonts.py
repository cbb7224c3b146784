"""Fonts that come as pip packages: for the characters that Typst's own fonts lack."""

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("noto_cjk_sans_jp_regular", "manimgx_fonts")
"""Chinese, Japanese and Korean; emoji and more. Both come with the project; neither is needed."""


def font_folders() -> list[Path]:
    """Return the folders of the font packages that are installed."""
    specs = [find_spec(package) for package in PACKAGES]
    return [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]


def advice(missing: tuple[str, ...]) -> str:
    """Return a warning that names the characters no font has, and what would help."""
    shown = " ".join(missing[:20]) + (" …" if len(missing) > 20 else "")
    names = " ".join(package.replace("_", "-") for package in PACKAGES)
    return (
        f"no font here has these {len(missing)} characters, they are printed as boxes: {shown} "
        f"(pip install {names} brings Chinese, Japanese, Korean, emoji and more)"
    )
