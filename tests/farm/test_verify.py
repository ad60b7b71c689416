"""What farm verify finds and what farm retry writes: on real mattes, spoilt one way after the other."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
from small_shots import FRAMES, SHAPED, small_job, write_plate

from efficienttam.batch.progress import SilentProgress
from efficienttam.cli import main
from efficienttam.contract.cache_settings import CacheSettings
from efficienttam.contract.document import read_job, write_job
from efficienttam.contract.errors import ExitCode, IncompleteError
from efficienttam.contract.job import FrameRange, TrackJob
from efficienttam.contract.prompts import Prompt
from efficienttam.contract.region import Follow, Region
from efficienttam.contract.site_settings import FarmSettings
from efficienttam.farm.batch_of_jobs import read_batch
from efficienttam.farm.estimate import embedding_bytes, estimate, record_bytes
from efficienttam.farm.retry import retried
from efficienttam.farm.task import Step
from efficienttam.farm.verify import MatteTrouble, Trouble, lines, verify_job, verify_task
from efficienttam.run import Records, run_job

FARM = FarmSettings(least_span=1, embed_chunk=4, matte_chunk=4)
SPAN = FRAMES[0], FRAMES[-1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shot with all of its mattes, records and embeddings: steadied and refined, so made of records."""
    folder = tmp_path_factory.mktemp("made")
    write_plate(folder)
    job = small_job(mattes=SHAPED)
    write_job(job, str(folder / "shot.job.json"))
    cache = CacheSettings(str(folder / "cache"), 2**30)
    run_job(job, folder=str(folder), records=Records.LEAVE, cache=cache)
    run_job(job, folder=str(folder), records=Records.USE, load=None, cache=cache)
    return folder


def matte(folder: Path, name: str, frame: int) -> Path:
    return folder / "out" / f"{name}.{frame}.exr"


def found(folder: Path, **how: object) -> list[tuple[str, str, int]]:
    job = read_job(str(folder / "shot.job.json"))
    verified = verify_job(job, SilentProgress(), folder=str(folder), **how)
    return [(one.trouble.value, one.object, one.frame) for one in verified.incomplete]


def test_whole_and_right_mattes_pass(made: Path) -> None:
    verified = verify_job(read_job(str(made / "shot.job.json")), SilentProgress(), folder=str(made))
    assert verified.mattes == 2 * len(FRAMES)
    assert verified.incomplete == []
    assert verified.exit_code(allow_suspicious=True) is ExitCode.OK


@pytest.fixture
def spoilt(made: Path):
    """Puts back what a test does to files."""
    kept: dict[Path, bytes] = {}

    def spoil(path: Path, content: bytes | None) -> None:
        kept.setdefault(path, path.read_bytes())
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)

    yield spoil
    for path, content in kept.items():
        path.write_bytes(content)


def test_what_is_missing_cut_short_or_of_another_frame_is_found(made: Path, spoilt) -> None:
    whole = matte(made, "disc", 1002).read_bytes()
    spoilt(matte(made, "disc", 1003), None)
    spoilt(matte(made, "disc", 1002), whole[: len(whole) // 2])
    spoilt(matte(made, "square", 1007), matte(made, "square", 1006).read_bytes())
    spoilt(matte(made, "square", 1001), b"")
    assert found(made) == [
        ("bad", "disc", 1002),
        ("missing", "disc", 1003),
        ("bad", "square", 1001),
        ("bad", "square", 1007),
    ]
    assert found(made, frames=(1004, 1006)) == []


def test_mattes_of_a_job_that_was_edited_are_bad(made: Path, tmp_path: Path) -> None:
    job = read_job(str(made / "shot.job.json"))
    first, other = job.objects
    moved = replace(first, prompts=(replace(first.prompts[0], box=(14, 18, 36, 42)), *first.prompts[1:]))
    edited = replace(job, objects=(moved, other))
    verified = verify_job(edited, SilentProgress(), folder=str(made))
    assert {(one.object, one.trouble) for one in verified.incomplete} == {("disc", Trouble.BAD)}
    assert any("recipe" in line for line in lines(verified.troubles))


def test_a_frame_that_was_rendered_again_is_found(made: Path, tmp_path: Path) -> None:
    plate = made / "plate.1008.exr"
    before = plate.read_bytes(), plate.stat().st_mtime_ns
    plate.write_bytes((made / "plate.1007.exr").read_bytes())
    try:
        assert ("bad", "disc", 1008) in found(made)
    finally:
        import os

        plate.write_bytes(before[0])
        os.utime(plate, ns=(before[1], before[1]))
    assert found(made) == []


class Log(SilentProgress):
    def __init__(self) -> None:
        self.told: list[str] = []

    def status(self, text: str) -> None:
        self.told.append(text)

    def end(self, text: str) -> None:
        self.told.append(text)


def finish(made: Path, log: Log, **how: object) -> None:
    verify_task(
        read_job(str(made / "shot.job.json")),
        log,
        folder=str(made),
        frames=SPAN,
        stop=lambda: False,
        cache=CacheSettings(),
        **{"suspicious_fails": False, **how},
    )


def test_the_task_fails_while_a_matte_lacks_and_then_removes_the_records(made: Path, spoilt) -> None:
    records = list(made.rglob("*.record"))
    assert len(records) == 2 * len(FRAMES)
    kept = {path: path.read_bytes() for path in records}
    spoilt(matte(made, "disc", 1004), None)
    log = Log()
    with pytest.raises(IncompleteError, match="1 missing") as caught:
        finish(made, log)
    assert caught.value.exit_code is ExitCode.INCOMPLETE and "retry" in caught.value.remedy
    assert "missing disc 1004" in log.told
    assert all(path.exists() for path in records)
    run_job(
        read_job(str(made / "shot.job.json")), folder=str(made), records=Records.USE, resume=True, load=None
    )
    finish(made, log)
    assert "16 records of tracking removed" in log.told[-1]
    assert not any(path.exists() for path in records)
    records[0].parent.mkdir(exist_ok=True)
    for path, content in kept.items():
        path.write_bytes(content)


def test_suspicious_mattes_are_told_and_fail_where_the_site_says_so(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from efficienttam.contract.frames_to_check import Check, Reason
    from efficienttam.farm import verify

    doubt = Check((Reason("area", "area jumps +62 %", 0.5),))
    monkeypatch.setattr(verify, "checks", lambda scores: {1005: doubt} if 1005 in scores else {})
    document = str(made / "shot.job.json")
    assert main(["farm", "verify", document]) == ExitCode.TO_CHECK
    assert "shot: suspicious disc 1005: area jumps +62 %" in capsys.readouterr().out
    assert main(["farm", "verify", document, "--allow-suspicious", "--json"]) == ExitCode.OK
    shot = json.loads(capsys.readouterr().out)["shots"][0]
    assert shot["mattes"] == 16 and shot["troubles"][0]["trouble"] == "suspicious"
    with pytest.raises(IncompleteError) as caught:
        finish(made, Log(), suspicious_fails=True)
    assert caught.value.exit_code is ExitCode.TO_CHECK


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder may be written to; permissions say nothing to a test that runs as root."""
    import os

    from efficienttam.contract import disk

    def refused(path: object, *how: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(disk, "folder_refusal", lambda target: f"{target!r} may not be written to")
    for name in ("remove", "rmdir", "mkdir", "makedirs", "replace"):
        monkeypatch.setattr(os, name, refused)


def test_mattes_that_may_only_be_read_are_verified(
    made: Path, read_only: None, capsys: pytest.CaptureFixture[str]
) -> None:
    document = str(made / "shot.job.json")
    assert main(["farm", "verify", document, "--allow-suspicious"]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines()[-1].startswith("16 mattes: none missing, none bad")
    log = Log()
    finish(made, log)
    assert "removed" not in log.told[-1]
    assert len(list(made.rglob("*.record"))) == 16
    assert main(["farm", "plan", document]) == ExitCode.OUTPUT


def test_faulty_jobs_are_listed_and_the_others_verified(
    made: Path, spoilt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, gone = str(made / "shot.job.json"), str(tmp_path / "gone.job.json")
    words = ["farm", "verify", gone, good, "--allow-suspicious"]
    assert main(words) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1].startswith("16 mattes: none missing")
    assert printed.out.splitlines()[-1].endswith(" 1 shot not verified.")
    assert printed.err.startswith("not verified: ") and "gone.job.json" in printed.err
    assert main([*words, "--json"]) == ExitCode.USAGE
    told = json.loads(capsys.readouterr().out)
    assert [one["place"] for one in told["refused"]] == [gone] and told["shots"][0]["mattes"] == 16
    assert main([*words, "--skip-faulty"]) == ExitCode.OK
    assert "gone.job.json" in capsys.readouterr().err
    spoilt(matte(made, "disc", 1004), None)
    assert main([*words, "--skip-faulty"]) == ExitCode.INCOMPLETE
    assert main([*words]) == ExitCode.USAGE
    assert "shot: missing disc 1004" in capsys.readouterr().out
    assert main(["farm", "verify", gone, gone, "--skip-faulty"]) == ExitCode.USAGE


def test_a_shot_that_cannot_be_read_to_the_end_stops_no_other(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where its regions lie was not found yet: what its mattes should be cannot be told."""
    job = read_job(str(made / "shot.job.json"))
    first, other = job.objects
    job = replace(
        job,
        objects=(replace(first, region=Region(follow=Follow.TRACK)), other),
        output=replace(job.output, path="other/{object}.%04d.exr"),
    )
    write_job(job, str(made / "region.json"))
    words = ["farm", "verify", str(made / "region.json"), str(made / "shot.job.json"), "--allow-suspicious"]
    for more in ([], ["--skip-faulty"]):
        assert main([*words, *more]) == ExitCode.INCOMPLETE
        printed = capsys.readouterr()
        assert "16 mattes: none missing" in printed.out and "--step regions" in printed.err


def test_a_folder_in_the_place_of_a_matte_is_bad(
    made: Path, spoilt, capsys: pytest.CaptureFixture[str]
) -> None:
    path = matte(made, "disc", 1004)
    spoilt(path, None)
    path.mkdir()
    try:
        assert main(["farm", "verify", str(made / "shot.job.json")]) == ExitCode.INCOMPLETE
        assert "shot: bad disc 1004: is a folder." in capsys.readouterr().out
    finally:
        path.rmdir()


def test_what_is_removed_is_told_by_its_kind(made: Path) -> None:
    kept = {path: path.read_bytes() for path in made.rglob("*.record")}
    try:
        for path in list(kept)[1:]:
            path.unlink()
        log = Log()
        finish(made, log)
        assert log.told[-1].endswith(". 1 record of tracking removed.")
        (made / "out" / ".disc.1004.exr.1.0123456789ab.tmp").write_bytes(b"cut sh")
        finish(made, log)
        assert log.told[-1].endswith(". 1 unfinished file removed.")
    finally:
        for path, content in kept.items():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)


def test_a_dry_run_of_retry_tells_what_lacks(
    made: Path, spoilt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt(matte(made, "disc", 1002), None)
    spoilt(matte(made, "disc", 1005), None)
    words = ["farm", "retry", str(made / "shot.job.json"), "--to", "openjd", "-o", str(tmp_path / "again")]
    assert main([*words, "--dry-run"]) == ExitCode.OK
    assert "note: 2 mattes missing or bad. Tasks run from the first to the last" in capsys.readouterr().out


def test_retry_writes_work_for_what_lacks_alone(
    made: Path, spoilt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = str(made / "shot.job.json")
    words = ["farm", "retry", document, "--to", "openjd", "-o", str(tmp_path / "again")]
    assert main(words) == ExitCode.OK
    assert "nothing is to be tried again" in capsys.readouterr().out
    assert not (tmp_path / "again").exists()
    spoilt(matte(made, "disc", 1004), None)
    assert main([*words, "--dry-run"]) == ExitCode.OK
    assert not (tmp_path / "again").exists()
    assert main(words) == ExitCode.OK
    plan = json.loads((tmp_path / "again" / "plan.json").read_text())
    tasks = [(task["step"], task["frames"]) for task in plan["shots"][0]["tasks"]]
    assert tasks == [("track", [1003, 1005]), ("mattes", [1004, 1004]), ("verify", [1001, 1008])]
    assert (tmp_path / "again" / "shot" / "template.json").is_file()


def trouble(name: str, frame: int) -> MatteTrouble:
    return MatteTrouble(Trouble.MISSING, "", name, frame, "", "")


def test_what_is_tried_again_are_the_spans_that_make_it(made: Path) -> None:
    def tried(job: TrackJob, *lacking: MatteTrouble) -> list[tuple[str, tuple[str, ...], str]]:
        write_job(job, str(made / "keyed.job.json"))
        (shot_job,) = read_batch([str(made / "keyed.job.json")], FARM).shots
        shot = retried(shot_job, shot_job.shot("x", FARM), lacking)
        return [(task.step.value, task.objects, task.span) for task in shot.tasks]

    first, other = small_job().objects
    keyed = small_job(
        objects=(
            replace(first, prompts=tuple(Prompt(frame, box=(1, 1, 9, 9)) for frame in (1001, 1004))),
            replace(other, prompts=tuple(Prompt(frame, box=(1, 1, 9, 9)) for frame in (1001, 1004))),
        ),
        range=FrameRange(*SPAN),
    )
    assert tried(keyed, trouble("disc", 1006)) == [("track", (), "1006-1006"), ("verify", (), "1001-1008")]
    assert tried(keyed, trouble("disc", 1002), trouble("square", 1003)) == [
        ("track", (), "1002-1003"),
        ("verify", (), "1001-1008"),
    ]


def test_bytes_told_are_those_on_disk(made: Path) -> None:
    (shot_job,) = read_batch([str(made / "shot.job.json")], FARM).shots
    held = [path.stat().st_size for path in (made / "cache").rglob("*") if path.is_file()]
    assert len(held) == len(FRAMES)
    assert embedding_bytes(shot_job) == pytest.approx(sum(held) / len(held), rel=0.01)
    records = [path.stat().st_size for path in made.rglob("*.record")]
    assert record_bytes(shot_job) == pytest.approx(sum(records) / len(records), rel=0.05)
    told = estimate([(shot_job, shot_job.shot("x", FARM))], FARM)
    assert told.cache_bytes == pytest.approx(sum(held), rel=0.01)
    assert told.record_bytes == pytest.approx(sum(records), rel=0.05)
    assert (told.frames, told.mattes) == (8, 16)
    assert told.tasks == {"regions": 0, "embed": 2, "track": 2, "mattes": 2, "verify": 1}


def test_hours_go_by_the_rates_of_the_site(made: Path) -> None:
    (shot_job,) = read_batch([str(made / "shot.job.json")], FARM).shots
    farm = replace(FARM, embeddings_per_second=2.0, frames_per_second=4.0, mattes_per_second=8.0)
    shot = shot_job.shot("x", farm)
    tracked = [2 * task.count + task.passed for task in shot.of(Step.TRACK)]
    told = estimate([(shot_job, shot)], farm)
    assert told.hours * 3600 == pytest.approx(8 / 2 + sum(tracked) / 4 + 16 / 8)
    assert told.least_hours * 3600 == pytest.approx(4 / 2 + max(tracked) / 4 + 8 / 8)
