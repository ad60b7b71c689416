"""Starts farm tasks as processes of their own, without importing the engine's libraries for each.

One JSON request per line of stdin, one JSON answer per line of stdout: {"start": [words], "log": file,
"file_size": 0 or bytes that no file may exceed} gives {"pid": n}, {"wait": n} gives {"code": n, "peak":
bytes} (negative for a signal). A task is a fork of this process, which has run nothing yet, and may be killed
like any other.
"""

from __future__ import annotations

import json
import os
import sys


def start(words: list[str], log: str, file_size: int) -> int:
    """Forks a task with its output in ``log``; its pid."""
    pid = os.fork()
    if pid:
        return pid
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for stream in (1, 2):
        os.dup2(file, stream)
    code = 70
    try:
        if file_size:
            import resource
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
        from efficienttam.cli import main

        code = main(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Answers requests until stdin ends."""
    import efficienttam.batch.introduction
    import efficienttam.commands.farm_task
    import efficienttam.farm.run_task  # noqa: F401
    from efficienttam.weights.load import load_model

    # What PyTorch imports when it is first used takes longer than a small task.
    load_model(device="cpu", threads=1)
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            pid = start(request["start"], request["log"], request["file_size"])
            answer = {"pid": pid}
        else:
            _, status, used = os.wait4(request["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status), "peak": used.ru_maxrss * 1024}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
