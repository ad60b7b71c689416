"""Everything on one frame of a plate: an EXR to pick things from, and a picture to look at."""

from __future__ import annotations

import dataclasses
import os

import cv2
import numpy as np

from .batch.failures import plain_failures
from .batch.footage import open_plate
from .batch.open_job import Stop, load_wanted
from .batch.progress import Progress, SilentProgress
from .contract.cache_settings import cache_settings
from .contract.errors import Cancelled, JobError
from .contract.job import Compression, FrameRange, Model, Plate
from .contract.output_form import CRYPTOMATTE_NAME
from .mattes.cryptomatte import Cryptomatte
from .mattes.edges import thickest_place
from .mattes.matte import soft_matte
from .mattes.overlay import TINTS, as_bytes
from .mattes.stacking import Patch, stacked
from .media import FrameSequence, write_float_channels, write_png
from .tracking import AutomaticOptions, AutomaticSegmenter, Segment

#: Things that share a pixel in the file at most, as the specification of Cryptomatte has it by default.
RANKS = 6
#: Of the tint of a picture.
_STRENGTH = 0.55


#: Our small weights are less sure of what they see, and their edges less clear.
_MODEST = AutomaticOptions(predicted_iou=0.6, stability=0.8)


def automatic_options(
    model: str, predicted_iou: float | None = None, stability: float | None = None
) -> AutomaticOptions:
    """What to keep of what a variant finds: the published least values unless told, for our own weights lower
    ones."""
    options = _MODEST if model == Model().name else AutomaticOptions()
    return dataclasses.replace(
        options,
        predicted_iou=options.predicted_iou if predicted_iou is None else predicted_iou,
        stability=options.stability if stability is None else stability,
    )


@dataclasses.dataclass(frozen=True)
class Named:
    """A thing on a frame: ``thing001`` is the largest."""

    name: str
    segment: Segment


def segment_everything(
    plate: Plate,
    out: str,
    *,
    frame: int | None = None,
    view: str = "",
    model: Model | None = None,
    options: AutomaticOptions | None = None,
    least_area: int = 0,
    picture: str = "",
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> list[Named]:
    """Writes a Cryptomatte of everything on a frame (the plate's first unless told), largest first.

    Where things lie over each other the smaller is in front: what it leaves of a pixel is the larger one's.
    ``least_area`` drops things of fewer pixels; ``picture`` is a PNG with every thing tinted and numbered.
    Raises PlateError, ColorError, WeightsError, DeviceError, OutputError; JobError for a frame that the
    plate has not, or on which nothing was found; Cancelled.
    """
    progress = progress or SilentProgress()
    with plain_failures():
        footage = open_plate(plate, FrameRange(frame, frame), view, cache_settings())
        frame = footage.frames[0]
        model = model or Model()
        network = load_wanted(model, progress.status)
        segmenter = AutomaticSegmenter(network, options or automatic_options(model.name))
        pixels = footage.read(frame)
        found = _found(segmenter, pixels, progress, stop, frame)
        kept = sorted((one for one in found if one.area >= least_area), key=lambda one: -one.area)
        if not kept:
            raise JobError(
                f"Nothing on frame {frame} was good enough: {len(found)} found before the least area.",
                "Ask for less with --least-iou, --least-stability or --least-area, or click closer.",
            )
        things = [Named(f"thing{number:03d}", one) for number, one in enumerate(kept, 1)]
        # The smaller is in front.
        patches = stacked((soft_matte(one.mask_logits()) for one in reversed(kept)), footage.size)[::-1]
        _write(out, footage, frame, things, patches)
        if picture:
            write_png(picture, tinted(pixels, things, patches))
    progress.end(f"{len(things)} things on frame {frame}.")
    return things


def _found(
    segmenter: AutomaticSegmenter, pixels: np.ndarray, progress: Progress, stop: Stop | None, frame: int
) -> list[Segment]:
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if stop is not None and stop():
            raise Cancelled("Stopped before it was done.", "Run it again: nothing was kept.")
        if not told:
            progress.begin(total, 0, unit="click")
        progress.advance(frame, "", done - told)
        told = done

    return segmenter.segment(pixels, tell)


def _write(out: str, footage: FrameSequence, frame: int, things: list[Named], patches: list[Patch]) -> None:
    crypto = Cryptomatte(CRYPTOMATTE_NAME, [thing.name for thing in things], RANKS)
    width = footage.size[0]

    def make(rows: slice, columns: slice) -> np.ndarray:
        bands = [patch.rows(rows.start, rows.stop, width) for patch in patches]
        present = [index for index, band in enumerate(bands) if band is not None]
        if not present:
            return np.zeros((rows.stop - rows.start, width, len(crypto.channels)), np.float32)[:, columns]
        ranks = crypto.ranks([band for band in bands if band is not None], present)
        return ranks[:, columns]

    write_float_channels(
        os.fspath(out),
        crypto.channels,
        make,
        footage.size,
        plate=footage.info(frame),
        compression=Compression.ZIPS,
        metadata={**crypto.header, "efficienttam/frame": str(frame)},
    )


def tinted(pixels: np.ndarray, things: list[Named], patches: list[Patch]) -> np.ndarray:
    """A frame (height, width, 3) with every thing tinted, outlined and numbered, uint8."""
    shown = as_bytes(pixels).astype(np.float32) / 255
    height, width = shown.shape[:2]
    size = max(0.35, min(height, width) / 1200)
    for index, patch in enumerate(patches):
        high, wide = patch.coverage.shape
        part = shown[patch.top : patch.top + high, patch.left : patch.left + wide]
        tint = np.array(TINTS[index % len(TINTS)], np.float32)
        share = _STRENGTH * patch.coverage.astype(np.float32)[..., None]
        part += share * (tint - part)
        inside = np.pad((patch.coverage >= 0.5).astype(np.uint8), 1)
        edge = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
        part[edge] = tint
    picture = as_bytes(shown)
    for thing, patch in zip(things, patches, strict=True):
        place = _middle(patch)
        if place is not None:
            number = str(int(thing.name.removeprefix("thing")))
            for color, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
                cv2.putText(picture, number, place, cv2.FONT_HERSHEY_SIMPLEX, size, color, thick, cv2.LINE_AA)
    return picture


def _middle(patch: Patch) -> tuple[int, int] | None:
    """A pixel of the frame well inside a patch, None where it covers nothing by half."""
    inside = patch.coverage >= 0.5
    if not inside.any():
        return None
    column, row = thickest_place(inside)
    return patch.left + column, patch.top + row
