"""The canvas on which flowers are drawn: pose, light, background, and petals.

A flower is drawn in its own coordinates: the middle is (0, 0), the radius about 1, and y points up.
The canvas has twice as many pixels a side as the result, and edges are soft by one pixel.
"""

import colorsys
import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import zoom

Random = np.random.RandomState
Array = np.ndarray

SIDE = 96
FINE = 2  # canvas pixels for one of the result


@dataclass(frozen=True)
class Colours:
    """The colours of one picture, each (3,) in [0, 1]."""

    petal: Array
    base: Array
    centre: Array
    leaf: Array
    back: tuple[Array, Array]

    @property
    def petals(self) -> tuple[Array, Array]:
        """The colours of a petal where it begins and where it ends."""
        return self.base, self.petal


def hsv(hue: float, saturation: float, value: float) -> Array:
    """Return a colour as red, green and blue."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value))


HUE_DEVIATION = 0.035
"""How much the hues of one kind differ, in turns of the circle of colours."""


def draw_colours(random: Random, usual_hue: float) -> Colours:
    """Draw the colours of a picture: the petals near their usual hue, all else from anywhere."""
    hue = random.normal(usual_hue, HUE_DEVIATION)
    petal = hsv(hue, random.uniform(0.35, 0.95), random.uniform(0.75, 1.0))
    base = hsv(hue + random.uniform(-0.15, 0.15), random.uniform(0.2, 0.9), random.uniform(0.5, 1))
    centre = hsv(random.uniform(), random.uniform(0.4, 0.9), random.uniform(0.3, 0.95))
    leaf = hsv(random.uniform(0.22, 0.42), random.uniform(0.4, 0.8), random.uniform(0.3, 0.6))
    behind = hue + random.uniform(0.2, 0.8)
    back = tuple(
        hsv(behind + random.uniform(-0.1, 0.1), random.uniform(0.1, 0.6), random.uniform(0.2, 0.75))
        for _ in range(2)
    )
    return Colours(petal, base, centre, leaf, back)


class Canvas:
    """A picture in the making, with the pose of its flower.

    Attributes
    ----------
    rgb
        Shape (n, n, 3), in [0, 1].
    x, y
        The flower's coordinates of each pixel, shape (n, n).
    """

    def __init__(self, random: Random, colours: Colours, turn: float) -> None:
        n = SIDE * FINE
        self.rgb = background(random, colours, n)
        self.light = random.uniform(0, 2 * math.pi)
        angle = random.uniform(-turn, turn)
        tilt, axis = random.uniform(0.5, 1.0), random.uniform(0, math.pi)
        radius = random.uniform(0.17, 0.42) * n
        # The flower is rotated and then squeezed along one axis, as if seen a little from the side.
        across = rotation(axis) @ np.diag([1, tilt]) @ rotation(-axis)
        self.pose = radius * across @ rotation(angle)
        self.middle = n / 2 + random.uniform(-0.16, 0.16, 2) * n
        column, row = np.meshgrid(np.arange(n) + 0.5, np.arange(n) + 0.5)
        inverse = np.linalg.inv(self.pose)
        dx, dy = column - self.middle[0], self.middle[1] - row
        self.x = inverse[0, 0] * dx + inverse[0, 1] * dy
        self.y = inverse[1, 0] * dx + inverse[1, 1] * dy
        self.soft = 1.2 / radius

    def window(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """Return the rows and columns that hold everything within ``reach`` of a point."""
        centre = self.middle + self.pose @ (x, y) * (1, -1)
        far = reach * np.linalg.norm(self.pose, 2) + 2
        low, high = (np.clip(centre + d, 0, len(self.rgb)).astype(int) for d in (-far, far))
        return slice(low[1], high[1]), slice(low[0], high[0])

    def fill(
        self, where: tuple[slice, slice], depth: Array, colour: Array, shadow: float = 0.3
    ) -> None:
        """Paint where ``depth`` is positive, with a soft edge and a shadow just outside of it."""
        shade = shadow * np.clip(1 + depth / 0.12, 0, 1) ** 2
        cover = np.clip(depth / self.soft + 0.5, 0, 1)[..., None]
        under = self.rgb[where] * (1 - shade[..., None])
        self.rgb[where] = under * (1 - cover) + np.clip(colour, 0, 1) * cover

    def petal(
        self,
        start: tuple[float, float],
        angle: float,
        length: float,
        width: float,
        colours: tuple[Array, Array],
        *,
        peak: float = 1.0,
        point: float = 0.6,
        bend: float = 0.0,
        open_end: float | None = None,
        vein: float = 0.08,
        spots: float = 0.0,
    ) -> None:
        """Paint one petal.

        Along it u runs from 0 to 1; its half width there is ``width`` sin(π u^peak)^point: a larger
        ``point`` is a more pointed tip, a larger ``peak`` moves the widest place outwards.

        Parameters
        ----------
        start, angle, length
            The point where the petal begins, its direction (0 is up, clockwise), and its length.
        colours
            At its beginning and at its end.
        bend
            How far the tip is moved sideways, in lengths.
        open_end
            The depth of the lobes of a rim that takes the place of the tip.
        vein, spots
            How dark the middle line is, and how dark a pattern of dots.
        """
        tip = length * (1 + abs(bend))
        middle = (start[0] + math.sin(angle) * tip / 2, start[1] + math.cos(angle) * tip / 2)
        where = self.window(*middle, math.hypot(tip / 2, width + abs(bend) * length) + 0.15)
        x, y = self.x[where] - start[0], self.y[where] - start[1]
        u = (math.sin(angle) * x + math.cos(angle) * y) / length
        v = math.cos(angle) * x - math.sin(angle) * y
        v = v - bend * length * u**2
        inside = np.clip(u, 0, 1)
        if open_end is None:
            half = width * np.sin(np.pi * inside**peak).clip(0) ** point
            depth = np.minimum(half - np.abs(v), np.minimum(u, 1 - u) * length)
        else:
            half = width * (0.16 + 0.52 * np.sqrt(inside) + 0.34 * inside**5)
            lobes = 1 + open_end * np.cos(np.clip(v / half, -1.2, 1.2) * 2.5 * np.pi)
            depth = np.minimum(half - np.abs(v), np.minimum(u, lobes - u) * length)
        across = v / np.maximum(half, 1e-3)
        tone = 1.08 - 0.28 * np.clip(across, -1.2, 1.2) ** 2
        tone -= vein * np.exp(-((v / (0.035 + 0.1 * width)) ** 2) * 6)
        tone += 0.035 * np.cos(across * 14) * np.clip(1.2 - u, 0, 1)
        tone += 0.12 * np.cos(angle - self.light)
        if spots:
            tone -= spots * (np.cos(22 * u * length) * np.cos(22 * v) > 0.35)
        blend = np.clip(0.15 + 1.0 * u, 0, 1)[..., None] ** 0.8
        colour = (colours[0] * (1 - blend) + colours[1] * blend) * tone[..., None]
        self.fill(where, depth, colour)

    def disc(self, x: float, y: float, radius: float, colour: Array, shadow: float = 0.35) -> None:
        """Paint a ball, brighter on the side of the light."""
        where = self.window(x, y, radius + 0.15)
        dx, dy = self.x[where] - x, self.y[where] - y
        r = np.hypot(dx, dy)
        lit = (math.sin(self.light) * dx + math.cos(self.light) * dy) / radius
        tone = 1.0 + 0.22 * np.clip(lit, -1, 1) - 0.25 * np.clip(r / radius, 0, 1) ** 3
        self.fill(where, radius - r, colour * tone[..., None], shadow)

    def seeds(self, radius: float, count: int, colour: Array, random: Random) -> None:
        """Paint small balls in the spirals of a sunflower, each a golden angle after the last."""
        for k in range(count, 0, -1):
            r = radius * math.sqrt(k / count)
            phi = k * math.pi * (3 - math.sqrt(5))
            tone = 0.65 + 0.55 * k / count + random.uniform(-0.1, 0.1)
            size = 0.85 * radius / math.sqrt(count)
            self.disc(r * math.cos(phi), r * math.sin(phi), size, colour * tone, 0.12)

    def stem(self, colours: Colours, random: Random, top: float = 0.0, leaves: int = 1) -> None:
        """Paint a stem downwards from (0, top), with leaves."""
        bend = random.uniform(-0.12, 0.12)
        green = (colours.leaf, colours.leaf * 1.15)
        for _ in range(leaves):
            side = random.choice([-1, 1])
            start = (0.0, random.uniform(-1.5, -1.0))
            angle, length = side * random.uniform(0.5, 1.1), random.uniform(0.7, 1.1)
            self.petal(start, angle, length, 0.17, green, point=1.0, bend=-side * 0.15)
        self.petal((0.0, top), math.pi, 3.4, 0.07, green, point=0.12, bend=bend, vein=0)


def rotation(angle: float) -> Array:
    """Return the matrix that turns by an angle."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s], [s, c]])


def background(random: Random, colours: Colours, n: int) -> Array:
    """Return a meadow out of focus: a gradient, clouds of light, leaves and spots of colour."""
    column, row = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    direction = random.uniform(0, 2 * math.pi)
    blend = 0.5 + 0.4 * (math.cos(direction) * column + math.sin(direction) * row)
    blend = np.clip(blend + 0.35 * zoom(random.normal(0, 0.6, (6, 6)), n / 6, order=3), 0, 1)
    rgb = colours.back[0] * (1 - blend[..., None]) + colours.back[1] * blend[..., None]
    tints = (colours.leaf, *colours.back, colours.petal, colours.centre)
    return smudges(rgb, random, tints, random.randint(3, 9), (0.15, 0.6), (0.08, 0.25))


def smudges(
    rgb: Array,
    random: Random,
    tints: tuple[Array, ...],
    count: int,
    long: tuple[float, float],
    thin: tuple[float, float],
) -> Array:
    """Return the picture with ellipses out of focus, their half axes within two ranges."""
    column, row = np.meshgrid(*[np.linspace(-1, 1, len(rgb))] * 2)
    for _ in range(count):
        x, y = random.uniform(-1.1, 1.1, 2)
        phi = random.uniform(0, math.pi)
        dx, dy = column - x, row - y
        along = (math.cos(phi) * dx + math.sin(phi) * dy) / random.uniform(*long)
        off = (math.cos(phi) * dy - math.sin(phi) * dx) / random.uniform(*thin)
        blur = random.uniform(0.2, 0.7)
        spot = np.clip((1 - np.hypot(along, off)) / blur, 0, 1) * random.uniform(0.25, 0.75)
        tint = tints[random.randint(len(tints))] * random.uniform(0.6, 1.2)
        rgb = rgb * (1 - spot[..., None]) + tint * spot[..., None]
    return rgb
