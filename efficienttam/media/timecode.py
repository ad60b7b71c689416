"""Timecode of SMPTE 12M: hours, minutes, seconds and frames, counted on from picture to picture."""

from __future__ import annotations

import re
from fractions import Fraction

#: Pictures a second that the two digits of frames in a timecode's words can count.
MOST = 30
_TEXT = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")
_DROP = 0x40


def drops(rate: Fraction) -> bool:
    """Whether timecode at a rate may leave numbers out to keep to the clock: 29.97 and its multiples."""
    return round(rate) % 30 == 0


def timecode_after(text: str, rate: Fraction, pictures: int) -> tuple[int, int] | None:
    """The two words of the timecode ``pictures`` after ``text`` (``01:00:00:12``, drop-frame with ``;``
    before the frames); None for what is no timecode, or cannot be counted at that rate."""
    found, base = _TEXT.fullmatch(text.strip()), round(rate)
    if found is None or not 0 < base <= MOST:
        return None
    hours, minutes, seconds, frames = (int(found.group(index)) for index in (1, 2, 3, 5))
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= base:
        return None
    drop = found.group(4) != ":" and drops(rate)
    count = ((hours * 60 + minutes) * 60 + seconds) * base + frames
    if drop:
        count -= _left_out(hours * 60 + minutes)
    return _words(count + pictures, base, drop), 0


def _left_out(minutes: int) -> int:
    """Numbers that drop-frame leaves out in so many minutes: two in each, but for every tenth."""
    return 2 * (minutes - minutes // 10)


def _words(count: int, base: int, drop: bool) -> int:
    """The word of a picture counted from midnight, in binary coded decimals."""
    day = 24 * 3600 * base - (_left_out(24 * 60) if drop else 0)
    count %= day
    if drop:
        minute, ten = 60 * base - 2, 600 * base - 18
        tens, rest = divmod(count, ten)
        count += 18 * tens + 2 * max(0, (rest - 2) // minute)
    seconds, frames = divmod(count, base)
    minutes, seconds = divmod(seconds, 60)
    word = _DROP if drop else 0
    for shift, value in ((0, frames), (8, seconds), (16, minutes % 60), (24, minutes // 60)):
        word |= (value // 10 << 4 | value % 10) << shift
    return word
