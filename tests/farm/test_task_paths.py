"""Paths of a document on another platform, and what does not depend on them."""

import dataclasses
import json
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_shots import another_place, small_job, sums, write_plate

from efficienttam.contract.cache_settings import CacheSettings
from efficienttam.contract.document import job_hash, resolve, with_paths, write_job
from efficienttam.contract.errors import ExitCode, JobError
from efficienttam.contract.job import Model, Output, Plate, TrackedObject, TrackJob
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.site_settings import PathRule
from efficienttam.farm.path_map import Mapping, Platform, mapped, read_mappings
from efficienttam.run import run_job

RULES = (
    PathRule("/mnt/show", "/Volumes/show", "S:\\show"),
    PathRule("/mnt/show/cache", "", "\\\\nas\\fast"),
    PathRule("", "/Volumes/old", "T:/"),
)
L, M, W = Platform.LINUX, Platform.MACOS, Platform.WINDOWS


def at(path, here, session=()):
    job = TrackJob(
        Plate(path), (TrackedObject("a", (Prompt(1, box=(0, 0, 9, 9)),)),), Output("mattes/a.%04d.exr")
    )
    return mapped(job, RULES, session, here).plate.path


@pytest.mark.parametrize(
    ("path", "here", "there"),
    [
        ("S:\\show\\ab\\plate.%04d.exr", L, "/mnt/show/ab/plate.%04d.exr"),
        ("s:/SHOW/ab/Plate.%04d.exr", L, "/mnt/show/ab/Plate.%04d.exr"),
        ("S:\\show\\ab\\plate.%04d.exr", M, "/Volumes/show/ab/plate.%04d.exr"),
        ("/Volumes/show/ab/plate.%04d.exr", L, "/mnt/show/ab/plate.%04d.exr"),
        ("/mnt/show/ab/plate.%04d.exr", W, "S:\\show\\ab\\plate.%04d.exr"),
        ("\\\\NAS\\fast\\plate.exr", L, "/mnt/show/cache/plate.exr"),
        ("//nas/fast/plate.exr", L, "/mnt/show/cache/plate.exr"),
        ("/mnt/show/cache/plate.exr", W, "\\\\nas\\fast\\plate.exr"),
        ("/mnt/show/ab/plate.exr", L, "/mnt/show/ab/plate.exr"),
        ("/mnt/showreel/plate.exr", L, "/mnt/showreel/plate.exr"),
        ("/Volumes/showreel/plate.exr", L, "/Volumes/showreel/plate.exr"),
        ("plates\\not a separator.exr", L, "plates\\not a separator.exr"),
        ("T:\\x.exr", M, "/Volumes/old/x.exr"),
        ("relative/plate.exr", W, "relative/plate.exr"),
    ],
)
def test_roots_are_exchanged(path, here, there):
    assert at(path, here) == there


@pytest.mark.parametrize(("path", "here"), [("T:\\x.exr", L), ("U:/x.exr", L), ("/srv/x.exr", W)])
def test_a_path_that_nothing_maps_is_refused(path, here):
    with pytest.raises(JobError, match="another platform"):
        at(path, here)


def test_a_session_goes_first_and_every_file_is_mapped(tmp_path):
    rules = {
        "version": "pathmapping-1.0",
        "path_mapping_rules": [
            {"source_path_format": "WINDOWS", "source_path": "S:\\", "destination_path": "/sessions/1/s"},
            {
                "source_path_format": "POSIX",
                "source_path": "/home/ann",
                "destination_path": "/sessions/1/ann",
            },
        ],
    }
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(rules))
    session = read_mappings(str(file))
    assert at("S:\\show\\ab\\plate.exr", L, session) == "/sessions/1/s/show/ab/plate.exr"
    assert at("/home/ann/plate.exr", L, session) == "/sessions/1/ann/plate.exr"
    assert at("/home/annabel/plate.exr", L, session) == "/home/annabel/plate.exr"

    roto = Prompt(1, mask=RotoFile("S:\\show\\roto.%04d.exr"))
    job = TrackJob(
        Plate("S:\\show\\plate.exr", ocio_config="ocio://default"),
        (TrackedObject("a", (roto,)),),
        Output("S:\\show\\a.%04d.exr"),
        model=Model(weights="S:\\show\\w.pt"),
    )
    here = mapped(job, RULES, [], L)
    assert here.objects[0].prompts[0].mask.path == "/mnt/show/roto.%04d.exr"
    assert here.output.path == "/mnt/show/a.%04d.exr" and here.model.weights == "/mnt/show/w.pt"
    assert here.plate.ocio_config == "ocio://default"
    assert job_hash(here) == job_hash(job) == job_hash(mapped(job, RULES, [], M))

    file.write_text("{}")
    assert read_mappings(str(file)) == []
    for text in ('{"version": "2"}', "[1]", '{"version": "pathmapping-1.0", "path_mapping_rules": [1]}', "{"):
        file.write_text(text)
        with pytest.raises(JobError, match="path map"):
            read_mappings(str(file))


words = st.text(st.sampled_from("abC ."), min_size=1, max_size=4).filter(lambda word: word.strip(". "))


@given(st.lists(words, min_size=1, max_size=4))
def test_there_and_back_is_the_same_file(parts):
    path = "/".join(["/mnt/show", *parts])
    for other in (M, W):
        there = at(path, other)
        assert at(there, L) == path


@given(st.lists(words, min_size=1, max_size=3), st.booleans())
def test_a_root_ends_where_a_name_ends(parts, windows):
    path = "/".join(["/aroot", *parts])
    mapping = Mapping("/a", "/b", windows)
    assert mapping.applied(path) is None
    assert mapping.applied("/a") == "/b"


def test_the_hash_knows_no_folder(tmp_path):
    job = small_job()
    assert job_hash(job) == job_hash(resolve(job, "/show/ab"))
    assert job_hash(job) == job_hash(with_paths(job, lambda path: "Q:\\show\\" + path.rpartition("/")[2]))
    assert job_hash(job) != job_hash(dataclasses.replace(job, plate=Plate("other.%04d.exr")))


def test_mattes_are_kept_under_another_root(tmp_path):
    """Seen at another place, with the times that files had and a colour configuration of another time."""
    config = shutil.copy(_configuration(tmp_path), tmp_path / "config.ocio")
    here, there = tmp_path / "here", tmp_path / "there"
    write_plate(here)
    shutil.copy(config, here)
    plate = Plate("plate.%04d.exr", color_space="lin", ocio_config="config.ocio")
    job = small_job(plate=plate)
    cache = CacheSettings()
    run_job(job, folder=str(here), frames=(1001, 1002), cache=cache)
    another_place(here, there)
    shutil.copytree(here / "out", there / "out")
    os.utime(there / "config.ocio", (1e9, 1e9))
    absolute = resolve(job, str(there))
    assert run_job(absolute, frames=(1001, 1002), resume=True, cache=cache).made == 0
    edited = shutil.copytree(there, tmp_path / "edited")
    (edited / "config.ocio").write_text((edited / "config.ocio").read_text().replace("[0.5", "[0.6"))
    assert run_job(job, folder=str(edited), frames=(1001, 1002), resume=True, cache=cache).made == 4


def test_a_task_maps_its_document(tmp_path, monkeypatch, capsys):
    from efficienttam.cli import main

    write_plate(tmp_path / "nas", frames=range(1001, 1003))
    settings = {"path_map": [{"linux": str(tmp_path / "nas"), "windows": "S:\\show", "macos": ""}]}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(tmp_path / "settings.json"))
    job = small_job(
        plate=Plate("s:\\Show\\plate.%04d.exr"), output=Output("S:\\show\\out\\{object}.%04d.exr")
    )
    job = dataclasses.replace(job, objects=job.objects[:1])
    job = dataclasses.replace(
        job, objects=(dataclasses.replace(job.objects[0], prompts=job.objects[0].prompts[:1]),)
    )
    write_job(job, str(tmp_path / "shot.job.json"))
    words = ["farm", "task", str(tmp_path / "shot.job.json"), "--step", "track", "--frames", "1001-1002"]
    assert main([*words, "--progress", "deadline"]) == 0
    assert sorted(sums(tmp_path / "nas")) == [
        f"{kind}.{n}.exr" for kind in ("out/disc", "plate") for n in (1001, 1002)
    ]
    told = capsys.readouterr().out.splitlines()
    assert (
        told[0].startswith("host=") and f"job={job_hash(job)}" in told[0] and 'device="CPU, 1 th' in told[0]
    )
    assert [line for line in told if line.startswith("Progress: ")] == [
        "Progress: 0%",
        "Progress: 50%",
        "Progress: 100%",
    ]
    monkeypatch.delenv("EFFICIENTTAM_SETTINGS")
    assert main(words) == ExitCode.USAGE
    assert "another platform" in capsys.readouterr().err


def _configuration(folder):
    """A colour configuration of two spaces."""
    path = folder / "source.ocio"
    path.write_text(
        "ocio_profile_version: 2\n"
        "roles: {default: lin, scene_linear: lin}\n"
        "file_rules: [!<Rule> {name: Default, colorspace: default}]\n"
        "displays: {d: [!<View> {name: v, colorspace: sRGB}]}\n"
        "colorspaces:\n"
        "  - !<ColorSpace> {name: lin}\n"
        "  - !<ColorSpace> {name: sRGB, from_scene_reference: "
        "!<ExponentTransform> {value: [0.5, 0.5, 0.5, 1]}}\n"
    )
    return path
