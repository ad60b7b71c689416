"""Puts what the host's tests import on the path: the plugin, the contract and the fake Nuke.

Every test imports the plugin anew; where no bytecode is written (``-B``) each file is compiled once.
"""

import importlib.machinery
import os
import sys

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GIZMOS = os.path.join(REPOSITORY, "gizmos")
#: Nodes of earlier versions, as their gizmo was.
NODES = os.path.join(REPOSITORY, "tests", "nodes")

for folder in (REPOSITORY, os.path.join(REPOSITORY, "tests"), os.path.join(REPOSITORY, "nuke_plugin")):
    if folder not in sys.path:
        sys.path.insert(0, folder)

_compiled = {}
_compile = importlib.machinery.SourceFileLoader.source_to_code


def _compile_once(self, data, path, **more):
    key = (path, bytes(data))
    if key not in _compiled:
        _compiled[key] = _compile(self, data, path, **more)
    return _compiled[key]


if sys.dont_write_bytecode:
    importlib.machinery.SourceFileLoader.source_to_code = _compile_once
