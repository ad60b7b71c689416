"""Files of a bundle: there whole or not at all."""

from __future__ import annotations

import os

from ..contract.errors import OutputError


def write_whole(path: str, content: str | bytes) -> str:
    """Writes a file, text as UTF-8, and the folders above it; returns its path. Raises OutputError."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    partial = f"{path}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(partial, "wb") as file:
            file.write(data)
        os.replace(partial, path)
    except OSError as error:
        if os.path.exists(partial):
            os.remove(partial)
        raise OutputError(
            f"The file {path!r} cannot be written: {error.strerror}.", "Name a folder you may write to."
        ) from error
    return path
