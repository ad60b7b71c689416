"""Which value of a setting counts, and who said it: command line, environment, the site's file, or nobody.

Standard library only, Python 3.7 or newer.
"""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any, Callable, Iterator, Mapping

from .errors import SettingsError
from .fields import Fault, Kind
from .site_settings import MOST_THREADS, SiteSettings, settings_file, site_settings
from .site_values import SAYS_NO, SAYS_YES, DeviceName, Size, Switch, Word


@dataclasses.dataclass(frozen=True)
class InForce:
    """A setting by its name in the site's file (``cache.folder``), its value, and where that came from.

    ``said`` is False for what nobody said; the value is then empty, 0 or None.
    """

    name: str
    value: Any
    origin: str
    said: bool = True


@dataclasses.dataclass(frozen=True)
class _Setting:
    """How a setting is said elsewhere than in the file; ``otherwise`` tells what counts without it."""

    variable: str
    otherwise: str
    read: Callable[[str, str], Any] = lambda text, variable: text
    #: A path: ``~`` is the home folder, and in the file relative to that.
    is_path: bool = False


def _of_kind(kind: Kind) -> Callable[[str, str], Any]:
    """Reads a variable as the site's file reads the same value."""

    def read(text: str, variable: str) -> Any:
        faults: list[Fault] = []
        value = kind.read(text.strip(), variable, faults)
        for fault in faults:
            raise SettingsError(f"{variable} is {text!r}, which is not {kind.title}.", fault.remedy)
        return value

    return read


def _count(text: str, variable: str) -> int:
    if not re.match(r"[0-9]{1,4}\Z", text.strip()) or int(text) > MOST_THREADS:
        raise SettingsError(
            f"{variable} is {text!r}, which is no count from 0 to {MOST_THREADS}.",
            "Write a whole number, or unset it.",
        )
    return int(text)


_SWITCH = "{}, or {}".format(", ".join(SAYS_YES), ", ".join(SAYS_NO))
#: Every setting that the environment may say too, in the order they are told.
SETTINGS: dict[str, _Setting] = {
    "python": _Setting(
        "EFFICIENTTAM_PYTHON", "what the installer made beside the host's plugin", is_path=True
    ),
    "engine": _Setting("EFFICIENTTAM_ENGINE", "the package beside the host's plugin", is_path=True),
    "feed": _Setting("EFFICIENTTAM_FEED", "a folder of the user in the temporary folder", is_path=True),
    "device": _Setting("EFFICIENTTAM_DEVICE", "a GPU where there is one", _of_kind(DeviceName("a device"))),
    "threads": _Setting("EFFICIENTTAM_THREADS", "PyTorch's choice", _count),
    "cache.folder": _Setting("EFFICIENTTAM_CACHE", "the user's cache", is_path=True),
    "cache.size": _Setting(
        "EFFICIENTTAM_CACHE_SIZE", "20 GB, or a tenth of the free disk", _of_kind(Size("a size"))
    ),
    "cache.identity": _Setting("EFFICIENTTAM_CACHE_IDENTITY", "stat", _of_kind(Word("stat", "content"))),
    "weights.folder": _Setting(
        "EFFICIENTTAM_WEIGHTS", "the package, the installation, the user's cache", is_path=True
    ),
    "weights.source": _Setting(
        "EFFICIENTTAM_WEIGHTS_SOURCE", "where the authors published them", is_path=True
    ),
    "weights.offline": _Setting("EFFICIENTTAM_OFFLINE", "connections are allowed", _of_kind(Switch(_SWITCH))),
}
_OFF = "off"


def setting(name: str, given: Any = "", environment: Mapping[str, str] = os.environ) -> InForce:
    """What counts for a setting; ``given`` is the command line's word, empty for none.

    Raises SettingsError for a site's file that is wrong and a variable that means nothing.
    """
    if given:
        return InForce(name, given, "command line")
    known = SETTINGS[name]
    text = environment.get(known.variable, "")
    if text:
        heard = _place(text) if known.is_path else known.read(text, known.variable)
        return InForce(name, heard, known.variable)
    file = settings_file(environment)
    value: Any = _of(site_settings(environment), name) if file else None
    if value is False or value not in ("", 0, None):
        return InForce(name, _place(str(value), os.path.dirname(file)) if known.is_path else value, file)
    return InForce(name, value, "default: " + known.otherwise, said=False)


def all_settings(environment: Mapping[str, str] = os.environ) -> Iterator[InForce]:
    """Every setting; those that only the site's file can say come last. Raises SettingsError."""
    file = settings_file(environment)
    told = site_settings(environment)
    for name in SETTINGS:
        yield setting(name, environment=environment)
    plain = SiteSettings()
    rules = [dataclasses.asdict(rule) for rule in told.path_map]
    yield InForce("path_map", rules, file if rules else "default", bool(rules))
    for name, value in _leaves("farm", told.farm):
        said = value != _of(plain, name)
        yield InForce(name, value, file if said else "default", said)


def _leaves(name: str, record: Any) -> Iterator[tuple[str, Any]]:
    for item in dataclasses.fields(record):
        value = getattr(record, item.name)
        if dataclasses.is_dataclass(value):
            yield from _leaves(f"{name}.{item.name}", value)
        else:
            yield f"{name}.{item.name}", getattr(value, "value", value)


def _of(settings: SiteSettings, name: str) -> Any:
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return getattr(value, "value", value)


def _place(text: str, folder: str = "") -> str:
    """A path with its home folder, absolute; what is a URL, or off, stays as it is."""
    if "://" in text or text.startswith("file:") or text.lower() == _OFF:
        return text
    return os.path.normpath(os.path.join(os.path.abspath(folder), os.path.expanduser(text)))
