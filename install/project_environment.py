"""The environment of a clone, ``.venv`` in it: what the demo, the tests and their developers run in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import torch_choice
import wheelhouse
from environment import (
    STAMP,
    clean_environment,
    make_environment,
    python_of,
    read_stamp,
    runs,
    write_stamp,
)
from hashed_list import sum_of
from interpreter import find_interpreter
from packages import PLAIN_LISTS, Packages, list_path, torch_version
from platform_tags import platform_of


def set_up(project: str, folder: str, wishes: Any, for_tests: bool, journal: Any) -> str:
    """Makes or refreshes the environment and returns its Python. Quick when nothing changed."""
    lists = os.path.join(project, "install")
    if wishes.wheelhouse:
        wheelhouse.wheels_in(wishes.wheelhouse)
    interpreter = find_interpreter(wishes.python)
    kinds = ["run", "dev"] if for_tests else ["run"]
    place = platform_of(interpreter.sys_platform, interpreter.machine)
    wanted = {"install/" + PLAIN_LISTS[kind]: _sum_of_lists(lists, kind, place) for kind in kinds}
    wanted["project"] = project + " " + sum_of(os.path.join(project, "setup.cfg"))
    wanted["python"] = "{}.{}".format(*interpreter.version)
    if wishes.torch != "auto" or wishes.torch_index:
        wanted["torch"] = wishes.torch + " " + wishes.torch_index
    python = python_of(folder)
    installed = read_stamp(folder)
    works = installed.get("python") == wanted["python"] and runs(python)
    if works and all(installed.get(key) == value for key, value in wanted.items()):
        return python
    if not works:
        make_environment(folder, interpreter.program, journal)
        installed = {}
    journal.say(f"installing into {folder} ...")
    if os.path.exists(os.path.join(folder, STAMP)):
        os.remove(os.path.join(folder, STAMP))
    packages = Packages(folder, python, interpreter.version, journal, wishes.wheelhouse, wishes.tool)
    packages.install_lists(lists, kinds, place)
    _install_torch(packages, lists, wishes, interpreter, place, journal)
    packages.install_program(project)
    write_stamp(folder, dict(installed, **wanted))
    return python


def _install_torch(
    packages: Packages, lists: str, wishes: Any, interpreter: Any, place: Any, journal: Any
) -> None:
    version = torch_version(lists)
    if not version:
        return
    choice = torch_choice.choose(wishes.torch, wishes.torch_index, place, torch_choice.find_gpus())
    if wishes.wheelhouse and place is not None:
        files = wheelhouse.wheels_in(wishes.wheelhouse)
        choice = torch_choice.in_wheelhouse(choice, wishes.torch, files, version, place, interpreter.version)
    journal.say(f"installing torch {choice.version(version, place)} ({choice.why})")
    packages.install_torch(lists, choice, place)


def _sum_of_lists(lists: str, kind: str, place: Any) -> str:
    sums = [sum_of(os.path.join(lists, PLAIN_LISTS[kind]))]
    listed = list_path(lists, kind, place) if place is not None else ""
    if os.path.isfile(listed):
        sums.append(sum_of(listed))
    return " ".join(sums)


def hand_over(command: list[str]) -> int:
    """Become the command, so that signals reach it alone; return its exit status where that cannot be."""
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, clean_environment())
    process = subprocess.Popen(command, env=clean_environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
