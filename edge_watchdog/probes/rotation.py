"""Who is asked next, and how: anchors take turns so that no operator is asked twice in a row.

Pure.  Every fourth pulse is a DNS query; in a burst each tick asks every anchor by ICMP and half of
the DNS anchors by DNS as well, so that one in three questions to them is DNS from the first tick
on: some networks drop ICMP, some drop foreign DNS, and neither is an outage.
"""

from collections.abc import Collection, Iterable
from itertools import chain, zip_longest

from edge_watchdog.core.model import Anchor
from edge_watchdog.probes.asking import Method, Target
from edge_watchdog.probes.lookup import DNS_PORT

HTTPS_PORT = 443
DNS_EVERY = 4
AVOIDED_EVERY = 16  # targets to avoid get one pulse in so many: they may have recovered


class Ring:
    """Targets in turn: the one that waited longest comes first."""

    def __init__(self, targets: Iterable[Target]) -> None:
        """Order *targets* so that operators alternate."""
        self._queue = alternate(targets)

    def waiting(self, allowed: Collection[str]) -> list[Target]:
        """Give the targets whose labels are *allowed*, the longest waiting first."""
        return [target for target in self._queue if target.label in allowed]

    def take(self, target: Target) -> Target:
        """Send *target* to the end of the queue."""
        self._queue.remove(target)
        self._queue.append(target)
        return target


class Rotation:
    """Chooses pulses and bursts for one uplink; *icmp* tells whether echo is permitted here."""

    def __init__(self, anchors: tuple[Anchor, ...], *, icmp: bool) -> None:
        """Give every anchor its methods."""
        self._dns = [_target(Method.DNS, a) for a in anchors if a.dns]
        if icmp:
            self._first = [_target(Method.ICMP, a) for a in anchors]
        else:
            self._first = [_by_tcp(a) for a in anchors]
        self._labels = frozenset(target.label for target in self.targets)
        self._first_ring, self._dns_ring = Ring(self._first), Ring(self._dns)
        self._avoided_ring = Ring(self.targets)
        self._dns_every = DNS_EVERY if icmp else 2
        self._count = 0
        self._owed: list[Ring] = []
        self._last = ""

    @property
    def targets(self) -> tuple[Target, ...]:
        """Give everything that can be asked."""
        return (*self._first, *self._dns)

    def pulse(self, avoid: Collection[str]) -> Target | None:
        """Give the next target; those to *avoid* (labels) come rarely, but come."""
        avoided = self._labels & frozenset(avoid)
        if avoided == self._labels:
            avoided = frozenset()
        self._count += 1
        if avoided and self._count % AVOIDED_EVERY == 0:
            self._owed.append(self._avoided_ring)
        elif self._count % self._dns_every == 0:
            self._owed.append(self._dns_ring)
        target = self._choose(self._labels - avoided, avoided)
        self._last = target.operator if target else ""
        return target

    def _choose(self, allowed: frozenset[str], avoided: frozenset[str]) -> Target | None:
        """Pay what is owed, unless its operator was just asked: then one pulse goes before it."""
        usual = self._first_ring.waiting(allowed) or self._dns_ring.waiting(allowed)
        between = next((t for t in usual if t.operator != self._last), None)
        for ring in list(self._owed):
            fit = ring.waiting(avoided if ring is self._avoided_ring else allowed)
            if fit and fit[0].operator == self._last and between is not None:
                break
            self._owed.remove(ring)
            if fit:
                return ring.take(fit[0])
        chosen = between or next(iter(usual), None)
        if chosen is None:
            return None
        ring = self._first_ring if chosen.method is not Method.DNS else self._dns_ring
        return ring.take(chosen)

    def burst(self, tick: int) -> list[Target]:
        """Give all targets of burst tick *tick* (0, 1, ...)."""
        half = [target for place, target in enumerate(self._dns) if place % 2 == tick % 2]
        return [*self._first, *half]


def alternate(targets: Iterable[Target]) -> list[Target]:
    """Order *targets* so that neighbours belong to different operators as far as possible."""
    groups: dict[str, list[Target]] = {}
    for target in targets:
        groups.setdefault(target.operator, []).append(target)
    rounds = chain.from_iterable(zip_longest(*groups.values()))
    return [target for target in rounds if target is not None]


def _target(method: Method, anchor: Anchor) -> Target:
    return Target(method, anchor.address, operator=anchor.operator)


def _by_tcp(anchor: Anchor) -> Target:
    port = DNS_PORT if anchor.dns else HTTPS_PORT
    return Target(Method.TCP, anchor.address, operator=anchor.operator, port=port)
