"""The last step of the transforms for a whole batch at once, by matrix products on a GPU.

A processor finishes some hundred images a second on each core; a card trains on thousands.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from coursework.runtime import computing_in
from hw4.flowers.transforms import LUMA, EvaluationTransform, Pixels, TrainingTransform


def finish_together(
    transform: EvaluationTransform | TrainingTransform,
    images: Sequence[Pixels],
    rngs: Sequence[np.random.Generator],
    device: torch.device,
) -> Tensor:
    """Finish images as ``transform.finish`` does one by one, up to the rounding of a pixel.

    The generators decide what is seen, here as there. The bytes of the decoded images go to the
    device, and all arithmetic is done there.

    Parameters
    ----------
    transform
        What to do.
    images
        The images that ``transform.prepare`` made; their sizes may differ.
    rngs
        A generator for each image.
    device
        Where the result will be.

    Returns
    -------
    Tensor
        Shape (b, 3, s, s), float32, normalised.
    """
    sizes = [image.shape[:2] for image in images]
    views = [
        transform.draw(width, height, rng) for (height, width), rng in zip(sizes, rngs, strict=True)
    ]
    # One row for each image. The weights of what lies beyond its edges are zero, so the bytes there
    # may be anything.
    widest, highest = max(width for _, width in sizes), max(height for height, _ in sizes)
    pinned = device.type == "cuda"  # such memory is uploaded while the processor goes on
    shape = (len(images), highest, widest, 3)
    canvas = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned)
    for row, image in zip(canvas, images, strict=True):
        row[: image.shape[0], : image.shape[1]] = torch.from_numpy(image)
    numbers = [
        (*view.box, width, height, view.mirrored, *view.light)
        for view, (height, width) in zip(views, sizes, strict=True)
    ]
    colours = (LUMA.tolist(), *transform.normalisation)
    x, parameters, (luma, means, stds) = (
        tensor.to(device, non_blocking=pinned)
        for tensor in (
            canvas,
            torch.tensor(numbers, dtype=torch.float32, pin_memory=pinned),
            torch.tensor(colours, pin_memory=pinned)[:, :, None, None],
        )
    )
    left, top, right, bottom, width, height, mirrored, *light = parameters.T
    across = resampling_weights(left, right, width, widest, transform.image_size)
    across = torch.where(mirrored.bool()[:, None, None], across.flip(1), across)
    down = resampling_weights(top, bottom, height, highest, transform.image_size)
    x = x.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format) / 255
    with computing_in(torch.float32, device):
        x = down[:, None] @ x @ across.mT[:, None]
    brightness, saturation, contrast = (factor.view(-1, 1, 1, 1) for factor in light)
    x = brightness * x
    gray = (luma * x).sum(1, keepdim=True)
    x = torch.lerp(gray, x, saturation)
    x = torch.lerp(gray.mean((2, 3), keepdim=True), x, contrast)
    normalised: Tensor = (x.clamp(0, 1) - means) / stds
    return normalised


def resampling_weights(start: Tensor, end: Tensor, size: Tensor, length: int, side: int) -> Tensor:
    """Return how much each pixel of a line counts in each pixel of its resampled part.

    The filter is Pillow's: a triangle around the centre of the new pixel, as wide as two new
    pixels, or as two old ones if the part is enlarged.

    Parameters
    ----------
    start, end
        The edges of the part in pixels, shape (b,).
    size
        How many pixels each line has, shape (b,).
    length
        Pixels of the longest line.
    side
        Pixels of the result.

    Returns
    -------
    Tensor
        Shape (b, side, length). Each row sums to 1.
    """
    old = torch.arange(length, device=start.device)
    new = torch.arange(side, device=start.device)
    scale = ((end - start) / side)[:, None, None]
    centre = start[:, None, None] + (new[:, None] + 0.5) * scale
    weights = (1 - (old + 0.5 - centre).abs() / scale.clamp(min=1)).clamp(min=0)
    weights = weights * (old < size[:, None, None])
    return weights / weights.sum(2, keepdim=True)
