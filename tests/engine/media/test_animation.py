import numpy as np
import pytest

from efficienttam.contract.errors import OutputError
from efficienttam.media.animation import write_animation

PICTURES = [np.full((30, 41, 3), shade, np.uint8) for shade in (0, 120, 240)]


def test_gif(tmp_path):
    image = pytest.importorskip("PIL.Image")
    write_animation(tmp_path / "a.gif", PICTURES, 24)
    with image.open(tmp_path / "a.gif") as read:
        assert (read.n_frames, read.size) == (3, (41, 30))
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_movie(tmp_path):
    av = pytest.importorskip("av")
    write_animation(tmp_path / "a.mp4", PICTURES, 24)
    with av.open(str(tmp_path / "a.mp4")) as movie:
        shades = [frame.to_ndarray(format="rgb24").mean() for frame in movie.decode(video=0)]
    assert len(shades) == 3 and np.abs(np.array(shades) - [0, 120, 240]).max() < 4


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_folder_that_is_not_there(tmp_path, name):
    if name == "a.mp4":
        pytest.importorskip("av")
    with pytest.raises(OutputError):
        write_animation(tmp_path / "none" / name, PICTURES)
