"""The worker as a host meets it: real processes, real files, the real network with untrained weights."""

import base64
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from efficienttam.client import WorkerState, clean_environment
from efficienttam.client.worker_client import was_cancelled
from efficienttam.contract.document import write_job
from efficienttam.contract.errors import ExitCode
from efficienttam.contract.job import Layout, Mattes, Output, TrackedObject
from efficienttam.contract.messages import (
    PROTOCOL_VERSION,
    Dropped,
    Failed,
    Forget,
    FrameDone,
    GetMattes,
    GetPicture,
    GetReview,
    Hello,
    NotOpen,
    OpenPlate,
    Preview,
    Progress,
    ReleaseDevice,
    Status,
    TrackRequest,
    to_line,
)
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Follow, Region, RegionBox
from efficienttam.media import read_roto, write_matte
from efficienttam.run import preview_job, run_job


def pixels(png):
    return cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_UNCHANGED)


def alive(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def names(messages):
    return [type(message).__name__ for message in messages]


def test_a_plate_opens_and_tells_what_it_is(start, job, tiny_plate):
    host = start()
    assert host.client.state is WorkerState.OFF
    number = host.send(OpenPlate(0, "shot", job.plate, model=job.model, folder=str(tiny_plate)))
    assert host.client.state is WorkerState.STARTING
    opened = host.answer(number)
    assert (opened.first, opened.last, opened.width, opened.height) == (1001, 1006, 96, 54)
    assert (opened.pixel_aspect, opened.device) == (1.0, "cpu")
    assert host.client.hello.version == PROTOCOL_VERSION
    assert host.client.state is WorkerState.READY


def test_a_preview_is_that_of_the_job(opened, job, tiny_plate):
    reply = opened.ask(Preview(0, "shot", 1004, job.objects))
    _, expected = preview_job(job, 1004, folder=str(tiny_plate))
    assert [matte.name for matte in reply.mattes] == ["hero", "sky"]
    for matte in reply.mattes:
        np.testing.assert_allclose(pixels(matte.png) / 255, expected[matte.name], atol=0.51 / 255 + 1e-4)
        assert matte.score.area == pytest.approx(expected[matte.name].mean(), abs=1e-4)


def test_a_preview_shows_what_the_region_gives(opened, job, tiny_plate):
    hero, sky = job.objects
    drawn = Region(Follow.DRAWN, boxes=(RegionBox(1001, (10, 5, 60, 50)), RegionBox(1006, (30, 5, 80, 50))))
    things = (
        dataclasses.replace(sky, region=Region(Follow.PROMPTS)),
        dataclasses.replace(hero, region=drawn),
    )
    placed = dataclasses.replace(job, objects=things)
    reply = opened.ask(Preview(0, "shot", 1004, things))
    _, expected = preview_job(placed, 1004, folder=str(tiny_plate))
    assert [matte.name for matte in reply.mattes] == ["sky", "hero"]
    for matte in reply.mattes:
        np.testing.assert_allclose(pixels(matte.png) / 255, expected[matte.name], atol=0.51 / 255 + 1e-4)
    whole = opened.ask(Preview(0, "shot", 1004, job.objects))
    tracked = tuple(dataclasses.replace(thing, region=Region()) for thing in job.objects)
    assert opened.ask(Preview(0, "shot", 1004, tracked)).mattes == whole.mattes


def test_pictures_and_mattes_come_as_large_as_they_are_asked_for(opened, job):
    assert pixels(opened.ask(Preview(0, "shot", 1001, job.objects, side=48)).mattes[0].png).shape == (27, 48)
    picture = opened.ask(GetPicture(0, "shot", 1001, 48))
    assert cv2.imread(picture.path).shape == (27, 48, 3)
    whole = cv2.imread(opened.ask(GetPicture(0, "shot", 1001)).path)
    assert whole.shape == (54, 96, 3)
    assert whole[:, :, 2].mean() > whole[:, :, 1].mean()


def test_a_soft_roto_keeps_its_edge_in_a_preview(opened, tiny_plate):
    ramp = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (54, 1))
    write_matte(tiny_plate / "roto.1001.exr", ramp)
    things = (TrackedObject("hero", (Prompt(1001, mask=RotoFile("roto.%04d.exr")),)),)
    shown = pixels(opened.ask(Preview(0, "shot", 1001, things)).mattes[0].png)
    np.testing.assert_allclose(shown / 255, ramp, atol=0.01)
    write_matte(tiny_plate / "roto.1001.exr", 1 - ramp)
    shown = pixels(opened.ask(Preview(0, "shot", 1001, things)).mattes[0].png)
    np.testing.assert_allclose(shown / 255, 1 - ramp, atol=0.01)


@pytest.mark.parametrize(
    "output",
    [
        Output("out/{object}.%04d.exr"),
        Output("out/all.%04d.exr", Layout.LAYER_PER_OBJECT),
        Output("out/ids.%04d.exr", Layout.CRYPTOMATTE),
        Output("out/{object}.%04d.png"),
    ],
    ids=["exr", "layers", "cryptomatte", "png"],
)
def test_tracking_writes_what_the_command_line_writes(host, job, tiny_plate, output):
    job = dataclasses.replace(job, output=output)
    number = host.send(TrackRequest(0, job, folder=str(tiny_plate), side=32))
    done = host.answer(number)
    events = host.heard[number]
    assert names(events)[-1] == "Done" and (done.made, done.kept) == (12, 0)
    fractions = [event.done / event.mattes for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    frames = [event for event in events if isinstance(event, FrameDone)]
    files = sorted(path for event in frames for path in event.paths)
    assert files == sorted(map(str, (tiny_plate / "out").iterdir()))
    assert any(matte.png for event in frames for matte in event.mattes)
    scores = [matte.score for event in frames for matte in event.mattes]
    assert all(-50 < score.object_score < 50 and 0 <= score.predicted_iou <= 1 for score in scores)
    assert all(0 <= score.stability <= 1 and score.agreement is None for score in scores)
    prompted = {(event.frame, m.name) for event in frames for m in event.mattes if m.score.prompted}
    assert prompted == {(prompt.frame, thing.name) for thing in job.objects for prompt in thing.prompts}
    written = {path.name: path.read_bytes() for path in (tiny_plate / "out").iterdir()}
    run_job(job, folder=str(tiny_plate))
    assert {path.name: path.read_bytes() for path in (tiny_plate / "out").iterdir()} == written
    again = host.ask(TrackRequest(0, job, folder=str(tiny_plate)))
    assert (again.made, again.kept) == (0, 12)


def test_mattes_on_disk_are_shown_and_reviewed(opened, job, tiny_plate):
    run_job(job, folder=str(tiny_plate), frames=(1001, 1004))
    (tiny_plate / "out" / "sky.1002.exr").write_bytes(b"cut short")
    shown = opened.ask(GetMattes(0, "shot", job.output, ("hero", "sky"), 1003))
    expected = read_roto(str(tiny_plate / "out" / "hero.1003.exr"))
    np.testing.assert_allclose(pixels(shown.mattes[0].png) / 255, expected, atol=0.003)
    review = opened.ask(GetReview(0, "shot", job.output, ("hero", "sky")))
    assert [frame.frame for frame in review.frames] == [1001, 1002, 1003, 1004]
    assert [matte.name for matte in review.frames[0].mattes] == ["hero", "sky"]
    assert [matte.name for matte in review.frames[1].mattes] == ["hero"]
    matte = review.frames[2].mattes[0]
    assert matte.score == shown.mattes[0].score
    assert matte.score.area == pytest.approx(expected.mean(), abs=1e-3)


def test_mattes_are_reviewed_without_a_plate_and_without_a_network(start, job, tiny_plate):
    host = start()
    run_job(job, folder=str(tiny_plate), frames=(1001, 1004))
    output = dataclasses.replace(job.output, path=str(tiny_plate / job.output.path))
    review = host.ask(GetReview(0, "", output, ("hero", "sky"), (1002, 1010)))
    assert [frame.frame for frame in review.frames] == [1002, 1003, 1004]
    assert all(matte.score.object_score is not None for frame in review.frames for matte in frame.mattes)
    assert "torch" not in pathlib.Path(f"/proc/{host.client.pid}/maps").read_text()


@pytest.fixture
def long_job(job, tiny_plate):
    """So many frames that a job is surely caught in the middle."""
    first = (tiny_plate / "plate.1001.exr").read_bytes()
    for frame in range(1007, 1301):
        (tiny_plate / f"plate.{frame}.exr").write_bytes(first)
    return job


def test_cancelling_is_answered_soon_and_keeps_finished_frames(host, long_job, tiny_plate):
    number = host.send(TrackRequest(0, long_job, folder=str(tiny_plate)))
    host.poll_until(lambda: sum(isinstance(message, FrameDone) for message in host.heard[number]) >= 5)
    host.client.cancel(number)
    reply = host.answer(number)
    assert isinstance(reply, Failed) and reply.exit_code == ExitCode.CANCELLED and was_cancelled(reply)
    done = {
        path for message in host.heard[number] if isinstance(message, FrameDone) for path in message.paths
    }
    assert done == set(map(str, (tiny_plate / "out").glob("*.exr")))
    assert all(path.suffix == ".exr" for path in (tiny_plate / "out").iterdir())
    kept = host.ask(TrackRequest(0, long_job, folder=str(tiny_plate), frames=(1001, 1003)))
    assert kept.kept >= 3


SLOW = """
import sys, time
from efficienttam.batch import {module}
quick = {module}.{what}
def slow(*given):
    time.sleep({seconds})
    return quick(*given)
{module}.{what} = slow
from efficienttam.worker import __main__
sys.exit(__main__.main())
"""
FORMS = {
    "shaping": ("view_pass", "_shape", Mattes()),
    "steadying": ("steady_window", "SteadyWindow.steady", Mattes(steady_frames=1)),
}


@pytest.mark.parametrize("form", FORMS)
def test_cancelling_writes_no_frame_that_waits_to_be_shaped_or_steadied(form, start, long_job, tiny_plate):
    """Counted, not timed: benchmarks/click.py measures how long an answer takes. With a stage that takes its
    time up to ten frames wait; those being written are two at most, and one more may get there on the way."""
    module, what, mattes = FORMS[form]
    job = dataclasses.replace(long_job, objects=long_job.objects[:1], mattes=mattes)
    host = start([sys.executable, "-c", SLOW.format(module=module, what=what, seconds=0.4)])

    def done():
        return sum(isinstance(message, FrameDone) for message in host.heard[number])

    number = host.send(TrackRequest(0, job, folder=str(tiny_plate)))
    host.poll_until(lambda: done() >= 5)
    before = done()
    host.client.cancel(number)
    assert was_cancelled(host.answer(number))
    assert done() - before <= 3
    written = {path.name for path in (tiny_plate / "out").iterdir()}
    assert len(written) == done() and all(name.startswith("hero.") for name in written)
    time.sleep(1)
    assert {path.name for path in (tiny_plate / "out").iterdir()} == written, "nothing comes afterwards"
    frames = sorted(int(name.split(".")[1]) for name in written)
    again = host.ask(TrackRequest(0, job, folder=str(tiny_plate), frames=(frames[0], frames[-1] + 1)))
    assert (again.made, again.kept) == (frames[-1] + 2 - frames[0] - len(written), len(written))


def test_a_waiting_request_is_cancelled_before_it_begins(host, long_job, tiny_plate):
    first = host.send(TrackRequest(0, long_job, folder=str(tiny_plate)))
    second = host.send(TrackRequest(0, long_job, folder=str(tiny_plate)))
    host.client.cancel(second)
    reply = host.answer(second)
    assert was_cancelled(reply) and host.client.is_open(first)
    host.client.cancel(first)
    assert was_cancelled(host.answer(first))


def test_previews_are_answered_while_a_job_runs(opened, long_job, tiny_plate):
    number = opened.send(TrackRequest(0, long_job, folder=str(tiny_plate)))
    opened.poll_until(lambda: any(isinstance(message, FrameDone) for message in opened.heard[number]))
    shown = opened.ask(Preview(0, "shot", 1001, long_job.objects[:1]))
    assert names([shown]) == ["Previewed"] and opened.client.is_open(number)
    opened.client.cancel(number)
    assert was_cancelled(opened.answer(number))


def test_of_waiting_previews_the_newest_counts(opened, job):
    numbers = [opened.send(Preview(0, "shot", 1001 + index % 6, job.objects)) for index in range(12)]
    replies = [opened.answer(number) for number in numbers]
    assert names(replies[-1:]) == ["Previewed"] and replies[-1].frame == 1006
    assert any(isinstance(reply, Dropped) for reply in replies)
    assert {type(reply).__name__ for reply in replies} <= {"Previewed", "Dropped"}


def test_a_wrong_prompt_is_told_and_nothing_is_lost(opened, job):
    wrong = (TrackedObject("hero", (Prompt(1001, exclude=((1, 1),)),)),)
    reply = opened.ask(Preview(0, "shot", 1001, wrong))
    assert "only excludes" in reply.message and reply.remedy and not reply.trace
    assert names([opened.ask(Preview(0, "shot", 1001, job.objects))]) == ["Previewed"]


def test_missing_weights_and_plates_are_told(host, job, tiny_plate):
    model = dataclasses.replace(job.model, weights=str(tiny_plate / "none.safetensors"))
    reply = host.ask(OpenPlate(0, "shot", job.plate, model=model, folder=str(tiny_plate)))
    assert reply.exit_code == ExitCode.WEIGHTS and "none.safetensors" in reply.message and reply.remedy
    reply = host.ask(
        OpenPlate(0, "shot", dataclasses.replace(job.plate, path="no.%04d.exr"), model=job.model)
    )
    assert reply.exit_code == ExitCode.INPUT and reply.remedy


def test_what_is_not_open_is_told(opened, job):
    assert names([opened.ask(Forget(0, "shot"))]) == ["Done"]
    assert isinstance(opened.ask(Preview(0, "shot", 1001, job.objects)), NotOpen)


def test_memory_is_given_back_and_comes_again(opened, job, tiny_plate):
    opened.ask(ReleaseDevice(0))
    assert isinstance(opened.ask(Preview(0, "shot", 1001, job.objects)), NotOpen)
    opened.ask(OpenPlate(0, "shot", job.plate, model=job.model, folder=str(tiny_plate)))
    assert names([opened.ask(Preview(0, "shot", 1001, job.objects))]) == ["Previewed"]


def test_a_killed_worker_is_told_and_the_next_request_starts_another(opened_alone, long_job, tiny_plate):
    number = opened_alone.send(TrackRequest(0, long_job, folder=str(tiny_plate)))
    opened_alone.poll_until(
        lambda: any(isinstance(message, FrameDone) for message in opened_alone.heard[number])
    )
    os.kill(opened_alone.client.pid, signal.SIGKILL)
    reply = opened_alone.answer(number)
    assert "killed" in reply.message and "again" in reply.remedy
    assert opened_alone.client.state is WorkerState.OFF
    again = opened_alone.ask(TrackRequest(0, long_job, folder=str(tiny_plate), frames=(1001, 1006)))
    assert again.made + again.kept == 12 and again.kept > 0


def test_a_network_is_loaded_once_and_told_once(opened_alone, job, tiny_plate):
    asked = TrackRequest(0, job, folder=str(tiny_plate), frames=(1001, 1001))
    reply = opened_alone.ask(asked)
    assert reply.made, reply
    told = [m.text for messages in opened_alone.heard.values() for m in messages if isinstance(m, Status)]
    assert sum(text.startswith("Loading ") for text in told) == 1


def test_a_worker_that_dies_while_nobody_asks_is_known_of(opened_alone):
    assert opened_alone.client.lost is None
    os.kill(opened_alone.client.pid, signal.SIGKILL)
    opened_alone.poll_until(lambda: opened_alone.client.pid is None)
    assert "killed" in opened_alone.client.lost.message
    opened_alone.ask(Forget(0, "shot"))
    assert opened_alone.client.lost is None


def test_stray_prints_do_not_reach_the_host(start, job, tiny_plate):
    code = (
        "import os, sys\n"
        "from efficienttam.worker import __main__, loaded_model\n"
        "load = loaded_model.LoadedModel.load\n"
        "def noisy(self, wish, tell):\n"
        "    print('stray print'); os.write(1, b'stray write\\n'); os.system('echo stray child')\n"
        "    return load(self, wish, tell)\n"
        "loaded_model.LoadedModel.load = noisy\n"
        "sys.exit(__main__.main())\n"
    )
    host = start([sys.executable, "-c", code])
    reply = host.ask(OpenPlate(0, "shot", job.plate, model=job.model, folder=str(tiny_plate)))
    assert names([reply]) == ["PlateOpened"]
    host.poll_until(lambda: sum("stray" in line for line in host.client.log) == 3)


def test_a_defect_is_told_with_its_trace_and_the_worker_goes_on(start, job, tiny_plate):
    code = (
        "import sys\n"
        "from efficienttam.worker import __main__, server\n"
        "def broken(self, request): raise ZeroDivisionError('deliberate')\n"
        "server.Server._get_review = broken\n"
        "sys.exit(__main__.main())\n"
    )
    host = start([sys.executable, "-c", code])
    reply = host.ask(GetReview(0, "shot", job.output, ()))
    assert "unexpected" in reply.message and "ZeroDivisionError" in reply.trace and reply.remedy
    opened = host.ask(OpenPlate(0, "shot", job.plate, model=job.model, folder=str(tiny_plate)))
    assert names([opened]) == ["PlateOpened"]


def test_an_idle_worker_ends_and_another_starts(start, job, tiny_plate):
    host = start([sys.executable, "-m", "efficienttam.worker", "--idle-minutes", "0.01"])
    assert names([host.ask(ReleaseDevice(0))]) == ["Done"]
    host.poll_until(lambda: host.client.state is WorkerState.OFF, 20)
    assert names([host.ask(ReleaseDevice(0))]) == ["Done"]


def test_a_replaced_frame_is_told_once(opened, tiny_plate):
    opened.ask(GetPicture(0, "shot", 1001))
    (tiny_plate / "plate.1001.exr").write_bytes((tiny_plate / "plate.1002.exr").read_bytes())
    assert opened.ask(Preview(0, "shot", 1001, (), mattes=False)).replaced == (1001,)
    assert opened.ask(Preview(0, "shot", 1001, (), mattes=False)).replaced == ()


def test_a_frame_that_was_replaced_is_seen_in_the_next_preview(opened, job, tiny_plate):
    before = opened.ask(Preview(0, "shot", 1003, job.objects)).mattes
    (tiny_plate / "plate.1006.exr").replace(tiny_plate / "plate.1003.exr")
    (tiny_plate / "plate.1006.exr").write_bytes((tiny_plate / "plate.1001.exr").read_bytes())
    after = opened.ask(Preview(0, "shot", 1003, job.objects)).mattes
    assert [matte.png for matte in before] != [matte.png for matte in after]
    _, expected = preview_job(job, 1003, folder=str(tiny_plate))
    for matte in after:
        np.testing.assert_allclose(pixels(matte.png) / 255, expected[matte.name], atol=0.51 / 255 + 1e-4)


@pytest.mark.parametrize("said", ["", '{"kind": "Close", "id": 1}\n'])
def test_a_worker_ends_well_while_the_host_still_holds_the_pipe(said):
    process = subprocess.Popen(
        [sys.executable, "-m", "efficienttam.worker", "--idle-minutes", "0.01"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write(said)
    process.stdin.flush()
    assert process.wait(60) == 0, process.stderr.read()
    lines = process.stdout.read().splitlines()
    assert len(lines) == (2 if said else 1) and "Hello" in lines[0]
    process.stdin.close()


def test_a_line_that_is_no_request_is_answered(start):
    process = subprocess.Popen(
        [sys.executable, "-m", "efficienttam.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    hello = to_line(Hello(1, "x", "3", 1))
    told, _ = process.communicate(
        hello + '{"kind": "Done", "id": 5}\n{"kind": "Cancel", "id": true}\nx\n', 60
    )
    assert process.returncode == 0
    assert [line.split('"')[3] for line in told.splitlines()] == [
        "Hello",
        "Failed",
        "Failed",
        "Failed",
        "Failed",
    ]


def test_closing_ends_the_process(opened_alone):
    pid = opened_alone.client.pid
    opened_alone.client.close(10)
    assert not alive(pid) and opened_alone.client.state is WorkerState.OFF


HOST = """
import subprocess, sys, time
from efficienttam.client import WorkerClient, clean_environment, engine_command
from efficienttam.contract.document import from_json
from efficienttam.contract.messages import ReleaseDevice, TrackRequest, FrameDone
client = WorkerClient(engine_command(sys.executable), clean_environment())
client.wait(client.send(ReleaseDevice(0), print))
seen = []
if sys.argv[1:2] == ["a job"]:
    job = from_json(open(sys.argv[2] + "/job.json").read())
    client.send(TrackRequest(0, job, sys.argv[2]), seen.append)
    while not any(isinstance(one, FrameDone) for one in seen): client.poll(); time.sleep(.01)
if sys.argv[1:2] == ["another child"]:
    pipe = client._process._process.stdin.fileno()
    print("child", subprocess.Popen(["sleep", "600"], pass_fds=[pipe], stdout=2).pid, flush=True)
print("pid", client.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("asked", ["nothing", "a job"])
def test_the_worker_dies_with_its_host(long_job, tiny_plate, asked):
    write_job(long_job, str(tiny_plate / "job.json"))
    assert kill_host(asked, tiny_plate)["pid"] is None
    assert all(path.suffix == ".exr" for path in tiny_plate.glob("out/*"))


def test_the_worker_dies_with_its_host_though_another_child_holds_its_pipe(tmp_path):
    """Then nobody hangs up: the worker has to see that its parent is another one."""
    left = kill_host("another child", tmp_path)
    assert left["child"] is not None, "The child that held the pipe should have outlived the worker."
    os.kill(left["child"], signal.SIGKILL)
    assert left["pid"] is None


def kill_host(asked, folder):
    """Kills a host with a worker; the processes it named, by their names: None for those that soon ended."""
    words = [sys.executable, "-c", HOST, asked, str(folder)]
    host = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    named = {}
    while "pid" not in named:
        name, _, number = host.stdout.readline().partition(" ")
        if name in ("child", "pid"):
            named[name] = int(number)
    assert all(map(alive, named.values()))
    host.kill()
    host.wait()
    until = time.monotonic() + 20
    while alive(named["pid"]) and time.monotonic() < until:
        time.sleep(0.05)
    return {name: pid if alive(pid) else None for name, pid in named.items()}


STAND_IN = "import sys, time\nprint({!r}, end='', flush=True)\ntime.sleep(60)\n"


def test_another_version_is_refused_with_a_remedy(start):
    host = start([sys.executable, "-c", STAND_IN.format(to_line(Hello(99, "9.9", "3.11", 1)))])
    reply = host.ask(ReleaseDevice(0))
    assert "version 99" in reply.message and "one release" in reply.remedy


def test_a_command_that_is_no_worker_is_told(start):
    reply = start([sys.executable, "-c", STAND_IN.format("hello\n")]).ask(ReleaseDevice(0))
    assert "no message" in reply.message and reply.remedy
    reply = start([sys.executable, "-c", "import sys; sys.exit('no torch here')"]).ask(ReleaseDevice(0))
    assert "no torch here" in reply.message and sys.executable in reply.remedy
    reply = start(["/no/such/python"]).ask(ReleaseDevice(0))
    assert "/no/such/python" in reply.message and "EFFICIENTTAM_PYTHON" in reply.remedy


def test_the_host_environment_stays_outside(tmp_path):
    given = {
        "PATH": os.pathsep.join([str(tmp_path / "host" / "bin"), "/usr/bin"]),
        "PYTHONHOME": "x",
        "LD_LIBRARY_PATH": "y",
        "HOME": "/home/a",
        "HOST_PATH": "z",
    }
    clean = clean_environment(given, str(tmp_path / "host"), ("HOST_PATH",))
    assert clean["PATH"] == "/usr/bin" and clean["HOME"] == "/home/a"
    assert not {"PYTHONHOME", "LD_LIBRARY_PATH", "HOST_PATH"} & set(clean)


def test_a_request_that_is_not_read_never_blocks_the_host(start):
    host = start([sys.executable, "-c", "import time; time.sleep(60)"])
    started = time.monotonic()
    for _ in range(50):
        host.send(Forget(0, "x" * 100000))
    assert time.monotonic() - started < 5
    assert host.client.state is WorkerState.STARTING


def test_pictures_leave_nothing_behind(opened_alone):
    folder = pathlib.Path(opened_alone.ask(GetPicture(0, "shot", 1001)).path).parent
    opened_alone.client.close(10)
    assert not folder.exists()
