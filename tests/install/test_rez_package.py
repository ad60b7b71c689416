"""The rez package: resolved by rez itself where there is one."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import prefix as prefixes
import pytest
from environment import write_stamp
from stand_in import install

RESOLVE = """
import json, sys
from rez.resolved_context import ResolvedContext
context = ResolvedContext([sys.argv[2]], package_paths=[sys.argv[1]])
names = ("EFFICIENTTAM_ENGINE", "EFFICIENTTAM_PYTHON", "NUKE_PATH", "PATH")
environment = context.get_environ()
versions = [str(package.version) for package in context.resolved_packages]
print(json.dumps([versions, {name: environment[name] for name in names}]))
"""


def rez_python() -> str:
    """A Python that has rez: the one named in EFFICIENTTAM_REZ_PYTHON, or this one; empty for none."""
    named = os.environ.get("EFFICIENTTAM_REZ_PYTHON", "")
    here = importlib.util.find_spec("rez")
    # Our own install/rez is a folder without modules, which would be found too.
    return named or (sys.executable if here is not None and here.origin else "")


@pytest.fixture
def prefix(tmp_path: Path) -> prefixes.Prefix:
    made = prefixes.Prefix(str(tmp_path / "tools ü"))
    made.prepare()
    for name in ("0.9.0", "0.10.0"):
        version = made.version(name)
        made.clear(version)
        write_stamp(version.folder, {"release": name})
    return made


def test_a_package_for_each_version(prefix: prefixes.Prefix, project: Path, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    template = Path(__file__).resolve().parents[2] / "install" / "rez" / "package.py"
    (project / "install" / "rez").mkdir(exist_ok=True)
    (project / "install" / "rez" / "package.py").write_text(template.read_text())
    assert install(project, "rez", "--prefix", prefix.folder, "--packages", str(packages)).returncode == 0
    text = (packages / "efficienttam" / "0.10.0" / "package.py").read_text(encoding="utf-8")
    assert "@" not in text.split('"""')[2] and repr(prefix.version("0.10.0").folder) in text
    if not rez_python():
        pytest.skip("There is no rez here: pip install rez, or name its Python in EFFICIENTTAM_REZ_PYTHON.")
    for wanted, name in (("efficienttam", "0.10.0"), ("efficienttam-0.9", "0.9.0")):
        done = subprocess.run(
            [rez_python(), "-c", RESOLVE, str(packages), wanted], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        versions, environment = json.loads(done.stdout)
        folder = prefix.version(name).folder
        assert versions == [name] and environment["EFFICIENTTAM_ENGINE"] == folder
        assert environment["EFFICIENTTAM_PYTHON"].startswith(os.path.join(folder, "environment", ""))
        assert environment["NUKE_PATH"] == os.path.join(folder, "nuke_plugin")
        assert os.path.join(folder, "bin") in environment["PATH"].split(os.pathsep)
