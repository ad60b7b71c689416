"""Farm tasks as processes that may be watched, killed and waited for."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Tasks:
    """Farm tasks as processes, started quickly (see ``task_server``)."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        #: Most memory, in bytes, that the task waited for last had.
        self.peak = 0
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, str(HERE / "task_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def start(self, folder: Path, *words: str, file_size: int = 0, cache: str = "") -> Running:
        log = folder / "task.log"
        log.write_text("")
        words = ("farm", "task", str(folder / "shot.job.json"), *words)
        words = (*words, "--progress", "json", "--cache", cache or str(self.cache))
        request = {"start": words, "log": str(log), "file_size": file_size}
        return Running(self, self._ask(request)["pid"], log)

    def run(self, folder: Path, *words: str, **how: object) -> tuple[int, str]:
        """Exit code and log of a task."""
        running = self.start(folder, *words, **how)
        return running.wait(), running.log.read_text()

    def wait(self, pid: int) -> int:
        answer = self._ask({"wait": pid})
        self.peak = answer["peak"]
        return answer["code"]

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(timeout=30)

    def _ask(self, request: dict) -> dict:
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return json.loads(self._server.stdout.readline())


@dataclasses.dataclass
class Running:
    tasks: Tasks
    pid: int
    log: Path

    def count(self, event: str) -> int:
        """How often the log tells of an event."""
        return self.log.read_text().count(f'{{"event": "{event}"')

    def until(self, done: int, patience: float = 120) -> None:
        """Waits until so many mattes or records are told, or the task ended."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self.count("wrote") < done and not self.count("end"):
            time.sleep(0.005)

    def kill(self) -> int:
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> int:
        return self.tasks.wait(self.pid)
