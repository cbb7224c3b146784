"""The machine that runs the homework: its device, and what it computes in fast."""

import copy
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn


def choose_device(name: str = "auto") -> torch.device:
    """Return the device to compute on.

    ``"auto"`` takes CUDA where there is one, then Apple's MPS, then the CPU. Any other name is one
    of PyTorch, such as ``"cpu"`` or ``"cuda:1"``.

    Raises
    ------
    ValueError
        If the named device does not exist on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device {name!r} is not usable here ({reason}); use 'auto' or 'cpu'"
        ) from error
    return device


def reduced_precision(device: torch.device | str) -> torch.dtype | None:
    """Return the type that ``torch.autocast`` takes in place of float32, if the device has one.

    It is ``torch.bfloat16`` on a CPU that multiplies it in hardware (AMX tiles or AVX512_BF16) and
    on a GPU of compute capability 8 or higher; ``torch.float16`` on a GPU of compute capability 7;
    otherwise ``None``. A CPU without those instructions emulates bfloat16, which is hundreds of
    times slower than float32.
    """
    device = torch.device(device)
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        if major >= 8:
            return torch.bfloat16
        return torch.float16 if major == 7 else None
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return None


@cache
def bfloat16_pays() -> bool:
    """Return whether matrix products take less time in bfloat16 than in float32 on this CPU.

    Some processors halve the time, and some double it, although both have the instructions. A trial
    of some hundredths of a second, once in a process, tells which.
    """
    seconds: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(7):
        for dtype, times in seconds.items():
            x = torch.ones(512, 512, dtype=dtype)
            start = time.perf_counter()
            x @ x
            times.append(time.perf_counter() - start)
    return min(seconds[torch.bfloat16]) < min(seconds[torch.float32])


PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""The precisions by the names that `choose_precision` takes, besides ``"auto"``."""


def choose_precision(name: str, device: torch.device | str) -> torch.dtype:
    """Return the type to compute in on a device.

    Parameters
    ----------
    name
        ``"fp32"``; ``"bf16"`` or ``"fp16"``, where the device multiplies it in hardware; or
        ``"auto"``, the reduced precision of the device if it has one that is faster (see
        `bfloat16_pays`), and float32 otherwise.
    device
        Where the network runs.

    Raises
    ------
    ValueError
        If the name is unknown, or the device would emulate the type.
    """
    fast = reduced_precision(device)
    if name == "auto":
        if fast is None or (torch.device(device).type == "cpu" and not bfloat16_pays()):
            return torch.float32
        return fast
    if name not in PRECISIONS:
        raise ValueError(f"no precision {name!r}; there are auto, {', '.join(PRECISIONS)}")
    dtype = PRECISIONS[name]
    # A GPU that multiplies bfloat16 multiplies float16 too.
    also = torch.float16 if torch.device(device).type == "cuda" and fast else None
    if dtype not in (torch.float32, fast, also):
        names = {dtype: name for name, dtype in PRECISIONS.items()}
        raise ValueError(
            f"{name} is not fast on this {describe_device(device)}, which has "
            f"{names[fast] if fast else 'nothing faster than fp32'}; use 'fp32' or 'auto'"
        )
    return dtype


def computing_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[Any]:
    """Let networks and matrix products compute in a type, whatever ``autocast`` a caller is in."""
    if not torch.amp.is_autocast_available(device.type):  # Apple's MPS before PyTorch 2.5
        return nullcontext()
    return torch.autocast(device.type, dtype, enabled=dtype is not torch.float32)


LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
"""The orders of images in memory: all channels of a pixel together, or all pixels of a channel."""

TRIAL_PIXELS = 400_000
"""How many pixels a trial of the layouts takes at most: some seven images of 224 x 224. With much
fewer, convolutions have too little work, and another layout may win than in a whole batch."""

_chosen_layouts: dict[tuple[object, ...], str] = {}


def choose_layout(network: nn.Module, images: Tensor, dtype: torch.dtype) -> str:
    """Return the order of memory in which a network takes less time; the values differ by rounding.

    On some processors the convolutions are faster in the one order, and on some in the other. A
    trial tells, once in a process for each network, size and type. It passes some images through a
    copy of the network four times on one core, in some two seconds.

    Parameters
    ----------
    network
        If it is in training mode, the trial computes gradients as well.
    images
        A batch (b, 3, height, width) as it will be computed; the trial takes its first
        `TRIAL_PIXELS` pixels. Which layout is faster depends on the size of a batch, too.
    dtype
        The type to compute in, from `choose_precision`.

    Returns
    -------
    str
        A name in `LAYOUTS`. It is ``"contiguous"`` only where that is faster by a tenth or more, so
        that noise does not decide; and ``"channels_last"`` without a trial unless the images are on
        a CPU.
    """
    if images.device.type != "cpu":
        return "channels_last"
    images = images[: max(1, TRIAL_PIXELS // images[0, 0].numel())]
    key = (repr(network), images.shape, dtype, network.training)
    if key not in _chosen_layouts:
        from threadpoolctl import threadpool_limits  # comes with the extra `homework`

        # Of several threads those that wait for another one take time, too, on a busy machine more.
        with threadpool_limits(limits=1):
            seconds = _time_layouts(copy.deepcopy(network), images, dtype)
        clearly = 1.1 * seconds["contiguous"] < seconds["channels_last"]
        _chosen_layouts[key] = "contiguous" if clearly else "channels_last"
    return _chosen_layouts[key]


def _time_layouts(network: nn.Module, images: Tensor, dtype: torch.dtype) -> dict[str, float]:
    """Return the time of the faster of two passes in each layout; the first ones warm up."""
    seconds: dict[str, float] = {}
    for name, layout in 2 * list(LAYOUTS.items()):
        network.to(memory_format=layout)
        x = images.contiguous(memory_format=layout)
        # The time of this process: other programs, which may take turns with it, do not count.
        start = time.process_time()
        with (
            torch.random.fork_rng(devices=[]),  # dropout would draw numbers of the training's seed
            torch.set_grad_enabled(network.training),
            computing_in(dtype, images.device),
        ):
            output = network(x)
        if network.training:
            output.float().sum().backward()
        elapsed = time.process_time() - start
        seconds[name] = min(elapsed, seconds.get(name, elapsed))
    return seconds


@contextmanager
def full_float32() -> Iterator[None]:
    """Compute with all bits of float32, whatever PyTorch's own switches say.

    By default, on a GPU of compute capability 8 or higher, PyTorch lets cuDNN round the inputs of
    float32 convolutions to TF32, which keeps 10 of 23 bits. The switches are restored afterwards.
    """
    # PyTorch 2.9 has new names for the switches. Once they are used, the old ones cannot be read.
    backends: Any = torch.backends
    if hasattr(backends, "fp32_precision"):
        cudnn, cuda, cpu = backends.cudnn, backends.cuda, backends.mkldnn
        parts = [cudnn.conv, cudnn.rnn, cuda.matmul, cpu.conv, cpu.matmul]
        before = [part.fp32_precision for part in parts]
        try:
            for part in parts:
                part.fp32_precision = "ieee"
            yield
        finally:
            for part, value in zip(parts, before, strict=True):
                part.fp32_precision = value
    else:
        tf32, matmul = backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
        try:
            backends.cudnn.allow_tf32 = False
            torch.set_float32_matmul_precision("highest")
            yield
        finally:
            backends.cudnn.allow_tf32 = tf32
            torch.set_float32_matmul_precision(matmul)


def describe_device(device: torch.device | str) -> str:
    """Return a device in words: a GPU's name, or a CPU's vector instructions."""
    device = torch.device(device)
    if device.type == "cuda":
        return f"GPU ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"CPU ({torch.backends.cpu.get_cpu_capability()})"
    return device.type


def _cpu_multiplies_bfloat16() -> bool:
    """Return whether the CPU has instructions for bfloat16 and PyTorch's oneDNN uses them."""
    # These names are not public, and older releases lack some; a missing name counts as a no.
    probes = (
        getattr(torch.cpu, name, None)
        for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    )
    onednn = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return any(probe and probe() for probe in probes) and bool(onednn and onednn())
