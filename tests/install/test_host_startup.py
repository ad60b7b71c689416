"""How Nuke finds what is in use: the folder of NUKE_PATH, run by a fake Nuke, and lines in init.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import host_startup
import prefix as prefixes
import pytest
from environment import write_stamp
from stand_in import REPOSITORY, python_of_nuke_13

#: A Nuke that runs the init.py of a folder that is added while another runs, as its manual says it does.
NUKE = """
import os, sys, types
nuke = types.ModuleType("nuke")
told = []
nuke.tprint = told.append
def run(folder):
    sys.path.insert(0, folder)
    name = os.path.join(folder, "init.py")
    if os.path.isfile(name):
        with open(name) as stream:
            exec(compile(stream.read(), name, "exec"), {"__name__": "init"})
def add(folder):
    told.append("added " + folder)
    run(folder)
nuke.pluginAddPath = add
sys.modules["nuke"] = nuke
run(sys.argv[1])
sys.stdout.buffer.write("\\n".join(told).encode("utf-8"))
"""


@pytest.fixture
def prefix(tmp_path: Path) -> prefixes.Prefix:
    made = prefixes.Prefix(str(tmp_path / "tools ü"))
    made.prepare()
    for name in ("1.0.0", "2.0.0"):
        version = made.version(name)
        made.clear(version)
        plugin = Path(version.folder) / "nuke_plugin"
        plugin.mkdir()
        (plugin / "init.py").write_text(f"import nuke\nnuke.tprint('this is {name}')\n")
        write_stamp(version.folder, {"release": name})
    host_startup.write_entrances(made)
    return made


def start_nuke(prefix: prefixes.Prefix, python: str = sys.executable) -> list[str]:
    done = subprocess.run(
        [python, "-I", "-B", "-c", NUKE, prefix.plugin],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    return done.stdout.decode("utf-8").splitlines()


def test_nuke_starts_the_version_in_use(prefix: prefixes.Prefix) -> None:
    assert "no version is in use" in start_nuke(prefix)[0]
    prefix.switch("1.0.0")
    assert start_nuke(prefix)[-1] == "this is 1.0.0"
    prefix.switch("2.0.0")
    assert start_nuke(prefix)[-1] == "this is 2.0.0"
    Path(prefix.pointer).write_text("3.0.0\n")
    assert "no version is in use" in start_nuke(prefix)[0]


def test_nuke_13_too(prefix: prefixes.Prefix) -> None:
    if not python_of_nuke_13():
        pytest.skip("There is no Python 3.7 under ~/.pyenv on this machine.")
    prefix.switch("2.0.0")
    assert start_nuke(prefix, python_of_nuke_13())[-1] == "this is 2.0.0"


def test_lines_are_written_once_and_taken_out(prefix: prefixes.Prefix, tmp_path: Path) -> None:
    folder = tmp_path / ".nuke"
    folder.mkdir()
    mine = "import nuke\r\n# Grüße\r\nnuke.pluginAddPath('/mine')"
    (folder / "init.py").write_bytes(mine.encode("utf-8"))
    for _ in range(2):
        host_startup.write_lines(prefix, str(folder))
    text = (folder / "init.py").read_bytes().decode("utf-8")
    assert text.startswith(mine) and text.count("nuke.pluginAddPath") == 2
    compile(text, "init.py", "exec")
    ways = host_startup.ways_to_the_plugin(prefix.plugin, {}, str(folder))
    assert ways == [str(folder / "init.py")]
    other = prefixes.Prefix(str(tmp_path / "other"))
    assert host_startup.remove_lines(other, str(folder)) == ""
    assert host_startup.remove_lines(prefix, str(folder)) == str(folder / "init.py")
    assert (folder / "init.py").read_bytes().decode("utf-8") == mine + "\n"
    assert host_startup.remove_lines(prefix, str(folder)) == ""


def test_a_linked_init_stays_a_link(prefix: prefixes.Prefix, tmp_path: Path) -> None:
    folder = tmp_path / ".nuke"
    folder.mkdir()
    (tmp_path / "dotfiles.py").write_text("x = 1\n")
    (folder / "init.py").symlink_to(tmp_path / "dotfiles.py")
    host_startup.write_lines(prefix, str(folder))
    assert (folder / "init.py").is_symlink() and "pluginAddPath" in (tmp_path / "dotfiles.py").read_text()


def test_the_path_line(prefix: prefixes.Prefix, tmp_path: Path) -> None:
    said = subprocess.run(
        ["sh", "-c", host_startup.path_line(prefix) + '; printf %s "$NUKE_PATH"'],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert said.stdout.decode("utf-8") == prefix.plugin
    quoted = prefixes.Prefix(str(tmp_path / "it's"))
    said = subprocess.run(
        ["sh", "-c", host_startup.path_line(quoted) + '; printf %s "$NUKE_PATH"'], stdout=subprocess.PIPE
    )
    assert said.stdout.decode("utf-8") == quoted.plugin
    environment = {"NUKE_PATH": os.pathsep.join(["/x", prefix.plugin])}
    assert host_startup.ways_to_the_plugin(prefix.plugin, environment, str(tmp_path)) == ["NUKE_PATH"]


def test_nukes_are_found(tmp_path: Path) -> None:
    for name in ("usr/local/Nuke15.1v2", "usr/local/Nuke16.0v1", "usr/local/NukeStudio", "opt/Nuke13.2v8"):
        (tmp_path / name).mkdir(parents=True)
    found = [Path(path).name for path in host_startup.installed_nukes("linux", str(tmp_path))]
    assert sorted(found) == ["Nuke13.2v8", "Nuke15.1v2", "Nuke16.0v1"]
    (tmp_path / "Applications" / "Nuke15.1v2").mkdir(parents=True)
    assert len(host_startup.installed_nukes("darwin", str(tmp_path))) == 1


def test_where_nuke_looks_for_the_user(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    assert host_startup.user_folder() == str(home / ".nuke")
    monkeypatch.setattr(sys, "platform", "win32")
    assert host_startup.user_folder({"HOME": "D:/artist"}) == os.path.join("D:/artist", ".nuke")


def test_the_plugin_in_use_is_the_real_one(tmp_path: Path) -> None:
    """The plugin of this repository starts by way of the pointer, in the fake Nuke of the other tests."""
    made = prefixes.Prefix(str(tmp_path / "prefix"))
    made.prepare()
    version = made.version("1.0.0")
    made.clear(version)
    for name in ("nuke_plugin", "efficienttam", "gizmos"):
        (Path(version.folder) / name).symlink_to(REPOSITORY / name)
    write_stamp(version.folder, {"release": "1.0.0"})
    host_startup.write_entrances(made)
    made.switch("1.0.0")
    told = subprocess.run(
        [sys.executable, "-c", _STARTED.format(tests=str(REPOSITORY / "tests"), plugin=made.plugin)],
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.split() == ["efficienttam_nuke.startup", "1"]


_STARTED = """
import sys
sys.path.insert(0, {tests!r})
import fake_nuke
fake_nuke.install(gui=False)
import nuke
added = []
nuke.pluginAddPath, real = lambda folder: added.append(folder) or real(folder), nuke.pluginAddPath
sys.path.insert(0, {plugin!r})
exec(open({plugin!r} + "/init.py").read())
sys.path.insert(0, added[0])
exec(open(added[0] + "/init.py").read())
print("efficienttam_nuke.startup" in sys.modules and "efficienttam_nuke.startup", len(added) - 1)
"""


def test_windows_has_entrances_of_its_own(prefix: prefixes.Prefix, tmp_path: Path) -> None:
    """What is written there; nobody could run it here."""
    import environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "name", "nt")
        python = environment.python_of("env")
        written = dict(host_startup.entrances(prefix))
        host_startup.write_program(str(tmp_path / "version"))
        line = host_startup.path_line(prefix)
    assert python == os.path.join("env", "Scripts", "python.exe")
    assert line == f'setx NUKE_PATH "{prefix.plugin}"'
    command = written[os.path.join(prefix.programs, "efficienttam.cmd")]
    assert command.count("\r\n") == command.count("\n") and 'set /p VERSION=<"%~dp0..\\current"' in command
    lines = command.splitlines()
    assert '"%~dp0..\\versions\\%VERSION%\\bin\\efficienttam.cmd" %*' in lines
    assert lines.count(":damaged") == 1 and sum(line.endswith("goto damaged") for line in lines) == 5
    program = (tmp_path / "version" / "bin" / "efficienttam.cmd").read_bytes().decode("ascii")
    lines = program.splitlines()
    assert '"%~dp0..\\environment\\Scripts\\efficienttam.exe" %*' in lines
    assert lines[lines.index(":missing") + 1].startswith("echo efficienttam: the environment of this version")
    assert "set PYTHONPATH=\r\n" in program


def test_a_path_of_windows_is_written_with_forward_slashes(prefix: prefixes.Prefix, tmp_path: Path) -> None:
    """Backslashes would be escapes in a file of Python."""
    prefix.plugin = "C:\\Users\\Ägypten\\new tools\\nuke_plugin"
    path = host_startup.write_lines(prefix, str(tmp_path / ".nuke"))
    text = Path(path).read_text(encoding="ascii")
    assert "nuke.pluginAddPath('C:/Users/\\xc4gypten/new tools/nuke_plugin')" in text
    assert host_startup.ways_to_the_plugin(prefix.plugin, {}, str(tmp_path / ".nuke")) == [path]
    assert host_startup.remove_lines(prefix, str(tmp_path / ".nuke")) == path
