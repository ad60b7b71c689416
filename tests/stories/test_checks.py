"""From the node to the frames that should be checked; the real worker reads real headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from shots import FIRST, Artist, Shot

from efficienttam.contract.frames_to_check import checks, run_starts
from efficienttam.contract.matte_score import parse_score, score_attribute


class Vanishing(Shot):
    """The ellipse is behind the ground on some frames."""

    GONE = range(FIRST + 4, FIRST + 7)

    def picture(self, frame: int) -> np.ndarray:
        out = super().picture(frame)
        if frame in self.GONE:
            out[self.truth(frame)] = np.stack([self.ground, self.ground * 0.9, self.ground * 0.7], axis=2)[
                self.truth(frame)
            ]
        return out


def scores_on_disk(artist: Artist, node: object, name: str) -> dict[int, object]:
    found = {}
    for path in artist.files(node):
        spec = oiio.ImageInput.open(str(path)).spec()
        found[int(path.name[-8:-4])] = parse_score(spec.getattribute(score_attribute(name)))
    return found


def test_the_buttons_go_from_place_to_place_and_tell_why(artist: Artist, tmp_path: Path) -> None:
    shot, nuke = Vanishing(12), artist.nuke
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))

    artist.press(node, "check_next")
    assert "Track first" in node["status"].getText()

    artist.click(node, shot, FIRST)
    artist.track(node)
    places = run_starts(tuple(checks(scores_on_disk(artist, node, "object1"))))
    assert places and places[0] in shot.GONE, "what vanishes is to be checked"

    def pressed(button: str) -> int:
        artist.press(node, button)
        artist.wait(until=lambda: not node["status"].getText().startswith("Looking"))
        return int(nuke.frame())

    nuke.frame(FIRST)
    for number, place in enumerate(places, 1):
        assert pressed("check_next") == place
        status = node["status"].getText()
        assert status.startswith(f"Check frame {place} ({number} of {len(places)} place"), status
        assert "object1: " in status
    assert pressed("check_next") == places[-1]
    assert "Nothing to check after" in node["status"].getText()
    nuke.frame(shot.last)
    assert pressed("check_previous") == [place for place in places if place < shot.last][-1]
    nuke.frame(FIRST)
    assert pressed("check_previous") == FIRST
    assert "Nothing to check before" in node["status"].getText()

    nuke.scriptSave()
    nuke.scriptOpen(nuke.scriptName())
    node = nuke.toNode("EfficientTAM1")
    nuke.frame(FIRST)
    assert pressed("check_next") == places[0], "it is all in the files"

    for path in artist.files(node):
        path.unlink()
    pressed("check_next")
    assert "no mattes on disk" in node["status"].getText()
