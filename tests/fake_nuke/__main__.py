"""``python -m fake_nuke -t script.py``: runs a script as ``nuke -t`` does, with its exit code."""

from __future__ import annotations

import os
import runpy
import sys

from . import install


def main() -> int:
    if len(sys.argv) < 3 or sys.argv[1] != "-t":
        print("usage: python -m fake_nuke -t script.py [arguments]", file=sys.stderr)
        return 2
    session = install(gui=False)
    session.echo = True
    for folder in os.environ.get("NUKE_PATH", "").split(os.pathsep):
        init = os.path.join(folder, "init.py")
        if folder and os.path.isfile(init):
            sys.path.insert(0, folder)
            runpy.run_path(init)
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
