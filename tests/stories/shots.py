"""Small plates with known truth, and what a story does over and over: press, wait, look."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

WIDTH, HEIGHT = 256, 144
FIRST = 1001


class Shot:
    """A bright ellipse that wanders over a textured ground. Truth and plate rows run from the top."""

    def __init__(self, count: int = 8, first: int = FIRST, aspect: float = 1.0, shift: int = 0) -> None:
        self.first, self.last, self.aspect, self.shift = first, first + count - 1, aspect, shift
        noise = np.random.default_rng(5).random((HEIGHT // 8 + 1, WIDTH // 8 + 1), np.float32)
        self.ground = 0.1 + 0.2 * noise.repeat(8, 0).repeat(8, 1)[:HEIGHT, :WIDTH]

    @property
    def frames(self) -> range:
        return range(self.first, self.last + 1)

    def center(self, frame: int, which: int = 0) -> tuple[float, float]:
        """Of the ellipse (or the second one), from the top left."""
        step = min(frame - self.first, 15) * min(1, 12 / len(self.frames))
        if which:
            return 200.0 - 4 * step + self.shift, 105.0
        return 60.0 + 6 * step + self.shift, 50.0 + 3 * step

    def truth(self, frame: int, which: int = 0) -> np.ndarray:
        x, y = self.center(frame, which)
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
        radii = (22 / self.aspect**0.5, 20) if which else (30 / self.aspect**0.5, 26)
        return np.hypot((columns - x) / radii[0], (rows - y) / radii[1]) <= 1

    def picture(self, frame: int) -> np.ndarray:
        """RGB, linear."""
        out = np.stack([self.ground, self.ground * 0.9, self.ground * 0.7], axis=2)
        out[self.truth(frame, 1)] = (0.05, 0.15, 0.7)
        out[self.truth(frame)] = (0.8, 0.25, 0.05)
        return out.astype(np.float32)

    def write(self, folder: Path, view: str = "", corner: tuple[int, int] = (0, 0)) -> str:
        """Half-float EXRs; returns the pattern, with %V where the file of a view was written.

        ``corner`` is where the display window begins.
        """
        folder.mkdir(parents=True, exist_ok=True)
        name = "plate.{}%04d.exr"
        for frame in self.frames:
            path = folder / (name.format(view + "." if view else "") % frame)
            spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, "half")
            spec.attribute("PixelAspectRatio", self.aspect)
            spec.x, spec.y = spec.full_x, spec.full_y = corner
            spec.full_width, spec.full_height = WIDTH, HEIGHT
            output = oiio.ImageOutput.create(str(path))
            assert output.open(str(path), spec) and output.write_image(self.picture(frame)) and output.close()
        return str(folder / name.format("%V." if view else "")).replace("\\", "/")


def iou(matte: np.ndarray, truth: np.ndarray) -> float:
    """Of a matte cut at a half and a mask, rows in the same order."""
    mask = matte >= 0.5
    return float((mask & truth).sum() / max(1, (mask | truth).sum()))


class Artist:
    """Hands and eyes in front of the fake Nuke."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.nuke = sys.modules["nuke"]

    @property
    def jobs(self) -> Any:
        from efficienttam_nuke import jobs

        return jobs

    def read(self, pattern: str, shot: Shot, **knobs: Any) -> Any:
        """A Read as from the file browser; the script takes its range and format."""
        range_ = {"first": shot.first, "last": shot.last, "origfirst": shot.first, "origlast": shot.last}
        node = self.nuke.nodes.Read(file=pattern, **range_, **knobs)
        root = self.nuke.root()
        root["first_frame"].setValue(shot.first)
        root["last_frame"].setValue(shot.last)
        root["format"].setValue(node.format())
        self.nuke.frame(shot.first)
        return node

    def tracker(self, above: Any) -> Any:
        """A new node under another, as from the menu."""
        for node in self.nuke.allNodes():
            node.setSelected(node is above)
        node = self.nuke.createNode("EfficientTAM")
        assert node.input(0) is above
        return node

    def press(self, node: Any, button: str) -> None:
        node[button].execute()

    def click(self, node: Any, shot: Shot, frame: int, which: int = 0, button: str = "include") -> None:
        """The handle on the middle of an ellipse, then the button; Nuke's y runs up."""
        self.nuke.frame(frame)
        x, y = shot.center(frame, which)
        node["point"].setValue([x, HEIGHT - y])
        self.press(node, button)

    def wait(self, *nodes: Any, until: Callable[[], bool] | None = None, seconds: float = 90) -> None:
        """Lets the timer run until no node is tracked, or until something is so."""
        end = time.monotonic() + seconds
        session = self.jobs.session()
        while True:
            if self.session.event_loop is not None:
                self.session.event_loop.processEvents()
            else:
                session.poll()
            self.session.run_main_thread_calls()
            told = [text for text in self.session.printed if "Traceback" in text]
            assert not told, told[0]
            if until() if until else not any(session.is_busy(self.uuid(node)) for node in nodes):
                return
            assert time.monotonic() < end, [node["status"].getText() for node in nodes]
            time.sleep(0.02)

    def track(self, node: Any, button: str = "track_both") -> str:
        """Presses, waits, and returns the status line."""
        self.press(node, button)
        self.wait(node)
        return str(node["status"].getText())

    @staticmethod
    def uuid(node: Any) -> str:
        return str(node["efficienttam_uuid"].getText())

    def matte(self, node: Any, frame: int, view: str = "main", channel: str = "rgba.alpha") -> np.ndarray:
        """What the node puts out, rows from the top."""
        return np.asarray(self.session.picture(node, frame, view).whole(channel)[::-1])

    def mattes(self, node: Any, frames: Sequence[int], view: str = "main") -> np.ndarray:
        return np.stack([self.matte(node, frame, view) for frame in frames])

    def score(self, node: Any, shot: Shot, which: int = 0, view: str = "main") -> float:
        """The worst frame."""
        return min(iou(self.matte(node, frame, view), shot.truth(frame, which)) for frame in shot.frames)

    def fed(self, node: Any, above: Any, frame: int) -> float:
        """How far the frame rendered for the engine is from what Nuke has there, as sRGB; at most."""
        folder = Path(self.jobs.current_settings().feed) / self.uuid(node)
        (path,) = folder.glob(f"*.{frame}.exr")
        pixels = oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT)
        linear = self.matte(above, frame, channel="rgba.red")
        srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        return float(np.abs(pixels[:, :, 0] - srgb).max())

    def files(self, node: Any, view: str = "main") -> list[Path]:
        """Mattes on disk, by frame."""
        pattern = node.node("Mattes")["file"].getText()
        folder = Path(self.session.file_name(pattern, 0, view)).parent
        return sorted(folder.glob("*.exr"))
