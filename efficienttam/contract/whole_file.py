"""Files that are there whole or not at all.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import os
import secrets
import tempfile

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


def refuse_unwritable(folder: str) -> None:
    """Makes a folder where there is none, and in it a file for a moment. Raises OutputError."""
    remedy = "Name a folder that you may write to."
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror}.", remedy) from error
    try:
        # Rights tell too little: root has them all, and some file systems take no files.
        with tempfile.TemporaryFile(dir=folder, prefix=".efficienttam-"):
            pass
    except OSError as error:
        raise OutputError(f"Nothing can be written to {folder}: {error.strerror}.", remedy) from error
