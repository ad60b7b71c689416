"""What was seen lately, held to a number of bytes. Standard library only, Python 3.7 or newer."""

from __future__ import annotations

import collections
from typing import Dict, Generic, Hashable, Optional, Tuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


class BoundedStore(Generic[Key, Thing]):
    """Things by key; those used longest ago go first when there are more than ``most`` bytes.

    The newest is kept even where it alone is larger.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.bytes = 0
        self._things: Dict[Key, Tuple[Thing, int]] = collections.OrderedDict()

    def put(self, key: Key, thing: Thing, size: int) -> None:
        """Keeps a thing of ``size`` bytes, in the place of the one of that key."""
        self.drop(key)
        self._things[key] = (thing, size)
        self.bytes += size
        while self.bytes > self.most and len(self._things) > 1:
            self.drop(next(iter(self._things)))

    def get(self, key: Key) -> Optional[Thing]:
        """The thing of a key, used now; None where there is none."""
        if key not in self._things:
            return None
        thing, size = self._things.pop(key)
        self._things[key] = (thing, size)
        return thing

    def drop(self, key: Key) -> None:
        """Forgets the thing of a key, if there is one."""
        if key in self._things:
            self.bytes -= self._things.pop(key)[1]

    def clear(self) -> None:
        """Forgets all."""
        self._things.clear()
        self.bytes = 0

    def keys(self) -> Tuple[Key, ...]:
        """Every key, the longest unused first."""
        return tuple(self._things)
