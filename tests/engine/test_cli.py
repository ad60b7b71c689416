"""The command line as a user or a farm meets it: real processes, streams, exit codes and signals."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from efficienttam.cli import build_parser, main
from efficienttam.commands.words import objects_from
from efficienttam.contract.document import read_job
from efficienttam.contract.errors import ExitCode, JobError
from efficienttam.contract.job import Depth, Mattes, Refine
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Follow, Region, RegionBox

LIGHT = """
import sys
from efficienttam.cli import main
code = main(sys.argv[1:])
heavy = {"torch", "numpy", "OpenImageIO", "cv2", "tqdm", "safetensors"} & set(sys.modules)
print("heavy:", *sorted(heavy), file=sys.stderr)
sys.exit(code)
"""


def run(*arguments, cwd=None, **more):
    command = [sys.executable, "-m", "efficienttam", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, **more
    )


@pytest.fixture
def job_file(tiny_plate, random_weights):
    """A job of one object on the tiny plate, from the command line's own words."""
    path = tiny_plate / "hero.job.json"
    words = ["--point", "1001:30,25", "--out", str(tiny_plate / "out" / "hero.%04d.exr")]
    place = str(tiny_plate / "plate.%04d.exr")
    machine = ["--weights", str(random_weights), "--device", "cpu", "--threads", "1"]
    assert main(["matte", place, *words, *machine, "--save-job", str(path), "--no-track"]) == 0
    return path


def test_check_finds_everything_and_imports_nothing_heavy(tmp_path, weights_at_hand):
    (tmp_path / "job.json").write_text(
        '{"version": 1, "plate": {"path": "p.%04d.exr"}, "objects": [], "output": {"path": "m.exr"}, "x": 1}'
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, "check", "job.json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.split() == ["heavy:"]
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines()[1:]] == [
        "x",
        "objects",
        "output.path",
        "plate.path",
    ]


def test_check_knows_colour_spaces_without_torch(job_file):
    text = job_file.read_text()
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    for field, name, told in (
        ("color_space", "ACEScgg", ("plate.color_space", "ACEScg,")),
        ("ocio_config", "ocio://nowhere", ("plate.ocio_config", "ocio://nowhere")),
    ):
        job_file.write_text(text.replace(f'"{field}": ""', f'"{field}": "{name}"'))
        command = [sys.executable, "-c", LIGHT, "check", str(job_file)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == ExitCode.INPUT
        assert all(word in done.stdout for word in told) and "torch" not in done.stderr
    job_file.write_text(text.replace('"color_space": ""', '"color_space": "acescg"'))
    assert main(["check", str(job_file)]) == 0


def test_check_tells_all_that_headers_hold_against_a_job(job_file, capsys):
    """A layer that is not there, a roto that is text, another without its channel: all at once."""
    from efficienttam.media import write_mattes

    (job_file.parent / "text.exr").write_text("not a picture")
    write_mattes(job_file.parent / "roto.exr", {"alpha": np.ones((54, 96), np.float32)})
    job = json.loads(job_file.read_text())
    job["plate"]["layer"], job["output"]["path"] = "beauty", "out/{object}.%04d.exr"
    rotos = (("text.exr", ""), ("roto.exr", "hero"))
    masks = [{"path": path, **({"channel": channel} if channel else {})} for path, channel in rotos]
    job["objects"] += [
        {"name": f"other{index}", "prompts": [{"frame": 1002, "mask": mask}]}
        for index, mask in enumerate(masks)
    ]
    job_file.write_text(json.dumps(job))
    assert main(["check", str(job_file)]) == ExitCode.INPUT
    told = capsys.readouterr().out
    assert [line.split(":")[0].strip() for line in told.splitlines()[1:]] == [
        "plate",
        "objects[1].prompts[0].mask.path",
        "objects[2].prompts[0].mask.path",
    ]
    assert main(["track", str(job_file), "--progress", "none"]) == ExitCode.INPUT
    err = capsys.readouterr().err
    assert all(line.strip() in err for line in told.splitlines()[1:])
    job["plate"]["layer"] = ""
    job["objects"] = [{"name": "hero", "prompts": [{"frame": 1002, "include": [[9999, 9999]]}]}]
    job_file.write_text(json.dumps(job))
    assert main(["check", str(job_file)]) == ExitCode.USAGE
    assert "9999,9999 is outside the plate" in capsys.readouterr().out


def test_mattes_never_land_on_a_roto_or_a_still_of_another_number(tiny_plate, random_weights, capsys):
    """The roto of frame 1001 is called as the matte of 1003 would be; a still as that of its own number."""
    from efficienttam.media import write_mattes

    roto = tiny_plate / "hero.1003.exr"
    write_mattes(roto, {"alpha": np.ones((54, 96), np.float32)})
    before = roto.read_bytes()
    words = ["--mask", f"1001:{roto}", "--weights", str(random_weights), "--out"]
    out = [*words, str(tiny_plate / "hero.%04d.exr")]
    assert main(["matte", str(tiny_plate / "plate.%04d.exr"), *out]) == ExitCode.USAGE
    assert "would overwrite a roto mask" in capsys.readouterr().err and roto.read_bytes() == before
    # A matte of that name is not made where its frame is not in the range.
    part = ["--frames", "1001-1002", "--dry-run"]
    assert main(["matte", str(tiny_plate / "plate.%04d.exr"), *out, *part]) == 0
    still = tiny_plate / "still.1003.exr"
    still.write_bytes((tiny_plate / "plate.1003.exr").read_bytes())
    line = ["matte", str(still), "--frames", "1003-1003", "--point", "1003:30,25", "--dry-run", "--out"]
    assert main([*line, str(tiny_plate / "still.%04d.exr")]) == ExitCode.USAGE
    assert "would overwrite the plate" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["file", "file/below/it", "to_nothing", "to_nothing/below", "locked/new"])
def test_check_finds_a_folder_that_cannot_be(folder, job_file, capsys):
    place = job_file.parent
    (place / "file").touch()
    (place / "to_nothing").symlink_to(place / "nothing")
    (place / "locked").mkdir(mode=0o555)
    if folder.startswith("locked") and os.geteuid() == 0:
        pytest.skip("The superuser may write anywhere.")
    job_file.write_text(re.sub(r'"[^"]*/out/hero', f'"{folder}/hero', job_file.read_text()))
    assert main(["check", str(job_file)]) == ExitCode.OUTPUT
    assert "The mattes cannot go into" in capsys.readouterr().out


def test_weights_folder_without_the_file_is_told_as_a_folder(job_file, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    job_file.write_text(re.sub(r'"weights": ".*"', '"weights": "empty"', job_file.read_text()))
    assert main(["check", str(job_file)]) == main(["track", str(job_file)]) == ExitCode.WEIGHTS
    out, err = capsys.readouterr()
    for told in (out, err):
        assert "looked for efficienttam_demo.safetensors" in told and "install it again" not in told


def test_the_look_for_heavy_imports_can_fail():
    script = "import numpy\n" + LIGHT
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", script, "check", "none.json"], env=environment, capture_output=True, text=True
    )
    assert "numpy" in done.stderr


def test_check_for_machines(tmp_path, capsys, weights_at_hand):
    (tmp_path / "job.json").write_text("{}")
    assert main(["check", str(tmp_path / "job.json"), "--json"]) == ExitCode.USAGE
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert {fault["place"] for fault in faults} == {"version", "plate", "objects", "output"}
    assert all(fault["message"] and fault["remedy"] and fault["exit_code"] == 2 for fault in faults)


def test_words_become_objects_in_their_order():
    words = [
        ("point", "1001:812,430"),
        ("exclude", "1001:640,700"),
        ("box", "1020:1,2,3.5,4"),
        ("point", "1001:5,6"),
        ("object", "car"),
        ("mask", "-3:C:\\roto.%04d.exr"),
    ]
    spoken = objects_from(words)
    hero, car = spoken.objects
    assert (hero.name, car.name) == ("object1", "car")
    assert hero.prompts == (
        Prompt(1001, include=((812, 430), (5, 6)), exclude=((640, 700),)),
        Prompt(1020, box=(1, 2, 3.5, 4)),
    )
    assert car.prompts == (Prompt(-3, mask=RotoFile("C:\\roto.%04d.exr")),)
    assert spoken.places == {
        "objects[0]": "--point 1001:812,430",
        "objects[0].prompts[0]": "--point 1001:812,430",
        "objects[0].prompts[0].include[0]": "--point 1001:812,430",
        "objects[0].prompts[0].exclude[0]": "--exclude 1001:640,700",
        "objects[0].prompts[1]": "--box 1020:1,2,3.5,4",
        "objects[0].prompts[1].box": "--box 1020:1,2,3.5,4",
        "objects[0].prompts[0].include[1]": "--point 1001:5,6",
        "objects[1]": "--object car",
        "objects[1].prompts[0]": "--mask -3:C:\\roto.%04d.exr",
        "objects[1].prompts[0].mask": "--mask -3:C:\\roto.%04d.exr",
    }


def test_regions_belong_to_the_object_before_them():
    words = [
        ("point", "1003:812,430"),
        ("region", "track"),
        ("object", "car"),
        ("region", "1,2,30,40"),
        ("box", "1005:3,4,5,6"),
        ("region", "1009:5,2,30,40"),
        ("object", "dog"),
        ("box", "1005:3,4,5,6"),
        ("region", "prompts"),
    ]
    spoken = objects_from(words, 1.5)
    first, car, dog = (thing.region for thing in spoken.objects)
    assert first == Region(Follow.TRACK, 1.5) and dog == Region(Follow.PROMPTS, 1.5)
    assert car.follow is Follow.DRAWN
    assert car.boxes == (RegionBox(1005, (1, 2, 30, 40)), RegionBox(1009, (5, 2, 30, 40)))
    assert spoken.places["objects[1].region"] == "--region 1009:5,2,30,40"
    assert objects_from(words[:2]).objects[0].region == Region()


@pytest.mark.parametrize(
    "texts", [["tracks"], ["track", "prompts"], ["1,2,3"], ["x:1,2,3,4"], ["9,9,1,1"], ["track", "1,2,3,4"]]
)
def test_regions_that_say_nothing(texts):
    with pytest.raises(JobError, match="--region") as caught:
        objects_from([("point", "1001:1,2"), *(("region", text) for text in texts)])
    assert caught.value.remedy


@pytest.mark.parametrize(
    "words",
    [
        [],
        [("point", "812,430")],
        [("point", "1001:")],
        [("point", "x:1,2")],
        [("point", "1001:1,2,3")],
        [("point", "1001:1,b")],
        [("box", "1001:1,2,3")],
        [("box", "1001:9,9,1,1")],
        [("box", "1001:1,2,3,4"), ("box", "1001:1,2,3,5")],
        [("point", "1001:nan,2")],
        [("object", ""), ("point", "1001:1,2")],
        [("object", "hero")],
        [("object", "hero"), ("object", "car"), ("point", "1001:1,2")],
        [("object", "hero"), ("point", "1001:1,2"), ("object", "hero"), ("point", "1002:1,2")],
        [("object", "hero"), ("point", "1001:1,2"), ("object", "Hero"), ("point", "1001:1,2")],
        [("point", "1001:1,2"), ("object", "object1"), ("point", "1001:1,2")],
    ],
)
def test_words_that_say_nothing(words):
    with pytest.raises(JobError) as caught:
        objects_from(words)
    assert caught.value.remedy and re.search("--(point|box|object)", str(caught.value))


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("--exclude 1001:1,2 --out h.%04d.exr", "--exclude 1001:1,2"),
        ("--point 1099:1,2 --out h.%04d.exr", "--point 1099:1,2"),
        ("--point 1099:1,2 --out h.%04d.exr --frames 1001-1003", "--point 1099:1,2"),
        ("--point 1001:1,2 --point 1001:96,2 --out h.%04d.exr", "--point 1001:96,2"),
        ("--point 1001:1,2 --mask 1003:none.exr --out h.%04d.exr", "--mask 1003:none.exr"),
        ("--object 9lives --point 1001:1,2 --out h.%04d.exr", "--object 9lives"),
        ("--point 1001:1,2 --out h.png", "--out"),
        ("--point 1001:1,2 --object car --point 1001:1,2 --out h.%04d.exr", "--out"),
        ("--point 1001:1,2 --layers --out {object}.%04d.exr", "--out"),
        ("--point 1001:1,2 --layers --out h.%04d.png", "--out"),
        ("--point 1001:1,2 --out h.%04d.png --layer hero.core", "--layer"),
        ("--point 1001:1,2 --out h.%04d.png --depth half", "--depth"),
        ("--point 1001:1,2 --out h.%04d.tif --compression dwaa", "--compression"),
        ("--point 1001:1,2 --out h.%04d.tif --data-window content", "--data-window"),
        ("--point 1001:1,2 --cryptomatte --out h.%04d.exr --depth half", "--depth"),
        ("--point 1001:1,2 --cryptomatte --out h.%04d.exr --compression dwab", "--compression"),
        ("--point 1001:1,2 --out h.%04d.exr --layer rgba.red --compression dwaa", "--compression"),
        ("--point 1001:1,2 --out plate.%04d.exr", "--out"),
        ("--point 1001:1,2 --out h.%04d.exr --views a,,b", "--views"),
        ("--point 1001:1,2 --out h.%04d.exr --model none", "--model"),
        ("--point 1001:1,2 --out h.%04d.exr --weights none", "--weights"),
        ("--point 1001:1,2 --out h.%04d.exr --device gpu", "--device"),
        ("--point 1001:1,2 --out h.%04d.exr --threads -1", "--threads"),
        ("--point 1001:1,2 --out h.%04d.exr --ocio none.ocio", "--ocio"),
        ("--point 1001:1,2 --out h.%04d.exr --color-space ACEScgg", "--color-space"),
        ("--point 2001:1,2 --out h.%04d.exr --frames 2001-2009", "--frames"),
        ("--point 1001:1,2 --out h.%04d.exr --frames 1001-1009", "PLATE"),
    ],
)
def test_faults_of_matte_are_told_in_its_words(
    words, place, tiny_plate, weights_at_hand, monkeypatch, capsys
):
    monkeypatch.chdir(tiny_plate)
    dry = [] if "96,2" in words else ["--dry-run"]
    assert main(["matte", "plate.%04d.exr", *words.split(), *dry, "--progress", "json"]) != 0
    out, err = capsys.readouterr()
    assert f" {place}: " in err, err
    assert json.loads(out.splitlines()[-1])["message"] in err
    assert not re.search(r'objects\[|views\[|"|\b(plate|output|model|range)\.[a-z]', err), err


@pytest.mark.parametrize(
    ("said", "file"),
    [
        ("roto.%04d.exr:hero.alpha", RotoFile("roto.%04d.exr", "hero.alpha")),
        ("C:\\show\\roto.png:R", RotoFile("C:\\show\\roto.png", "R")),
        ("C:\\v1.2\\roto.exr", RotoFile("C:\\v1.2\\roto.exr")),
        ("C:/roto.exr", RotoFile("C:/roto.exr")),
        ("take:2.exr", RotoFile("take:2.exr")),
    ],
)
def test_a_mask_names_a_channel(said, file):
    (thing,) = objects_from([("mask", f"1001:{said}")]).objects
    assert thing.prompts[0].mask == file


def test_a_channel_that_a_roto_does_not_have_is_told(tiny_plate, weights_at_hand, monkeypatch, capsys):
    monkeypatch.chdir(tiny_plate)
    line = ["matte", "plate.%04d.exr", "--out", "m.%04d.exr", "--dry-run", "--mask"]
    assert main([*line, "1001:plate.1001.exr:R"]) == 0
    assert main([*line, "1001:plate.1001.exr:nose"]) == ExitCode.INPUT
    assert "--mask 1001:plate.1001.exr:nose: plate.1001.exr has no channel 'nose'" in capsys.readouterr().err


def test_a_dry_run_tells_what_would_be_written(tiny_plate, weights_at_hand, monkeypatch, capsys):
    monkeypatch.chdir(tiny_plate)
    words = "--object hero --point 1003:30,25 --object sky --box 1002:1,1,60,20 --no-track".split()
    line = ["matte", "plate.%04d.exr", *words, "--save-job", "jobs/it.json", "--direction", "forward"]
    assert main([*line, "--out", "out/{object}.%04d.exr"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "frames   1001-1006",
        "objects  hero, sky",
        "mattes   9 in 9 files",
        f"first    {os.path.join('out', 'sky.1002.exr')}",
        f"last     {os.path.join('out', 'sky.1006.exr')}",
    ]
    assert main([*line, "--out", "out/all.%04d.exr", "--layers"]) == 0
    assert "mattes   9 in 5 files" in capsys.readouterr().out
    assert main([*line, "--out", "out/ids.%04d.exr", "--cryptomatte", "--compression", "zip"]) == 0
    assert "mattes   9 in 5 files" in capsys.readouterr().out
    assert main([*line, "--out", "out/{object}.%04d.tif", "--layer", "rgba", "--depth", "float"]) == 0
    assert read_job("jobs/it.json").output.depth is Depth.FLOAT
    form = "--softness 2.5 --refine unmix --refine-band 30 --fill-holes 9 --remove-specks 8 --keep-largest"
    form += " --steady 1 --roto-blend 4"
    assert main([*line, *form.split(), "--out", "out/{object}.%04d.exr"]) == 0
    assert read_job("jobs/it.json").mattes == Mattes(2.5, Refine.UNMIX, 30, 9, 8, True, 1, 4)
    assert main([*line, "--region-padding", "1", "--out", "out/{object}.%04d.exr"]) == ExitCode.USAGE
    assert "Give --region too." in capsys.readouterr().err
    assert main([*line, "--refine-band", "3", "--out", "out/{object}.%04d.exr"]) == ExitCode.USAGE
    assert "--refine-band: There is a band but nothing is refined. Leave it out, or give --refine unmix." in (
        capsys.readouterr().err
    )
    assert main([*line, "--out", "out/{object}.%04d.exr", "--frames", "1002-1003"]) == 0
    assert main(["matte", "plate.1001.exr", "--point", "1001:1,2", "--out", "m.####.exr", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-5::2] == [
        "frames   1001",
        "mattes   1 in 1 file",
        "last     m.1001.exr",
    ]
    assert not os.path.exists("out")
    os.remove("plate.1004.exr")
    assert main([*line, "--out", "out/{object}.%04d.exr"]) == ExitCode.INPUT
    assert "give --missing hold or --missing black" in capsys.readouterr().err


def test_saved_job_lies_beside_its_own_paths(tiny_plate, monkeypatch, capsys, weights_at_hand):
    monkeypatch.chdir(tiny_plate)
    line = [
        "matte",
        "plate.%04d.exr",
        "--frames",
        "1001-1004",
        "--point",
        "1001:30,25",
        "--out",
        "hero.%04d.exr",
    ]
    assert main([*line, "--save-job", "here.json", "--no-track"]) == 0
    assert main([*line, "--save-job", "jobs/there.json", "--no-track"]) == 0
    assert read_job("here.json").plate.path == "plate.%04d.exr"
    assert read_job("jobs/there.json").plate.path == os.path.join("..", "plate.%04d.exr")
    assert main(["check", "jobs/there.json"]) == main(["check", "here.json"]) == 0
    assert main([*line, "--save-job", "here.json/no.json", "--dry-run"]) == ExitCode.OUTPUT
    assert "of --save-job cannot be made or written to" in capsys.readouterr().err
    capsys.readouterr()
    assert main(["matte", "plate.%04d.exr", "--exclude", "1001:1,2", "--out", "a.png"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "--exclude 1001:1,2: " in told and "--out: " in told


def test_matte_from_nothing_but_words(tiny_plate, random_weights):
    done = run(
        *("matte", "plate.%04d.exr", "--frames", "1001-1003", "--object", "hero", "--point", "1001:30,25"),
        *("--object", "sky", "--box", "1002:1,1,60,20", "--out", "out/{object}.%04d.exr"),
        *("--weights", random_weights, "--device", "cpu", "--progress", "json"),
        cwd=tiny_plate,
    )
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(tiny_plate / "out")) == 6
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events[:3]] == ["status", "status", "begin"]
    assert "runs on cpu in" in events[1]["text"]
    assert sum(event["event"] == "wrote" for event in events) == 6
    assert events[-1]["event"] == "end"
    assert [event["done"] for event in events if event["event"] == "progress"][-1] == 6


def test_openjd_and_plain_lines(job_file, capsys):
    assert main(["track", str(job_file), "--progress", "openjd"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert all(line.startswith(("openjd_progress: ", "openjd_status: ")) for line in lines)
    numbers = [float(line.split()[1]) for line in lines if line.startswith("openjd_progress")]
    assert numbers == sorted(numbers) and numbers[-1] == 100 and err == ""

    assert main(["track", str(job_file), "--progress", "plain", "--resume"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "0 mattes to make, 6 kept." in err

    (job_file.parent / "plate.1003.exr").unlink()
    assert main(["track", str(job_file), "--progress", "openjd"]) == ExitCode.INPUT
    out, err = capsys.readouterr()
    assert out.startswith("openjd_fail: ") and "1003" in out
    assert "1003" in err and "Traceback" not in err


def test_a_job_that_cannot_be_read_is_told_to_machines_too(tmp_path, capsys):
    assert main(["track", str(tmp_path / "none.json"), "--progress", "json"]) == ExitCode.USAGE
    failed = json.loads(capsys.readouterr().out)
    assert (failed["event"], failed["exit_code"]) == ("failed", 2) and "none.json" in failed["message"]


def test_missing_weights_are_found_by_check(job_file, capsys, monkeypatch):
    text = job_file.read_text().replace("efficienttam_demo", "efficienttam_s")
    job_file.write_text(re.sub(r'"weights": ".*"', '"weights": ""', text))
    monkeypatch.setenv("XDG_CACHE_HOME", str(job_file.parent))
    monkeypatch.setenv("EFFICIENTTAM_WEIGHTS", str(job_file.parent))
    assert main(["check", str(job_file)]) == ExitCode.WEIGHTS
    assert "efficienttam weights download efficienttam_s" in capsys.readouterr().out


def test_preview_is_a_png_and_nothing_else(job_file, tmp_path, capsys):
    for name in ("x.exr", "x"):
        line = ["preview", str(job_file), "--frame", "1004", "--out", str(tmp_path / name)]
        assert main(line) == ExitCode.USAGE
        assert "Let the name end with .png." in capsys.readouterr().err
        assert not (tmp_path / name).exists()


def test_preview_writes_a_picture(job_file, tmp_path):
    from efficienttam.media import read_info

    picture = tmp_path / "new" / "preview.png"
    assert main(["preview", str(job_file), "--frame", "1004", "--out", str(picture)]) == 0
    assert read_info(str(picture)).size == (96, 54)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["track", "models"])
def test_a_signal_while_arguments_are_read(command, number, code):
    """Whatever the command will be: a sentence, no trace."""
    program = (
        "import os, sys, efficienttam.cli as cli; read = cli.build_parser\n"
        f"def build(): os.kill(os.getpid(), {int(number)}); return read()\n"
        f"cli.build_parser = build; sys.argv[1:] = ['{command}']; sys.exit(cli.main())"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (code, "efficienttam: Stopped.\n")


def test_a_signal_that_the_parent_ignores_stays_ignored():
    """As a shell has it for what it starts in the background."""
    program = (
        "import signal, sys, efficienttam.cli as cli; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.argv[1:] = ['models']; cli.main(); sys.exit(signal.getsignal(signal.SIGINT) != signal.SIG_IGN)"
    )
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_complete_frames_only(job_file, number, code):
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "efficienttam", "track", str(job_file), "--progress", "json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if json.loads(line)["event"] == "wrote":
            process.send_signal(number)
            break
    rest, told = process.communicate(timeout=300)
    out = job_file.parent / "out"
    if process.returncode != 0:
        assert process.returncode == code
        last = json.loads(rest.splitlines()[-1])
        assert (last["event"], last["exit_code"]) == ("failed", code)
        assert "--resume" in told and "Traceback" not in told
    assert all(name.startswith("hero.") and name.endswith(".exr") for name in os.listdir(out))
    assert main(["track", str(job_file), "--resume", "--progress", "none"]) == 0
    assert len(os.listdir(out)) == 6


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("delay", [1.0, 1.7, 2.5])
def test_a_signal_while_loading_ends_at_once(job_file, number, code, delay):
    """Libraries are being imported then: their import turns exceptions into other ones."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    process = subprocess.Popen(
        [sys.executable, "-m", "efficienttam", "track", str(job_file), "--progress", "json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(delay)
    process.send_signal(number)
    rest, told = process.communicate(timeout=60)
    assert "Traceback" not in told and "unexpected" not in told
    if process.returncode == -number:
        pytest.skip("This machine was too slow to have started Python before the signal came.")
    if process.returncode != 0:
        assert process.returncode == code
        last = json.loads(rest.splitlines()[-1])
        assert (last["event"], last["exit_code"]) == ("failed", code)
        assert "Stopped" in told and "--resume" in told


def test_a_full_disk_is_told_in_one_sentence(job_file):
    resource = pytest.importorskip("resource")

    def no_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    done = run("track", job_file, "--progress", "none", preexec_fn=no_room)
    assert done.returncode == ExitCode.OUTPUT
    warned, failed = done.stderr.strip().splitlines()
    assert "embedding cache" in warned and failed.startswith("efficienttam: ")
    assert os.listdir(job_file.parent / "out") == []


def test_failures_have_their_codes_and_no_traceback(job_file, tmp_path, capsys):
    cases = {
        ("track", "none.json"): ExitCode.USAGE,
        ("track", str(job_file), "--device", "cuda:93"): ExitCode.DEVICE,
        ("track", str(job_file), "--weights", str(tmp_path / "none.pt")): ExitCode.WEIGHTS,
        ("track", str(job_file), "--frames", "1-2"): ExitCode.USAGE,
        ("track", str(job_file), "--frames", "x"): ExitCode.USAGE,
        ("track", str(job_file), "--device", "gpu"): ExitCode.USAGE,
        ("track", str(job_file), "--threads", "-1"): ExitCode.USAGE,
        ("preview", str(job_file), "--frame", "1", "--out", str(tmp_path / "a.png")): ExitCode.USAGE,
        ("weights", "download", "efficienttam_x"): ExitCode.USAGE,
    }
    for arguments, code in cases.items():
        assert main([*arguments]) == code, arguments
        told = capsys.readouterr().err.splitlines()
        assert told[-1] and not any("Traceback" in line for line in told)
        if "--device" in arguments and code is ExitCode.USAGE:
            assert told[-1].startswith("efficienttam: --device: 'gpu' is not a device.")
    assert main(["track", "none.json", "--debug"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "Traceback" in told and told.splitlines()[-1].startswith("efficienttam: The job 'none.json'")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ([], "efficienttam: The following arguments are required: COMMAND. See efficienttam --help.\n"),
        (
            ["preview", "p.json", "--frame", "1"],
            "efficienttam preview: The following arguments are required: --out. "
            "See efficienttam preview --help.\n",
        ),
        (
            ["track", "a.json", "--surprise"],
            "efficienttam track: Unrecognized arguments: --surprise. See efficienttam track --help.\n",
        ),
        (["weights", "download"], None),
        (["nothing"], None),
        (["eval", "--clips", "x"], None),
        (["train", "--surprise"], None),
        (["preview", "a.json", "--frame", "x", "--out", "a.png"], None),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(wrong, told, capsys):
    with pytest.raises(SystemExit) as caught:
        main(wrong)
    assert caught.value.code == ExitCode.USAGE
    err = capsys.readouterr().err
    assert err == told or (told is None and err.count("\n") == 1 and err.endswith(" --help.\n"))


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        ("--point 1099:30,25 --out out/hero.%04d.exr", "1001", "1099"),
        ("--point 1001:30,25 --out plate.####.exr", "out/hero.%04d", "plate.####"),
    ],
)
def test_a_wrong_job_has_one_code_from_every_command(
    words, right, wrong, tiny_plate, weights_at_hand, monkeypatch
):
    monkeypatch.chdir(tiny_plate)
    line = ["matte", "plate.%04d.exr", "--save-job", "wrong.json"]
    good = "--point 1001:30,25 --out out/hero.%04d.exr --no-track".split()
    assert main([*line, *good]) == 0
    job = Path("wrong.json")
    job.write_text(job.read_text().replace(right, wrong))
    written = job.read_text()
    codes = [main([*line, *words.split()]), main(["check", "wrong.json"]), main(["track", "wrong.json"])]
    assert codes == [ExitCode.USAGE] * 3
    assert job.read_text() == written


def test_lists_of_models_and_weights(capsys):
    assert main(["models", "--json"]) == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert len(names) == 9 and "efficienttam_ti_512x512" in names
    assert main(["models"]) == main(["weights", "list"]) == 0
    assert "not known yet" in capsys.readouterr().out


def test_weights_are_taken_in_and_verified(tmp_path, capsys, published_file):
    source = tmp_path / "efficienttam_ti.pt"
    source.write_bytes(published_file(1))
    cache = tmp_path / "cache"
    assert main(["weights", "import", str(source), "--folder", str(cache)]) == 0
    assert (cache / source.name).read_bytes() == source.read_bytes()
    assert main(["weights", "verify", "efficienttam_ti", "--folder", str(cache)]) == 0
    (cache / source.name).write_bytes(b"damaged")
    capsys.readouterr()
    assert main(["weights", "verify", "efficienttam_ti", "--folder", str(cache)]) == ExitCode.WEIGHTS
    assert "damaged or was replaced" in capsys.readouterr().out


def test_every_command_is_documented():
    text = (Path(__file__).resolve().parents[2] / "docs" / "command_line.md").read_text()
    parser = build_parser()
    commands = next(
        action for action in parser._actions if action.choices and isinstance(action.choices, dict)
    )
    head, *sections = text.split("\n## ")
    for name, command in commands.choices.items():
        (section,) = (part for part in sections if f"efficienttam {name}" in part.partition("\n")[0])
        flags = [
            flag for action in command._actions for flag in action.option_strings if flag.startswith("--")
        ]
        missing = [flag for flag in flags if flag != "--help" and f"`{flag}" not in head + section]
        assert missing == [], f"docs/command_line.md does not tell of {missing} of {name}"
    for code in ExitCode:
        assert f"| {int(code)} |" in text
