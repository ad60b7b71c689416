"""What is said, what is kept, and what neither may hold."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from journal import Journal, home_shortened, without_secrets

SPEAK = "import sys; print('Collecting x'); print('at https://me:secret@x/'); sys.exit(3)"


def test_steps_and_their_words(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    journal = Journal()
    journal.keep(str(tmp_path / "log"))
    journal.say("one step")
    assert journal.run([sys.executable, "-c", SPEAK], dict(os.environ)) == 3
    assert journal.run([sys.executable, "-c", SPEAK], dict(os.environ), hidden=True) == 3
    assert journal.run([str(tmp_path / "nothing")], {}) == 127
    journal.fail("at https://me:secret@y/")
    journal.close()
    said, told = capfd.readouterr()
    assert said.splitlines() == ["install: one step", "at https://***@x/"]
    assert told == "install: at https://***@y/\n"
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "secret" not in log and log.count("| Collecting x") == 2 and "ended with status 3" in log


def test_silence_but_for_what_went_wrong(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    journal = Journal(quiet=True)
    journal.keep(str(tmp_path / "log"))
    journal.say("one step")
    journal.run([sys.executable, "-c", "print('fine')"], dict(os.environ))
    journal.run([sys.executable, "-c", SPEAK], dict(os.environ))
    journal.close()
    said, told = capfd.readouterr()
    assert said == "" and told.splitlines() == ["Collecting x", "at https://***@x/"]
    assert "| fine" in (tmp_path / "log").read_text(encoding="utf-8")


def test_what_a_terminal_cannot_show(tmp_path: Path) -> None:
    import subprocess

    code = "import sys; sys.path.insert(0, sys.argv[1]); import journal; journal.Journal().say('Ж ü')"
    install = str(Path(__file__).resolve().parents[2] / "install")
    done = subprocess.run(
        [sys.executable, "-c", code, install],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0 and done.stdout == b"install: \\u0416 \\xfc\n"


def test_homes_and_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    if sys.platform != "win32":
        assert home_shortened("/home/alice/x and /home/alicetoo") == "~/x and /home/alicetoo"
    assert without_secrets("https://u:p@h/p http://h/p") == "https://***@h/p http://h/p"
