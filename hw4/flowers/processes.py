"""Several processes that train one network: each takes its share of every batch.

The engine is PyTorch's own: ``torchrun`` starts the processes, ``DistributedDataParallel`` adds up
their gradients. What is added here makes the result that of one process, up to rounding: BatchNorm
statistics over the whole batch, and sums over all processes instead of means of means.
"""

import functools

import numpy as np
import torch
import torch.distributed as dist
import torch.distributed.nn.functional
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from coursework.processes import Group, current_group
from hw4.flowers.batches import Indices


class Processes(Group):
    """The processes of this training, and which of them this is."""

    def share(self, batch: Indices) -> Indices:
        """Return the part of a batch that is this process's; it may be empty."""
        return np.array_split(batch, self.size)[self.rank]

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of ``values`` over all processes, the same on each."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def parallel(self, module: nn.Module, device: torch.device) -> nn.Module:
        """Return a module that computes as ``module`` and adds up gradients over the processes."""
        if self.size == 1:
            return module
        for layer in module.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                # On the object, so that the names in its state_dict stay as they are.
                layer.forward = functools.partial(_synchronised, layer)  # type: ignore[method-assign]
        devices = [device] if device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices, broadcast_buffers=False)


def current_processes() -> Processes:
    """Return the processes that `coursework.processes.process_group` joined; or one, alone."""
    group = current_group()
    return Processes(group.rank, group.size)


def _synchronised(layer: nn.modules.batchnorm._BatchNorm, x: Tensor) -> Tensor:
    """Apply a BatchNorm layer with the statistics of the whole batch.

    With n values of each channel over all processes, mean = sum x / n and
    var = sum (x - mean)^2 / n; the gradient flows through both sums to every process. Two sums,
    since E[x^2] - E[x]^2 would lose digits.
    """
    if layer.training:
        y = x.to(torch.promote_types(x.dtype, torch.float32))
        axes = [0, *range(2, x.dim())]
        shape = [1, -1] + [1] * (x.dim() - 2)
        n = torch.tensor(float(x.numel() // x.shape[1]), device=x.device)
        dist.all_reduce(n)
        mean = _sum_everywhere(y.sum(axes)) / n
        centred = y - mean.view(shape)
        var = _sum_everywhere(centred.square().sum(axes)) / n
        y = centred * torch.rsqrt(var + layer.eps).view(shape)
        if layer.affine:
            y = y * layer.weight.view(shape) + layer.bias.view(shape)
        if layer.track_running_stats:
            _move_statistics(layer, mean.detach(), (var * n / (n - 1)).detach())
        y = y.to(x.dtype)
    else:
        y = nn.functional.batch_norm(
            x, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps
        )
    # timm's BatchNormAct2d holds the activation that follows.
    for name in ("drop", "act"):
        if hasattr(layer, name):
            y = getattr(layer, name)(y)
    return y


def _sum_everywhere(values: Tensor) -> Tensor:
    """Return the sum over all processes, with the gradient of a sum."""
    total: Tensor = torch.distributed.nn.functional.all_reduce(values)  # type: ignore[no-untyped-call]
    return total


@torch.no_grad()
def _move_statistics(layer: nn.modules.batchnorm._BatchNorm, mean: Tensor, var: Tensor) -> None:
    assert layer.num_batches_tracked is not None
    layer.num_batches_tracked += 1
    # Without a momentum PyTorch keeps the plain average over all batches.
    weight = 1 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
    for running, new in ((layer.running_mean, mean), (layer.running_var, var)):
        assert running is not None
        running.lerp_(new.to(running.dtype), weight)
