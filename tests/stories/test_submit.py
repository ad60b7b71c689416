"""*Submit to farm*: from the button to a scheduler's own program, with real processes on the way."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from shots import FIRST, HEIGHT, Artist, Shot
from test_terminal import terminal

FAKE = Path(__file__).resolve().parents[1] / "farm" / "fake_deadlinecommand.py"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the site's settings: ``site(scheduler=...)``."""

    def write(**farm: Any) -> Path:
        path = tmp_path / "site.json"
        path.write_text(json.dumps({"farm": {"embed_chunk": 2, **farm}}), encoding="utf-8")
        monkeypatch.setenv("EFFICIENTTAM_SETTINGS", str(path))
        return path

    return write


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-in for Deadline's client, which is on PATH, puts jobs."""
    if os.name == "nt":
        pytest.skip("The stand-in for deadlinecommand is a script with a first line for POSIX systems.")
    client, jobs = tmp_path / "client", tmp_path / "queue"
    client.mkdir()
    jobs.mkdir()
    program = client / "deadlinecommand"
    program.write_text(f"#!{sys.executable}\n{FAKE.read_text(encoding='utf-8')}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("DEADLINE_PATH", str(client))
    monkeypatch.setenv("FAKE_DEADLINE_FARM", str(jobs))
    return jobs


@pytest.fixture
def node(artist: Artist, shot: Shot, tmp_path: Path) -> Any:
    """One that knows what to track."""
    node = artist.tracker(artist.read(shot.write(tmp_path / "plate"), shot))
    artist.click(node, shot, FIRST)
    return node


def submitted(artist: Artist, node: Any) -> str:
    """Presses the button and waits; the status line."""
    from efficienttam_nuke import farm_submission

    artist.press(node, "submit")

    def ended() -> bool:
        farm_submission.submissions().poll()
        return not farm_submission.submissions().is_open(artist.uuid(node))

    artist.wait(node, until=ended)
    return str(node["status"].getText())


def test_deadline_gets_the_job(artist: Artist, node: Any, site: Any, queue: Path, tmp_path: Path) -> None:
    site(scheduler="deadline", bundles="handed over")
    status = submitted(artist, node)
    jobs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(queue.glob("*.json"))]
    names = [job["job"]["Name"].split()[1] for job in jobs]
    assert names == ["embed", "track", "verify"]
    assert jobs[1]["waits"] == [jobs[0]["id"]] and jobs[2]["waits"] == [jobs[1]["id"]]
    assert status.startswith(f"Submitted to Deadline ({jobs[0]['id']}, {jobs[1]['id']}, {jobs[2]['id']}).")
    assert "4 tasks, " in status and " on one machine, " in status and "B of cache." in status
    (bundle,) = (tmp_path / "handed over").iterdir()
    (document,) = bundle.glob("*/*.job.json")
    assert f'farm task "{document}" ' in jobs[1]["plugin"]["Arguments"]
    assert node["state"].value() == "submitted"


def test_a_refusal_is_told_and_the_document_stays(
    artist: Artist, node: Any, site: Any, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(scheduler="deadline")
    monkeypatch.setenv("FAKE_DEADLINE_REFUSES", "embed")
    status = submitted(artist, node)
    assert "The pool comp does not exist. Nothing was submitted. What was written stays in " in status
    document = status.split("there: ")[1].rstrip(".")
    assert os.path.isfile(document)
    assert list(queue.iterdir()) == []
    assert node["state"].value() == "not submitted"


def test_what_the_engine_refuses_is_told(artist: Artist, node: Any, site: Any, queue: Path) -> None:
    path = site(scheduler="deadline")
    path.write_text(json.dumps({"farm": {"scheduler": "deadline", "embed_chunk": 0}}), encoding="utf-8")
    artist.press(node, "submit")
    assert "farm.embed_chunk" in node["status"].getText()


def test_a_bundle_is_written_where_nothing_takes_it(
    artist: Artist, node: Any, site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(scheduler="openjd")
    monkeypatch.setenv("PATH", str(tmp_path))
    status = submitted(artist, node)
    assert status.startswith("Written for Open Job Description: ") and "4 tasks, " in status
    bundle = Path(status.split("Description: ")[1].split(". ")[0])
    assert (bundle / "plan.json").is_file()


def test_without_a_scheduler_the_document_is_all(artist: Artist, node: Any, site: Any) -> None:
    site()
    artist.press(node, "submit")
    status = node["status"].getText()
    assert "Nothing was sent: the settings name no scheduler (farm.scheduler)." in status
    assert os.path.isfile(status.split("The job is ")[1].split(": run")[0])


def test_two_presses_are_one_submission(artist: Artist, node: Any, site: Any, queue: Path) -> None:
    site(scheduler="deadline")
    artist.press(node, "submit")
    artist.press(node, "submit")
    assert "being handed over" in node["status"].getText()
    from efficienttam_nuke import farm_submission

    def ended() -> bool:
        farm_submission.submissions().poll()
        return not farm_submission.submissions().is_open(artist.uuid(node))

    artist.wait(node, until=ended)
    assert len(list(queue.iterdir())) == 3


def test_a_terminal_waits_and_ends_with_the_exit_code(
    site: Any, queue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(scheduler="deadline")
    shot = Shot(3)
    pattern = shot.write(tmp_path / "plate")
    x, y = shot.center(FIRST)
    script = tmp_path / "submit.py"
    script.write_text(
        "import sys, nuke\n"
        "from efficienttam.contract.errors import EfficientTAMError\n"
        f"read = nuke.nodes.Read(file={pattern!r}, first=1001, last=1003, origfirst=1001, origlast=1003)\n"
        "nuke.frame(1001)\n"
        "node = nuke.createNode('EfficientTAM')\n"
        "node.setInput(0, read)\n"
        f"node['mattes'].setValue({str(tmp_path / 'mattes' / 'hero.%04d.exr')!r})\n"
        f"node['point'].setValue([{x}, {HEIGHT - y}])\n"
        "node['include'].execute()\n"
        "try:\n"
        "    node['submit'].execute()\n"
        "except EfficientTAMError as error:\n"
        "    print(error)\n"
        "    sys.exit(int(error.exit_code))\n"
    )
    done = terminal(script, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Submitted to Deadline (" in done.stdout
    assert len(list(queue.iterdir())) == 3
    refused = terminal(script, tmp_path, FAKE_DEADLINE_REFUSES="embed")
    assert refused.returncode == 9, refused.stdout + refused.stderr
    assert "The pool comp does not exist" in refused.stdout
