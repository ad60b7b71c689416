"""What a site sets once for all of its shots, in one JSON file.

The file is the one that EFFICIENTTAM_SETTINGS names, else ``efficienttam_settings.json`` beside the package,
else the one in the folder that the installer keeps its versions in. Relative paths are taken from the file's
folder, ``~`` is the home folder. What of all this is in force, and why, ``settings_in_force`` tells.
Nothing of it is part of a job: it decides where and with how much machine a job runs, never how a matte
looks but for its last bits (number of threads, device).
Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
from typing import Any, Iterable, Mapping

from .errors import SettingsError
from .fields import Choice, Fault, Flag, Many, Maybe, Number, Record, Text, Whole, field
from .installed import installed_prefix, package_root
from .site_values import DeviceName, Root, Size, Word

VARIABLE = "EFFICIENTTAM_SETTINGS"
FILE = "efficienttam_settings.json"
MOST_THREADS = 1024


class SeparateMattes(enum.Enum):
    """Whether mattes are made by tasks of their own, from what tracking left on the disk."""

    #: Where shaping costs much (refined or steadied edges) or a file holds objects of several tasks.
    AUTO = "auto"
    ALWAYS = "always"
    #: Each tracking task writes its mattes; it then takes all objects that share a file.
    NEVER = "never"


class Scheduler(enum.Enum):
    """Who distributes tasks."""

    NONE = "none"
    #: A job bundle of Open Job Description, which AWS Deadline Cloud takes too.
    OPENJD = "openjd"
    DEADLINE = "deadline"
    OPENCUE = "opencue"
    TRACTOR = "tractor"


class TrackObjects(enum.Enum):
    """Which objects a tracking task takes."""

    #: All that one machine would track at once: the very mattes of one machine.
    TOGETHER = "together"
    #: Each by itself: more tasks at once, each frame costs more in all.
    APART = "apart"


@dataclasses.dataclass(frozen=True)
class Deadline:
    """What Deadline 10 is told beside the tasks; empty is left out."""

    pool: str = field(Text("a pool"), "Pool.", "")
    secondary_pool: str = field(Text("a pool"), "Pool to fall back to.", "")
    group: str = field(Text("a group"), "Group of machines.", "")
    gpu_group: str = field(
        Text("a group"), "Group of machines for tasks of a GPU; empty for that of all tasks.", ""
    )
    limits: tuple[str, ...] = field(
        Many(Text("a limit", empty=False), "a list of limits"), "Limit groups.", ()
    )
    department: str = field(Text("a department"), "Department.", "")
    machine_limit: int = field(Whole("a count", least=0), "Machines at once on a job; 0 for any number.", 0)


@dataclasses.dataclass(frozen=True)
class OpenCue:
    """What OpenCue is told beside the tasks."""

    show: str = field(Text("a show", empty=False), "Show.", "testing")
    facility: str = field(Text("a facility"), "Facility; empty for the cuebot's own.", "")
    tags: tuple[str, ...] = field(
        Many(Text("a tag", empty=False), "a list of tags", least=1), "Tags of machines.", ("general",)
    )
    service: str = field(Text("a service", empty=False), "Service of the layers.", "shell")


@dataclasses.dataclass(frozen=True)
class Tractor:
    """What Tractor is told beside the tasks; empty is left out."""

    service: str = field(Text("a service key expression"), "Blades that may take tasks.", "PixarRender")
    gpu_service: str = field(Text("a service key expression"), "Blades that may take tasks of a GPU.", "")
    tags: tuple[str, ...] = field(Many(Text("a tag", empty=False), "a list of tags"), "Limit tags.", ())
    projects: tuple[str, ...] = field(
        Many(Text("a project", empty=False), "a list of projects"), "Projects.", ()
    )


@dataclasses.dataclass(frozen=True)
class FarmSettings:
    """How jobs become farm work."""

    scheduler: Scheduler = field(Choice(Scheduler), "What a host's button hands its jobs to.", Scheduler.NONE)
    bundles: str = field(
        Text("a folder"), "Folder for what a host's button hands over; empty for beside the job.", ""
    )
    command: tuple[str, ...] = field(
        Many(Text("a word", empty=False), "a list of one word or more", least=1),
        "The program efficienttam as farm machines call it.",
        ("efficienttam",),
    )
    embed_chunk: int = field(Whole("a count of 1 or more", least=1), "Frames of one embedding task.", 50)
    matte_chunk: int = field(Whole("a count of 1 or more", least=1), "Frames of one matte task.", 50)
    separate_mattes: SeparateMattes = field(
        Choice(SeparateMattes), "Whether mattes are made by tasks of their own.", SeparateMattes.AUTO
    )
    objects: TrackObjects = field(
        Choice(TrackObjects), "Which objects a tracking task takes.", TrackObjects.TOGETHER
    )
    least_span: int = field(
        Whole("a count of 1 or more", least=1),
        "Least frames of a tracking task: shorter spans between prompted frames are joined.",
        12,
    )
    cores: int = field(Whole("a count from 1 to 1024", least=1, most=1024), "CPU cores of a task.", 4)
    memory: float = field(Number("gigabytes", least=1), "Memory of a task, in gigabytes.", 8.0)
    gpus: int = field(
        Whole("a count from 0 to 64", least=0, most=64), "GPUs of a task that runs the network.", 0
    )
    gpu_memory: float = field(Number("gigabytes", least=0), "Memory of that GPU, in gigabytes.", 6.0)
    minutes: int = field(Whole("minutes", least=1), "Time limit of a task.", 240)
    retries: int = field(
        Whole("a count from 0 to 100", least=0, most=100), "Times a failed task is tried again.", 2
    )
    priority: int = field(Whole("a priority from 0 to 100", least=0, most=100), "Priority of jobs.", 50)
    suspicious_fails: bool = field(
        Flag(), "Whether the verify task of a shot fails when mattes are to be looked at.", False
    )
    shared_cache: bool = field(
        Flag(), "Whether all farm machines see one embedding cache; else each task fills its own.", True
    )
    cache: str = field(
        Root("the whole path of a folder, or off", may_be_off=True),
        "Folder of the embedding cache; empty for each machine's own.",
        "",
    )
    cache_size: str = field(Size("a size"), "What it may hold, like 2T; empty for the machine's own.", "")
    weights: str = field(
        Root("the whole path of a folder"),
        "Folder of weights; empty for the job's own, or the machine's.",
        "",
    )
    device: str = field(DeviceName("a device"), "Device instead of the job's; empty for the job's.", "")
    embeddings_per_second: float = field(
        Number("a rate above 0", least=0.001),
        "Embeddings a machine makes in a second, for the hours told.",
        1.0,
    )
    frames_per_second: float = field(
        Number("a rate above 0", least=0.001),
        "Frames on which a machine tracks one object in a second, embeddings at hand, for the hours told.",
        1.0,
    )
    mattes_per_second: float = field(
        Number("a rate above 0", least=0.001), "Mattes a machine makes of records, for the hours told.", 4.0
    )
    deadline: Deadline = field(Record(Deadline), "Deadline 10.", Deadline())
    opencue: OpenCue = field(Record(OpenCue), "OpenCue.", OpenCue())
    tractor: Tractor = field(Record(Tractor), "Tractor.", Tractor())


@dataclasses.dataclass(frozen=True)
class PathRule:
    """One storage by the name that each platform has for it; empty where it has none."""

    linux: str = field(Root("a folder from / on", windows=False), "On Linux.", "")
    macos: str = field(Root("a folder from / on", windows=False), "On macOS.", "")
    windows: str = field(
        Root("a folder with its drive or server, like S:\\show", posix=False), "On Windows.", ""
    )


@dataclasses.dataclass(frozen=True)
class SiteCache:
    """Where embeddings are kept."""

    folder: str = field(Text("a folder, or off"), "Folder, or off; empty for the user's own.", "")
    size: str = field(Size("a size"), "What it may hold, like 200G.", "")
    identity: str = field(Word("stat", "content"), "What tells plate files apart: stat or content.", "")


@dataclasses.dataclass(frozen=True)
class SiteWeights:
    """Where weights are, and where they come from."""

    folder: str = field(Text("a folder"), "Folder of weights that is looked into first.", "")
    source: str = field(Text("a URL or a folder"), "Mirror or folder to fetch weights from.", "")
    offline: bool | None = field(Maybe(Flag()), "Whether connections are forbidden; null for not said.", None)


@dataclasses.dataclass(frozen=True)
class SiteSettings:
    """All of the file. The first three are for a host, which reads them by itself."""

    python: str = field(Text("a program"), "The engine's Python.", "")
    engine: str = field(Text("a folder"), "Folder that holds the package.", "")
    feed: str = field(Text("a folder"), "Folder for frames rendered for the engine.", "")
    device: str = field(DeviceName("a device"), "Device of jobs that say auto.", "")
    threads: int = field(Whole("a count", least=0, most=MOST_THREADS), "CPU threads of jobs that say 0.", 0)
    cache: SiteCache = field(Record(SiteCache), "The embedding cache.", SiteCache())
    weights: SiteWeights = field(Record(SiteWeights), "Weights.", SiteWeights())
    path_map: tuple[PathRule, ...] = field(
        Many(Record(PathRule), "a list of storages"), "Storages by platform.", ()
    )
    farm: FarmSettings = field(Record(FarmSettings), "How jobs become farm work.", FarmSettings())


_SITE = Record(SiteSettings)


def site_settings(environment: Mapping[str, str] = os.environ) -> SiteSettings:
    """The settings in force; all defaults where there is no file. Raises SettingsError with every fault."""
    path = settings_file(environment)
    if not path:
        return SiteSettings()
    faults: list[Fault] = []

    def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                faults.append(Fault(name, "The name is given twice.", "Keep one."))
            found[name] = value
        return found

    try:
        with open(path, encoding="utf-8-sig") as file:
            document = json.load(file, object_pairs_hook=unique)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            "The settings {!r} cannot be read: {}.".format(path, error), "Correct the file."
        ) from error
    settings = _SITE.read(document, "", faults)
    if faults:
        told = "\n".join("  {}: {} {}".format(at.place or "document", at.message, at.remedy) for at in faults)
        raise SettingsError("The settings {!r} are wrong:\n{}".format(path, told), "")
    return settings


def settings_file(environment: Mapping[str, str] = os.environ) -> str:
    """Path of the file in force, empty for none. Raises SettingsError for a named one not there."""
    named = environment.get(VARIABLE, "")
    if named and not os.path.isfile(named):
        raise SettingsError(
            "{} names {!r}, and there is no such file.".format(VARIABLE, named), "Correct or unset it."
        )
    if named:
        return named
    for folder in (package_root(), installed_prefix()):
        if folder and os.path.isfile(os.path.join(folder, FILE)):
            return os.path.join(folder, FILE)
    return ""
