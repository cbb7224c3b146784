"""From an upright RGB picture to the square, normalised array that a network takes.

A transform has two steps. `prepare` gives the same result every time, so the result can be kept in
memory; `finish` is cheap and, in training, random. Its random numbers come in as an argument.
On a GPU `hw4.flowers.together` finishes a whole batch.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from coursework.backbones import IMAGENET, Normalisation

Pixels = npt.NDArray[np.uint8]
Normalised = npt.NDArray[np.float32]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""The weights of red, green and blue in the gray value of a colour (ITU-R BT.601)."""


@dataclass(frozen=True)
class View:
    """What is seen of an image, and in which light.

    Attributes
    ----------
    box
        The rectangle that becomes the square: left, top, right and bottom edge in pixels.
    mirrored
        Whether left and right change places.
    light
        The factors of brightness, saturation and contrast.
    """

    box: tuple[float, float, float, float]
    mirrored: bool = False
    light: tuple[float, ...] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class EvaluationTransform:
    """The middle square of an image, as large as it can be, the same every time.

    Others often cut off an eighth of each side as well. A photograph of a flower has little to
    spare: on 300 of them the features of EfficientNet-Lite0 tell more when nothing is cut off.

    Attributes
    ----------
    image_size
        Side s of the result in pixels.
    normalisation
        Mean and deviation of each channel.
    """

    image_size: int = 224
    normalisation: Normalisation = IMAGENET

    def prepare(self, image: Image.Image) -> Pixels:
        """Return the middle square, shape (s, s, 3), uint8."""
        side = min(image.size)
        left, top = ((length - side) / 2 for length in image.size)
        return np.array(resample(image, self.image_size, (left, top, left + side, top + side)))

    def draw(self, width: int, height: int, rng: np.random.Generator) -> View:
        """Return the whole of the square, as it is; nothing is random."""
        return View((0, 0, width, height))

    def finish(self, pixels: Pixels, rng: np.random.Generator | None = None) -> Normalised:
        """Normalise; nothing is random."""
        return recolour(pixels, np.eye(3, dtype=np.float32), 0.0, self.normalisation)


@dataclass(frozen=True)
class TrainingTransform:
    """A random part of an image, perhaps mirrored, in slightly other light.

    A rectangle of random area and shape is resampled to the square; one in two is mirrored; then
    brightness, saturation and contrast are changed.

    Attributes
    ----------
    image_size, normalisation
        As for `EvaluationTransform`.
    least_area
        The rectangle has at least this part of the area, before it is shrunk to fit into the image.
    most_stretch
        Its width over its height is between 1 / ``most_stretch`` and ``most_stretch``.
    jitter
        Brightness, saturation and contrast are multiplied by numbers in 1 ± ``jitter``.
    """

    image_size: int = 224
    normalisation: Normalisation = IMAGENET
    least_area: float = 0.4
    most_stretch: float = 4 / 3
    jitter: float = 0.2

    def prepare(self, image: Image.Image) -> Pixels:
        """Return the whole image, its short side shrunk to `least_side` if it is longer."""
        scale = least_side(self.image_size) / min(image.size)
        if scale < 1:
            width, height = (max(1, round(length * scale)) for length in image.size)
            image = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
        return np.array(image)

    def draw(self, width: int, height: int, rng: np.random.Generator) -> View:
        """Draw all that is random: the rectangle, whether it is mirrored, and the light."""
        box = random_box(width, height, self.least_area, self.most_stretch, rng)
        mirrored = rng.random() < 0.5
        light = tuple(rng.uniform(1 - self.jitter, 1 + self.jitter, 3))
        return View(box, mirrored, light)

    def finish(self, pixels: Pixels, rng: np.random.Generator) -> Normalised:
        """Cut, mirror, change the light, and normalise."""
        height, width = pixels.shape[:2]
        view = self.draw(width, height, rng)
        brightness, saturation, contrast = view.light
        cut = resample(Image.fromarray(pixels), self.image_size, view.box)
        if view.mirrored:
            cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        square = np.asarray(cut)
        # Each change is linear in the colour, so that all three are one matrix and one shift:
        # x <- brightness x;  x <- saturation x + (1 - saturation) gray(x);
        # x <- contrast x + (1 - contrast) times the mean of gray.
        gray = float(square.mean(axis=0).mean(axis=0) @ LUMA) / 255 * brightness
        mix = saturation * np.eye(3) + (1 - saturation) * LUMA
        matrix = (contrast * brightness * mix).astype(np.float32)
        return recolour(square, matrix, (1 - contrast) * gray, self.normalisation)


def least_side(image_size: int) -> int:
    """Return the pixels that the short side of a decoded image keeps.

    Of 1.5 times the size that is asked for, a random part of 0.4 of the area, 0.63 of the side, is
    hardly ever enlarged.
    """
    return math.ceil(1.5 * image_size)


def unnormalise(images: Tensor, normalisation: Normalisation = IMAGENET) -> Tensor:
    """Return normalised images (..., 3, height, width) as a person sees them, in [0, 1]."""
    means, stds = (torch.tensor(x, device=images.device).view(3, 1, 1) for x in normalisation)
    return (images.float() * stds + means).clamp(0, 1)


def random_box(
    width: int, height: int, least_area: float, most_stretch: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Draw a rectangle within an image: left, top, right and bottom edge in pixels.

    Its area is uniform between ``least_area`` and all of the image, and the logarithm of its width
    over its height is uniform between ± log ``most_stretch``. A rectangle that does not fit is
    shrunk until it does. (Inception's crop [1]_ draws again instead.)

    References
    ----------
    .. [1] Szegedy et al., *Going deeper with convolutions*, 2015, section 6.
    """
    area = rng.uniform(least_area, 1) * width * height
    stretch = math.exp(rng.uniform(-1, 1) * math.log(most_stretch))
    w, h = math.sqrt(area * stretch), math.sqrt(area / stretch)
    fit = min(1.0, width / w, height / h)
    # Rounding must not push an edge out of the image.
    w, h = min(w * fit, width), min(h * fit, height)
    left, top = rng.random() * (width - w), rng.random() * (height - h)
    return left, top, min(left + w, width), min(top + h, height)


def resample(image: Image.Image, side: int, box: tuple[float, float, float, float]) -> Image.Image:
    """Return a part of an image as a square: bilinear, antialiased, in one step."""
    return image.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=3)


def recolour(
    pixels: Pixels, matrix: npt.NDArray[np.float32], shift: float, normalisation: Normalisation
) -> Normalised:
    """Return ``(clip(matrix x + shift, 0, 1) - mean) / std`` for the colour x in [0, 1] of a pixel.

    The division by 255 and the normalisation are moved into the matrix, the shift and the bounds.
    Shift and bounds are repeated along a row of the image, since NumPy is many times slower on a
    last axis of only three numbers.
    """
    means, stds = (np.array(values, np.float32) for values in normalisation)
    scaled = (matrix / (255 * stds[:, None])).T
    height, width, _ = pixels.shape
    rows = (pixels.reshape(-1, 3).astype(np.float32) @ scaled).reshape(height, 3 * width)
    constants = ((np.float32(shift) - means) / stds, -means / stds, (1 - means) / stds)
    shifts, low, high = (np.tile(values, width) for values in constants)
    rows += shifts
    # np.clip takes three times as long with bounds that are arrays.
    np.maximum(rows, low, out=rows)
    np.minimum(rows, high, out=rows)
    return rows.reshape(pixels.shape)
