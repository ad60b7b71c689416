"""Edges after the plate: what share of each pixel near an edge has the colour of the object beside it.

Around the edge, in a band, the colours of what is surely inside and surely outside are gathered near by,
and each pixel is unmixed into the two along the line that tells them apart best (Fisher's discriminant,
weighted and local). A blurred edge keeps its width so, because blur mixes light, and a thin thing of the
object's colour is found again. Where the colours do not tell, the edge stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

#: Cells in a band's half width; colours are gathered in cells.
CELLS = 6
#: Spread of the gathering in half widths of the band.
SPREAD = 1.5
#: Least variance of a colour in linear light: grain, and what no camera tells apart.
GRAIN = 2e-4
#: Squared distance of the two colours, in their own spread, at which they speak as loud as the old edge.
DOUBT = 30.0
#: Spreads of noise that are taken for surely inside or outside.
CLEAN = 1.0
#: Cells count where at least this share of what is gathered is sure.
LEAST = 2e-3
#: Share of the band's half width beyond which the matte goes over into what is sure.
INNER = 0.8
#: Mean greyness nearer than that, 0 to 1, from which blur is taken to be wider than the band, and from which
#: that is sure. A straight ramp of two half widths has 0.79, one of three 0.91.
WIDE = (0.8, 0.86)
#: Rows and columns of a symmetric matrix's six numbers.
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
#: Rows of cells that are gathered at once.
_STRIP = 16


def refine_edges(matte: np.ndarray, distance: np.ndarray, picture: np.ndarray, band: float) -> np.ndarray:
    """A matte (height, width) with its edge where the picture (height, width, 3) has it.

    ``distance`` is the signed distance to the edge in pixels, exact as far as ``band``, the half width in
    pixels of what is in question. The picture is sRGB, uint8 or float 0 to 1. Outside the band the
    result is 0 or 1.
    """
    return _refined(matte, distance, picture, band)[0]


def refine_blurred(
    matte: np.ndarray,
    distance: Callable[[float], np.ndarray],
    picture: np.ndarray,
    band: float,
    widenings: int,
) -> np.ndarray:
    """The same, with a band that is doubled, at most ``widenings`` times, where the edge is grey from one end
    of the band to the other. ``distance`` is asked with each half width."""
    refined, blurred = _refined(matte, distance(band), picture, band)
    for _ in range(widenings):
        if blurred is None:
            break
        band *= 2
        wider, still = _refined(refined, distance(band), picture, band, blurred > 0)
        refined = refined + blurred * (wider - refined)
        blurred = None if still is None else np.minimum(blurred, still)
    return refined


def _refined(
    matte: np.ndarray,
    distance: np.ndarray,
    picture: np.ndarray,
    band: float,
    where: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The matte refined in the band, as far as ``where`` is true, and how surely the blur is wider than
    the band, 0 to 1 (height, width); None where it is nowhere."""
    sure = (distance > 0).astype(np.float32)
    near = np.abs(distance) < band
    rows, columns = np.nonzero(near if where is None else near & where)
    if not len(rows):
        return sure, None
    reach = int(4 * band)
    top, left = max(0, int(rows.min()) - reach), max(0, int(columns.min()) - reach)
    bottom, right = int(rows.max()) + 1 + reach, int(columns.max()) + 1 + reach
    window = (slice(top, bottom), slice(left, right))
    step = max(1, int(band / CELLS))
    told = _separation(distance[window], picture[window], band, step)
    x = ((columns - left + 0.5) / step - 0.5).astype(np.float32)
    y = ((rows - top + 0.5) / step - 0.5).astype(np.float32)
    axis = [_sample(told[..., channel], x, y) for channel in range(3)]
    offset, separation = _sample(told[..., 3], x, y), _sample(told[..., 4], x, y)
    light = linear_light(picture[rows, columns])
    share = light[:, 0] * axis[0] + light[:, 1] * axis[1] + light[:, 2] * axis[2] + offset
    share = np.clip(share, 0, 1)
    grey = 4 * share * (1 - share)
    noise = np.minimum(CLEAN / np.sqrt(np.maximum(separation, 1e-3)), 0.4)
    share = np.clip((share - noise) / (1 - 2 * noise), 0, 1)
    trust = separation**2 / (separation**2 + DOUBT**2)
    # Towards the ends of the band the matte goes over into what is sure.
    away = np.clip((np.abs(distance[rows, columns]) / band - INNER) / (1 - INNER), 0, 1)
    mixed = matte[rows, columns] + trust * (share - matte[rows, columns])
    sure[rows, columns] = mixed + away * (sure[rows, columns] - mixed)
    cells = ((rows - top) // step, (columns - left) // step)
    # Colours that are mixed already lie close together: they are heard as soon as they are trusted by half.
    grey = _mean_by_cell(grey * np.minimum(2 * trust, 1), away == 0, cells, told.shape[:2], band / step)
    blurred = np.clip((grey - WIDE[0]) / (WIDE[1] - WIDE[0]), 0, 1)
    if not blurred.any():
        return sure, None
    everywhere = np.zeros(distance.shape, np.float32)
    high, wide = distance[window].shape
    spread = np.repeat(np.repeat(blurred, step, axis=0), step, axis=1)
    everywhere[window] = cv2.blur(spread, (2 * step + 1, 2 * step + 1))[:high, :wide]
    return sure, everywhere


def _mean_by_cell(
    values: np.ndarray,
    counted: np.ndarray,
    cells: tuple[np.ndarray, np.ndarray],
    size: tuple[int, int],
    spread: float,
) -> np.ndarray:
    """The local mean (h, w) of those values (n,) that are ``counted``; 0 where there are none.

    ``cells`` are the row and column of each; ``spread`` is the band in cells.
    """
    at = cells[0] * size[1] + cells[1]
    sums, counts = (
        cv2.GaussianBlur(
            np.bincount(at, weights, size[0] * size[1]).reshape(size).astype(np.float32),
            (0, 0),
            SPREAD * spread,
        )
        for weights in (values * counted, counted)
    )
    return np.where(counts > LEAST, sums / np.maximum(counts, LEAST), 0)


def linear_light(picture: np.ndarray) -> np.ndarray:
    """sRGB, uint8 or float 0 to 1, as linear light, float32."""
    steps = 255 if picture.dtype == np.uint8 else 4096
    values = np.arange(steps + 1, dtype=np.float32) / steps
    curve = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)
    if picture.dtype == np.uint8:
        return curve[picture]
    return curve[(np.clip(picture, 0, 1) * steps + 0.5).astype(np.int16)]


def _separation(distance: np.ndarray, picture: np.ndarray, band: float, step: int) -> np.ndarray:
    """By cell (h, w, 5): how to unmix there, a factor per colour and an offset, and the squared distance of
    the two colours in their own spread."""
    inside = _gathered(distance, picture, band, step)
    outside = _gathered(-distance, picture, band, step)
    spread = np.zeros((*inside.shape[:2], 3, 3), np.float32)
    means = []
    for sums in (inside, outside):
        weight = np.maximum(sums[..., :1], 1e-6)
        mean = sums[..., 1:4] / weight
        means.append(mean)
        for index, (one, other) in enumerate(_PAIRS):
            shared = sums[..., 4 + index] / weight[..., 0] - mean[..., one] * mean[..., other]
            spread[..., one, other] += shared / 2
            if one != other:
                spread[..., other, one] += shared / 2
    spread += GRAIN * np.eye(3, dtype=np.float32)
    gap = means[0] - means[1]
    axis = np.linalg.solve(spread, gap[..., None])[..., 0]
    known = (inside[..., 0] > LEAST) & (outside[..., 0] > LEAST)
    separation = np.where(known, np.maximum((axis * gap).sum(axis=-1), 0), 0)
    axis = axis / np.maximum(separation, 1e-6)[..., None]
    offset = -(axis * means[1]).sum(axis=-1)
    return np.dstack([axis, offset, separation]).astype(np.float32)


def _gathered(distance: np.ndarray, picture: np.ndarray, band: float, step: int) -> np.ndarray:
    """By cell (h, w, 10): share of pixels whose distance is ``band`` or more around it, and sums over
    them of linear light (3) and of its products (6)."""
    height, width = distance.shape
    across = -(-width // step)
    strips = []
    for top in range(0, height, _STRIP * step):
        rows = slice(top, top + _STRIP * step)
        size = (across, -(-min(_STRIP * step, height - top) // step))
        sure = (distance[rows] >= band).astype(np.float32)
        if not sure.any():
            strips.append(np.zeros((size[1], size[0], 10), np.float32))
            continue
        light = linear_light(picture[rows]) * sure[..., None]
        planes = [sure, *(light[..., channel] for channel in range(3))]
        planes += [light[..., one] * light[..., other] for one, other in _PAIRS]
        strips.append(np.dstack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes]))
    sums = np.concatenate(strips)
    spread = SPREAD * band / step
    return np.dstack([cv2.GaussianBlur(sums[..., index], (0, 0), spread) for index in range(10)])


def _sample(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values of a plane (h, w) at places (n,) in its pixels, centres on whole numbers, bilinearly."""
    left = np.clip(np.floor(x).astype(int), 0, max(plane.shape[1] - 2, 0))
    top = np.clip(np.floor(y).astype(int), 0, max(plane.shape[0] - 2, 0))
    right, bottom = np.minimum(left + 1, plane.shape[1] - 1), np.minimum(top + 1, plane.shape[0] - 1)
    across, down = np.clip(x - left, 0, 1), np.clip(y - top, 0, 1)
    above = plane[top, left] + across * (plane[top, right] - plane[top, left])
    below = plane[bottom, left] + across * (plane[bottom, right] - plane[bottom, left])
    sampled: np.ndarray = above + down * (below - above)
    return sampled
