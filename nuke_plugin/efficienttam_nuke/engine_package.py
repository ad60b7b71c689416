"""Makes the engine's light packages importable in Nuke without touching its sys.path.

The folder of the package lies beside much else (a repository, or site-packages with other people's
libraries for another Python); on sys.path all of that could hide what Nuke brings.
"""

from __future__ import annotations

import importlib.util
import os
import sys

PACKAGE = "efficienttam"


class EngineMissing(Exception):
    """The package is not where it was looked for."""


def load_engine_package(folder: str) -> None:
    """Registers the package ``efficienttam`` of ``folder``; its modules then import as always.

    Does nothing where it is loaded from there already. Raises EngineMissing where there is none, or
    where another copy is loaded.
    """
    home = os.path.join(folder, PACKAGE)
    start = os.path.join(home, "__init__.py")
    loaded = sys.modules.get(PACKAGE)
    if loaded is not None:
        there = os.path.dirname(os.path.abspath(loaded.__file__ or ""))
        if os.path.realpath(there) != os.path.realpath(home):
            raise EngineMissing(
                "Another copy of EfficientTAM is loaded, from {}; expected {}.".format(there, home)
            )
        return
    spec = None
    if os.path.isfile(start):
        spec = importlib.util.spec_from_file_location(PACKAGE, start, submodule_search_locations=[home])
    if spec is None or spec.loader is None:
        raise EngineMissing(
            "There is no folder {} with the engine. Keep nuke_plugin beside it, or name its place as "
            '"engine" in the settings.'.format(home)
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[PACKAGE]
        raise
