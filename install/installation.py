"""Puts a version beside those that are there, and into use when it is whole and was seen to work."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

import command_line
import host_startup
import release
import torch_choice
import wheelhouse
from command_line import installer_line
from environment import clean_environment, make_environment, runs, write_stamp
from interpreter import Interpreter, find_interpreter, home_around
from outcome import FAULTS, OK, InstallError
from packages import Packages, torch_version
from platform_tags import platform_of
from prefix import ENVIRONMENT, Prefix, Version
from torch_choice import TorchChoice


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What the command line asks for; ``source`` is the clone or the unpacked release."""

    source: str
    python: str = ""
    wheelhouse: str = ""
    torch: str = "auto"
    torch_index: str = ""
    tool: str = "auto"
    weights: Sequence[str] = ()
    window: bool = False
    write_nuke_path: bool = False
    dry_run: bool = False


@dataclasses.dataclass(frozen=True)
class Plan:
    """All that was decided before anything is written."""

    interpreter: Interpreter
    place: Any
    choice: TorchChoice
    release: str
    sums: dict[str, str]
    #: What a stamp must say for a version to be this one.
    wanted: dict[str, Any]


def make_plan(wishes: Wishes) -> Plan:
    """Looks at the machine, the program and the wheelhouse. Writes nothing. Raises InstallError."""
    interpreter = find_interpreter(wishes.python)
    place = platform_of(interpreter.sys_platform, interpreter.machine)
    lists = os.path.join(wishes.source, "install")
    version = torch_version(lists)
    choice = TorchChoice("", "no list has it")
    if version:
        choice = torch_choice.choose(wishes.torch, wishes.torch_index, place, torch_choice.find_gpus())
    if wishes.wheelhouse:
        files = wheelhouse.wheels_in(wishes.wheelhouse)
        wheelhouse.check_sums(wishes.wheelhouse)
        if version and place is not None:
            choice = torch_choice.in_wheelhouse(
                choice, wishes.torch, files, version, place, interpreter.version
            )
    sums = release.sums_of_files(wishes.source)
    wanted: dict[str, Any] = {
        "program": release.sum_of_all(sums),
        "python": "{}.{}".format(*interpreter.version),
        "base": interpreter.program,
        "torch": choice.version(version, place) if version else "",
    }
    if wishes.window:
        wanted["window"] = True
    return Plan(interpreter, place, choice, release.version_of(wishes.source), sums, wanted)


def install(prefix: Prefix, wishes: Wishes, journal: Any, anew: bool = False) -> int:
    """Installs and switches; ``anew`` also where the same version is whole already. Raises InstallError."""
    prefix.check()
    plan = make_plan(wishes)
    wanted = dict(plan.wanted, anew=_now()) if anew else plan.wanted
    if wishes.dry_run:
        _tell_plan(prefix, plan, prefix.place_for(plan.release, wanted), wishes, journal)
        return OK
    prefix.prepare()
    with prefix.alone(journal):
        journal.keep(prefix.log)
        version = prefix.place_for(plan.release, wanted)
        if version.complete and runs(version.python):
            journal.say(f"version {version.name} is installed already.")
        else:
            if version.complete:
                journal.say(f"version {version.name} does not start any more; it is made again.")
                prefix.remove(version)
            _tell_plan(prefix, plan, version, wishes, journal)
            _build(prefix, version, plan, wishes, journal)
            write_stamp(version.folder, dict(wanted, installed=_now(), release=plan.release))
        _weights(prefix, version, wishes.weights, journal)
        put_into_use(prefix, version.name, journal)
        _tell_nuke(prefix, wishes.write_nuke_path, journal)
    return OK


def _build(prefix: Prefix, version: Version, plan: Plan, wishes: Wishes, journal: Any) -> None:
    environment = os.path.join(version.folder, ENVIRONMENT)
    clear_leftovers(prefix, version, journal)
    prefix.clear(version)
    journal.say(f"copying {len(plan.sums)} files of the program")
    release.copy_to(wishes.source, version.folder, plan.sums)
    journal.say(f"making the environment with {plan.interpreter.program}")
    make_environment(environment, plan.interpreter.program, journal)
    python = version.python
    packages = Packages(
        environment, python, plan.interpreter.version, journal, wishes.wheelhouse, wishes.tool
    )
    lists = os.path.join(version.folder, "install")
    journal.say(f"installing packages with {packages.tool}")
    packages.install_lists(lists, ["run"], plan.place)
    if plan.wanted["torch"]:
        journal.say("installing torch {}".format(plan.wanted["torch"]))
        packages.install_torch(lists, plan.choice, plan.place)
    if wishes.window:
        journal.say("installing Qt for the prompt window")
        packages.install_window(lists, plan.place)
    journal.say("installing the program into its environment")
    packages.install_program(version.folder)
    host_startup.write_program(version.folder)
    journal.say("compiling it, for those who may not write there")
    program = [os.path.join(version.folder, name) for name in ("efficienttam", "nuke_plugin")]
    journal.run([python, "-m", "compileall", "-q"] + program, clean_environment(), hidden=True)
    journal.say("trying it")
    trials = [[python, "-I", "-m", "efficienttam", "--version"]]
    if plan.wanted["torch"]:
        trials.append([python, "-I", "-c", "import torch; print('torch', torch.__version__)"])
        trials.append([python, "-I", "-m", "pip", "check"])
    for trial in trials:
        if journal.run(trial, clean_environment()):
            raise InstallError("what was installed does not start; its own words stand above.")


def clear_leftovers(prefix: Prefix, version: Version, journal: Any) -> None:
    """Removes versions that were begun and never finished, but for the one in use."""
    for other in prefix.versions():
        if not other.complete and other.name not in (prefix.current(), version.name):
            journal.say(f"removing {other.name}, which was never finished")
            prefix.remove(other)
    if os.path.lexists(version.folder):
        journal.say(f"clearing an unfinished {version.name}")


def put_into_use(prefix: Prefix, name: str, journal: Any) -> None:
    """Switches, after what leads to the version in use is there."""
    host_startup.write_entrances(prefix)
    journal.say(f"switching to {name}")
    prefix.switch(name)
    journal.say(f"version {name} is in use.")


def _weights(prefix: Prefix, version: Version, wanted: Sequence[str], journal: Any) -> None:
    """Fetches weights by name, or takes in files and folders of them, for all versions of the prefix."""
    for word in wanted:
        path = os.path.expanduser(word)
        files: list[str] = []
        if os.path.isdir(path):
            names = sorted(name for name in os.listdir(path) if name.startswith("efficienttam_"))
            files = [os.path.abspath(os.path.join(path, name)) for name in names if name.endswith(".pt")]
            if not files:
                raise InstallError(f"the folder {path} holds no efficienttam_*.pt.")
        elif os.sep in word or "/" in word or os.path.isfile(path):
            files = [os.path.abspath(path)]
        action = ["import"] + files if files else ["download", word]
        journal.say("weights: {}".format(" ".join(action)))
        command = [version.python, "-I", "-m", "efficienttam", "weights"] + action
        if journal.run(command + ["--folder", prefix.weights], clean_environment()):
            raise InstallError(
                f"the weights {word} could not be had; nothing was switched. Leave --weights out, or "
                "give files that were fetched elsewhere."
            )


def _tell_nuke(prefix: Prefix, write: bool, journal: Any) -> None:
    if write:
        path = host_startup.write_lines(prefix, host_startup.user_folder())
        journal.say(f"{path} leads Nuke to it.")
        return
    journal.say("Nuke finds it with this line, or with --write-nuke-path:")
    line = host_startup.path_line(prefix)
    journal.note(line)
    if not journal.quiet:
        print(line, flush=True)


def _tell_plan(prefix: Prefix, plan: Plan, version: Version, wishes: Wishes, journal: Any) -> None:
    journal.say(f"EfficientTAM {plan.release} goes into {version.folder}")
    journal.say("Python {}.{} at {}".format(*plan.interpreter.version, plan.interpreter.program))
    journal.say("torch {} ({})".format(plan.wanted["torch"] or "none", plan.choice.why))
    where = (
        "the wheelhouse " + os.path.abspath(wishes.wheelhouse) if wishes.wheelhouse else "the package index"
    )
    journal.say(f"packages come from {where}")
    if plan.choice.index and not wishes.wheelhouse:
        journal.say(f"torch comes from {plan.choice.index}")
    elif plan.choice.fallback(plan.place) and not wishes.wheelhouse:
        journal.say(
            f"torch comes from {plan.choice.fallback(plan.place)} where the package index lacks this build"
        )
    journal.say("in use now: {}".format(prefix.current() or "nothing"))
    mask = os.umask(0o022)
    os.umask(mask)
    if mask & 0o055:
        journal.say("mind: by this user's umask others will not be able to read what is installed.")
    home = home_around(plan.interpreter.home)
    if home and home_around(prefix.folder) != home:
        journal.say(
            f"mind: that Python lies in the home folder {home}; other users and machines need to read it too."
        )


#: Names the packages of an environment that lack files, or have files of another size than was installed.
_DAMAGED = """
import importlib.metadata, os
for package in importlib.metadata.distributions():
    for file in package.files or ():
        path = file.locate()
        there = os.path.isfile(path)
        if str(file).endswith(".pyc") or (there and file.size in (None, os.path.getsize(path))):
            continue
        print("{}: {} {}".format(package.metadata["Name"], file, "was changed" if there else "is not there"))
        break
"""


def repair(prefix: Prefix, wishes: Wishes, journal: Any, check_only: bool) -> int:
    """Looks at the version in use and makes it anew where it is not sound. Raises InstallError."""
    version = prefix.require_current(ruin=True)
    name = version.name
    faults = faults_of(version)
    for fault in faults[:20]:
        journal.say(f"{name}: {fault}")
    if not faults:
        journal.say(f"version {name} is sound.")
    if check_only or not faults:
        return FAULTS if faults else OK
    mine = release.version_of(wishes.source)
    if name.partition("-")[0] != mine:
        own = command_line.word(os.path.join(version.folder, "install", "install.py"))
        raise InstallError(
            f"{name} is in use and this is the installer of {mine}, which cannot make it anew. Use that of "
            f"{name}, or of a clone of it: python3 {own} repair; or put another version into use with "
            "rollback."
        )
    if os.path.realpath(wishes.source) == os.path.realpath(version.folder):
        if release.faults_of(wishes.source):
            folder = command_line.word(prefix.folder)
            raise InstallError(
                "files of this very version were changed, so it cannot be made from itself. Start repair "
                f"with the install.py of a clone or an unpacked release, with --prefix {folder}."
            )
    status = install(prefix, wishes, journal, anew=True)
    if wishes.dry_run:
        journal.say(f"then the unsound {name} would be removed.")
    elif prefix.current() != name:
        with prefix.alone():
            prefix.remove(prefix.version(name))
            prefix.forget(name)
        journal.say(f"the unsound {name} was removed.")
    return status


def faults_of(version: Version) -> list[str]:
    """What is not sound in an installed version, as sentences."""
    if not version.complete:
        return ["it was never finished, or its removal was begun"]
    faults = release.faults_of(version.folder)
    python = version.python
    if not runs(python):
        return faults + [f"its Python {python} does not start"]
    for code, what in (("import efficienttam.cli", "the program"), ("import torch", "torch")):
        if what == "torch" and not version.stamp.get("torch"):
            continue
        done = subprocess.run(
            [python, "-I", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
        )
        if done.returncode:
            last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no word"])[-1]
            faults.append(f"{what} cannot be loaded: {last}")
    done = subprocess.run(
        [python, "-I", "-c", _DAMAGED],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
    )
    faults += done.stdout.decode("utf-8", "replace").strip().splitlines()[:5]
    done = subprocess.run(
        [python, "-I", "-m", "pip", "check"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
    )
    if done.returncode:
        faults += done.stdout.decode("utf-8", "replace").strip().splitlines()[:5]
    return faults


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def tell_versions(prefix: Prefix, as_json: bool, journal: Any) -> int:
    """Prints what is installed; the version in use has a star. A damaged pointer is a fault."""
    prefix.require()
    rows = []
    for version in prefix.versions():
        stamp = version.stamp
        rows.append(
            {
                "version": version.name,
                "in_use": version.name == prefix.current(),
                "complete": version.complete,
                "python": stamp.get("python", ""),
                "torch": stamp.get("torch", ""),
                "installed": stamp.get("installed", ""),
                "folder": version.folder,
            }
        )
    fault = prefix.fault_of_pointer()
    if fault:
        journal.fail(f"{fault}. {prefix.way_out()}")
    if as_json:
        print(json.dumps(rows, indent=2))
        return FAULTS if fault else OK
    for row in rows:
        told = "python {python}  torch {torch}  {installed}".format(**row) if row["complete"] else "not whole"
        print("{} {}  {}".format("*" if row["in_use"] else " ", row["version"].ljust(12), told))
    if not rows:
        print(f"no version is installed in {prefix.folder}")
    return FAULTS if fault else OK


def roll_back(prefix: Prefix, name: str, dry_run: bool, journal: Any) -> int:
    """Puts the version used before this one, or a named one, into use. Raises InstallError."""
    prefix.require()
    if dry_run:
        wanted = _way_back(prefix, name)
        journal.say("would switch from {} to {}".format(prefix.current() or "nothing", wanted.name))
        return OK
    with prefix.alone(journal):
        journal.keep(prefix.log)
        put_into_use(prefix, _way_back(prefix, name).name, journal)
    return OK


def _way_back(prefix: Prefix, name: str) -> Version:
    """The version to put into use again. Raises InstallError where there is none that works."""
    earlier = [other for other in prefix.used() if other != prefix.current()]
    whole = [other for other in earlier if prefix.version(other).complete]
    if not name and not whole:
        others = [version.name for version in prefix.versions() if version.complete]
        others = [other for other in others if other != prefix.current()]
        fault = prefix.fault_of_pointer()
        raise InstallError(
            "{}no earlier version is known in {}. {}".format(
                f"{fault}; " if fault else "",
                prefix.folder,
                "Name one: " + installer_line("rollback", others[-1], "--prefix", prefix.folder)
                if others
                else "No other is installed.",
            )
        )
    wanted = prefix.require_whole(name or whole[0])
    if not runs(wanted.python):
        raise InstallError(f"{wanted.name} does not start any more; nothing was switched.")
    return wanted
