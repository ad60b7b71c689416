"""Generated plates of any size with exact soft truth: one case of edge each.

A textured shape has for its matte the share of each pixel that it covers. Lens and shutter blur colour
and matte alike; both are laid over the ground in linear light, encoded and given grain. Everything
follows from the recipe.
"""

from __future__ import annotations

import enum
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from efficienttam.media import write_matte, write_mattes
from efficienttam.tracking.frame_source import FrameSource
from efficienttam.training import shapes, textures
from efficienttam.training.clips import evaluation_seed

Array = np.ndarray

#: Lines per pixel when a shape is filled.
FINE = 16
#: Frames kept drawn.
KEPT = 2
_GRAIN_MARGIN = 256


class EdgeCase(enum.Enum):
    """What the edge of the object is like; lengths are shares of the plate's height."""

    #: In focus and slow: edges one pixel wide.
    HARD = "hard"
    #: Out of focus: a disc of 0.008 (17 pixels on 4K).
    DEFOCUS = "defocus"
    #: A shutter open while the object moves 0.02 sideways (43 pixels on 4K).
    MOTION = "motion"
    #: Spikes down to nothing at their tips, and small holes.
    SPIKES = "spikes"
    #: Cut by the left and the lower border of the frame.
    BORDER = "border"
    #: 200 pixels across on 4K.
    SMALL = "small"
    #: Nothing moves but the grain.
    STILL = "still"


@dataclass(frozen=True)
class SoftRecipe:
    """One plate: ``size`` is (width, height) in pixels; ``seed`` counts from 0."""

    case: EdgeCase
    size: tuple[int, int]
    frames: int = 8
    seed: int = 0


@dataclass(frozen=True)
class _Move:
    """Centre of the object on the first frame, its step and the ground's per frame, its radius; pixels."""

    centre: Array
    step: Array
    drift: Array
    radius: float


class SoftPlate:
    """A generated plate: a ``FrameSource`` of 8-bit sRGB pictures, and ``Footage`` of one object, hero.

    Frames count from 1001.
    """

    def __init__(self, recipe: SoftRecipe) -> None:
        self.recipe = recipe
        width, height = self.size = recipe.size
        self.name = f"{recipe.case.value} {width}x{height}"
        self.frames = range(1001, 1001 + recipe.frames)
        self.objects = ("hero",)
        rng = np.random.default_rng((evaluation_seed(recipe.seed), 5))
        self._move = _move(recipe, rng)
        margin = int(np.ceil(np.abs(self._move.drift).max() * recipe.frames)) + 2
        self._ground = _ground(recipe, height + 2 * margin, width + 2 * margin)
        self._margin = margin
        self._loops = _loops(recipe.case, rng)
        side = int(np.clip(4 * self._move.radius, 256, 1024))
        self._sprite = _lit(_told_apart(textures.surface(rng, side), self._ground))
        grain = rng.normal(0, 1.6, (height + _GRAIN_MARGIN, width + _GRAIN_MARGIN))
        self._grain = np.rint(grain).astype(np.int16)
        self._drawn: OrderedDict[int, tuple[Array, Array]] = OrderedDict()

    @property
    def plate(self) -> FrameSource:
        """The plate itself."""
        return self

    @property
    def annotated(self) -> range:
        """Every frame."""
        return self.frames

    def read(self, frame: int) -> Array:
        """A frame, (height, width, 3) uint8 sRGB."""
        return self._draw(frame)[0]

    def identity(self, frame: int) -> str:
        """The recipe, and the frame."""
        return hashlib.sha256(f"{self.recipe} {frame} 1".encode()).hexdigest()

    def truth(self, frame: int) -> Array:
        """The true matte, (1, height, width) float32."""
        return self._draw(frame)[1][None]

    def write(self, folder: Path) -> tuple[str, str]:
        """The plate as linear EXR and its true mattes; the patterns of both sequences.

        Raises OutputError.
        """
        folder.mkdir(parents=True, exist_ok=True)
        plate, truth = str(folder / "plate.%04d.exr"), str(folder / "truth.%04d.exr")
        for frame in self.frames:
            light = _light()[self.read(frame)]
            write_mattes(
                plate % frame, {name: light[..., i] for i, name in enumerate(("red", "green", "blue"))}
            )
            write_matte(truth % frame, self.truth(frame)[0])
        return plate, truth

    def _draw(self, frame: int) -> tuple[Array, Array]:
        if frame not in self._drawn:
            self._drawn[frame] = self._composed(frame)
            if len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        self._drawn.move_to_end(frame)
        return self._drawn[frame]

    def _composed(self, frame: int) -> tuple[Array, Array]:
        time = frame - self.frames[0]
        width, height = self.size
        light = _light()[_shifted(self._ground, self._margin + time * self._move.drift, (width, height))]
        matte = np.zeros((height, width), np.float32)
        centre = self._move.centre + time * self._move.step
        reach = self._move.radius * 1.1 + _blur_reach(self.recipe)
        left, top = np.floor(centre - reach).astype(int)
        right, bottom = np.ceil(centre + reach).astype(int)
        patch, alpha = self._sprite_at(centre - (left, top), (int(right - left), int(bottom - top)))
        inside = (slice(max(0, top), min(height, bottom)), slice(max(0, left), min(width, right)))
        part = tuple(slice(s.start - at, s.stop - at) for s, at in zip(inside, (top, left)))
        matte[inside] = alpha[part]
        light[inside] = patch[part] + light[inside] * (1 - alpha[part][..., None])
        picture = _encoded(light)
        rng = np.random.default_rng((self.recipe.seed, time, 6))
        y, x = rng.integers(0, _GRAIN_MARGIN, 2)
        grain = self._grain[y : y + height, x : x + width, None]
        return np.clip(picture + grain, 0, 255).astype(np.uint8), matte

    def _sprite_at(self, centre: Array, size: tuple[int, int]) -> tuple[Array, Array]:
        """Colour times matte (h, w, 3) in linear light, and matte (h, w), of a window around the object."""
        loops = [loop * self._move.radius + centre for loop in self._loops]
        alpha = coverage(loops, size)
        scale = 2.2 * self._move.radius / self._sprite.shape[0]
        place = np.array(
            [[scale, 0, centre[0] - 1.1 * self._move.radius], [0, scale, centre[1] - 1.1 * self._move.radius]]
        )
        color = cv2.warpAffine(
            self._sprite, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        both = np.dstack([color * alpha[..., None], alpha])
        both = _blurred(both, self.recipe)
        return both[..., :3], both[..., 3]


def coverage(loops: list[Array], size: tuple[int, int]) -> Array:
    """Share of each pixel that lies inside a closed contour (n, 2), float32 (height, width).

    Contours after the first are holes in it; none crosses another or itself. Pixels of a window of ``size``
    (width, height), origin top-left, centres at .5. Exact along x, ``FINE`` lines to a pixel along y.
    """
    width, height = size
    share = np.zeros(height * (width + 2))
    for index, loop in enumerate(loops):
        start, end = loop, np.roll(loop, -1, 0)
        area = float((start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]).sum())
        turn = (1 if area > 0 else -1) * (1 if index == 0 else -1)
        # Lines lie at (k + 0.5) / FINE; each edge crosses those between its ends.
        top, bottom = (np.ceil(side[:, 1] * FINE - 0.5).astype(int) for side in (start, end))
        first, count = np.minimum(top, bottom), np.abs(bottom - top)
        edge = np.repeat(np.arange(len(loop)), count)
        line = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
        seen = (line >= 0) & (line < height * FINE)
        edge, line = edge[seen], line[seen]
        along = ((line + 0.5) / FINE - start[edge, 1]) / (end[edge, 1] - start[edge, 1])
        x = np.clip(start[edge, 0] + along * (end[edge, 0] - start[edge, 0]), 0, width)
        cell, weight = np.floor(x).astype(int), turn * np.sign(top - bottom)[edge] / FINE
        place = line // FINE * (width + 2) + cell
        for step, part in ((0, 1 - (x - cell)), (1, x - cell)):
            share += np.bincount(place + step, weight * part, len(share))
    whole = np.cumsum(share.reshape(height, width + 2), axis=1)[:, :width]
    return np.clip(whole, 0, 1).astype(np.float32)


def _move(recipe: SoftRecipe, rng: np.random.Generator) -> _Move:
    width, height = recipe.size
    middle = np.array([width, height]) * rng.uniform(0.42, 0.5, 2)
    slow = np.array([0.004, 0.0023]) * height
    drift, radius = np.array([0.0013, 0.0007]) * height, 0.24 * height
    if recipe.case is EdgeCase.MOTION:
        return _Move(middle - (0.06 * height, 0), np.array([0.02 * height, 0]), drift, radius)
    if recipe.case is EdgeCase.BORDER:
        return _Move(np.array([0.1 * height, 0.93 * height]), slow * (1, -0.5), drift, radius)
    if recipe.case is EdgeCase.SMALL:
        return _Move(middle, slow, drift, 100 / 2160 * height)
    if recipe.case is EdgeCase.STILL:
        return _Move(middle, np.zeros(2), np.zeros(2), radius)
    return _Move(middle, slow, drift, radius)


def _loops(case: EdgeCase, rng: np.random.Generator) -> list[Array]:
    """Contours (n, 2) of an object of radius 1 around the origin; the later ones are holes."""
    body = shapes.blob(rng, 512)
    if case is not EdgeCase.SPIKES:
        return [body]
    body = shapes.ellipse(0.8, 2048) * 0.7
    angle = np.linspace(0, 2 * np.pi, len(body), endpoint=False)
    reach = np.ones(len(body))
    for spike in np.arange(36) / 36 * 2 * np.pi + rng.uniform(-0.05, 0.05, 36):
        off = np.abs((angle - spike + np.pi) % (2 * np.pi) - np.pi)
        reach += rng.uniform(0.1, 0.4) * np.clip(1 - off / rng.uniform(0.015, 0.05), 0, None)
    holes = [
        shapes.ellipse(1.0, 128) * size + 0.35 * np.array([np.cos(turn), 0.8 * np.sin(turn)])
        for size, turn in zip((0.012, 0.02, 0.03, 0.045, 0.07, 0.1), np.arange(6) * np.pi / 3)
    ]
    return [body * reach[:, None], *holes]


def _blur_reach(recipe: SoftRecipe) -> float:
    """Pixels that the blur of a recipe reaches beyond the shape."""
    return {EdgeCase.DEFOCUS: 0.006, EdgeCase.MOTION: 0.012}.get(recipe.case, 0.0) * recipe.size[1] + 2


def _blurred(picture: Array, recipe: SoftRecipe) -> Array:
    """A picture (h, w, 4) as its lens and shutter leave it; black around it."""
    height = recipe.size[1]
    if recipe.case is EdgeCase.DEFOCUS:
        radius = 0.004 * height
        side = 2 * int(np.ceil(radius)) + 1
        disc = coverage([shapes.ellipse(1.0, 256) * radius + side / 2], (side, side))
        return cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_CONSTANT)
    if recipe.case is EdgeCase.MOTION:
        way = _box(0.02 * height)
        return cv2.sepFilter2D(picture, -1, way, np.ones(1), borderType=cv2.BORDER_CONSTANT)
    return picture


def _box(length: float) -> Array:
    """The kernel of a shutter open over ``length`` pixels, whose ends may be parts of pixels."""
    whole = int((length - 1) / 2) if length > 1 else 0
    end = (length - (2 * whole + 1)) / 2
    kernel = np.array([end, *[1.0] * (2 * whole + 1), end]) if end > 0 else np.ones(2 * whole + 1)
    return kernel / kernel.sum()


def _ground(recipe: SoftRecipe, height: int, width: int) -> Array:
    """The ground as 8-bit sRGB, with detail down to single pixels."""
    rng = np.random.default_rng((evaluation_seed(recipe.seed), 7))
    coarse = textures.scene(rng, min(height, 1080), round(width * min(height, 1080) / height))
    scene = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    detail = textures.noise(rng, height, width, height / 24, 4)[..., None] - 0.5
    return np.rint(np.clip(scene * (1 + 0.25 * detail), 0, 1) * 255).astype(np.uint8)


def _told_apart(sprite: Array, ground: Array) -> Array:
    """The sprite, brighter or darker where its mean is that of the ground: an object one can see."""
    there = float(ground.mean()) / 255
    gap = float(sprite.mean()) - there
    if abs(gap) >= 0.2:
        return sprite
    wanted = there + 0.25 if there < 0.55 else there - 0.25
    return np.clip(sprite + (wanted - float(sprite.mean())), 0, 1)


def _shifted(picture: Array, at: Array, size: tuple[int, int]) -> Array:
    """The window of ``size`` (width, height) at (x, y) of a picture, between its pixels too."""
    place = np.array([[1, 0, -at[0]], [0, 1, -at[1]]])
    return cv2.warpAffine(picture, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _lit(display: Array) -> Array:
    """sRGB 0 to 1 as linear light, float32."""
    low = display / 12.92
    return np.where(display <= 0.04045, low, ((display + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _light() -> Array:
    """Linear light of each 8-bit sRGB value."""
    return _lit(np.arange(256) / 255)


def _encoded(light: Array) -> Array:
    """Linear light 0 to 1 as 8-bit sRGB, int16."""
    steps = (np.arange(4096) / 4095) ** 2
    curve = np.where(steps <= 0.0031308, steps * 12.92, 1.055 * steps ** (1 / 2.4) - 0.055)
    table = np.rint(curve * 255).astype(np.int16)
    return table[(np.sqrt(np.clip(light, 0, 1)) * 4095 + 0.5).astype(np.int16)]
