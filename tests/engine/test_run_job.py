"""Jobs run for real: real files, the real network with untrained weights."""

import dataclasses
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from efficienttam.batch.progress import SilentProgress
from efficienttam.contract.cache_settings import CacheSettings, Storage
from efficienttam.contract.document import JobFaults, job_hash, write_job
from efficienttam.contract.errors import Cancelled, DeviceError, ExitCode, JobError, OutputError, PlateError
from efficienttam.contract.job import (
    FrameRange,
    Layout,
    Output,
    Plate,
    Precision,
    TrackedObject,
    Tracking,
)
from efficienttam.contract.passes import Direction, Recall
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.sequence import MissingFrames
from efficienttam.media import read_info, read_roto, write_matte
from efficienttam.run import preview_job, run_job
from efficienttam.weights import load

FRAMES = range(1001, 1007)


@pytest.fixture
def layered(job):
    output = Output(path="out/all.%04d.exr", layout=Layout.LAYER_PER_OBJECT)
    return dataclasses.replace(job, output=output)


class Told(SilentProgress):
    """Keeps what it is told."""

    def __init__(self):
        self.mattes = self.kept = self.done = 0
        self.files = []
        self.statuses = []
        self.passed = []

    def status(self, text):
        self.statuses.append(text)

    def visit(self, frame, view, passed):
        if passed:
            self.passed.append(frame)

    def begin(self, mattes, kept, unit="matte"):
        self.mattes, self.kept = mattes, kept

    def advance(self, frame, view, mattes):
        self.done += mattes

    def wrote(self, frame, view, path):
        self.files.append(os.path.basename(path))


def sums(folder):
    """sha256 by name of everything in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_a_file_per_object_and_frame_the_same_every_time(job, tiny_plate):
    told = Told()
    summary = run_job(job, told, folder=str(tiny_plate))
    first = sums(tiny_plate / "out")
    assert sorted(first) == [f"{name}.{frame}.exr" for name in ("hero", "sky") for frame in FRAMES]
    assert (summary.made, summary.kept, len(summary.written)) == (12, 0, 12)
    assert (told.mattes, told.done, sorted(told.files)) == (12, 12, sorted(first))

    run_job(job, folder=str(tiny_plate))
    assert sums(tiny_plate / "out") == first

    info = read_info(str(tiny_plate / "out" / "hero.1002.exr"))
    assert (info.size, info.channels, info.pixel_type) == ((96, 54), ("A",), "half")


def test_header_tells_what_made_the_matte(job, tiny_plate, random_weights):
    OpenEXR = pytest.importorskip("OpenEXR")
    run_job(job, folder=str(tiny_plate), frames=(1003, 1003))
    header = OpenEXR.File(str(tiny_plate / "out" / "sky.1003.exr")).header()
    assert header["efficienttam/job"] == job_hash(job)
    assert header["efficienttam/model"] == "efficienttam_demo"
    assert header["efficienttam/object"] == "sky"
    assert header["efficienttam/frame"] == "1003"
    assert header["efficienttam/embeddings"] == "float16"
    assert header["efficienttam/precision"] in ("float32", "bfloat16")
    assert header["efficienttam/weights"] == hashlib.sha256(random_weights.read_bytes()).hexdigest()


def with_prompts(job, *prompts):
    hero = dataclasses.replace(job.objects[0], prompts=prompts)
    return dataclasses.replace(job, objects=(hero, *job.objects[1:]))


def test_resuming_after_a_correction_makes_only_what_it_can_change(job, tiny_plate):
    words = Prompt(1001, box=(10, 10, 50, 40)), Prompt(1003, box=(12, 10, 52, 40))
    last, other = Prompt(1006, include=((40, 25),)), Prompt(1006, include=((40, 25), (42, 30)))
    run_job(with_prompts(job, *words, last), folder=str(tiny_plate))
    before = sums(tiny_plate / "out")
    changed = with_prompts(job, *words, other)
    again = run_job(changed, folder=str(tiny_plate), resume=True)
    assert sorted(map(os.path.basename, again.written)) == [
        f"hero.{frame}.exr" for frame in (1004, 1005, 1006)
    ]
    kept = {name: value for name, value in before.items() if name not in map(os.path.basename, again.written)}
    assert {name: sums(tiny_plate / "out")[name] for name in kept} == kept
    resumed = {name: read_roto(str(tiny_plate / "out" / name)) for name in before}
    run_job(changed, folder=str(tiny_plate))
    for name, matte in resumed.items():
        np.testing.assert_array_equal(read_roto(str(tiny_plate / "out" / name)), matte, err_msg=name)


@pytest.mark.long
def test_a_compiled_encoder_gives_the_same_mattes(job, tiny_plate):
    if shutil.which("g++") is None:
        pytest.skip("There is no C++ compiler on this machine.")
    exact = dataclasses.replace(job, model=dataclasses.replace(job.model, precision=Precision.FLOAT32))
    run_job(exact, folder=str(tiny_plate), frames=(1001, 1002), cache=CacheSettings())
    plain = {path: read_roto(str(path)) for path in (tiny_plate / "out").iterdir()}
    compiled = dataclasses.replace(exact, model=dataclasses.replace(exact.model, compile=True))
    write_job(compiled, str(tiny_plate / "compiled.job.json"))
    # A process of its own: the compiler loads setuptools, which minds what others loaded before.
    words = ["track", "compiled.job.json", "--frames", "1001-1002", "--cache", "off", "--progress", "none"]
    command = [sys.executable, "-m", "efficienttam", *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(command, cwd=tiny_plate, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for path, matte in plain.items():
        np.testing.assert_allclose(read_roto(str(path)), matte, atol=2e-3)


def test_a_compiler_that_is_missing_is_told(job, tiny_plate, monkeypatch):
    def broken(self, *arguments, **options):
        raise torch._dynamo.exc.BackendCompilerFailed(lambda: None, RuntimeError("no g++"), None)

    monkeypatch.setattr(load.EfficientTAM, "encode_image", broken)
    with pytest.raises(DeviceError, match="cannot be compiled") as told:
        run_job(job, folder=str(tiny_plate), cache=CacheSettings())
    assert "compile" in told.value.remedy


def test_resuming_after_an_object_was_added_keeps_the_others(job, tiny_plate):
    run_job(dataclasses.replace(job, objects=job.objects[:1]), folder=str(tiny_plate))
    again = run_job(job, folder=str(tiny_plate), resume=True)
    assert (again.made, again.kept) == (6, 6)
    assert all("sky" in path for path in again.written)


def pictures(folder):
    return {path.name: read_roto(str(path)) for path in sorted((folder / "out").iterdir())}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_parts_are_those_of_the_whole_where_everything_is_recalled(job, tiny_plate):
    every = dataclasses.replace(job, tracking=Tracking(recall=Recall.ALL))
    words = Prompt(1001, include=((30, 25),)), Prompt(1004, box=(12, 10, 52, 40))
    every = with_prompts(every, *words)
    run_job(every, folder=str(tiny_plate))
    whole = pictures(tiny_plate)
    for missing in ("hero.1006.exr", "hero.1002.exr", "sky.1001.exr"):
        os.remove(tiny_plate / "out" / missing)
        assert run_job(every, folder=str(tiny_plate), resume=True).made == 1
        assert_same(pictures(tiny_plate), whole)
    shutil.rmtree(tiny_plate / "out")
    for part in ((1005, 1006), (1001, 1002), (1003, 1004)):
        run_job(every, folder=str(tiny_plate), frames=part)
    assert_same(pictures(tiny_plate), whole)


def test_a_warm_cache_gives_the_very_pixels_of_a_cold_one(job, tiny_plate, tmp_path):
    cache = CacheSettings(str(tmp_path / "cache"), 2**28)
    run_job(job, folder=str(tiny_plate), cache=cache)
    cold = sums(tiny_plate / "out")
    run_job(job, folder=str(tiny_plate), cache=cache)
    assert sums(tiny_plate / "out") == cold


def replaced(folder, frame):
    """Another picture under the same name, older than every matte; at once, a job may be reading it."""
    path = folder / f"plate.{frame}.exr"
    shutil.copy(folder / f"plate.{2007 - frame}.exr", folder / "another.exr")
    os.utime(folder / "another.exr", (1e9, 1e9))
    os.replace(folder / "another.exr", path)


def test_a_frame_replaced_by_an_older_file_is_noticed_where_it_matters(job, tiny_plate):
    words = Prompt(1001, box=(10, 10, 50, 40)), Prompt(1003, box=(12, 10, 52, 40))
    job = with_prompts(job, *words)
    run_job(dataclasses.replace(job, objects=job.objects[:1]), folder=str(tiny_plate))
    replaced(tiny_plate, 1005)
    again = run_job(dataclasses.replace(job, objects=job.objects[:1]), folder=str(tiny_plate), resume=True)
    assert sorted(map(os.path.basename, again.written)) == ["hero.1005.exr", "hero.1006.exr"]


def test_a_frame_replaced_while_the_job_runs_is_noticed_on_resuming(job, tiny_plate):
    class Replacing(SilentProgress):
        def visit(self, frame, view, passed):
            if frame == 1003:
                replaced(tiny_plate, 1001)

    run_job(job, Replacing(), folder=str(tiny_plate))
    # All of hero, and of sky, prompted on 1003 alone, the frame itself.
    assert run_job(job, folder=str(tiny_plate), resume=True).made == 7


def test_a_frame_that_was_held_and_came_back_is_noticed(job, tiny_plate):
    held = dataclasses.replace(job, plate=dataclasses.replace(job.plate, missing=MissingFrames.HOLD))
    (tiny_plate / "plate.1005.exr").rename(tiny_plate / "aside.exr")
    run_job(with_prompts(held, Prompt(1001, box=(10, 10, 50, 40))), folder=str(tiny_plate))
    (tiny_plate / "aside.exr").rename(tiny_plate / "plate.1005.exr")
    again = run_job(
        with_prompts(held, Prompt(1001, box=(10, 10, 50, 40))), folder=str(tiny_plate), resume=True
    )
    assert {"hero.1005.exr", "hero.1006.exr"} <= set(map(os.path.basename, again.written))
    assert "hero.1004.exr" not in set(map(os.path.basename, again.written))


def test_a_range_that_shifts_the_memory_stride_is_noticed(job, tiny_plate):
    strided = dataclasses.replace(job, tracking=Tracking(memory_stride=2))
    run_job(strided, folder=str(tiny_plate))
    later = dataclasses.replace(
        with_prompts(strided, Prompt(1005, box=(10, 10, 50, 40))), objects=strided.objects[1:]
    )
    assert run_job(later, folder=str(tiny_plate), resume=True).made == 0
    later = dataclasses.replace(later, range=FrameRange(1002, 1006))
    assert run_job(later, folder=str(tiny_plate), resume=True).made == 5


def test_mattes_that_were_moved_are_kept(job, tiny_plate):
    run_job(job, folder=str(tiny_plate))
    (tiny_plate / "out").rename(tiny_plate / "moved")
    moved = dataclasses.replace(
        job, output=dataclasses.replace(job.output, path=job.output.path.replace("out", "moved", 1))
    )
    assert run_job(moved, folder=str(tiny_plate), resume=True).made == 0


def test_another_colour_configuration_is_noticed(job, tiny_plate, monkeypatch):
    run_job(job, folder=str(tiny_plate))
    monkeypatch.setenv("OCIO", "ocio://cg-config-v2.1.0_aces-v1.3_ocio-v2.3")
    assert run_job(job, folder=str(tiny_plate), resume=True).made == 12


def test_resuming_makes_everything_anew_where_everything_is_recalled(job, tiny_plate):
    every = dataclasses.replace(job, tracking=dataclasses.replace(job.tracking, recall=Recall.ALL))
    words = Prompt(1001, box=(10, 10, 50, 40)), Prompt(1003, box=(12, 10, 52, 40))
    run_job(with_prompts(every, *words), folder=str(tiny_plate))
    more = with_prompts(every, *words, Prompt(1006, box=(12, 10, 52, 40)))
    again = run_job(more, folder=str(tiny_plate), resume=True)
    assert (again.made, again.kept) == (6, 6)


def test_layers_hold_the_mattes_of_the_single_files(job, layered, tiny_plate):
    run_job(job, folder=str(tiny_plate))
    told = Told()
    run_job(layered, told, folder=str(tiny_plate))
    assert sorted(told.files) == [f"all.{frame}.exr" for frame in FRAMES]
    assert not [path for path in (tiny_plate / "out").iterdir() if path.suffix != ".exr"]
    for frame in FRAMES:
        for name in ("hero", "sky"):
            single = read_roto(str(tiny_plate / "out" / f"{name}.{frame}.exr"))
            layer = read_roto(str(tiny_plate / "out" / f"all.{frame}.exr"), f"{name}.A")
            assert np.array_equal(single, layer)


def test_an_object_that_is_not_tracked_on_a_frame_is_black_there(layered, tiny_plate):
    forward = dataclasses.replace(layered, tracking=Tracking(direction=Direction.FORWARD))
    run_job(forward, folder=str(tiny_plate))
    assert len(sums(tiny_plate / "out")) == 6
    assert not read_roto(str(tiny_plate / "out" / "all.1002.exr"), "sky.A").any()


def test_a_part_of_the_range_gives_the_same_bytes(job, tiny_plate):
    run_job(job, folder=str(tiny_plate))
    whole = sums(tiny_plate / "out")
    shutil.rmtree(tiny_plate / "out")
    run_job(job, folder=str(tiny_plate), frames=(1001, 1002))
    assert len(sums(tiny_plate / "out")) == 4
    run_job(job, folder=str(tiny_plate), frames=(1003, 1006))
    assert sums(tiny_plate / "out") == whole
    with pytest.raises(JobError, match="not in the job"):
        run_job(job, folder=str(tiny_plate), frames=(1003, 1007))


def test_frames_that_are_only_passed_are_told(job, tiny_plate):
    told = Told()
    run_job(job, told, folder=str(tiny_plate), frames=(1006, 1006))
    assert [text for text in told.statuses if text.startswith("Tracking")] == [
        "Tracking first to the frames that later prompts correct: 1005.",
        "Tracking from frame 1003 to reach frame 1006; mattes in between stay as they are.",
    ]
    assert set(told.passed) == set(FRAMES) - {1006}, "1006 gives mattes"
    told = Told()
    run_job(job, told, folder=str(tiny_plate))
    assert told.passed == [], "no frame of a whole run is only passed"

    sky = dataclasses.replace(job, objects=job.objects[1:])
    told = Told()
    run_job(sky, told, folder=str(tiny_plate), resume=True)
    assert [text for text in told.statuses if text.startswith("Tracking")] == []
    (tiny_plate / "out" / "sky.1001.exr").unlink()
    run_job(sky, told, folder=str(tiny_plate), resume=True)
    assert [text for text in told.statuses if text.startswith("Tracking")] == [
        "Tracking from frame 1003 to reach frame 1001; mattes in between stay as they are."
    ]


@pytest.mark.parametrize("kind", ["job", "layered"])
def test_resume_keeps_what_is_good_and_makes_the_rest(kind, request, tiny_plate):
    job = request.getfixturevalue(kind)
    run_job(job, folder=str(tiny_plate))
    out = tiny_plate / "out"
    whole = sums(out)
    names = sorted(whole)
    gone, cut, foreign, other = (out / name for name in (names[0], names[1], names[2], names[3]))
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-40])
    write_matte(foreign, np.zeros((54, 96), np.float32))
    write_matte(other, np.zeros((20, 20), np.float32))

    told = Told()
    summary = run_job(job, told, folder=str(tiny_plate), resume=True)
    objects = 1 if kind == "job" else 2
    assert (summary.made, summary.kept) == (4 * objects, 12 - 4 * objects)
    assert sorted(told.files) == names[:4]
    assert sums(out) == whole

    assert run_job(job, folder=str(tiny_plate), resume=True).made == 0


def test_resume_makes_anew_what_another_job_or_older_plate_made(job, tiny_plate):
    run_job(job, folder=str(tiny_plate), frames=(1001, 1002))
    hero, sky = job.objects
    moved = dataclasses.replace(sky, prompts=(Prompt(1003, box=(2, 1, 60, 20)),))
    changed = dataclasses.replace(job, objects=(hero, moved))
    assert run_job(changed, folder=str(tiny_plate), frames=(1001, 1002), resume=True).made == 2
    other = dataclasses.replace(changed, tracking=Tracking(fill_hole_area=0))
    assert run_job(other, folder=str(tiny_plate), frames=(1001, 1002), resume=True).made == 4
    assert run_job(other, folder=str(tiny_plate), frames=(1001, 1002), resume=True).made == 0
    later = os.stat(tiny_plate / "plate.1003.exr").st_mtime + 3600
    os.utime(tiny_plate / "plate.1003.exr", (later, later))
    # Not hero's on 1001, where its first prompt is: no other frame speaks there.
    assert run_job(other, folder=str(tiny_plate), frames=(1001, 1002), resume=True).made == 3


@pytest.mark.parametrize("kind", ["job", "layered"])
def test_resume_makes_anew_a_copy_of_another_frame(kind, request, tiny_plate):
    job = request.getfixturevalue(kind)
    run_job(job, folder=str(tiny_plate), frames=(1001, 1002))
    whole = sums(tiny_plate / "out")
    name = "hero" if kind == "job" else "all"
    shutil.copy(tiny_plate / "out" / f"{name}.1001.exr", tiny_plate / "out" / f"{name}.1002.exr")
    again = run_job(job, folder=str(tiny_plate), frames=(1001, 1002), resume=True)
    assert [os.path.basename(path) for path in again.written] == [f"{name}.1002.exr"]
    assert sums(tiny_plate / "out") == whole


def test_resume_makes_anew_what_other_embeddings_gave(job, tiny_plate):
    eight = CacheSettings(storage=Storage.INT8)
    run_job(job, folder=str(tiny_plate), frames=(1001, 1002))
    assert run_job(job, folder=str(tiny_plate), frames=(1001, 1002), resume=True, cache=eight).made == 4
    assert run_job(job, folder=str(tiny_plate), frames=(1001, 1002), resume=True, cache=eight).made == 0
    assert run_job(job, folder=str(tiny_plate), frames=(1001, 1002), resume=True).made == 4


@pytest.mark.parametrize(("wish", "made"), [(Precision.AUTO, 0), (Precision.FLOAT32, 1)])
def test_only_a_precision_that_the_job_names_must_match(wish, made, job, tiny_plate, monkeypatch):
    model = dataclasses.replace(job.model, precision=wish)
    job = dataclasses.replace(job, model=model, objects=job.objects[:1])
    for precision in (torch.bfloat16, torch.float32):
        monkeypatch.setattr(load, "choose_precision", lambda *_, precision=precision: precision)
        summary = run_job(job, folder=str(tiny_plate), frames=(1001, 1001), resume=True)
    assert summary.made == made


@pytest.mark.parametrize("kind", ["job", "layered"])
def test_stopping_leaves_complete_files_and_resume_finishes(kind, request, tiny_plate):
    job = request.getfixturevalue(kind)
    asked = itertools.count(1)

    def stop():
        # Files are written behind: the tracker is held until one is there, however slow the machine is.
        until = time.monotonic() + (0.5 if next(asked) > 8 else 0)
        while not (there := any((tiny_plate / "out").glob("[!.]*.exr"))) and time.monotonic() < until:
            time.sleep(0.01)
        return there

    with pytest.raises(Cancelled):
        run_job(job, folder=str(tiny_plate), stop=stop)
    stopped = sums(tiny_plate / "out")
    # What was being written behind was finished.
    assert stopped
    assert all(name.endswith(".exr") and not name.startswith(".") for name in stopped)

    run_job(job, folder=str(tiny_plate), resume=True)
    finished = sums(tiny_plate / "out")
    assert len(stopped) < len(finished)
    assert {name: finished[name] for name in stopped} == stopped
    shutil.rmtree(tiny_plate / "out")
    run_job(job, folder=str(tiny_plate))
    assert sums(tiny_plate / "out") == finished


def test_prompts_outside_the_plate_are_all_found_before_anything_is_made(job, tiny_plate):
    words = (Prompt(1001, include=((30, 25), (96, 3), (3, 54))), Prompt(1004, exclude=((1, -0.5),)))
    boxed = (Prompt(1003, box=(100, 1, 160, 20)),)
    wrong = dataclasses.replace(job, objects=(TrackedObject("hero", words), TrackedObject("sky", boxed)))
    with pytest.raises(JobFaults) as caught:
        run_job(wrong, folder=str(tiny_plate))
    assert [fault.place for fault in caught.value.faults] == [
        "objects[0].prompts[0].include[1]",
        "objects[0].prompts[0].include[2]",
        "objects[0].prompts[1].exclude[0]",
        "objects[1].prompts[0].box",
    ]
    assert caught.value.exit_code is ExitCode.USAGE
    assert "x is 0 to less than 96, y 0 to less than 54" in str(caught.value)
    assert not (tiny_plate / "out").exists()


def test_a_roto_of_another_size_is_found_before_anything_is_made(job, tiny_plate):
    write_matte(tiny_plate / "roto.exr", np.ones((27, 48), np.float32))
    drawn = (TrackedObject("hero", (Prompt(1002, mask=RotoFile("roto.exr")),)),)
    wrong = dataclasses.replace(job, objects=drawn)
    with pytest.raises(JobFaults) as caught:
        run_job(wrong, folder=str(tiny_plate))
    (fault,) = caught.value.faults
    assert fault.place == "objects[0].prompts[0].mask.path" and fault.exit_code is ExitCode.INPUT
    assert fault.message.endswith("roto.exr is 48x27 pixels; 96x54 was expected.")
    assert not (tiny_plate / "out").exists()


def test_roto_softness_survives_on_its_frame(job, tiny_plate):
    ramp = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (54, 1))
    write_matte(tiny_plate / "roto.exr", ramp)
    drawn = (TrackedObject("hero", (Prompt(1002, mask=RotoFile("roto.exr")),)),)
    one = dataclasses.replace(job, objects=drawn, output=Output(path="out/hero.%04d.exr"))
    run_job(one, folder=str(tiny_plate), frames=(1002, 1003))
    assert np.abs(read_roto(str(tiny_plate / "out" / "hero.1002.exr")) - ramp).max() < 1e-3

    assert run_job(one, folder=str(tiny_plate), frames=(1002, 1003), resume=True).made == 0
    write_matte(tiny_plate / "roto.exr", 1 - ramp)
    assert run_job(one, folder=str(tiny_plate), frames=(1002, 1003), resume=True).made == 2


def test_views_run_each_with_their_own_files(job, tiny_plate):
    for view in ("left", "right"):
        (tiny_plate / view).mkdir()
        for frame in (1001, 1002):
            shutil.copy(tiny_plate / f"plate.{frame}.exr", tiny_plate / view)
    stereo = dataclasses.replace(
        job,
        plate=Plate(path="%V/plate.%04d.exr"),
        objects=(TrackedObject("hero", (Prompt(1001, include=((30, 25),)),)),),
        output=Output(path="%V/hero.%04d.exr"),
        views=("left", "right"),
    )
    assert run_job(stereo, folder=str(tiny_plate)).made == 4
    left, right = (tiny_plate / view / "hero.1002.exr" for view in ("left", "right"))
    assert np.array_equal(read_roto(str(left)), read_roto(str(right)))
    shutil.copy(left, right)
    again = run_job(stereo, folder=str(tiny_plate), resume=True)
    assert (again.made, again.kept) == (1, 3), "a matte of the other view is not this view's"


@pytest.mark.parametrize("policy", [MissingFrames.HOLD, MissingFrames.BLACK])
def test_missing_frames_are_held_or_black(job, tiny_plate, policy):
    (tiny_plate / "plate.1002.exr").unlink()
    with pytest.raises(JobFaults, match="Frame 1002 is missing"):
        run_job(job, folder=str(tiny_plate))
    lenient = dataclasses.replace(job, plate=dataclasses.replace(job.plate, missing=policy))
    assert run_job(lenient, folder=str(tiny_plate), frames=(1001, 1003)).made == 6


def test_nothing_can_be_pointed_at_where_black_stands_in(job, tiny_plate):
    frame = job.objects[0].prompts[0].frame
    (tiny_plate / f"plate.{frame}.exr").unlink()
    plate = dataclasses.replace(job.plate, missing=MissingFrames.BLACK)
    black = dataclasses.replace(job, plate=plate, range=FrameRange(frame, frame + 2))
    with pytest.raises(JobFaults, match=f"Frame {frame} is not on disk, and black stands in for it"):
        run_job(black, folder=str(tiny_plate))


def test_unreadable_plate_and_unwritable_output(job, tiny_plate):
    (tiny_plate / "plate.1004.exr").write_bytes((tiny_plate / "plate.1004.exr").read_bytes()[:400])
    with pytest.raises(PlateError) as caught:
        run_job(job, folder=str(tiny_plate))
    assert caught.value.exit_code is ExitCode.INPUT

    shutil.copy(tiny_plate / "plate.1003.exr", tiny_plate / "plate.1004.exr")
    (tiny_plate / "out" / "sky.1003.exr").unlink(missing_ok=True)
    (tiny_plate / "out" / "sky.1003.exr").mkdir(parents=True)
    with pytest.raises(OutputError):
        run_job(job, folder=str(tiny_plate))


def test_preview_is_the_frame_that_tracking_shows(job, tiny_plate):
    run_job(job, folder=str(tiny_plate))
    picture, mattes = preview_job(job, 1002, folder=str(tiny_plate))
    assert picture.shape == (54, 96, 3) and sorted(mattes) == ["hero", "sky"]
    written = read_roto(str(tiny_plate / "out" / "hero.1002.exr"))
    assert np.abs(mattes["hero"] - written).max() < 1e-3
    with pytest.raises(JobError, match="not in the job"):
        preview_job(job, 1, folder=str(tiny_plate))
    with pytest.raises(JobError, match="no view"):
        preview_job(job, 1002, folder=str(tiny_plate), view="left")


def test_range_is_the_jobs_own(job, tiny_plate):
    short = dataclasses.replace(job, range=FrameRange(1001, 1005), tracking=Tracking(non_overlapping=True))
    run_job(short, folder=str(tiny_plate), frames=(1004, 1005))
    hero, sky = (read_roto(str(tiny_plate / "out" / f"{name}.1004.exr")) for name in ("hero", "sky"))
    assert (hero + sky).max() <= 1.001
