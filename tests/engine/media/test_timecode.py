"""Timecode of movies, from picture to picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from efficienttam.media import FrameSequence, PlateInfo, Window
from efficienttam.media.movie_writer import open_movie
from efficienttam.media.timecode import timecode_after

NTSC = Fraction(30000, 1001)


def told(text: str, rate: Fraction, pictures: int) -> str:
    window = Window(0, 0, 1, 1)
    words = timecode_after(text, rate, pictures)
    return PlateInfo("", "movie", "uint8", window, window, timecode=words).timecode_text


@pytest.mark.parametrize(
    "start, rate, pictures, then",
    [
        ("01:00:00:00", Fraction(24), 0, "01:00:00:00"),
        ("01:00:00:00", Fraction(24), 25, "01:00:01:01"),
        ("23:59:59:23", Fraction(24000, 1001), 1, "00:00:00:00"),
        ("09:59:59:24", Fraction(25), 1, "10:00:00:00"),
        ("01:00:59;29", NTSC, 1, "01:01:00;02"),
        ("01:00:59:29", NTSC, 1, "01:01:00:00"),
        ("01:09:59;29", NTSC, 1, "01:10:00;00"),
        ("01:00:00;00", NTSC, 107892, "02:00:00;00"),
        ("01:00:00;10", Fraction(24), 1, "01:00:00:11"),
        ("01:00:00:00", Fraction(60), 1, ""),
        ("01:00:00:24", Fraction(24), 1, ""),
        ("an hour", Fraction(24), 1, ""),
    ],
)
def test_timecode_counts_on(start: str, rate: Fraction, pictures: int, then: str) -> None:
    assert told(start, rate, pictures) == then


def test_every_drop_frame_number_comes_once_and_in_order() -> None:
    seen = [told("00:00:00;00", NTSC, picture) for picture in range(0, 18000)]
    assert seen == sorted(set(seen)) and len(seen) == 18000
    assert not [text for text in seen if text.endswith(("00;00", "00;01")) and text[4] != "0"]


@pytest.mark.parametrize(
    "rate, start, then", [(Fraction(24), "01:00:00:00", "01:00:00:02"), (NTSC, "01:00:59;28", "01:01:00;02")]
)
def test_a_movie_s_timecode_is_that_of_each_picture(
    tmp_path: Path, rate: Fraction, start: str, then: str
) -> None:
    pytest.importorskip("av")
    path = tmp_path / "m.mov"
    with open_movie(str(path), (32, 32), rate, timecode=start) as movie:
        for shade in (10, 20, 30):
            movie.add(np.full((32, 32, 3), shade, np.uint8))
    plate = FrameSequence(str(path), movie_start=1001)
    assert [plate.info(frame).timecode_text for frame in (1001, 1003)] == [start, then]
