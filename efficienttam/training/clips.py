"""Generated clips with exact truth: moving textured things over moving textured ground.

``Clip(ClipRecipe(...)).render(t)`` gives one frame and the visible matte of every object in it.
Everything follows from the seed; nothing but the frame asked for is kept in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from efficienttam.training import textures
from efficienttam.training.actors import Actor, crossing_pair, random_actor, random_occluder

Array = np.ndarray

#: Seeds below are for training, seeds from here on for evaluation; never mixed.
FIRST_EVALUATION_SEED = 1_000_000_000
#: Clips that belong to one seed of training.
CLIPS_PER_SEED = 1_000_000
#: The clip of the demo: a ball that turns and shrinks passes another thing; chosen by eye.
DEMO_SEED = 2_000_000_010


def training_seed(index: int) -> int:
    """The seed of training clip ``index``. Raises ValueError when it would enter evaluation's range."""
    if not 0 <= index < FIRST_EVALUATION_SEED:
        raise ValueError(f"Training clip {index} is outside 0..{FIRST_EVALUATION_SEED - 1}.")
    return index


def evaluation_seed(index: int) -> int:
    """The seed of evaluation clip ``index``, which no training clip can have."""
    if not 0 <= index < DEMO_SEED - FIRST_EVALUATION_SEED:
        raise ValueError(f"Evaluation clip {index} is outside the evaluation range.")
    return FIRST_EVALUATION_SEED + index


@dataclass(frozen=True)
class ClipRecipe:
    """``width`` x ``height`` pixels; ``aspect`` is that of the scene (0: width / height).

    A square frame with an aspect of 1.78 is a 16:9 plate squeezed to a square. With ``crossing`` two
    things that may look alike cross each other's way at that time (0: as it happens).
    """

    seed: int
    frames: int
    width: int
    height: int
    aspect: float = 0.0
    crossing: float = 0.0


@dataclass(frozen=True)
class _Camera:
    pan: Array
    shake: Array
    rate: Array
    zoom: float
    roll: float

    def matrix(self, time: float, aspect: float) -> Array:
        """World to camera, (3, 3), about the middle of the frame."""
        middle = np.array([aspect / 2, 0.5])
        scale = np.exp(self.zoom * time)
        angle = self.roll * np.sin(self.rate[0] * time)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        linear = np.array([[cos, -sin], [sin, cos]])
        shift = middle + self.pan * time + self.shake * np.sin(self.rate * time) - linear @ middle
        return np.array([[*linear[0], shift[0]], [*linear[1], shift[1]], [0, 0, 1]])


class Clip:
    """A generated clip. Objects 0..n-1 are things; occluders belong to no object."""

    def __init__(self, recipe: ClipRecipe) -> None:
        self.recipe = recipe
        self.aspect = recipe.aspect or recipe.width / recipe.height
        rng = np.random.default_rng(recipe.seed)
        self._margin = 1.4
        canvas = (round(recipe.height * self._margin), round(recipe.width * self._margin))
        # A stream of its own: how much a texture draws depends on its size, the scene must not.
        self._ground = textures.scene(np.random.default_rng((recipe.seed, 3)), *canvas)
        self._camera = _random_camera(rng)
        self.actors, self.objects = self._cast(rng)
        self._gain = min(rng.normal(-0.05, 0.2), 0.15), rng.uniform(0, 0.12), rng.uniform(0.1, 0.6)
        self._contrast = float(np.exp(rng.normal(0, 0.2)))
        self._shutter = float(rng.choice([0, 0.3, 0.5], p=[0.4, 0.2, 0.4]))
        self._defocus = float(rng.choice([0, rng.uniform(0.3, 1.2)], p=[0.6, 0.4]))
        self._noise = float(rng.choice([0, rng.uniform(0.003, 0.035)], p=[0.3, 0.7]))
        self._jpeg = int(rng.choice([0, int(rng.integers(35, 95))], p=[0.6, 0.4]))

    def _cast(self, rng: np.random.Generator) -> tuple[list[Actor], list[int]]:
        """Actors from back to front, and which of them are objects."""
        pace = float(rng.choice([0.004, 0.015, 0.03, 0.05], p=[0.15, 0.35, 0.35, 0.15]))
        things: list[Actor] = []
        for _ in range(int(rng.integers(1, 5))):
            ground = self._ground if rng.random() < 0.08 else None
            things.append(random_actor(rng, self.aspect, pace, ground=ground))
        for _ in range(int(rng.integers(0, 3))):
            things.append(random_actor(rng, self.aspect, pace, like=things[int(rng.integers(len(things)))]))
        if self.recipe.crossing:
            own = np.random.default_rng((self.recipe.seed, 4))
            alike = things[0] if own.random() < 0.7 else None
            other = random_actor(own, self.aspect, pace, like=alike)
            things[0], other = crossing_pair(own, self.aspect, things[0], other, self.recipe.crossing)
            things.append(other)
        order = rng.permutation(len(things))
        actors = [things[index] for index in order]
        bars = int(rng.choice([0, 1, 2], p=[0.55, 0.3, 0.15]))
        objects = list(range(len(actors)))
        for _ in range(bars):
            place = len(actors) if rng.random() < 0.7 else int(rng.integers(0, len(actors) + 1))
            actors.insert(place, random_occluder(rng, self.aspect))
            objects = [index + (index >= place) for index in objects]
        return actors, objects

    def render(self, time: int) -> tuple[Array, Array]:
        """Frame ``time`` (0 is the first).

        Returns image (height, width, 3), float32 display-referred sRGB 0..1, and the visible mattes
        (objects, height, width), float32 0..1, whose sum is at most 1 at every pixel.
        """
        steps = 1 if self._shutter == 0 else 5
        offsets = (np.arange(steps) / max(steps, 1) - 0.5 * (steps - 1) / steps) * self._shutter
        image, mattes = self._compose(time + offsets[0])
        for offset in offsets[1:]:
            more, also = self._compose(time + offset)
            image += more
            mattes += also
        if steps > 1:
            image *= 1 / steps
            mattes *= 1 / steps
        if self._defocus > 0:
            blur = self._defocus * self.recipe.height / 256
            image = cv2.GaussianBlur(image, (0, 0), blur)
            mattes = np.stack([cv2.GaussianBlur(matte, (0, 0), blur) for matte in mattes])
        return self._develop(image, time), mattes

    def _compose(self, time: float) -> tuple[Array, Array]:
        width, height = self.recipe.width, self.recipe.height
        pixels = np.diag([width / self.aspect, height, 1.0])
        view = pixels @ self._camera.matrix(time, self.aspect)
        rows, columns = self._ground.shape[:2]
        to_world = np.array(
            [
                [self._margin * self.aspect / columns, 0, -0.5 * (self._margin - 1) * self.aspect],
                [0, self._margin / rows, -0.5 * (self._margin - 1)],
                [0, 0, 1],
            ]
        )
        image = cv2.warpAffine(
            self._ground,
            (view @ to_world)[:2],
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        mattes = np.zeros((len(self.objects), height, width), np.float32)
        for index, actor in enumerate(self.actors):
            painted = _paint(actor, time, view, image)
            if painted is None:
                continue
            (rows, columns), alpha = painted
            mattes[:, rows, columns] *= 1 - alpha
            if index in self.objects:
                mattes[self.objects.index(index), rows, columns] = alpha
        return image, mattes

    def _develop(self, image: Array, time: int) -> Array:
        level, swing, rate = self._gain
        gain = float(np.exp(level + swing * np.sin(rate * time)))
        image = np.clip((image * gain - 0.4) * self._contrast + 0.4, 0, 1)
        if self._noise > 0:
            rng = np.random.default_rng((self.recipe.seed, time))
            image += self._noise * rng.standard_normal(image.shape, np.float32)
        if self._jpeg:
            packed = (np.clip(image[..., ::-1], 0, 1) * 255 + 0.5).astype(np.uint8)
            _, code = cv2.imencode(".jpg", packed, [cv2.IMWRITE_JPEG_QUALITY, self._jpeg])
            unpacked: Array = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
            image = unpacked[..., ::-1].astype(np.float32) / 255
        return np.clip(image, 0, 1)


def _random_camera(rng: np.random.Generator) -> _Camera:
    if rng.random() < 0.25:
        return _Camera(np.zeros(2), np.zeros(2), np.ones(2), 0.0, 0.0)
    return _Camera(
        pan=rng.normal(0, 0.006, 2),
        shake=rng.uniform(0, 0.03, 2),
        rate=rng.uniform(0.1, 0.9, 2),
        zoom=rng.normal(0, 0.004),
        roll=rng.normal(0, 0.04),
    )


def _paint(actor: Actor, time: float, view: Array, image: Array) -> tuple[tuple[slice, slice], Array] | None:
    """Paint an actor into ``image`` in place; its window (rows, columns) and alpha, None when outside."""
    height, width = image.shape[:2]
    parts = actor.loops(time, view)
    corners = np.concatenate([loop for loops in parts for loop in loops])
    left, top = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, (width, height))
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + 3, 0, (width, height))
    if right <= left or bottom <= top:
        return None
    size = (int(right - left), int(bottom - top))
    stencil = np.zeros(size[::-1], np.uint8)
    for loops in parts:
        scaled = [np.round((loop - (left, top) - 0.5) * 16).astype(np.int32) for loop in loops]
        cv2.fillPoly(stencil, scaled, 255, cv2.LINE_AA, 4)
    alpha = stencil.astype(np.float32) / 255
    sprite_map, shade_map = (matrix.copy() for matrix in actor.sprite_to_pixel(time, view))
    for matrix in (sprite_map, shade_map):
        matrix[:, 2] -= (left, top)
    color = cv2.warpAffine(
        actor.sprite, sprite_map, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    shade = cv2.warpAffine(
        actor.shade, shade_map, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    window = (slice(int(top), int(bottom)), slice(int(left), int(right)))
    ground = image[window]
    ground += alpha[..., None] * (color * shade[..., None] - ground)
    return window, alpha


def random_aspect(seed: int) -> float:
    """The scene aspect of a training clip: square to wide, 16:9 most often."""
    rng = np.random.default_rng((seed, 1))
    return float(rng.choice([rng.uniform(0.8, 2.4), 1.78, 1.0], p=[0.4, 0.4, 0.2]))


def demo_clip(frames: int = 48, width: int = 640, height: int = 360) -> Clip:
    """The clip of the demo: the same pictures on every machine."""
    return Clip(ClipRecipe(DEMO_SEED, frames, width, height))
