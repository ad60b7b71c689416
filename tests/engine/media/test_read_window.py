"""A part of a frame is that part of the whole, wherever the data lies and whatever the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from efficienttam.contract.errors import PlateError
from efficienttam.media import FrameSequence, MissingFrames
from efficienttam.tracking.region_plate import WindowedSource

WriteImage = Callable[..., str]

#: What two ways of the same arithmetic may differ by.
LAST_PLACES = 2


def same(sequence: FrameSequence) -> None:
    """Windows of every kind against the whole frame: all of it, corners, edges, single pixels."""
    assert isinstance(sequence, WindowedSource)
    whole = sequence.read(sequence.frames[0])
    width, height = sequence.size
    for left, right in ((0, width), (0, 1), (width - 1, width), (width // 3, width // 2 + 1)):
        for top, bottom in ((0, height), (0, 1), (height - 1, height), (height // 3, height // 2 + 1)):
            part = sequence.read_window(sequence.frames[0], left, top, right - left, bottom - top)
            assert part.dtype == whole.dtype
            # OCIO takes pixels by the vector, the last ones of a row one by one: on some processors these two
            # ways differ in the last bit.
            np.testing.assert_array_max_ulp(part, whole[top:bottom, left:right], LAST_PLACES)


@pytest.mark.parametrize("tile", [0, 16])
@pytest.mark.parametrize("space", ["", "ACEScg", "raw"])
@pytest.mark.parametrize(
    ("data", "display"),
    [
        ((0, 0), (0, 0, 20, 12)),
        ((-5, -3), (0, 0, 10, 8)),
        ((4, 2), (0, 0, 40, 30)),
        ((0, 0), (7, 5, 30, 20)),
        ((3, 3), (100, 100, 6, 6)),
        ((10, -6), (-8, -4, 24, 9)),
    ],
)
def test_exr(
    write_image: WriteImage,
    ramp: np.ndarray,
    data: tuple[int, int],
    display: tuple[int, int, int, int],
    space: str,
    tile: int,
) -> None:
    path = write_image("a.exr", ramp, "half", data=data, display=display, tile=tile)
    same(FrameSequence(path, color_space=space))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned(write_image: WriteImage, orientation: int) -> None:
    image = np.random.default_rng(2).random((9, 14, 3)).astype(np.float32)
    same(FrameSequence(write_image("a.tif", image, "uint8", Orientation=orientation)))


@pytest.mark.parametrize(("name", "kind"), [("a.png", "uint8"), ("a.png", "uint16"), ("a.dpx", "uint16")])
def test_other_formats(write_image: WriteImage, name: str, kind: str) -> None:
    image = np.random.default_rng(3).random((11, 13, 3)).astype(np.float32)
    same(FrameSequence(write_image(name, image, kind)))


def test_movie(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    path = str(tmp_path / "a.mov")
    with av.open(path, "w") as movie:
        stream = movie.add_stream("mpeg4", rate=24)
        stream.width, stream.height = 64, 48
        image = np.random.default_rng(4).integers(0, 255, (48, 64, 3), np.uint8)
        for packet in (*stream.encode(av.VideoFrame.from_ndarray(image)), *stream.encode(None)):
            movie.mux(packet)
    same(FrameSequence(path))


def test_black_and_odd_frames(write_image: WriteImage, tmp_path: Path) -> None:
    for frame, side in ((1, 8), (3, 8), (4, 6)):
        write_image(f"plate.{frame:04d}.png", np.ones((side, side, 3), np.float32), "uint8")
    sequence = FrameSequence(str(tmp_path / "plate.%04d.png"), missing=MissingFrames.BLACK)
    assert (
        sequence.read_window(2, 1, 2, 3, 4).shape == (4, 3, 3)
        and not sequence.read_window(2, 1, 2, 3, 4).any()
    )
    with pytest.raises(PlateError, match="is 6 x 6 pixels"):
        sequence.read_window(4, 0, 0, 2, 2)
