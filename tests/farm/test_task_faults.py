"""What may happen to a task on a farm. Whatever it is: done again, the mattes are the whole job's, bit for
bit, and nothing half-written was ever taken for done."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_shots import FRAMES, SHAPED, another_place, small_job, sums, write_plate
from task_processes import Tasks

from efficienttam.contract.cache_settings import CacheSettings
from efficienttam.contract.document import write_job
from efficienttam.contract.errors import ExitCode
from efficienttam.contract.job import Compression, Depth, FrameRange, Output
from efficienttam.contract.prompts import Prompt
from efficienttam.run import run_job

KILLS = 20
SPAN = f"{FRAMES[0]}-{FRAMES[-1]}"
JOB = small_job(range=FrameRange(FRAMES[0], FRAMES[-1]))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Processes cannot be forked here.")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    served = Tasks(tmp_path_factory.mktemp("embeddings"))
    yield served
    served.close()


@pytest.fixture(scope="module")
def plates(tmp_path_factory, tasks):
    folder = tmp_path_factory.mktemp("plates")
    write_plate(folder)
    return folder


@pytest.fixture(scope="module")
def whole(plates, tasks, tmp_path_factory):
    """The mattes of the undisturbed job, straight and shaped, by name: sha256."""
    found = {}
    for name, job in (("plain", JOB), ("shaped", dataclasses.replace(JOB, mattes=SHAPED))):
        folder = another_place(plates, tmp_path_factory.mktemp(name))
        run_job(job, folder=str(folder), cache=CacheSettings(str(tasks.cache), 2**30))
        found[name] = sums(folder / "out")
    return found


@pytest.fixture
def shot(plates, tmp_path):
    folder = another_place(plates, tmp_path / "shot")
    write_job(JOB, str(folder / "shot.job.json"))
    return folder


def hidden(folder):
    return [path for path in folder.rglob(".*") if path.is_file()]


def test_a_task_tells_who_does_what_first_and_does_it_once(shot, tasks, whole):
    code, log = tasks.run(shot, "--step", "track", "--frames", SPAN)
    assert code == 0 and sums(shot / "out") == whole["plain"]
    first = json.loads(log.splitlines()[0])
    assert first["event"] == "task" and first["device"] == "CPU, 1 thread"
    assert {"host", "pid", "python", "torch", "efficienttam"} <= first.keys()
    assert len(first["job"]) == len(first["weights"]) == 64
    code, log = tasks.run(shot, "--step", "track", "--frames", SPAN)
    assert code == 0 and '"mattes": 0, "kept": 16' in log


@pytest.mark.slow
def test_killed_twenty_times_at_any_frame(shot, tasks, whole):
    """Each time it goes on where it was; each time all is done it starts from nothing again."""
    chance = random.Random(6)
    kills = finished = 0
    began = time.monotonic()
    while kills < KILLS:
        running = tasks.start(shot, "--step", "track", "--frames", SPAN)
        running.until(chance.randrange(0, 6))
        time.sleep(chance.random() * 0.03)
        if running.kill() == -signal.SIGKILL:
            kills += 1
        there = sums(shot / "out") if (shot / "out").exists() else {}
        assert there.items() <= whole["plain"].items(), "a file is not what it should be"
        if there == whole["plain"]:
            finished += 1
            shutil.rmtree(shot / "out")
    assert tasks.run(shot, "--step", "track", "--frames", SPAN)[0] == 0
    assert sums(shot / "out") == whole["plain"]
    print(f"{kills} kills, {finished} times done, {time.monotonic() - began:.0f} s")


def test_killed_while_records_and_mattes_are_made(shot, tasks, whole):
    write_job(dataclasses.replace(JOB, mattes=SHAPED), str(shot / "shot.job.json"))
    chance = random.Random(7)
    for words in (["track", "--records"], ["mattes"]):
        for done in (3, 7):
            running = tasks.start(shot, "--step", *words, "--frames", SPAN)
            running.until(done)
            time.sleep(chance.random() * 0.02)
            running.kill()
        assert tasks.run(shot, "--step", *words, "--frames", SPAN)[0] == 0
    assert sums(shot / "out") == whole["shaped"]


def test_a_signal_ends_after_the_frame_at_hand(tasks, tmp_path):
    """In a shot so long that no machine is done with it before the signal comes."""
    shot = tmp_path / "shot"
    frames = range(FRAMES[0], FRAMES[0] + 48)
    write_plate(shot, frames=frames)
    write_job(small_job(range=FrameRange(frames[0], frames[-1])), str(shot / "shot.job.json"))
    words = ["--step", "track", "--frames", f"{frames[0]}-{frames[-1]}"]
    running = tasks.start(shot, *words)
    running.until(3)
    os.kill(running.pid, signal.SIGTERM)
    assert running.wait() == ExitCode.TERMINATED
    told = running.log.read_text()
    assert "it keeps what is there" in told and "--resume" not in told
    there = sums(shot / "out")
    assert 3 <= len(there) < 96
    assert not hidden(shot / "out")
    code, log = tasks.run(shot, *words)
    assert code == 0 and f'"mattes": {96 - len(there)}, "kept": {len(there)}' in log
    resumed = sums(shot / "out")
    assert len(resumed) == 96
    shutil.rmtree(shot / "out")
    assert tasks.run(shot, *words)[0] == 0
    assert sums(shot / "out") == resumed


@pytest.mark.parametrize("step", [["track"], ["track", "--records"]])
def test_a_full_disk(shot, tasks, step):
    """No file may grow beyond what the log takes: so does a disk that is full to every write."""
    output = Output("out/{object}.%04d.exr", compression=Compression.NONE, depth=Depth.FLOAT)
    write_job(dataclasses.replace(JOB, output=output), str(shot / "shot.job.json"))
    code, log = tasks.run(shot, "--step", *step, "--frames", SPAN, file_size=16384)
    assert code == ExitCode.OUTPUT, log
    assert "cannot be written" in log and "free space" in log
    assert [path for path in (shot / "out").rglob("*") if path.is_file()] == []


def test_a_disk_that_fills_up_midway(shot, tasks, whole, tmp_path):
    """On a real file system with no room left: what is there is whole, and with room again it goes on."""
    small = tmp_path / "small"
    small.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(small)], capture_output=True
    )
    if made.returncode:
        pytest.skip("This user may not mount a small file system.")
    try:
        (shot / "out").symlink_to(small)
        code, log = tasks.run(shot, "--step", "track", "--frames", SPAN)
        assert code == ExitCode.OUTPUT and "free space" in log
        there = sums(small)
        assert 0 < len(there) < 16 and there.items() <= whole["plain"].items()
        assert not hidden(small)
        subprocess.run(["mount", "-o", "remount,size=16m", str(small)], check=True)
        assert tasks.run(shot, "--step", "track", "--frames", SPAN)[0] == 0
        assert sums(small) == whole["plain"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_cache_is_removed_midway(shot, tasks, whole, tmp_path):
    cache = tmp_path / "cache"
    assert tasks.run(shot, "--step", "embed", "--frames", SPAN, cache=str(cache))[0] == 0
    running = tasks.start(shot, "--step", "track", "--frames", SPAN, cache=str(cache))
    running.until(2)
    shutil.rmtree(cache)
    assert running.wait() == 0
    assert sums(shot / "out") == whole["plain"]


def test_an_embedding_is_cut_short_or_from_tomorrow(shot, tasks, whole, tmp_path):
    cache = tmp_path / "cache"
    assert tasks.run(shot, "--step", "embed", "--frames", SPAN, cache=str(cache))[0] == 0
    files = sorted(cache.rglob("*.safetensors"))
    assert len(files) == len(FRAMES)
    files[0].write_bytes(files[0].read_bytes()[:1000])
    for index, file in enumerate(files[1:]):
        skewed = time.time() + (3e6 if index % 2 else -3e8)
        os.utime(file, (skewed, skewed))
    code, log = tasks.run(shot, "--step", "track", "--frames", SPAN, cache=str(cache))
    assert code == 0 and sums(shot / "out") == whole["plain"]
    code, log = tasks.run(shot, "--step", "embed", "--frames", SPAN, cache=str(cache))
    assert code == 0 and '"embeddings": 0, "kept": 8' in log


def test_clocks_that_disagree(shot, tasks, whole):
    """Nothing is told by which of two files is the newer: not mattes, not records, not the plate."""
    words = ["--step", "track", "--frames", SPAN]
    assert tasks.run(shot, *words)[0] == 0
    for index, path in enumerate(sorted((shot / "out").iterdir())):
        skewed = time.time() + (3e6 if index % 2 else -3e8)
        os.utime(path, (skewed, skewed))
    code, log = tasks.run(shot, *words)
    assert code == 0 and '"mattes": 0, "kept": 16' in log
    # A plate from tomorrow is another plate by its time, and is the same again with the time it had.
    state = os.stat(shot / "plate.1008.exr")
    os.utime(shot / "plate.1008.exr", (time.time() + 3e6, time.time() + 3e6))
    code, log = tasks.run(shot, *words, "--objects", "square")
    assert code == 0 and '"mattes": 1, "kept": 7' in log
    os.utime(shot / "plate.1008.exr", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert tasks.run(shot, *words)[0] == 0
    assert sums(shot / "out") == whole["plain"]


def test_a_plate_cut_short_and_a_frame_missing(shot, tasks, whole):
    plate = shot / "plate.1007.exr"
    content, state = plate.read_bytes(), os.stat(plate)
    words = ["--step", "track", "--frames", SPAN]
    plate.write_bytes(content[: len(content) // 2])
    code, log = tasks.run(shot, *words, cache="off")
    assert code == ExitCode.INPUT and "plate.1007.exr" in log
    assert sums(shot / "out").items() <= whole["plain"].items()
    assert not [name for name in sums(shot / "out") if "1007" in name or "1008" in name]
    plate.unlink()
    code, log = tasks.run(shot, *words)
    assert code == ExitCode.INPUT and "1007" in log and "missing" in log
    plate.write_bytes(content)
    os.utime(plate, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert tasks.run(shot, *words)[0] == 0
    assert sums(shot / "out") == whole["plain"]


def test_a_plate_frame_vanishes_while_it_is_tracked(shot, tasks, whole):
    running = tasks.start(shot, "--step", "track", "--frames", SPAN, cache="off")
    running.until(1)
    (shot / "plate.1008.exr").rename(shot / "away")
    code = running.wait()
    assert sums(shot / "out").items() <= whole["plain"].items()
    if code:
        assert code == ExitCode.INPUT
    (shot / "away").rename(shot / "plate.1008.exr")
    assert tasks.run(shot, "--step", "track", "--frames", SPAN)[0] == 0
    assert sums(shot / "out") == whole["plain"]


@contextmanager
def only_to_be_read(folder):
    """No process may write there meanwhile, the system's administrator neither."""
    if os.geteuid():
        places = [folder, *folder.rglob("*")]
        for place in places:
            place.chmod(0o555 if place.is_dir() else 0o444)
        yield
        for place in places:
            place.chmod(0o755 if place.is_dir() else 0o644)
        return
    bound = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True)
    if bound.returncode:
        pytest.skip("Nothing keeps this user from writing to a folder.")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("warm", [False, True])
def test_a_cache_that_may_only_be_read(shot, tasks, whole, tmp_path, warm):
    cache = tmp_path / "cache"
    cache.mkdir()
    if warm:
        assert tasks.run(shot, "--step", "embed", "--frames", SPAN, cache=str(cache))[0] == 0
    with only_to_be_read(cache):
        code, log = tasks.run(shot, "--step", "track", "--frames", SPAN, cache=str(cache))
        assert code == 0 and ("cannot be written" in log) == (not warm), log
        assert sums(shot / "out") == whole["plain"]
        code, log = tasks.run(shot, "--step", "embed", "--frames", SPAN, cache=str(cache))
        assert code == (0 if warm else ExitCode.OUTPUT), log


def test_a_job_is_edited_while_it_runs(shot, tasks, plates, tmp_path, whole):
    """The task that runs goes on with what it read; the next makes what the edit changes, and no more."""
    running = tasks.start(shot, "--step", "track", "--frames", SPAN)
    running.until(2)
    disc, square = JOB.objects
    edited = dataclasses.replace(
        JOB, objects=(disc, dataclasses.replace(square, prompts=(Prompt(1004, box=(64, 32, 79, 49)),)))
    )
    write_job(edited, str(shot / "shot.job.json"))
    assert running.wait() == 0
    assert sums(shot / "out") == whole["plain"]
    code, log = tasks.run(shot, "--step", "track", "--frames", SPAN)
    assert code == 0 and '"mattes": 8, "kept": 8' in log
    alone = another_place(plates, tmp_path / "alone")
    run_job(edited, folder=str(alone), cache=CacheSettings(str(tasks.cache), 2**30))
    mine, theirs = sums(shot / "out"), sums(alone / "out")
    squares = {name for name in theirs if name.startswith("square")}
    assert {name: mine[name] for name in squares} == {name: theirs[name] for name in squares}


def test_records_of_a_job_that_was_edited_are_not_used(shot, tasks):
    words = ["--frames", SPAN, "--step"]
    assert tasks.run(shot, *words, "track", "--records")[0] == 0
    disc, square = JOB.objects
    other = dataclasses.replace(disc, prompts=(Prompt(1001, box=(14, 20, 34, 40)),))
    write_job(dataclasses.replace(JOB, objects=(other, square)), str(shot / "shot.job.json"))
    code, log = tasks.run(shot, *words, "mattes")
    assert code == ExitCode.INCOMPLETE and "of another job" in log
    assert "--step track --frames 1001-1008 --objects disc,square --records" in log
    assert not list((shot / "out").glob("*.exr"))


@pytest.mark.long
def test_nothing_is_written_elsewhere(shot, tmp_path):
    """From a folder, with a home and a place for temporary files, that stay empty."""
    empty = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "CWD")}
    for folder in empty.values():
        folder.mkdir()
    before = {path: path.read_bytes() for path in shot.iterdir()}
    environment = {**os.environ, **{name: str(folder) for name, folder in empty.items()}}
    environment |= {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    for step in (["embed"], ["track", "--records"], ["mattes"]):
        words = ["farm", "task", str(shot / "shot.job.json"), "--step", *step, "--frames", "1001-1002"]
        subprocess.run(
            [sys.executable, "-m", "efficienttam", *words, "--cache", str(tmp_path / "cache")],
            cwd=empty["CWD"],
            env=environment,
            check=True,
        )
    assert [path for folder in empty.values() for path in folder.rglob("*")] == []
    assert {path: path.read_bytes() for path in shot.iterdir() if path.name != "out"} == before
    assert len(sums(shot / "out")) == 4
    assert {path.name for path in tmp_path.iterdir()} == {*empty, "shot", "cache"}


@pytest.mark.parametrize("step", [["track"], ["track", "--records"], ["embed"]])
def test_two_hosts_do_the_same_task(shot, tasks, whole, tmp_path, step):
    words, cache = ["--step", *step, "--frames", SPAN], str(tmp_path / "cache")
    logs = [shot / "one", shot / "two"]
    running = []
    for log in logs:
        log.mkdir()
        (log / "shot.job.json").write_text(
            (shot / "shot.job.json").read_text().replace('"plate.', '"../plate.').replace('"out/', '"../out/')
        )
        running.append(tasks.start(log, *words, cache=cache))
    assert [one.wait() for one in running] == [0, 0]
    if step == ["track", "--records"]:
        assert tasks.run(shot, "--step", "mattes", "--frames", SPAN)[0] == 0
    if step != ["embed"]:
        assert sums(shot / "out") == whole["plain"]
        assert not [path for path in hidden(shot / "out") if path.suffix == ".tmp"]
    assert not [path for path in Path(cache).rglob("*") if path.suffix == ".tmp"]
