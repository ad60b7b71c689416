from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from efficienttam.contract.errors import IncompleteError, OutputError, PlateError
from efficienttam.contract.job import PlateMetadata
from efficienttam.media import (
    Compression,
    DataWindow,
    Depth,
    PlateInfo,
    Window,
    channel_name,
    read_info,
    read_picture,
    read_roto,
    read_texts,
    verify_matte,
    write_matte,
    write_mattes,
    write_png,
)

WriteImage = Callable[..., str]
REPOSITORY = Path(__file__).resolve().parents[3]
DISPLAY = Window(-8, 4, 40, 24)
PLATE = PlateInfo(
    path="plate.exr",
    file_format="openexr",
    pixel_type="half",
    display_window=DISPLAY,
    data_window=Window(-20, 0, 80, 40),
    pixel_aspect=2.0,
    frame_rate=(24000, 1001),
    timecode=(0x01020304, 9),
    metadata={"reelName": "A001"},
)


@pytest.fixture
def matte() -> np.ndarray:
    y, x = np.mgrid[:24, :40]
    return np.clip((8 - np.hypot(x - 25, y - 10)) / 4, 0, 1).astype(np.float32)


def exr(path: Path | str) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Header and channels as another library sees them."""
    openexr = pytest.importorskip("OpenEXR")
    part = openexr.File(str(path), separate_channels=True).parts[0]
    return part.header, {name: channel.pixels for name, channel in part.channels.items()}


def box(window: object) -> tuple[int, ...]:
    (left, top), (right, bottom) = window  # type: ignore[misc]
    return int(left), int(top), int(right), int(bottom)


def test_a_matte_carries_the_plate(tmp_path: Path, matte: np.ndarray) -> None:
    path = tmp_path / "hero.1001.exr"
    write_matte(path, matte, plate=PLATE, metadata={"efficienttam/job": "hero.json"})
    header, channels = exr(path)
    assert list(channels) == ["A"] and channels["A"].dtype == np.float16
    np.testing.assert_array_equal(channels["A"], matte.astype(np.float16))
    assert box(header["displayWindow"]) == box(header["dataWindow"]) == (-8, 4, 31, 27)
    assert header["pixelAspectRatio"] == 2.0 and str(header["compression"]).endswith("ZIPS_COMPRESSION")
    assert header["framesPerSecond"] == 24000 / 1001 or str(header["framesPerSecond"]) == "24000/1001"
    assert header["efficienttam/job"] == "hero.json" and header["reelName"] == "A001"
    info = read_info(str(path), layer="A")
    assert (info.timecode, info.frame_rate, info.pixel_aspect) == (PLATE.timecode, PLATE.frame_rate, 2.0)
    assert info.display_window == DISPLAY


def test_layers_arrive_by_their_names(tmp_path: Path, matte: np.ndarray) -> None:
    path = tmp_path / "all.exr"
    write_mattes(path, {"hero": matte, "left hand.alpha": 1 - matte, "rgba.alpha": matte * 0.5})
    _, channels = exr(path)
    assert sorted(channels) == ["A", "hero.A", "left_hand.A"]
    np.testing.assert_array_equal(read_roto(str(path), "hero"), channels["hero.A"].astype(np.float32))
    np.testing.assert_array_equal(channels["left_hand.A"], (1 - matte).astype(np.float16))


@pytest.mark.parametrize(
    ("layer", "channel"),
    [
        ("rgba.alpha", "A"),
        ("alpha", "A"),
        ("A", "A"),
        ("hero", "hero.A"),
        ("hero.alpha", "hero.A"),
        ("hero.A", "hero.A"),
        ("hero.red", "hero.R"),
        ("hero.core", "hero.core"),
        ("shot.hero.alpha", "shot_hero.A"),
        ("2nd ball", "_2nd_ball.A"),
    ],
)
def test_channel_names(layer: str, channel: str) -> None:
    assert channel_name(layer) == channel


def test_layers_of_one_name_are_refused(tmp_path: Path, matte: np.ndarray) -> None:
    with pytest.raises(OutputError, match=r"both be the channel left_hand\.A"):
        write_mattes(tmp_path / "a.exr", {"left hand": matte, "left_hand": matte})
    with pytest.raises(OutputError, match="no matte"):
        write_mattes(tmp_path / "a.exr", {})
    assert not list(tmp_path.iterdir())


def test_the_same_call_writes_the_same_bytes(tmp_path: Path, matte: np.ndarray) -> None:
    layers = {"hero": matte, "ball": 1 - matte}
    write_mattes(tmp_path / "a.exr", layers, plate=PLATE)
    write_png(tmp_path / "a.png", matte)
    time.sleep(1.1)
    write_mattes(tmp_path / "b.exr", dict(reversed(layers.items())), plate=PLATE)
    write_png(tmp_path / "b.png", matte)
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    header, _ = exr(tmp_path / "a.exr")
    assert not {"capDate", "Software", "HostComputer"} & set(header)


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("depth", [Depth.AUTO, Depth.HALF, Depth.FLOAT])
def test_compressions_and_depths_are_exact(
    tmp_path: Path, matte: np.ndarray, compression: Compression, depth: Depth
) -> None:
    write_matte(tmp_path / "a.exr", matte, compression=compression, depth=depth)
    _, channels = exr(tmp_path / "a.exr")
    expected = matte if depth is Depth.FLOAT else matte.astype(np.float16)
    np.testing.assert_array_equal(channels["A"], expected)


def test_data_window_of_the_content(tmp_path: Path, matte: np.ndarray) -> None:
    path = tmp_path / "a.exr"
    write_matte(path, matte, plate=PLATE, data_window=DataWindow.CONTENT)
    header, _ = exr(path)
    rows, columns = np.nonzero(matte)
    assert box(header["dataWindow"]) == (
        columns.min() - 8,
        rows.min() + 4,
        columns.max() - 8,
        rows.max() + 4,
    )
    assert box(header["displayWindow"]) == (-8, 4, 31, 27)
    np.testing.assert_array_equal(read_roto(str(path)), matte.astype(np.float16).astype(np.float32))
    verify_matte(path, plate=PLATE)
    write_matte(path, np.zeros_like(matte), plate=PLATE, data_window=DataWindow.CONTENT)
    assert exr(path)[1]["A"].shape == (1, 1) and read_roto(str(path)).shape == (24, 40)


def test_mattes_that_cannot_be_right_are_refused(tmp_path: Path, matte: np.ndarray) -> None:
    bad = matte.copy()
    bad[3, 3] = np.nan
    with pytest.raises(OutputError, match="NaN"):
        write_matte(tmp_path / "a.exr", bad)
    with pytest.raises(OutputError, match="expected 40 x 24"):
        write_matte(tmp_path / "a.exr", matte[:-1], plate=PLATE)
    with pytest.raises(OutputError, match="taken by the format"):
        write_matte(tmp_path / "a.exr", matte, metadata={"DateTime": "now"})
    assert not list(tmp_path.iterdir())
    write_matte(tmp_path / "a.exr", matte * 3 - 1)
    values = exr(tmp_path / "a.exr")[1]["A"]
    assert values.min() == 0 and values.max() == 1


def test_places_that_cannot_be_written(tmp_path: Path, matte: np.ndarray) -> None:
    with pytest.raises(OutputError, match="does not exist") as refused:
        write_matte(tmp_path / "none" / "a.exr", matte)
    assert refused.value.remedy
    with pytest.raises(OutputError, match="is a folder"):
        write_matte(tmp_path, matte)
    if os.geteuid() == 0 and os.path.isdir("/proc/self"):
        with pytest.raises(OutputError, match="cannot be written"):
            write_matte("/proc/self/a.exr", matte)
    else:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(OutputError, match="cannot be written"):
            write_matte(tmp_path / "closed" / "a.exr", matte)


FULL = """
import sys, numpy as np
from efficienttam.contract.errors import OutputError
from efficienttam.media import write_matte, write_png
noise = np.random.default_rng(0).random((200, 300)).astype(np.float32)
for write in (write_matte, write_png):
    try:
        write(sys.argv[1], noise)
        print("written")
    except OutputError as refused:
        print(refused.message, "|", refused.remedy)
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, matte: np.ndarray) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))

    path = tmp_path / "a.exr"
    write_matte(path, matte)
    before = path.read_bytes()
    code = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)" + FULL
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(path)],
        preexec_fn=limit,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and all("cannot be written" in line and "free space" in line for line in lines), (
        done
    )
    assert os.listdir(tmp_path) == ["a.exr"] and path.read_bytes() == before


def test_a_matte_is_written_with_the_usual_permissions(tmp_path: Path, matte: np.ndarray) -> None:
    write_matte(tmp_path / "a.exr", matte)
    (tmp_path / "b").touch()
    assert (tmp_path / "a.exr").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_verification(tmp_path: Path, matte: np.ndarray) -> None:
    path = tmp_path / "a.exr"
    noise = np.random.default_rng(0).random((24, 40)).astype(np.float32)
    write_mattes(path, {"hero": noise, "ball": matte}, plate=PLATE)
    verify_matte(path, plate=PLATE, layers=["hero"])
    verify_matte(path, size=(40, 24), layers=["hero", "ball.alpha"])
    for wrong in ({"layers": ["rgba.alpha"]}, {"size": (41, 24), "layers": ["hero"]}):
        with pytest.raises(IncompleteError):
            verify_matte(path, **wrong)
    with pytest.raises(IncompleteError, match=r"has the window 40x24 at -8,4; expected 41x24 at -8,4\."):
        verify_matte(path, size=(41, 24), layers=["hero"])
    write_mattes(path, {"hero": noise}, plate=PLATE, metadata={"job": "one"})
    verify_matte(path, plate=PLATE, layers=["hero"], metadata={"job": "one"})
    with pytest.raises(IncompleteError, match="another job"):
        verify_matte(path, plate=PLATE, layers=["hero"], metadata={"job": "two"})
    content = path.read_bytes()
    for kept in (0, 10, 300, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:kept])
        with pytest.raises(IncompleteError):
            verify_matte(path, plate=PLATE, layers=["hero"])
    with pytest.raises(IncompleteError, match="does not exist"):
        verify_matte(tmp_path / "none.exr")


@pytest.mark.parametrize("bits", [8, 16])
def test_png(tmp_path: Path, matte: np.ndarray, bits: int) -> None:
    rgb = np.stack([matte, 1 - matte, matte * 0], axis=2)
    write_png(tmp_path / "a.png", rgb, bits=bits)
    pixels, info = read_picture(str(tmp_path / "a.png"))
    assert info.pixel_type == f"uint{bits}"
    assert np.abs(pixels / (2**bits - 1) - rgb).max() < 0.003
    write_png(tmp_path / "b.png", np.arange(24, dtype=np.uint8).reshape(4, 6))
    np.testing.assert_array_equal(
        read_picture(str(tmp_path / "b.png"))[0][:, :, 1], np.arange(24, dtype=np.uint8).reshape(4, 6)
    )


def told(path: Path, comments: str) -> Path:
    """A picture of the matte's size whose description is ``comments``."""
    spec = oiio.ImageSpec(40, 24, 1, "half" if path.suffix == ".exr" else "uint16")
    spec.attribute("ImageDescription", comments)
    target = oiio.ImageOutput.create(str(path))
    assert target.open(str(path), spec) and target.write_image(np.zeros((24, 40, 1), np.float32))
    assert target.close()
    return path


@pytest.mark.parametrize("plate", ["plate.exr", "plate.png", "plate.tif"])
def test_comments_on_the_plate_go_on(tmp_path: Path, matte: np.ndarray, plate: str) -> None:
    for comments in ("take 3", "{wide}", '{"takes": [3, 4]}'):
        info = read_info(str(told(tmp_path / plate, comments)))
        write_matte(tmp_path / "a.exr", matte, plate=info, carry=PlateMetadata.ALL)
        assert exr(tmp_path / "a.exr")[0]["comments"] == comments
        write_matte(tmp_path / "a.png", matte, plate=info, carry=PlateMetadata.ALL, metadata={"own": "1"})
        assert read_texts(str(tmp_path / "a.png"), ["comments", "own"]) == {"comments": comments, "own": "1"}


def test_what_a_matte_tells_of_itself_does_not_go_on_where_it_is_the_plate(
    tmp_path: Path, matte: np.ndarray
) -> None:
    for metadata in ({}, {"efficienttam/object": "hero"}):
        for name in ("a.png", "a.tif"):
            write_matte(tmp_path / name, matte, metadata=metadata)
            assert "comments" not in [entry.name for entry in read_info(str(tmp_path / name)).attributes]
    # As another program makes an EXR of one; a studio's own JSON is none of ours.
    for comments, kept in (('{"efficienttam/object":"hero"}', False), ('{"artist": "me"}', True)):
        info = read_info(str(told(tmp_path / "b.exr", comments)))
        assert ("comments" in [entry.name for entry in info.attributes]) == kept


def test_all_of_a_header_that_holds_goes_on(tmp_path: Path, shared_data: Path) -> None:
    """Every kind of attribute of the conformance files, but those that the library cannot write."""
    lost = {"vector2i", "vectori", "vector2i[2]"}
    seen = 0
    for path in sorted((shared_data / "exr_conformance").rglob("*.exr")):
        try:
            plate = read_info(str(path))
        except PlateError:
            continue
        if not plate.attributes or plate.size[0] * plate.size[1] > 2**20:
            continue
        width, height = plate.size
        empty = np.zeros((height, width), np.float32)
        write_matte(tmp_path / "a.exr", empty, plate=plate, carry=PlateMetadata.ALL)
        found = read_info(str(tmp_path / "a.exr"))
        back = {entry.name: entry.value for entry in found.attributes}
        assert (found.display_window, found.channels) == (plate.display_window, ("A",))
        for name, kind, value in plate.attributes:
            if kind in lost:
                continue
            seen += 1
            if isinstance(np.ravel(value)[0], str):
                assert back[name] == value, (path, name)
            else:
                np.testing.assert_allclose(back[name], value, rtol=1e-6, err_msg=f"{path} {name}")
    assert seen > 50
