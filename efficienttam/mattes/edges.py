"""Edges of a given width: how far each pixel is from the contour, between pixels too."""

from __future__ import annotations

import cv2
import numpy as np


def thickest_place(mask: np.ndarray) -> tuple[int, int]:
    """The pixel (column, row) of a mask (height, width) that is furthest from all outside it, that beyond
    the border included; of equal ones the first. (0, 0) where the mask is empty."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(column), int(row)


def signed_distance(field: np.ndarray, reach: float) -> np.ndarray:
    """Distance in pixels to the contour where a smooth field (height, width) is 0, float32.

    Above 0 inside; right within a twentieth. Beyond ``reach`` pixels it is ``reach`` or more in size.
    """
    inside = field > 0
    distance = np.where(inside, np.float32(reach + 2), np.float32(-reach - 2))
    edge = _beside_contour(inside)
    if not edge.any():
        return distance
    rows, columns = _span(edge, reach)
    window = (slice(*rows), slice(*columns))
    away, labels = cv2.distanceTransformWithLabels(
        (~edge[window]).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    ys, xs = np.nonzero(edge[window])
    foot = np.zeros((len(ys) + 1, 4), np.float32)
    foot[labels[ys, xs]] = _feet(field, ys + rows[0], xs + columns[0]) - (rows[0], columns[0], 0, 0)
    near_y, near_x = np.nonzero(away <= reach + 1)
    nearest = foot[labels[near_y, near_x]]
    down, right = near_y - nearest[:, 0], near_x - nearest[:, 1]
    # The pixel that is taken for the nearest lies up to a few pixels along the contour from the nearest.
    across = np.square(down * nearest[:, 2] + right * nearest[:, 3])
    straight = down**2 + right**2
    length = np.sqrt(np.maximum(across, straight - np.square(1 + 0.35 * np.sqrt(straight))))
    signs = np.where(inside[window][near_y, near_x], np.float32(1), np.float32(-1))
    distance[near_y + rows[0], near_x + columns[0]] = length * signs
    return distance


def ramp(distance: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    """A signed distance as a matte, float32: a straight ramp of ``width`` pixels around 0, a cut at 0."""
    if isinstance(width, float | int) and width <= 0:
        return (distance > 0).astype(np.float32)
    return np.clip(distance / np.maximum(width, 1e-3) + 0.5, 0, 1).astype(np.float32)


def _beside_contour(inside: np.ndarray) -> np.ndarray:
    """Pixels (height, width) with a neighbour above, below, left or right on the other side."""
    edge = np.zeros(inside.shape, bool)
    down, right = inside[1:] != inside[:-1], inside[:, 1:] != inside[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge


def _feet(field: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The nearest point of the contour to each of some pixels beside it, to first order, and the direction
    across the contour there: (n, 4) of row, column, down, right."""
    height, width = field.shape
    up, down = np.maximum(rows - 1, 0), np.minimum(rows + 1, height - 1)
    left, right = np.maximum(columns - 1, 0), np.minimum(columns + 1, width - 1)
    slope_y = (field[down, columns] - field[up, columns]) / np.maximum(down - up, 1)
    slope_x = (field[rows, right] - field[rows, left]) / np.maximum(right - left, 1)
    squared = np.maximum(slope_x**2 + slope_y**2, 1e-12)
    step = -field[rows, columns] / squared
    # A pixel beside the contour is at most a pixel from it.
    limit = 1 / np.sqrt(squared)
    step = np.clip(step, -limit, limit)
    norm = np.sqrt(squared)
    feet = [rows + step * slope_y, columns + step * slope_x, slope_y / norm, slope_x / norm]
    return np.stack(feet, axis=1).astype(np.float32)


def _span(edge: np.ndarray, reach: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last row and column, last excluded, of what lies within ``reach`` of an edge."""
    margin = int(reach) + 2
    spans = []
    for axis in (1, 0):
        used = np.flatnonzero(edge.any(axis=axis))
        spans.append((max(0, int(used[0]) - margin), min(edge.shape[1 - axis], int(used[-1]) + margin + 1)))
    return spans[0], spans[1]
