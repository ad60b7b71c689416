"""What the keys of the window do. Standard library only, Python 3.7 or newer."""

from __future__ import annotations

import dataclasses
from typing import Dict, Tuple


@dataclasses.dataclass(frozen=True)
class KeyCommand:
    """Something a key does: the name it goes by in code, its keys as Qt writes them, and what it does."""

    name: str
    keys: Tuple[str, ...]
    does: str

    @property
    def hint(self) -> str:
        """For a tooltip: what it does, with its first key."""
        return "{} ({})".format(self.does, self.keys[0])


COMMANDS = (
    KeyCommand("undo", ("Z", "Ctrl+Z"), "Undo the last change of prompts or objects"),
    KeyCommand("redo", ("X", "Ctrl+Shift+Z", "Ctrl+Y"), "Redo what was undone"),
    KeyCommand("back", ("Left",), "One frame back"),
    KeyCommand("on", ("Right",), "One frame on"),
    KeyCommand("back_ten", ("Shift+Left",), "Ten frames back"),
    KeyCommand("on_ten", ("Shift+Right",), "Ten frames on"),
    KeyCommand("first", ("Home",), "First frame"),
    KeyCommand("last", ("End",), "Last frame"),
    KeyCommand("prompt_back", ("PgUp", "Ctrl+Left"), "Previous prompted frame"),
    KeyCommand("prompt_on", ("PgDown", "Ctrl+Right"), "Next prompted frame"),
    KeyCommand("check_back", ("Shift+L",), "Previous place to check, the first frame of each"),
    KeyCommand("check_on", ("L",), "Next place to check, the first frame of each"),
    KeyCommand("track", ("T",), "Track all frames; mattes that would come out the same are kept"),
    KeyCommand("track_on", ("Shift+T",), "Track from this frame to the last"),
    KeyCommand("stop", ("Esc",), "Stop tracking after the frame at hand; finished frames are kept"),
    KeyCommand("add", ("N",), "Add an object"),
    KeyCommand("rename", ("F2",), "Rename the current object"),
    KeyCommand("remove", ("Shift+Del",), "Remove the current object"),
    KeyCommand("solo", ("S",), "Show only the current object and others that are solo"),
    KeyCommand("mute", ("M",), "Do not show the current object"),
    KeyCommand("delete", ("Del", "Backspace"), "Delete the current object's prompt on this frame"),
    KeyCommand("copy", ("C",), "Copy the current object's nearest prompt before this frame to it"),
    KeyCommand("overlay", ("O",), "Show or hide the mattes over the plate"),
    KeyCommand("alpha", ("A",), "Show the current object's matte in black and white"),
    KeyCommand("hover", ("H",), "Show what a click would select, or do not"),
    KeyCommand("follow", ("W",), "Go along with tracking as frames are finished, or do not"),
    KeyCommand("fit", ("F",), "Show the whole plate"),
)
#: Keys that choose the object of that number.
DIGITS = "123456789"

BY_NAME: Dict[str, KeyCommand] = {command.name: command for command in COMMANDS}
BY_KEY: Dict[str, str] = {key: command.name for command in COMMANDS for key in command.keys}
