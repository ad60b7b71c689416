"""``farm``: job documents as work of the studio's own scheduler."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import platform
import socket
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..batch.progress import SilentProgress, tell_count
from ..contract.cache_settings import (
    DEFAULT_SIZE,
    FOLDER_VARIABLE,
    OFF,
    SIZE_VARIABLE,
    cache_settings,
)
from ..contract.errors import Cancelled, EfficientTAMError, ExitCode, JobError
from ..contract.settings_in_force import setting
from ..contract.site_settings import FarmSettings, Scheduler, SiteSettings, site_settings
from ..contract.sizes import format_size, parse_size
from ..farm.batch_of_jobs import Batch, Refused, exit_code_of, read_batch, refusal
from ..farm.bundle import as_data, make_plan, write_documents
from ..farm.estimate import Estimate, estimate
from ..farm.plan import embeds_ahead
from ..farm.shot_job import ShotJob
from ..farm.simulation import Simulation, simulate
from ..farm.submission import SubmissionError
from ..farm.task import FarmPlan
from .jobs import Stop, stopping

if TYPE_CHECKING:
    from ..farm.verify import Verified

#: What writes a plan into a folder and gives the paths; and what hands that over and gives the jobs' ids.
Written = Callable[[FarmPlan, str], list[str]]


def plan(args: argparse.Namespace) -> int:
    """Tells what jobs will take; writes nothing."""
    site = site_settings()
    batch, settings = _batch(args, site), site.farm
    if args.machines is not None and args.machines < 1:
        raise JobError(f"--machines is {args.machines}.", "Say 1 or more.")
    made = make_plan("plan", batch.shots, settings, os.curdir)
    played = simulate(batch.shots, made.shots, settings, args.machines) if args.machines else None
    _tell_plan(args, made, batch, played)
    return ExitCode.OK


def write(args: argparse.Namespace) -> int:
    """Writes the bundle of a batch for a scheduler, and hands it over where that is asked for."""
    site = site_settings()
    batch = _batch(args, site)
    return _write(args, args.scheduler, batch, _planned(args, batch, site.farm))


def _batch(args: argparse.Namespace, site: SiteSettings) -> Batch:
    return read_batch(args.jobs, site.farm, args.skip_faulty, site.path_map)


def _planned(args: argparse.Namespace, batch: Batch, settings: FarmSettings) -> FarmPlan:
    folder = os.path.abspath(args.out)
    return make_plan(args.name or os.path.basename(folder), batch.shots, settings, folder)


def verify(args: argparse.Namespace) -> int:
    """Reads every matte of jobs; tells which are missing, bad or suspicious, and which jobs are faulty."""
    site = site_settings()
    batch = read_batch(args.jobs, site.farm, True, site.path_map, writes=False)
    from ..farm.verify import lines, summary

    each: dict[str, Verified] = {}
    unread: list[Refused] = []
    with stopping() as stop:
        for shot in batch.shots:
            try:
                each[shot.name] = _verified(shot, stop)
            except Cancelled:
                raise
            except EfficientTAMError as error:
                unread.append(refusal(error, shot.source))
    refused = [*batch.refused, *unread]
    if args.json:
        data = {
            "shots": [_verified_data(name, one) for name, one in each.items()],
            "refused": [{"place": one.place, "fault": str(one.error)} for one in refused],
        }
        print(json.dumps(data, indent=2))
    else:
        for one in refused:
            print(f"not verified: {one.error}", file=sys.stderr)
        for name, verified in each.items():
            for line in lines(verified.troubles):
                print(f"{name}: {line}")
        left = f" {tell_count(len(refused), 'shot')} not verified." if refused else ""
        print(summary(each.values()) + left)
    codes = [exit_code_of(unread if args.skip_faulty else refused)]
    codes += [one.exit_code(args.allow_suspicious) for one in each.values()]
    return min((code for code in codes if code is not ExitCode.OK), default=ExitCode.OK)


def retry(args: argparse.Namespace) -> int:
    """Writes work for the mattes alone that are missing or bad."""
    site = site_settings()
    batch = _batch(args, site)
    from ..farm.retry import retried

    with stopping() as stop:
        lacking = {shot.name: _verified(shot, stop).incomplete for shot in batch.shots}
    if not any(lacking.values()):
        print("Every matte is there and whole: nothing is to be tried again.")
        return ExitCode.OK
    again = Batch(tuple(shot for shot in batch.shots if lacking[shot.name]), batch.refused)
    made = _planned(args, again, site.farm)
    shots = [retried(job, shot, lacking[shot.name]) for job, shot in zip(again.shots, made.shots)]
    told = tell_count(sum(len(one) for one in lacking.values()))
    note = f"{told} missing or bad. Tasks run from the first to the last of theirs and keep the good ones."
    return _write(args, Scheduler(args.to), again, dataclasses.replace(made, shots=tuple(shots)), [note])


def _verified(shot: ShotJob, stop: Stop) -> Verified:
    from ..farm.verify import verify_job

    return verify_job(shot.job, SilentProgress(), frames=shot.part, stop=stop, cache=cache_settings())


def _verified_data(name: str, one: Verified) -> dict[str, Any]:
    told = [{**dataclasses.asdict(each), "trouble": each.trouble.value} for each in one.troubles]
    return {"name": name, "mattes": one.mattes, "troubles": told}


def host(args: argparse.Namespace) -> int:
    """Names this machine; sets the cache of the tasks that follow in an Open Job Description session."""
    cache = cache_settings(args.cache, args.cache_size)
    try:
        torch = metadata.version("torch")
    except metadata.PackageNotFoundError:
        torch = "none"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    print(f"{socket.gethostname()}: {system}, {os.cpu_count()} CPU cores")
    print(f"efficienttam {__version__}, Python {platform.python_version()}, torch {torch}, {sys.executable}")
    print(f"embedding cache: {cache.folder or OFF}, {format_size(cache.budget)}", flush=True)
    if args.openjd:
        print(f"openjd_env: {FOLDER_VARIABLE}={cache.folder or OFF}")
        if args.cache_size:
            print(f"openjd_env: {SIZE_VARIABLE}={args.cache_size}")
    return ExitCode.OK


def _write(
    args: argparse.Namespace,
    scheduler: Scheduler,
    batch: Batch,
    made: FarmPlan,
    more_notes: Sequence[str] = (),
) -> int:
    folder = os.path.abspath(args.out)
    if args.dry_run:
        _tell_plan(args, made, batch, more_notes=more_notes)
        return ExitCode.OK
    submit = _writer(scheduler, "submit") if args.submit else None
    paths = [*write_documents(made, batch.shots, folder), *_writer(scheduler, "write")(made, folder)]
    ids = _submitted(submit, made, folder) if submit else []
    if args.json:
        data = {"written": paths, "submitted": ids, "refused": [str(one.error) for one in batch.refused]}
        print(json.dumps(data, indent=2))
        return ExitCode.OK
    _tell_refused(batch)
    for path in paths:
        print(path)
    for one in ids:
        print(f"submitted {one}")
    return ExitCode.OK


def _submitted(submit: Written, made: FarmPlan, folder: str) -> list[str]:
    """What was handed over. Raises SubmissionError, which says where the bundle lies nevertheless."""
    try:
        return submit(made, folder)
    except SubmissionError as error:
        remedy = f"{error.remedy} What was written stays in {folder!r}."
        raise SubmissionError(error.message, remedy.strip()) from error


def _writer(scheduler: Scheduler, does: str) -> Written:
    """A scheduler's ``write`` or ``submit``. Raises JobError where it takes nothing from a command line."""
    module = importlib.import_module(f"efficienttam.farm.{scheduler.value}")
    if not hasattr(module, does):
        raise JobError(
            f"Nothing can be submitted to {scheduler.value} from here.", "Submit what was written."
        )
    return getattr(module, does)


def _tell_plan(
    args: argparse.Namespace,
    made: FarmPlan,
    batch: Batch,
    played: Simulation | None = None,
    more_notes: Sequence[str] = (),
) -> None:
    notes = [*more_notes, *_notes(made, batch.shots)]
    if args.json:
        data = as_data(made, batch.shots)
        data.update({"simulation": dataclasses.asdict(played)} if played else {})
        data["refused"] = [{"place": one.place, "fault": str(one.error)} for one in batch.refused]
        data["notes"] = notes
        print(json.dumps(data, indent=2))
        return
    _tell_refused(batch)
    for note in notes:
        print(f"note: {note}")
    for line in table(made, batch.shots):
        print(line)
    if played:
        print(told(played))


def _notes(made: FarmPlan, shots: Sequence[ShotJob]) -> list[str]:
    """What the people who submit a plan should know."""
    settings = made.settings
    notes = list(dict.fromkeys(note for shot in shots for note in shot.notes))
    if not embeds_ahead(settings):
        return notes
    if not (settings.cache or setting("cache.folder").said):
        notes.append(
            "no cache folder is set for the farm, so each machine uses its user's own. Where that is not one "
            "folder for all, set farm.cache, or farm.shared_cache to false."
        )
    needed = estimate(zip(shots, made.shots), settings).cache_bytes
    held = parse_size(settings.cache_size) if settings.cache_size else DEFAULT_SIZE
    if needed > held:
        notes.append(
            f"all embeddings take {format_size(needed)}, the cache may hold {format_size(held)}, and those "
            "not used for longest go first. Where many shots run at once, set farm.cache_size to more."
        )
    return notes


def _tell_refused(batch: Batch) -> None:
    for one in batch.refused:
        print(f"left out: {one.error}", file=sys.stderr)


def table(made: FarmPlan, shots: Sequence[ShotJob]) -> list[str]:
    """What each shot takes, and all of them."""
    rows: list[tuple[str, ...]] = [
        ("shot", "frames", "mattes", "tasks", "hours", "at least", "cache", "records")
    ]
    for job, shot in zip(shots, made.shots):
        rows.append(_row(shot.name, estimate([(job, shot)], made.settings)))
    whole = estimate(zip(shots, made.shots), made.settings)
    if len(shots) > 1:
        rows.append(_row("all", whole))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        numbers = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join([row[0].ljust(widths[0]), *numbers]))
    steps = ", ".join(f"{count} {step}" for step, count in whole.tasks.items() if count)
    counted = "1 frame is" if whole.passed == 1 else f"{whole.passed} frames are"
    passed = f"; {counted} tracked only to reach others" if whole.passed else ""
    return [*lines, f"{sum(whole.tasks.values())} tasks: {steps}{passed}."]


def told(played: Simulation) -> str:
    """What a simulation says, in two sentences."""
    return (
        f"On {played.machines} machines done in {played.hours:.2f} h, the first shot in "
        f"{played.first_shot:.2f} h; they are busy {played.busy:.0%} of that, and at most "
        f"{played.waiting} tasks wait.\n"
        f"Cache: {format_size(played.cache_written)} written, {format_size(played.cache_read)} read, at most "
        f"{format_size(round(played.most_written_per_second))}/s and "
        f"{format_size(round(played.most_read_per_second))}/s."
    )


def _row(name: str, one: Estimate) -> tuple[str, ...]:
    return (
        name,
        str(one.frames),
        str(one.mattes),
        str(sum(one.tasks.values())),
        f"{one.hours:.2f}",
        f"{one.least_hours:.2f}",
        format_size(one.cache_bytes),
        format_size(one.record_bytes),
    )
