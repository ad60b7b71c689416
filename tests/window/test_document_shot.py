"""The job document behind the window: written on every change, read back with its prompts."""

from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.document import read_job, to_json, write_job
from efficienttam.contract.job import Output, Plate, TrackedObject, TrackJob
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Follow, Region, RegionBox
from efficienttam.window.bounded_store import BoundedStore
from efficienttam.window.document_shot import DocumentShot, sheet_of
from efficienttam.window.shot_edits import ShotEdits

EMPTY = TrackJob(plate=Plate(path="plate.%04d.exr"), objects=(), output=Output(path="m/{object}.%04d.exr"))


def test_the_document_follows_the_sheet_and_comes_back(tmp_path):
    path = tmp_path / "hero.job.json"
    shot = DocumentShot(str(path), EMPTY)
    edits = ShotEdits(shot.sheet, 1001)
    edits.add_object()
    shot.set_sheet(edits.sheet, "Add")
    assert not path.exists()
    edits.click(3, 4, True)
    shot.set_sheet(edits.sheet, "Click")
    hero = TrackedObject("object1", (Prompt(1001, include=((3, 4),)),))
    assert read_job(str(path)).objects == (hero,)
    assert path.read_text() == to_json(read_job(str(path)))
    again = DocumentShot(str(path), read_job(str(path)))
    assert again.sheet.tracked() == edits.sheet.tracked()
    assert again.open_plate().plate == EMPTY.plate and again.folder == str(tmp_path)


def test_what_cannot_be_tracked_yet_is_not_written(tmp_path):
    path = tmp_path / "hero.job.json"
    shot = DocumentShot(str(path), EMPTY)
    edits = ShotEdits(shot.sheet, 1001)
    edits.click(3, 4, True)
    shot.set_sheet(edits.sheet, "Click")
    written = path.read_text()
    edits.add_object()
    edits.click(9, 9, False)
    shot.set_sheet(edits.sheet, "Click")
    assert path.read_text() == written and shot.sheet == edits.sheet


def test_a_document_that_is_gone_is_written_again(tmp_path):
    shot = DocumentShot(str(tmp_path / "a.json"), EMPTY)
    edits = ShotEdits(shot.sheet, 1)
    edits.click(3, 4, True)
    shot.set_sheet(edits.sheet, "Click")
    (tmp_path / "a.json").unlink()
    shot.set_sheet(edits.sheet, "Click")
    assert read_job(str(tmp_path / "a.json")).objects


def test_a_document_is_written_only_when_it_says_something_else(tmp_path):
    written = []
    shot = DocumentShot(
        str(tmp_path / "a.json"), EMPTY, write=lambda job, path: (written.append(job), write_job(job, path))
    )
    edits = ShotEdits(shot.sheet, 1)
    edits.click(3, 4, True)
    shot.set_sheet(edits.sheet, "Click")
    shot.set_sheet(edits.sheet.shown(edits.current, mute=True), "Mute")
    assert len(written) == 1


def test_objects_and_the_order_of_their_prompts_survive():
    prompts = (Prompt(9, include=((1, 1),)), Prompt(2, exclude=((5, 5),)), Prompt(4, box=(0, 0, 3, 3)))
    region = Region(Follow.DRAWN, boxes=(RegionBox(3, (0, 0, 9, 9)),))
    objects = (TrackedObject("b", prompts, region), TrackedObject("a", prompts[:1]))
    assert sheet_of(TrackJob(EMPTY.plate, objects, EMPTY.output)).tracked() == objects


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=40), st.integers(1, 100))
def test_a_store_keeps_its_bound_and_its_newest(things, most):
    store = BoundedStore(most)
    for key, size in things:
        store.put(key, (key, size), size)
        assert store.get(key) == (key, size)
        assert store.bytes <= most or len(store.keys()) == 1
    assert store.bytes == sum(store.get(key)[1] for key in store.keys())
