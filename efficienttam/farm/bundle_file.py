"""Files of a bundle: there whole or not at all."""

from __future__ import annotations

import os

from ..contract import whole_file
from ..contract.errors import OutputError


def write_whole(path: str, content: str | bytes) -> str:
    """Writes a file, text as UTF-8, and the folders above it; returns its path. Raises OutputError."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The file {path!r} cannot be written: {error.strerror}.", "Name a folder you may write to."
        ) from error
    whole_file.write_whole(path, content.encode("utf-8") if isinstance(content, str) else content)
    return path
