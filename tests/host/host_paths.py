"""Puts what the host's tests import on the path: the plugin, the contract and the fake Nuke."""

import os
import sys

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GIZMOS = os.path.join(REPOSITORY, "gizmos")
#: Nodes of earlier versions, as their gizmo was.
NODES = os.path.join(REPOSITORY, "tests", "nodes")

for folder in (REPOSITORY, os.path.join(REPOSITORY, "tests"), os.path.join(REPOSITORY, "nuke_plugin")):
    if folder not in sys.path:
        sys.path.insert(0, folder)
