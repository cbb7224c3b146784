"""Theory 1: how many parameters a convolution learns, and how large its output is.

The formulas are in `hw4.theory.convolution`; this module applies them to the
homework and counts networks.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import nn

from hw4.theory.convolution import Convolution


@dataclass(frozen=True)
class Layer:
    """One row of `layers`.

    Attributes
    ----------
    name
        Where the layer is in the network, such as ``"layer1.0.conv1"``.
    kind
        The name of its class.
    parameters
        Numbers that it learns, without those of an earlier row that it shares.
    output
        Shape of its output without the batch, or None if it is not known.
    """

    name: str
    kind: str
    parameters: int
    output: tuple[int, ...] | None = None


def count_parameters(module: nn.Module) -> int:
    """Return how many numbers a network learns; shared ones count once, frozen ones too."""
    return sum(parameter.numel() for parameter in module.parameters())


def layers(module: nn.Module, input_shape: Sequence[int] | None = None) -> list[Layer]:
    """List every part of a network that holds parameters of its own, in order.

    Parameters
    ----------
    module
        Any network. It is neither run nor changed.
    input_shape
        Shape of one input without the batch, such as (3, 224, 224). If it is given, the output of
        each layer is found by sending shapes, without numbers, through a copy of the network.

    Returns
    -------
    list of Layer
        Their parameters add up to `count_parameters`.

    Raises
    ------
    ValueError
        If the network has parameters whose size is not known before its first run.
    """
    if any(isinstance(p, nn.parameter.UninitializedParameter) for p in module.parameters()):
        raise ValueError("the network has lazy layers; run it once on an input, then count")
    outputs = {} if input_shape is None else _output_shapes(module, input_shape)
    rows, seen = [], set[int]()
    for name, part in module.named_modules():
        own = list(part.parameters(recurse=False))
        if own:
            new = {id(p): p.numel() for p in own if id(p) not in seen}
            rows.append(Layer(name, type(part).__name__, sum(new.values()), outputs.get(name)))
            seen |= new.keys()
    return rows


def layer_table(
    module: nn.Module, input_shape: Sequence[int] | None = None, depth: int | None = None
) -> pd.DataFrame:
    """Return `layers` as a table with a last row for the sum.

    Parameters
    ----------
    module, input_shape
        As for `layers`.
    depth
        If given, layers whose names share that many parts are one row: 1 makes ``layer1`` of
        ``layer1.0.conv1`` and ``layer1.1.conv2``.

    Returns
    -------
    DataFrame
        One row a layer: its kind, its output if ``input_shape`` is given, its parameters. With
        ``depth``, a row says how many layers it stands for instead of their kind.
    """
    rows = layers(module, input_shape)
    table = pd.DataFrame(
        {
            "layer": [row.name or "(whole)" for row in rows],
            "kind": [row.kind for row in rows],
            "output": [" × ".join(map(str, row.output or ())) for row in rows],
            "parameters": [row.parameters for row in rows],
        }
    ).astype({"parameters": int})
    if depth is not None:
        table["layer"] = [".".join(name.split(".")[:depth]) for name in table["layer"]]
        table = table.groupby("layer", sort=False, as_index=False).agg(
            layers=("kind", "size"), output=("output", "last"), parameters=("parameters", "sum")
        )
    if input_shape is None:
        table = table.drop(columns="output")
    total: dict[str, object] = {**dict.fromkeys(table.columns, ""), "layer": "sum"}
    for column in table.columns.intersection(["layers", "parameters"]):
        total[column] = table[column].sum()
    return pd.concat([table, pd.DataFrame([total])], ignore_index=True)


HOMEWORK = {
    "as large as the input": Convolution(1, 96, kernel_size=64),
    "8 × 8, stride 4": Convolution(1, 96, kernel_size=8, stride=4),
    "1 × 1, stride 1": Convolution(1, 96, kernel_size=1),
}
"""The three layers that the homework asks about; their input is 64 × 64 with one channel."""


def homework_table(size: int = 64) -> pd.DataFrame:
    """Return parameters and output of the `HOMEWORK` layers, by formula and as PyTorch has them."""
    rows = []
    for name, convolution in HOMEWORK.items():
        layer = convolution.to_torch()
        made = tuple(layer(torch.zeros(1, convolution.in_channels, size, size)).shape[2:])
        height, width = convolution.output_size(size, size)
        rows.append(
            {
                "filters": name,
                "parameters": convolution.parameters,
                "in PyTorch": count_parameters(layer),
                "output": f"{height} × {width}",
                "of PyTorch": f"{made[0]} × {made[1]}",
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
        For each network the number of `torch.nn.Conv2d` layers, the sum of their parameters by the
        formula of `Convolution` and by PyTorch, what all other layers hold, and the sum of all.
    """
    rows = []
    for name, network in networks.items():
        convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
        counted = sum(map(count_parameters, convolutions))
        everything = count_parameters(network)
        rows.append(
            {
                "network": name,
                "convolutions": len(convolutions),
                "by formula": sum(Convolution.of(part).parameters for part in convolutions),
                "in PyTorch": counted,
                "other layers": everything - counted,
                "in all": everything,
            }
        )
    return pd.DataFrame(rows)


def _output_shapes(module: nn.Module, input_shape: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the shape, without the batch, that each part of a network puts out last."""
    # The copy lives on PyTorch's "meta" device, where tensors have shapes but no numbers: nothing
    # is computed, and statistics of the network itself cannot move.
    ghost = copy.deepcopy(module).to("meta").eval()
    shapes: dict[str, tuple[int, ...]] = {}
    for name, part in ghost.named_modules():

        def note(_: nn.Module, __: Any, output: Any, name: str = name) -> None:
            if isinstance(output, torch.Tensor):
                shapes[name] = tuple(output.shape[1:])

        part.register_forward_hook(note)
    with torch.no_grad():
        ghost(torch.empty(1, *input_shape, device="meta"))
    return shapes
