"""The slow questions of one uplink: known names, the 204 page, its TLS twin.  Each takes seconds.

They run as tasks, one of a kind at a time.  A question that ran out of time because this box was
busy says so and accuses nobody.
"""

import asyncio
import secrets
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from edge_watchdog.clock import Clock
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import ALIVE, Finding, Layer, Sample
from edge_watchdog.core.units import Url
from edge_watchdog.probes.bind import Binding, can_leave, open_resolver, open_session, opener
from edge_watchdog.probes.book import OWN_DELAY_S
from edge_watchdog.probes.dns import NOERROR, NXDOMAIN, Answer, Question, question_of
from edge_watchdog.probes.http import TIMEOUT_S, Visit, secure_twin, visit_plain, visit_secure
from edge_watchdog.probes.lookup import Heard, ask, is_address
from edge_watchdog.probes.timetable import Rung

NAMES_S = 2.0  # a resolver with a cold cache may need more than one second
ROUNDS, ROUND_S = 3, 0.6  # another name while nobody answers: one packet or cold cache is no proof
RESOLVERS = 2  # so many of an uplink's own are asked
LAST_RESORT = "a.root-servers.net"  # a name to know when no page is configured
NOWHERE = ("0.", "127.")
CANARY_EVERY, CANARY_S = 30, 300.0  # one turn in so many, and no sooner than after so long
NO_NAME = "invalid"  # nothing below it exists: RFC 6761 section 6.4
# One turn in so many asks for a name nobody asked for before: a router answers known ones from what
# it kept, minutes after the provider's name service died.  Resolvers need ask nobody: same section.
NEW_EVERY, NEW_TURN = 5, 2
NEW_NAME = "(new name)"
ASTRAY_S = 10.0  # content networks lead elsewhere all day: no sooner than after so long again
PLACES = 256  # so many addresses of a name are remembered


@dataclass(frozen=True, slots=True)
class Plan:
    """What all uplinks are asked: pages, name servers in reserve, whom to trust."""

    web: tuple[Url, ...]
    reserve: tuple[str, ...]
    context: ssl.SSLContext

    @property
    def plain(self) -> tuple[Url, ...]:
        """Give the pages without TLS."""
        return tuple(url for url in self.web if urlsplit(url).scheme == "http")

    @property
    def names(self) -> tuple[Question, ...]:
        """Give the questions to which every resolver must know an answer."""
        hosts = dict.fromkeys(urlsplit(url).hostname or "" for url in self.web)
        names = [host for host in hosts if host and not is_address(host)]
        return tuple(question_of(host) for host in names or [LAST_RESORT])


class Errands:
    """Slow questions through one binding; close() it when the binding changes."""

    def __init__(self, binding: Binding, plan: Plan, clock: Clock) -> None:
        """Open nothing yet."""
        self._binding = binding
        self._plan = plan
        self._clock = clock
        self._resolver = open_resolver(binding, reserve=plan.reserve, clock=clock)
        self._session: aiohttp.ClientSession | None = None
        self._turns = dict.fromkeys(Rung, 0)
        self._canary_due = 0.0
        self._knows_new: set[str] = set()  # servers that can be asked for new names
        self._new_fails = False
        self._led: dict[str, set[str]] = {}
        self._astray, self._astray_due = False, 0.0
        self._running: dict[Rung, asyncio.Task[tuple[Sample, ...]]] = {}

    def start(self, rung: Rung) -> asyncio.Task[tuple[Sample, ...]] | None:
        """Start one errand; None if the last one of its kind is still out, or is not wanted."""
        work = {Rung.NAMES: self._names, Rung.WEB: self._web, Rung.SECURE: self._secure}.get(rung)
        last = self._running.get(rung)
        if work is None or (last is not None and not last.done()):
            return None
        task = asyncio.create_task(work(), name=f"{self._binding.uplink} {rung}")
        self._running[rung] = task
        return task

    async def close(self) -> None:
        """End what is out, and the session."""
        tasks = list(self._running.values())
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def take_astray(self) -> bool:
        """Tell once whether a name leads to where it never led: its page should be looked at."""
        astray, self._astray = self._astray, False
        return astray

    def _turn(self, rung: Rung) -> int:
        self._turns[rung] += 1
        return self._turns[rung] - 1

    async def _names(self) -> tuple[Sample, ...]:
        """Ask for one name, and for others while no server answers; all count from one instant.

        Now and then for a new one, and for nothing else while that fails.
        """
        names, turn, at = self._plan.names, self._turn(Rung.NAMES), self._clock.now()
        servers = self._binding.resolvers[:RESOLVERS]
        if turn % CANARY_EVERY == CANARY_EVERY - 1 and at.mono >= self._canary_due:
            self._canary_due = at.mono + CANARY_S
            found = await asyncio.gather(*(self._canary(server) for server in servers))
            return tuple(sample for sample in found if sample is not None)
        if self._new_fails or turn % NEW_EVERY == NEW_TURN:
            found = await asyncio.gather(*(self._new_name(server) for server in servers))
            told = tuple(sample for sample in found if sample is not None)
            self._new_fails = bool(told) and all(s.finding is not Finding.ANSWERED for s in told)
            if told:
                return told
        out: list[asyncio.Task[Sample]] = []
        async with asyncio.TaskGroup() as group:
            for number in range(ROUNDS if servers else 0):
                question = names[(turn + number) % len(names)]
                out += [group.create_task(self._name(at, one, question)) for one in servers]
                if await self._is_answered(out, ROUND_S):
                    break
        # what was answered comes last: the loss of an earlier round is no news then
        return tuple(sorted((task.result() for task in out), key=lambda sample: not sample.lost))

    async def _is_answered(self, asked: list[asyncio.Task[Sample]], within_s: float) -> bool:
        """Wait a while for any answer."""
        waiting, until = set(asked), self._clock.now().mono + within_s
        while (left_s := until - self._clock.now().mono) > 0:
            if not waiting:
                await asyncio.sleep(left_s)
                return False
            done, waiting = await asyncio.wait(
                waiting, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
            if any(task.result().finding in ALIVE for task in done):
                return True
        return False

    async def _name(self, at: Instant, server: str, question: Question) -> Sample:
        left = self._clock.now()
        timeout_s = max(NAMES_S - left.since(at), 0.0)
        heard = await ask(opener(self._binding), server, question, timeout_s=timeout_s)
        now = self._clock.now()
        target = f"dns {server} {question.name}"
        if heard.answer is None:
            visit = Visit(at, heard.finding, None, heard.detail)
            visit = _or_late(visit, now.since(left), timeout_s)
        else:
            finding, detail = self._judge(heard.answer)
            self._follow(question.name, heard.answer.addresses, now)
            visit = Visit(at, finding, now.since(left), detail)
        return self._sample(at, Layer.NAMES, target, visit)

    async def _canary(self, server: str) -> Sample | None:
        """Ask for a name that cannot exist; only a server that answers says anything by it."""
        heard, visit = await self._ask_for_nothing(server)
        if heard.answer is None:
            return None
        if heard.answer.rcode == NOERROR and heard.answer.addresses:
            words = f"an address for a name that does not exist ({heard.answer.addresses[0]})"
            visit = Visit(visit.at, Finding.FALSE_ANSWER, visit.rtt_s, words)
        return self._sample(visit.at, Layer.NAMES, f"dns {server} {NO_NAME}", visit)

    async def _new_name(self, server: str) -> Sample | None:
        """Ask for a name that cannot be known yet; None from a server that never could say no."""
        heard, visit = await self._ask_for_nothing(server)
        if heard.answer is not None and heard.answer.rcode in (NOERROR, NXDOMAIN):
            self._knows_new.add(server)
        elif server not in self._knows_new:
            return None
        elif heard.answer is not None:
            visit = Visit(visit.at, Finding.WRONG_ANSWER, visit.rtt_s, heard.answer.rcode_name)
        return self._sample(visit.at, Layer.NAMES, f"dns {server} {NEW_NAME}", visit)

    async def _ask_for_nothing(self, server: str) -> tuple[Heard, Visit]:
        """Ask for a name that nobody asked for before and that cannot exist."""
        at = self._clock.now()
        question = question_of(f"{secrets.token_hex(6)}.{NO_NAME}")
        heard = await ask(opener(self._binding), server, question, timeout_s=NAMES_S)
        took_s = self._clock.now().since(at)
        visit = Visit(at, heard.finding, took_s if heard.answer is not None else None, heard.detail)
        return heard, _or_late(visit, took_s, NAMES_S)

    def _follow(self, name: str, addresses: tuple[str, ...], now: Instant) -> None:
        """Forget what was looked up before when *name* leads to where it never led.

        A name server that lies sends every name to its own page; kept addresses would hide that.
        """
        led = self._led.setdefault(name, set())
        if led and led.isdisjoint(addresses) and addresses and now.mono >= self._astray_due:
            self._astray, self._astray_due = True, now.mono + ASTRAY_S
            self._resolver.forget()
        if len(led) > PLACES:
            led.clear()
        led.update(addresses)

    def _judge(self, answer: Answer) -> tuple[Finding, str]:
        if answer.rcode != NOERROR:
            return Finding.WRONG_ANSWER, answer.rcode_name
        if not answer.addresses:
            return Finding.WRONG_ANSWER, "no address"
        first = answer.addresses[0]
        if first == self._binding.gateway or first.startswith(NOWHERE):
            return Finding.FALSE_ANSWER, f"a false address ({first})"
        return Finding.ANSWERED, ""

    async def _web(self) -> tuple[Sample, ...]:
        pages = self._plan.plain
        if not pages:
            return ()
        url = pages[self._turn(Rung.WEB) % len(pages)]
        visit = self._own_fault() or await visit_plain(self._open(), url, clock=self._clock)
        return (self._page(f"http {urlsplit(url).hostname}", url, visit),)

    async def _secure(self) -> tuple[Sample, ...]:
        pages = self._plan.web
        if not pages:
            return ()
        url = pages[self._turn(Rung.SECURE) % len(pages)]
        visit = self._own_fault() or await visit_secure(self._open(), url, clock=self._clock)
        return (self._page(f"https {urlsplit(url).hostname}", secure_twin(url), visit),)

    def _own_fault(self) -> Visit | None:
        """Say NOT_ASKED when nothing could leave at all."""
        why = can_leave(self._binding)
        return None if why is None else Visit(self._clock.now(), Finding.NOT_ASKED, None, why)

    def _page(self, target: str, url: str, visit: Visit) -> Sample:
        took_s = self._clock.now().since(visit.at)
        visit = _or_late(visit, took_s, TIMEOUT_S)
        found = self._resolver.found(urlsplit(url).hostname or "")
        if found is not None and (found.reserve or found.stale) and not visit.detail:
            words = "name kept from before" if found.stale else "name by a reserve server"
            visit = Visit(visit.at, visit.finding, visit.rtt_s, words)
        return self._sample(visit.at, Layer.WEB, target, visit)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = open_session(
                self._binding, resolver=self._resolver, context=self._plan.context
            )
        return self._session

    def _sample(self, at: Instant, layer: Layer, target: str, visit: Visit) -> Sample:
        asked = visit.finding not in (Finding.NOT_ASKED, Finding.MISROUTED)
        return Sample(
            at=at,
            uplink=self._binding.uplink,
            layer=layer,
            target=target,
            sent=int(asked),
            lost=int(asked and visit.finding not in ALIVE),
            rtt_s=visit.rtt_s,
            finding=visit.finding,
            detail=visit.detail,
        )


def _or_late(visit: Visit, took_s: float, timeout_s: float) -> Visit:
    """Give *visit*, or say that this box was late where its silence lasted past *timeout_s*."""
    if visit.finding is Finding.SILENT and took_s > timeout_s + OWN_DELAY_S:
        return Visit(visit.at, Finding.NOT_ASKED, None, "this box was late")
    return visit
