"""Mask logits into the matte that a job asks for: the edge's place and width, holes and specks.

Logits of a part of a plate give the matte of that part, with the picture of that part: nothing here knows
where in a plate it works, only how much of it lies on the plate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..contract.job import Mattes, Refine
from .edges import ramp, signed_distance
from .matte import matte_from_logits
from .refine import refine_blurred
from .small_parts import Window, without_small_parts_of
from .softness import EdgeSoftness, with_softness
from .upsampling import smooth_upsample

Picture = Callable[[], np.ndarray]

#: Half width of the band that is refined, in cells of the network's mask, unless told; and at least, in
#: shares of the picture's height, for blur has no cells.
BAND_CELLS = 1.0
BAND_SHARE = 0.008
#: How often that band is doubled where blur is wider.
WIDENINGS = 2


def shaped_matte(
    logits: np.ndarray,
    size: tuple[int, int],
    wish: Mattes,
    picture: Picture | None = None,
    rotos: Mapping[EdgeSoftness, float] | None = None,
    on_plate: Window | None = None,
) -> np.ndarray:
    """Mask logits (L, L) as a matte (height, width), float32 0 to 1, of ``size`` (width, height) pixels.

    ``picture`` gives the pixels (height, width, 3) that the logits are of, sRGB, uint8 or float 0 to 1; it is
    asked only where edges are refined, and without it they are not. ``rotos`` are the softnesses of
    drawn mattes near by and their shares, which sum to 1 at most. ``on_plate`` are the rows and columns that
    lie on the plate, None for all: holes and specks are those of the plate.
    """
    refined = wish.refine is not Refine.NONE and picture is not None
    if wish.softness is None and not refined:
        matte = matte_from_logits(logits, size)
    else:
        band = band_of(wish, size, logits.shape[0]) if refined else 0.0
        soft = wish.softness or 0.0
        field = smooth_upsample(logits, size)
        distance = signed_distance(field, max(band, soft / 2) + 1)
        matte = matte_from_logits(logits, size) if wish.softness is None else ramp(distance, soft)
        if picture is not None and refined:
            widenings = WIDENINGS if wish.refine_band is None else 0
            matte = refine_blurred(
                matte,
                lambda reach: distance if reach <= band else signed_distance(field, reach + 1),
                picture(),
                band,
                widenings,
            )
    matte = without_small_parts_of(matte, on_plate, wish.fill_holes, wish.remove_specks, wish.keep_largest)
    matte = with_softness(matte, rotos or {})
    return (matte >= 0.5).astype(np.float32) if wish.softness == 0 else matte


def band_of(wish: Mattes, size: tuple[int, int], cells: int) -> float:
    """Half width in pixels of the band around an edge that is refined."""
    if wish.refine_band is not None:
        return wish.refine_band
    return max(BAND_CELLS * max(size) / cells, BAND_SHARE * size[1], 2.0)
