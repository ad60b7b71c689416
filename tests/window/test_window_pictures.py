"""The pictures in the documentation show the window as it is drawn today."""

from __future__ import annotations

import pytest
from pictures import KEY, NAMES, REPOSITORY, drawing_files, drawn_by, said_by


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_of_this_window(name: str) -> None:
    """Told by the files that draw, not by pixels: fonts differ between machines."""
    said = said_by(REPOSITORY / "docs" / "images" / name)
    assert said.get(KEY) == drawn_by(), (
        f"docs/images/{name} is older than the code that draws the window. Make it anew, and look at it: "
        "see the head of tests/window/pictures.py."
    )


def test_what_draws_is_found() -> None:
    names = {file.stem for file in drawing_files()}
    shown = {"canvas", "check_list", "control_row", "frame_bar", "object_list", "prompt_table", "side_panel"}
    assert shown | {"window_face", "theme", "icons", "matte_image"} <= names
    assert not names & {
        "request_lane",
        "shot",
        "document_shot",
        "shot_edits",
        "bounded_store",
        "prompt_window",
    }
