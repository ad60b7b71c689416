"""Real downloads from a real server that misbehaves."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from loopback_hub import FILE, LoopbackHub

from efficienttam.cli import main
from efficienttam.contract.errors import WeightsError
from efficienttam.weights import download as download_module
from efficienttam.weights.download import fetch_weights, verify_weights
from efficienttam.weights.record import read_record, record_path, write_record
from efficienttam.weights.registry import REGISTRY, find_entry
from efficienttam.weights.transfer import Patience, notes_path

NAME = "efficienttam_ti_512x512"
QUICK = Patience(timeout=5.0, attempts=3, pause=0.01)
REPOSITORY = Path(__file__).resolve().parents[3]


def fetch(hub: LoopbackHub, folder: Path, **options: object) -> Path:
    return fetch_weights(NAME, folder, source=hub.url, patience=QUICK, **options).path  # type: ignore[arg-type]


def only_the_weights_remain(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} == {FILE, f"{FILE}.json", f"{FILE}.lock"}


def test_a_download_is_whole_recorded_and_not_repeated(hub: LoopbackHub, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    path = fetch(hub, tmp_path, progress=lambda done, total: seen.append((done, total)))
    data = hub.files[FILE]
    assert path.read_bytes() == data
    assert seen[0] == (0, len(data)) and seen[-1] == (len(data), len(data))
    record = read_record(path)
    assert record is not None
    assert (record.sha256, record.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert record.source == hub.url + FILE
    assert only_the_weights_remain(tmp_path)
    assert fetch(hub, tmp_path) == path and len(hub.requests) == 1
    assert hub.requests[0].user_agent.startswith("efficienttam")


def test_a_cut_connection_is_continued_where_it_broke(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.cut_after = [700_000, 1_500_000]
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    assert [request.range for request in hub.requests] == [None, "bytes=700000-", "bytes=1500000-"]
    etag = f'"{hashlib.sha256(hub.files[FILE]).hexdigest()}"'
    assert [request.if_range for request in hub.requests] == [None, etag, etag]


def test_a_killed_process_is_continued_by_the_next(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.seconds_per_block = 0.05
    code = f"from efficienttam.weights.download import fetch_weights as d; d({NAME!r}, {str(tmp_path)!r})"
    environment = {**os.environ, "EFFICIENTTAM_WEIGHTS_SOURCE": hub.url}
    child = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, env=environment)
    part = tmp_path / f"{FILE}.part"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 300_000):
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.01)
    child.kill()
    child.wait()
    kept = part.stat().st_size
    hub.faults.seconds_per_block = 0.0
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    assert hub.requests[-1].range == f"bytes={kept}-"
    assert only_the_weights_remain(tmp_path)


def test_a_whole_part_file_is_only_checked_and_moved(hub: LoopbackHub, tmp_path: Path) -> None:
    data = hub.files[FILE]
    part = tmp_path / f"{FILE}.part"
    part.write_bytes(data)
    etag = f'"{hashlib.sha256(data).hexdigest()}"'
    notes_path(part).write_text(json.dumps({"url": hub.url + FILE, "validator": etag}))
    assert fetch(hub, tmp_path).read_bytes() == data
    assert len(hub.requests) == 1


@pytest.mark.parametrize("fault", ["no_range", "no_validator"])
def test_a_server_that_cannot_continue_sends_everything_again(
    hub: LoopbackHub, tmp_path: Path, fault: str
) -> None:
    setattr(hub.faults, fault, True)
    hub.faults.cut_after = [700_000]
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    assert len(hub.requests) == 2


def test_a_file_replaced_on_the_server_is_not_spliced(
    hub: LoopbackHub, tmp_path: Path, published_file: Callable[[int], bytes]
) -> None:
    hub.faults.cut_after = [700_000]
    with pytest.raises(WeightsError, match="in 1 attempts"):
        fetch_weights(NAME, tmp_path, source=hub.url, patience=Patience(5.0, 1, 0.01))
    hub.files[FILE] = published_file(3)
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    assert hub.requests[-1].range == "bytes=700000-"


def test_corrupt_bytes_are_refused_and_thrown_away(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.corrupt = True
    with pytest.raises(WeightsError, match="the source says") as caught:
        fetch(hub, tmp_path)
    assert caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == [f"{FILE}.lock"]
    hub.faults.corrupt = False
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]


def test_the_sum_is_learnt_from_a_redirecting_hub(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.redirect = hub.faults.corrupt = True
    with pytest.raises(WeightsError, match="the source says"):
        fetch(hub, tmp_path)
    hub.faults.corrupt = False
    hub.faults.cut_after = [700_000]
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    assert hub.requests[-1].path == f"/cdn/{FILE}" and hub.requests[-1].range == "bytes=700000-"


def test_the_first_sum_holds_from_there_on(
    hub: LoopbackHub, tmp_path: Path, published_file: Callable[[int], bytes]
) -> None:
    path = fetch(hub, tmp_path)
    assert verify_weights(path) == hashlib.sha256(hub.files[FILE]).hexdigest()
    path.write_bytes(b"damaged" + hub.files[FILE][7:])
    with pytest.raises(WeightsError, match="damaged or was replaced"):
        verify_weights(path)
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    path.unlink()
    hub.files[FILE] = published_file(3)
    with pytest.raises(WeightsError, match=r"the record says .* Delete .*\.json only if"):
        fetch(hub, tmp_path)
    assert not path.exists()


def test_the_registry_sum_rules(hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = dataclasses.replace(find_entry(NAME), sha256="0" * 64)
    monkeypatch.setitem(REGISTRY, NAME, wrong)
    with pytest.raises(WeightsError, match="the registry says 0000"):
        fetch(hub, tmp_path)


def test_a_busy_server_is_asked_again_a_closed_one_is_not(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.statuses = [503, 429]
    assert fetch(hub, tmp_path / "busy").read_bytes() == hub.files[FILE]
    hub.faults.statuses = [503, 503, 503]
    with pytest.raises(WeightsError, match="in 3 attempts: the server answered 503"):
        fetch(hub, tmp_path / "down")
    hub.requests.clear()
    hub.faults.statuses = [403]
    with pytest.raises(WeightsError, match="was refused: 403"):
        fetch(hub, tmp_path / "closed")
    hub.files.clear()
    with pytest.raises(WeightsError, match="was refused: 404"):
        fetch(hub, tmp_path / "empty")
    assert len(hub.requests) == 2


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(WeightsError, match="could not be fetched in 2 attempts") as caught:
        fetch_weights(NAME, tmp_path, source="http://127.0.0.1:9/", patience=Patience(1.0, 2, 0.01))
    assert "another source" in caught.value.remedy


def test_offline_opens_no_connection(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match="connections are not allowed"):
        fetch(hub, tmp_path, offline=True)
    monkeypatch.setenv(download_module.OFFLINE_VARIABLE, "1")
    with pytest.raises(WeightsError, match="connections are not allowed"):
        fetch(hub, tmp_path)
    assert not hub.requests


@pytest.mark.parametrize("as_url", [True, False])
def test_a_folder_is_a_source_also_offline(hub: LoopbackHub, tmp_path: Path, as_url: bool) -> None:
    shelf = tmp_path / "studio shelf"
    shelf.mkdir()
    (shelf / FILE).write_bytes(hub.files[FILE])
    source = shelf.as_uri() if as_url else str(shelf)
    path = fetch_weights(NAME, tmp_path / "mine", source=source, offline=True).path
    assert path.read_bytes() == hub.files[FILE]
    assert record_path(path).is_file()
    with pytest.raises(WeightsError, match="cannot be copied"):
        fetch_weights("efficienttam_s", tmp_path / "mine", source=source)


def test_who_vouches_is_told(
    hub: LoopbackHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(hub.files[FILE]).hexdigest()

    def told(folder: str, source: str = hub.url) -> str:
        place = tmp_path / folder
        assert main(["weights", "download", NAME, "--folder", str(place), "--source", source]) == 0
        out, err = capsys.readouterr()
        assert out == f"{place / FILE}\n" and f"{NAME}  sha256 {digest}: " in err
        record = read_record(place / FILE)
        assert record is not None and record.sha256 == digest and f"in {FILE}.json" in err
        return err

    assert "by the source it came from, and recorded" in told("stated")
    assert "by the source it came from" in told("from a shelf", str(tmp_path / "stated"))
    hub.faults.no_linked_etag = hub.faults.no_validator = True
    assert "nobody vouches for it yet; it is recorded now" in told("unstated")
    assert "by the record of its first download" in told("unstated")
    (tmp_path / "unstated" / FILE).unlink()
    assert "by the record of its first download" in told("unstated")
    monkeypatch.setitem(REGISTRY, NAME, dataclasses.replace(find_entry(NAME), sha256=digest))
    assert "by the registry of this package" in told("unstated")
    assert main(["weights", "download", "efficienttam_demo"]) == 0
    assert "by the registry of this package." in capsys.readouterr().err


def test_a_record_on_the_shelf_is_believed(hub: LoopbackHub, tmp_path: Path) -> None:
    shelved = fetch(hub, tmp_path / "shelf")
    shelved.write_bytes(b"damaged" + hub.files[FILE][7:])
    with pytest.raises(WeightsError, match="the source says"):
        fetch_weights(NAME, tmp_path / "mine", source=str(shelved.parent))


def test_two_at_once_fetch_once(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.seconds_per_block = 0.01
    code = f"from efficienttam.weights.download import fetch_weights as d; d({NAME!r}, {str(tmp_path)!r})"
    environment = {**os.environ, "EFFICIENTTAM_WEIGHTS_SOURCE": hub.url}
    children = [
        subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, env=environment) for _ in range(2)
    ]
    assert [child.wait(300) for child in children] == [0, 0]
    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]
    assert len(hub.requests) == 1


def test_the_second_does_not_wait_for_ever(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.faults.seconds_per_block = 0.05
    first = threading.Thread(target=fetch, args=(hub, tmp_path))
    first.start()
    while not (tmp_path / f"{FILE}.part").exists():
        time.sleep(0.01)
    with pytest.raises(WeightsError, match="Another process has been downloading"):
        fetch(hub, tmp_path, lock_patience=0.2)
    hub.faults.seconds_per_block = 0.0
    first.join()
    assert (tmp_path / FILE).is_file()


def test_stopping_from_the_progress_callback_keeps_the_part(hub: LoopbackHub, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(hub, tmp_path, progress=stop)
    assert (tmp_path / f"{FILE}.part").stat().st_size > 500_000
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    assert hub.requests[-1].range is not None


@pytest.mark.parametrize("source", ["ftp://example.org/", "gopher:x"])
def test_an_unknown_source_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(WeightsError, match="is no source of weights"):
        fetch_weights(NAME, tmp_path, source=source)


def test_an_unknown_variant_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="efficienttam_s"):
        fetch_weights("eficienttam_s", tmp_path)


PAGE = b"<!doctype html><html><title>Please sign in</title></html>"


def another_variant() -> bytes:
    file = io.BytesIO()
    torch.save({"model": {"layer.weight": torch.zeros(3, 3)}}, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PAGE, "it is a web page"),
        (b"PK\x03\x04 and no more", "cut short or damaged"),
        (another_variant(), "does not fit efficienttam_ti_512x512"),
    ],
)
def test_what_is_no_weights_is_thrown_away(
    hub: LoopbackHub, tmp_path: Path, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, hub.files[FILE] = hub.files[FILE], content
    hub.faults.no_linked_etag = hub.faults.no_validator = True
    with pytest.raises(WeightsError, match=f"{hub.url}{FILE} is not the weights .*{said}"):
        fetch(hub, tmp_path)
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / FILE).write_bytes(content)
    assert main(["weights", "import", str(shelf / FILE), "--folder", str(tmp_path)]) != 0
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [f"{FILE}.lock"]
    hub.files[FILE] = good
    assert fetch(hub, tmp_path).read_bytes() == good


@pytest.mark.parametrize("still_there", [True, False])
def test_a_page_that_was_recorded_once_vouches_for_nothing(
    hub: LoopbackHub, tmp_path: Path, still_there: bool
) -> None:
    page = tmp_path / FILE
    page.write_bytes(PAGE)
    write_record(page, hashlib.sha256(PAGE).hexdigest(), len(PAGE), hub.url)
    with pytest.raises(WeightsError, match="it is a web page"):
        verify_weights(page)
    if not still_there:
        page.unlink()
    assert fetch(hub, tmp_path).read_bytes() == hub.files[FILE]
    record = read_record(page)
    assert record is not None and record.sha256 == verify_weights(page)


def test_a_file_to_take_in_is_never_passed_over(
    tmp_path: Path, published_file: Callable[[int], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "good" / FILE
    given.parent.mkdir()
    given.write_bytes(published_file(2))
    line = ["weights", "import", str(given), "--folder", str(tmp_path / "mine")]
    mine = tmp_path / "mine" / FILE
    for _ in range(2):
        assert main(line) == 0
        assert hashlib.sha256(given.read_bytes()).hexdigest() in capsys.readouterr().err
    given.write_bytes(published_file(3))
    assert main(line) != 0
    told = capsys.readouterr().err
    assert f"{mine} is here with {hashlib.sha256(published_file(2)).hexdigest()}" in told
    assert hashlib.sha256(published_file(3)).hexdigest() in told
    assert mine.read_bytes() == published_file(2)
    mine.write_bytes(b"damaged")
    given.write_bytes(published_file(2))
    assert main(line) == 0 and mine.read_bytes() == published_file(2)
    own = find_entry("efficienttam_demo")
    (given.parent / own.file).write_bytes(published_file(2))
    assert main(["weights", "import", str(given.parent / own.file)]) != 0
    assert "part of the package" in capsys.readouterr().err
