"""Pixels that several objects claim."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

import numpy as np

from ..contract.job import Mattes
from .small_parts import Window, without_small_parts_of

Key = TypeVar("Key")


def exclusive_logits(logits: Mapping[Key, np.ndarray]) -> dict[Key, np.ndarray]:
    """Mask logits (height, width) of several objects, lowered where the strongest other is above 0.

    Two objects that claim a place meet on one contour, where both are equally sure. Of one that does not
    claim it no more is taken than their mattes need to sum to 1: where two complete each other nothing
    changes.
    """
    if len(logits) < 2:
        return dict(logits)
    first, *rest = logits.values()
    highest, second = first, np.full_like(first, -np.inf)
    for one in rest:
        second = np.maximum(second, np.minimum(highest, one))
        highest = np.maximum(highest, one)
    told = {}
    for key, mine in logits.items():
        strongest = np.maximum(np.where(mine == highest, second, highest), 0)
        told[key] = np.minimum(mine, np.maximum(mine, 0) - strongest)
    return told


def share_out(mattes: Mapping[Key, np.ndarray], drawn: Collection[Key] = ()) -> dict[Key, np.ndarray]:
    """Mattes (height, width) of several objects whose sum is at most 1: where it was more, ``drawn`` ones
    stay and the others share what they leave, and either kind is in proportion to what it was.

    They are returned themselves where it never was.
    """
    if len(mattes) < 2:
        return dict(mattes)
    whole = np.sum(list(mattes.values()), axis=0)
    if not (whole > 1).any():
        return dict(mattes)
    kept = {key: matte for key, matte in mattes.items() if key in drawn}
    given = {key: matte for key, matte in mattes.items() if key not in drawn}
    if not kept or not given:
        whole = np.maximum(whole, 1)
        return {key: matte / whole for key, matte in mattes.items()}
    kept = share_out(kept)
    taken = np.sum(list(kept.values()), axis=0)
    asked = np.sum(list(given.values()), axis=0)
    room = np.maximum(1 - taken, 0)
    part = np.where(asked > room, room / np.maximum(asked, np.float32(1e-6)), np.float32(1))
    shared = {**kept, **{key: matte * part for key, matte in given.items()}}
    return {key: shared[key] for key in mattes}


def filled_apart(
    mattes: Mapping[Key, np.ndarray],
    area: int,
    drawn: Collection[Key] = (),
    on_plate: Window | None = None,
) -> dict[Key, np.ndarray]:
    """Mattes (height, width) whose holes of at most ``area`` pixels are filled as far as no other object
    stands there; ``drawn`` ones stay as they are. They are returned themselves where there is none.
    ``on_plate``: rows and columns that lie on the plate, None for all; a gap at their sides is no hole."""
    filled = dict(mattes)
    for key, matte in mattes.items():
        if area > 0 and key not in drawn:
            whole = without_small_parts_of(matte, on_plate, holes=area)
            others = [theirs for other, theirs in mattes.items() if other != key]
            room = 1 - np.minimum(np.sum(others, axis=0), 1) if others else np.float32(1)
            filled[key] = np.maximum(matte, np.minimum(whole, room)) if whole is not matte else matte
    return filled


def settled(
    mattes: Mapping[Key, np.ndarray], form: Mattes, drawn: Collection[Key], on_plate: Window | None = None
) -> dict[Key, np.ndarray]:
    """All mattes (height, width) of a frame that must not overlap, as they are written: holes are filled as
    far as no other object stands in them, and then what several claim is shared out."""
    return kept_apart(filled_apart(mattes, form.fill_holes, drawn, on_plate), form, drawn)


def apart(mattes: Mapping[Key, np.ndarray], drawn: Collection[Key] = ()) -> dict[Key, np.ndarray]:
    """Mattes (height, width) of which only the highest of each pixel keeps its value; the others are 0
    there. Of equal ones the first of those that are ``drawn`` keeps it, else the first."""
    highest: np.ndarray | None = None
    for matte in mattes.values():
        highest = matte if highest is None else np.maximum(highest, matte)
    kept: dict[Key, np.ndarray] = {}
    taken = None
    for key in sorted(mattes, key=lambda key: key not in drawn):
        matte = mattes[key]
        wins = matte == highest
        if taken is None:
            taken = wins
        else:
            wins &= ~taken
            taken |= wins
        kept[key] = np.where(wins, matte, np.float32(0))
    return {key: kept[key] for key in mattes}


def kept_apart(
    mattes: Mapping[Key, np.ndarray], form: Mattes, drawn: Collection[Key]
) -> dict[Key, np.ndarray]:
    """Mattes (height, width) of a frame that do not overlap: soft ones so that they sum to 1 at most, hard
    ones so that each pixel has one owner, of equals the ``drawn`` one."""
    return apart(mattes, drawn) if form.softness == 0 else share_out(mattes, drawn)
