from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from efficienttam.contract.errors import JobError, PlateError
from efficienttam.media import FrameSequence, MissingFrames, write_matte

WriteImage = Callable[..., str]


@pytest.fixture
def plate(tmp_path: Path, write_image: WriteImage) -> str:
    """Frames 1001, 1002, 1005 of a PNG plate; every pixel is 10 times the last digit."""
    for frame in (1001, 1002, 1005):
        level = np.full((6, 8, 3), frame % 10 * 10 / 255, np.float32)
        write_image(f"plate.{frame}.png", level, "uint8")
    return str(tmp_path / "plate.####.png")


def test_frames_carry_their_own_numbers(plate: str) -> None:
    sequence = FrameSequence(plate, last=1002)
    assert list(sequence.frames) == [1001, 1002] and sequence.size == (8, 6)
    pixels = sequence.read(1002)
    assert pixels.dtype == np.uint8 and (pixels == 20).all() and pixels.shape == (6, 8, 3)
    with pytest.raises(PlateError, match="frame 1003 is outside 1001-1002"):
        sequence.read(1003)


def test_gaps_are_found_before_any_frame_is_read(plate: str, tmp_path: Path) -> None:
    (tmp_path / "plate.1001.png").write_bytes(b"")
    with pytest.raises(PlateError, match="Frames 1003-1004 are missing") as refused:
        FrameSequence(plate)
    assert "1001-1002,1005" in refused.value.remedy
    with pytest.raises(PlateError, match="Frames 1000, 1003-1004, 1006-1007 are missing"):
        FrameSequence(plate, 1000, 1007)


def test_hold_and_black_stand_in(plate: str) -> None:
    hold = FrameSequence(plate, 1000, 1006, missing=MissingFrames.HOLD)
    assert [int(hold.read(f)[0, 0, 0]) for f in hold.frames] == [10, 10, 20, 20, 20, 50, 50]
    black = FrameSequence(plate, 1000, 1006, missing=MissingFrames.BLACK)
    assert [int(black.read(f)[0, 0, 0]) for f in black.frames] == [0, 10, 20, 0, 0, 50, 0]
    assert black.read(1003).dtype == np.uint8 and black.info(1003).size == (8, 6)
    floats = FrameSequence(plate, missing=MissingFrames.BLACK, color_space="linear")
    assert floats.read(1003).dtype == floats.read(1002).dtype == np.float32


def test_missing_frames_are_told_by_word_too(plate: str) -> None:
    """As in a job document."""
    with pytest.raises(PlateError, match="Frames 1003-1004 are missing"):
        FrameSequence(plate, missing="error")
    assert not FrameSequence(plate, missing="black").read(1003).any()
    with pytest.raises(
        JobError, match=r"'skip' is no rule for missing frames\. Use one of 'error', 'hold', 'bl"
    ):
        FrameSequence(plate, missing="skip")


def test_a_still_stands_on_every_frame_asked_for(plate: str, tmp_path: Path) -> None:
    still = str(tmp_path / "plate.1005.png")
    assert list(FrameSequence(still).frames) == [1005]
    held = FrameSequence(still, 1, 3)
    assert list(held.frames) == [1, 2, 3] and (held.read(2) == 50).all()
    odd = tmp_path / "odd#1.png"
    odd.write_bytes(Path(still).read_bytes())
    assert list(FrameSequence(odd).frames) == [1]


def test_plates_that_are_not_there(tmp_path: Path, plate: str) -> None:
    with pytest.raises(PlateError, match="no frames named"):
        FrameSequence(tmp_path / "none.%04d.exr")
    with pytest.raises(PlateError, match="none of the frames 1-9 is there"):
        FrameSequence(plate, 1, 9, missing=MissingFrames.HOLD)
    with pytest.raises(PlateError, match="does not exist"):
        FrameSequence(tmp_path / "none.exr")
    with pytest.raises(PlateError, match="backwards"):
        FrameSequence(plate, 1005, 1001)


def test_frames_of_another_size_are_refused(plate: str, write_image: WriteImage) -> None:
    write_image("plate.1002.png", np.zeros((6, 9, 3), np.float32), "uint8")
    sequence = FrameSequence(plate, 1001, 1002)
    with pytest.raises(PlateError, match=r"is 9 x 6 pixels; the plate began with 8 x 6"):
        sequence.read(1002)


def test_views_of_a_pattern(tmp_path: Path, write_image: WriteImage) -> None:
    for view, level in (("left", 0.2), ("right", 0.8)):
        (tmp_path / view).mkdir()
        write_image(f"{view}/p_{view[0]}.0001.png", np.full((4, 4, 3), level, np.float32), "uint8")
    pattern = tmp_path / "%V" / "p_%v.%04d.png"
    assert FrameSequence(pattern, view="left").read(1)[0, 0, 0] == 51
    assert FrameSequence(pattern, view="right").read(1)[0, 0, 0] == 204
    with pytest.raises(PlateError, match="asks for a view"):
        FrameSequence(pattern)
    with pytest.raises(PlateError, match="of view middle"):
        FrameSequence(pattern, view="middle")


def test_a_view_that_a_frame_does_not_have(tmp_path: Path, write_image: WriteImage) -> None:
    pixels = np.broadcast_to(np.repeat(np.float32([1, 2]), 3) / 4, (4, 4, 6))
    names = tuple(f"{view}.{letter}" for view in ("left", "right") for letter in "RGB")
    write_image("p.0001.exr", pixels, "half", channels=names)
    write_image("p.0002.exr", pixels[..., :3], "half", channels=names[:3])
    write_image("p.0003.exr", pixels[..., :3], "half")
    plate = FrameSequence(str(tmp_path / "p.%04d.exr"), view="right", color_space="raw")
    assert plate.read(1)[0, 0, 0] == 0.5
    for frame in (2, 3):
        with pytest.raises(PlateError, match=f"p.000{frame}.exr has no views.*'right' was asked for"):
            plate.read(frame)
    with pytest.raises(PlateError, match="Leave the view out"):
        FrameSequence(str(tmp_path / "p.0003.exr"), view="right")


def test_a_linear_exr_is_seen_encoded(write_image: WriteImage) -> None:
    path = write_image("a.0001.exr", np.full((4, 4, 3), 0.18, np.float32), "half", display=(0, 0, 8, 6))
    sequence = FrameSequence(path.replace("0001", "%04d"))
    pixels = sequence.read(1)
    assert pixels.shape == (6, 8, 3) and pixels.dtype == np.float32
    assert abs(pixels[0, 0, 0] - 0.4614) < 1e-3 and pixels[5, 7, 0] == 0


def test_a_matte_goes_back_on_its_plate(tmp_path: Path, write_image: WriteImage) -> None:
    image = np.random.default_rng(0).random((6, 8, 3)).astype(np.float32)
    path = write_image("a.0001.exr", image, "half", data=(-2, 3), display=(1, 2, 8, 6), PixelAspectRatio=1.5)
    sequence = FrameSequence(path)
    matte_path = tmp_path / "m.0001.exr"
    write_matte(matte_path, np.ones((6, 8), np.float32), plate=sequence.info(1))
    back = FrameSequence(matte_path)
    assert back.size == sequence.size
    assert back.info(1).display_window == sequence.info(1).display_window
    assert back.info(1).pixel_aspect == 1.5


@pytest.mark.slow
def test_a_2k_frame_takes_a_fraction_of_a_second(write_image: WriteImage) -> None:
    image = np.random.default_rng(0).random((1080, 2048, 3)).astype(np.float32)
    for name, space in (("a.exr", ""), ("a.exr", "ACEScg"), ("a.dpx", "")):
        kind = "half" if name.endswith("exr") else "uint16"
        sequence = FrameSequence(write_image(name, image, kind), color_space=space)
        sequence.read(1)
        started = time.process_time()
        sequence.read(1)
        assert time.process_time() - started < 1.0
