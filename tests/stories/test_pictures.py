"""The pictures of docs/nuke.md: what the node puts out, by the fake Nuke and the real engine, on a generated
plate; and its knobs, drawn from the node's file. With EFFICIENTTAM_PICTURES=docs/images they are made anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from shots import Artist, Shot

from efficienttam.demo import demo_clip
from efficienttam.evaluation.scoring import PromptKind, prompt_from_truth
from efficienttam.media import write_mattes, write_png

REPOSITORY = Path(__file__).resolve().parents[2]
FRAMES = 16
GREY, INK, PAPER = (90, 90, 90), (225, 225, 225), (38, 38, 38)


class DemoShot(Shot):
    """The first frames of the demo's plate; ``truths`` by frame, largest thing first."""

    def __init__(self) -> None:
        super().__init__(FRAMES)
        self.clip = demo_clip(48)
        self.truths: dict[int, np.ndarray] = {}

    def write(self, folder: Path, view: str = "", corner: tuple[int, int] = (0, 0)) -> str:
        folder.mkdir()
        for frame in self.frames:
            picture, mattes = self.clip.render(frame - self.first)
            linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
            planes = np.moveaxis(linear.astype(np.float32), 2, 0)
            write_mattes(str(folder / f"plate.{frame}.exr"), dict(zip(("red", "green", "blue"), planes)))
            self.truths[frame] = mattes[np.argsort([-matte.sum() for matte in mattes], kind="stable")]
        return str(folder / "plate.%04d.exr").replace("\\", "/")

    def inside(self, frame: int, which: int = 0) -> tuple[float, float]:
        """A point well inside a thing, from the top left."""
        return prompt_from_truth(PromptKind.CLICK, frame, self.truths[frame][which]).include[0]


class Easel:
    """Looks at a node and puts what it sees beside each other."""

    def __init__(self, artist: Artist, node: Any, shot: DemoShot) -> None:
        self.artist, self.node, self.shot = artist, node, shot
        self.height = shot.truths[shot.first].shape[1]

    def see(self, frame: int, show: str) -> np.ndarray:
        """What the node puts out with a view, 8 bits, rows from the top."""
        self.node["show"].setValue(show)
        planes = [
            self.artist.matte(self.node, frame, channel=f"rgba.{name}") for name in ("red", "green", "blue")
        ]
        linear = np.clip(np.stack(planes, axis=2), 0, 1)
        if show == "Matte":
            return np.rint(255 * linear).astype(np.uint8)
        shown = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        return np.rint(255 * shown).astype(np.uint8)

    def say(self, button: str, frame: int, point: tuple[float, float]) -> None:
        self.artist.nuke.frame(frame)
        self.node["point"].setValue([point[0], self.height - point[1]])
        self.artist.press(self.node, button)

    def told(self, frame: int) -> np.ndarray:
        """The overlay with the prompts of the frame drawn into it, which Nuke shows as handles."""
        from efficienttam_nuke.tracker_node import TrackerNode

        picture = np.ascontiguousarray(self.see(frame, "Overlay"))
        for thing in TrackerNode(self.node).sheet.objects:
            prompt = thing.prompt_on(frame)
            if prompt is None:
                continue
            for points, include in ((prompt.include, True), (prompt.exclude, False)):
                for x, y in points:
                    _mark(picture, (round(x), round(y)), include)
            if prompt.box:
                left, top, right, bottom = (round(side) for side in prompt.box)
                cv2.rectangle(picture, (left, top), (right, bottom), (255, 255, 255), 2, cv2.LINE_AA)
        return picture


def _mark(picture: np.ndarray, place: tuple[int, int], include: bool) -> None:
    x, y = place
    cv2.circle(picture, place, 8, (255, 255, 255) if include else (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(picture, place, 8, (0, 0, 0) if include else (255, 255, 255), 1, cv2.LINE_AA)
    ink = (0, 0, 0) if include else (255, 255, 255)
    cv2.line(picture, (x - 4, y), (x + 4, y), ink, 2)
    if include:
        cv2.line(picture, (x, y - 4), (x, y + 4), ink, 2)


def beside(panels: Sequence[tuple[str, np.ndarray]], columns: int, width: int = 400) -> np.ndarray:
    """Pictures in rows, each with its words below it."""
    cells = []
    for words, picture in panels:
        height = round(picture.shape[0] * width / picture.shape[1])
        cell = np.full((height + 30, width + 8, 3), PAPER, np.uint8)
        cell[:height, :width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        _write(cell, words, (4, height + 20))
        cells.append(cell)
    while len(cells) % columns:
        cells.append(np.full_like(cells[0], PAPER))
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    return np.vstack(rows)


def _write(
    picture: np.ndarray, words: str, place: tuple[int, int], ink: Any = INK, size: float = 0.48
) -> None:
    cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)


def keep(tmp_path: Path, name: str, picture: np.ndarray) -> None:
    """Writes a picture to look at; the one of the documentation has to have its size."""
    folder = os.environ.get("EFFICIENTTAM_PICTURES", "")
    write_png(str((REPOSITORY / folder if folder else tmp_path) / name), picture)
    held = cv2.imread(str(REPOSITORY / "docs" / "images" / name))
    assert held is not None and held.shape == picture.shape, "Make it anew: see the head of this file."


@pytest.fixture
def easel(artist: Artist, tmp_path: Path) -> Easel:
    shot = DemoShot()
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    return Easel(artist, node, shot)


def test_prompts_views_and_controls(easel: Easel, tmp_path: Path) -> None:
    artist, node, shot = easel.artist, easel.node, easel.shot
    first = shot.first
    x, y = shot.inside(first)
    panels = []
    rows, columns = np.nonzero(shot.truths[first][0] >= 0.5)
    h = easel.height
    easel.say("include", first, (x, y))
    artist.track(node, "preview")
    panels.append(("Include here", easel.told(first)))
    one = artist.matte(node, first)
    other = shot.inside(first, 1)
    easel.say("include", first, other)
    artist.track(node, "preview")
    panels.append(("Include here, once more", easel.told(first)))
    two = artist.matte(node, first)
    assert two.sum() > 1.2 * one.sum()
    easel.say("exclude", first, other)
    artist.track(node, "preview")
    panels.append(("Exclude here", easel.told(first)))
    artist.session.answers.append(True)
    artist.press(node, "clear")
    node["box"].setValue([columns.min() - 2, h - rows.max() - 3, columns.max() + 3, h - rows.min() + 2])
    artist.press(node, "use_box")
    artist.track(node, "preview")
    panels.append(("Use box", easel.told(first)))
    keep(tmp_path, "nuke_prompts.png", beside(panels, 2))

    assert artist.track(node).startswith("Tracked")
    frame = first + 8
    views = [
        ("Result: the matte is in the alpha", "Result"),
        ("Matte", "Matte"),
        ("Overlay", "Overlay"),
        ("Plate", "Plate"),
    ]
    seen = {view: easel.see(frame, view) for _, view in views}
    assert seen["Matte"].max() == 255 and not np.array_equal(seen["Overlay"], seen["Plate"])
    keep(tmp_path, "nuke_views.png", beside([(words, seen[view]) for words, view in views], 2))
    keep(tmp_path, "nuke_controls.png", beside(list(controls(easel, frame)), 4, 260))


def controls(easel: Easel, frame: int) -> Any:
    """The matte by the controls that need no tracking, around the thing."""
    easel.node["show"].setValue("Result")
    rows, columns = np.nonzero(easel.artist.matte(easel.node, frame) >= 0.5)
    middle, reach = (int(rows.mean()), int(columns.mean())), max(np.ptp(rows), np.ptp(columns)) // 2 + 24
    height, width = easel.see(frame, "Matte").shape[:2]
    top = min(max(0, middle[0] - reach), max(0, height - 2 * reach))
    left = min(max(0, middle[1] - reach), max(0, width - 2 * reach))
    tried = [("as tracked", {}), ("softness 0", {"softness": 0.0}), ("threshold 0.8", {"threshold": 0.8})]
    tried += [("grow / shrink 10", {"grow": 10}), ("grow / shrink -10", {"grow": -10})]
    tried += [("feather 12", {"feather": 12}), ("invert", {"invert": True})]
    for words, values in tried:
        before = {name: easel.node[name].value() for name in values}
        for name, value in values.items():
            easel.node[name].setValue(value)
        yield words, easel.see(frame, "Matte")[top : top + 2 * reach, left : left + 2 * reach]
        for name, value in before.items():
            easel.node[name].setValue(value)
    easel.node["premultiply"].setValue(True)
    yield "premultiply", easel.see(frame, "Result")[top : top + 2 * reach, left : left + 2 * reach]
    easel.node["premultiply"].setValue(False)


def test_a_correction(easel: Easel, tmp_path: Path) -> None:
    """A point that takes too much is mended on a later frame; the frames between follow."""
    artist, node, shot = easel.artist, easel.node, easel.shot
    first, later = shot.first, shot.first + 12
    easel.say("include", first, shot.inside(first))
    easel.say("include", first, shot.inside(first, 1))
    assert artist.track(node).startswith("Tracked")
    panels = [(f"{frame}: tracked", easel.told(frame)) for frame in (first, later - 4, later)]
    before = artist.matte(node, later).copy()
    easel.say("exclude", later, shot.inside(later, 1))
    easel.say("include", later, shot.inside(later))
    assert artist.track(node, "retrack").startswith("Tracked")
    panels += [(f"{frame}: after the correction", easel.told(frame)) for frame in (first, later - 4, later)]
    assert artist.matte(node, later).sum() < 0.9 * before.sum()
    keep(tmp_path, "nuke_correction.png", beside(panels, 3, 340))


KNOB = re.compile(r'^ addUserKnob \{(\d+) (\w+)(?: l (?:"([^"]*)"|(\w\S*)))?(.*)\}$')
BUTTON, TAB, TITLE, CHECK, CHOICE, TEXT = "22", "20", "26", "6", "4", ("1", "2", "43")


def test_the_knobs(tmp_path: Path) -> None:
    """A drawing from the node's file, tab by tab, not a picture of Nuke."""
    tabs: list[list[list[tuple[str, str, str]]]] = []
    for line in (REPOSITORY / "gizmos" / "EfficientTAM.gizmo").read_text(encoding="utf-8").splitlines():
        found = KNOB.match(line)
        if not found or "+INVISIBLE" in line or re.match(r"handle[2-7]$", found[2]):
            continue
        kind, name, rest = found[1], found[2], found[5]
        label = found[3] if found[3] is not None else found[4] or name
        if kind == TAB and " n " not in rest:
            tabs.append([[("tab", label, name)]])
        elif kind == TAB:
            continue
        elif "-STARTLINE" in rest and tabs[-1][-1][0][0] != "tab":
            tabs[-1][-1].append((kind, label, name))
        else:
            if kind == TITLE:
                label = re.sub("<[^>]*>|\\\\n.*", "", rest.split('T "')[-1].rstrip('"'))
            tabs[-1].append([(kind, label, name)])
    assert [tab[0][0][1] for tab in tabs] == ["EfficientTAM", "Matte", "Advanced", "Info"]
    height = 24 * max(len(tab) for tab in tabs) + 16
    sheets = [_tab(tab, height) for tab in (tabs[0], tabs[1], tabs[2] + [[("gap", "", "")]] + tabs[3])]
    keep(tmp_path, "nuke_knobs.png", np.hstack(sheets))
    held = cv2.imread(str(REPOSITORY / "docs" / "images" / "nuke_knobs.png"))
    assert held is not None
    changed = np.any(held != np.hstack(sheets)[..., ::-1], axis=-1).mean()
    assert changed < 0.001, "A knob came, went or was renamed. Make it anew: see the head of this file."


def _tab(rows: Sequence[Sequence[tuple[str, str, str]]], height: int) -> np.ndarray:
    sheet = np.full((max(height, 24 * len(rows) + 16), 520, 3), PAPER, np.uint8)
    for number, row in enumerate(rows):
        x, y = 8, 24 * number + 8
        for kind, label, _ in row:
            x = _knob(sheet, kind, label, x, y)
    sheet[:, -2:] = GREY
    return sheet


def _knob(sheet: np.ndarray, kind: str, label: str, x: int, y: int) -> int:
    """Draws one knob and tells where the next may begin."""
    size = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)[0][0]
    if kind == "gap":
        return x
    if kind in ("tab", TITLE):
        cv2.line(sheet, (x + size + 10, y + 11), (sheet.shape[1] - 12, y + 11), GREY, 1)
        _write(sheet, label, (x, y + 15), (120, 200, 255) if kind == "tab" else INK, 0.45)
        return x + size + 20
    if kind == BUTTON:
        cv2.rectangle(sheet, (x, y + 2), (x + size + 12, y + 20), (80, 80, 80), -1)
        _write(sheet, label, (x + 6, y + 15), INK, 0.4)
        return x + size + 18
    if kind == CHECK:
        cv2.rectangle(sheet, (x, y + 5), (x + 11, y + 16), GREY, 1)
        _write(sheet, label, (x + 17, y + 15), INK, 0.4)
        return x + size + 26
    _write(sheet, label, (x, y + 15), INK, 0.4)
    x += size + 6 if size else 0
    long = {CHOICE: 84, "18": 120, "12": 84, "15": 130, "3": 52, "7": 170, "41": 96}.get(kind, 220)
    cv2.rectangle(sheet, (x, y + 3), (x + long, y + 19), (60, 60, 60), -1)
    if kind in (CHOICE, "41"):
        corners = np.array([[x + long - 14, y + 9], [x + long - 6, y + 9], [x + long - 10, y + 14]])
        cv2.fillPoly(sheet, [corners], INK)
    return x + long + 10
