"""Is a matte on disk whole and the right one? For resuming, and after every write."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..contract.errors import IncompleteError, PlateError
from .image_file import open_image
from .layers import channel_names
from .plate_info import PlateInfo, Window


def verify_matte(
    path: str | os.PathLike[str],
    *,
    plate: PlateInfo | None = None,
    size: tuple[int, int] | None = None,
    layers: Sequence[str] = ("rgba.alpha",),
    channels: Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Read a matte file to its end and compare it with what it should be.

    ``plate`` fixes the display window, ``size`` (width, height) only its size. ``layers`` are those
    given to ``write_mattes``, ``channels`` name the channels themselves; others may be there too.
    ``metadata`` are text attributes that the header must hold.

    Raises IncompleteError when the file is missing, does not open, is damaged or cut short anywhere,
    or has another window or not all the channels.
    """
    path = os.fspath(path)
    try:
        with open_image(path) as file:
            found = file.info(0)
            display = found.display_window
            wanted = plate.display_window if plate else Window(display.x, display.y, *(size or found.size))
            expected = channels or channel_names(layers).values()
            missing = [c for c in expected if c not in found.channels]
            if display != wanted:
                raise IncompleteError(
                    f"{path} has the window {_told(display)}; expected {_told(wanted)}.", "Write it again."
                )
            if missing:
                raise IncompleteError(
                    f"{path} lacks {', '.join(missing)}; it has {', '.join(found.channels)}.",
                    "Write it again.",
                )
            for name, value in (metadata or {}).items():
                if file.text(name) != value:
                    raise IncompleteError(f"{path} has another {name}.", "Write it again.")
            file.read_through()
    except PlateError as damage:
        raise IncompleteError(damage.message, "Write it again.") from damage


def _told(window: Window) -> str:
    """``600x360 at 0,0``: the size and the top left pixel."""
    return f"{window.width}x{window.height} at {window.x},{window.y}"
