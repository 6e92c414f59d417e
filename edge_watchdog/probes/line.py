"""The fast questions of one uplink: pulses, bursts and the gateway, by ICMP, DNS or TCP.

turn() does whatever is due: it reads what came, closes what is overdue, asks what is next.  It
never waits; who calls it, and when, is the sampler's business.
"""

import asyncio
import errno
from collections.abc import Callable

from edge_watchdog.clock import Clock
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Anchor, Finding, Layer, Sample
from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.asking import Asker, Method, Target
from edge_watchdog.probes.bind import Binding
from edge_watchdog.probes.book import Book
from edge_watchdog.probes.dns import Question
from edge_watchdog.probes.dns_asker import DnsAsker
from edge_watchdog.probes.icmp import open_icmp
from edge_watchdog.probes.rotation import Rotation
from edge_watchdog.probes.tcp import TcpAsker

REPEAT_S = 1.0  # "could not ask" is said this often at most, and sockets are rebuilt as often
# a device or an address that went; sockets bound to one that was replaced by its like stay deaf
GONE = frozenset({errno.ENODEV, errno.ENXIO, errno.EADDRNOTAVAIL, errno.ENETUNREACH})
NO_ICMP = "ICMP is not permitted here; using DNS and TCP"


class Line:
    """One uplink while it can be asked; close() it when its binding changes."""

    def __init__(
        self, binding: Binding, anchors: tuple[Anchor, ...], question: Question, clock: Clock
    ) -> None:
        """Open nothing yet."""
        self._binding = binding
        self._anchors = anchors
        self._question = question
        self._clock = clock
        self._book = Book(binding.uplink)
        self._askers: dict[Method, Asker] = {}
        self._readers: list[int] = []
        self._rotation = Rotation(anchors, icmp=True)
        self._said: dict[str, float] = {}
        self._reopen_at: float | None = None
        self.methods = "not asked yet"
        self.ready = False

    def open(self, on_ready: Callable[[], None]) -> None:
        """Open the sockets; *on_ready* is called when something can be read.

        What cannot be opened is tried again later, and told as NOT_ASKED meanwhile.
        """

        def wake() -> None:
            self.ready = True
            on_ready()

        loop = asyncio.get_running_loop()
        self._reopen_at = None
        try:
            icmp = open_icmp(self._binding)
            if icmp is not None:
                self._askers[Method.ICMP] = icmp
                loop.add_reader(icmp.fileno(), wake)
                self._readers.append(icmp.fileno())
            dns = DnsAsker(self._binding, self._question)
            self._askers[Method.DNS] = dns
            loop.add_reader(dns.fileno(), wake)
            self._readers.append(dns.fileno())
        except ProbeError as error:
            self.close()
            self.methods = str(error)
            self._reopen_at = self._clock.now().mono + REPEAT_S
            return
        if icmp is None:
            self._askers[Method.TCP] = TcpAsker(self._binding, wake)
        self._rotation = Rotation(self._anchors, icmp=icmp is not None)
        self.methods = NO_ICMP if icmp is None else f"{icmp.method}, and DNS"

    def close(self) -> None:
        """Close the sockets; open questions are given up without a verdict."""
        loop = asyncio.get_running_loop()
        for descriptor in self._readers:
            loop.remove_reader(descriptor)
        self._readers.clear()
        for asker in self._askers.values():
            asker.close()
        self._askers.clear()
        self._book = Book(self._binding.uplink)

    def settle(self, on_ready: Callable[[], None]) -> list[Sample]:
        """Read what came, then close what is overdue; reopen the sockets if that is due."""
        now = self._clock.now()
        self.ready = False
        samples = self._hear()
        expired, forgotten = self._book.expire(now)
        for number in forgotten:
            for asker in self._askers.values():
                asker.forget(number)
        if self._reopen_at is not None and now.mono >= self._reopen_at:
            self.close()
            self.open(on_ready)
        return [*samples, *expired]

    def pulse(self, avoid: frozenset[str]) -> list[Sample]:
        """Ask the next anchor; give samples only for what could not be asked."""
        target = self._rotation.pulse(avoid)
        return [] if target is None else self._ask([target])

    def burst(self, tick: int) -> list[Sample]:
        """Ask every anchor and the gateway; give samples only for what could not be asked."""
        samples = self._ask(self._rotation.burst(tick))
        return samples + self.gateway()

    def gateway(self) -> list[Sample]:
        """Ask the gateway, if there is one; give a sample only if it could not be asked."""
        address = self._binding.gateway
        if address is None:
            return []
        method = Method.DNS if Method.TCP in self._askers else Method.ICMP
        return self._ask([Target(method, address, Layer.GATEWAY)])

    def next_due(self) -> float:
        """Give when settle() has something to do even if nothing comes; infinity if never."""
        due = self._book.next_due()
        return due if self._reopen_at is None else min(due, self._reopen_at)

    def misrouted(self, now: Instant) -> list[Sample]:
        """Give one MISROUTED sample per anchor."""
        why = "would leave by another link"
        targets = [t for t in self._rotation.targets if t.method is not Method.DNS]
        return [self._unasked(t, now, Finding.MISROUTED, why) for t in targets]

    def _hear(self) -> list[Sample]:
        samples = []
        for asker in self._askers.values():
            for heard in asker.receive():
                sample = self._book.hear(heard, self._clock.now())
                if sample is not None:
                    samples.append(sample)
        return samples

    def _ask(self, targets: list[Target]) -> list[Sample]:
        samples = []
        for target in targets:
            sample = self._ask_one(target)
            if sample is not None:
                samples.append(sample)
        return samples

    def _ask_one(self, target: Target) -> Sample | None:
        asker = self._askers.get(target.method)
        now = self._clock.now()
        if asker is None:
            sample = self._unasked(target, now, Finding.NOT_ASKED, self.methods)
            return sample if self._is_news(target, now) else None
        number = self._book.enter(target, now)
        try:
            asker.ask(target, number)
        except ProbeError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in GONE and self._reopen_at is None:
                self._reopen_at = now.mono + REPEAT_S
            sample = self._book.withdraw(number, str(error))
            return sample if self._is_news(target, now) else None
        return None

    def _is_news(self, target: Target, now: Instant) -> bool:
        last = self._said.get(target.label)
        if last is not None and now.mono - last < REPEAT_S:
            return False
        self._said[target.label] = now.mono
        return True

    def _unasked(self, target: Target, now: Instant, finding: Finding, why: str) -> Sample:
        return Sample(
            at=now,
            uplink=self._binding.uplink,
            layer=target.layer,
            target=target.label,
            sent=0,
            lost=0,
            operator=target.operator,
            finding=finding,
            detail=why,
        )
