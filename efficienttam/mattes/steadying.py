"""Edges that flicker, steadied along motion: each frame's matte with those of the frames beside it.

The matte of another frame is fetched along optical flow and counts as far as the flow there and back agrees,
the colours agree and the mattes agree. Where any of them does not, as at a fast or a covered edge, the frame
keeps its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

#: The longer side of the pictures that flow is computed on.
FLOW_SIDE = 1024
#: Sides of pictures that OpenCV's flow is given at least.
FLOW_LEAST = 64
#: Disagreements at which another frame counts a third: of the flow there and back (pixels of the small
#: picture), of colours (0 to 255, mean of the channels), of mattes.
FLOW_DOUBT, COLOR_DOUBT, MATTE_DOUBT = 0.7, 12.0, 0.4


@dataclass(frozen=True)
class SmallPicture:
    """A frame as flow sees it: colours (h, w, 3) uint8 and grey (h, w) uint8."""

    color: np.ndarray
    grey: np.ndarray


def small_picture(picture: np.ndarray) -> SmallPicture:
    """A picture (height, width, 3), uint8 or float 0 to 1, reduced to ``FLOW_SIDE`` where it is larger."""
    height, width = picture.shape[:2]
    scale = min(1.0, FLOW_SIDE / max(height, width))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if small.dtype != np.uint8:
        small = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return SmallPicture(small, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))


def steadied(
    matte: np.ndarray, picture: SmallPicture, others: Sequence[tuple[np.ndarray, SmallPicture]]
) -> np.ndarray:
    """A matte (height, width) steadied with the mattes of other frames; the input itself without any."""
    grey = np.zeros(matte.shape, bool)
    for one in (matte, *(other for other, _ in others)):
        grey |= (one > 0.002) & (one < 0.998)
    if not others or not grey.any():
        return matte
    rows, columns = np.flatnonzero(grey.any(axis=1)), np.flatnonzero(grey.any(axis=0))
    window = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    mine = matte[window]
    total, weight = mine.copy(), np.ones(mine.shape, np.float32)
    for other, there in others:
        fetched, trust = _fetched(other, picture, there, window)
        trust *= np.exp(-np.square((fetched - mine) / MATTE_DOUBT))
        total += trust * fetched
        weight += trust
    result = matte.copy()
    result[window] = np.clip(total / weight, 0, 1)
    return result


def _fetched(
    matte: np.ndarray, here: SmallPicture, there: SmallPicture, window: tuple[slice, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Another frame's matte along flow in a window, and how far to trust it, 0 to 1; both (h, w)."""
    flow, trust = _flow(here, there)
    height, width = matte.shape
    small_height, small_width = trust.shape
    across, down = width / small_width, height / small_height
    rows = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None]
    columns = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None]
    shape = (rows.shape[0], columns.shape[1])
    at_x = np.broadcast_to((columns + 0.5) / across - 0.5, shape).astype(np.float32)
    at_y = np.broadcast_to((rows + 0.5) / down - 0.5, shape).astype(np.float32)

    def spread(plane: np.ndarray) -> np.ndarray:
        return cv2.remap(plane, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    x, y = columns + spread(flow[..., 0]) * across, rows + spread(flow[..., 1]) * down
    fetched = cv2.remap(matte, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (x > -1) & (x < width) & (y > -1) & (y < height)
    return fetched, spread(trust) * inside


def dense_flow(
    here: np.ndarray, there: np.ndarray, preset: int = cv2.DISOPTICAL_FLOW_PRESET_FAST
) -> np.ndarray:
    """DIS optical flow (h, w, 2) from one grey picture (h, w), uint8, to another, in pixels.

    Kroeger et al., Fast Optical Flow using Dense Inverse Search, 2016. Pictures of any size: OpenCV's own
    fails, or ends the process, on some that are lower than 32 rows, so small ones are made larger for it.
    """
    height, width = here.shape
    beyond = (0, max(0, FLOW_LEAST - height), 0, max(0, FLOW_LEAST - width))
    one, other = (cv2.copyMakeBorder(grey, *beyond, cv2.BORDER_REPLICATE) for grey in (here, there))
    seeker = cv2.DISOpticalFlow.create(preset)
    return seeker.calc(one, other, np.zeros((*one.shape, 2), np.float32))[:height, :width]


def _flow(here: SmallPicture, there: SmallPicture) -> tuple[np.ndarray, np.ndarray]:
    """Flow (h, w, 2) from one picture to another in pixels, and how far to trust it, 0 to 1 (h, w)."""
    forth, back = dense_flow(here.grey, there.grey), dense_flow(there.grey, here.grey)
    height, width = here.grey.shape
    x = np.arange(width, dtype=np.float32)[None] + forth[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + forth[..., 1]
    returned = cv2.remap(back, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    color = cv2.remap(there.color, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    apart = np.square(forth + returned).sum(axis=-1) / FLOW_DOUBT**2
    differs = np.abs(color.astype(np.float32) - here.color).mean(axis=-1)
    differs = cv2.blur(differs, (5, 5)) / COLOR_DOUBT
    trust = np.exp(-apart - np.square(differs)).astype(np.float32)
    # Flow is smooth where motion is not: what lies beside doubt is in doubt.
    return forth, cv2.erode(trust, np.ones((3, 3), np.uint8))
