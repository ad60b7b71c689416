"""One writer at a time, also across processes. The lock dies with its process."""

from __future__ import annotations

import contextlib
import errno
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..contract.errors import WeightsError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(stream: IO[bytes]) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(stream: IO[bytes]) -> None:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


#: What a held lock looks like on the systems we know; anything else is a real failure.
_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK, errno.EWOULDBLOCK}


@contextlib.contextmanager
def exclusive(path: Path, patience: float) -> Iterator[None]:
    """Hold the lock file ``path`` inside the block; wait at most ``patience`` seconds for it.

    The empty lock file stays behind: removing it would let two later processes hold two locks.
    Raises WeightsError when somebody else holds it for longer, or the file system has no locks.
    """
    give_up = time.monotonic() + patience
    try:
        stream = open(path, "ab")
    except OSError as error:
        raise WeightsError(
            f"{path.parent} cannot be written: {error.strerror or error}.",
            "Choose another folder for the weights, or set EFFICIENTTAM_WEIGHTS to one that has them.",
        ) from error
    with stream:
        while True:
            try:
                _try_lock(stream)
                break
            except OSError as error:
                if error.errno not in _HELD:
                    raise WeightsError(
                        f"{path.parent} cannot be locked: {error.strerror or error}.",
                        "Download into a folder on a local disk, then copy the file.",
                    ) from error
            if time.monotonic() >= give_up:
                raise WeightsError(
                    f"Another process has been downloading {path.stem} for over {patience:.0f} s.",
                    "Wait for it or end it, then try again; what it has fetched is kept.",
                )
            time.sleep(0.1)
        yield
