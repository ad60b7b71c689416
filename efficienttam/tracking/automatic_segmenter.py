"""Segments everything on one image: a grid of clicks, and of what they give the best, each thing once.

Upstream: ``EfficientTAMAutomaticMaskGenerator``, after Segment Anything (2023), section 4 and appendix B.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from efficienttam.contract.errors import PromptError
from efficienttam.contract.prompts import Point, Prompt
from efficienttam.model.efficienttam import EfficientTAM

from .image_segmenter import ImageSegmenter
from .network_pass import PREVIOUS_LOGIT_LIMIT

#: A segment that ends so many pixels from a crop's edge, inside the image, is cut off there and dropped.
EDGE = 20
#: Left, top, right, bottom in whole pixels of the image.
Corners = tuple[int, int, int, int]


@dataclass(frozen=True)
class AutomaticOptions:
    """What is clicked and what of it is kept; the defaults are the published ones.

    ``crop_layers`` looks again at crops of the image, 4 in the first layer, 16 in the second, that overlap by
    the share ``crop_overlap`` of the image's short side; their grids have ``crop_divisor`` times fewer points
    a side in each layer. ``redraw`` gives every mask back to the network once before it is judged (upstream:
    ``use_m2m``).
    """

    points_per_side: int = 32
    points_per_batch: int = 64
    #: Least IoU that the network predicts for its mask.
    predicted_iou: float = 0.8
    #: Least share of the area above ``-stability_offset`` that lies above ``stability_offset``.
    stability: float = 0.95
    stability_offset: float = 1.0
    #: IoU of two boxes from which on they are taken for one thing.
    same: float = 0.7
    crop_layers: int = 0
    crop_overlap: float = 512 / 1500
    crop_divisor: int = 1
    redraw: bool = False


@dataclass(frozen=True)
class Segment:
    """One thing on an image of ``size`` (width, height).

    ``logits`` (L, L) float32 are low-res mask logits of ``crop``, the part of the image it was seen in;
    ``box`` are the outermost of its pixels, both ends included; ``area`` counts its pixels; ``point`` was
    clicked.
    """

    size: tuple[int, int]
    logits: np.ndarray
    crop: Corners
    box: Corners
    area: int
    predicted_iou: float
    stability: float
    point: Point

    def mask_logits(self) -> np.ndarray:
        """Mask logits (height, width) at image size, float32, above 0 inside; far below outside the crop."""
        left, top, right, bottom = self.crop
        inside = _enlarged(torch.from_numpy(self.logits), (right - left, bottom - top))
        if (right - left, bottom - top) == self.size:
            return inside
        whole = np.full((self.size[1], self.size[0]), -PREVIOUS_LOGIT_LIMIT, np.float32)
        whole[top:bottom, left:right] = inside
        return whole

    @property
    def mask(self) -> np.ndarray:
        """(height, width) bool."""
        return self.mask_logits() > 0


class AutomaticSegmenter:
    """Finds the things on an image without being told of any."""

    def __init__(self, model: EfficientTAM, options: AutomaticOptions | None = None) -> None:
        self.options = options or AutomaticOptions()
        _refuse(self.options)
        self._segmenter = ImageSegmenter(model)

    def segment(self, image: np.ndarray, tell: Callable[[int, int], None] | None = None) -> list[Segment]:
        """The things on an image (height, width, 3), RGB uint8 or float 0 to 1, sRGB-encoded.

        Best first as the network judges, one by one of those of smaller crops before those of larger ones.
        ``tell`` hears how many clicks are done, of how many; it may raise to end the work.
        """
        height, width = image.shape[:2]
        areas = crops((width, height), self.options)
        total = sum(len(points) for _, points in areas)
        done = 0
        found: list[Segment] = []
        for crop, points in areas:
            left, top, right, bottom = crop
            self._segmenter.set_image(image[top:bottom, left:right])
            seen: list[Segment] = []
            for start in range(0, len(points), self.options.points_per_batch):
                batch = points[start : start + self.options.points_per_batch]
                seen += self._judged(batch, crop, (width, height))
                done += len(batch)
                if tell is not None:
                    tell(done, total)
            found += _once(seen, [one.predicted_iou for one in seen], self.options.same)
        if len(areas) > 1:
            return _once(found, [1 / _area(one.crop) for one in found], self.options.same)
        return found

    def _judged(self, points: Sequence[Point], crop: Corners, size: tuple[int, int]) -> Iterator[Segment]:
        """What clicks in a crop give, of what is good enough; ``points`` in pixels of the crop."""
        options = self.options
        drawn = self._segmenter.draw([Prompt(0, (point,)) for point in points])
        each = drawn.logits.shape[1]
        logits, clicked = drawn.logits.flatten(0, 1), [point for point in points for _ in range(each)]
        predicted = drawn.predicted_iou.flatten()
        if options.redraw:
            limit = PREVIOUS_LOGIT_LIMIT
            before = logits.clamp(-limit, limit).cpu().numpy()
            words = [Prompt(0, (point,), mask=mask) for point, mask in zip(clicked, before, strict=True)]
            again = self._segmenter.draw(words, multimask=False)
            logits, predicted = again.logits[:, 0], again.predicted_iou[:, 0]
        sure = predicted.cpu().numpy()
        for index in np.flatnonzero(sure > options.predicted_iou):
            segment = self._segment(logits[index], float(sure[index]), clicked[index], crop, size)
            if segment is not None:
                yield segment

    def _segment(
        self, logits: Tensor, sure: float, point: Point, crop: Corners, size: tuple[int, int]
    ) -> Segment | None:
        """The segment of one mask, None where it is not stable or is cut off by the crop."""
        left, top, right, bottom = crop
        full = _enlarged(logits, (right - left, bottom - top))
        offset = self.options.stability_offset
        loosely = int(np.count_nonzero(full > -offset))
        stability = int(np.count_nonzero(full > offset)) / loosely if loosely else 0.0
        area = int(np.count_nonzero(full > 0))
        if stability < self.options.stability or not area:
            return None
        rows, columns = np.flatnonzero((full > 0).any(axis=1)), np.flatnonzero((full > 0).any(axis=0))
        box = (left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]), top + int(rows[-1]))
        ends = zip(box, crop, (0, 0, *size), strict=True)
        if any(abs(end - edge) <= EDGE < abs(end - outer) for end, edge, outer in ends):
            return None
        clicked = (left + point[0], top + point[1])
        return Segment(size, logits.cpu().numpy(), crop, box, area, sure, stability, clicked)


def crops(size: tuple[int, int], options: AutomaticOptions) -> list[tuple[Corners, list[Point]]]:
    """The parts of an image (width, height) to look at, and what to click in each, in its own pixels."""
    width, height = size
    found = []
    for layer in range(options.crop_layers + 1):
        count = 2**layer
        overlap = int(options.crop_overlap * min(size) * 2 / count) if layer else 0
        wide, high = (math.ceil((overlap * (count - 1) + side) / count) for side in size)
        side = max(1, options.points_per_side // options.crop_divisor**layer)
        for column in range(count):
            for row in range(count):
                left, top = column * (wide - overlap), row * (high - overlap)
                crop = (left, top, min(left + wide, width), min(top + high, height))
                found.append((crop, grid((crop[2] - left, crop[3] - top), side)))
    return found


def grid(size: tuple[int, int], side: int) -> list[Point]:
    """The centres of ``side`` times ``side`` cells of a picture (width, height), row by row."""
    shares = [(index + 0.5) / side for index in range(side)]
    return [(x * size[0], y * size[1]) for y in shares for x in shares]


def _enlarged(logits: Tensor, size: tuple[int, int]) -> np.ndarray:
    """Low-res logits (L, L) as (height, width) of ``size`` (width, height)."""
    full = functional.interpolate(logits[None, None], size[::-1], mode="bilinear", align_corners=False)
    enlarged: np.ndarray = full[0, 0].cpu().numpy()
    return enlarged


def _once(segments: Sequence[Segment], scores: Sequence[float], same: float) -> list[Segment]:
    """The segments without those whose box agrees with that of one of higher score, highest first."""
    boxes = [(one.box[0], one.box[1], one.box[2] - one.box[0], one.box[3] - one.box[1]) for one in segments]
    kept = cv2.dnn.NMSBoxes(boxes, scores, score_threshold=0.0, nms_threshold=same) if boxes else ()
    return [segments[int(index)] for index in kept]


def _area(corners: Corners) -> int:
    return (corners[2] - corners[0]) * (corners[3] - corners[1])


def _refuse(options: AutomaticOptions) -> None:
    """Raises PromptError for options that give nothing to click."""
    for name in ("points_per_side", "points_per_batch", "crop_divisor"):
        if getattr(options, name) < 1:
            raise PromptError(f"{name} is {getattr(options, name)}, expected 1 or more.", "Give 1 or more.")
    if not 0 <= options.crop_layers <= 3:
        raise PromptError(f"crop_layers is {options.crop_layers}, expected 0 to 3.", "Give 0 to 3.")
