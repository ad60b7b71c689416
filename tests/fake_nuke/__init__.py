"""A Nuke in memory, for tests: strict, and with pixels. See ``docs/nuke.md`` for what it cannot prove."""

from .module import install, uninstall
from .script import ScriptError, have_tcl, load_script
from .session import Session

__all__ = ["ScriptError", "Session", "have_tcl", "install", "load_script", "uninstall"]
