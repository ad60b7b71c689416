"""Cryptomatte: many soft mattes in a few channels, each under a number made from its name.

After the specification 1.2.0: a level holds two ranks as R, G, B, A: an id, its coverage, the next id, its
coverage; ranks run from the largest coverage to the smallest. An id is the MurmurHash3 of the name, read as a
float32. Arrays in, arrays out.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence

import numpy as np

_MASK = 0xFFFFFFFF
#: The bit that is turned where a hash would be no ordinary float.
_EXPONENT_BIT = 1 << 23


class Cryptomatte:
    """Objects as a Cryptomatte of the given name, ``crypto_object`` say.

    It has as many levels as can be needed, two objects per level, or as ``most`` objects of a pixel need, 0
    for all: of more the smallest shares are left out. Raises ValueError where two names have one id, which
    happens to one pair in four billion.
    """

    def __init__(self, name: str, objects: Sequence[str], most: int = 0) -> None:
        self.name = name
        self.objects = tuple(objects)
        self._levels = (min(len(self.objects), most or len(self.objects)) + 1) // 2
        self._bits = [object_id(thing) for thing in objects]
        if len(set(self._bits)) < len(self._bits):
            raise ValueError("Two objects have one id.")

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in the order of ``ranks``: ``crypto_object00.R`` and so on."""
        return tuple(f"{self.name}{level:02d}.{letter}" for level in range(self._levels) for letter in "RGBA")

    @property
    def header(self) -> dict[str, str]:
        """The text attributes that make a file with these channels a Cryptomatte."""
        ids = {thing: f"{bits:08x}" for thing, bits in zip(self.objects, self._bits, strict=True)}
        key = header_key(self.name)
        return {
            f"{key}/name": self.name,
            f"{key}/hash": "MurmurHash3_32",
            f"{key}/conversion": "uint32_to_float32",
            f"{key}/manifest": json.dumps(ids, ensure_ascii=False, separators=(",", ":")),
        }

    def ranks(self, mattes: Sequence[np.ndarray], present: Sequence[int] | None = None) -> np.ndarray:
        """Mattes (height, width) of the objects in their order, 0 to 1, as (height, width, channels).

        ``present`` are the numbers of the objects that the mattes belong to, None for all. float32. Coverages
        are shares of a pixel: where mattes overlap to more than 1 all of them are divided by their sum, so
        that two objects which both cover a pixel get half of it each.
        """
        channels = np.zeros((*mattes[0].shape, len(self.channels)), np.float32)
        covered = np.logical_or.reduce([matte > 0 for matte in mattes])
        bits = self._bits if present is None else [self._bits[index] for index in present]
        # Most of a frame is covered by nothing and costs nothing more.
        coverage = np.stack([matte[covered] for matte in mattes]).astype(np.float32)
        channels[covered] = self._ranked(coverage, np.array(bits, np.uint32).view(np.float32))
        return channels

    def _ranked(self, coverage: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Coverages (objects, pixels) of the objects with these ids as channels (pixels, channels)."""
        total = coverage.sum(axis=0)
        np.divide(coverage, total, out=coverage, where=total > 1)
        order = np.argsort(-coverage, axis=0, kind="stable")[: 2 * self._levels]
        channels = np.zeros((total.size, len(self.channels)), np.float32)
        left = np.ones_like(total)
        for rank, share in enumerate(np.take_along_axis(coverage, order, axis=0)):
            # Rounding must not take the sum above 1.
            share = np.minimum(share, left)
            left -= share
            channels[:, 2 * rank] = np.where(share > 0, ids[order[rank]], 0)
            channels[:, 2 * rank + 1] = share
        return channels


def header_key(name: str) -> str:
    """What the attributes of a Cryptomatte begin with: stable over frames, ending in seven letters."""
    return f"cryptomatte/{murmur3(name.encode('utf-8')):08x}"[:-1]


def level_channels(name: str, channels: Sequence[str]) -> tuple[str, ...]:
    """Those of a file's channels that are ranks of a Cryptomatte, ordered as ``Cryptomatte.channels``."""
    level = re.compile(re.escape(name) + r"(\d+)\.([rgba])(?:ed|reen|lue|lpha)?", re.IGNORECASE)
    found = [match for match in map(level.fullmatch, channels) if match]
    found.sort(key=lambda match: (int(match[1]), "rgba".index(match[2].lower())))
    return tuple(match.string for match in found)


def coverage_of(name: str, channels: np.ndarray) -> np.ndarray:
    """The matte (height, width) of an object in the channels (height, width, 2 per rank) of a Cryptomatte."""
    ids = np.ascontiguousarray(channels[..., 0::2], np.float32).view(np.uint32)
    shares: np.ndarray = np.where(ids == np.uint32(object_id(name)), channels[..., 1::2], 0).sum(axis=-1)
    return shares.astype(np.float32)


def object_id(name: str) -> int:
    """The 32 bits of an object's id: its hash, made an ordinary float (not 0, tiny, Inf or NaN)."""
    bits = murmur3(name.encode("utf-8"))
    return bits ^ _EXPONENT_BIT if bits >> 23 & 255 in (0, 255) else bits


def murmur3(data: bytes) -> int:
    """MurmurHash3_x86_32 with seed 0."""
    state = 0
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        state = _rotated(state ^ _mixed(word), 13) * 5 + 0xE6546B64 & _MASK
    if len(data) > whole:
        state ^= _mixed(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        state = (state ^ state >> shift) * factor & _MASK
    return state ^ state >> 16


def _mixed(word: int) -> int:
    return _rotated(word * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _rotated(word: int, places: int) -> int:
    return (word << places | word >> 32 - places) & _MASK
