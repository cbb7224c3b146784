"""Several processes that train one network: each takes its share of every batch.

``torchrun`` starts the processes. Their result is the result of one process, up to rounding:
gradients and losses are summed over all processes, and BatchNorm takes the statistics of the whole
batch (PyTorch's own ``SyncBatchNorm`` refuses to run on a CPU).
"""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
import torch.distributed.nn.functional
from torch import Tensor, nn

from coursework.processes import Group, current_group


class Processes(Group):
    """The processes of this training, and which of them this is."""

    def share(self, batch: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return this process's part of a batch; it may be empty."""
        return np.array_split(batch, self.size)[self.rank]

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of ``values`` over all processes, the same on each."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def synchronise(self, module: nn.Module) -> None:
        """Let the BatchNorm layers of a module take the statistics of the whole batch."""
        if self.size > 1:
            for layer in module.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    # On the object, so that the names in its state_dict stay as they are.
                    layer.forward = functools.partial(_synchronised, layer)  # type: ignore[method-assign]

    def add_gradients(self, module: nn.Module) -> None:
        """Replace the gradients of a module by their sums over all processes."""
        if self.size > 1:
            gradients = [p.grad for p in module.parameters() if p.grad is not None]
            # All at once: each exchange costs a round trip.
            sums = self.total(torch.cat([gradient.flatten() for gradient in gradients]))
            lengths = [gradient.numel() for gradient in gradients]
            for gradient, values in zip(gradients, torch.split(sums, lengths), strict=True):
                gradient.copy_(values.view_as(gradient))


def current_processes() -> Processes:
    """Return the processes that `coursework.processes.process_group` joined; or one, alone."""
    group = current_group()
    return Processes(group.rank, group.size)


def _synchronised(layer: Any, x: Tensor) -> Tensor:
    """Apply a BatchNorm layer with the statistics of the whole batch.

    With n values of each channel over all processes, mean = sum x / n and
    var = sum (x - mean)^2 / n; the gradient flows through both sums to every process. Two sums,
    since E[x^2] - E[x]^2 would lose digits.
    """
    if not layer.training:
        unchanged: Tensor = type(layer).forward(layer, x)
        return unchanged
    y = x.to(torch.promote_types(x.dtype, torch.float32))
    axes = [0, *range(2, x.dim())]
    shape = [1, -1] + [1] * (x.dim() - 2)
    n = torch.tensor(float(x.numel() // x.shape[1]), device=x.device)
    dist.all_reduce(n)
    mean = _sum_everywhere(y.sum(axes)) / n
    y = y - mean.view(shape)
    var = _sum_everywhere(y.square().sum(axes)) / n
    with torch.no_grad():
        layer.num_batches_tracked += 1
        layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), layer.momentum)
        layer.running_var.lerp_((var * n / (n - 1)).to(layer.running_var.dtype), layer.momentum)
    scale = layer.weight * torch.rsqrt(var + layer.eps)
    y = (y * scale.view(shape) + layer.bias.view(shape)).to(x.dtype)
    # The layers of EfficientNet, timm's BatchNormAct2d, hold the activation that follows.
    activated: Tensor = getattr(layer, "act", nn.Identity())(y)
    return activated


def _sum_everywhere(values: Tensor) -> Tensor:
    """Return the sum over all processes, with the gradient of a sum."""
    total: Tensor = torch.distributed.nn.functional.all_reduce(values)  # type: ignore[no-untyped-call]
    return total
