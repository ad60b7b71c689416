"""Outlines of generated objects: closed contours around the origin, radius about 1.

A ``Part`` is one contour with its own motion inside the object; an outline is a list of parts.
Coordinates are object units, x right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Part:
    """A contour (n, 2), an optional hole (m, 2), and how the part moves inside its object.

    ``hinge`` (2,) is where it hangs, ``swing`` radians of amplitude, ``rate`` radians per frame,
    ``wobble`` relative amplitude of a travelling bulge along the contour.
    """

    contour: Array
    hole: Array | None = None
    hinge: tuple[float, float] = (0.0, 0.0)
    swing: float = 0.0
    rate: float = 0.0
    phase: float = 0.0
    wobble: float = 0.0
    waves: int = 2

    def at(self, time: float) -> list[Array]:
        """Contours (n, 2) of this part at a time in frames, the hole last."""
        turn = self.swing * np.sin(self.rate * time + self.phase)
        cos, sin = np.cos(turn), np.sin(turn)
        matrix = np.array([[cos, -sin], [sin, cos]])
        loops = []
        for loop in (self.contour, self.hole):
            if loop is None:
                continue
            angle = np.linspace(0, 2 * np.pi, len(loop), endpoint=False)
            bulge = 1 + self.wobble * np.sin(self.waves * angle + self.rate * time + self.phase)
            loops.append((loop * bulge[:, None]) @ matrix.T + self.hinge)
        return loops


def ellipse(ratio: float, points: int = 48) -> Array:
    """An ellipse with half axes 1 and ``ratio``."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([np.cos(angle), ratio * np.sin(angle)], 1)


def blob(rng: np.random.Generator, points: int = 64) -> Array:
    """A smooth random outline made of a few Fourier harmonics of the radius."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    radius = np.ones(points)
    for order in range(2, int(rng.integers(4, 9))):
        radius += rng.uniform(0, 0.7) / order * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.25, None) / max(radius.max(), 1)
    return np.stack([np.cos(angle), rng.uniform(0.5, 1) * np.sin(angle)], 1) * radius[:, None]


def polygon(rng: np.random.Generator) -> Array:
    """A random star-convex polygon of 3 to 9 corners, edges subdivided."""
    count = int(rng.integers(3, 10))
    angle = np.sort(np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(-0.3, 0.3, count))
    radius = rng.uniform(rng.choice([0.35, 0.75]), 1, count)
    corners = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
    step = np.linspace(0, 1, 6, endpoint=False)[None, :, None]
    return (corners[:, None] * (1 - step) + np.roll(corners, -1, 0)[:, None] * step).reshape(-1, 2)


def rounded_box(ratio: float, power: float, points: int = 48) -> Array:
    """A superellipse: power 2 is an ellipse, 8 nearly a box."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    xs = np.sign(cos) * np.abs(cos) ** (2 / power)
    ys = np.sign(sin) * np.abs(sin) ** (2 / power)
    return np.stack([xs, ratio * ys], 1) * 0.85


def _creature(rng: np.random.Generator) -> list[Part]:
    body = blob(rng) * 0.6 if rng.random() < 0.5 else ellipse(rng.uniform(0.5, 1)) * 0.6
    parts = []
    start = rng.uniform(0, 2 * np.pi)
    count = int(rng.integers(1, 6))
    for index in range(count):
        angle = start + 2 * np.pi * index / count + rng.uniform(-0.4, 0.4)
        along = np.array([np.cos(angle), np.sin(angle)])
        length, width = rng.uniform(0.2, 0.4), rng.uniform(0.07, 0.25)
        limb = rounded_box(width / length, rng.uniform(2, 6), 24) * length + (length * 0.8, 0)
        limb = limb @ np.array([[along[0], along[1]], [-along[1], along[0]]])
        hinge = tuple(0.42 * along)
        parts.append(Part(limb, None, hinge, rng.uniform(0, 0.7), rng.uniform(0.1, 0.9), rng.uniform(0, 6)))
    parts.append(Part(body, wobble=rng.uniform(0, 0.08), rate=rng.uniform(0.1, 0.6)))
    return parts


def outline(rng: np.random.Generator) -> list[Part]:
    """A random object outline of one or several parts."""
    kind = rng.random()
    wobble = rng.uniform(0, 0.15) if rng.random() < 0.4 else 0.0
    rate, waves = rng.uniform(0.1, 0.7), int(rng.integers(2, 4))
    hole = None
    if kind < 0.27:
        return _creature(rng)
    if kind < 0.47:
        contour = blob(rng)
    elif kind < 0.62:
        contour = polygon(rng)
    elif kind < 0.78:
        contour = rounded_box(rng.uniform(0.35, 1), rng.uniform(2.5, 10))
    else:
        contour = ellipse(rng.uniform(0.4, 1) if rng.random() < 0.5 else 1.0)
    if rng.random() < 0.08:
        hole = contour[::-1] * rng.uniform(0.3, 0.6)
    return [Part(contour, hole, wobble=wobble, rate=rate, waves=waves)]
