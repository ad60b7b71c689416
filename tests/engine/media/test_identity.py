"""What a plate says of its frames' identity: it changes with everything that changes the picture."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from efficienttam.contract.cache_settings import FileIdentity
from efficienttam.contract.errors import PlateError
from efficienttam.media import FrameSequence, MissingFrames, color_transform
from efficienttam.media.file_identity import config_identity, file_identity

WriteImage = Callable[..., str]
CONFIG = """ocio_profile_version: 2
search_path: luts:../elsewhere
roles: {default: raw, scene_linear: house_linear}
displays: {sRGB: [!<View> {name: Raw, colorspace: raw}]}
colorspaces:
  - !<ColorSpace> {name: raw, isdata: true}
  - !<ColorSpace> {name: house_linear}
  - !<ColorSpace>
    name: house_log
    to_scene_reference: !<FileTransform> {src: log.spi1d, interpolation: linear}
  - !<ColorSpace>
    name: srgb_tx
    from_scene_reference: !<ExponentWithLinearTransform> {gamma: 2.4, offset: 0.055, direction: inverse}
"""
LUT = "Version 1\nFrom 0.0 1.0\nLength 2\nComponents 1\n{\n0.0\n%s\n}\n"


@pytest.fixture
def plate(write_image: WriteImage, ramp: np.ndarray, tmp_path: Path) -> str:
    """A pattern of three float EXRs, 1001 to 1003."""
    for frame in (1001, 1002, 1003):
        write_image(f"p.{frame}.exr", ramp, "half")
    return str(tmp_path / "p.%04d.exr")


def test_the_same_file_read_in_the_same_way_is_the_same(plate: str) -> None:
    one, two = FrameSequence(plate), FrameSequence(plate, 1002, 1003)
    assert one.identity(1002) == two.identity(1002)
    assert len({one.identity(frame) for frame in one.frames}) == 3
    with pytest.raises(PlateError, match="outside"):
        two.identity(1001)


def test_identity_goes_with_size_time_and_place(plate: str, tmp_path: Path) -> None:
    def now() -> str:
        return FrameSequence(plate).identity(1001)

    file = tmp_path / "p.1001.exr"
    before, state = now(), os.stat(file)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    touched = now()
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert now() == before != touched
    with open(file, "ab") as stream:
        stream.write(b"\0")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert now() != before
    (tmp_path / "link").symlink_to(tmp_path)
    assert FrameSequence(tmp_path / "link" / "p.%04d.exr").identity(1002) == FrameSequence(plate).identity(
        1002
    )


def test_by_content_copies_are_the_same_and_changes_are_not(plate: str, tmp_path: Path) -> None:
    def by_content(folder: Path) -> list[str]:
        sequence = FrameSequence(folder / "p.%04d.exr", identify_by=FileIdentity.CONTENT)
        return [sequence.identity(frame) for frame in sequence.frames]

    (tmp_path / "copy").mkdir()
    for frame in (1001, 1002, 1003):
        shutil.copy(tmp_path / f"p.{frame}.exr", tmp_path / "copy")
    here = by_content(tmp_path)
    assert by_content(tmp_path / "copy") == here
    with open(tmp_path / "copy" / "p.1002.exr", "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    there = by_content(tmp_path / "copy")
    assert (there[0] == here[0], there[1] == here[1]) == (True, False)


@pytest.mark.parametrize("by", FileIdentity)
def test_identity_goes_with_everything_that_picks_or_changes_pixels(
    by: FileIdentity, plate: str, write_image: WriteImage, ramp: np.ndarray
) -> None:
    names = ("R", "G", "B", "left.R", "left.G", "left.B")
    write_image("p.1001.exr", np.concatenate([ramp, ramp], axis=2), "half", channels=names)
    ways = [
        FrameSequence(plate, identify_by=by),
        FrameSequence(plate, color_space="raw", identify_by=by),
        FrameSequence(plate, color_space="ACEScg", identify_by=by),
        FrameSequence(plate, color_space="ARRI LogC3 (EI800)", identify_by=by),
        FrameSequence(plate, part=0, identify_by=by),
        FrameSequence(plate, 1001, 1001, view="left", identify_by=by),
    ]
    assert len({way.identity(1001) for way in ways}) == len(ways)


def test_the_chromaticities_of_the_file_count(plate: str) -> None:
    narrow = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
    wide = (0.7, 0.3, 0.2, 0.7, 0.1, 0.1, 0.31, 0.33)
    wider = (0.71, *wide[1:])
    header = FrameSequence(plate).info(1001)
    recipes = {
        color_transform("", "", dataclasses.replace(header, chromaticities=primaries)).recipe
        for primaries in (None, narrow, wide, wider)
    }
    assert len(recipes) == 3, "Rec.709 by name and by default is one"


def test_held_frames_are_the_frame_that_stands_in_and_black_is_black(plate: str, tmp_path: Path) -> None:
    (tmp_path / "p.1002.exr").unlink()
    held = FrameSequence(plate, missing=MissingFrames.HOLD)
    assert held.identity(1002) == held.identity(1001) != held.identity(1003)
    black = FrameSequence(plate, missing=MissingFrames.BLACK)
    assert black.identity(1001) == held.identity(1001)
    assert black.identity(1002) not in (held.identity(1002), black.identity(1003))


def test_a_frame_that_vanished_is_told(plate: str, tmp_path: Path) -> None:
    sequence = FrameSequence(plate)
    (tmp_path / "p.1002.exr").unlink()
    with pytest.raises(PlateError, match=r"p\.1002\.exr"):
        sequence.identity(1002)


@pytest.mark.parametrize("by", FileIdentity)
def test_a_configuration_is_known_by_itself_and_its_tables(by: FileIdentity, tmp_path: Path) -> None:
    def write(folder: Path, text: str = CONFIG, last: str = "1.0") -> str:
        (folder / "luts").mkdir(parents=True, exist_ok=True)
        (folder / "config.ocio").write_text(text)
        (folder / "luts" / "log.spi1d").write_text(LUT % last)
        return str(folder / "config.ocio")

    def identity(config: str) -> str:
        config_identity.cache_clear()
        return config_identity(config, by)

    config = write(tmp_path / "a")
    first = identity(config)
    assert identity(config) == first
    table = tmp_path / "a" / "luts" / "log.spi1d"
    table.write_text(LUT % "0.75")
    assert identity(config) != first
    if by is FileIdentity.CONTENT:
        assert identity(write(tmp_path / "b")) == first
        assert identity(write(tmp_path / "c", CONFIG.replace("2.4", "2.2"))) != first
    assert identity("ocio://studio-config-latest") != identity("")


def test_two_configurations_with_one_name_for_a_space_are_two(plate: str, tmp_path: Path) -> None:
    found = set()
    for name, last in (("a", "1.0"), ("b", "0.5")):
        folder = tmp_path / name / "luts"
        folder.mkdir(parents=True)
        (tmp_path / name / "config.ocio").write_text(CONFIG)
        (folder / "log.spi1d").write_text(LUT % last)
        config = str(tmp_path / name / "config.ocio")
        sequence = FrameSequence(
            plate, color_space="house_log", config=config, identify_by=FileIdentity.CONTENT
        )
        found.add((sequence.identity(1001), float(sequence.read(1001).mean())))
    assert len({identity for identity, _ in found}) == len({mean for _, mean in found}) == 2


def test_a_file_is_hashed_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"one")
    first = file_identity(str(file), FileIdentity.CONTENT)
    state = os.stat(file)
    file.write_bytes(b"two")
    os.utime(file, ns=(1, state.st_mtime_ns))
    assert file_identity(str(file), FileIdentity.CONTENT) == first, "size and time are as they were"
    os.utime(file, ns=(1, state.st_mtime_ns + 1))
    assert file_identity(str(file), FileIdentity.CONTENT) != first
