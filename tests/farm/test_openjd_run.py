"""Three shots from submit to verify through ``openjd run``, several tasks at once, one of them killed.

Each session is what a farm's machine would run; the sessions of the shots run at once. What they make is
held against ``efficienttam track`` on one machine, file by file, bit by bit.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from small_shots import SHAPED, small_job, sums, write_plate

from efficienttam.cli import main
from efficienttam.contract.document import write_job
from efficienttam.contract.errors import ExitCode
from efficienttam.contract.job import Layout, Output, TrackedObject, Tracking
from efficienttam.contract.prompts import Prompt

REPOSITORY = Path(__file__).resolve().parents[2]
FRAMES = range(1001, 1017)
OBJECTS = (
    TrackedObject(
        "disc",
        (
            Prompt(1001, box=(12, 18, 36, 42)),
            Prompt(1009, box=(36, 18, 60, 42)),
            Prompt(1013, include=((60, 30),)),
        ),
    ),
    TrackedObject("square", (Prompt(1001, box=(72, 31, 88, 49)), Prompt(1009, box=(48, 31, 64, 49)))),
)
JOBS = {
    "ab010": small_job(objects=OBJECTS),
    "ab020": small_job(objects=OBJECTS, mattes=SHAPED),
    "ab030": small_job(
        objects=OBJECTS,
        output=Output("out/all.%04d.exr", layout=Layout.LAYER_PER_OBJECT),
        tracking=Tracking(non_overlapping=True),
    ),
}
SITE = {
    "command": [sys.executable, "-m", "efficienttam"],
    "cores": 1,
    "least_span": 1,
    "embed_chunk": 16,
    "matte_chunk": 8,
}


def find_openjd() -> str:
    beside = Path(sys.executable).parent
    return shutil.which("openjd", path=str(beside)) or shutil.which("openjd") or ""


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not find_openjd(), reason="There is no openjd here: pip install openjd-cli==0.8.0."),
    pytest.mark.skipif(sys.platform == "win32", reason="Tasks are killed by signals of POSIX."),
]


class Session:
    """One ``openjd run``, its log read as it comes."""

    def __init__(self, bundle: Path, log: Path, *more: str) -> None:
        command = [find_openjd(), "run", bundle / "template.json", *more]
        command += ["--job-param", f"file://{bundle / 'job_parameters.json'}"]
        self.log = log
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._seen = 0
        self._reader.start()

    def wait_for(self, text: str) -> None:
        """Returns once a line holds the text, after the line that was waited for before."""
        until = time.monotonic() + 240
        while not any(text in line for line in self.lines[self._seen :]):
            assert time.monotonic() < until and self._reader.is_alive(), "".join(self.lines[-30:])
            time.sleep(0.002)
        while text not in self.lines[self._seen]:
            self._seen += 1

    def pid_of_task(self) -> int:
        """The process of the task at hand."""
        return int(re.findall(r"Command started as pid: (\d+)", "".join(self.lines))[-1])

    def interrupt(self) -> None:
        """What Ctrl-C does: the session notifies its task, and kills it when the notice is over."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> int:
        code = self._process.wait(timeout=300)
        self._reader.join()
        self.log.write_text("".join(self.lines))
        return code

    def _read(self) -> None:
        for line in self._process.stdout:
            self.lines.append(line)


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three jobs, each with a plate of its own, and the site's settings."""
    for name, job in JOBS.items():
        write_plate(tmp_path / name, frames=range(FRAMES[0], FRAMES[-1] + 1))
        placed = dataclasses.replace(
            job,
            plate=dataclasses.replace(job.plate, path=f"{name}/plate.%04d.exr"),
            output=dataclasses.replace(job.output, path=f"{name}/{job.output.path}"),
        )
        write_job(placed, str(tmp_path / f"{name}.job.json"))
    site = tmp_path / "site.json"
    site.write_text(json.dumps({"farm": {**SITE, "cache": str(tmp_path / "cache"), "cache_size": "1G"}}))
    monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(site))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def on_one_machine(show: Path) -> dict[str, dict[str, str]]:
    """Sums of the mattes of each shot as ``track`` makes them, which are then out of the way."""
    found = {}
    for name in JOBS:
        words = ["track", str(show / f"{name}.job.json"), "--cache", "off", "--progress", "none"]
        assert main(words) == ExitCode.OK
        found[name] = sums(show / name / "out")
        shutil.rmtree(show / name / "out")
    return found


def test_three_shots_go_through_openjd_and_equal_one_machine(show: Path) -> None:
    expected = on_one_machine(show)
    bundles = show / "bundles"
    assert main(["farm", "openjd", str(show), "-o", str(bundles)]) == ExitCode.OK
    tasks = json.loads((bundles / "plan.json").read_text())["estimate"]["tasks"]
    assert tasks == {"regions": 0, "embed": 3, "track": 6, "mattes": 2, "verify": 3}

    sessions = {name: Session(bundles / name, show / f"{name}.log") for name in JOBS}
    killed = sessions["ab010"]
    killed.wait_for("Running step 'Track'")
    killed.wait_for("openjd_status: Tracking first")
    killed.wait_for("openjd_progress: 12.5")
    os.kill(killed.pid_of_task(), signal.SIGKILL)
    assert killed.wait() != 0
    made = sums(show / "ab010" / "out")
    assert 0 < len(made) < len(expected["ab010"])
    assert made.items() <= expected["ab010"].items()
    # The other shots go on meanwhile; the killed one is queued again and goes on where it was.
    again = Session(bundles / "ab010", show / "again.log")
    assert sessions["ab020"].wait() == 0, sessions["ab020"].log
    assert sessions["ab030"].wait() == 0, sessions["ab030"].log
    assert again.wait() == 0, again.log
    assert re.search(r"16 mattes made, 0 kept|\d+ mattes made, [1-9]\d* kept", "".join(again.lines))

    assert main(["farm", "verify", str(show), "--allow-suspicious"]) == ExitCode.OK
    assert {name: sums(show / name / "out") for name in JOBS} == expected
    assert not [path for path in show.rglob("*") if path.suffix in (".record", ".tmp", ".part")]


def test_a_session_that_is_cancelled_leaves_whole_mattes(show: Path) -> None:
    expected = on_one_machine(show)["ab010"]
    bundles = show / "bundles"
    assert main(["farm", "openjd", str(show / "ab010.job.json"), "-o", str(bundles)]) == ExitCode.OK
    session = Session(bundles / "ab010", show / "ended.log")
    session.wait_for("Running step 'Track'")
    session.wait_for("openjd_status: Tracking first")
    session.wait_for("openjd_progress: 12.5")
    session.interrupt()
    assert session.wait() != 0
    log = "".join(session.lines)
    assert "Sending signal" in log and "openjd_fail" in log
    made = sums(show / "ab010" / "out")
    assert made and made.items() <= expected.items()
    assert main(["farm", "verify", str(show / "ab010.job.json")]) == ExitCode.INCOMPLETE
    words = ["farm", "retry", str(show / "ab010.job.json"), "--to", "openjd", "-o", str(show / "retry")]
    assert main(words) == ExitCode.OK
    assert Session(show / "retry" / "ab010", show / "retry.log").wait() == 0
    assert sums(show / "ab010" / "out") == expected


def test_rules_of_a_session_say_where_files_are_on_this_machine(show: Path) -> None:
    """The storage of the show is mounted elsewhere: without its rules nothing is found."""
    document = show / "ab010.job.json"
    assert main(["track", str(document), "--cache", "off", "--progress", "none"]) == ExitCode.OK
    bundles = show / "bundles"
    assert main(["farm", "openjd", str(document), "-o", str(bundles)]) == ExitCode.OK
    (show / "ab010").rename(show / "mounted")
    step = ("--step", "Verify", "--no-run-dependencies")
    lost = Session(bundles / "ab010", show / "lost.log", *step)
    assert lost.wait() != 0 and "There are no frames named" in "".join(lost.lines)
    rule = {
        "source_path_format": "POSIX",
        "source_path": str(show / "ab010"),
        "destination_path": str(show / "mounted"),
    }
    rules = json.dumps({"version": "pathmapping-1.0", "path_mapping_rules": [rule]})
    found = Session(bundles / "ab010", show / "found.log", *step, "--path-mapping-rules", rules)
    assert found.wait() == 0, found.log
    assert "32 mattes: none missing, none bad" in "".join(found.lines)
