"""A small program in the place of the engine, for the installer to install: real pip, real environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import prefix as prefixes
from environment import write_stamp

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALL = REPOSITORY / "install"

#: A build backend that needs nothing: its editable wheel is one .pth file.
BACKEND = """
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "standin-1.dist-info"
    files = {
        "standin.pth": str(pathlib.Path.cwd()) + "\\n",
        info + "/METADATA": "Metadata-Version: 2.1\\nName: standin\\nVersion: 1\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        info + "/entry_points.txt": "[console_scripts]\\nefficienttam = efficienttam.__main__:main\\n",
    }
    files[info + "/RECORD"] = "".join(name + ",,\\n" for name in [*files, info + "/RECORD"])
    name = "standin-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""
FILES = {
    "install/requirements.lock": "",
    "install/requirements-dev.lock": "",
    "setup.cfg": "",
    "pyproject.toml": (
        '[build-system]\nrequires = []\nbuild-backend = "install.backend"\nbackend-path = ["."]\n'
    ),
    "install/backend.py": BACKEND,
    "efficienttam/__init__.py": '__version__ = "1.0.0"\n',
    "efficienttam/cli.py": "",
    "efficienttam/__main__.py": """
import sys
from efficienttam import __version__

def main():
    print("ran", __version__, *sys.argv[1:])
    sys.exit(7 if "7" in sys.argv else 0)

if __name__ == "__main__":
    main()
""",
    "nuke_plugin/init.py": "import nuke\nnuke.tprint('the plugin of ' + __file__)\n",
    "gizmos/EfficientTAM.gizmo": "Group {\n}\n",
}


def make_project(folder: Path, version: str = "1.0.0") -> Path:
    """The program in a clone, with the installer of this repository."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("1.0.0", version), encoding="utf-8")
    for module in INSTALL.glob("*.py"):
        shutil.copy(module, folder / "install")
    return folder


def stand_in_version(prefix: prefixes.Prefix, name: str) -> prefixes.Version:
    """A whole version that was never installed: a folder with marks, and this Python."""
    version = prefix.version(name)
    prefix.clear(version)
    Path(version.python).parent.mkdir(parents=True)
    Path(version.python).symlink_to(sys.executable)
    (Path(version.folder) / "nuke_plugin").mkdir()
    write_stamp(version.folder, {"release": name, "python": "3.11", "torch": "2.13.0+cpu"})
    return prefix.version(name)


def command(project: Path, *words: str, python: str = sys.executable) -> list[str]:
    return [python, str(project / "install" / "install.py"), *words]


def install(
    project: Path, *words: str, python: str = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs the installer from another folder, as anybody may."""
    return subprocess.run(
        command(project, *words, python=python),
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, **variables},
    )


def python_of_nuke_13() -> str:
    """A Python 3.7 of this machine; empty where there is none."""
    found = sorted((Path.home() / ".pyenv" / "versions").glob("3.7.*/bin/python"))
    return str(found[-1]) if found else ""
