"""Pictures in a row to look at: an H.264 movie where PyAV is installed, an animated GIF anywhere."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import OpenImageIO as oiio

from ..contract.errors import OutputError


def animation_suffix() -> str:
    """``.mp4`` where movies can be written here, else ``.gif``."""
    return ".mp4" if importlib.util.find_spec("av") else ".gif"


def write_animation(path: str | os.PathLike[str], pictures: Sequence[np.ndarray], rate: int = 24) -> None:
    """Writes pictures (height, width, 3) uint8 of one size as ``.mp4`` or ``.gif``, ``rate`` a second.

    Raises OutputError when it cannot be written.
    """
    path = os.fspath(path)
    partial = os.path.join(os.path.dirname(path), f".{os.getpid()}.{os.path.basename(path)}")
    try:
        if path.endswith(".mp4"):
            _write_movie(partial, pictures, rate)
        else:
            _write_gif(partial, pictures, rate)
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.", "Check free space and permissions."
        ) from error
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _write_movie(path: str, pictures: Sequence[np.ndarray], rate: int) -> None:
    import av

    height, width = (side - side % 2 for side in pictures[0].shape[:2])
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _write_gif(path: str, pictures: Sequence[np.ndarray], rate: int) -> None:
    height, width = pictures[0].shape[:2]
    spec = oiio.ImageSpec(width, height, 3, "uint8")
    spec.attribute("FramesPerSecond", oiio.TypeRational, (rate, 1))
    target = oiio.ImageOutput.create("gif")
    if target is None:
        raise OutputError(f"{path} cannot be written: GIF is not built in.", "Install the movie extra.")
    good = target.open(path, [spec] * len(pictures))
    for number, picture in enumerate(pictures):
        if number:
            good = good and target.open(path, spec, "AppendSubimage")
        good = good and target.write_image(np.ascontiguousarray(picture))
    if not (target.close() and good):
        reason = " ".join(target.geterror().split())
        raise OutputError(f"{path} cannot be written: {reason}.", "Check free space and permissions.")
