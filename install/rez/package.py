"""A rez package that leads to one installed version of EfficientTAM for Nuke.

``install.py rez --packages DIR`` fills in the version and its folder. By hand: copy this file to
DIR/efficienttam/VERSION/package.py and write them at the two marks.
"""

name = "efficienttam"
version = "@VERSION@"
description = "Tracks anything in a plate: points, boxes and roto in, EXR mattes out"
authors = ["EfficientTAM for Nuke"]
tools = ["efficienttam"]
#: The version's folder, with its environment, the plugin and the package.
folder = "@FOLDER@"


def commands():
    import os

    inside = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    env.EFFICIENTTAM_ENGINE = this.folder  # noqa: F821
    env.EFFICIENTTAM_PYTHON = os.path.join(this.folder, "environment", *inside)  # noqa: F821
    env.NUKE_PATH.append(os.path.join(this.folder, "nuke_plugin"))  # noqa: F821
    env.PATH.append(os.path.join(this.folder, "bin"))  # noqa: F821
