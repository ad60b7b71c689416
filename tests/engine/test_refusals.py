"""What a command refuses before it starts anything, and that nothing on disk has changed then."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from efficienttam.cli import main
from efficienttam.contract.disk import place_at
from efficienttam.contract.document import read_job
from efficienttam.contract.errors import ExitCode
from efficienttam.media import write_matte, write_png


@pytest.fixture
def place(tiny_plate, weights_at_hand, monkeypatch):
    monkeypatch.chdir(tiny_plate)
    return tiny_plate


@pytest.fixture
def png_job(place):
    """A job with a PNG plate, a PNG roto mask and weights that cannot be loaded."""
    for frame in range(1001, 1004):
        write_png(f"x.{frame}.png", np.zeros((54, 96, 3), np.float32))
    write_png("roto.png", np.ones((54, 96), np.float32))
    line = ["matte", "x.%04d.png", "--mask", "1002:roto.png", "--out", "out/m.%04d.exr"]
    assert main([*line, "--save-job", "x.json", "--no-track"]) == 0
    return "x.json"


def contents(folder):
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(Path(folder).rglob("*"))}


def matte(*words, plate="plate.%04d.exr", point=True, out="out/h.%04d.exr"):
    return main(["matte", plate, *(["--point", "1001:30,25"] if point else []), "--out", out, *words])


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("plate.1002.exr", "a frame of the plate"),
        ("plate.1099.exr", "a frame of the plate"),
        ("link.exr", "a frame of the plate"),
        ("../{here}/plate.1002.exr", "a frame of the plate"),
        ("roto.exr", "a roto mask"),
        ("out/h.1001.exr", "a matte of this job"),
        ("my.ocio", "the colour configuration"),
    ],
)
def test_a_job_is_never_saved_onto_a_file_of_the_job(name, what, dry, place, capsys):
    write_matte("roto.exr", np.ones((54, 96), np.float32))
    os.symlink("plate.1003.exr", "link.exr")
    Path("my.ocio").write_text("ocio_profile_version: 1\n")
    before = contents(place)
    name = name.format(here=place.name)
    words = ["--mask", "1001:roto.exr", "--ocio", "my.ocio", "--save-job", name, *dry]
    assert matte(*words, point=False) == ExitCode.USAGE
    assert f"--save-job {name!r} would overwrite {what}." in capsys.readouterr().err
    assert contents(place) == before


@pytest.mark.parametrize("dry", [[], ["--no-track"], ["--dry-run"]])
@pytest.mark.parametrize("text", ["print('mine')\n", '{"name": "page", "version": "1.0.0"}', "\udcff"])
def test_a_job_is_never_saved_onto_what_is_no_job(text, dry, place, capsys):
    Path("tool.py").write_bytes(text.encode("utf-8", "surrogateescape"))
    before = contents(place)
    assert matte("--save-job", "tool.py", *dry) == ExitCode.USAGE
    assert "'tool.py'" in capsys.readouterr().err
    assert contents(place) == before


def test_a_job_that_is_replaced_is_told_and_a_dry_run_writes_nothing(place, capsys):
    before = contents(place)
    assert matte("--save-job", "new/a.json", "--dry-run") == 0
    assert contents(place) == before
    assert matte("--no-track") == ExitCode.USAGE
    assert "Give --save-job FILE too." in capsys.readouterr().err
    for _ in range(2):
        assert matte("--save-job", "a.json", "--no-track") == 0
        assert "replaced" not in "".join(capsys.readouterr())
    before = contents(place)
    assert matte("--save-job", "a.json", "--dry-run", "--direction", "forward") == 0
    assert "The job a.json is there and would be replaced." in "".join(capsys.readouterr())
    assert contents(place) == before
    assert matte("--save-job", "a.json", "--no-track", "--direction", "forward") == 0
    assert "The job a.json is there and is replaced." in "".join(capsys.readouterr())
    assert read_job("a.json").tracking.direction.value == "forward"


def test_a_still_and_a_movie_are_kept_from_a_saved_job(place, capsys):
    shutil.copy("plate.1001.exr", "still.exr")
    assert main("matte still.exr --point 1:3,3 --out m.#.exr --save-job still.exr".split()) == ExitCode.USAGE
    assert "would overwrite the plate." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x.1002.png", "x.1099.png", "roto.png", "./x.1001.png"])
def test_a_preview_is_never_written_onto_a_file_of_the_job(name, png_job, place, capsys):
    before = contents(place)
    assert main(["preview", png_job, "--frame", "1002", "--out", name]) == ExitCode.USAGE
    assert "would overwrite a" in capsys.readouterr().err
    assert contents(place) == before


def test_a_preview_that_fails_leaves_no_folder(png_job, place, capsys):
    before = contents(place)
    line = ["preview", png_job, "--out", "new/deep/a.png", "--frame"]
    assert main([*line, "900"]) == ExitCode.USAGE
    assert main([*line, "1002"]) == ExitCode.WEIGHTS
    assert main(["preview", png_job, "--frame", "1002", "--out", "roto.png/a.png"]) == ExitCode.OUTPUT
    assert "of --out cannot be made or written to" in capsys.readouterr().err
    assert contents(place) == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--point 1001:96,2", ExitCode.USAGE),
        ("--point 1099:1,2", ExitCode.USAGE),
        ("--mask 1001:plain.md", ExitCode.INPUT),
        ("--frames 1001-1010", ExitCode.INPUT),
        ("--model none", ExitCode.USAGE),
    ],
)
def test_a_faulty_command_leaves_the_saved_job_and_folders(words, code, place):
    Path("plain.md").write_text("# No picture\n")
    Path("kept.json").write_text('{"version": 1, "plate": {}, "objects": [], "output": {}}')
    before = contents(place)
    for name in ("kept.json", "new/deep/it.json"):
        for dry in ([], ["--dry-run"]):
            point = words.startswith(("--frames", "--model"))
            assert matte(*words.split(), "--save-job", name, *dry, point=point) == code
    assert contents(place) == before


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        ("1005-1009", "Frames 1007-1009 of 1005-1009 are not in the job's range 1001-1006."),
        ("999-1007", "Frames 999-1000, 1007 of 999-1007 are not in the job's range 1001-1006."),
        ("1006-1007", "Frame 1007 of 1006-1007 is not in the job's range 1001-1006."),
        ("1040-1060", "Frames 1040-1060 are not in the job's range 1001-1006."),
        ("7", "Frame 7 is not in the job's range 1001-1006."),
    ],
)
@pytest.mark.parametrize("command", ["track", "embed"])
def test_frames_outside_the_range_are_told_before_loading(command, frames, told, place, capsys):
    assert matte("--save-job", "a.json", "--no-track") == 0
    before = contents(place)
    capsys.readouterr()
    assert main([command, "a.json", "--frames", frames]) == ExitCode.USAGE
    err = capsys.readouterr().err
    assert told in err and "Loading" not in err
    assert contents(place) == before


def test_a_roto_mask_that_is_no_picture_is_told_before_loading(place, capsys):
    Path("README.md").write_text("# No picture\n")
    assert matte("--mask", "1001:README.md", point=False) == ExitCode.INPUT
    err = capsys.readouterr().err
    assert err == (
        "efficienttam: --mask 1001:README.md: README.md is no image of a known format. "
        "Name an image file, an EXR say.\n"
    )


def test_a_folder_that_cannot_be_made_is_told_before_loading(place, capsys):
    name = "n" * 300
    assert matte(out=f"{name}/h.%04d.exr") == ExitCode.OUTPUT
    err = capsys.readouterr().err
    assert "cannot be made" in err and "Loading" not in err


def test_paths_are_told_as_they_were_typed(place, capsys):
    for words in (
        {"plate": "clone/p.%04d.exr"},
        {"out": "clone/a.jpg"},
    ):
        assert matte("--save-job", "sj/deep/a.json", **words) != 0
        err = capsys.readouterr().err
        assert "'clone/" in err and ".." not in err
    assert matte("--save-job", "sj/deep/a.json", "--ocio", "clone/none.ocio") == ExitCode.INPUT
    assert "There is no file 'clone/none.ocio'" in capsys.readouterr().err
    assert not os.path.exists("sj")


def test_a_link_in_a_folder_is_not_stepped_over(place):
    os.makedirs("far/away")
    os.symlink("far/away", "near")
    assert place_at("../a", "near") == os.path.join("near", "../a")
    assert place_at("../../a", "far/away") == "a"
    assert place_at("../a", "..") == os.path.join("..", "../a")


@pytest.fixture
def linked(place, monkeypatch):
    """A plate in ``show/plate``, and ``logical``, a link to a deeper folder elsewhere. One stands in show."""
    os.makedirs("show/plate")
    os.makedirs("phys/deep/place")
    for frame in (1001, 1002):
        os.rename(f"plate.{frame}.exr", f"show/plate/p.{frame}.exr")
    os.symlink(os.path.abspath("phys/deep/place"), "show/logical")
    monkeypatch.chdir("show")
    return place


@pytest.mark.parametrize("absolute", [False, True])
def test_a_job_saved_through_a_link_means_the_same_files(absolute, linked, random_weights, capsys):
    """The folder of the document is a link to a deeper one: ``..`` out of it leads elsewhere."""
    plate = os.path.join(os.getcwd() if absolute else "", "plate/p.%04d.exr")
    machine = ["--weights", str(random_weights), "--device", "cpu"]
    line = ["--frames", "1001-1002", *machine, "--save-job", "logical/ab/q.job.json"]
    assert matte(*line, plate=plate, out="mq/a.%04d.exr") == 0
    assert sorted(os.listdir("mq")) == ["a.1001.exr", "a.1002.exr"]
    assert not os.path.exists(linked / "phys/deep/mq")
    assert matte(*line, "--dry-run", plate=plate, out="mq/a.%04d.exr") == 0
    assert f"first    {os.path.join('mq', 'a.1001.exr')}" in capsys.readouterr().out
    for name in ("logical/ab/q.job.json", "../phys/deep/place/ab/q.job.json"):
        assert main(["check", name]) == 0
        shutil.rmtree("mq")
        assert main(["track", name]) == 0
        assert sorted(os.listdir("mq")) == ["a.1001.exr", "a.1002.exr"]


def test_a_job_is_saved_in_a_show_that_was_entered_through_a_link(linked, monkeypatch):
    os.symlink(linked / "show", linked / "entrance")
    monkeypatch.chdir(linked / "entrance")
    name = str(linked / "entrance" / "jobs" / "x.job.json")
    assert matte("--save-job", name, "--no-track", plate="plate/p.%04d.exr") == 0
    assert read_job(name).plate.path == os.path.join("..", "plate/p.%04d.exr")
    assert main(["check", name]) == 0


def test_threads_say_their_range(place, capsys):
    assert matte("--threads", "-1") == ExitCode.USAGE
    assert "--threads: -1 is not a thread count from 0 to 1024." in capsys.readouterr().err


def test_weights_by_wrong_names(place, capsys):
    assert main(["weights", "import", "/nope.pt"]) == ExitCode.WEIGHTS
    assert "There is no file '/nope.pt'." in capsys.readouterr().err
    for what in ("download", "verify"):
        assert main(["weights", what, "bogus"]) == ExitCode.USAGE
        assert "There is no model 'bogus'." in capsys.readouterr().err


def test_weights_that_are_not_here_are_told_of_the_model(place, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    assert matte("--model", "efficienttam_s") == ExitCode.WEIGHTS
    err = capsys.readouterr().err
    assert "--model: The weights efficienttam_s.pt" in err and "--weights" not in err


def test_a_document_that_cannot_be_read_is_a_fault_for_machines(place, capsys):
    assert main(["check", "nope.json", "--json"]) == ExitCode.USAGE
    out, err = capsys.readouterr()
    (fault,) = json.loads(out)["faults"]
    assert "nope.json" in fault["message"] and fault["exit_code"] == 2 and err == ""


def test_a_value_may_begin_with_a_minus(place, capsys):
    assert main(["cache", "clear", "--older-than", "-1d"]) == ExitCode.USAGE
    assert "'-1d' is no age. Write a number and m, h or d, like 30d." in capsys.readouterr().err
    assert matte("--point", "-5:1,2", "--dry-run", point=False) == ExitCode.USAGE
    assert "--point -5:1,2: Frame -5 is not in the plate." in capsys.readouterr().err


def test_train_and_eval_take_debug(capsys):
    for command in ("train", "eval"):
        with pytest.raises(SystemExit) as caught:
            main([command, "--debug", "--surprise"])
        assert caught.value.code == ExitCode.USAGE
        assert "--debug" not in capsys.readouterr().err


FULL = """
import resource, signal, sys, numpy as np
from efficienttam.media import write_matte
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
for size in (20, 300, 800):
    try:
        write_matte("a.exr", np.random.default_rng(0).random((size, size)).astype(np.float32))
    except Exception as error:
        print(error, file=sys.stderr)
"""


def test_a_full_disk_is_told_in_plain_words(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", FULL], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    lines = done.stderr.splitlines()
    assert len(lines) == 3 and "EXR" not in done.stderr and "output failed" not in done.stderr
    assert all(line.startswith("a.exr cannot be written") and "free space" in line for line in lines)
