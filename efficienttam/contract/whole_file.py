"""Files that are there whole or not at all.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import os
import secrets

from .errors import OutputError


def write_whole(path: str, data: bytes | memoryview, what: str = "file") -> None:
    """Writes a file, whole or not at all; ``what`` it is called in messages. Raises OutputError.

    The temporary name has random letters: on shared disks two machines may have one process number.
    """
    partial = f"{path}.{os.getpid()}.{secrets.token_hex(4)}.part"
    try:
        with open(partial, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except OSError as error:
        if os.path.exists(partial):
            os.remove(partial)
        raise OutputError(
            f"The {what} {path!r} cannot be written: {error.strerror}.", "Name a file you may write."
        ) from error
