"""Theory 1: how many parameters a convolution layer learns, and how large its output is."""

import copy

import pandas as pd
import torch
from torch import nn

from coursework.backbones import count_parameters


def conv_parameters(
    filters: int, channels: int, kernel: tuple[int, ...], groups: int = 1, bias: bool = True
) -> int:
    """Return how many numbers a convolution layer learns.

    Parameters
    ----------
    filters
        F, the channels of the output.
    channels
        C, the channels of the input.
    kernel
        (k₁, k₂), height and width of a filter in pixels.
    groups
        g, which divides F and C.
    bias
        Whether each filter has a bias.

    Notes
    -----
    It learns F (k₁ k₂ C / g + 1) numbers: each of the F filters has one weight for each of its
    k₁ × k₂ pixels in each of the C / g channels that it sees, and one bias; without one the + 1 is
    left out. The size of the input does not enter, and neither does the stride, because the same
    filter is used at every place.

    Examples
    --------
    >>> conv_parameters(filters=2, channels=1, kernel=(3, 3))
    20
    """
    height, width = kernel
    weights = height * width * (channels // groups)
    return filters * (weights + bias)


def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return the pixels of the output of a convolution along one axis.

    A result below 1 means that the filter does not fit at all.

    Parameters
    ----------
    n
        Pixels of the input.
    kernel, stride, dilation
        k, s and d, in pixels.
    padding
        p, the pixels that are added at each end.

    Notes
    -----
    There are ⌊(n + 2p - d (k - 1) - 1) / s⌋ + 1 pixels. A filter covers d (k - 1) + 1 pixels. It
    starts at the first pixel of the padded input and moves on by s pixels for as long as it fits.

    Examples
    --------
    >>> output_size(10, kernel=3)
    8
    """
    covered = dilation * (kernel - 1) + 1
    return (n + 2 * padding - covered) // stride + 1


def homework_table() -> pd.DataFrame:
    """Return parameters and output of the homework's layers, by formula and as PyTorch has them.

    The input has 64 × 64 pixels and one channel, and each layer has 96 filters.
    """
    size, filters = 64, 96
    rows = []
    for name, kernel, stride in (
        ("as large as the input", size, 1),
        ("8 × 8, stride 4", 8, 4),
        ("1 × 1, stride 1", 1, 1),
    ):
        layer = nn.Conv2d(1, filters, kernel, stride)
        height, width = layer(torch.zeros(1, 1, size, size)).shape[2:]
        side = output_size(size, kernel, stride)
        rows.append(
            {
                "filters": name,
                "parameters": conv_parameters(filters, 1, (kernel, kernel)),
                "in PyTorch": count_parameters(layer),
                "output by formula": f"{side} × {side}",
                "output in PyTorch": f"{height} × {width}",
            }
        )
    return pd.DataFrame(rows)


def network_table(networks: dict[str, nn.Module]) -> pd.DataFrame:
    """Compare networks: convolutions, and parameters by formula and as PyTorch counts them.

    Parameters
    ----------
    networks
        From the name of a row to the network.

    Returns
    -------
    DataFrame
        For each network the number of `torch.nn.Conv2d` layers, the sum of their parameters by
        `conv_parameters` and by PyTorch, the parameters of all other layers, and the sum of all.
    """
    rows = []
    for name, network in networks.items():
        convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
        by_formula = [
            conv_parameters(
                part.out_channels,
                part.in_channels,
                part.kernel_size,
                part.groups,
                part.bias is not None,
            )
            for part in convolutions
        ]
        counted = sum(map(count_parameters, convolutions))
        everything = count_parameters(network)
        rows.append(
            {
                "network": name,
                "convolutions": len(convolutions),
                "by formula": sum(by_formula),
                "in PyTorch": counted,
                "other layers": everything - counted,
                "in all": everything,
            }
        )
    return pd.DataFrame(rows)


def layer_table(
    network: nn.Module, input_shape: tuple[int, ...], depth: int | None = None
) -> pd.DataFrame:
    """Return what each layer of a network learns and puts out, with a last row for the sum.

    Parameters
    ----------
    network
        Any network. It is neither run nor changed.
    input_shape
        Shape of one input without the batch, such as (3, 224, 224).
    depth
        If given, layers whose names share that many parts are one row: 1 makes ``layer1`` of
        ``layer1.0.conv1`` and ``layer1.1.conv2``.

    Returns
    -------
    DataFrame
        One row for each layer that holds parameters: its kind, the shape of its output without the
        batch, its parameters. With ``depth`` a row has the number of its layers instead of a kind.
        Parameters that layers share count for the first of them.
    """
    outputs = _output_shapes(network, input_shape)
    parameters: dict[str, int] = {}
    for name, parameter in network.named_parameters():
        layer = name.rpartition(".")[0]
        parameters[layer] = parameters.get(layer, 0) + parameter.numel()
    table = pd.DataFrame(
        {
            "layer": [layer or "(whole)" for layer in parameters],
            "kind": [type(network.get_submodule(layer)).__name__ for layer in parameters],
            "output": [" × ".join(map(str, outputs.get(layer, ()))) for layer in parameters],
            "parameters": list(parameters.values()),
        }
    )
    if depth is not None:
        table["layer"] = [".".join(name.split(".")[:depth]) for name in table["layer"]]
        table = table.groupby("layer", sort=False, as_index=False).agg(
            layers=("kind", "size"), output=("output", "last"), parameters=("parameters", "sum")
        )
    total: dict[str, object] = {**dict.fromkeys(table.columns, ""), "layer": "sum"}
    for column in table.columns.intersection(["layers", "parameters"]):
        total[column] = table[column].sum()
    return pd.concat([table, pd.DataFrame([total])], ignore_index=True)


def _output_shapes(network: nn.Module, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shape, without the batch, of the last output of each part of a network."""
    # The copy lives on PyTorch's "meta" device, where tensors have shapes but no numbers: nothing
    # is computed, and the BatchNorm statistics of the network itself cannot move.
    ghost = copy.deepcopy(network).to("meta").eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for name, part in ghost.named_modules():

        def note(_: nn.Module, __: object, output: torch.Tensor, name: str = name) -> None:
            shapes[name] = tuple(output.shape[1:])

        part.register_forward_hook(note)
    with torch.no_grad():
        ghost(torch.empty(1, *input_shape, device="meta"))
    return shapes
