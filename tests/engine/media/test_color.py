from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from efficienttam.contract.errors import ColorError
from efficienttam.media import PlateInfo, Window, color_transform, curves
from efficienttam.media.color import BUILT_IN_CONFIG

WriteImage = Callable[..., str]
SRGB = "sRGB Encoded Rec.709 (sRGB)"
WINDOW = Window(0, 0, 8, 4)
EXR = PlateInfo("a.exr", "openexr", "half", WINDOW, WINDOW)
PNG = PlateInfo("a.png", "png", "uint8", WINDOW, WINDOW)
DPX = PlateInfo("a.dpx", "dpx", "uint16", WINDOW, WINDOW)


@pytest.fixture(autouse=True)
def no_studio_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCIO", raising=False)


def grey(value: float, kind: type = np.float32) -> np.ndarray:
    return np.full((4, 8, 3), value, kind)


def through_ocio(pixels: np.ndarray, source: str) -> np.ndarray:
    image = oiio.ImageBuf(np.ascontiguousarray(pixels.astype(np.float32)))
    done = oiio.ImageBufAlgo.colorconvert(image, source, SRGB, unpremult=False, colorconfig=BUILT_IN_CONFIG)
    assert not done.has_error, done.geterror()
    return np.clip(done.get_pixels("float"), 0, 1)


@pytest.mark.parametrize(
    ("plate", "expected"),
    [
        (EXR, "linear"),
        (PNG, "raw"),
        (DPX, "Cineon"),
        (dataclasses.replace(DPX, transfer="Linear"), "linear"),
        (dataclasses.replace(DPX, transfer="ITU-R 709-4"), "raw"),
        (dataclasses.replace(DPX, transfer="Printing density"), "Cineon"),
        (dataclasses.replace(PNG, file_format="tiff", pixel_type="uint16"), "raw"),
        (dataclasses.replace(PNG, file_format="tiff", pixel_type="float"), "linear"),
        (dataclasses.replace(PNG, file_format="movie"), "raw"),
    ],
)
def test_defaults_by_file(plate: PlateInfo, expected: str) -> None:
    assert color_transform("", "", plate).source == expected


def test_eight_bits_without_a_transform_stay() -> None:
    pixels = np.arange(96, dtype=np.uint8).reshape(4, 8, 3)
    assert color_transform("", "", PNG).apply(pixels) is pixels
    assert color_transform("sRGB", "", PNG).apply(pixels) is pixels
    assert color_transform("linear", "", PNG).apply(pixels).dtype == np.float32


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@pytest.mark.parametrize(
    "name",
    [
        "linear",
        "ACEScg",
        "ACES2065-1",
        "scene_linear",
        "Linear ARRI Wide Gamut 3",
        "ARRI LogC3 (EI800)",
        "rec709",
    ],
)
def test_agrees_with_ocio(name: str, kind: type) -> None:
    pixels = np.random.default_rng(1).random((4, 8, 3)).astype(kind)
    source = {"linear": "Linear Rec.709 (sRGB)", "scene_linear": "ACEScg", "rec709": "Camera Rec.709"}.get(
        name, name
    )
    result = color_transform(name, "", EXR).apply(pixels)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, through_ocio(pixels, source), atol=5e-4)


def test_middle_grey_in_the_logs_of_cameras() -> None:
    expected = float(curves.srgb_from_linear(np.array([0.18]))[0])
    for name, code in {
        "AlexaV3LogC": 0.391,
        "LogC4": 0.2784,
        "SLog3": 0.4105,
        "Log3G10": 0.3333,
        "VLog": 0.4233,
        "Cineon": 0.4574,
    }.items():
        result = color_transform(name, "", PNG).apply(grey(code))
        assert abs(result[0, 0, 0] - expected) < 0.006, name


def test_cineon_white_black_and_sixteen_bits() -> None:
    transform = color_transform("", "", DPX)
    codes = np.array([0, 95, 685, 1023], np.float64) / 1023 * 65535
    result = transform.apply(np.repeat(codes.round().astype(np.uint16)[None, :, None], 3, axis=2))
    assert result[0, 0, 0] == 0 and result[0, 1, 0] < 1e-3
    assert result[0, 2, 0] > 0.999 and result[0, 3, 0] == 1


@pytest.mark.parametrize("name", ["linear", "ACEScg", "AlexaV3LogC", "Cineon", "raw", "sRGB"])
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_wild_numbers_have_a_defined_result(name: str, kind: type) -> None:
    wild = [np.nan, np.inf, -np.inf, -1.0, 65504.0, 1e-8, 0.0, -0.0]
    pixels = np.array(wild, kind)[None, :, None].repeat(3, axis=2)
    if kind is np.float32:
        pixels[0, 4] = 3e38
    result = color_transform(name, "", EXR).apply(pixels)
    assert np.isfinite(result).all() and result.min() >= 0 and result.max() <= 1
    assert (result[0, 1] == 1).all() and (result[0, 4] == 1).all() and (result[0, 2] == 0).all()
    np.testing.assert_array_equal(result[0, 0], result[0, 6])


def test_linear_above_one_is_white_and_one_bad_channel_spoils_no_other() -> None:
    pixels = np.array([[[4.0, 0.18, -0.5], [np.nan, 0.18, 0.18]]], np.float32)
    result = color_transform("", "", EXR).apply(pixels)
    assert result[0, 0, 0] == 1 and abs(result[0, 0, 1] - 0.4614) < 1e-3 and result[0, 0, 2] == 0
    assert result[0, 1, 0] == 0 and abs(result[0, 1, 1] - 0.4614) < 1e-3


def test_primaries_in_the_file_count_without_a_studio_config() -> None:
    acescg = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)
    plate = dataclasses.replace(EXR, chromaticities=acescg)
    pixels = np.random.default_rng(1).random((4, 8, 3)).astype(np.float32)
    result = color_transform("", "", plate).apply(pixels)
    np.testing.assert_allclose(result, through_ocio(pixels, "ACEScg"), atol=3e-3)
    rec709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
    assert color_transform("", "", dataclasses.replace(EXR, chromaticities=rec709)).source == "linear"
    assert color_transform("", BUILT_IN_CONFIG, plate).source == "ACEScg"
    nonsense = dataclasses.replace(EXR, chromaticities=(0.0,) * 8)
    assert color_transform("", "", nonsense).source == "linear"


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ColorError, match="'ACEScgg' is not in") as refused:
        color_transform("ACEScgg", "", EXR)
    assert "ACEScg" in refused.value.remedy
    with pytest.raises(ColorError) as refused:
        color_transform("alexa logc3", "", EXR)
    assert "logc3" in refused.value.remedy.lower()


CONFIG = """ocio_profile_version: 2
roles: {default: raw, scene_linear: house_linear}
displays: {sRGB: [!<View> {name: Raw, colorspace: raw}]}
colorspaces:
  - !<ColorSpace> {name: raw, isdata: true}
  - !<ColorSpace> {name: house_linear}
  - !<ColorSpace>
    name: half_again
    to_scene_reference: !<MatrixTransform> {matrix: [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1]}
"""
SRGB_SPACE = """  - !<ColorSpace>
    name: sRGB - Texture
    from_scene_reference: !<ExponentWithLinearTransform> {gamma: 2.4, offset: 0.055, direction: inverse}
"""


def test_a_studio_config_by_path_and_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.ocio"
    config.write_text(CONFIG + SRGB_SPACE)
    by_path = color_transform("half_again", str(config), EXR).apply(grey(0.36))
    assert abs(by_path[0, 0, 0] - 0.4614) < 1e-3
    monkeypatch.setenv("OCIO", str(config))
    default = color_transform("", "", EXR)
    assert default.source == "house_linear" and abs(default.apply(grey(0.18))[0, 0, 0] - 0.4614) < 1e-3
    assert color_transform("", "", PNG).source == "raw"
    assert color_transform("Cineon", "", DPX).source == "Cineon"


def test_configs_that_do_not_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (str(tmp_path / "none.ocio"), "ocio://nonsense"):
        with pytest.raises(ColorError, match="cannot be used"):
            color_transform("ACEScg", wrong, EXR)
    lacking = tmp_path / "lacking.ocio"
    lacking.write_text(CONFIG)
    with pytest.raises(ColorError, match=r"no sRGB-encoded"):
        color_transform("half_again", str(lacking), EXR)
    monkeypatch.setenv("OCIO", str(tmp_path / "gone.ocio"))
    with pytest.raises(ColorError, match=r"gone\.ocio"):
        color_transform("", "", EXR)
