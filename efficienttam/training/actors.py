"""What moves in a generated clip: textured, shaded, deforming things, and the camera.

World units: the frame is 1 high and ``aspect`` wide, origin top-left, y down. Times are frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from efficienttam.training import shapes, textures

Array = np.ndarray

#: Half side, in object units, of the square a sprite covers.
REACH = 1.25
_SPRITE = 96


@dataclass(frozen=True)
class Motion:
    """Position, rotation and size over time: a line, a swing and a pulse."""

    start: Array
    velocity: Array
    swing: Array
    rate: Array
    phase: Array
    turn: float
    spin: float
    sway: float
    size: float
    growth: float
    pulse: float

    def affine(self, time: float, spin: bool = True) -> Array:
        """Object units to world, (2, 3)."""
        where = self.start + self.velocity * time + self.swing * np.sin(self.rate * time + self.phase)
        angle = 0.0
        if spin:
            angle = self.turn + self.spin * time + self.sway * np.sin(self.rate[0] * time)
        size = self.size * np.exp(self.growth * time + self.pulse * np.sin(self.rate[1] * time))
        cos, sin = size * np.cos(angle), size * np.sin(angle)
        return np.array([[cos, -sin, where[0]], [sin, cos, where[1]]])


@dataclass(frozen=True)
class Actor:
    """One thing: parts of an outline, a sprite (side, side, 3) and an unrotated shade (16, 16)."""

    parts: list[shapes.Part]
    sprite: Array
    shade: Array
    motion: Motion

    def loops(self, time: float, world_to_pixel: Array) -> list[list[Array]]:
        """For every part its contours in pixels, (n, 2)."""
        matrix = world_to_pixel @ _square(self.motion.affine(time))
        linear, shift = matrix[:2, :2], matrix[:2, 2]
        return [[loop @ linear.T + shift for loop in part.at(time)] for part in self.parts]

    def sprite_to_pixel(self, time: float, world_to_pixel: Array) -> tuple[Array, Array]:
        """Affine maps (2, 3) from sprite and from shade pixels to frame pixels."""
        return tuple(
            (world_to_pixel @ _square(self.motion.affine(time, spin)) @ _unit(side))[:2]
            for spin, side in ((True, self.sprite.shape[0]), (False, self.shade.shape[0]))
        )


def _square(matrix: Array) -> Array:
    return np.vstack([matrix, [0, 0, 1]])


def _unit(side: int) -> Array:
    scale = 2 * REACH / side
    return np.array([[scale, 0, -REACH], [0, scale, -REACH], [0, 0, 1.0]])


def random_motion(rng: np.random.Generator, aspect: float, size: float, pace: float) -> Motion:
    """A motion whose speed is about ``pace`` (world units a frame) and which starts in the frame."""
    start = np.array([rng.uniform(0.12, 0.88) * aspect, rng.uniform(0.15, 0.85)])
    heading = rng.uniform(0, 2 * np.pi)
    speed = pace * rng.uniform(0, 1)
    velocity = speed * np.array([np.cos(heading), 0.6 * np.sin(heading)])
    rate = rng.uniform(0.08, 0.5, 2)
    swing = pace * rng.uniform(0, 1, 2) / rate
    if rng.random() < 0.2:
        rate[0], swing[0] = rng.uniform(0.08, 0.16), rng.uniform(0.5, 0.8) * aspect
    swing = np.minimum(swing, 0.8 * aspect)
    phase = rng.uniform(0, 2 * np.pi, 2)
    steer = rng.random() < 0.5
    return Motion(
        start=start - swing * np.sin(phase),
        velocity=velocity,
        swing=swing,
        rate=rate,
        phase=phase,
        turn=rng.uniform(0, 2 * np.pi),
        spin=rng.normal(0, 0.12) if steer else 0.0,
        sway=rng.uniform(0, 0.5),
        size=size,
        growth=rng.normal(0, 0.006),
        pulse=rng.uniform(0, 0.2),
    )


def _ball_sprite(rng: np.random.Generator) -> Array:
    """Coloured sectors of a beach ball seen from a random side."""
    axis = (np.arange(_SPRITE) + 0.5) * 2 * REACH / _SPRITE - REACH
    xs, ys = np.meshgrid(axis, axis)
    depth = np.sqrt(np.clip(1 - xs**2 - ys**2, 0, 1))
    normal = np.stack([xs, ys, depth], -1)
    frame, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    local = normal @ frame
    count = int(rng.choice([2, 3, 4, 6, 8]))
    colors = textures.palette(rng, count)
    sector = ((np.arctan2(local[..., 1], local[..., 0]) / (2 * np.pi) + 1) * count).astype(int) % count
    sprite = colors[sector]
    cap = np.abs(local[..., 2]) > rng.uniform(0.9, 1.0)
    sprite[cap] = textures.random_color(rng)
    return cv2.GaussianBlur(sprite.astype(np.float32), (0, 0), 0.6)


def _shade(rng: np.random.Generator, strength: float) -> Array:
    axis = (np.arange(16) + 0.5) * 2 * REACH / 16 - REACH
    xs, ys = np.meshgrid(axis, axis)
    depth = np.sqrt(np.clip(1 - xs**2 - ys**2, 0.02, 1))
    light = rng.normal(size=3) * (1, 1, 0.6) + (0, -0.6, 0.8)
    light /= np.linalg.norm(light) + 1e-6
    lambert = np.clip(xs * light[0] + ys * light[1] + depth * abs(light[2]), -0.3, 1)
    return (1 + strength * (lambert - 0.6)).clip(0.05, 1.5).astype(np.float32)


def random_actor(
    rng: np.random.Generator,
    aspect: float,
    pace: float,
    *,
    like: Actor | None = None,
    ground: Array | None = None,
) -> Actor:
    """A thing of its own, or one that resembles ``like`` (a distractor) or the ``ground`` texture."""
    size = float(np.exp(rng.uniform(np.log(0.055), np.log(0.34))))
    motion = random_motion(rng, aspect, size, pace)
    round_ball = rng.random() < 0.15
    if like is not None:
        sprite = like.sprite
        if rng.random() < 0.5:
            sprite = np.clip(sprite[..., rng.permutation(3)] * rng.uniform(0.6, 1.3), 0, 1)
        parts = like.parts if rng.random() < 0.6 else shapes.outline(rng)
        return Actor(parts, sprite.astype(np.float32), like.shade, motion)
    if round_ball:
        parts, sprite = [shapes.Part(shapes.ellipse(1.0))], _ball_sprite(rng)
        return Actor(parts, sprite, _shade(rng, rng.uniform(0.3, 1.1)), motion)
    if ground is not None:
        top, left = (int(rng.integers(0, max(1, side - _SPRITE))) for side in ground.shape[:2])
        sprite = ground[top : top + _SPRITE, left : left + _SPRITE] * rng.uniform(0.6, 1.4)
        sprite = cv2.resize(np.clip(sprite, 0, 1), (_SPRITE, _SPRITE))
    else:
        sprite = textures.surface(rng, _SPRITE)
    strength = rng.uniform(0.1, 1.0) if rng.random() < 0.6 else 0.0
    return Actor(shapes.outline(rng), sprite.astype(np.float32), _shade(rng, strength), motion)


def crossing_pair(
    rng: np.random.Generator, aspect: float, first: Actor, second: Actor, time: float
) -> tuple[Actor, Actor]:
    """The same two things on straight ways that cross in the frame at a time."""
    place = np.array([rng.uniform(0.25, 0.75) * aspect, rng.uniform(0.3, 0.7)])
    heading = rng.uniform(0, 2 * np.pi)
    pair = []
    for actor, turn in ((first, 0.0), (second, np.pi + rng.uniform(-0.8, 0.8))):
        speed = rng.uniform(0.01, 0.045)
        velocity = speed * np.array([np.cos(heading + turn), 0.5 * np.sin(heading + turn)])
        miss = 0.3 * actor.motion.size * rng.uniform(-1, 1, 2)
        motion = replace(
            actor.motion,
            start=place + miss - velocity * time,
            velocity=velocity,
            swing=np.minimum(actor.motion.swing, 0.05),
        )
        pair.append(replace(actor, motion=motion))
    return pair[0], pair[1]


def random_occluder(rng: np.random.Generator, aspect: float) -> Actor:
    """A pole or bar across the frame, standing still in the world or drifting slowly."""
    width = rng.uniform(0.015, 0.07)
    size = rng.uniform(0.4, 1.2)
    motion = random_motion(rng, aspect, size, rng.choice([0.0, 0.0, 0.006]))
    turn = rng.choice([np.pi / 2, 0.0, rng.uniform(0, np.pi)], p=[0.6, 0.15, 0.25])
    still = {"spin": 0.0, "sway": 0.0, "growth": 0.0, "pulse": 0.0, "turn": float(turn)}
    contour = shapes.rounded_box(width / size, 8.0)
    sprite = textures.surface(rng, _SPRITE)
    motion = Motion(**{**motion.__dict__, **still})
    return Actor([shapes.Part(contour)], sprite, _shade(rng, rng.uniform(0, 0.6)), motion)
