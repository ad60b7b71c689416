"""Fills the embedding cache for a job, so that tracking it, here or anywhere, runs no image encoder."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator, Sequence

from .batch.failures import plain_failures
from .batch.footage import Footage
from .batch.open_job import OpenJob, Stop
from .batch.progress import Progress, SilentProgress, tell_count
from .contract.cache_settings import CacheSettings, cache_settings
from .contract.errors import JobError, OutputError
from .contract.job import TrackJob
from .contract.sizes import format_size
from .tracking.embedding_store import obstacle
from .tracking.frame_encoder import FrameEncoder


@dataclasses.dataclass(frozen=True)
class EmbedSummary:
    """How many embeddings were made, and how many were there already and good."""

    made: int
    kept: int
    seconds: float


def embed_job(
    job: TrackJob,
    progress: Progress | None = None,
    *,
    folder: str = "",
    frames: tuple[int, int] | None = None,
    view: str = "",
    exact: bool = False,
    stop: Stop | None = None,
    cache: CacheSettings | None = None,
) -> EmbedSummary:
    """Puts an embedding of every frame of the job's range, or of ``frames``, into the cache on disk; of
    every view, or of ``view``.

    For objects in regions that is one of every region, which are found first where they go by tracking,
    ``exact`` as ``run_job`` has it.
    What is there is checked and kept. Any part may be made on any machine that sees the cache. Raises
    as ``run_job`` does; JobError when the cache is off, OutputError when it cannot be written, or when
    its size did not let it keep all of them to the end.
    """
    progress = progress or SilentProgress()
    started = time.monotonic()
    cache = cache or cache_settings()
    _refuse_no_cache(cache)
    with plain_failures():
        footage = Footage(job, folder, cache, frames, view)
        opened = OpenJob(footage, progress, stop or (lambda: False), exact=exact)
        wanted = [
            (view, encoder, range(first, last + 1))
            for view, (first, last) in opened.ranges.items()
            for encoder in opened.frame_encoders(view)
        ]
        missing = [
            (view, encoder, [frame for frame in among if not _is_there(opened, encoder, frame)])
            for view, encoder, among in wanted
        ]
        count = sum(len(among) for _, _, among in wanted)
        made = sum(len(lacking) for _, _, lacking in missing)
        progress.begin(made, count - made, "embedding")
        told = False
        for view, encoder, lacking in missing:
            for frame, path in _make(opened, encoder, lacking):
                if not told:
                    _tell_if_too_many(opened, path, count, progress)
                told = True
                progress.wrote(frame, view, path)
                progress.advance(frame, view, 1)
        there = sum(opened.store.holds(encoder.key(frame)) for _, encoder, among in wanted for frame in among)
    done = f"{tell_count(made, 'embedding')} made, {count - made} kept"
    if there < count:
        raise OutputError(
            f"{done}, and {there} of {count} are there at the end: the cache {cache.folder} may hold "
            f"{format_size(cache.budget)}, and the others were dropped again.",
            "Give it a larger size with --cache-size and run it again.",
        )
    seconds = time.monotonic() - started
    progress.end(f"{done}, all {there} there, {seconds:.1f} s.")
    return EmbedSummary(made, count - made, seconds)


def _refuse_no_cache(cache: CacheSettings) -> None:
    if not cache.folder:
        raise JobError("The embedding cache is off.", "Give its folder with --cache, and a size above 0.")
    blocking = obstacle(cache.folder)
    if blocking:
        raise OutputError(
            f"Embeddings cannot be kept in {cache.folder}: {blocking} is a file.",
            "Remove that file, or name another folder with --cache.",
        )


def _is_there(opened: OpenJob, encoder: FrameEncoder, frame: int) -> bool:
    """True when the disk holds a good embedding of the frame; a bad one is dropped."""
    opened.end_if_stopped()
    return opened.store.read(encoder.key(frame)) is not None


def _make(opened: OpenJob, encoder: FrameEncoder, frames: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Makes embeddings of frames; yields each with the path of its file. Raises OutputError."""
    store = opened.store
    encoder.expect(frames)
    try:
        for frame in frames:
            opened.end_if_stopped()
            with opened.model.inference():
                encoder.embedding(frame)
            if store.trouble:
                message = store.trouble.message
                raise OutputError(
                    f"The embedding of frame {frame} cannot be kept: {message[0].lower()}{message[1:]}",
                    store.trouble.remedy,
                )
            yield frame, store.path(encoder.key(frame))
    finally:
        encoder.rest()


def _tell_if_too_many(opened: OpenJob, path: str, count: int, progress: Progress) -> None:
    budget = opened.store.budget
    try:
        needed = os.path.getsize(path) * count
    except OSError:
        return  # Dropped already, which is told at the end.
    if needed > budget:
        progress.status(
            f"These embeddings take {format_size(needed)} and the cache may hold {format_size(budget)}: "
            "the oldest will be dropped. Give it a larger size with --cache-size."
        )
