"""The 0.5 contour of a matte between its pixels, and how far two contours lie apart."""

from __future__ import annotations

import math

import cv2
import numpy as np

Array = np.ndarray


def contour(matte: Array, level: float = 0.5) -> tuple[Array, Array]:
    """Segments (n, 2, 2) along which a matte (height, width), read bilinearly, is at ``level``, and the cell
    (n, 2) of each.

    Points are (x, y), pixel centres at .5. A cell (row, column) lies between the centres of four pixels;
    one crossed twice gives two segments. Nothing runs along the frame's border.
    """
    above = matte - np.float32(level)
    inside = above > 0
    corners = inside[:-1, :-1].astype(np.uint8) + inside[:-1, 1:] + inside[1:, 1:] + inside[1:, :-1]
    rows, columns = np.nonzero((corners > 0) & (corners < 4))
    # Corners clockwise from the top left, as (row, column) steps; edge k runs from corner k to k + 1.
    steps = ((0, 0), (0, 1), (1, 1), (1, 0))
    values = np.stack([above[rows + down, columns + right] for down, right in steps], axis=1)
    after = np.roll(values, -1, axis=1)
    crossed = (values > 0) != (after > 0)
    share = values / np.where(crossed, values - after, 1)
    places = np.stack(
        [_on_edge(edge, share[:, edge], rows + 0.5, columns + 0.5) for edge in range(4)], axis=1
    )
    once = crossed.sum(axis=1) == 2
    order = np.argsort(~crossed, axis=1, kind="stable")
    pairs = [np.take_along_axis(places, order[:, which, None], axis=1) for which in ([0, 1], [2, 3])]
    segments = np.concatenate([pairs[0], pairs[1][~once]])
    cells = np.stack([rows, columns], axis=1)
    return segments, np.concatenate([cells, cells[~once]])


def _on_edge(edge: int, share: Array, top: Array, left: Array) -> Array:
    """The point at a share of the way along one edge of cells, (n, 2)."""
    x = (left + share, left + 1, left + 1 - share, left)[edge]
    y = (top, top + share, top + 1, top + 1 - share)[edge]
    return np.stack([x, y], axis=1)


def length(segments: Array) -> float:
    """Length of segments (n, 2, 2) together."""
    return float(np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum())


def distances(segments: Array, to: Array, cells: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    """From the middle of each segment to the nearest of other segments, and the length of each, for weight.

    ``cells`` are those of the other segments in a matte of ``shape`` (height, width). The nearest is sought
    in the nine cells around the cell that is nearest: exact near by, within a pixel far away.
    Raises ValueError where there are none.
    """
    if not len(to):
        raise ValueError("There is no contour to be near to.")
    middle = segments.mean(axis=1)
    away = np.ones(shape, np.uint8)
    away[cells[:, 0], cells[:, 1]] = 0
    _, labels = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    home = np.zeros((int(labels.max()) + 1, 2), int)
    home[labels[cells[:, 0], cells[:, 1]]] = cells
    height, width = shape
    row = np.clip(np.floor(middle[:, 1] - 0.5).astype(int), 0, height - 1)
    column = np.clip(np.floor(middle[:, 0] - 0.5).astype(int), 0, width - 1)
    near = home[labels[row, column]]
    # Cells by key, in order, so that the segments of a cell stand side by side.
    keys = cells[:, 0] * width + cells[:, 1]
    sequence = np.argsort(keys, kind="stable")
    keys, to = keys[sequence], to[sequence]
    least = np.full(len(segments), math.inf)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            key = (near[:, 0] + down) * width + near[:, 1] + right
            first = np.searchsorted(keys, key)
            for second in (0, 1):
                at = np.minimum(first + second, len(keys) - 1)
                gap = np.where(keys[at] == key, _to_segment(middle, to[at]), math.inf)
                least = np.minimum(least, gap)
    return least, np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1)


def _to_segment(points: Array, segments: Array) -> Array:
    """Distance of each point (n, 2) to its segment (n, 2, 2)."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    squared = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((points - start) * along).sum(axis=1) / squared, 0, 1)
    return np.linalg.norm(points - start - share[:, None] * along, axis=1)
