"""Handing a job document to the studio's scheduler: the engine's own Python plans, writes and submits.

``efficienttam farm`` runs as a process beside Nuke; a timer hears what came of it, a terminal waits. The
document is on disk before: where submitting fails nothing is lost.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import tempfile
import time
from typing import Any, Dict, List, Optional

from efficienttam.client import EngineProcess
from efficienttam.contract.errors import EfficientTAMError, ExitCode
from efficienttam.contract.site_settings import VARIABLE, FarmSettings, Scheduler, site_settings
from efficienttam.contract.sizes import format_size

from . import host, jobs, plate, settings, shot_job, tracker_node

#: How schedulers are called by people.
_NAMES = {
    Scheduler.OPENJD: "Open Job Description",
    Scheduler.DEADLINE: "Deadline",
    Scheduler.OPENCUE: "OpenCue",
    Scheduler.TRACTOR: "Tractor",
}
#: What takes a bundle of Open Job Description; without it the bundle is left to the studio's own tools.
_CLOUD, _CLOUD_PROGRAM = "AWS Deadline Cloud", "deadline"
#: What the command line puts before an error.
_ERROR = "efficienttam: "


class NotSubmitted(EfficientTAMError):
    """The farm did not get the job. ``exit_code`` is that of the command line."""

    def __init__(self, message: str, document: str, exit_code: int) -> None:
        super().__init__(message, "The job itself is there: {}.".format(document))
        known = {int(code): code for code in ExitCode}
        self.exit_code = known.get(exit_code, ExitCode.FAILED)


class Submission:
    """One press of *Submit to farm*, from the document on. Knows its node by uuid."""

    def __init__(self, uuid: str, document: str, wanted: shot_job.Wanted, farm: FarmSettings) -> None:
        """Starts the process. Raises JobError without engine, NotSubmitted where it cannot be started."""
        self._uuid = uuid
        self._document = document
        self._wanted = wanted
        self._scheduler = farm.scheduler
        self._bundle = bundle_folder(document, farm.bundles)
        self._printed: List[str] = []
        environment = _environment()
        self._taker = taker_of(farm.scheduler, environment)
        command = farm_command(jobs.engine_settings().python, farm.scheduler, document, self._bundle)
        command += ["--submit"] if self._taker else []
        try:
            self._process = EngineProcess(command, environment)
        except OSError as error:
            message = "The engine cannot be started: {}.".format(error.strerror)
            raise NotSubmitted(message, document, int(ExitCode.FAILED)) from error
        self._process.hang_up()
        self._tell("Handing the job to {}.".format(self._taker or _NAMES[farm.scheduler]))

    def poll(self) -> bool:
        """True once it has ended, and its node tells how. Never waits."""
        try:
            while True:
                line = self._process.lines.get_nowait()
                if line is None:
                    self._end()
                    return True
                self._printed.append(line)
        except queue.Empty:
            return False

    def wait(self) -> None:
        """Waits for the end: for terminals. Raises NotSubmitted."""
        while not self.poll():
            time.sleep(0.05)
        error = self._error()
        if error is not None:
            raise error

    def _end(self) -> None:
        error = self._error()
        if error is not None:
            self._tell(str(error), "not submitted")
            return
        self._tell("{} {}{}".format(self._took(), self._figures(), self._warning()).strip(), "submitted")

    def _error(self) -> Optional[NotSubmitted]:
        self._process.wait(5.0)
        status = self._process.exit_status
        if status == 0:
            return None
        log = self._process.log
        starts = [at for at, line in enumerate(log) if line.startswith(_ERROR)]
        said = " ".join(log[starts[-1] :])[len(_ERROR) :] if starts else "".join(log[-1:])
        message = " ".join(said.split()) or "The engine ended with {}.".format(status)
        return NotSubmitted(message, self._document, ExitCode.FAILED if status is None else status)

    def _took(self) -> str:
        """Who has it now."""
        if not self._taker:
            return "Written for {}: {}.".format(_NAMES[self._scheduler], self._bundle)
        ids = _object("".join(self._printed)).get("submitted") or []
        shown = ", ".join(str(one) for one in ids[:3]) + (", ..." if len(ids) > 3 else "")
        told = " ({})".format(shown) if shown else ""
        return "Submitted to {}{}.".format(self._taker, told)

    def _figures(self) -> str:
        """What the plan expects; empty where it says nothing."""
        try:
            with open(os.path.join(self._bundle, "plan.json"), encoding="utf-8") as file:
                estimate = _object(file.read()).get("estimate")
        except OSError:
            return ""
        if not isinstance(estimate, dict):
            return ""
        tasks = sum(estimate["tasks"].values())
        hours = jobs.told_time(3600 * estimate["hours"])
        size = format_size(int(estimate["cache_bytes"]))
        return "{} tasks, {} on one machine, {} of cache.".format(tasks, hours, size)

    def _warning(self) -> str:
        """What the farm will stumble over: folders of this machine alone."""
        local = _inside(tempfile.gettempdir())
        job, told = self._wanted.job, []
        if _inside(job.plate.path).startswith(local):
            rendered = isinstance(self._wanted.feed, plate.RenderedFeed)
            cure = "choose a shared folder for temporary frames" if rendered else "copy it to a shared folder"
            told.append("the plate lies in {}: {}".format(os.path.dirname(job.plate.path), cure))
        if _inside(job.output.path).startswith(local):
            cure = "choose a shared folder for mattes to"
            told.append("the mattes go into {}: {}".format(os.path.dirname(job.output.path), cure))
        return " But a farm may not see where " + ", and ".join(told) + "." if told else ""

    def _tell(self, text: str, label: Optional[str] = None) -> None:
        tracker = tracker_node.find(self._uuid)
        if tracker is not None:
            tracker.tell(text, label)
        if not host.has_window():
            host.say("EfficientTAM: " + text)


class Submissions:
    """Those that go on, one for a node at most."""

    def __init__(self) -> None:
        self._open: Dict[str, Submission] = {}
        self._timer: Optional[host.Timer] = None

    def is_open(self, uuid: str) -> bool:
        """True while a node's job is being handed over."""
        return uuid in self._open

    def follow(self, submission: Submission, uuid: str) -> None:
        """Hears a submission to its end; without a window waits for it, and raises NotSubmitted."""
        if not host.has_window():
            submission.wait()
            return
        self._open[uuid] = submission
        if self._timer is None:
            self._timer = host.Timer(jobs.POLL_MILLISECONDS, self.poll)
        self._timer.start()

    def poll(self) -> None:
        """What the timer does."""
        for uuid in [uuid for uuid, submission in self._open.items() if submission.poll()]:
            del self._open[uuid]
        if not self._open and self._timer is not None:
            self._timer.stop()


_submissions = Submissions()


def submissions() -> Submissions:
    """Those of this Nuke."""
    return _submissions


def farm_command(python: str, scheduler: Scheduler, document: str, bundle: str) -> List[str]:
    """The command that writes a bundle."""
    command = [python, "-m", "efficienttam", "farm", scheduler.value, document]
    return [*command, "-o", bundle, "--name", os.path.basename(bundle), "--json"]


def taker_of(scheduler: Scheduler, environment: Dict[str, str]) -> str:
    """Who a bundle is handed to; empty where it is only written."""
    if scheduler is not Scheduler.OPENJD:
        return _NAMES[scheduler]
    return _CLOUD if shutil.which(_CLOUD_PROGRAM, path=environment.get("PATH")) else ""


def bundle_folder(document: str, bundles: str) -> str:
    """A folder for what is handed over: in ``bundles``, beside the document where that is empty.

    Never one that was there before: tasks may be at work on what it holds.
    """
    root = bundles and os.path.expanduser(bundles)
    if root and not os.path.isabs(root):
        root = os.path.join(os.path.dirname(_settings_file() or document), root)
    stem = os.path.basename(document)
    stem = stem[: -len(".job.json")] if stem.endswith(".job.json") else stem
    name = "{}_{}".format(stem, time.strftime("%Y%m%d_%H%M%S"))
    wanted = os.path.abspath(os.path.join(root or os.path.join(os.path.dirname(document), "farm"), name))
    folder, number = wanted, 1
    while os.path.exists(folder):
        number += 1
        folder = "{}_{}".format(wanted, number)
    return folder


def farm_settings() -> FarmSettings:
    """What the site says of its farm. Raises JobError where its file is wrong."""
    return site_settings(_environment()).farm


def _environment() -> Dict[str, str]:
    """That of the engine, with the settings that this plugin reads."""
    environment = jobs.engine_environment()
    file = _settings_file()
    if file:
        environment[VARIABLE] = os.path.abspath(file)
    return environment


def _settings_file() -> str:
    return settings.settings_file(os.environ, settings.root_of_plugin())


def _inside(path: str) -> str:
    """A path to hold against others; a folder's ends with a separator."""
    return os.path.normcase(os.path.join(os.path.abspath(path), ""))


def _object(text: str) -> Dict[str, Any]:
    """A JSON object; empty for any other text."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
