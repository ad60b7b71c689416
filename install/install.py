#!/usr/bin/env python3
"""Sets up the engine in its own virtual environment, then runs the demo or the tests in it.

    python3 install/install.py demo          set up, then run the main job on a generated plate
    python3 install/install.py test          set up, then run the tests
    python3 install/install.py setup         set up only

Words after the action that are not options of this script go on to the demo or the tests. Standard
library only; starts under Python 3.7, so that an old Python gets a sentence and not a syntax error.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN_LOCK = os.path.join("install", "requirements.lock")
DEV_LOCK = os.path.join("install", "requirements-dev.lock")
OLDEST = (3, 10)
#: Says that a folder is an environment of ours, finished or not.
MARK = "efficienttam-environment"
#: Says that everything in it was installed to the end, and from which lists.
STAMP = "efficienttam-installed.json"


class InstallError(Exception):
    """What went wrong and what to do, for the user."""


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("action", choices=["demo", "test", "setup"])
    parser.add_argument(
        "--prefix", default=os.path.join(PROJECT, ".venv"), help="folder of the environment (default: .venv)"
    )
    parser.add_argument(
        "--wheelhouse", metavar="DIR", help="install from the wheels in this folder alone, without a network"
    )
    options, rest = parser.parse_known_args(arguments)
    try:
        check_python()
        python = set_up(os.path.abspath(options.prefix), options.wheelhouse, options.action == "test")
    except InstallError as error:
        print("install: {}".format(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("install: interrupted; run the same command again to go on.", file=sys.stderr)
        return 130
    if options.action == "setup":
        print(
            "install: ready. The command is {}.".format(os.path.join(os.path.dirname(python), "efficienttam"))
        )
        return 0
    # Two at a time: many tests wait for processes of their own. A file's tests stay together.
    tests = ["pytest", "-n", "2", "--dist", "loadfile"]
    module = {"demo": ["efficienttam", "demo"], "test": tests}[options.action]
    if options.action == "test":
        os.chdir(PROJECT)
    return hand_over([python, "-m"] + module + rest)


def hand_over(command):
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


def check_python():
    """Raise InstallError when this Python is too old for the engine, naming one that is not."""
    if sys.version_info >= OLDEST:
        return
    newer = [name for name in ("python3.13", "python3.12", "python3.11", "python3.10") if shutil.which(name)]
    remedy = "Start this script with {}.".format(newer[0]) if newer else "Install a newer Python."
    raise InstallError(
        "this is Python {}; the engine needs {}.{} or newer. {}".format(
            sys.version.split()[0], OLDEST[0], OLDEST[1], remedy
        )
    )


def set_up(prefix, wheelhouse, for_tests):
    """Make or refresh the environment and return its Python. Quick when nothing changed."""
    if wheelhouse and not os.path.isdir(wheelhouse):
        raise InstallError("there is no wheelhouse folder {}.".format(wheelhouse))
    locks = [RUN_LOCK, DEV_LOCK] if for_tests else [RUN_LOCK]
    wanted = {lock: sum_of(os.path.join(PROJECT, lock)) for lock in locks}
    wanted["project"] = PROJECT + " " + sum_of(os.path.join(PROJECT, "setup.cfg"))
    wanted["python"] = "{}.{}".format(*sys.version_info[:2])
    python = python_of(prefix)
    installed = read_stamp(prefix)
    works = installed.get("python") == wanted["python"] and runs(python)
    if works and all(installed.get(key) == value for key, value in wanted.items()):
        return python
    if not works:
        make_environment(prefix)
        installed = {}
    print("install: installing into {} ...".format(prefix), flush=True)
    remove(os.path.join(prefix, STAMP))
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    source = ["--no-index", "--find-links", os.path.abspath(wheelhouse)] if wheelhouse else []
    lists = [word for lock in locks for word in ("-r", os.path.join(PROJECT, lock))]
    run(pip + source + lists)
    # setuptools is in the list above, so building our own package needs nothing from anywhere.
    run(pip + ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--editable", PROJECT])
    write_stamp(prefix, dict(installed, **wanted))
    return python


def make_environment(prefix):
    """A fresh virtual environment; only a folder that is ours, or empty, is ever cleared."""
    mark = os.path.join(prefix, MARK)
    if os.path.isdir(prefix) and os.listdir(prefix) and not os.path.exists(mark):
        raise InstallError(
            "{} exists and was not made by this script. Move it away, or give another "
            "folder with --prefix.".format(prefix)
        )
    if os.path.isdir(prefix):
        print("install: an unfinished or outdated environment is made again.", flush=True)
        shutil.rmtree(prefix)
    os.makedirs(prefix)
    with open(mark, "w"):
        pass
    try:
        run([sys.executable, "-m", "venv", prefix])
    except InstallError:
        raise InstallError(
            "{} cannot make virtual environments. On Debian and Ubuntu install python3-venv.".format(
                sys.executable
            )
        )


def python_of(prefix):
    """The Python inside an environment."""
    if os.name == "nt":
        return os.path.join(prefix, "Scripts", "python.exe")
    return os.path.join(prefix, "bin", "python")


def clean_environment():
    """This process's variables without those that lend a foreign Python's packages."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    environment["PYTHONNOUSERSITE"] = "1"
    return environment


def run(command):
    """Run a command; raise InstallError when it fails."""
    status = subprocess.call(command, env=clean_environment())
    if status:
        raise InstallError(
            "this step failed with status {}:\n  {}\nIts own words stand above. Run the same command again "
            "to go on; without a network, give a folder of wheels with --wheelhouse.".format(
                status, " ".join(command)
            )
        )


def runs(python):
    """True when the environment's Python starts at all."""
    try:
        return subprocess.call([python, "-c", ""], env=clean_environment()) == 0
    except OSError:
        return False


def sum_of(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def read_stamp(prefix):
    try:
        with open(os.path.join(prefix, STAMP), encoding="utf-8") as stream:
            stamp = json.load(stream)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(prefix, stamp):
    fresh = os.path.join(prefix, STAMP + ".tmp")
    with open(fresh, "w", encoding="utf-8") as stream:
        json.dump(stamp, stream, indent=2, sort_keys=True)
    os.replace(fresh, os.path.join(prefix, STAMP))


def remove(path):
    if os.path.exists(path):
        os.remove(path)


if __name__ == "__main__":
    sys.exit(main())
