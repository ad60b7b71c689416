"""``efficienttam segment``: everything on one frame, as a Cryptomatte and a picture."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from efficienttam.batch.cryptomatte_file import read_cryptomatte
from efficienttam.cli import main
from efficienttam.contract.errors import ExitCode, PromptError
from efficienttam.mattes.cryptomatte import Cryptomatte
from efficienttam.mattes.stacking import stacked
from efficienttam.media import write_png
from efficienttam.model.build import build_model
from efficienttam.model.config import MODELS
from efficienttam.tracking import AutomaticOptions, AutomaticSegmenter
from efficienttam.tracking.automatic_segmenter import crops
from efficienttam.training.clips import demo_clip


@pytest.fixture
def still(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A frame of the demo's clip, and the mattes of its things."""
    picture, mattes = demo_clip(4).render(0)
    path = tmp_path / "plate.1001.png"
    write_png(str(path), np.rint(255 * picture).astype(np.uint8))
    return path, np.stack(mattes)


def test_the_thing_on_a_frame_can_be_picked(still, tmp_path, capsys) -> None:
    plate, mattes = still
    out, picture = tmp_path / "new" / "things.exr", tmp_path / "things.png"
    words = ["--points", "16", "--json", "--progress", "none"]
    assert main(["segment", str(plate), "--out", str(out), "--picture", str(picture), *words]) == 0
    told = json.loads(capsys.readouterr().out)["things"]
    held = read_cryptomatte(str(out))
    assert {one["name"] for one in told} == held.objects
    assert [one["area"] for one in told] == sorted((one["area"] for one in told), reverse=True)
    whole = sum(held.matte(name) for name in held.objects)
    assert whole.max() <= 1.001 and whole.shape == mattes.shape[1:]
    best = max(
        np.minimum(held.matte(name), truth).sum() / np.maximum(held.matte(name), truth).sum()
        for name in held.objects
        for truth in mattes
    )
    assert best > 0.6
    assert os.path.getsize(picture) > 1000


def test_nothing_good_enough_writes_nothing(still, tmp_path, capsys) -> None:
    plate, _ = still
    words = ["--points", "4", "--least-iou", "0.999", "--progress", "none"]
    assert main(["segment", str(plate), "--out", str(tmp_path / "things.exr"), *words]) == ExitCode.USAGE
    assert "--least-iou" in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["plate.1001.png"]


@pytest.mark.parametrize(
    "words, told",
    [
        (["--out", "things.png"], "no EXR"),
        (["--out", "things.exr", "--picture", "plate.1001.png"], "overwrite the plate"),
        (["--out", "things.exr", "--points", "0"], "points_per_side is 0"),
        (["--out", "things.exr", "--frame", "7"], "7"),
    ],
)
def test_what_cannot_be_is_refused(still, words, told, monkeypatch, capsys) -> None:
    monkeypatch.chdir(still[0].parent)
    plate = "plate.%04d.png" if "--frame" in words else "plate.1001.png"
    assert main(["segment", plate, *words, "--progress", "none"]) != 0
    assert told in capsys.readouterr().err
    assert os.listdir() == ["plate.1001.png"]


def test_what_lies_in_front_takes_its_share() -> None:
    front, back = np.zeros((8, 10), np.float32), np.ones((8, 10), np.float32)
    front[2:5, 3:7] = 1
    front[5, 3:7] = 0.25
    patches = stacked([front, back, np.zeros_like(front)], (10, 8))
    assert patches[0].coverage.shape == (4, 4) and (patches[0].left, patches[0].top) == (3, 2)
    bands = [patch.rows(0, 8, 10) for patch in patches]
    assert np.array_equal(bands[0], front) and np.array_equal(bands[1], 1 - front) and bands[2] is None
    assert patches[0].rows(0, 2, 10) is None
    part = patches[0].rows(4, 7, 10)
    assert part is not None and np.array_equal(part, front[4:7])


def test_the_smallest_shares_are_left_out_where_there_is_no_room() -> None:
    mattes = [np.full((1, 1), share, np.float32) for share in (0.1, 0.4, 0.2, 0.3)]
    names = ["a", "b", "c", "d"]
    crypto = Cryptomatte("crypto_object", names, most=2)
    assert len(crypto.channels) == 4
    assert crypto.ranks(mattes)[0, 0, 1::2] == pytest.approx([0.4, 0.3])
    some = Cryptomatte("crypto_object", names).ranks(mattes[1:3], present=[1, 2])
    assert np.array_equal(some[..., :4], Cryptomatte("crypto_object", names[1:3]).ranks(mattes[1:3]))


def test_crops_cover_the_image_and_overlap() -> None:
    found = crops((400, 300), AutomaticOptions(points_per_side=8, crop_layers=2, crop_divisor=2))
    assert [len(points) for _, points in found] == [64] + [16] * 4 + [4] * 16
    for start, stop in ((1, 5), (5, 21)):
        seen = np.zeros((300, 400), int)
        for (left, top, right, bottom), points in found[start:stop]:
            seen[top:bottom, left:right] += 1
            assert all(0 < x < right - left and 0 < y < bottom - top for x, y in points)
        assert seen.min() == 1 and seen.max() == 4


def test_the_work_can_be_stopped(still) -> None:
    class Enough(Exception):
        pass

    def tell(done: int, total: int) -> None:
        raise Enough(f"{done} of {total}")

    model = build_model(MODELS["efficienttam_demo"])
    segmenter = AutomaticSegmenter(model, AutomaticOptions(points_per_side=4, points_per_batch=4))
    with pytest.raises(Enough, match="4 of 16"):
        segmenter.segment(np.zeros((60, 80, 3), np.uint8), tell)
    with pytest.raises(PromptError):
        AutomaticSegmenter(model, AutomaticOptions(crop_layers=9))
