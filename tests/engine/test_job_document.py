"""The job document: canonical bytes, every fault at once, what its hash stands for."""

import dataclasses
import json

import pytest

from efficienttam.contract.document import (
    JobFaults,
    examine,
    from_json,
    job_hash,
    read_job,
    resolve,
    to_json,
    write_job,
)
from efficienttam.contract.errors import ExitCode, JobError, OutputError
from efficienttam.contract.job import FrameRange, Model, Output, Plate, TrackedObject, TrackJob
from efficienttam.contract.passes import Direction
from efficienttam.contract.prompts import Prompt, RotoFile

JOB = TrackJob(
    plate=Plate(path="plate.%04d.exr"),
    objects=(
        TrackedObject(
            "hero",
            (
                Prompt(1001, include=((812, 430.5),), exclude=((640, 700),)),
                Prompt(1020, box=(1, 2, 3, 4), mask=RotoFile("roto.%04d.exr")),
            ),
        ),
    ),
    output=Output(path="hero.%04d.exr"),
    range=FrameRange(1001, 1048),
)


def places(text):
    with pytest.raises(JobFaults) as caught:
        from_json(text)
    return [fault.place for fault in caught.value.faults]


def changed(**values):
    return json.dumps({**json.loads(to_json(JOB)), **values})


def test_round_trip_gives_the_same_bytes():
    assert from_json(to_json(JOB)) == JOB
    assert to_json(from_json(to_json(JOB))) == to_json(JOB)


def test_order_and_spelling_of_the_input_do_not_matter():
    shuffled = dict(reversed(json.loads(to_json(JOB)).items()))
    text = json.dumps(shuffled, indent=7).replace("812,", "812.0,")
    assert to_json(from_json(text)) == to_json(JOB)


def test_points_stay_on_one_line():
    assert '"include": [[812, 430.5]]' in to_json(JOB)


def test_every_fault_at_once_with_its_place():
    text = """{
      "version": 1,
      "plate": {"pth": "a.%04d.exr", "layer": 3},
      "objects": [
        {"name": "hero", "prompts": [
          {"frame": 1001, "exclude": [[1, 2.5, 3]], "box": [4, 4, 1, 1]},
          {"frame": 1001},
          {"frame": 1002, "include": [[1, NaN]]}]},
        {"name": "Hero", "prompts": [
          {"frame": 7, "exclude": [[1, 2]]},
          {"frame": 7, "exclude": [[1, 2]]}]}],
      "output": {"path": "h.exr"},
      "range": {"first": 9, "last": "x"},
      "modle": 3
    }"""
    assert places(text) == [
        "modle",
        "plate.pth",
        "plate.path",
        "plate.layer",
        "objects[0].prompts[0].exclude[0]",
        "objects[0].prompts[0].box",
        "objects[0].prompts[1]",
        "objects[0].prompts[2].include[0][1]",
        "range.last",
        "objects[1].name",
        "objects[1].prompts[0]",
        "objects[1].prompts[1].frame",
        "objects[1].prompts[0].frame",
        "objects[1].prompts[1].frame",
        "output.path",
        "output.path",
    ]


def test_a_fault_names_the_nearest_word():
    with pytest.raises(JobFaults, match="Did you mean 'tracking'"):
        from_json(changed(trackin={}))
    with pytest.raises(JobFaults, match="Did you mean 'forward'"):
        from_json(changed(tracking={"direction": "forwards"}))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ""),
        ("[]", ""),
        ("{", ""),
        ("[" * 100000, ""),
        (changed(version=2), "version"),
        (changed(version="1"), "version"),
        (changed(version=True), "version"),
        (changed(objects=[]), "objects"),
        (changed(objects={}), "objects"),
        (changed(views=["left", "left"]), "views[1]"),
        (changed(views="left"), "views"),
        (changed(range={"first": 9, "last": 8}), "range.last"),
        (changed(model={"device": "gpu"}), "model.device"),
        (changed(model={"threads": -1}), "model.threads"),
        (changed(model={"threads": 1.5}), "model.threads"),
        (changed(model={"name": ""}), "model.name"),
        (changed(plate={"path": "a\n.exr"}), "plate.path"),
        (changed(plate={"path": "%V.%04d.exr"}), "views"),
        (changed(output={"path": "hero.%04d.jpg"}), "output.path"),
        (changed(output={"path": "{object}.%04d.exr", "layout": "layer_per_object"}), "output.path"),
        (changed(output={"path": "hero.%04d.exr", "layer": "a b"}), "output.layer"),
        (changed(tracking={"memory_stride": 0}), "tracking.memory_stride"),
        (to_json(JOB).replace('"version": 1', '"version": 1, "version": 1'), "version"),
        (to_json(JOB).replace("812", "1e999"), "objects[0].prompts[0].include[0][0]"),
        (to_json(JOB).replace("812", "1" * 400), "objects[0].prompts[0].include[0][0]"),
        (to_json(JOB).replace('"hero"', '"her\\ud800"'), "objects[0].name"),
    ],
)
def test_refused(text, place):
    assert place in places(text)


def test_what_is_no_job_is_told_in_plain_words():
    for text, told in (
        ("[" * 100000, "This is nested too deep to be a job. Write only the fields of a job."),
        (changed(version="1"), "'1' is not a version number. Write a whole number without quotes."),
        (to_json(JOB).replace("812", '"812"'), "'812' is not a number. Write a number without quotes."),
    ):
        _, (fault,) = examine(text)
        assert f"{fault.message} {fault.remedy}" == told


def test_a_newer_version_is_refused_and_nothing_else_is_said():
    assert places(changed(version=2, whatever=1)) == ["version"]


def test_two_views_need_a_place_each():
    assert places(changed(views=["left", "right"])) == ["output.path"]


def test_hash_is_of_what_makes_the_matte():
    def same(**values):
        return job_hash(dataclasses.replace(JOB, **values)) == job_hash(JOB)

    assert same(range=FrameRange(1001, 1020))
    assert same(model=Model(device="cuda:1", threads=4, compile=True))
    assert not same(model=Model(name="efficienttam_s"))
    assert not same(tracking=dataclasses.replace(JOB.tracking, direction=Direction.FORWARD))
    hero = JOB.objects[0]
    assert not same(objects=(dataclasses.replace(hero, prompts=hero.prompts[:1]),))
    assert not same(objects=(dataclasses.replace(hero, prompts=hero.prompts[::-1]),))


def test_relative_paths_are_taken_from_the_folder():
    moved = resolve(JOB, "/show/shot")
    assert moved.plate.path == "/show/shot/plate.%04d.exr"
    assert moved.objects[0].prompts[1].mask.path == "/show/shot/roto.%04d.exr"
    assert moved.output.path == "/show/shot/hero.%04d.exr"
    assert moved.model.weights == "" and moved.plate.ocio_config == ""
    assert resolve(moved, "/elsewhere") == moved


def test_files(tmp_path):
    path = str(tmp_path / "hero.job.json")
    write_job(JOB, path)
    assert read_job(path) == JOB
    assert [entry.name for entry in tmp_path.iterdir()] == ["hero.job.json"]

    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf" + to_json(JOB).encode())
    assert read_job(str(tmp_path / "bom.json")) == JOB

    (tmp_path / "latin.json").write_bytes(to_json(JOB).replace("hero.", "h\xe9.").encode("latin-1"))
    for wrong in ("latin.json", "none.json", ""):
        with pytest.raises(JobError) as caught:
            read_job(str(tmp_path / wrong))
        assert caught.value.exit_code is ExitCode.USAGE and caught.value.remedy

    with pytest.raises(OutputError, match="cannot be written"):
        write_job(JOB, str(tmp_path / "no_folder" / "hero.job.json"))


@pytest.mark.parametrize("name", ["rgb", "RGBA"])
def test_an_object_s_layer_is_not_that_of_the_picture(name):
    def faults(path, layout):
        output = {**json.loads(to_json(JOB))["output"], "path": path, "layout": layout}
        things = [{**thing, "name": name} for thing in json.loads(to_json(JOB))["objects"][:1]]
        return examine(changed(objects=things, output=output))[1]

    (fault,) = faults("m/all.%04d.exr", "layer_per_object")
    assert fault.place == "objects[0].name" and name in fault.message
    assert faults("m/{object}.%04d.exr", "file_per_object") == []
    assert faults("m/all.%04d.exr", "cryptomatte") == []


def test_views_that_share_their_first_letter_need_more_than_that_in_the_name():
    def faults(path, *views):
        output = {**json.loads(to_json(JOB))["output"], "path": path}
        return [fault.message for fault in examine(changed(views=views, output=output))[1]]

    assert faults("m/%v.%04d.exr", "left", "low") == ["Several views would write the same files."]
    assert faults("m/%V.%04d.exr", "left", "low") == []
    assert faults("m/%v.%04d.exr", "left", "right") == []
