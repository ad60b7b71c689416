"""The sample files beside the checkout: each read right or refused with one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from efficienttam.contract.errors import PlateError
from efficienttam.media import FrameSequence, read_picture, read_roto

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
CONFORMANCE = SHARED / "exr_conformance"
FILES = sorted(CONFORMANCE.rglob("*.exr"))
REFUSED = {"broken_must_fail_gracefully", "deep_must_fail_gracefully", "lumachroma"}
ALSO_REFUSED = {"az.exr"}

pytestmark = pytest.mark.skipif(not FILES, reason="The shared sample files are not beside this checkout.")


def name_of(path: Path) -> str:
    return str(path.relative_to(CONFORMANCE))


def is_refused(path: Path) -> bool:
    return path.parent.name in REFUSED or path.name in ALSO_REFUSED


def oracle(path: Path) -> np.ndarray:
    """The display window of the first part's colours, read by another library."""
    openexr = pytest.importorskip("OpenEXR")
    part = openexr.File(str(path), separate_channels=True).parts[0]
    (left, top), (right, bottom) = part.header["displayWindow"]
    (x, y), _ = part.header["dataWindow"]
    canvas = np.zeros((bottom - top + 1, right - left + 1, 3), np.float32)
    found = {"r": None, "g": None, "b": None}
    for name, channel in part.channels.items():
        if name.lower()[0] in found and name.lower() in ("r", "g", "b", "red", "green", "blue"):
            found[name.lower()[0]] = channel.pixels
    present = [pixels for pixels in found.values() if pixels is not None]
    if not present:
        present = [part.channels["Y"].pixels]
    colors = [present[0]] * 3 if len(present) == 1 else list(found.values())
    for place, pixels in enumerate(colors):
        if pixels is None:
            continue
        height, width = pixels.shape
        rows = slice(max(0, top - y), max(0, min(height, bottom + 1 - y)))
        columns = slice(max(0, left - x), max(0, min(width, right + 1 - x)))
        seen = pixels[rows, columns]
        above, before = max(0, y - top), max(0, x - left)
        canvas[above : above + seen.shape[0], before : before + seen.shape[1], place][: seen.shape[0]] = seen
    return canvas


def declared_windows() -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """HEADERS.txt: file -> data window, display window of its first part."""
    windows: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
    current = ""
    for line in (CONFORMANCE / "HEADERS.txt").read_text().splitlines():
        if match := re.match(r"\s*\d+ \./(\S+\.exr)", line):
            current = match.group(1)
        elif current and current not in windows:
            boxes = [
                tuple(map(int, box)) for box in re.findall(r"\((-?\d+), (-?\d+), (-?\d+), (-?\d+)\)", line)
            ]
            if boxes:
                windows[current] = (boxes[0], boxes[-1] if "!=disp" in line else boxes[0])
    return windows


@pytest.mark.parametrize("path", [p for p in FILES if is_refused(p)], ids=name_of)
def test_refused_with_one_sentence(path: Path) -> None:
    with pytest.raises(PlateError) as refused:
        read_picture(str(path))
    message = refused.value.message
    assert str(path) in message and "\n" not in message and message.endswith(".")
    assert refused.value.remedy and len(message) < len(str(path)) + 260


@pytest.mark.parametrize("path", [p for p in FILES if not is_refused(p)], ids=name_of)
def test_read_right(path: Path) -> None:
    pixels, info = read_picture(str(path))
    data, display = declared_windows()[name_of(path)]
    for window, box in ((info.data_window, data), (info.display_window, display)):
        edges = (window.x, window.y, window.x + window.width - 1, window.y + window.height - 1)
        assert edges == box
    assert pixels.shape == (info.size[1], info.size[0], 3)
    np.testing.assert_array_equal(pixels.astype(np.float32), oracle(path))
    seen = FrameSequence(str(path)).read(FrameSequence(str(path)).frames[0])
    assert np.isfinite(seen).all() and seen.min() >= 0 and seen.max() <= 1


@pytest.mark.parametrize("path", sorted(CONFORMANCE.glob("compression/gen/*_decoded.exr")), ids=name_of)
def test_lossy_compressions_decode_like_the_reference(path: Path) -> None:
    reference, _ = read_picture(str(path))
    decoded, _ = read_picture(str(path).replace("_decoded", ""))
    np.testing.assert_allclose(decoded.astype(np.float32), reference.astype(np.float32), atol=2e-3, rtol=2e-3)


def test_stereo_in_parts_and_in_one_part_agree() -> None:
    parts = str(CONFORMANCE / "multipart" / "multipart.0008.exr")
    single = str(CONFORMANCE / "multipart" / "singlepart.0008.exr")
    for view in ("left", "right", ""):
        a, b = read_picture(parts, view=view)[0], read_picture(single, view=view)[0]
        np.testing.assert_array_equal(a, b)
    left, right = read_picture(parts, view="left")[0], read_picture(parts, view="right")[0]
    assert not np.array_equal(left, right)
    assert read_picture(parts, view="left", layer="whitebarmask.mask")[0].max() == 1


@pytest.mark.parametrize("name", ["dpx_nuke_10bits_rgb.dpx", "dpx_nuke_16bits_rgba.dpx"])
def test_dpx(name: str) -> None:
    plate = FrameSequence(SHARED / "dpx" / name)
    pixels = plate.read(1)
    assert plate.size == (512, 512) and plate.color_space == "Cineon"
    assert pixels[200, 60].tolist() == [1, 1, 1]
    assert pixels[20, 110, 2] == 0 and abs(pixels[20, 110, 0] - 0.546) < 0.005


def test_data_window_that_leaves_the_display_window() -> None:
    """Frames 6 to 8 of the ball: the JPEG made from the display window shows the same picture."""
    plate = FrameSequence(SHARED / "open_beachball_exr" / "exr" / "beachball.%04d.exr")
    stills = FrameSequence(SHARED / "open_beachball_exr" / "JPEGImages" / "%05d.jpg")
    assert list(plate.frames) == list(range(1, 9))
    for frame in plate.frames:
        assert plate.size == stills.size
        solid = read_roto(plate.path(frame)) > 0.999
        difference = np.abs(plate.read(frame) * 255 - stills.read(frame - 1))[solid]
        assert solid.sum() > 20000 and np.median(difference) < 2 and difference.mean() < 4
