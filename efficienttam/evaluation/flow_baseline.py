"""The tracker without learning: a mask carried along by dense optical flow."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from efficienttam.mattes.steadying import dense_flow
from efficienttam.tracking.frame_source import FrameSource

Array = np.ndarray


def carry_masks(plate: FrameSource, frames: list[int], mattes: Array) -> Iterator[Array]:
    """Soft masks (objects, H, W) of the first of ``frames`` on every one of them.

    OpenCV's DIS flow, medium preset, from each frame back to the one before it; masks are fetched
    bilinearly along it. Nothing outside the picture comes back in.
    """
    before = _gray(plate.read(frames[0]))
    height, width = before.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    masks: list[Array] = [np.ascontiguousarray(matte, np.float32) for matte in mattes]
    yield np.stack(masks)
    for frame in frames[1:]:
        now = _gray(plate.read(frame))
        back = dense_flow(now, before, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        masks = [
            cv2.remap(mask, xs + back[..., 0], ys + back[..., 1], cv2.INTER_LINEAR, borderValue=0)
            for mask in masks
        ]
        before = now
        yield np.stack(masks)


def _gray(image: Array) -> Array:
    if image.dtype != np.uint8:
        image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
