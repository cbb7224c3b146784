"""A convolution layer on paper: its parameters and its output, by formula."""

from dataclasses import dataclass
from typing import Any, Self

from torch import nn

Pair = tuple[int, int]


@dataclass(frozen=True)
class Convolution:
    """A two-dimensional convolution, described by the arguments of `torch.nn.Conv2d`.

    With F = ``out_channels`` filters of k₁ × k₂ pixels over C = ``in_channels`` channels in g
    groups, each filter sees C / g channels::

        parameters = F (k₁ k₂ C / g + 1)          without the + 1 if there is no bias
        output     = ⌊(n + p - d (k - 1) - 1) / s⌋ + 1      along each axis of n pixels

    where p is what is padded at both ends together, d the dilation and s the stride.

    Attributes
    ----------
    in_channels, out_channels
        Channels of the input, and filters.
    kernel_size, stride, dilation
        In pixels, one number or (height, width).
    padding
        In pixels at each end, one number or (height, width); or ``"valid"``, none, or ``"same"``,
        as much as keeps the size (with a stride of 1 only).
    groups
        Divides both numbers of channels.
    bias
        Whether each filter has one.

    Raises
    ------
    ValueError
        If a number is out of its range, or the groups do not divide the channels.

    Examples
    --------
    >>> layer = Convolution(1, 96, kernel_size=8, stride=4)
    >>> layer.parameters, layer.output_size(64, 64)
    (6240, (15, 15))
    """

    in_channels: int
    out_channels: int
    kernel_size: int | Pair
    stride: int | Pair = 1
    padding: int | Pair | str = 0
    dilation: int | Pair = 1
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "kernel_size", "stride", "dilation", "groups"):
            if min(_pair(getattr(self, name))) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 1 or more")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"{self.groups} groups do not divide {self.in_channels} input and "
                f"{self.out_channels} output channels"
            )
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(f"padding is {self.padding!r}, expected 'same', 'valid' or pixels")
            if self.padding == "same" and _pair(self.stride) != (1, 1):
                raise ValueError(f"padding 'same' needs a stride of 1, found {self.stride}")
        elif min(_pair(self.padding)) < 0:
            raise ValueError(f"padding is {self.padding}, expected 0 or more")

    @classmethod
    def of(cls, layer: nn.Conv2d) -> Self:
        """Describe a layer of PyTorch."""
        return cls(
            layer.in_channels,
            layer.out_channels,
            _pair(layer.kernel_size),
            _pair(layer.stride),
            layer.padding if isinstance(layer.padding, str) else _pair(layer.padding),
            _pair(layer.dilation),
            layer.groups,
            layer.bias is not None,
        )

    def to_torch(self) -> nn.Conv2d:
        """Build the layer in PyTorch."""
        return nn.Conv2d(
            self.in_channels,
            self.out_channels,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.bias,
        )

    @property
    def parameters(self) -> int:
        """F (k₁ k₂ C / g + 1): every weight of every filter, and its bias."""
        height, width = _pair(self.kernel_size)
        return self.out_channels * (height * width * self.in_channels // self.groups + self.bias)

    def output_size(self, height: int, width: int) -> Pair:
        """Return height and width of the output for an input of that many pixels.

        Raises
        ------
        ValueError
            If the filter is larger than the padded input.
        """
        return self._along(0, height), self._along(1, width)

    def _along(self, axis: int, size: int) -> int:
        # What the filter covers of the input, from its first to its last pixel.
        reach = _pair(self.dilation)[axis] * (_pair(self.kernel_size)[axis] - 1) + 1
        if self.padding == "same":
            size += reach - 1
        elif self.padding != "valid":
            size += 2 * _pair(self.padding)[axis]
        if size < reach:
            raise ValueError(
                f"the filter covers {reach} pixels along the {('height', 'width')[axis]}, the "
                f"padded input has only {size}"
            )
        return (size - reach) // _pair(self.stride)[axis] + 1


def _pair(value: Any) -> Pair:
    """Return one number twice, and a pair as it is."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return int(height), int(width)
