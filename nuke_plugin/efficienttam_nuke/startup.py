"""What happens when Nuke starts: ``always`` with every Nuke, ``interface`` with those that have windows.

Nothing raises into Nuke, nothing here starts a worker, and a farm render runs ``always`` alone.
"""

from __future__ import annotations

import os
import traceback
from typing import Callable

import nuke


def always() -> None:
    """Makes the node and its code known. From init.py."""
    _or_tell(_always)


def interface() -> None:
    """Adds the menu, the panel and the update of old nodes. From menu.py."""
    _or_tell(_interface)


def _always() -> None:
    from . import engine_package, settings

    root = settings.root_of_plugin()
    nuke.pluginAddPath(os.path.join(root, "gizmos").replace("\\", "/"))
    engine = root
    try:
        engine = settings.read_settings(os.environ, root).engine
    except settings.SettingsError as error:
        # The buttons say it again; without the engine's package they could not even do that.
        nuke.tprint("EfficientTAM: {}".format(error))
    try:
        engine_package.load_engine_package(engine)
    except engine_package.EngineMissing as error:
        nuke.tprint("EfficientTAM did not start: {} {}.".format(error, settings.how_to_install(root)))


def _interface() -> None:
    from . import callbacks

    menu = nuke.menu("Nodes").addMenu("EfficientTAM")
    menu.addCommand("EfficientTAM", "nuke.createNode('EfficientTAM')")
    nuke.addOnScriptLoad(callbacks.script_loaded)
    _or_tell(_panel)


def _panel() -> None:
    from . import panel

    panel.register()


def _or_tell(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # Whatever it is, Nuke starts; the trace tells.
        nuke.tprint("EfficientTAM did not start:\n" + traceback.format_exc())
