"""Procedural textures: seeded numpy/cv2 pictures that stand in for cloth, rock, foliage, clutter.

Every texture is a float32 array (height, width, 3), display-referred sRGB, 0 to 1.
"""

from __future__ import annotations

import cv2
import numpy as np

Array = np.ndarray


def random_color(rng: np.random.Generator) -> Array:
    """One colour (3,), float32 0..1, from muted, saturated, dark, bright or grey families."""
    value = rng.uniform(0.05, 0.95)
    spread = rng.choice([0.03, 0.12, 0.3, 0.6], p=[0.15, 0.3, 0.35, 0.2])
    color = value + spread * rng.uniform(-1, 1, 3)
    return np.clip(color, 0.01, 1).astype(np.float32)


def palette(rng: np.random.Generator, count: int) -> Array:
    """Colours (count, 3) that share a family: a first colour and neighbours, or free ones."""
    first = random_color(rng)
    if rng.random() < 0.3:
        return np.stack([random_color(rng) for _ in range(count)])
    reach = rng.uniform(0.08, 0.5)
    steps = reach * (rng.uniform(-1, 1, (count, 1)) + 0.4 * rng.uniform(-1, 1, (count, 3)))
    return np.clip(first + steps, 0.01, 1).astype(np.float32)


def noise(rng: np.random.Generator, height: int, width: int, cells: float, octaves: int = 4) -> Array:
    """Multi-octave value noise (height, width), about 0..1; ``cells`` is the coarsest grid."""
    field = np.zeros((height, width), np.float32)
    weight, total = 1.0, 0.0
    for _ in range(octaves):
        side = max(2, round(cells))
        if side >= max(height, width):
            break
        grid = rng.random((side, side), np.float32)
        field += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += weight
        weight *= 0.55
        cells *= 2.1
    field /= max(total, 1e-6)
    return np.clip((field - 0.5) * 1.7 + 0.5, 0, 1)


def colorize(field: Array, colors: Array) -> Array:
    """Map a field (h, w) of 0..1 through a colour ramp (n, 3)."""
    stops = np.linspace(0, 255, len(colors))
    ramp = np.stack([np.interp(np.arange(256), stops, colors[:, c]) for c in range(3)], 1)
    return ramp.astype(np.float32)[(field * 255).astype(np.uint8)]


def _marble(rng: np.random.Generator, height: int, width: int) -> Array:
    field = noise(rng, height, width, rng.uniform(2, 14), int(rng.integers(2, 6)))
    return colorize(field, palette(rng, int(rng.integers(2, 6))))


def _wavy(rng: np.random.Generator, height: int, width: int) -> Array:
    angle, count = rng.uniform(0, np.pi), rng.uniform(2, 16)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    phase = count * (np.cos(angle) * xs / width + np.sin(angle) * ys / height)
    phase += rng.uniform(0, 1.5) * noise(rng, height, width, rng.uniform(2, 6), 2)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * phase)
    if rng.random() < 0.6:
        wave = np.clip((wave - 0.5) * rng.uniform(2, 20) + 0.5, 0, 1)
    return colorize(wave, palette(rng, int(rng.integers(2, 4))))


def _checks(rng: np.random.Generator, height: int, width: int) -> Array:
    rows, columns = int(rng.integers(2, 14)), int(rng.integers(2, 14))
    colors = palette(rng, int(rng.integers(2, 6)))
    if rng.random() < 0.5:
        grid = (np.add.outer(np.arange(rows), np.arange(columns)) % 2).astype(int)
    else:
        grid = rng.integers(0, len(colors), (rows, columns))
    mode = cv2.INTER_NEAREST if rng.random() < 0.7 else cv2.INTER_LINEAR
    return cv2.resize(colors[grid], (width, height), interpolation=mode)


def _dots(rng: np.random.Generator, height: int, width: int) -> Array:
    colors = palette(rng, 4)
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = colors[0]
    radius = max(1, int(rng.uniform(0.01, 0.06) * height))
    for _ in range(int(rng.integers(10, 60))):
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        cv2.circle(picture, center, radius, colors[int(rng.integers(1, 4))].tolist(), -1, cv2.LINE_AA)
    return picture


def _clutter(rng: np.random.Generator, height: int, width: int) -> Array:
    """Overlapping blurred shapes and lines: what lies about in a photograph."""
    picture = _marble(rng, height, width)
    colors = palette(rng, 8)
    for _ in range(int(rng.integers(6, 40))):
        color = colors[int(rng.integers(0, 8))].tolist()
        center = rng.uniform(0, 1, 2) * (width, height)
        size = height * rng.uniform(0.01, 0.2, 2) * rng.choice([0.5, 1, 2])
        kind = rng.random()
        if kind < 0.4:
            box = (tuple(map(float, center)), tuple(map(float, 2 * size)), float(rng.uniform(0, 360)))
            cv2.ellipse(picture, box, color, -1, cv2.LINE_AA)
        elif kind < 0.75:
            points = center + size * 1.5 * rng.uniform(-1, 1, (int(rng.integers(3, 6)), 2))
            cv2.fillPoly(picture, [points.astype(np.int32)], color, cv2.LINE_AA)
        else:
            end = center + height * rng.uniform(-0.6, 0.6, 2)
            thick = int(rng.integers(1, max(2, height // 40) + 1))
            cv2.line(picture, tuple(map(int, center)), tuple(map(int, end)), color, thick, cv2.LINE_AA)
    blur = rng.choice([0, 0.6, 1.5, 4]) * height / 256
    return cv2.GaussianBlur(picture, (0, 0), blur) if blur > 0 else picture


def _landscape(rng: np.random.Generator, height: int, width: int) -> Array:
    """Sky and overlapping ridges with their own fine texture, paler with distance."""
    sky = palette(rng, 2)
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture = np.broadcast_to(sky[0] * (1 - ramp) + sky[1] * ramp, (height, width, 3)).copy()
    picture += 0.25 * (noise(rng, height, width, 4, 4)[..., None] - 0.5) * rng.random()
    layers = int(rng.integers(2, 6))
    rows = np.arange(height, dtype=np.float32)[:, None]
    top = rng.uniform(0.1, 0.5)
    for index in range(layers):
        level = top + (1.0 - top) * index / layers
        ridge = noise(rng, 8, width, rng.uniform(3, 12), 5)[0]
        edge = height * (level + rng.uniform(0.05, 0.4) * (ridge - 0.5))
        alpha = np.clip(rows - edge[None] + 0.5, 0, 1)[..., None]
        ground = colorize(noise(rng, height, width, rng.uniform(8, 40), 4), palette(rng, 3))
        haze = 0.6 * (1 - (index + 1) / layers)
        picture += alpha * (ground * (1 - haze) + sky[1] * haze - picture)
    return picture


def _plain(rng: np.random.Generator, height: int, width: int) -> Array:
    return colorize(noise(rng, height, width, 2, 1), palette(rng, 2))


_SURFACES = (_marble, _wavy, _checks, _dots, _clutter, _plain)
_SURFACE_WEIGHTS = (0.3, 0.2, 0.12, 0.1, 0.13, 0.15)
_SCENES = (_marble, _wavy, _checks, _clutter, _landscape, _plain)
_SCENE_WEIGHTS = (0.2, 0.08, 0.07, 0.3, 0.28, 0.07)


def _grain(rng: np.random.Generator, picture: Array, amount: float) -> Array:
    height, width = picture.shape[:2]
    fine = noise(rng, height, width, rng.uniform(24, 90), 2)[..., None] - 0.5
    return np.clip(picture * (1 + amount * fine), 0, 1)


def surface(rng: np.random.Generator, side: int) -> Array:
    """The texture of an object, (side, side, 3)."""
    make = _SURFACES[int(rng.choice(len(_SURFACES), p=_SURFACE_WEIGHTS))]
    return _grain(rng, make(rng, side, side), rng.uniform(0, 0.9) * rng.random())


def scene(rng: np.random.Generator, height: int, width: int) -> Array:
    """The texture of a background, (height, width, 3): one family, or two split by a soft border."""
    make = _SCENES[int(rng.choice(len(_SCENES), p=_SCENE_WEIGHTS))]
    picture = make(rng, height, width)
    if rng.random() < 0.35:
        other = _SCENES[int(rng.choice(len(_SCENES), p=_SCENE_WEIGHTS))](rng, height, width)
        border = noise(rng, height, width, rng.uniform(2, 5), 3)
        mix = np.clip((border - rng.uniform(0.35, 0.65)) * rng.uniform(3, 60), 0, 1)
        picture = picture + mix[..., None] * (other - picture)
    picture = _grain(rng, picture, rng.uniform(0, 1.2) * rng.random())
    light = 1 + rng.uniform(0, 0.6) * (noise(rng, height, width, 2, 1)[..., None] - 0.5)
    return np.clip(picture * light, 0, 1).astype(np.float32)
