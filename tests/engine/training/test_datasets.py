"""Every layout of training data: made tiny, checked, seen as tracking sees it, and trained on for a step."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from efficienttam.contract.errors import JobError, PlateError
from efficienttam.media import FrameSequence, write_mattes
from efficienttam.training.datasets import open_data
from efficienttam.training.paper_course import PaperOptions, train_as_paper
from efficienttam.training.paper_recipe import SEQUENCES
from efficienttam.training.samples import draw_sample

WIDTH, HEIGHT, FRAMES = 40, 24, 4


def _mask(frame: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[6:18, 4 + 3 * frame : 20 + 3 * frame] = True
    return mask


def _picture(frame: int) -> np.ndarray:
    return np.where(_mask(frame)[..., None], (200, 90, 40), (30, 60, 90)).astype(np.uint8)


def _runs(mask: np.ndarray) -> dict:
    flat = mask.T.reshape(-1).astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flat))))
    return {
        "size": list(mask.shape),
        "counts": np.diff(np.concatenate(([0], edges, [flat.size]))).tolist(),
    }


def _save(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1])


def make_davis(root: Path) -> str:
    for frame in range(FRAMES):
        _save(root / f"JPEGImages/480p/ball/{frame:05d}.jpg", _picture(frame))
        truth = root / f"Annotations/480p/ball/{frame:05d}.png"
        truth.parent.mkdir(parents=True, exist_ok=True)
        labels = Image.fromarray(_mask(frame).astype(np.uint8) * 2)
        labels.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        labels.save(truth)
    return f"davis:{root}"


def make_youtube(root: Path) -> str:
    """Every other frame has labels, coloured ones."""
    for frame in range(FRAMES):
        _save(root / f"train/JPEGImages/ab12/{5 * frame:05d}.jpg", _picture(frame))
        if frame % 2 == 0:
            labels = _mask(frame)[..., None] * np.array([7, 0, 9], np.uint8)
            _save(root / f"train/Annotations/ab12/{5 * frame:05d}.png", labels)
    return f"youtube-vos:{root}"


def make_sav(root: Path) -> str:
    for frame in range(FRAMES):
        _save(root / f"sav_000/sav_000001/{4 * frame:05d}.jpg", _picture(frame))
    masklet = [[_runs(_mask(frame)), None] for frame in range(FRAMES)]
    (root / "sav_000/sav_000001_manual.json").write_text(json.dumps({"masklet": masklet}))
    return f"sav:{root}"


def make_sav_movie(root: Path) -> str:
    pytest.importorskip("av")
    from fractions import Fraction

    from efficienttam.media.movie_writer import open_movie

    root.mkdir(parents=True)
    with open_movie(str(root / "sav_000002.mp4"), (WIDTH, HEIGHT), Fraction(24)) as movie:
        for frame in range(4 * FRAMES - 3):
            movie.add(_picture(frame // 4))
    masklet = [[_runs(_mask(frame))] for frame in range(FRAMES)]
    (root / "sav_000002_auto.json").write_text(json.dumps({"masklet": masklet}))
    return f"sav:{root}"


def make_sa1b(root: Path) -> str:
    _save(root / "sa_1.jpg", _picture(0))
    annotations = [{"segmentation": _runs(_mask(0))}, {"segmentation": _runs(~_mask(0))}]
    (root / "sa_1.json").write_text(json.dumps({"annotations": annotations}))
    return f"sa1b:{root}"


def make_studio(root: Path) -> str:
    """Linear EXR; the second frame has no matte."""
    shot = root / "sh010"
    for name in ("plate", "mattes"):
        (shot / name).mkdir(parents=True)
    for frame in range(FRAMES):
        red, green, blue = (_picture(frame).astype(np.float32) / 255).transpose(2, 0, 1)
        write_mattes(shot / f"plate/sh010.{1001 + frame}.exr", {"red": red, "green": green, "blue": blue})
        if frame != 1:
            write_mattes(shot / f"mattes/hero.{1001 + frame}.exr", {"alpha": _mask(frame).astype(np.float32)})
    return f"studio:{root}"


def make_studio_list(root: Path) -> str:
    make_studio(root)
    shot = {
        "plate": "sh010/plate/sh010.%04d.exr",
        "mattes": [{"path": "sh010/mattes/hero.####.exr", "channel": "alpha"}],
        "color_space": "raw",
    }
    path = root / "shots.json"
    path.write_text(json.dumps({"shots": [shot]}))
    return f"studio:{path}"


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("color_space", 5, "color_space is 5"),
        ("camera", "a", "'camera' is not known"),
        ("mattes", [{"path": "m.exr", "chanel": "hero"}], "'chanel' of a matte is not known"),
        ("mattes", [{"path": "m.exr", "channel": 7}], "the channel of a matte is 7"),
        ("mattes", [{"channel": "hero"}], "every matte needs a path"),
    ],
)
def test_a_list_says_which_shot_is_wrong(tmp_path: Path, place: str, value: object, told: str) -> None:
    shot = {"plate": "plate.%04d.exr", "mattes": [{"path": "m.%04d.exr"}], place: value}
    path = tmp_path / "shots.json"
    path.write_text(json.dumps({"shots": [shot]}))
    with pytest.raises(PlateError, match="shot 1: ") as refused:
        open_data([f"studio:{path}"], 64)
    assert told in str(refused.value)


MAKERS = {
    "davis": (make_davis, 4),
    "youtube-vos": (make_youtube, 2),
    "sav": (make_sav, 4),
    "sav movie": (make_sav_movie, 4),
    "sa1b": (make_sa1b, 1),
    "studio": (make_studio, 3),
    "studio list": (make_studio_list, 3),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_layout_is_read_and_trained_on(kind: str, tmp_path: Path, tiny, light_stages) -> None:
    make, annotated = MAKERS[kind]
    told = make(tmp_path / "data")
    plate = open_data([told], 64).sources[0][0]
    assert len(plate.annotated) == annotated and plate.check() == []
    first = plate.annotated[0]
    shown = [one for one, area in enumerate(plate.areas(first)) if area > 0]
    matte = plate.mattes(first, shown[:1])[0]
    np.testing.assert_array_equal(matte > 0.5, _mask(0))
    assert plate.areas(first)[shown[0]] == pytest.approx(_mask(0).mean())
    last = plate.mattes(plate.annotated[-1], shown[:1])[0]
    np.testing.assert_array_equal(last > 0.5, _mask(0 if annotated == 1 else 2 if annotated == 2 else 3))
    assert plate.picture(first).shape == (HEIGHT, WIDTH, 3)
    options = PaperOptions(
        out=tmp_path / "tiny.safetensors",
        work=tmp_path / "work",
        model="tiny",
        data=(told,),
        stages=light_stages[1:],
        sequence_steps=1,
        batch=1,
        drawers=0,
        device="cpu",
        log_every=1,
    )
    assert train_as_paper(options).exists()
    assert (options.work / "sequences.csv").read_text().count("\n") == 2
    assert list((options.work / "pictures").iterdir()), "a sheet at the end of the stage"


@pytest.mark.parametrize(
    ("plate", "matte", "first"),
    [
        ("plate.{:04d}.png", "hero-{:04d}.png", 1001),
        ("plate-{:d}.png", "hero_v002-{:04d}.png", 1001),
        ("plate.{:04d}.png", "hero.{:04d}.png", -2),
        ("plate_{:04d}.png", "hero-{:04d}.png", -3),
    ],
)
def test_a_dash_before_a_number_is_no_sign(plate: str, matte: str, first: int, tmp_path: Path) -> None:
    for frame in range(FRAMES):
        _save(tmp_path / "plate" / plate.format(first + frame), _picture(frame))
        truth = np.where(_mask(frame)[..., None], 255, 0).astype(np.uint8).repeat(3, 2)
        _save(tmp_path / "mattes" / matte.format(first + frame), truth)
    (shot,) = open_data([f"studio:{tmp_path}"], 64).sources[0]
    assert list(shot.annotated) == list(range(first, first + FRAMES))


def test_an_exr_plate_looks_as_in_tracking(tmp_path: Path) -> None:
    plate = open_data([make_studio(tmp_path)], 64).sources[0][0]
    tracked = FrameSequence(str(tmp_path / "sh010/plate/sh010.%04d.exr"))
    assert list(plate.annotated) == [1001, 1003, 1004]
    np.testing.assert_array_equal(plate.picture(1003), tracked.read(1003))


def test_mattes_of_another_size_are_told_on_every_frame(tmp_path: Path) -> None:
    told = make_studio(tmp_path)
    small = {"alpha": np.ones((HEIGHT // 2, WIDTH), np.float32)}
    write_mattes(tmp_path / "sh010/mattes/hero.1004.exr", small)
    with pytest.raises(PlateError, match=f"hero.1004.exr: .* its truth {WIDTH} x {HEIGHT // 2}"):
        open_data([told], 64)


def test_lists_of_paths_name_clips(tmp_path: Path) -> None:
    """``ImageSets/480p/train.txt`` of DAVIS 2016."""
    told = make_davis(tmp_path)
    for place in ("JPEGImages", "Annotations"):
        shutil.copytree(tmp_path / place / "480p/ball", tmp_path / place / "480p/other")
    listed = tmp_path / "ImageSets/480p/train.txt"
    listed.parent.mkdir(parents=True)
    lines = [f"/JPEGImages/480p/ball/{n:05d}.jpg /Annotations/480p/ball/{n:05d}.png " for n in range(FRAMES)]
    listed.write_text("\n".join(lines))
    assert _clips(told) == ["480p/ball"]
    year = tmp_path / "ImageSets/2017/train.txt"
    year.parent.mkdir()
    year.write_text("other\n")
    assert _clips(told) == ["480p/other"]


def test_one_resolution_is_trained_on(tmp_path: Path) -> None:
    told = make_davis(tmp_path)
    for place in ("JPEGImages", "Annotations"):
        shutil.copytree(tmp_path / place / "480p", tmp_path / place / "Full-Resolution")
    assert _clips(told) == ["480p/ball"]
    assert _clips(f"{told}/JPEGImages/Full-Resolution") == ["Full-Resolution/ball"]
    shutil.rmtree(tmp_path / "Annotations/480p")
    assert _clips(told) == ["Full-Resolution/ball"]


def _clips(told: str) -> list[str]:
    """Resolution and clip of what is trained on."""
    return ["/".join(Path(plate.name).parts[-2:]) for plate in open_data([told], 64).sources[0]]


def test_a_mask_in_colour_among_grey_ones_is_the_same_object(tmp_path: Path) -> None:
    """As ``bear/00077.png`` of the published DAVIS 2016, which has four channels."""
    told = make_davis(tmp_path)
    for frame in range(FRAMES):
        white = np.where(_mask(frame), 255, 0).astype(np.uint8)
        stored = np.dstack([white, white, white, np.full_like(white, 255)]) if frame == 2 else white
        Image.fromarray(stored).save(tmp_path / f"Annotations/480p/ball/{frame:05d}.png")
    (plate,) = open_data([told], 64).sources[0]
    for frame in range(FRAMES):
        np.testing.assert_array_equal(plate.mattes(frame, [0])[0] > 0.5, _mask(frame))
        assert plate.areas(frame)[0] == pytest.approx(_mask(frame).mean())
    # The coloured one first.
    (tmp_path / "Annotations/480p/ball/00002.png").rename(tmp_path / "Annotations/480p/ball/00000.png")
    (plate,) = open_data([told], 64).sources[0]
    assert [plate.areas(frame)[0] > 0 for frame in plate.annotated] == [True] * 3
    labels = _mask(1)[..., None] * np.array([7, 0, 9], np.uint8)
    _save(tmp_path / "Annotations/480p/ball/00001.png", np.ascontiguousarray(labels))
    Image.fromarray(_mask(0).astype(np.uint8)).save(tmp_path / "Annotations/480p/ball/00000.png")
    (plate,) = open_data([told], 64).sources[0]
    with pytest.raises(PlateError, match=r"00001\.png shows colours"):
        plate.areas(1)


def test_masks_that_are_absent_for_a_while_are_empty(tmp_path: Path) -> None:
    plate = open_data([make_sav(tmp_path)], 64).sources[0][0]
    assert plate.areas(2)[1] == 0
    assert not plate.mattes(2, [1]).any() and plate.mattes(2, [1]).shape == (1, HEIGHT, WIDTH)


def test_every_fault_is_told_before_training(tmp_path: Path) -> None:
    davis, sav, studio = (tmp_path / name for name in ("davis", "sav", "studio"))
    told = [make_davis(davis), make_sav(sav), make_studio(studio), f"mose:{tmp_path / 'nowhere'}"]
    _save(davis / "Annotations/480p/ball/00000.png", _picture(0)[:10])
    _save(davis / "JPEGImages/480p/lonely/00000.jpg", _picture(0))
    (sav / "sav_000/sav_000001_manual.json").write_text('{"masklet": [[{"size": [2, 2], "counts": [1]}]]}')
    (studio / "sh020/plate").mkdir(parents=True)
    with pytest.raises(PlateError) as caught:
        open_data(told, 64)
    message = str(caught.value)
    for said in (
        "40 x 24 pixels, its truth 40 x 10",
        "lonely has no label images",
        "runs of 1 pixels",
        "sh020 has no folder mattes",
        "nothing at",
    ):
        assert said in message
    assert message.count("\n  ") == 5, "a line each"


@pytest.mark.parametrize("told", ["coco:/data", "davis:/data@0", "generated:many"])
def test_words_that_are_no_data_are_refused(told: str) -> None:
    with pytest.raises(JobError, match="is no training data"):
        open_data([told], 64)


def test_weights_share_the_samples(tmp_path: Path) -> None:
    data = open_data([make_sa1b(tmp_path) + "@0.25", "generated:3"], 64)
    assert data.shares == pytest.approx((0.2, 0.8))
    rng = np.random.default_rng(0)
    names = [data.draw(rng).name for _ in range(400)]
    assert 50 < names.count("sa_1") < 110


def test_a_sample_follows_from_its_place(tmp_path: Path) -> None:
    data = open_data([make_davis(tmp_path)], 64)
    one, same, other = (draw_sample(data, SEQUENCES.samples, 64, np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.images.equal(same.images) and one.chances.equal(same.chances)
    assert not one.images.equal(other.images)
    assert one.masks.shape == (4, 1, 64, 64) and one.targets.shape == (4, 1, 16, 16)
    assert one.masks[0].any()
