"""Parts of a job, done by themselves, give the very files of the whole job."""

import dataclasses

import pytest
from small_shots import FRAMES, SHAPED, another_place, small_job, sums, write_plate

from efficienttam.batch.progress import SilentProgress
from efficienttam.batch.track_records import remove_records
from efficienttam.contract.cache_settings import CacheSettings
from efficienttam.contract.document import resolve
from efficienttam.contract.errors import IncompleteError, JobError, OutputError
from efficienttam.contract.job import Depth, Layout, Output, Plate, TrackedObject, Tracking
from efficienttam.contract.passes import Between, Direction, Recall
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Follow, Region
from efficienttam.farm.run_task import run_task
from efficienttam.farm.task import Step, Task
from efficienttam.run import Records, run_job
from efficienttam.weights.load import load_model


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plates")
    for view in ("", "left", "right"):
        write_plate(folder, view)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return CacheSettings(str(tmp_path_factory.mktemp("embeddings")), 2**30)


@pytest.fixture(scope="module")
def network():
    model = load_model(device="cpu", precision="auto", threads=1)
    return lambda wish, tell: model


def raw(folder):
    return {path.name: path.read_bytes() for path in (folder / "out").iterdir() if path.suffix == ".exr"}


LAYERS = Output("out/all.%04d.exr", layout=Layout.LAYER_PER_OBJECT)
TRACKED = Region(Follow.TRACK)
DISC, SQUARE = small_job().objects
LATER = dataclasses.replace(SQUARE, prompts=(Prompt(1004, box=(62, 30, 80, 50)),))
JOBS = {
    "a file each": small_job(),
    "prompted apart": small_job(objects=(DISC, LATER), mattes=SHAPED),
    "steadied and refined": small_job(mattes=SHAPED),
    "apart in one file": small_job(output=LAYERS, tracking=Tracking(non_overlapping=True), mattes=SHAPED),
    "backward": small_job(
        tracking=Tracking(direction=Direction.BACKWARD, non_overlapping=True), mattes=SHAPED
    ),
    "blended": small_job(tracking=Tracking(between=Between.BLEND)),
    "all recalled": small_job(tracking=Tracking(recall=Recall.ALL)),
    "in regions": small_job(
        objects=tuple(dataclasses.replace(thing, region=TRACKED) for thing in (DISC, SQUARE)),
        tracking=Tracking(non_overlapping=True),
    ),
    "two views": small_job(
        plate=Plate("plate.%V.%04d.exr"), views=("left", "right"), output=Output("out/{object}.%V.%04d.exr")
    ),
}


#: Jobs whose kinds the others hold together; they take long, and run when asked for.
LONG = ("blended", "all recalled", "backward", "prompted apart")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in JOBS]
)
def test_records_and_mattes_in_chunks_are_the_whole_job(name, plates, cache, network, tmp_path):
    job = JOBS[name]
    whole, parts = another_place(plates, tmp_path / "whole"), another_place(plates, tmp_path / "parts")
    run_job(job, folder=str(whole), cache=cache, load=network)
    how = {"folder": str(parts), "cache": cache, "resume": True, "exact": True}
    for view in job.views or ("",):
        for frames in ((1005, 1008), (1001, 1004)):
            run_job(job, frames=frames, view=view, records=Records.LEAVE, load=network, **how)
        assert raw(parts) == {} or view == "right"
        for frames in ((1004, 1006), (1001, 1003), (1007, 1008)):
            run_job(job, frames=frames, view=view, records=Records.USE, load=None, **how)
    assert raw(parts) == raw(whole)
    again = run_job(job, records=Records.LEAVE, load=network, **how)
    assert again.made == 0


@pytest.mark.parametrize("name", ["a file each", "steadied and refined", "two views"])
def test_spans_of_some_objects_and_one_view_are_the_whole_job(name, plates, cache, network, tmp_path):
    job = JOBS[name]
    whole, parts = another_place(plates, tmp_path / "whole"), another_place(plates, tmp_path / "parts")
    run_job(job, folder=str(whole), cache=cache, load=network)
    how = {"folder": str(parts), "cache": cache, "load": network, "resume": True, "exact": True}
    for view in job.views or ("",):
        run_job(job, frames=(1006, 1008), view=view, **how)
        run_job(job, frames=(1001, 1005), view=view, objects=("disc", "square"), **how)
    assert raw(parts) == raw(whole)


def test_what_is_left_is_made_as_in_a_whole_run(plates, cache, network, tmp_path):
    """Also where only one of two objects that went together is left: alone its last bits would differ."""
    job = dataclasses.replace(JOBS["a file each"], output=Output("out/{object}.%04d.exr", depth=Depth.FLOAT))
    folder = another_place(plates, tmp_path / "shot")
    run_job(job, folder=str(folder), cache=cache, load=network)
    before = raw(folder)
    for gone in (["disc.1003.exr"], ["square.1008.exr"], ["square.1002.exr", "disc.1008.exr"]):
        for name in gone:
            (folder / "out" / name).unlink()
        run_job(job, folder=str(folder), cache=cache, load=network, resume=True, exact=True)
        assert raw(folder) == before


def test_records_that_cannot_be_used_are_named_with_the_task_that_makes_them(
    plates, cache, network, tmp_path
):
    folder = another_place(plates, tmp_path / "shot")
    job = JOBS["steadied and refined"]
    how = {"folder": str(folder), "cache": cache, "resume": True, "exact": True}
    mattes = {**how, "records": Records.USE, "frames": (1003, 1005)}
    with pytest.raises(IncompleteError, match=r"disc, square on 1002-1006 is missing") as missing:
        run_job(job, **mattes)
    assert "--step track --frames 1002-1006 --objects disc,square --records" in missing.value.remedy
    assert raw(folder) == {}

    run_job(job, records=Records.LEAVE, load=network, **how)
    records = folder / "out" / ".efficienttam"
    assert len(list(records.iterdir())) == 2 * len(FRAMES)
    whole = (records / "disc.1004.exr.disc.record").read_bytes()
    (records / "disc.1004.exr.disc.record").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IncompleteError, match="on 1004 is damaged"):
        run_job(job, **mattes)
    (records / "disc.1004.exr.disc.record").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(IncompleteError, match="on 1004 is damaged"):
        run_job(job, **mattes)
    other = dataclasses.replace(job, tracking=dataclasses.replace(job.tracking, fill_hole_area=0))
    with pytest.raises(IncompleteError, match=r"on 1002-1006 is .*of another job"):
        run_job(other, **mattes)
    assert raw(folder) == {}

    assert run_job(job, records=Records.LEAVE, load=network, **how).made == 1
    assert run_job(job, **mattes).made == 6


def test_other_shaping_needs_no_other_records(plates, cache, network, tmp_path):
    folder = another_place(plates, tmp_path / "shot")
    how = {"folder": str(folder), "cache": cache, "resume": True, "exact": True}
    run_job(JOBS["a file each"], records=Records.LEAVE, load=network, **how)
    run_job(JOBS["steadied and refined"], records=Records.USE, **how)
    assert len(raw(folder)) == 16


def test_no_record_is_made_for_mattes_that_are_there(plates, cache, network, tmp_path):
    folder = another_place(plates, tmp_path / "shot")
    job = JOBS["steadied and refined"]
    how = {"folder": str(folder), "cache": cache, "load": network}
    run_job(job, **how)
    assert run_job(job, records=Records.LEAVE, resume=True, exact=True, **how).made == 0
    (folder / "out" / "disc.1006.exr").unlink()
    # The matte lies in another span, and is steadied by the last frame of this one.
    summary = run_job(job, records=Records.LEAVE, resume=True, exact=True, frames=(1001, 1005), **how)
    assert summary.made == 1 and summary.written[0].endswith("disc.1005.exr.disc.record")


def test_removing_records_leaves_those_of_another_job(plates, cache, network, tmp_path):
    folder = another_place(plates, tmp_path / "shot")
    job = JOBS["a file each"]
    other = dataclasses.replace(job, output=Output("out/other_{object}.%04d.exr"))
    how = {"folder": str(folder), "cache": cache, "load": network, "records": Records.LEAVE}
    run_job(job, **how)
    run_job(other, **how)
    records = folder / "out" / ".efficienttam"
    (records / ".disc.1004.exr.disc.record.4711.0123456789ab.tmp").write_bytes(b"cut sh")
    (folder / "out" / ".disc.1004.exr.1.0123456789ab.tmp").write_bytes(b"cut sh")
    others = {".disc.1044.exr.1.0123456789ab.tmp", ".disc.1004.exr.tmp"}
    for name in others:
        (folder / "out" / name).touch()
    ranges = {"": (FRAMES[0], FRAMES[-1])}
    removed = remove_records(resolve(job, str(folder)).output, ["disc", "square"], ranges)
    assert (removed.records, removed.unfinished) == (16, 2) and removed.size > 0
    assert {path.name for path in (folder / "out").iterdir()} == {".efficienttam", *others}
    assert {path.name[:6] for path in records.iterdir()} == {"other_"}
    remove_records(resolve(other, str(folder)).output, ["disc", "square"], ranges)
    assert not records.exists()


def test_parts_that_cannot_be_are_refused(plates, tmp_path):
    folder = str(another_place(plates, tmp_path / "shot"))
    with pytest.raises(JobError, match="no view 'left'"):
        run_job(small_job(), folder=folder, view="left")
    with pytest.raises(JobError, match="no object 'dics'"):
        run_job(small_job(), folder=folder, objects=("dics",))
    for name in ("apart in one file", "backward"):
        with pytest.raises(JobError, match="left out"):
            run_job(JOBS[name], folder=folder, objects=("disc",))


def test_regions_are_found_once_for_all_tasks(plates, cache, tmp_path, monkeypatch):
    folder = another_place(plates, tmp_path / "shot")
    job = JOBS["in regions"]
    how = {"folder": str(folder), "cache": cache, "stop": lambda: False}
    with pytest.raises(IncompleteError, match="first pass") as lacking:
        run_job(job, records=Records.USE, folder=str(folder), cache=cache)
    assert "--step regions" in lacking.value.remedy

    run_task(Task(Step.REGIONS, (1001, 1008)), job, SilentProgress(), **how)
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        ".disc.region.json",
        ".square.region.json",
    ]
    monkeypatch.setattr("efficienttam.farm.run_task.OpenJob.model", property(lambda opened: 1 / 0))
    run_task(Task(Step.REGIONS, (1001, 1008)), job, SilentProgress(), **how)

    (folder / "out" / ".disc.region.json").unlink()
    (folder / "out" / ".disc.region.json").mkdir()
    monkeypatch.undo()
    with pytest.raises(OutputError, match="cannot be kept beside the mattes"):
        run_task(Task(Step.REGIONS, (1001, 1008)), job, SilentProgress(), **how)


def test_one_file_for_the_prompted_roto(plates, cache, network, tmp_path):
    """A matte that is drawn is drawn by a task that never ran the network too."""
    from efficienttam.contract.prompts import RotoFile
    from efficienttam.media import read_roto, write_matte

    folder = another_place(plates, tmp_path / "shot")
    roto = read_roto(str(folder / "plate.1001.exr"), "R")
    write_matte(folder / "roto.1001.exr", roto)
    hero = TrackedObject("disc", (Prompt(1001, mask=RotoFile("roto.%04d.exr")),))
    job = small_job(objects=(hero,), mattes=dataclasses.replace(SHAPED, roto_blend=3))
    how = {"folder": str(folder), "cache": cache}
    run_job(job, load=network, **how)
    before = raw(folder)
    run_job(job, records=Records.LEAVE, load=network, **how)
    run_job(job, records=Records.USE, **how)
    assert raw(folder) == before
    assert sums(folder / "out").keys() == before.keys()
