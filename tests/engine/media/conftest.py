"""Small image files of every kind the tests of media need, written by the libraries themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

oiio = pytest.importorskip("OpenImageIO")

WriteImage = Callable[..., str]


@pytest.fixture
def shared_data() -> Path:
    folder = Path(__file__).resolve().parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("The shared sample files are not beside this checkout.")
    return folder


@pytest.fixture
def write_image(tmp_path: Path) -> WriteImage:
    """write(name, pixels, kind, channels=, data=(x, y), display=(x, y, w, h), tile=, **more) -> path."""

    def write(
        name: str,
        pixels: np.ndarray,
        kind: str,
        *,
        channels: tuple[str, ...] = (),
        data: tuple[int, int] = (0, 0),
        display: tuple[int, int, int, int] | None = None,
        tile: int = 0,
        **attributes: object,
    ) -> str:
        path = str(tmp_path / name)
        height, width, count = pixels.shape
        spec = oiio.ImageSpec(width, height, count, kind)
        if channels:
            spec.channelnames = channels
        spec.x, spec.y = data
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = display or (*data, width, height)
        if tile:
            spec.tile_width = spec.tile_height = tile
        for key, value in attributes.items():
            spec.attribute(key, value)
        target = oiio.ImageOutput.create(path)
        assert target.open(path, spec), target.geterror()
        assert target.write_image(np.ascontiguousarray(pixels)), target.geterror()
        assert target.close()
        return path

    return write


@pytest.fixture
def ramp() -> np.ndarray:
    """(12, 20, 3) float32 in 0..1, different in every pixel and channel."""
    return np.linspace(0.05, 0.95, 12 * 20 * 3, dtype=np.float32).reshape(12, 20, 3)
