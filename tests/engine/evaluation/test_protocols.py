"""The protocols end to end on tiny plates with the shipped weights, and what the command line refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from efficienttam.cli import main
from efficienttam.contract.errors import ExitCode
from efficienttam.evaluation.footage import GeneratedFootage
from efficienttam.evaluation.marks import Marks, ScoredFrames
from efficienttam.evaluation.protocol_run import ProtocolOptions, footage_for
from efficienttam.evaluation.protocols import (
    Annotating,
    Filling,
    Trial,
    from_clicks,
    offline,
    online,
    semi_supervised,
)
from efficienttam.evaluation.scoring import PromptKind, score
from efficienttam.evaluation.still_clicks import STILL_CLICKS, on_stills
from efficienttam.evaluation.true_masks import TrueMasks
from efficienttam.media import write_mattes
from efficienttam.model.efficienttam import EfficientTAM
from efficienttam.tracking.embedding_cache import EmbeddingCache
from efficienttam.tracking.frame_source import ArrayFrames
from efficienttam.weights.load import load_model

ALL = ScoredFrames.ALL


class Squares:
    """A red square and a blue one that comes on frame 3, over grey; frame 2 is not annotated."""

    name, objects = "squares", ("red", "blue")
    annotated = (1, 3, 4, 5)

    def __init__(self) -> None:
        masks = np.zeros((5, 2, 64, 96), np.float32)
        for step in range(5):
            masks[step, 0, 10:34, 8 + 3 * step : 36 + 3 * step] = 1
            masks[step, 1, 40:60, 60:90] = step >= 2
        self._masks = masks
        pictures = np.full((5, 64, 96, 3), 110, np.uint8)
        pictures[masks[:, 0] > 0] = (220, 40, 30)
        pictures[masks[:, 1] > 0] = (20, 60, 210)
        self.plate = ArrayFrames(pictures)

    def truth(self, frame: int) -> np.ndarray:
        """Both masks (2, 64, 96)."""
        assert frame in self.annotated
        return self._masks[frame - 1]


@pytest.fixture(scope="module")
def demo() -> EfficientTAM:
    """The shipped weights on one thread."""
    torch.set_num_threads(1)
    return load_model("efficienttam_demo", device="cpu")


#: The frames of the squares are encoded once for all tests.
EMBEDDINGS = EmbeddingCache()


def _trial(model: EfficientTAM, rule: ScoredFrames = ALL) -> Trial:
    return Trial(model, Squares(), rule, EMBEDDINGS)


def _named(found: Sequence[Marks], name: str) -> list[Marks]:
    return [one for one in found if one.object == name]


def test_an_object_is_prompted_where_it_appears(demo: EfficientTAM) -> None:
    red, blue = semi_supervised(_trial(demo, ScoredFrames.DAVIS))
    assert red.frames == (1, 3, 4, 5) and red.counted == (3, 4) and red.prompted == (1,)
    assert blue.frames == (3, 4, 5) and blue.counted == (4,) and blue.prompted == (3,)
    assert red.region.mean > 0.8 and blue.region.mean > 0.8


def test_clicks_box_and_mask_on_the_first_frame(demo: EfficientTAM) -> None:
    found = from_clicks(_trial(demo))
    red = {one.setting: one for one in _named(found, "red")}
    assert list(red) == ["1 click", "3 clicks", "5 clicks", "box", "mask"]
    assert red["1 click"].clicks == 1 and 1 <= red["5 clicks"].clicks <= 5
    assert red["mask"].first_j == 1 and red["1 click"].j_and_f > 0.7
    assert all(one.prompted == (3,) for one in _named(found, "blue"))


@pytest.mark.parametrize("filling", list(Filling))
def test_offline_annotates_the_worst_frame_next(demo: EfficientTAM, filling: Filling) -> None:
    found = _named(offline(_trial(demo), Annotating(frames=3, clicks=1, filling=filling)), "red")
    assert [one.budget for one in found] == [1, 2, 3]
    for earlier, later in zip(found, found[1:], strict=False):
        left = {frame: j for frame, j in zip(earlier.frames, earlier.j) if frame not in earlier.prompted}
        assert later.prompted == (*earlier.prompted, min(left, key=left.__getitem__))
        assert later.clicks > earlier.clicks


def test_online_never_looks_back(demo: EfficientTAM) -> None:
    # Above any IoU there is: every annotated frame is a stop until the frames are used up.
    found = _named(online(_trial(demo), Annotating(frames=3, clicks=1, pause_below=1.0)), "red")
    assert [one.prompted for one in found] == [(1,), (1, 3), (1, 3, 4)]
    one, two, three = (dict(zip(marks.frames, marks.j, strict=True)) for marks in found)
    assert one[1] == two[1] == three[1] and two[3] == three[3]


def test_online_stops_nowhere_where_all_is_good_enough(demo: EfficientTAM) -> None:
    trial = _trial(demo)
    heard: list[str] = []
    trial.heard = heard.append
    found = online(trial, Annotating(frames=4, clicks=3, pause_below=0.0))
    assert {one.prompted for one in found} == {(1,), (3,)} and len(found) == 8
    # Online from one frame is offline from one frame.
    (red, *_), (same, *_) = _named(found, "red"), _named(offline(trial, Annotating(frames=1)), "red")
    assert red.prompted == same.prompted and red.j == pytest.approx(same.j, abs=0.02)


def test_one_object_from_its_mask_is_scored_as_ever(demo: EfficientTAM) -> None:
    class Red(Squares):
        objects, annotated = ("red",), (1, 2, 3, 4, 5)

        def truth(self, frame: int) -> np.ndarray:
            return super().truth(frame)[:1]

    (mine,) = semi_supervised(Trial(demo, Red(), ScoredFrames.AFTER, EMBEDDINGS))
    (before,) = score(demo, Red(), PromptKind.MASK)
    assert mine.region.mean == pytest.approx(before.j) and mine.boundary.mean == pytest.approx(before.f)


def test_stills_are_clicked_five_times(demo: EfficientTAM) -> None:
    found = on_stills(demo, Squares(), 2)
    assert [(one.object, one.frame) for one in found] == [("red", 1), ("red", 5), ("blue", 5)]
    assert all(len(one.iou) == STILL_CLICKS and one.iou[0] > 0.6 for one in found)


def _write(folder: Path, frames: int = 3) -> Path:
    squares = Squares()
    for name in ("JPEGImages", "Annotations"):
        (folder / name).mkdir(parents=True)
    for frame in range(1, frames + 1):
        cv2.imwrite(str(folder / "JPEGImages" / f"{frame:05d}.jpg"), squares.plate.read(frame)[..., ::-1])
        label = squares.truth(1)[0].astype(np.uint8)
        Image.fromarray(label).save(folder / "Annotations" / f"{frame:05d}.png")
    return folder


def test_the_command_writes_tables_and_a_picture(tmp_path: Path, capsys) -> None:
    pytest.importorskip("matplotlib")
    _write(tmp_path / "clip")
    out = tmp_path / "out"
    arguments = ["eval", "images", "online", "--davis", str(tmp_path / "clip"), "--threads", "1"]
    assert main([*arguments, "--annotated-frames", "2", "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "| online" in told.out and "mIoU" in told.out
    assert "[1/1] clip: online, 2 frames" in told.err and "[1/1]" not in told.out
    assert sorted(path.name for path in out.iterdir()) == [
        f"scores.{end}" for end in ("csv", "json", "md", "png")
    ]
    assert (out / "scores.md").read_text() == told.out
    assert cv2.imread(str(out / "scores.png")).std() > 1


def test_without_matplotlib_there_are_tables_alone(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    arguments = ["eval", "images", "--davis", str(_write(tmp_path / "clip")), "--threads", "1"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert not (tmp_path / "out" / "scores.png").exists()
    assert "matplotlib is not installed" in capsys.readouterr().err


def test_a_rendered_plate_is_footage(tiny_plate: Path, capsys) -> None:
    for frame in (1002, 1003):
        matte = np.zeros((54, 96), np.float32)
        matte[15:35, 20:44] = frame == 1003
        write_mattes(tiny_plate / f"truth.{frame}.exr", {"hero": matte})
    plate, truth = (str(tiny_plate / f"{name}.%04d.exr") for name in ("plate", "truth"))
    (footage,) = footage_for(ProtocolOptions((), plate=plate, truth=truth, channels=("hero",)))
    assert list(footage.annotated) == [1002, 1003] and footage.plate.size == (96, 54)
    assert TrueMasks(footage).first == {0: 1003} and TrueMasks(footage).masks(1003).sum() == 480
    arguments = ["eval", "semi", "--plate", plate, "--truth", truth, "--score-frames", "all"]
    assert main([*arguments, "--channel", "villain"]) == ExitCode.INPUT
    assert "villain" in capsys.readouterr().err


def test_more_objects_of_a_generated_clip() -> None:
    one, more = (GeneratedFootage(0, 2, (96, 64), objects) for objects in (1, 9))
    assert one.objects == more.objects[:1] == ("hero",) and len(more.objects) > 1
    truth = more.truth(1)
    assert len(truth) == len(more.objects) and (np.diff(truth.sum((1, 2))) <= 0).all()
    np.testing.assert_array_equal(truth[:1], one.truth(1))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["semi", "--davis", "nowhere"], ExitCode.INPUT, "does not hold the folders JPEGImages"),
        (["semi", "--davis", "clip", "--list", "none.txt"], ExitCode.INPUT, "none.txt cannot be read"),
        (["semi", "--davis", "short"], ExitCode.USAGE, "2 annotated frames; by the rule davis none counts"),
        (["semi", "--frames", "2", "--clips", "1", "--size", "64x64"], ExitCode.USAGE, "none counts"),
        (
            ["semi", "--davis", "clip", "--out", "clip/JPEGImages/00001.jpg"],
            ExitCode.OUTPUT,
            "cannot be made",
        ),
        (["offline", "--davis", "clip", "--weights", "none"], ExitCode.WEIGHTS, "none"),
    ],
)
def test_bad_input_ends_before_work_starts(
    arguments: list[str], code: ExitCode, said: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    _write(tmp_path / "clip")
    _write(tmp_path / "short", frames=2)
    monkeypatch.chdir(tmp_path)
    assert main(["eval", *arguments]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["semi", "semi"], "given twice"),
        (["semi", "best"], "Argument protocol: invalid choice: 'best'"),
        (["semi", "--size", "640"], "'640' is not WIDTHxHEIGHT"),
        (["semi", "--clips", "0"], "'0' is below 1"),
        (["online", "--pause-below", "75"], "'75' is not a number from 0 to 1"),
        (["semi", "--davis", "a", "--plate", "b"], "both footage"),
        (["semi", "--plate", "b"], "--plate needs --truth"),
        (["semi", "--truth", "b"], "need --plate"),
        (["semi", "--list", "b"], "names clips of --davis"),
    ],
)
def test_wrong_command_lines(arguments: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["eval", *arguments])
    assert ended.value.code == ExitCode.USAGE
    assert said in capsys.readouterr().err
