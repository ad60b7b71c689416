"""Whether two EXR files show the same, whatever else their headers tell: dates, names, hashes of graphs.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import struct
from typing import Dict, Optional, Tuple

_MAGIC = b"\x76\x2f\x31\x01"
#: Flags of the version: tiles, deep pixels and several parts are laid out otherwise.
_OTHER_LAYOUTS = 0x0200 | 0x0800 | 0x1000
#: Attributes that say how the pixels lie in the file and in the picture.
_LAYOUT = (b"channels", b"compression", b"dataWindow", b"displayWindow", b"lineOrder", b"pixelAspectRatio")
#: Rows in a block, by the number of the compression.
_ROWS = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)


def same_pixels(one: str, other: str) -> bool:
    """True where both files hold the same pixels in the same form. Raises OSError."""
    with open(one, "rb") as stream:
        first = stream.read()
    with open(other, "rb") as stream:
        second = stream.read()
    if first == second:
        return True
    layouts = _layout(first), _layout(second)
    if layouts[0] is None or layouts[1] is None or layouts[0][0] != layouts[1][0]:
        return False
    return first[layouts[0][1] :] == second[layouts[1][1] :]


def _layout(data: bytes) -> Optional[Tuple[Dict[bytes, bytes], int]]:
    """The attributes of the layout, and where the blocks of pixels begin; None for what is no plain EXR."""
    if data[:4] != _MAGIC or struct.unpack_from("<I", data, 4)[0] & _OTHER_LAYOUTS:
        return None
    attributes: Dict[bytes, bytes] = {}
    at = 8
    try:
        while data[at : at + 1] != b"\0":
            name_end = data.index(b"\0", at)
            type_end = data.index(b"\0", name_end + 1)
            (size,) = struct.unpack_from("<I", data, type_end + 1)
            begin = type_end + 5
            if data[at:name_end] in _LAYOUT:
                attributes[data[at:name_end]] = data[begin : begin + size]
            at = begin + size
        _, low, _, high = struct.unpack("<4i", attributes[b"dataWindow"])
        rows = _ROWS[attributes[b"compression"][0]]
    except (ValueError, KeyError, IndexError, struct.error):
        return None
    # A table of places comes before the blocks: another header moves them all.
    blocks = (high - low) // rows + 1
    return attributes, at + 1 + 8 * blocks
