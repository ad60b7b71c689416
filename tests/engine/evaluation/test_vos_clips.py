"""Folders in the layouts of DAVIS, YouTube-VOS and MOSE, objects that come later, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from efficienttam.contract.errors import PlateError
from efficienttam.evaluation.footage import DavisFootage
from efficienttam.evaluation.protocol_cli import _names
from efficienttam.evaluation.true_masks import TrueMasks
from efficienttam.evaluation.vos_clips import VosClip, clips_in

#: Indices of the palette on the four frames of a clip; None for a frame without label image.
LATER = ([2], None, [2, 5], [5])


def write_clip(pictures: Path, annotations: Path, shown=LATER, size: tuple[int, int] = (60, 40)) -> None:
    """Pictures of noise; on label images index n is a square of 10 pixels, the nth from the left."""
    pictures.mkdir(parents=True)
    annotations.mkdir(parents=True)
    width, height = size
    rng = np.random.default_rng(1)
    for frame, indices in enumerate(shown):
        cv2.imwrite(str(pictures / f"{frame:05d}.jpg"), rng.integers(0, 255, (height, width, 3), np.uint8))
        if indices is None:
            continue
        label = np.zeros((height, width), np.uint8)
        for index in indices:
            label[20:30, 10 * (index % 6) : 10 * (index % 6) + 10] = index
        image = Image.fromarray(label)
        image.putpalette([value for index in range(256) for value in (index, 255 - index, index)])
        image.save(annotations / f"{frame:05d}.png")


def _davis(folder: Path, name: str, **more) -> None:
    write_clip(folder / "JPEGImages" / "480p" / name, folder / "Annotations" / "480p" / name, **more)


def _youtube(folder: Path, name: str, **more) -> None:
    write_clip(folder / "JPEGImages" / name, folder / "Annotations" / name, **more)


def test_objects_that_come_later_are_objects(tmp_path: Path) -> None:
    _youtube(tmp_path, "bear")
    (clip,) = clips_in(tmp_path)
    assert clip.name == "bear" and clip.objects == ("object2", "object5") and clip.size == (60, 40)
    assert list(clip.frames) == [1, 2, 3, 4] and clip.annotated == [1, 3, 4]
    truth = TrueMasks(clip)
    assert truth.frames == (1, 3, 4) and truth.first == {0: 1, 1: 3}
    assert truth.masks(1).sum((1, 2)).tolist() == [100, 0]
    assert truth.masks(4).sum((1, 2)).tolist() == [0, 100]
    with pytest.raises(PlateError, match="no annotation for 00001"):
        clip.truth(2)


def test_every_layout_is_found_and_chosen_from(tmp_path: Path) -> None:
    for name in ("boat", "ant"):
        _davis(tmp_path / "davis", name)
        _youtube(tmp_path / "youtube", name)
    write_clip(tmp_path / "one" / "JPEGImages", tmp_path / "one" / "Annotations")
    assert [clip.name for clip in clips_in(tmp_path / "davis")] == ["ant", "boat"]
    assert [clip.name for clip in clips_in(tmp_path / "youtube")] == ["ant", "boat"]
    assert [clip.name for clip in clips_in(tmp_path / "youtube", ["boat"])] == ["boat"]
    assert [clip.name for clip in clips_in(tmp_path / "one")] == ["one"]


def test_a_list_of_davis_2016_names_clips(tmp_path: Path) -> None:
    listed = tmp_path / "val.txt"
    listed.write_text(
        "/JPEGImages/480p/ant/00000.jpg /Annotations/480p/ant/00000.png \n"
        "/JPEGImages/480p/ant/00001.jpg /Annotations/480p/ant/00001.png \n"
    )
    assert _names(str(listed)) == ("ant",)


def test_pixels_of_no_object_are_no_object(tmp_path: Path) -> None:
    _youtube(tmp_path / "void", "a", shown=([1, 255], [1]))
    assert clips_in(tmp_path / "void")[0].objects == ("object1",)
    # One object in black and white, as DAVIS 2016 has it.
    _youtube(tmp_path / "mono", "a", shown=([255], [255]))
    assert clips_in(tmp_path / "mono")[0].objects == ("object255",)


def write_labels(folder: Path, images: list[np.ndarray]) -> VosClip:
    """A clip of noise with these label images, as they are."""
    _youtube(folder, "bear", shown=([],) * len(images))
    for frame, image in enumerate(images):
        Image.fromarray(image).save(folder / "Annotations" / "bear" / f"{frame:05d}.png")
    return clips_in(folder)[0]


def test_a_mask_in_colour_among_grey_ones_is_the_same_object(tmp_path: Path) -> None:
    """As ``bear/00077.png`` of the published DAVIS 2016."""
    white = np.zeros((40, 60), np.uint8)
    white[10:20, 10:20] = 255
    four = np.dstack([white, white, white, np.full_like(white, 255)])
    for name, images in (("late", [white, four, white]), ("first", [four, white]), ("all", [four, four])):
        clip = write_labels(tmp_path / name, images)
        assert clip.objects == ("object255",)
        assert [int(clip.truth(frame).sum()) for frame in clip.annotated] == [100] * len(images)
        one = DavisFootage(_as_one_clip(tmp_path / name))
        assert [int(one.truth(frame).sum()) for frame in one.annotated] == [100] * len(images)


def test_white_and_blue_among_colours_are_objects(tmp_path: Path) -> None:
    colors = np.zeros((40, 60, 3), np.uint8)
    colors[:10, :10], colors[20:30, :10], colors[:10, 20:50] = (255, 255, 255), (0, 0, 255), (90, 0, 0)
    alone = np.where((colors == 255).all(2, keepdims=True), colors, 0)
    clip = write_labels(tmp_path, [colors, alone])
    assert clip.objects == ("object1", "object2", "object3")
    assert clip.truth(1).sum((1, 2)).tolist() == [100, 300, 100]
    assert clip.truth(2).sum((1, 2)).tolist() == [0, 0, 100]


def test_void_is_neither_object_nor_ground(tmp_path: Path) -> None:
    label = np.zeros((40, 60), np.uint8)
    label[5:25, 5:25], label[10:20, 10:20] = 255, 1
    clip = write_labels(tmp_path, [label, np.minimum(label, 1)])
    truth = TrueMasks(clip)
    assert clip.objects == ("object1",) and truth.masks(1).sum() == 100
    void = truth.void(1)
    assert void is not None and void.sum() == 300 and not (void & truth.masks(1)[0]).any()
    assert truth.void(2) is None
    one = DavisFootage(_as_one_clip(tmp_path))
    assert one.objects == ("object1",) and one.void(1).sum() == 300
    # The white of black and white is the object.
    mono = write_labels(tmp_path / "mono", [np.where(label, 255, 0).astype(np.uint8)])
    assert TrueMasks(mono).void(1) is None


def _as_one_clip(folder: Path) -> Path:
    """The clip ``bear`` of a data set as a folder of its own."""
    one = folder / "one"
    for name in ("JPEGImages", "Annotations"):
        shutil.copytree(folder / name / "bear", one / name)
    return one


def test_what_does_not_fit_is_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(PlateError, match="does not hold the folders JPEGImages and Annotations"):
        clips_in(tmp_path)
    _youtube(tmp_path / "set", "ant")
    with pytest.raises(PlateError, match="no clip bee") as refused:
        clips_in(tmp_path / "set", ["bee"])
    assert "ant" in refused.value.remedy
    (tmp_path / "set" / "Annotations" / "ant" / "00009.png").touch()
    with pytest.raises(PlateError, match=r"no picture 00009\.jpg"):
        clips_in(tmp_path / "set")
    for path in (tmp_path / "set" / "Annotations" / "ant").iterdir():
        path.unlink()
    with pytest.raises(PlateError, match=r"4 pictures .* and 0 label images"):
        clips_in(tmp_path / "set")


def test_a_clip_without_objects_and_truth_of_another_size(tmp_path: Path) -> None:
    _youtube(tmp_path / "empty", "ant", shown=([], []))
    with pytest.raises(PlateError, match="shows an object"):
        print(clips_in(tmp_path / "empty")[0].objects)
    _youtube(tmp_path / "small", "ant", shown=([1],))
    Image.fromarray(np.ones((20, 30), np.uint8)).save(
        tmp_path / "small" / "Annotations" / "ant" / "00000.png"
    )
    with pytest.raises(PlateError, match="truth of frame 1 is 30x20, the plate 60x40"):
        TrueMasks(clips_in(tmp_path / "small")[0]).masks(1)
