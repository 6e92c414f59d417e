"""Who may see what: people who sign in, devices that were paired, and sessions that end.

Secrets, tokens and codes as they were typed or sent go in, people and devices come out; what is
kept is hashes.  The rule: nothing here is cheaper for a wrong guess than for a right one, and what
was taken away is gone at once.
"""

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from edge_watchdog.clock import Clock
from edge_watchdog.daybook.audit import Audit, Look
from edge_watchdog.daybook.people_file import (
    Device,
    PeopleFile,
    Person,
    Role,
    Session,
)
from edge_watchdog.daybook.privacy import plain
from edge_watchdog.daybook.secret import (
    Cost,
    WeakSecretError,
    bare_code,
    check_password,
    check_pin,
    digest_of,
    hashed,
    matches,
    new_code,
)
from edge_watchdog.daybook.tries import Lock, Try, fresh, wait_s

OWNER = "Owner"
PAIRING_S = 600.0
IDLE_S = 300.0
DAY_ENDS_AT = time(4)
CLOCK_BACK_S = 3600.0
SEEN_STEP_S = 3600.0
NAME_CHARS = 40
MOST_PEOPLE, MOST_DEVICES, MOST_PAIRINGS = 200, 200, 20
NOT_RIGHT = "That is not right."
CODE_NOT_RIGHT = "That code is not right, or its time is over. Please get a new one."


class RefusedError(Exception):
    """Not allowed, or not possible; the message says why in plain words."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Numbers and the zone: *cost* is what a guess costs us and everybody else."""

    zone: str
    cost: Cost = field(default_factory=Cost)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from; *address* is an address of the LAN.

    *device* is None when it is not paired; *secure*: nobody else can read the connection.
    *session* is the token it already has, "" without one: it ends when another begins.
    """

    address: str
    device: Device | None = None
    secure: bool = False
    session: str = ""

    @property
    def source(self) -> str:
        """Name what is counted when it guesses wrong."""
        return f"device {self.device.id}" if self.device else self.address


class People:
    """Everybody and everything known.  Use from one event loop only; open() first."""

    def __init__(self, file: PeopleFile, clock: Clock, rules: Rules) -> None:
        self._file = file
        self._clock = clock
        self._rules = rules
        self._one_at_a_time = asyncio.Lock()
        self._people: dict[int, Person] = {}
        self._devices: dict[int, Device] = {}
        self._sessions: dict[str, Session] = {}
        self._pairings: dict[str, tuple[str, float]] = {}
        self._active: dict[str, float] = {}
        self._seen: dict[int, float] = {}
        self._tries: tuple[Try, ...] = ()
        self.changed: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Take up what was kept; raises DaybookError."""
        kept = await asyncio.to_thread(self._file.everything)
        self._people = {one.id: one for one in kept.people}
        self._devices = {one.id: one for one in kept.devices}
        self._sessions = {one.token: one for one in kept.sessions}
        self._tries = kept.tries

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # what is there

    @property
    def owner(self) -> Person | None:
        """Give the owner, None before the first set-up."""
        return next((one for one in self._people.values() if one.role is Role.OWNER), None)

    @property
    def staff(self) -> tuple[Person, ...]:
        """Give the team, by name."""
        found = (one for one in self._people.values() if one.role is Role.STAFF)
        return tuple(sorted(found, key=lambda one: one.name.casefold()))

    @property
    def devices(self) -> tuple[Device, ...]:
        """Give the paired devices, the newest last."""
        return tuple(
            replace(one, seen_wall=self._seen.get(one.id, one.seen_wall))
            for one in self._devices.values()
        )

    def device_of(self, token: str) -> Device | None:
        """Give the device that shows *token*."""
        digest = digest_of(token)
        found = next((one for one in self._devices.values() if one.token == digest), None)
        if found is not None:
            self._seen[found.id] = self._clock.now().wall
        return found

    def session_of(self, token: str, *, secure: bool) -> tuple[Session, Person] | None:
        """Give the session that shows *token*, if it holds; a plain one is none when *secure*."""
        one = self._sessions.get(digest_of(token))
        if one is None or (secure and not one.secure):
            return None
        wall = self._clock.now().wall
        person = self._people.get(one.person_id)
        gone = one.device_id is not None and one.device_id not in self._devices
        in_time = one.began_wall - CLOCK_BACK_S <= wall < one.ends_wall
        return (one, person) if person is not None and in_time and not gone else None

    def is_locked(self, session: Session) -> bool:
        """Tell whether private details are locked: nobody has done anything for five minutes."""
        last = self._active.get(session.token)
        return last is None or self._clock.now().mono - last > IDLE_S

    def touch(self, session: Session) -> None:
        """Somebody did something; this does not unlock."""
        if not self.is_locked(session):
            self._active[session.token] = self._clock.now().mono

    # signing in and out

    async def set_up(
        self, taken: Callable[[str], bool], code: str, password: str, by: Visitor
    ) -> str:
        """Set the owner's password with a setup code; gives the token of their session.

        *taken* tells, once and blocking, whether a code holds.  Raises RefusedError, DaybookError.
        """
        secret = _checked(check_password, password)

        async def holds() -> bool:
            return await asyncio.to_thread(taken, bare_code(code))

        await self._guess(Lock.CODE, by, holds, CODE_NOT_RIGHT)
        return await self._session(await self._put_person(OWNER, Role.OWNER, secret), by)

    async def sign_in_owner(self, password: str, by: Visitor) -> str:
        """Begin a session of the owner; gives its token.  Raises RefusedError, DaybookError."""
        if self.owner is None:
            raise RefusedError("The box is not set up yet.")
        person = self.owner
        await self._guess(Lock.PASSWORD, by, self._is_secret(person, password), NOT_RIGHT)
        return await self._session(person, by)

    async def sign_in(self, person_id: int, pin: str, by: Visitor) -> str:
        """Begin a team member's session on a paired device; raises RefusedError, DaybookError."""
        person = self._people.get(person_id)
        if by.device is None or person is None or person.role is not Role.STAFF:
            raise RefusedError("Please choose your name.")
        await self._guess(Lock.PIN, by, self._is_secret(person, pin), NOT_RIGHT)
        return await self._session(person, by)

    async def unlock(self, session: Session, secret: str, by: Visitor) -> None:
        """Show private details again; raises RefusedError, DaybookError."""
        person = self._people[session.person_id]
        lock = Lock.PASSWORD if person.role is Role.OWNER else Lock.PIN
        await self._guess(lock, by, self._is_secret(person, secret), NOT_RIGHT)
        self._active[session.token] = self._clock.now().mono

    async def sign_out(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.token, None)
        self.changed()
        await asyncio.to_thread(self._file.drop_session, session.token)

    # what the owner does

    async def put_person(self, name: str, pin: str) -> Person:
        """Add a team member, or give them another PIN: their sessions end.  Raises RefusedError."""
        name = plain(name, NAME_CHARS)
        if not name or name.casefold() == OWNER.casefold():
            raise RefusedError("Please give a name.")
        same = [one for one in self.staff if one.name.casefold() == name.casefold()]
        if not same and len(self._people) >= MOST_PEOPLE:
            raise RefusedError("There are too many names already.")
        name = same[0].name if same else name
        return await self._put_person(name, Role.STAFF, _checked(check_pin, pin))

    async def change_password(self, old: str, new: str, by: Visitor) -> str:
        """Give the owner another password; every session of theirs ends, a new one begins."""
        if self.owner is None:
            raise RefusedError("The box is not set up yet.")
        secret = _checked(check_password, new)
        is_old = self._is_secret(self.owner, old)
        await self._guess(Lock.PASSWORD, by, is_old, "The present password is not right.")
        return await self._session(await self._put_person(OWNER, Role.OWNER, secret), by)

    async def drop_person(self, person_id: int) -> Person:
        """Forget a team member; their sessions end.  Raises RefusedError."""
        person = self._people.get(person_id)
        if person is None or person.role is not Role.STAFF:
            raise RefusedError("That name is not there any more.")
        await asyncio.to_thread(self._file.drop_person, person_id)
        self._people.pop(person_id, None)
        self._end_sessions(lambda one: one.person_id == person_id)
        return person

    def begin_pairing(self, device_name: str) -> str:
        """Give a code that pairs one device within ten minutes; raises RefusedError."""
        name = plain(device_name, NAME_CHARS)
        if not name:
            raise RefusedError("Please give the device a name, such as: front desk.")
        now = self._clock.now().mono
        self._pairings = {code: kept for code, kept in self._pairings.items() if now < kept[1]}
        if len(self._pairings) >= MOST_PAIRINGS or len(self._devices) >= MOST_DEVICES:
            raise RefusedError("There are too many devices or codes. Please remove some first.")
        code = new_code()
        self._pairings[digest_of(bare_code(code))] = (name, now + PAIRING_S)
        return code

    async def pair(self, code: str, by: Visitor) -> str:
        """Pair the visitor's device; gives its token.  Raises RefusedError, DaybookError."""
        found: list[str] = []

        async def holds() -> bool:
            kept = self._pairings.pop(digest_of(bare_code(code)), None)
            if kept is not None and self._clock.now().mono < kept[1]:
                found.append(kept[0])
            return bool(found)

        await self._guess(Lock.CODE, by, holds, CODE_NOT_RIGHT)
        return await self.pair_as(found[0])

    async def pair_as(self, device_name: str) -> str:
        """Make a device known by name; gives the token it keeps.  Raises RefusedError."""
        name = plain(device_name, NAME_CHARS)
        if not name or len(self._devices) >= MOST_DEVICES:
            raise RefusedError("Please give the device a name, such as: front desk.")
        token = secrets.token_urlsafe(32)
        wall = self._clock.now().wall
        device = await asyncio.to_thread(self._file.put_device, name, digest_of(token), wall)
        self._devices[device.id] = device
        return token

    async def revoke(self, device_id: int) -> Device:
        """Forget a device; sessions on it end at once.  Raises RefusedError."""
        device = self._devices.pop(device_id, None)
        if device is None:
            raise RefusedError("That device is not there any more.")
        self._end_sessions(lambda one: one.device_id == device_id)
        await asyncio.to_thread(self._file.drop_device, device_id)
        return device

    # the record

    async def note(self, look: Look) -> None:
        """Append to the audit; raises DaybookError."""
        await asyncio.to_thread(self._file.note, self._clock.now().wall, look)

    async def audit(self) -> Audit:
        """Give the audit; raises DaybookError."""
        return await asyncio.to_thread(self._file.audit)

    async def tidy(self) -> None:
        """Forget what is over; now and then.  Raises DaybookError."""
        wall = self._clock.now().wall
        over = {token for token, one in self._sessions.items() if one.ends_wall <= wall}
        self._end_sessions(lambda one: one.token in over)
        async with self._one_at_a_time:
            self._tries = fresh(self._tries, wall)
            await asyncio.to_thread(self._file.tidy, wall, self._tries)
        seen = [
            (self._seen[one.id], one.id)
            for one in self._devices.values()
            if self._seen.get(one.id, 0.0) - one.seen_wall > SEEN_STEP_S
        ]
        await asyncio.to_thread(self._file.see_devices, seen)

    # inside

    async def _guess(
        self, lock: Lock, by: Visitor, is_right: Callable[[], Awaitable[bool]], words: str
    ) -> None:
        """Raise RefusedError unless *is_right*; a try is counted before it is looked at."""
        async with self._one_at_a_time:
            wall = self._clock.now().wall
            left_s = wait_s(self._tries, lock, by.source, wall)
            if left_s > 0:
                minutes = math.ceil(left_s / 60)
                unit = "minute" if minutes == 1 else "minutes"
                raise RefusedError(f"Too many tries. Please wait {minutes} {unit} and try again.")
            one = Try(wall, lock, by.source)
            self._tries = (*fresh(self._tries, wall), one)
            await asyncio.to_thread(self._file.put_try, one)
            if not await is_right():
                raise RefusedError(words)
            kept = list(self._tries)
            kept.remove(one)
            self._tries = tuple(kept)
            await asyncio.to_thread(self._file.drop_try, one)

    def _is_secret(self, person: Person, secret: str) -> Callable[[], Awaitable[bool]]:
        async def is_right() -> bool:
            return await asyncio.to_thread(matches, secret[:1000], person.secret)

        return is_right

    async def _put_person(self, name: str, role: Role, secret: str) -> Person:
        async with self._one_at_a_time:
            line = await asyncio.to_thread(hashed, secret, self._rules.cost)
            person = await asyncio.to_thread(self._file.put_person, name, role, line)
        self._people[person.id] = person
        self._end_sessions(lambda one: one.person_id == person.id)
        return person

    async def _session(self, person: Person, by: Visitor) -> str:
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        one = Session(
            digest_of(token),
            person.id,
            by.device.id if by.device else None,
            by.secure,
            now.wall,
            day_end(now.wall, self._rules.zone),
        )
        before = digest_of(by.session)
        await asyncio.to_thread(self._file.put_session, one, before)
        self._end_sessions(lambda old: old.token == before)
        self._sessions[one.token] = one
        self._active[one.token] = now.mono
        return token

    def _end_sessions(self, which: Callable[[Session], bool]) -> None:
        for token in [token for token, one in self._sessions.items() if which(one)]:
            del self._sessions[token]
            self._active.pop(token, None)
        self.changed()


def day_end(wall: float, zone: str) -> float:
    """Give when the working day ends: the next 04:00 in *zone*."""
    local = datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days=local.time() >= DAY_ENDS_AT)
    return datetime.combine(day, DAY_ENDS_AT, ZoneInfo(zone)).timestamp()


def _checked(check: Callable[[str], str], secret: str) -> str:
    try:
        return check(secret)
    except WeakSecretError as error:
        raise RefusedError(str(error)) from None
