"""BatchNorm layers made part of the convolutions before them: the same features, sooner."""

import copy
import logging
from collections import Counter
from typing import TypeVar

from torch import fx, nn
from torch.nn.utils import fuse_conv_bn_eval

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)

FOLDABLE = (
    "torch.nn.modules.conv.Conv2d",
    "timm.layers.conv2d_same.Conv2dSame",  # pads its input first
    "torch.nn.modules.batchnorm.BatchNorm2d",
    "timm.layers.norm_act.BatchNormAct2d",  # with an activation after it
)
"""Classes whose code is known. Other kinds, such as one that standardises its weights, stay."""


def fold_batch_norm(network: Network) -> Network:
    """Return a copy of a network without the BatchNorm layers that can be spared.

    In evaluation mode such a layer is affine, y = gamma (x - mu) / sigma + beta for each channel.
    After a convolution, x = w * a + b, that is a convolution too: its weights are gamma w / sigma,
    its bias is beta + gamma (b - mu) / sigma. Every layer folded saves a pass over its inputs;
    features are equal up to rounding.

    Parameters
    ----------
    network
        In evaluation mode. It is left as it is.

    Returns
    -------
    Module
        The copy, which shares the tensors of the layers that stay; or the network itself, if it has
        no such layer or its code cannot be followed from layer to layer. A layer is folded if it
        and the convolution before it are of a `FOLDABLE` class, with no hooks and one name each,
        and nothing else reads that convolution or its weights; the activation that timm puts into a
        BatchNorm layer stays.

    References
    ----------
    Jacob et al., *Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference*, 2018, section 3.2.
    """
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return network
    try:
        graph = _LayerTracer().trace(network)
    except Exception as error:  # somebody's own code may do anything with what is not a tensor
        logger.info("BatchNorm layers of %s are not folded: %s", type(network).__name__, error)
        return network
    tensors = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    folded = copy.deepcopy(network, memo=tensors)  # the layers; what stays as it is, is shared
    readers = Counter(_layer_name(node) for node in graph.nodes)
    names = Counter(id(layer) for _, layer in folded.named_modules(remove_duplicate=False))
    for node in graph.nodes:
        before = next(iter(node.all_input_nodes), node)
        norm, convolution = (_layer(folded, at, readers) for at in (node, before))
        if (
            isinstance(norm, nn.BatchNorm2d)
            and isinstance(convolution, nn.Conv2d)
            and _is_plain(norm)
            and _is_plain(convolution)
            and names[id(norm)] == names[id(convolution)] == 1
            and norm.running_mean is not None
            and len(before.users) == 1
        ):
            _replace(folded, str(before.target), fuse_conv_bn_eval(convolution, norm))
            _replace(folded, str(node.target), _activation(norm))
    return folded


class _LayerTracer(fx.Tracer):
    """Records which layer reads which; convolutions and BatchNorm of any make are whole layers."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        whole = isinstance(m, nn.Conv2d | nn.BatchNorm2d)
        return whole or super().is_leaf_module(m, module_qualified_name)


def _is_plain(layer: nn.Module) -> bool:
    """Return whether a layer, in evaluation mode, computes what its class is known to compute."""
    name = f"{type(layer).__module__}.{type(layer).__name__}"
    changed = layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer)
    return name in FOLDABLE and not changed and not layer.training


def _layer_name(node: fx.Node) -> str:
    """Return the name of the layer that a node calls, or one of whose tensors it reads."""
    target = str(node.target) if node.op in ("call_module", "get_attr") else ""
    return target.rpartition(".")[0] if node.op == "get_attr" else target


def _layer(network: nn.Module, node: fx.Node, readers: Counter[str]) -> nn.Module | None:
    """Return the layer that a node calls, if no other node calls it or reads its tensors."""
    if node.op != "call_module" or readers[str(node.target)] > 1:
        return None
    return network.get_submodule(str(node.target))


def _replace(network: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, layer)


def _activation(norm: nn.BatchNorm2d) -> nn.Module:
    """Return what a BatchNorm layer does after the normalisation: timm's has an activation."""
    activation = getattr(norm, "act", None)
    return activation if isinstance(activation, nn.Module) else nn.Identity()
