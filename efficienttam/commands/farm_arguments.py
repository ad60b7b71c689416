"""What may be written after ``efficienttam farm``."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..command_parser import Parser
from ..contract.site_settings import Scheduler

#: Makes a command: where, its name, what it does, and the module and function that do it.
Add = Callable[["argparse._SubParsersAction[Parser]", str, str, str, str], Parser]

_TOLD = {
    Scheduler.OPENJD: "write Open Job Description bundles, for AWS Deadline Cloud too",
    Scheduler.DEADLINE: "write jobs for Deadline 10",
    Scheduler.OPENCUE: "write jobs for OpenCue",
    Scheduler.TRACTOR: "write a job for Tractor",
}


def add_farm(kinds: argparse._SubParsersAction[Parser], add: Add) -> None:
    """The commands that plan, write, verify and try again."""
    plan = add(kinds, "plan", "tell what jobs will take: tasks, frames, hours, bytes", "farm", "plan")
    plan.add_argument("--machines", type=int, metavar="N", help="tell what becomes of it on so many machines")
    _add_batch(plan)
    for scheduler, does in _TOLD.items():
        writer = add(kinds, scheduler.value, does, "farm", "write")
        writer.set_defaults(scheduler=scheduler)
        _add_batch(writer)
        _add_written(writer)
    verify = add(kinds, "verify", "prove that all mattes of jobs are there and whole", "farm", "verify")
    _add_batch(verify)
    _add_suspicious(verify)
    retry = add(kinds, "retry", "write work for the mattes alone that are missing or bad", "farm", "retry")
    retry.add_argument(
        "--to", required=True, choices=[one.value for one in _TOLD], help="the scheduler to write for"
    )
    _add_batch(retry)
    _add_written(retry)
    host = add(
        kinds, "host", "name this machine and its versions, as tasks of a session want them", "farm", "host"
    )
    host.add_argument("--cache", default="", metavar="DIR", help="folder of the embedding cache, or off")
    host.add_argument("--cache-size", default="", metavar="SIZE", help="what it may hold, like 2T")
    host.add_argument(
        "--openjd", action="store_true", help="let an Open Job Description session know the cache"
    )


def _add_batch(parser: Parser) -> None:
    parser.add_argument(
        "jobs", nargs="+", metavar="JOB", help="job documents, folders of *.job.json, or CSV lists"
    )
    parser.add_argument("--skip-faulty", action="store_true", help="leave shots with faults out")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _add_written(parser: Parser) -> None:
    parser.add_argument("-o", "--out", required=True, metavar="DIR", help="folder for what is written")
    parser.add_argument("--name", default="", metavar="NAME", help="of the batch; that of DIR unless told")
    parser.add_argument(
        "--dry-run", action="store_true", help="tell what would be written, and write nothing"
    )
    parser.add_argument("--submit", action="store_true", help="hand it to the scheduler too")


def _add_suspicious(parser: Parser) -> None:
    parser.add_argument(
        "--allow-suspicious", action="store_true", help="mattes that should be looked at are no fault"
    )
