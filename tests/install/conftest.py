"""What the installer's tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for place in (str(HERE), str(HERE.parents[1] / "install")):
    if place not in sys.path:
        sys.path.append(place)

import prefix as prefixes  # noqa: E402
from stand_in import make_project, stand_in_version  # noqa: E402


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the stand-in program, in a folder with a space and letters beyond ASCII."""
    return make_project(tmp_path_factory.mktemp("clone ä Ж"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's home folder of its own, here and in the processes that are started."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    yield folder


@pytest.fixture
def prefix(tmp_path: Path) -> prefixes.Prefix:
    """A prefix with three whole versions; 1.10.0 is in use, 1.2.0 was before."""
    made = prefixes.Prefix(str(tmp_path / "prefix ü"))
    made.prepare()
    for name in ("1.10.0", "1.2.0", "1.2.0-2"):
        stand_in_version(made, name)
    made.switch("1.2.0")
    made.switch("1.10.0")
    return made
