"""The pictures of docs/prompt_window.md: the window on the demo's plate, tracking and with a correction.

    xvfb-run -a python tests/window/pictures.py docs/images

Run from the root of the repository, with it on PYTHONPATH. Each picture carries the sum of the files that
draw the window: ``test_window_pictures`` refuses one that is behind them.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import tempfile
import zlib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("prompt_window_tracking.png", "prompt_window_correction.png")
#: What a picture says of the code that drew it.
KEY = "efficienttam/window"
#: Files that only hand on what others draw.
UNSEEN = ("prompt_window.py", "qt.py", "session.py")
_DRAWS = ("QtWidgets.Q", "QtGui.Q", "QPainter", "STYLE")


def drawing_files() -> list[Path]:
    """The files of the window that draw: those that make widgets, images or colours."""
    files = sorted((REPOSITORY / "efficienttam" / "window").glob("*.py"))
    texts = {file: file.read_text(encoding="utf-8") for file in files if file.name not in UNSEEN}
    return [file for file, text in texts.items() if any(word in text for word in _DRAWS)]


def drawn_by() -> str:
    """A sum over the files that draw, the same with any ends of lines."""
    told = hashlib.sha256()
    for file in drawing_files():
        told.update(file.name.encode() + b"\0" + file.read_text(encoding="utf-8").encode() + b"\0")
    return told.hexdigest()


def said_by(picture: Path) -> dict[str, str]:
    """The texts in a PNG, by their keys. Qt packs longer ones."""
    data, at, texts = picture.read_bytes(), 8, {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        key, _, text = data[at + 8 : at + 8 + length].partition(b"\0")
        if kind in (b"tEXt", b"zTXt"):
            text = zlib.decompress(text[1:]) if kind == b"zTXt" else text
            texts[key.decode("latin-1")] = text.decode("latin-1")
        at += 12 + length
    return texts


def main(folder: str) -> None:
    """Makes both pictures."""
    from story import KEY as KEYS
    from story import SHIFT, Artist, QTest, QtWidgets

    from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
    from efficienttam.media import write_png
    from efficienttam.training.clips import demo_clip

    clip, later = demo_clip(48), 1030
    application = QtWidgets.QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as shot:
        # Frames seen before are tracked too fast for a picture of it.
        os.environ["EFFICIENTTAM_CACHE"] = os.path.join(shot, "embeddings")
        for step in range(48):
            write_png(
                os.path.join(shot, f"plate.{1001 + step}.png"),
                (255 * clip.render(step)[0] + 0.5).astype("uint8"),
            )
        order = (-clip.render(0)[1].sum(axis=(1, 2))).argsort()[:2]
        mattes = {frame: clip.render(frame - 1001)[1][order] for frame in (1001, later)}

        def inside(frame: int, thing: int) -> tuple[float, float]:
            return prompt_from_truth(PromptKind.CLICK, frame, mattes[frame][thing]).include[0]

        def named(name: str) -> None:
            artist.window.do("rename")
            field = artist.window.side.objects.row(artist.window.edits.current).field
            QTest.keyClicks(field, name)
            QTest.keyClick(field, KEYS.Key_Return)

        def keep(name: str) -> None:
            image = artist.window.grab().toImage()
            image.setText(KEY, drawn_by())
            assert image.save(os.path.join(folder, name)), name

        artist = Artist(sys.executable, shot)
        window = artist.window
        window.resize(1100, 720)
        artist.at_rest()
        artist.click(inside(1001, 0))
        named("hero")
        artist.key(KEYS.Key_N)
        left, top, right, bottom = prompt_from_truth(PromptKind.BOX, 1001, mattes[1001][1]).box
        artist.box((left, top), (right, bottom))
        named("stone")
        artist.key(KEYS.Key_1)
        artist.key(KEYS.Key_T)
        shelf, run = window.session.shelf, window.session.tracking
        artist.until(
            lambda: len(shelf.scores) >= 24 and window.seen_frame == window.edits.frame, "half of it", 300
        )
        artist.until(
            lambda: window.seen_frame == window.edits.frame and len(window.canvas.scene.overlays) == 2, "both"
        )
        assert run.running, "It was over too soon for a picture."
        keep(NAMES[0])
        artist.until(lambda: not run.running, "tracking to end", 300)
        window.go_to(later)
        artist.at_rest()
        artist.click(inside(later, 0))
        artist.click(inside(later, 1), SHIFT)
        artist.at_rest()
        keep(NAMES[1])
        artist.leave()
    del application


if __name__ == "__main__":
    main(*sys.argv[1:])
