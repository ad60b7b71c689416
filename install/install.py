#!/usr/bin/env python3
"""Installs EfficientTAM for Nuke, looks after what it installed, and sets up a clone for its demo and tests.

    python3 install/install.py --prefix DIR      install for artists; the same again upgrades
    python3 install/install.py demo              set up this clone, then run the main job on a generated plate
    python3 install/install.py test              set up this clone, then run the tests
    python3 install/install.py ACTION --help     tell the options of an action

Standard library only; starts under Python 3.7 or newer, on Linux, macOS and Windows. Needs no administrator.
See docs/install.md.
"""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import command_line  # noqa: E402
import doctor_host  # noqa: E402
import download  # noqa: E402
import installation  # noqa: E402
import list_making  # noqa: E402
import outcome  # noqa: E402
import platform_tags  # noqa: E402
import prefix as prefixes  # noqa: E402
import project_environment  # noqa: E402
import removal  # noqa: E402
import rez_package  # noqa: E402
import torch_choice  # noqa: E402
from journal import Journal  # noqa: E402

PROJECT = os.path.dirname(HERE)
#: Actions on the environment of a clone; words they do not know go on to the demo or the tests.
OF_A_CLONE = ("demo", "test", "setup")


def main(arguments=None):
    """Runs one action; returns what the process exits with."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "install")
    options, rest = build_parser().parse_known_args(words)
    if rest and options.name not in OF_A_CLONE:
        options.parser.error("unknown: {}".format(" ".join(rest)))
    options.rest = rest
    journal = Journal(getattr(options, "quiet", False))
    try:
        return options.action(options, journal)
    except outcome.InstallError as error:
        journal.fail(str(error))
        return error.code
    except KeyboardInterrupt:
        journal.fail("interrupted; run the same command again to go on.")
        return outcome.INTERRUPTED
    except BrokenPipeError:
        # Who read what is said has gone, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return outcome.FAILED
    except OSError as error:
        what = ": ".join(part for part in (error.filename, error.strerror or str(error)) if part)
        journal.fail("{}. Mend that and run the same command again.".format(what))
        return outcome.FAILED
    finally:
        journal.close()


def build_parser():
    """Every action with its options."""
    codes = ", ".join("{} {}".format(code, meaning) for code, meaning in outcome.MEANINGS)
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        epilog="Exit codes: {}.".format(codes),
    )
    actions = parser.add_subparsers(metavar="ACTION", dest="name")
    actions.required = True
    _add_install(actions)
    _add_care(actions)
    _add_clone(actions)
    _add_making(actions)
    return parser


def _add(actions, name, does, action):
    parser = actions.add_parser(name, help=does, description=does, allow_abbrev=False)
    parser.set_defaults(action=action, parser=parser)
    return parser


def _add_install(actions):
    install = _add(actions, "install", "install a version into a prefix, and put it into use", _install)
    _add_prefix(install)
    _add_packages(install)
    install.add_argument(
        "--weights",
        action="append",
        default=[],
        metavar="NAME|FILE|DIR",
        help="fetch weights by name, or take in a file or a folder of them; repeat it",
    )
    install.add_argument(
        "--with-window", action="store_true", help="what efficienttam ui needs where there is no Nuke"
    )
    install.add_argument(
        "--write-nuke-path", action="store_true", help="write the line that Nuke needs into ~/.nuke/init.py"
    )
    install.add_argument("--dry-run", action="store_true", help="tell what would be done; write nothing")
    repair = _add(
        actions, "repair", "look at the version in use, and make it anew where it is unsound", _repair
    )
    _add_prefix(repair)
    _add_packages(repair)
    repair.add_argument("--dry-run", action="store_true", help="look, and tell what would be done")
    repair.add_argument("--check", action="store_true", help="look only; exit with 7 where it is unsound")


def _add_care(actions):
    listing = _add(actions, "list", "list the versions of a prefix", _list)
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    rollback = _add(actions, "rollback", "put the version used before into use again", _rollback)
    rollback.add_argument("version", nargs="?", default="", help="this one instead")
    rollback.add_argument("--dry-run", action="store_true", help="tell what would be put into use")
    uninstall = _add(actions, "uninstall", "remove all of a prefix, or one version", _uninstall)
    uninstall.add_argument("--version", default="", metavar="NAME", help="only this version, not in use")
    uninstall.add_argument("--keep-weights", action="store_true", help="leave the weights")
    uninstall.add_argument("--dry-run", action="store_true", help="tell what would be removed")
    doctor = _add(actions, "doctor", "check the installation, this machine and Nuke's way to it", _doctor)
    doctor.add_argument("--json", action="store_true", help="print it as JSON")
    doctor.add_argument(
        "--without-engine", action="store_true", help="leave out what the engine says of itself"
    )
    rez = _add(actions, "rez", "write a rez package that leads to the versions of a prefix", _rez)
    rez.add_argument("--packages", required=True, metavar="DIR", help="rez package repository to write into")
    for parser in (listing, rollback, uninstall, rez):
        _add_prefix(parser)
    _add_prefix(doctor, needed=False)


def _add_clone(actions):
    for name, does in (
        ("demo", "set up this clone, then run the main job on a generated plate"),
        ("test", "set up this clone, then run the tests"),
        ("setup", "set up this clone only"),
    ):
        parser = _add(actions, name, does, _clone)
        parser.add_argument(
            "--prefix",
            default=os.path.join(PROJECT, ".venv"),
            help="folder of the environment (default: .venv)",
        )
        _add_packages(parser)


def _add_making(actions):
    fetch = _add(actions, "download", "fill a folder with wheels, for machines without a network", _download)
    fetch.add_argument(
        "--platform", required=True, metavar="NAME", help="linux, windows or macos (Apple silicon)"
    )
    fetch.add_argument(
        "--python", default="3.11", metavar="3.N", help="for this Python (default: %(default)s)"
    )
    fetch.add_argument("--wheelhouse", required=True, metavar="DIR", help="the folder to fill")
    fetch.add_argument(
        "--torch",
        default="cpu",
        choices=["cpu", *torch_choice.FLAVOURS[2:], "none"],
        help="build of PyTorch, or none; on a Mac there is one (default: %(default)s)",
    )
    fetch.add_argument("--torch-index", default="", metavar="URL", help="fetch PyTorch from this index")
    fetch.add_argument("--with-tests", action="store_true", help="what the tests need too")
    fetch.add_argument(
        "--with-window", action="store_true", help="what efficienttam ui needs without a Nuke too"
    )
    lock = _add(actions, "lock", "make the lists of versions and sums anew (for developers; needs uv)", _lock)
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions")
    lock.add_argument(
        "--torch-wheels",
        action="append",
        default=[],
        metavar="DIR",
        help="list builds of PyTorch that lie here",
    )
    for parser in (fetch, lock):
        parser.add_argument("--quiet", action="store_true", help="say errors only")


def _add_prefix(parser, needed=True):
    here = prefixes.around(__file__)
    told = "folder that holds the installation" + ("" if needed or here else " (default: this clone)")
    parser.add_argument("--prefix", default=here, required=needed and not here, metavar="DIR", help=told)
    parser.add_argument("--quiet", action="store_true", help="say errors only")


def _add_packages(parser):
    parser.add_argument("--python", default="", metavar="PROGRAM|3.N", help="Python to install for")
    parser.add_argument(
        "--wheelhouse", metavar="DIR", help="install from the wheels in this folder alone, offline"
    )
    parser.add_argument(
        "--torch",
        default="auto",
        choices=["auto", "cpu", "cuda", *torch_choice.FLAVOURS[2:]],
        help="build of PyTorch (default: by the machine)",
    )
    parser.add_argument("--torch-index", default="", metavar="URL", help="package index to take PyTorch from")
    parser.add_argument(
        "--tool", default="auto", choices=["auto", "pip", "uv"], help="what installs packages"
    )


def _wishes(options):
    return installation.Wishes(
        source=PROJECT,
        python=options.python,
        wheelhouse=options.wheelhouse or "",
        torch=options.torch,
        torch_index=options.torch_index,
        tool=options.tool,
        window=getattr(options, "with_window", False),
        weights=tuple(getattr(options, "weights", ())),
        write_nuke_path=getattr(options, "write_nuke_path", False),
        dry_run=getattr(options, "dry_run", False),
    )


def _install(options, journal):
    return installation.install(prefixes.Prefix(options.prefix), _wishes(options), journal)


def _repair(options, journal):
    return installation.repair(prefixes.Prefix(options.prefix), _wishes(options), journal, options.check)


def _list(options, journal):
    return installation.tell_versions(prefixes.Prefix(options.prefix), options.json, journal)


def _rollback(options, journal):
    return installation.roll_back(prefixes.Prefix(options.prefix), options.version, options.dry_run, journal)


def _uninstall(options, journal):
    return removal.uninstall(
        prefixes.Prefix(options.prefix), options.version, options.keep_weights, options.dry_run, journal
    )


def _doctor(options, journal):
    # Without a prefix the clone itself, whose plugin lies in it as in a prefix.
    prefix = prefixes.Prefix(options.prefix or PROJECT)
    return doctor_host.doctor(prefix, not options.prefix, options.json, not options.without_engine)


def _rez(options, journal):
    return rez_package.write_packages(prefixes.Prefix(options.prefix), options.packages, journal)


def _clone(options, journal):
    folder = os.path.abspath(options.prefix)
    python = project_environment.set_up(PROJECT, folder, _wishes(options), options.name == "test", journal)
    if options.name == "setup":
        program = os.path.join(os.path.dirname(python), "efficienttam")
        journal.say("ready. The command is: {}".format(command_line.word(program)))
        return outcome.OK
    # Two at a time: many tests wait for processes of their own. A file's tests stay together, in the order
    # that tests/conftest.py gives the files.
    tests = ["pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    module = {"demo": ["efficienttam", "demo"], "test": tests}[options.name]
    if options.name == "test":
        os.chdir(PROJECT)
    return project_environment.hand_over([python, "-m"] + module + options.rest)


def _download(options, journal):
    place = platform_tags.platform_named(options.platform)
    python = platform_tags.parse_python(options.python)
    choice = torch_choice.TorchChoice("", "left out")
    if options.torch != "none":
        choice = torch_choice.choose(options.torch, options.torch_index, place, [])
    kinds = ["run", "dev"] if options.with_tests else ["run", "window"] if options.with_window else ["run"]
    return download.download(HERE, place, python, choice, options.wheelhouse, kinds, journal)


def _lock(options, journal):
    return list_making.make_lists(PROJECT, options.upgrade, options.torch_wheels, journal)


if __name__ == "__main__":
    sys.exit(main())
