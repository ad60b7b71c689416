"""Where weights are looked for. Looking makes no folder and opens no connection."""

from __future__ import annotations

import os
from pathlib import Path

from ..contract.errors import WeightsError
from ..contract.installed import installed_prefix
from ..contract.settings_in_force import setting
from ..contract.user_cache import user_cache
from .registry import WeightsEntry, find_entry

#: Says a folder of weights, a studio's shared one say, as ``weights.folder`` of the site's file does; it is
#: read, never written.
FOLDER_VARIABLE = "EFFICIENTTAM_WEIGHTS"


def cache_folder() -> Path:
    """The user's cache for weights on this platform; it need not exist."""
    return user_cache() / "weights"


def find_weights(name: str, weights: str | os.PathLike[str] | None = None) -> Path:
    """The weights file of a variant.

    ``weights`` is a file, or a folder to look into and nowhere else. Without it: the folder of
    ``$EFFICIENTTAM_WEIGHTS`` or of the site's file, for embedded weights the package itself, the
    installation's, the user's cache. In each folder a ``.safetensors`` file of the variant's name is taken
    where there is no ``.pt``. Raises WeightsError that lists files and places.
    """
    if weights is not None and not Path(weights).expanduser().is_dir():
        path = Path(weights).expanduser()
        if not path.is_file():
            raise WeightsError(f"There are no weights at {path}.", "Check the path.")
        return path
    entry = find_entry(name)
    files = list(dict.fromkeys((entry.file, f"{name}.safetensors")))
    folders = _folders(entry) if weights is None else [Path(weights).expanduser()]
    for folder in folders:
        for file in files:
            if (folder / file).is_file():
                return folder / file
    if weights is not None:
        raise WeightsError(
            f"The folder {folders[0]} holds no weights of {name}: looked for {' and '.join(files)}.",
            "Name the folder that holds the file, or the file itself.",
        )
    places = ", ".join(str(folder) for folder in folders)
    raise WeightsError(f"The weights {' or '.join(files)} are in none of: {places}.", _remedy(entry))


def _folders(entry: WeightsEntry) -> list[Path]:
    folders = [cache_folder()]
    prefix = installed_prefix()
    if prefix:
        folders.insert(0, Path(prefix, "weights"))
    if entry.embedded:
        folders.insert(0, entry.embedded_path.parent)
    shared = setting("weights.folder").value
    if shared:
        folders.insert(0, Path(shared))
    return folders


def _remedy(entry: WeightsEntry) -> str:
    if entry.embedded:
        return "They are part of the package: install it again."
    return (
        f"Run `efficienttam weights download {entry.name}`, "
        f"or put the file into a folder and set {FOLDER_VARIABLE} to it."
    )
