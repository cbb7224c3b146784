"""The ten kinds of drawn flowers, stroke by stroke.

Form tells the kinds apart, and so does colour in part: each kind has a usual hue, from which its
flowers differ so much that neighbours overlap. The pictures are drawings, not photographs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flower_drawing import FINE, SIDE, Array, Canvas, Colours, Random, draw_colours, smudges
from PIL import Image
from scipy.ndimage import gaussian_filter


def ring(count: int, random: Random, loose: float = 0.06) -> Array:
    """Return angles all around, from a random start, each a little off."""
    start, steps = random.uniform(0, 2 * math.pi), np.arange(count)
    return start + steps * 2 * math.pi / count + random.normal(0, loose, count)


def buttercup(c: Canvas, k: Colours, random: Random) -> None:
    """Draw five broad round petals around a small centre with stamens."""
    width = random.uniform(0.46, 0.56)
    for angle in ring(5, random):
        length, bend = random.uniform(0.92, 1.05), random.uniform(-0.06, 0.06)
        c.petal((0, 0), angle, length, width, k.petals, peak=1.5, point=0.5, bend=bend)
    c.disc(0, 0, 0.17, k.centre)
    for angle in ring(12, random):
        c.disc(0.24 * math.sin(angle), 0.24 * math.cos(angle), 0.045, k.centre * 1.15, 0.2)


def lily(c: Canvas, k: Colours, random: Random) -> None:
    """Draw six pointed petals in two rings of three, with long stamens."""
    width, bend = random.uniform(0.24, 0.31), random.uniform(-0.1, 0.1)
    start = random.uniform(0, 2 * math.pi)
    for layer in range(2):
        for j in range(3):
            angle = start + (j + layer / 2) * 2 * math.pi / 3 + random.normal(0, 0.05)
            length, wide = random.uniform(1.0, 1.15), width * (1 + 0.15 * layer)
            c.petal(
                (0, 0), angle, length, wide, k.petals, peak=0.95, point=1.05, bend=bend, vein=0.25
            )
    for angle in ring(6, random, 0.2):
        reach = random.uniform(0.4, 0.55)
        pale = k.base * 0.5 + 0.5
        c.petal((0, 0), angle, reach, 0.022, (pale, pale), point=0.2, vein=0)
        x, y = reach * math.sin(angle), reach * math.cos(angle)
        c.petal((x, y), angle + 1.3, 0.14, 0.04, (k.centre, k.centre), vein=0)


def daisy(c: Canvas, k: Colours, random: Random) -> None:
    """Draw many thin petals with round tips around a disc."""
    count = random.randint(15, 23)
    for angle in ring(count, random):
        length, bend = random.uniform(0.9, 1.06), random.uniform(-0.05, 0.05)
        c.petal((0, 0), angle, length, 0.115, k.petals, peak=1.7, point=0.45, bend=bend)
    c.disc(0, 0, 0.27, k.centre)
    c.seeds(0.23, 40, k.centre, random)


def sunflower(c: Canvas, k: Colours, random: Random) -> None:
    """Draw a large disc of seeds in spirals, with short pointed petals in two rows."""
    count = random.randint(13, 19)
    for length in (1.08, 0.98):
        for angle in ring(count, random, 0.08):
            rim = (0.3 * math.sin(angle), 0.3 * math.cos(angle))
            c.petal(rim, angle, length - 0.3, 0.14, k.petals, peak=0.9, point=0.95, vein=0.15)
    c.disc(0, 0, 0.56, k.centre * 0.8)
    c.seeds(0.52, 110, k.centre, random)


def tulip(c: Canvas, k: Colours, random: Random) -> None:
    """Draw a cup of broad petals, seen from the side, on a stem."""
    c.stem(k, random, -0.7, leaves=2)
    spread, high = random.uniform(0.12, 0.26), random.uniform(1.5, 1.7)
    dark = (k.base * 0.8, k.petal * 0.75)
    for side in (-1, 1):
        c.petal((0, -0.75), side * spread * 0.55, high, 0.42, dark, peak=0.9, point=0.75)
    c.petal((0, -0.75), random.uniform(-0.06, 0.06), high * 0.97, 0.44, dark, peak=0.9, point=0.75)
    order = [-1, 1] if random.uniform() < 0.5 else [1, -1]
    for side in order:
        start, angle = (side * 0.05, -0.8), side * (spread + 0.12)
        bend = -side * random.uniform(0.12, 0.2)
        c.petal(start, angle, high, 0.42, k.petals, peak=0.75, point=0.8, bend=bend)
    front, angle = (k.base, k.petal * 1.04), random.uniform(-0.1, 0.1)
    c.petal((0, -0.82), angle, high * 0.86, 0.43, front, peak=0.85, point=0.7, vein=0.14)


def bellflower(c: Canvas, k: Colours, random: Random) -> None:
    """Draw hanging bells with a lobed rim, on an arched stem."""
    green = (k.leaf, k.leaf * 1.15)
    side = random.choice([-1, 1])
    c.petal((-side * 0.75, -2.2), 0.0, 3.1, 0.06, green, point=0.1, bend=side * 0.08, vein=0)
    c.petal(
        (-side * 0.55, 0.78), side * 1.35, 1.25, 0.05, green, point=0.15, bend=side * 0.2, vein=0
    )
    places = [(side * 0.45, 0.75), (-side * 0.35, 0.72)][: random.randint(1, 3)]
    for x, y in places:
        size = random.uniform(1.15, 1.35) if len(places) == 1 else random.uniform(0.95, 1.15)
        angle = math.pi + random.uniform(-0.25, 0.25)
        rim = (x + size * 0.97 * math.sin(angle), y + size * 0.97 * math.cos(angle))
        left = (rim[0] - 0.5 * size * math.cos(angle), rim[1] + 0.5 * size * math.sin(angle))
        inner = (k.base * 0.55, k.base * 0.55)
        c.petal(left, angle + math.pi / 2, size, 0.16 * size, inner, point=0.5)
        c.petal((x, y), angle, size * 1.05, 0.13, (k.centre, k.centre), peak=6, point=0.5, vein=0)
        c.petal((x, y), angle, size, 0.52 * size, k.petals, open_end=0.07, vein=0.15)
        c.disc(x, y, 0.13, k.leaf)


def rose(c: Canvas, k: Colours, random: Random) -> None:
    """Draw broad petals in rings that grow smaller inwards, around a spiral."""
    count = random.randint(5, 7)
    start = random.uniform(0, 2 * math.pi)
    for layer in range(6):
        reach, tone = 1.03 * 0.8**layer, 1.05 - 0.07 * layer
        colours = (k.base * tone * 0.6, k.petal * tone)
        for angle in start + ring(count - layer // 2, random, 0.1):
            length, wide = reach * random.uniform(0.94, 1.05), 0.66 * reach
            bend = random.uniform(-0.1, 0.1)
            c.petal((0, 0), angle, length, wide, colours, peak=2.2, point=0.45, vein=0, bend=bend)
    where = c.window(0, 0, 0.5)
    x, y = c.x[where], c.y[where]
    r = np.hypot(x, y)
    turn = np.arctan2(x, y) - 7 * np.log(r + 0.12) + start
    fold = 0.3 * np.clip(np.cos(turn), -0.2, 1) * np.clip(1.4 - r / 0.28, 0, 1)
    c.rgb[where] *= 1 - fold[..., None].clip(0)


def thistle(c: Canvas, k: Colours, random: Random) -> None:
    """Draw a fan of fine spikes on a scaly bulb, seen from the side."""
    c.stem(k, random, -0.7, leaves=1)
    wide = random.uniform(0.9, 1.25)
    for layer in range(3):
        for t in np.linspace(-1, 1, 21):
            angle = wide * (1 - 0.25 * layer) * t + random.normal(0, 0.05)
            length = (1.25 - 0.17 * layer) * random.uniform(0.85, 1.05)
            start, colours = (0.25 * t, -0.15), (k.base * (0.7 + 0.15 * layer), k.petal)
            c.petal(start, angle, length, 0.05, colours, peak=1.6, point=0.8, vein=0)
    c.petal((0, -0.95), 0.0, 1.05, 0.46, (k.leaf, k.leaf), peak=0.9, point=0.5, vein=0)
    scale = (k.leaf, k.centre * 0.6 + k.leaf * 0.4)
    for row in range(4):
        for j in range(-2, 3):
            x, y = (j + 0.5 * (row % 2)) * 0.19 * (1 - 0.05 * row), -0.05 - 0.2 * row
            if abs(x) < 0.44 - 0.09 * row:
                c.petal((x, y - 0.12), 0.6 * x, 0.27, 0.1, scale, point=0.9)


def orchid(c: Canvas, k: Colours, random: Random) -> None:
    """Draw three sepals, two wide petals to the sides and a spotted lip: left equals right."""
    droop = random.uniform(1.95, 2.25)
    for angle in (0.0, droop + 0.35, -droop - 0.35):
        c.petal((0, 0), angle, 1.05, 0.25, (k.base, k.petal * 0.92), point=0.75, vein=0.15)
    side, wide = random.uniform(1.15, 1.4), random.uniform(0.46, 0.56)
    for sign in (-1, 1):
        angle, bend = sign * side, sign * 0.08
        c.petal((0, 0.05), angle, 1.12, wide, k.petals, peak=1.1, point=0.5, vein=0.12, bend=bend)
    for sign in (-1, 1):
        c.petal((0, -0.05), sign * 2.2, 0.42, 0.17, (k.centre * 0.8, k.centre), point=0.6)
    lip, length = (k.centre * 0.75, k.centre), random.uniform(0.7, 0.85)
    c.petal((0, 0.02), math.pi, length, 0.26, lip, peak=1.5, point=0.6, spots=0.35)
    c.disc(0, 0.04, 0.12, k.centre * 0.4 + 0.55)


def morning_glory(c: Canvas, k: Colours, random: Random) -> None:
    """Draw one round funnel with a wavy rim and a pale star of five rays."""
    start, waves = random.uniform(0, 2 * math.pi), random.uniform(0.03, 0.07)
    where = c.window(0, 0, 1.3)
    x, y = c.x[where], c.y[where]
    r, theta = np.hypot(x, y), np.arctan2(x, y) - start
    edge = 0.97 + waves * np.cos(5 * theta) + 0.012 * np.cos(15 * theta)
    ray = np.abs((theta / (2 * math.pi) * 5 + 0.5) % 1 - 0.5) * 2 * math.pi / 5
    star = np.clip((0.13 * (1.25 - r) - r * ray) / 0.03 + 0.5, 0, 1)
    throat = np.clip(1.1 - r / 0.42, 0, 1) ** 1.3
    lit = np.cos(np.arctan2(x, y) - c.light)
    tone = 0.98 + 0.13 * lit * np.clip(r, 0, 1) - 0.25 * np.exp(-(((r - 0.33) / 0.12) ** 2))
    tone += 0.05 * np.cos(40 * theta) * np.clip(r, 0, 1)
    pale = 0.35 * k.base + 0.65
    colour = k.petal * (1 - 0.7 * star[..., None]) + pale * 0.7 * star[..., None]
    colour = colour * (1 - throat[..., None]) + pale * throat[..., None]
    c.fill(where, edge - r, colour * tone[..., None])
    c.disc(0, 0, 0.11, k.centre * 0.8)
    for angle in ring(5, random):
        c.disc(0.09 * math.sin(angle), 0.09 * math.cos(angle), 0.05, k.centre * 1.1, 0.2)


@dataclass(frozen=True)
class Kind:
    """One class of flowers.

    Attributes
    ----------
    draw
        Draws a flower of this kind.
    turn
        The angle, in radians, up to which the flowers lean away from upright.
    hue
        The usual hue of the petals, in turns of the circle of colours: 0 is red, a third green.
    """

    draw: Callable[[Canvas, Colours, Random], None]
    turn: float
    hue: float


KINDS: dict[str, Kind] = {
    "buttercup": Kind(buttercup, math.pi, 0.19),
    "lily": Kind(lily, math.pi, 0.05),
    "daisy": Kind(daisy, math.pi, 0.54),
    "sunflower": Kind(sunflower, math.pi, 0.12),
    "tulip": Kind(tulip, 1.0, 0.90),
    "bellflower": Kind(bellflower, 0.8, 0.69),
    "rose": Kind(rose, math.pi, 0.97),
    "thistle": Kind(thistle, 1.0, 0.76),
    "orchid": Kind(orchid, 1.0, 0.83),
    "morning glory": Kind(morning_glory, math.pi, 0.62),
}
"""The classes by name, in the order of the labels. Their hues lie a fourteenth of the circle apart,
without green."""


def draw_flower(name: str, random: Random) -> Image.Image:
    """Return one picture of a kind of flower, RGB, `SIDE` pixels square."""
    kind = KINDS[name]
    colours = draw_colours(random, kind.hue)
    canvas = Canvas(random, colours, kind.turn)
    if kind.turn == math.pi and random.uniform() < 0.7:
        canvas.stem(colours, random, leaves=random.randint(0, 3))
    kind.draw(canvas, colours, random)
    n = SIDE * FINE
    column, row = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    light = math.sin(canvas.light) * column - math.cos(canvas.light) * row
    # Blades of grass in front of the flower.
    blades = (colours.leaf, colours.leaf * 1.4, *colours.back)
    rgb = smudges(canvas.rgb, random, blades, random.randint(0, 5), (0.5, 1.3), (0.03, 0.1))
    rgb = rgb * (random.uniform(0.85, 1.08) + 0.12 * light)[..., None]
    rgb = gaussian_filter(rgb, (random.uniform(0.3, 2.0),) * 2 + (0,))
    rgb = rgb.reshape(SIDE, FINE, SIDE, FINE, 3).mean(axis=(1, 3))
    rgb += random.normal(0, random.uniform(0.0, 0.04), rgb.shape)
    return Image.fromarray(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8))
