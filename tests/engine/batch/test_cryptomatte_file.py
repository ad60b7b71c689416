"""Cryptomattes on disk as others read them: OpenEXR, cryptomatte-api, the decoder of the samples."""

import json
import runpy
import sys

import numpy as np
import pytest

from efficienttam.batch.cryptomatte_file import read_cryptomatte, write_cryptomatte
from efficienttam.contract.errors import OutputError, PlateError
from efficienttam.contract.job import Compression, DataWindow
from efficienttam.media import PlateInfo, Window

WINDOW = Window(-7, 5, 96, 64)
PLATE = PlateInfo("plate.exr", "openexr", "half", WINDOW, WINDOW, pixel_aspect=2.0)
LOSSLESS = [Compression.NONE, Compression.RLE, Compression.ZIPS, Compression.ZIP, Compression.PIZ]


def disc(x, y, radius):
    rows, columns = np.mgrid[:64, :96]
    return np.clip((radius - np.hypot(columns - x, rows - y)) / 4 + 0.5, 0, 1).astype(np.float32)


@pytest.fixture
def mattes():
    """Five soft discs, three of them over each other, with names of every kind."""
    return {
        "hero": disc(30, 30, 20),
        "prop/left": disc(55, 35, 18),
        "равнина": disc(45, 25, 9),
        'a "quote", a comma': disc(80, 10, 9),
        "人物🎬": disc(10, 55, 5),
    }


def shares(mattes):
    total = np.sum(list(mattes.values()), axis=0)
    return {name: np.where(total > 1, matte / np.maximum(total, 1), matte) for name, matte in mattes.items()}


def test_openexr_sees_lossless_float_levels(tmp_path, mattes):
    OpenEXR = pytest.importorskip("OpenEXR")
    path = str(tmp_path / "ids.exr")
    write_cryptomatte(path, mattes, plate=PLATE, metadata={"efficienttam/frame": "1"})
    with OpenEXR.File(path, separate_channels=True) as file:
        header, channels = file.header(), file.channels()
        assert sorted(channels) == sorted(f"crypto_object{n:02d}.{c}" for n in range(3) for c in "RGBA")
        assert all(channel.pixels.dtype == np.float32 for channel in channels.values())
        assert header["compression"] == OpenEXR.ZIPS_COMPRESSION and header["pixelAspectRatio"] == 2.0
        assert header["efficienttam/frame"] == "1"
        manifest = json.loads(header["cryptomatte/f834d0a/manifest"])
        assert set(manifest) == set(mattes)
        for name, expected in shares(mattes).items():
            bits = np.uint32(int(manifest[name], 16))
            found = np.zeros((64, 96), np.float32)
            for level in range(3):
                for number, cover in ("RG", "BA"):
                    ids = channels[f"crypto_object{level:02d}.{number}"].pixels.view(np.uint32)
                    found += np.where(ids == bits, channels[f"crypto_object{level:02d}.{cover}"].pixels, 0)
            np.testing.assert_allclose(found, expected, atol=2e-7)


@pytest.mark.parametrize("compression", LOSSLESS)
def test_cryptomatte_api_decodes_it(tmp_path, mattes, compression):
    cryptomatte_api = pytest.importorskip("cryptomatte_api")
    path = str(tmp_path / "ids.exr")
    write_cryptomatte(path, mattes, plate=PLATE, compression=compression)
    (crypto,) = cryptomatte_api.Cryptomatte.load(path)
    assert crypto.metadata().name() == "crypto_object" and crypto.metadata().key() == "f834d0a"
    # It counts ranks.
    assert crypto.num_levels() == 6 and (crypto.width(), crypto.height()) == (96, 64)
    assert set(crypto.metadata().manifest().names()) == set(mattes)
    for name, expected in shares(mattes).items():
        np.testing.assert_allclose(crypto.mask(name), expected, atol=2e-7, err_msg=name)


def test_the_decoder_of_the_samples_decodes_it(tmp_path, mattes, shared_data, monkeypatch, capsys):
    """``check.py`` looks beside itself, so it is given a place with our file and the samples in it."""
    pytest.importorskip("mmh3")
    pytest.importorskip("OpenEXR")
    place = tmp_path / "cryptomatte"
    place.mkdir()
    (tmp_path / "exr_conformance").symlink_to(shared_data / "exr_conformance")
    for name in ("check.py", "cryptomatte-api"):
        (place / name).symlink_to(shared_data / "cryptomatte" / name)
    write_cryptomatte(str(place / "ours.exr"), mattes, plate=PLATE)
    # It adds its neighbour to the path.
    monkeypatch.setattr(sys, "path", list(sys.path))
    decoder = runpy.run_path(str(place / "check.py"))
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("ours.exr"))
    assert "| id f834d0a expect f834d0a" in line and "manifest 5 hash ok 5" in line, line
    (held,) = decoder["crypto"](str(place / "ours.exr")).values()
    assert held["hash"] == "MurmurHash3_32" and held["conversion"] == "uint32_to_float32"
    channels = decoder["chan"](str(place / "ours.exr"))
    for name, expected in shares(mattes).items():
        number = np.uint32(int(json.loads(held["manifest"])[name], 16)).view(np.float32)
        np.testing.assert_allclose(decoder["matte"](channels, held["name"], number), expected, atol=2e-7)


def test_content_window_and_reading_back(tmp_path, mattes):
    OpenEXR = pytest.importorskip("OpenEXR")
    path = str(tmp_path / "ids.exr")
    few = {name: mattes[name] for name in ("hero", "prop/left")}
    write_cryptomatte(path, few, plate=PLATE, data_window=DataWindow.CONTENT, name="studio_ids")
    union = np.max(list(few.values()), axis=0) > 0
    rows, columns = np.nonzero(union)
    (left, top), (right, bottom) = OpenEXR.File(path).header()["dataWindow"]
    assert (left, top) == (columns.min() - 7, rows.min() + 5)
    assert (right, bottom) == (columns.max() - 7, rows.max() + 5)
    held = read_cryptomatte(path, "studio_ids")
    assert held.objects == set(few)
    for name, expected in shares(few).items():
        np.testing.assert_allclose(held.matte(name), expected, atol=2e-7)
    with pytest.raises(PlateError, match="holds no Cryptomatte crypto_object"):
        read_cryptomatte(path)


def test_an_empty_frame_is_a_cryptomatte_too(tmp_path):
    cryptomatte_api = pytest.importorskip("cryptomatte_api")
    path = str(tmp_path / "ids.exr")
    nothing = {"hero": np.zeros((64, 96), np.float32)}
    for window in DataWindow:
        write_cryptomatte(path, nothing, plate=PLATE, data_window=window)
        (crypto,) = cryptomatte_api.Cryptomatte.load(path)
        assert crypto.mask("hero").max() == 0
        assert read_cryptomatte(path).matte("hero").shape == (64, 96)


def test_what_cannot_be_written_is_refused(tmp_path, mattes):
    bad = mattes["hero"].copy()
    bad[0, 0] = np.nan
    with pytest.raises(OutputError, match="NaN"):
        write_cryptomatte(tmp_path / "a.exr", {"hero": bad})
    with pytest.raises(OutputError, match="does not exist"):
        write_cryptomatte(tmp_path / "none" / "a.exr", mattes)
    assert list(tmp_path.iterdir()) == []


def test_the_samples_of_others_are_read(shared_data):
    folder = shared_data / "cryptomatte" / "psyop"
    held = read_cryptomatte(str(folder / "cornellBox_CryptoWildcard.0001.exr"), "uCryptoWildcard")
    assert "sphere_?_2" in held.objects
    assert 0.01 < held.matte("sphere_?_2").mean() < 0.5 and held.matte("sphere_?_2").max() <= 1.00001
