from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from efficienttam.contract.errors import PlateError
from efficienttam.media import FrameSequence

av = pytest.importorskip("av")
WriteImage = Callable[..., str]
COUNT = 40


def level(index: int) -> int:
    return 20 + index * 5


def write_movie(
    path: Path, codec: str, pixel_format: str, size: tuple[int, int] = (64, 48), **options: str
) -> Path:
    """COUNT grey frames, each of its own level, a red patch top-left."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(24000, 1001), options=options)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        for index in range(COUNT):
            image = np.full((size[1], size[0], 3), level(index), np.uint8)
            image[: size[1] // 3, : size[0] // 4] = (200, 30, 30)
            picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format=pixel_format, dst_colorspace="ITU601", dst_color_range="MPEG"
            )
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


MOVIES = {
    "h264.mp4": ("libx264", "yuv420p", {"crf": "4", "g": "12", "bf": "3"}),
    "prores.mov": ("prores_ks", "yuv422p10le", {"profile": "3"}),
    "mpeg4.mkv": ("mpeg4", "yuv420p", {"g": "12", "qmin": "1", "qmax": "2"}),
}


@pytest.fixture(params=sorted(MOVIES))
def movie(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    codec, pixel_format, options = MOVIES[request.param]
    if codec not in av.codecs_available:
        pytest.skip(f"This FFmpeg has no {codec} encoder.")
    return write_movie(tmp_path / request.param, codec, pixel_format, **options)


def shown(plate: FrameSequence, frame: int) -> float:
    pixels = plate.read(frame)
    scale = 1.0 if pixels.dtype == np.uint8 else 255.0
    return float(pixels[20:, 20:].mean() * scale)


def test_any_order_gives_the_right_picture(movie: Path) -> None:
    plate = FrameSequence(movie)
    assert list(plate.frames) == list(range(1, COUNT + 1)) and plate.size == (64, 48)
    assert plate.info(1).frame_rate == (24000, 1001) and plate.color_space == "raw"
    order = [*plate.frames, *reversed(plate.frames), 33, 2, 30, 1, 40, 17, 17, 39]
    for frame in order:
        assert abs(shown(plate, frame) - level(frame - 1)) < 3, frame


def test_colours_and_depth(movie: Path) -> None:
    pixels = FrameSequence(movie).read(1)
    deep = movie.suffix == ".mov"
    assert pixels.dtype == (np.float32 if deep else np.uint8)
    patch = pixels[4, 4].astype(np.float32) * (255 if deep else 1)
    assert np.abs(patch - (200, 30, 30)).max() < 8


def test_numbers_of_a_movie(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mp4", "mpeg4", "yuv420p", qmin="1", qmax="2")
    later = FrameSequence(path, movie_start=1001)
    assert later.frames[0] == 1001 and abs(shown(later, 1003) - level(2)) < 3
    part = FrameSequence(path, 5, 9)
    assert list(part.frames) == [5, 6, 7, 8, 9] and abs(shown(part, 5) - level(4)) < 3
    with pytest.raises(PlateError, match="Frames 41-50 are missing"):
        FrameSequence(path, 1, 50)


def test_movies_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.mov").write_bytes(b"not a movie")
    with pytest.raises(PlateError, match="cannot be opened as a movie"):
        FrameSequence(tmp_path / "bad.mov")
    with pytest.raises(PlateError, match="cannot be opened as a movie"):
        FrameSequence(tmp_path / "none.mov")


def test_without_pyav_the_message_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from efficienttam.media import FrameSequence\n"
        "from efficienttam.contract.errors import PlateError\n"
        "try: FrameSequence('a.mov')\n"
        "except PlateError as refused: print(refused)\n"
    )
    repository = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True)
    assert "PyAV, which is not installed" in done.stdout and "pip install av" in done.stdout, done.stderr


def test_threads_may_read_at_once(movie: Path) -> None:
    plate = FrameSequence(movie)
    order = np.random.default_rng(1).permutation(np.arange(1, COUNT + 1)).tolist() * 2
    alone = {frame: shown(plate, frame) for frame in range(1, COUNT + 1)}
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda frame: (frame, shown(plate, frame)), order))
    assert all(alone[frame] == value for frame, value in together)
