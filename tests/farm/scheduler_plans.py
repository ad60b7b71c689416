"""Plans for the writers of schedulers' files, and a program that notes how it was called."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from efficienttam.contract.site_settings import Deadline, FarmSettings, OpenCue, Tractor
from efficienttam.farm.command_words import command_words
from efficienttam.farm.task import FarmPlan, Shot, Step, Task

HASH = "4be1f0c2d3a4958677" * 3

SETTINGS = FarmSettings(
    embed_chunk=40,
    cores=8,
    memory=12.5,
    gpus=1,
    gpu_memory=6.0,
    minutes=90,
    retries=2,
    priority=60,
    cache="/mnt/cache/efficienttam",
    cache_size="2T",
    weights="/mnt/tools/efficienttam/weights",
    deadline=Deadline(
        pool="comp",
        secondary_pool="idle",
        group="linux",
        gpu_group="gpu",
        limits=("efficienttam", "fileserver"),
        department="comp",
        machine_limit=4,
    ),
    opencue=OpenCue(show="testing", facility="local", tags=("general", "comp"), service="shell"),
    tractor=Tractor(
        service="PixarRender", gpu_service="NvidiaGPU", tags=("efficienttam",), projects=("show one",)
    ),
)


def one_object() -> Shot:
    """Mattes come straight from tracking; the last chunk is shorter."""
    return Shot(
        "sh010",
        "/jobs/comp/sh010/sh010.job.json",
        HASH,
        (
            Task(Step.EMBED, (1001, 1040)),
            Task(Step.EMBED, (1041, 1080)),
            Task(Step.EMBED, (1081, 1100)),
            Task(Step.TRACK, (1001, 1061)),
            Task(Step.TRACK, (1062, 1100), passed=12),
            Task(Step.VERIFY, (1001, 1100)),
        ),
        ("/mnt/show/sh010/mattes",),
    )


def stereo() -> Shot:
    """Two views, two objects each by itself, mattes from records."""
    views = ("left", "right")
    return Shot(
        "sh020_v2",
        "/jobs/comp/sh020_v2/sh020_v2.job.json",
        HASH[::-1],
        (
            *(Task(Step.REGIONS, (1, 50), view) for view in views),
            *(Task(Step.EMBED, chunk, view) for view in views for chunk in ((1, 25), (26, 50))),
            *(
                Task(Step.TRACK, (1, 50), view, (name,), records=True)
                for view in views
                for name in ("hero", "the_prop")
            ),
            *(Task(Step.MATTES, chunk, view) for view in views for chunk in ((1, 25), (26, 50))),
            Task(Step.VERIFY, (1, 50)),
        ),
        ("/mnt/show/sh020/left", "/mnt/show/sh020/right"),
    )


def plan(*shots: Shot, **changes: Any) -> FarmPlan:
    """A batch of these shots, of both of the above where there are none."""
    return FarmPlan("comp", shots or (one_object(), stereo()), dataclasses.replace(SETTINGS, **changes))


def words_of(of: FarmPlan, progress: str) -> list[list[str]]:
    """The command line of every task, in order."""
    return [command_words(of.settings, shot, task, progress) for shot, task in of.tasks()]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class NotingProgram:
    """A program, in a folder with an odd name, that notes its arguments. ``command`` calls it."""

    def __init__(self, folder: Path) -> None:
        odd = folder / "prógrams of the farm"
        odd.mkdir()
        self._notes = odd / "notes.jsonl"
        program = odd / "note it.py"
        program.write_text(
            "import json, os, sys\n"
            "with open(os.path.join(os.path.dirname(__file__), 'notes.jsonl'), 'a', encoding='utf-8') as f:\n"
            "    f.write(json.dumps(sys.argv[1:]) + '\\n')\n",
            encoding="utf-8",
        )
        self.command = (sys.executable, str(program))

    def calls(self) -> list[list[str]]:
        """How it was called so far."""
        if not self._notes.exists():
            return []
        return [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]


def odd_shot(folder: Path) -> Shot:
    """A shot whose document's path holds blanks, quotes' neighbours, and letters of other scripts."""
    whole = one_object()
    document = folder / "jóbs (final) & 100% <new>" / "sh 010's.job.json"
    return dataclasses.replace(whole, document=str(document), outputs=(str(folder / "mattes Ω"),))
