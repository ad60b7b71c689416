"""Every choice of a job arrives where it is acted on, and every option of ``matte`` in its place in a job."""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import typing
from pathlib import Path

import numpy as np
import pytest

from efficienttam.batch.open_job import tracker_options
from efficienttam.batch.progress import SilentProgress
from efficienttam.cli import build_parser, main
from efficienttam.contract.job import Tracking, TrackJob
from efficienttam.contract.passes import Direction
from efficienttam.media import write_matte
from efficienttam.run import run_job
from efficienttam.tracking import TrackerOptions
from efficienttam.tracking.range_tracker import RangeTracker
from efficienttam.tracking.video_tracker import VideoTracker

#: What is said of a range or of the plate: the tracker is told in other ways.
SAID_OTHERWISE = {"direction", "border"}


def another(name: str) -> object:
    """A value of a field of ``Tracking`` that is not its default."""
    kind, default = typing.get_type_hints(Tracking)[name], getattr(Tracking(), name)
    if isinstance(default, bool):
        return not default
    if isinstance(default, enum.Enum):
        return next(member for member in type(default) if member is not default)
    if kind is float:
        return default + 0.25
    assert kind in (int, int | None), f"Tell which value of {name} to try."
    return (default or 0) + 3


def all_changed() -> Tracking:
    return Tracking(**{field.name: another(field.name) for field in dataclasses.fields(Tracking)})


def test_every_choice_of_tracking_becomes_an_option_of_the_tracker() -> None:
    wish = all_changed()
    options = tracker_options(wish)
    for field in dataclasses.fields(Tracking):
        assert getattr(wish, field.name) != getattr(Tracking(), field.name)
        if field.name not in SAID_OTHERWISE:
            assert getattr(options, field.name) == getattr(wish, field.name), field.name
            assert getattr(options, field.name) != getattr(TrackerOptions(), field.name), field.name


def test_every_choice_of_tracking_reaches_the_tracker_of_a_job(
    job: TrackJob, tiny_plate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[TrackerOptions, Direction, tuple[int, int]]] = []

    class Watched(RangeTracker):
        def __init__(self, tracker: VideoTracker, first, last, direction: Direction, *more) -> None:
            seen.append((tracker.options, direction, tracker.plate.size))
            super().__init__(tracker, first, last, direction, *more)

    monkeypatch.setattr("efficienttam.tracking.video_tracker.RangeTracker", Watched)
    wish = all_changed()
    run_job(dataclasses.replace(job, tracking=wish), SilentProgress(), folder=str(tiny_plate))
    with_border = (96 + 2 * 24, 54 + 2 * round(54 * wish.border))
    assert seen == [(tracker_options(wish), wish.direction, with_border)]


#: Words of ``matte`` -> where they stand in the saved job, and as what.
PLACES = {
    "--recall all": ("tracking.recall", "all"),
    "--between forward": ("tracking.between", "forward"),
    "--direction backward": ("tracking.direction", "backward"),
    "--non-overlapping": ("tracking.non_overlapping", True),
    "--border 0.125": ("tracking.border", 0.125),
    "--plate-layer G": ("plate.layer", "G"),
    "--color-space ACEScg": ("plate.color_space", "ACEScg"),
    "--ocio ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1": (
        "plate.ocio_config",
        "ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1",
    ),
    "--missing hold": ("plate.missing", "hold"),
    "--missing black": ("plate.missing", "black"),
    "--views left,right": ("views", ["left", "right"]),
    "--frames 1001-1003": ("range", {"first": 1001, "last": 1003}),
    "--layers": ("output.layout", "layer_per_object"),
    "--cryptomatte": ("output.layout", "cryptomatte"),
    "--layer hero.core": ("output.layer", "hero.core"),
    "--compression piz": ("output.compression", "piz"),
    "--depth float": ("output.depth", "float"),
    "--data-window content": ("output.data_window", "content"),
    "--plate-metadata all": ("output.plate_metadata", "all"),
    "--plate-metadata none": ("output.plate_metadata", "none"),
    "--weights my.pt": ("model.weights", "my.pt"),
    "--model efficienttam_ti --weights my.pt": ("model.name", "efficienttam_ti"),
    "--device cpu": ("model.device", "cpu"),
    "--precision bfloat16": ("model.precision", "bfloat16"),
    "--threads 3": ("model.threads", 3),
    "--softness 2.5": ("mattes.softness", 2.5),
    "--refine unmix": ("mattes.refine", "unmix"),
    "--refine unmix --refine-band 30": ("mattes.refine_band", 30.0),
    "--fill-holes 9": ("mattes.fill_holes", 9),
    "--remove-specks 8": ("mattes.remove_specks", 8),
    "--keep-largest": ("mattes.keep_largest", True),
    "--steady 2": ("mattes.steady_frames", 2),
    "--roto-blend 5": ("mattes.roto_blend", 5),
    "--object car --point 1002:5,6": ("objects.1.name", "car"),
    "--point 1002:5,6": ("objects.0.prompts.1.include", [[5.0, 6.0]]),
    "--exclude 1001:5,6": ("objects.0.prompts.0.exclude", [[5.0, 6.0]]),
    "--box 1002:1,2,30,40": ("objects.0.prompts.1.box", [1.0, 2.0, 30.0, 40.0]),
    "--mask 1002:roto.exr": ("objects.0.prompts.1.mask", {"path": "roto.exr"}),
    "--region track": ("objects.0.region.follow", "track"),
    "--region track --region-padding 0.75": ("objects.0.region.padding", 0.75),
}
#: How it runs, which no job tells.
OF_THE_RUN = {"--help", "--debug", "--resume", "--progress", "--save-job", "--no-track", "--dry-run"}
OF_THE_RUN |= {"--cache", "--cache-size", "--cache-identity", "--embeddings"}


@pytest.fixture
def shelf(tiny_plate: Path, weights_at_hand: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny_plate)
    Path("my.pt").touch()
    write_matte("roto.exr", np.ones((54, 96), np.float32))
    for view in ("left", "right"):
        os.mkdir(view)
        for frame in range(1001, 1007):
            os.link(f"plate.{frame}.exr", f"{view}/plate.{frame}.exr")
    return tiny_plate


def saved(words: str) -> dict:
    together = "--layers" in words or "--cryptomatte" in words
    out = f"out/{'%V' if '--views' in words else ''}/{'all' if together else '{object}'}.%04d.exr"
    plate = f"{'%V/' if '--views' in words else ''}plate.%04d.exr"
    line = ["matte", plate, "--point", "1001:30,25", "--out", out, *words.split()]
    assert main([*line, "--save-job", "it.json", "--no-track"]) == 0
    return json.loads(Path("it.json").read_text())


def at(document: typing.Any, place: str) -> object:
    for step in place.split("."):
        document = document[int(step)] if isinstance(document, list) else document.get(step)
    return document


@pytest.mark.parametrize("words", PLACES)
def test_an_option_of_matte_has_its_place_in_the_job(words: str, shelf: Path) -> None:
    place, value = PLACES[words]
    assert at(saved(words), place) == value


def test_no_option_of_matte_is_left_out_above() -> None:
    (commands,) = (action for action in build_parser()._actions if isinstance(action.choices, dict))
    options = {flag for action in commands.choices["matte"]._actions for flag in action.option_strings}
    tried = set(re.findall(r"--[a-z-]+", " ".join(PLACES)))
    assert {flag for flag in options if flag.startswith("--")} == tried | OF_THE_RUN | {"--out"}
