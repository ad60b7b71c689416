"""Where this package is installed: a folder of versions side by side, or elsewhere.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import os

MARK = "efficienttam-prefix"


def package_root() -> str:
    """The folder that holds this package."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def installed_prefix(root: str = "") -> str:
    """The folder that the installer put this version into, with others; empty for a clone or a plain package.

    ``root`` is the folder that holds the package, this one's unless told.
    """
    versions = os.path.dirname(root or package_root())
    prefix = os.path.dirname(versions)
    ours = os.path.basename(versions) == "versions" and os.path.isfile(os.path.join(prefix, MARK))
    return prefix if ours else ""
