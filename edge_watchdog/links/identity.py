"""Which device is meant by a configured name, though it may have another name by now.

In: the devices that are there, with what they keep when they are renamed or plugged in anew.  Out:
the present name of each configured one.  The rule: only a device that was seen under the configured
name in this run is followed, by what nobody else has; where two could be it, none is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """What a device is known by; *index* as long as it is there, the rest when it comes again.

    *permanent*: the address it was made with.  *path*: where it is plugged in.  *others*: further
    names that the system gave it.
    """

    index: int
    permanent: str = ""
    path: str = ""
    others: frozenset[str] = frozenset()

    def is_like(self, other: "Marks") -> bool:
        """Tell whether both are one device, plugged in twice.

        Whoever has an address of its own is known by it alone: in the same socket there may be
        somebody's phone now.
        """
        if self.permanent or other.permanent:
            return self.permanent == other.permanent
        return bool((self.path and self.path == other.path) or self.others & other.others)


class Followed:
    """Keeps the devices of the configured *names*."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys(names))
        self._known: dict[str, Marks] = {}
        self._now: dict[str, str] = {}
        self._unclear: dict[str, tuple[str, ...]] = {}

    def resolve(self, found: Mapping[str, Marks]) -> Mapping[str, str]:
        """Give the present name of each configured device that is there.

        *found*: all devices, by name.
        """
        by_index = {marks.index: name for name, marks in found.items()}
        now = {
            name: by_index[known.index]
            for name, known in self._known.items()
            if known.index in by_index
        }
        self._unclear = {}
        for name in self.names:
            if name not in now and (came := self._came(name, found, set(now.values()))):
                now[name] = came
        self._known |= {name: found[called] for name, called in now.items()}
        self._now = now
        return now

    def problems(self, uplinks: Mapping[str, str]) -> tuple[str, ...]:
        """Say what has another name now, and what cannot be told; *uplinks* by configured name."""
        renamed = (
            f"{uplinks.get(name, name)}: its interface is called {called} now, not {name}. The box"
            " follows it. If that stays so, write the new name into the configuration: after a"
            " restart the box looks for the old one."
            for name, called in self._now.items()
            if called != name
        )
        unclear = (
            f"{uplinks.get(name, name)} is missing: its interface {name} is gone, and more than one"
            f" could be it ({', '.join(some)}). The box takes none of them. Unplug what is not it,"
            " or write the right name into the configuration and restart the box."
            for name, some in self._unclear.items()
        )
        return (*renamed, *unclear)

    def _came(self, name: str, found: Mapping[str, Marks], taken: set[str]) -> str | None:
        """Find a device that was not there, or is seen for the first time."""
        known = self._known.get(name)
        free = [one for one in found if one not in taken]
        if known is not None:
            alike = sorted(one for one in free if known.is_like(found[one]))
            if name not in alike and len(alike) > 1:
                self._unclear[name] = tuple(alike)
                return None
            if alike:
                return name if name in alike else alike[0]
        return name if name in free else None
