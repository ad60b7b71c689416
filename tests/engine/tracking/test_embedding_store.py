"""The folder of embeddings: real files, real processes, some of which are killed or run out of disk."""

from __future__ import annotations

import errno
import hashlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
import safetensors
import torch
from hypothesis import given
from hypothesis import strategies as st

from efficienttam.contract.cache_settings import Storage
from efficienttam.tracking.embedding_file import DamagedEmbedding, from_bytes, pack, to_bytes, unpack
from efficienttam.tracking.embedding_store import EmbeddingStore

SHAPE = (1, 8, 4, 4)
LARGE = 1 << 30
forks = pytest.mark.skipif(sys.platform != "linux", reason="forks processes that share torch")


def key_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def embedding_of(number: int) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(number))


def put(store: EmbeddingStore, number: int) -> bool:
    embedding = embedding_of(number)
    return store.write(key_of(number), pack(embedding, store.storage), embedding.dtype)


@pytest.fixture
def store(tmp_path) -> EmbeddingStore:
    return EmbeddingStore(str(tmp_path / "cache"), LARGE)


def bytes_of_one() -> int:
    embedding = embedding_of(0)
    packed = pack(embedding, Storage.FLOAT16)
    return len(to_bytes(key_of(0), packed, Storage.FLOAT16, torch.float32))


def all_bytes(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_that_vanishes_under_a_write_is_made_again(store, monkeypatch) -> None:
    rename = os.replace

    def late(*paths) -> None:
        monkeypatch.setattr(os, "replace", rename)
        shutil.rmtree(store.folder)
        rename(*paths)

    monkeypatch.setattr(os, "replace", late)
    assert put(store, 1) and store.read(key_of(1)) is not None and not store.trouble


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("storage", Storage)
def test_a_file_gives_the_very_numbers_that_packing_left(store, storage, kind) -> None:
    store.storage = storage
    embedding = embedding_of(1).to(kind)
    packed = pack(embedding, storage)
    assert store.read(key_of(1)) is None and not store.holds(key_of(1))
    assert store.write(key_of(1), packed, kind) and store.holds(key_of(1))
    found = store.read(key_of(1))
    assert found.dtype == kind
    assert torch.equal(found, unpack(packed, kind))
    assert torch.equal(unpack(pack(found, storage), kind), found) or storage is Storage.INT8
    coarsest = {Storage.FLOAT32: 0.0, Storage.FLOAT16: 2e-3, Storage.BFLOAT16: 2e-2, Storage.INT8: 3e-2}
    assert (found.float() - embedding.float()).abs().max() <= coarsest[storage] + (
        kind != torch.float32
    ) * 2e-2


def test_a_silent_channel_survives_eight_bits() -> None:
    embedding = embedding_of(1)
    embedding[:, 3] = 0
    found = unpack(pack(embedding, Storage.INT8), torch.float32)
    assert not found[:, 3].any() and found.isfinite().all()


def test_the_file_is_what_others_call_safetensors(store) -> None:
    put(store, 1)
    with safetensors.safe_open(store.path(key_of(1)), "pt") as file:
        assert list(file.keys()) == ["embedding"]
        assert torch.equal(file.get_tensor("embedding"), embedding_of(1).half())


@pytest.mark.parametrize("storage", [Storage.FLOAT16, Storage.INT8])
def test_no_byte_may_be_missing_or_other(storage) -> None:
    packed = pack(embedding_of(1), storage)
    content = to_bytes(key_of(1), packed, storage, torch.float32)
    for length in range(len(content)):
        with pytest.raises(DamagedEmbedding):
            from_bytes(key_of(1), content[:length])
    for place in range(len(content)):
        for change in (0x01, 0x10, 0x80):
            other = bytearray(content)
            other[place] ^= change
            with pytest.raises(DamagedEmbedding):
                from_bytes(key_of(1), bytes(other))
    with pytest.raises(DamagedEmbedding):
        from_bytes(key_of(1), content + b"\0")


@given(content=st.binary(max_size=200), header=st.text(max_size=80))
def test_anything_else_is_refused_with_a_reason(content, header) -> None:
    forged = len(header.encode()).to_bytes(8, "little") + header.encode() + content
    for thing in (content, forged):
        with pytest.raises(DamagedEmbedding):
            from_bytes(key_of(1), thing)


@pytest.mark.parametrize("harm", ["cut", "empty", "foreign", "renamed"])
def test_a_bad_file_is_dropped_with_one_sentence_and_can_be_made_again(store, harm, caplog) -> None:
    put(store, 1)
    put(store, 2)
    path = store.path(key_of(1))
    with open(path, "rb") as file:
        whole = file.read()
    if harm == "renamed":
        os.replace(store.path(key_of(2)), path)
    else:
        with open(path, "wb") as file:
            file.write({"cut": whole[:-1], "empty": b"", "foreign": b"a picture, say" * 99}[harm])
    assert [bool(store.damage(file)) for file in store.files() if file.path == path] == [True]
    with caplog.at_level(logging.WARNING):
        assert store.read(key_of(1)) is None
        assert store.read(key_of(1)) is None
    assert len(caplog.records) == 1 and "Dropped" in caplog.text and path in caplog.text
    assert not os.path.exists(path)
    put(store, 1)
    with open(path, "rb") as file:
        assert file.read() == whole


def test_only_keys_of_ours_become_file_names(store) -> None:
    for key in ("", "memory-" + key_of(1), "../" * 9 + "etc", key_of(1)[:-1] + "/", key_of(1) + "\n"):
        assert not store.write(key, pack(embedding_of(1), store.storage), torch.float32)
        assert store.read(key) is None and not store.holds(key)
    assert not os.path.exists(store.folder)


def test_the_least_recently_used_go_first(tmp_path) -> None:
    store = EmbeddingStore(str(tmp_path), 10 * bytes_of_one())
    for number in range(10):
        put(store, number)
        os.utime(store.path(key_of(number)), (1000 + number, 1000 + number))
    assert store.read(key_of(0)) is not None
    put(store, 10)
    held = {file.key for file in store.files()}
    assert held == {key_of(number) for number in (0, 3, 4, 5, 6, 7, 8, 9, 10)}


def test_without_a_folder_or_a_budget_nothing_is_kept(tmp_path) -> None:
    for store in (EmbeddingStore("", LARGE), EmbeddingStore(str(tmp_path), 0)):
        assert not put(store, 1)
        assert store.read(key_of(1)) is None
    assert list(tmp_path.iterdir()) == []


def test_what_dead_processes_left_is_swept_and_nothing_else(store) -> None:
    put(store, 1)
    folder = os.path.dirname(store.path(key_of(1)))
    names = [f".{key_of(1)}.123.00ff.tmp", f".{key_of(1)}.124.00ff.tmp", ".mine.tmp", "notes.txt"]
    for name in names:
        with open(os.path.join(folder, name), "w"):
            pass
    old = time.time() - 4000
    for name in (names[0], *names[2:]):
        os.utime(os.path.join(folder, name), (old, old))
    store.evict()
    assert sorted(os.listdir(folder)) == sorted([*names[1:], os.path.basename(store.path(key_of(1)))])


def test_a_place_that_cannot_be_written_is_told_once(tmp_path, caplog) -> None:
    (tmp_path / "file").touch()
    store = EmbeddingStore(str(tmp_path / "file" / "cache"), LARGE)
    with caplog.at_level(logging.WARNING):
        assert not put(store, 1) and not put(store, 2)
        assert store.read(key_of(1)) is None and not store.holds(key_of(1))
    assert [record.getMessage() for record in caplog.records] == [
        f"The embedding cache {store.folder} cannot be used: {tmp_path / 'file'} is a file. "
        "Remove that file, or name another folder (--cache)."
    ]


def test_a_folder_under_a_file_name_is_a_miss_told_once(store, caplog) -> None:
    empty, full = store.path(key_of(1)), store.path(key_of(2))
    os.makedirs(empty)
    os.makedirs(os.path.join(full, "more"))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert store.read(key_of(2)) is None and not put(store, 2)
        assert store.read(key_of(1)) is None and put(store, 1) and put(store, 3)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 and told[0].startswith(full) and told[0].endswith("Remove it by hand.")
    assert told[1].startswith(f"Dropped {empty}")
    assert store.read(key_of(1)) is not None and os.path.isdir(full)


def test_a_folder_that_cannot_be_listed_is_told_and_does_not_look_empty(store, caplog) -> None:
    put(store, 1)
    os.symlink("00", os.path.join(store.folder, "00"))
    with pytest.raises(OSError):
        list(store.files())
    with caplog.at_level(logging.WARNING):
        assert store.evict() == store.evict() == bytes_of_one()
    assert len(caplog.records) == 1 and "looked through" in caplog.text


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="modes do not stop this user")
def test_a_read_only_cache_is_read(store) -> None:
    put(store, 1)
    folder = os.path.dirname(store.path(key_of(1)))
    os.chmod(folder, 0o555)
    try:
        assert store.read(key_of(1)) is not None
        assert not store.write(key_of(1), pack(embedding_of(1), store.storage), torch.float32)
    finally:
        os.chmod(folder, 0o755)


def test_everyone_may_read_what_one_wrote(store) -> None:
    before = os.umask(0o022)
    try:
        put(store, 1)
    finally:
        os.umask(before)
    assert os.stat(store.path(key_of(1))).st_mode & 0o777 == 0o644


def test_a_full_disk_leaves_no_piece_of_a_file(store, caplog, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    put(store, 1)
    monkeypatch.setattr(os, "replace", full)
    with caplog.at_level(logging.WARNING):
        assert not put(store, 2) and not put(store, 3)
    assert caplog.text.count("No space left on device") == 1
    assert sorted(all_bytes(store_path(store))) == [f"{key_of(1)}.safetensors"]


def store_path(store: EmbeddingStore) -> Path:
    return Path(store.folder)


def spawn(work, *arguments) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    process.start()
    return process


def write_with_little_room(store: EmbeddingStore) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
    if put(store, 2) or store.holds(key_of(2)) or store.read(key_of(1)) is None:
        os._exit(1)


@forks
def test_a_write_that_the_system_cuts_short_leaves_nothing(store) -> None:
    put(store, 1)
    process = spawn(write_with_little_room, store)
    process.join(60)
    assert process.exitcode == 0
    assert sorted(all_bytes(store_path(store))) == [f"{key_of(1)}.safetensors"]


def write_for_ever(store: EmbeddingStore) -> None:
    number = 0
    while True:
        put(store, number % 50)
        number += 1


@forks
def test_killed_processes_leave_a_cache_that_verifies(store) -> None:
    """Forty times two writers, killed at any moment."""
    left_over = 0
    for turn in range(40):
        processes = [spawn(write_for_ever, store) for _ in range(2)]
        time.sleep(0.01 + 0.001 * turn)
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            process.join(60)
    names = [name for _, _, files in os.walk(store.folder) for name in files]
    left_over = sum(name.endswith(".tmp") for name in names)
    files = list(store.files())
    assert len(files) + left_over == len(names)
    assert len(files) > 10
    assert [store.damage(file) for file in files if store.damage(file)] == []
    for file in files:
        number = next(n for n in range(50) if key_of(n) == file.key)
        assert torch.equal(store.read(file.key), embedding_of(number).half().float())


def fill(store: EmbeddingStore, numbers: list[int]) -> None:
    for number in numbers:
        if store.read(key_of(number)) is None:
            put(store, number)


@forks
def test_processes_that_fill_one_cache_at_once_give_the_files_of_one(tmp_path) -> None:
    shared, alone = (EmbeddingStore(str(tmp_path / name), LARGE) for name in ("shared", "alone"))
    numbers = list(range(200))
    processes = [
        spawn(fill, shared, numbers),
        spawn(fill, shared, numbers),
        spawn(fill, shared, numbers[::-1]),
    ]
    fill(alone, numbers)
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    files = all_bytes(tmp_path / "alone")
    assert len(files) == 200
    assert all_bytes(tmp_path / "shared") == files


def churn(store: EmbeddingStore, seed: int) -> None:
    """Writes, reads and evicts; whatever is read is right."""
    draw = torch.Generator().manual_seed(seed)
    for _ in range(300):
        number = int(torch.randint(0, 120, (), generator=draw))
        found = store.read(key_of(number))
        if found is None:
            put(store, number)
        elif not torch.equal(found, embedding_of(number).half().float()):
            os._exit(1)


@forks
def test_the_bound_holds_while_several_processes_write_and_evict(tmp_path) -> None:
    count = 4
    budget = 40 * bytes_of_one()
    stores = [EmbeddingStore(str(tmp_path), budget) for _ in range(count)]
    processes = [spawn(churn, store, seed) for seed, store in enumerate(stores)]
    most = 0
    while any(process.is_alive() for process in processes):
        most = max(most, sum(file.bytes for file in stores[0].files()))
        time.sleep(0.002)
    assert [process.exitcode for process in processes] == [0] * count
    assert budget * 0.5 < most <= budget * (1 + 0.05 * count) + count * bytes_of_one()
    assert EmbeddingStore(str(tmp_path), budget).evict() <= budget
    assert not [file for file in stores[0].files() if stores[0].damage(file)]
