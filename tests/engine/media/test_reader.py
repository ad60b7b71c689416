"""Files written here, so that these tests mean something on any machine."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from efficienttam.contract.errors import PlateError
from efficienttam.media import Window, image_file, read_info, read_picture, read_roto

WriteImage = Callable[..., str]
EXR_COMPRESSIONS = ["none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab", "htj2k"]


@pytest.mark.parametrize("compression", EXR_COMPRESSIONS)
@pytest.mark.parametrize("kind", ["half", "float"])
def test_every_exr_compression(
    write_image: WriteImage, ramp: np.ndarray, compression: str, kind: str
) -> None:
    pixels, info = read_picture(write_image("a.exr", ramp, kind, compression=compression))
    assert pixels.dtype == (np.float16 if kind == "half" else np.float32)
    lossy = compression.startswith(("b44", "dwa"))
    assert np.abs(pixels.astype(np.float32) - ramp).max() < (0.05 if lossy else 1e-3)
    assert info.file_format == "openexr" and info.size == (20, 12)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("a.png", "uint8", np.uint8),
        ("a.png", "uint16", np.uint16),
        ("a.tif", "uint8", np.uint8),
        ("a.tif", "uint16", np.uint16),
        ("a.tif", "float", np.float32),
        ("a.dpx", "uint16", np.uint16),
        ("a.jpg", "uint8", np.uint8),
        ("a.tga", "uint8", np.uint8),
    ],
)
def test_other_formats(
    write_image: WriteImage, ramp: np.ndarray, name: str, kind: str, expected: type
) -> None:
    pixels, info = read_picture(write_image(name, ramp, kind))
    scale = np.iinfo(expected).max if np.issubdtype(expected, np.integer) else 1.0
    assert pixels.dtype == expected and info.size == (20, 12)
    assert np.abs(pixels / scale - ramp).max() < (0.05 if name.endswith("jpg") else 5e-3)


@pytest.mark.parametrize("tile", [0, 8])
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
def test_the_picture_is_the_display_window(
    write_image: WriteImage,
    ramp: np.ndarray,
    data: tuple[int, int],
    display: tuple[int, int, int, int],
    tile: int,
) -> None:
    path = write_image("a.exr", ramp, "float", data=data, display=display, tile=tile)
    pixels, info = read_picture(path)
    assert info.display_window == Window(*display) and info.data_window == Window(*data, 20, 12)
    left, top, width, height = display
    expected = np.zeros((height, width, 3), np.float32)
    for y in range(height):
        for x in range(width):
            row, column = y + top - data[1], x + left - data[0]
            if 0 <= row < 12 and 0 <= column < 20:
                expected[y, x] = ramp[row, column]
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.tif", "a.jpg"])
def test_orientation_is_undone(write_image: WriteImage, name: str, orientation: int) -> None:
    picture_module = pytest.importorskip("PIL.Image")
    operations = pytest.importorskip("PIL.ImageOps")
    image = np.zeros((16, 32, 3), np.float32)
    image[:8, :8] = (1, 0, 0)
    image[8:, 24:] = (0, 1, 0)
    path = write_image(name, image, "uint8", Orientation=orientation)
    pixels, info = read_picture(path)
    with picture_module.open(path) as opened:
        upright = np.asarray(operations.exif_transpose(opened).convert("RGB"))
    assert info.size == upright.shape[1::-1]
    assert np.abs(pixels.astype(int) - upright).max() <= 60


def test_header_of_a_plate(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(8, 4, 3, "half")
    spec.attribute("PixelAspectRatio", 2.0)
    spec.attribute("framesPerSecond", oiio.TypeRational, (24000, 1001))
    spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, (0x10203044, 7))
    path = str(tmp_path / "a.exr")
    target = oiio.ImageOutput.create(path)
    assert target.open(path, spec) and target.write_image(np.zeros((4, 8, 3), np.float32)) and target.close()
    info = read_info(path)
    assert info.pixel_aspect == 2.0 and info.frame_rate == (24000, 1001)
    assert info.timecode == (0x10203044, 7) and info.timecode_text == "10:20:30;04"


def layered(write_image: WriteImage) -> str:
    names = ("R", "G", "B", "A", "diffuse.R", "diffuse.G", "diffuse.B", "depth.Z")
    pixels = np.ones((4, 6, 8), np.float32) * np.arange(1, 9, dtype=np.float32)
    return write_image("layers.exr", pixels, "half", channels=names)


def test_layers_and_single_channels(write_image: WriteImage) -> None:
    path = layered(write_image)
    assert read_picture(path)[0][0, 0].tolist() == [1, 2, 3]
    assert read_picture(path, layer="rgba")[0][0, 0].tolist() == [1, 2, 3]
    assert read_picture(path, layer="diffuse")[0][0, 0].tolist() == [5, 6, 7]
    assert read_picture(path, layer="depth.Z")[0][0, 0].tolist() == [8, 8, 8]
    assert read_picture(path, layer="depth")[0][0, 0].tolist() == [8, 8, 8]
    with pytest.raises(PlateError, match=r"'specular'; it has R, G, B, A, depth\.Z"):
        read_picture(path, layer="specular")


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (("R",), [1, 1, 1]),
        (("Y",), [1, 1, 1]),
        (("Y", "A"), [1, 1, 1]),
        (("Y", "Z"), [1, 1, 1]),
        (("mask",), [1, 1, 1]),
        (("R", "G"), [1, 2, 0]),
        (("R", "Z"), [1, 1, 1]),
        (("Red", "Green", "Blue"), [1, 2, 3]),
        (("beauty.R", "beauty.G", "beauty.B"), [1, 2, 3]),
    ],
)
def test_missing_and_odd_channels(
    write_image: WriteImage, channels: tuple[str, ...], expected: list[int]
) -> None:
    pixels = np.ones((4, 6, len(channels)), np.float32) * np.arange(1, len(channels) + 1, dtype=np.float32)
    read, _ = read_picture(write_image("a.exr", pixels, "float", channels=channels))
    assert read[0, 0].tolist() == expected


def test_no_colour_is_refused(write_image: WriteImage) -> None:
    path = write_image("a.exr", np.ones((4, 6, 2), np.float32), "float", channels=("A", "Z"))
    with pytest.raises(PlateError, match="no colour channels"):
        read_picture(path)


@pytest.mark.parametrize("layer", ["", "N"])
def test_a_vector_is_no_luminance(write_image: WriteImage, layer: str) -> None:
    names = tuple(f"{layer}.{letter}" if layer else letter for letter in "XYZ")
    path = write_image("a.exr", np.ones((4, 6, 3), np.float32), "float", channels=names)
    with pytest.raises(PlateError, match="no colour channels"):
        read_picture(path, layer=layer)
    assert read_picture(path, layer=names[1])[0][0, 0].tolist() == [1, 1, 1]


def test_integers_of_an_exr_are_counts(write_image: WriteImage) -> None:
    pixels = np.full((4, 6, 3), 70000, np.uint32)
    assert read_picture(write_image("a.exr", pixels, "uint"))[0][0, 0].tolist() == [70000] * 3


def test_mixed_types_keep_their_numbers(write_image: WriteImage) -> None:
    openexr = pytest.importorskip("OpenEXR")
    path = write_image("unused.png", np.zeros((2, 2, 3), np.float32), "uint8").replace("unused.png", "a.exr")
    channels = {"R": np.full((4, 6), 0.5, np.float16), "G": np.full((4, 6), 1e-9, np.float32)}
    openexr.File({}, {**channels, "B": np.full((4, 6), 70000, np.uint32)}).write(path)
    np.testing.assert_allclose(read_picture(path)[0][0, 0], [0.5, 1e-9, 70000], rtol=1e-6)


def stereo_parts(path: str) -> str:
    openexr = pytest.importorskip("OpenEXR")
    parts = []
    for number, (name, view) in enumerate(
        [("rgba_right", "right"), ("rgba_left", "left"), ("diffuse_left", "left")], start=1
    ):
        pixels = {c: np.full((4, 6), number, np.float16) for c in "RGB"}
        parts.append(openexr.Part({"view": view}, pixels, name))
    openexr.File(parts).write(path)
    return path


def test_parts_and_views(tmp_path: Path) -> None:
    path = stereo_parts(str(tmp_path / "stereo.exr"))
    assert read_info(path).views == ("right", "left")
    assert read_picture(path)[0][0, 0, 0] == 1
    assert read_picture(path, view="left")[0][0, 0, 0] == 2
    assert read_picture(path, view="LEFT", layer="diffuse")[0][0, 0, 0] == 3
    assert read_picture(path, part="diffuse_left")[0][0, 0, 0] == 3
    assert read_picture(path, part=1)[0][0, 0, 0] == read_picture(path, part="1")[0][0, 0, 0] == 2
    for wrong in ({"view": "middle"}, {"part": "nose"}, {"layer": "diffuse", "view": "right"}):
        with pytest.raises(PlateError, match="has"):
            read_picture(path, **wrong)


def layered_stereo(write_image: WriteImage, name: str, views: str = "left right") -> str:
    """Layers named after views, and a main layer of another picture; nothing says that they are views."""
    names = [f"{view}.{letter}" for view in ["", *views.split()] for letter in "RGB"]
    levels = np.repeat(np.arange(len(names) // 3, dtype=np.float32), 3)
    pixels = np.broadcast_to(levels, (4, 6, len(names)))
    return write_image(name, pixels, "half", channels=tuple(one.lstrip(".") for one in names))


def test_a_view_by_the_names_of_layers(write_image: WriteImage) -> None:
    path = layered_stereo(write_image, "layers.exr")
    assert read_picture(path)[0][0, 0, 0] == 0
    assert read_picture(path, view="left")[0][0, 0, 0] == 1
    assert read_picture(path, view="Right")[0][0, 0, 0] == 2
    with pytest.raises(PlateError, match=r"no views, and layers named left, right; view 'middle' was asked"):
        read_picture(path, view="middle")
    assert read_picture(path, view="middle", one_view=True)[0][0, 0, 0] == 0


def test_a_view_that_a_file_does_not_have(write_image: WriteImage) -> None:
    mono = write_image("mono.exr", np.ones((4, 6, 3), np.float32), "half")
    for read in (read_picture, read_info):
        with pytest.raises(PlateError, match=r"mono\.exr has no views; view 'right' was asked for"):
            read(mono, view="right")
    assert read_picture(mono, view="right", one_view=True)[0][0, 0, 0] == 1


def test_roto_takes_the_alpha_else_the_first_channel(write_image: WriteImage) -> None:
    soft = np.linspace(-0.2, 1.2, 24, dtype=np.float32).reshape(4, 6, 1)
    layers = np.concatenate([np.zeros((4, 6, 3), np.float32), soft], axis=2)
    path = write_image("a.exr", layers, "float", channels=("R", "G", "B", "A"))
    np.testing.assert_array_equal(read_roto(path), np.clip(soft[:, :, 0], 0, 1))
    np.testing.assert_array_equal(read_roto(path, "rgba.alpha"), read_roto(path, "A"))
    assert read_roto(path, "red").max() == 0
    named = write_image("b.exr", layers, "float", channels=("x.R", "x.G", "x.B", "hero.A"))
    np.testing.assert_array_equal(read_roto(named, "hero"), np.clip(soft[:, :, 0], 0, 1))
    np.testing.assert_array_equal(read_roto(named, "hero.alpha"), read_roto(named, "hero.A"))
    grey = read_roto(write_image("a.png", np.full((4, 6, 1), 0.5, np.float32), "uint8"))
    assert grey.dtype == np.float32 and abs(grey[0, 0] - 0.5) < 0.01
    with pytest.raises(PlateError, match="no channel 'nose'"):
        read_roto(path, "nose")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.exr", "half"), ("a.png", "uint8"), ("a.jpg", "uint8"), ("a.tif", "uint16"), ("a.dpx", "uint16")],
)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
def test_a_file_cut_short_is_refused(write_image: WriteImage, name: str, kind: str, kept: float) -> None:
    noise = np.random.default_rng(0).random((120, 160, 3)).astype(np.float32)
    path = write_image(name, noise, kind)
    os.truncate(path, int(os.path.getsize(path) * kept))
    with pytest.raises(PlateError, match=r"cannot be read|declares") as refused:
        read_picture(path)
    assert path in str(refused.value) and refused.value.remedy


@pytest.mark.parametrize("tile", [0, 32])
def test_one_damaged_chunk_of_an_exr_is_not_returned_as_good(write_image: WriteImage, tile: int) -> None:
    noise = np.random.default_rng(0).random((128, 128, 3)).astype(np.float32)
    path = write_image("a.exr", noise, "half", tile=tile, compression="zip")
    damaged = bytearray(Path(path).read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 64] = bytes(64)
    Path(path).write_bytes(damaged)
    with pytest.raises(PlateError):
        read_picture(path)


def test_missing_files_folders_and_nonsense(tmp_path: Path) -> None:
    with pytest.raises(PlateError, match="does not exist"):
        read_picture(str(tmp_path / "none.exr"))
    with pytest.raises(PlateError, match="is a folder"):
        read_picture(str(tmp_path))
    for content in (b"", b"not an image", os.urandom(500)):
        (tmp_path / "bad.exr").write_bytes(content)
        with pytest.raises(PlateError, match="cannot be read as an image"):
            read_picture(str(tmp_path / "bad.exr"))


def test_deep_files_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "deep.exr")
    spec = oiio.ImageSpec(4, 4, 2, "float")
    spec.channelnames, spec.deep = ("A", "Z"), True
    target = oiio.ImageOutput.create(path)
    data = oiio.DeepData()
    data.init(spec)
    assert target.open(path, spec) and target.write_deep_image(data) and target.close()
    with pytest.raises(PlateError, match="deep image; a flat picture was expected"):
        read_picture(path)


BOMB = """
import sys
from efficienttam.media import read_picture
from efficienttam.contract.errors import PlateError
try:
    read_picture(sys.argv[1])
except PlateError as refused:
    print("refused:", refused)
"""


def read_in_little_memory(path: str) -> str:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    repository = str(Path(__file__).resolve().parents[3])
    environment = {**os.environ, "PYTHONPATH": repository, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", BOMB, path], preexec_fn=limit, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_windows(path: str, attribute: bytes, box: tuple[int, int, int, int]) -> None:
    """Overwrite a window in an EXR header."""
    content = bytearray(Path(path).read_bytes())
    at = content.index(attribute + b"\0box2i\0") + len(attribute) + 7 + 4
    content[at : at + 16] = np.array(box, "<i4").tobytes()
    Path(path).write_bytes(content)


@pytest.mark.parametrize("attribute", [b"displayWindow", b"dataWindow"])
@pytest.mark.parametrize("side", [20000, 100000])
def test_bombs_are_refused_without_taking_memory(
    write_image: WriteImage, ramp: np.ndarray, attribute: bytes, side: int
) -> None:
    path = write_image("bomb.exr", ramp, "half")
    with_windows(path, attribute, (0, 0, side - 1, side - 1))
    assert read_in_little_memory(path).startswith("refused:")


def test_size_limit_names_itself(
    write_image: WriteImage, ramp: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_file, "MOST_PIXELS", 100)
    with pytest.raises(PlateError, match=r"display window of 20 x 12 pixels; at most"):
        read_info(write_image("a.png", ramp, "uint8"))


def test_a_png_bomb_is_refused_without_taking_memory(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )
    assert read_in_little_memory(str(bomb)).startswith("refused:")


def test_transparent_pixels_keep_their_colour(write_image: WriteImage) -> None:
    pixels = np.full((4, 6, 4), 0.6, np.float32)
    pixels[:, :, 3] = 0
    path = write_image("a.png", pixels, "uint8", **{"oiio:UnassociatedAlpha": 1})
    assert read_picture(path)[0][0, 0].tolist() == [153, 153, 153] and read_roto(path).max() == 0


def test_shared_bomb_is_refused_without_taking_memory(shared_data: Path) -> None:
    path = shared_data / "exr_conformance" / "broken_must_fail_gracefully" / "bomb.exr"
    assert read_in_little_memory(str(path)).startswith("refused:")
