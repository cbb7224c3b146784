"""Several processes that train one network: each takes its share of every batch.

``torchrun`` starts the processes. Their result is the result of one process, up to rounding:
gradients and losses are summed over all processes, and BatchNorm takes the statistics of the whole
batch (PyTorch's own ``SyncBatchNorm`` refuses to run on a CPU).
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

# Its functions take the group that exists at their import as a default. An import inside a group
# would keep that group, and its threads, until Python ends, and Python would abort.
import torch.distributed.nn.functional
from torch import Tensor, nn

from coursework.runtime import choose_device


@dataclass(frozen=True)
class Processes:
    """The processes of this training, and which of them this one is.

    Attributes
    ----------
    rank
        The number of this process, from 0.
    size
        How many processes there are.
    """

    rank: int = 0
    size: int = 1

    def share(self, batch: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return this process's part of a batch; it may be empty."""
        return np.array_split(batch, self.size)[self.rank]

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of ``values`` over all processes, the same on each."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def from_first(self, value: Any) -> Any:
        """Return the first process's value, on every process."""
        if self.size == 1:
            return value
        holder = [value]
        dist.broadcast_object_list(holder, src=0)
        return holder[0]

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
    """Return the processes that `process_group` joined; one, outside of it."""
    if dist.is_available() and dist.is_initialized():
        return Processes(dist.get_rank(), dist.get_world_size())
    return Processes()


@contextmanager
def process_group(device: str = "auto", timeout: float = 600.0) -> Iterator[torch.device]:
    """Join the processes that ``torchrun`` started, if it did, and give the device of this one.

    Parameters
    ----------
    device
        As `coursework.runtime.choose_device` takes it. With CUDA each process of a machine gets a
        GPU of its own.
    timeout
        Seconds to wait for another process before giving up.
    """
    if "LOCAL_RANK" not in os.environ:
        yield choose_device(device)
        return
    target = choose_device(device)
    if target.type == "cuda":
        target = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(target)
    engine = "nccl" if target.type == "cuda" else "gloo"
    dist.init_process_group(engine, timeout=timedelta(seconds=timeout))
    try:
        yield target
    finally:
        dist.destroy_process_group()


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
