"""The Unix socket between the halves: framed, typed, versioned, bounded.

watch -> desk: StudioView, History, FetchSchedule, Heartbeat.  desk -> watch: CacheReport,
Acknowledge, Order.  A frame is its length in four bytes, big end first, and a JSON object
{"v": 1, "message": codec's data}.  The rule: a bad peer costs its own connection and nothing else;
nothing queues without bound, and no client's name passes.
"""

import asyncio
import contextlib
import json
import logging
import socket
import stat
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_watchdog.clock import Clock
from edge_watchdog.core.actions import FetchSchedule
from edge_watchdog.core.codec import decode_one_of, encode
from edge_watchdog.core.events import OrderKind
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import CacheReport
from edge_watchdog.core.view import History, StudioView

VERSION = 1
LIMIT_BYTES = 1 << 20
LIMIT_TO_WATCH_BYTES = 1 << 16  # orders are short; the desk half listens on a network
HEARTBEAT_S = 5.0
SILENCE_S = 3 * HEARTBEAT_S  # the client takes the link for lost
STUCK_S = 10.0  # a peer that takes no byte, or does not finish its frame, for this long is dropped
PACE_S = 0.02  # between two messages of one client: a flood must not delay a probe
CLIENTS = 8
ORDERS = 32  # waiting at the client
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2.0

log = logging.getLogger(__name__)


class BridgeError(Exception):
    """The other half cannot be reached or does not speak our language; the message says why."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The watch half is alive."""

    at: Instant


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody at the desk says "got it"; *by* is what they typed, at most 80 characters."""

    incident: int
    by: str

    def __post_init__(self) -> None:
        """Refuse what would spoil a log or a page; raises ValueError."""
        _check_text("by", self.by, 80)


@dataclass(frozen=True, slots=True)
class Order:
    """A person overrides the choice of uplink; *reason* is at most 200 characters."""

    kind: OrderKind
    uplink: str | None
    for_s: float
    reason: str
    by: str = ""

    def __post_init__(self) -> None:
        """Refuse what would spoil a log or a page; raises ValueError."""
        _check_text("by", self.by, 80)
        _check_text("reason", self.reason, 200)
        _check_text("uplink", self.uplink or "", 80)
        if not 0 <= self.for_s <= 7 * 86400:
            raise ValueError("for_s: expected 0 to a week, in seconds")


ToDesk = StudioView | History | FetchSchedule | Heartbeat
ToWatch = CacheReport | Acknowledge | Order


def _check_text(name: str, text: str, longest: int) -> None:
    if len(text) > longest or not text.isprintable():
        raise ValueError(f"{name}: expected at most {longest} printable characters")


def pack(message: ToDesk | ToWatch) -> bytes:
    """Give the frame of *message*; raises BridgeError when it would be too long."""
    data = {"v": VERSION, "message": encode(message)}
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    if len(body) > LIMIT_BYTES:
        raise BridgeError(f"a {type(message).__name__} of {len(body)} bytes does not fit a frame")
    return struct.pack(">I", len(body)) + body


def unpack(body: bytes, kinds: object) -> object:
    """Build the message in *body*, one of *kinds* (ToDesk, ToWatch); raises BridgeError."""
    try:
        data = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BridgeError("not a JSON frame") from error
    if not isinstance(data, dict) or data.get("v") != VERSION:
        found = data.get("v") if isinstance(data, dict) else None
        raise BridgeError(
            f"the other half speaks version {str(found)[:20]}, this one {VERSION};"
            " install the same version of both"
        )
    try:
        return decode_one_of(kinds, data.get("message"))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        # where and what was expected, but not what was found: it may be anything
        place = " ".join(str(error).partition(", found")[0].split())[:120]
        raise BridgeError(f"not a message: {place}") from error


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


async def read_message(
    reader: asyncio.StreamReader, kinds: object, limit_bytes: int = LIMIT_BYTES
) -> object:
    """Read one frame and build its message.

    Raises EOFError when the peer closed between two frames, BridgeError when it broke the format,
    TimeoutError when it does not finish a frame it began.
    """
    head = await reader.read(1)
    if not head:
        raise EOFError
    try:
        async with asyncio.timeout(STUCK_S):
            head += await reader.readexactly(3)
            body = await reader.readexactly(_length(head, limit_bytes))
    except asyncio.IncompleteReadError as error:
        raise BridgeError("the peer closed in the middle of a frame") from error
    return unpack(body, kinds)


def _length(head: bytes, limit_bytes: int) -> int:
    (length,) = struct.unpack(">I", head)
    if length > limit_bytes:
        raise BridgeError(f"a frame of {length} bytes, at most {limit_bytes} are allowed")
    return int(length)


async def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(frame)
    async with asyncio.timeout(STUCK_S):
        await writer.drain()


@contextlib.asynccontextmanager
async def _streams(
    peer: socket.socket,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Make streams of a connected socket; drain() waits until every byte has left."""
    with peer:
        reader, writer = await asyncio.open_unix_connection(sock=peer)
        writer.transport.set_write_buffer_limits(high=0)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


async def _connect(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX)
    peer.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(peer, str(path))
    except BaseException:
        peer.close()
        raise
    return peer


async def _together(*works: Coroutine[None, None, None]) -> None:
    """Run *works* until one of them raises, and raise that.

    A TaskGroup of Python 3.11 forgets a cancellation that comes together with an error.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Slots:
    """What one client is still to be told: the newest message of each type, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[type, ToDesk] = {}
        self._something = asyncio.Event()

    def put(self, message: ToDesk) -> None:
        self._waiting[type(message)] = message
        self._something.set()

    async def take(self) -> ToDesk:
        await self._something.wait()
        message = self._waiting.pop(next(iter(self._waiting)))
        if not self._waiting:
            self._something.clear()
        return message


class BridgeServer:
    """The watch half's end.  show(), tell() and ask_fetch() only leave the message and return."""

    def __init__(
        self,
        path: Path,
        *,
        allowed_uids: frozenset[int],
        on_message: Callable[[ToWatch], None],
        clock: Clock,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._path = path
        self._allowed = allowed_uids
        self._on_message = on_message
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._last: dict[type, ToDesk] = {}
        self._clients: set[_Slots] = set()
        self._refused: set[int] = set()

    @property
    def connected(self) -> int:
        """How many clients there are now."""
        return len(self._clients)

    def show(self, view: StudioView) -> None:
        """Tell every client; new ones get the last view at once."""
        self._last[StudioView] = view
        self._tell_all(view)

    def tell(self, history: History) -> None:
        """Tell every client; new ones get the last history at once."""
        self._last[History] = history
        self._tell_all(history)

    def ask_fetch(self, action: FetchSchedule) -> None:
        """Ask every client there is now; several requests not yet passed on count as one."""
        self._tell_all(action)

    def _tell_all(self, message: ToDesk) -> None:
        for slots in self._clients:
            slots.put(message)

    async def run(self) -> None:
        """Serve for ever.  Raises BridgeError when another program serves this path."""
        loop = asyncio.get_running_loop()
        with _listening(self._path) as listener:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat())
                while True:
                    peer, _ = await loop.sock_accept(listener)
                    if self._welcome(peer):
                        group.create_task(self._serve(peer))
                    else:
                        peer.close()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            self._tell_all(Heartbeat(self._clock.now()))

    def _welcome(self, peer: socket.socket) -> bool:
        cred = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, uid, _ = struct.unpack("3i", cred)
        if uid not in self._allowed:
            if uid not in self._refused:
                log.warning("bridge: user %d may not connect, refused", uid)
            self._refused.add(uid)
            return False
        if len(self._clients) >= CLIENTS:
            log.warning("bridge: more than %d clients, refused", CLIENTS)
            return False
        return True

    async def _serve(self, peer: socket.socket) -> None:
        slots = _Slots()
        for message in (Heartbeat(self._clock.now()), *self._last.values()):
            slots.put(message)
        self._clients.add(slots)
        try:
            async with _streams(peer) as (reader, writer):
                await _together(self._listen(reader), _speak(writer, slots))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            log.debug("bridge: client left")
        except (BridgeError, OSError) as error:
            log.warning("bridge: client dropped: %s", str(error) or "it does not read")
        finally:
            self._clients.discard(slots)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            message = await read_message(reader, ToWatch, LIMIT_TO_WATCH_BYTES)
            if isinstance(message, ToWatch):
                self._on_message(message)
            await asyncio.sleep(PACE_S)


async def _speak(writer: asyncio.StreamWriter, slots: _Slots) -> None:
    while True:
        try:
            frame = pack(await slots.take())
        except BridgeError as error:
            log.error("bridge: not sent: %s", error)  # noqa: TRY400 - no traceback: it says all
            continue
        await _write(writer, frame)


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """Listen on *path* with mode 0660; a dead server's socket is replaced, a live one's never."""
    _refuse_if_live(path)
    fresh = path.with_name(path.name + ".new")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.setblocking(False)
        try:
            fresh.unlink(missing_ok=True)
            listener.bind(str(fresh))
            fresh.chmod(0o660)
            listener.listen(CLIENTS)
            ours = fresh.stat().st_ino
            fresh.rename(path)  # at no time does a socket with a wrong mode stand on the path
        except OSError as error:
            raise BridgeError(f"cannot listen on {path}: {error}") from error
        try:
            yield listener
        finally:
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == ours:
                    path.unlink()


def _refuse_if_live(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise BridgeError(f"{path} is in the way: it is not a socket")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            probe.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return  # nobody listens there
    except BlockingIOError:
        pass  # somebody does, and is too busy to accept
    raise BridgeError(f"another edge-watchdog already serves {path}; stop it first")


class BridgeClient:
    """The desk half's end.  *on_lost* is called once each time the watch half goes away."""

    def __init__(
        self,
        path: Path,
        on_message: Callable[[ToDesk], None],
        *,
        clock: Clock,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._on_message = on_message
        self._on_lost = on_lost
        self._clock = clock
        self._reports: dict[str, CacheReport] = {}
        self._waiting: deque[ToWatch] = deque()
        self._something = asyncio.Event()
        self._trouble = ""
        self.connected = False
        self.heard: Instant | None = None  # when the watch half last said anything

    def send(self, message: ToWatch) -> bool:
        """Pass *message* on soon; False when it was dropped: not connected, or too many wait.

        The newest CacheReport of each source is kept and said again after every reconnect.  Orders
        never outlive the connection: an order that acts minutes later would surprise everybody.
        """
        if isinstance(message, CacheReport):
            self._reports[message.source] = message
        if not self.connected or len(self._waiting) >= ORDERS:
            return False
        self._waiting.append(message)
        self._something.set()
        return True

    async def run(self) -> None:
        """Stay connected for ever; tries again after 0.2 s, doubling to 2 s."""
        pause_s = FIRST_PAUSE_S
        while True:
            if await self._talk_once():
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _talk_once(self) -> bool:
        """Connect and talk until the link is lost; tell whether anything was heard."""
        trouble = ""
        try:
            async with _streams(await _connect(self._path)) as (reader, writer):
                await _together(self._listen(reader), self._speak(writer))
        except EOFError:
            trouble = "it closed the connection"
        except (FileNotFoundError, ConnectionRefusedError):
            trouble = "it is not running"
        except TimeoutError:
            trouble = "it is silent"
        except (BridgeError, OSError) as error:
            trouble = str(error)
        finally:
            heard = self._hang_up()
        if heard or trouble != self._trouble:  # once, not every two seconds
            log.warning("bridge: no link to the watch half: %s", trouble)
        self._trouble = trouble
        return heard

    def _hang_up(self) -> bool:
        was_connected, self.connected = self.connected, False
        self._waiting.clear()
        if was_connected:
            self._on_lost()
        return was_connected

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            async with asyncio.timeout(SILENCE_S):
                message = await read_message(reader, ToDesk)
            self.heard = self._clock.now()
            if not self.connected:  # a connection that is refused is closed without a word
                self.connected = True
                self._waiting.extend(self._reports.values())
                self._something.set()
            if isinstance(message, ToDesk):
                self._on_message(message)

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._waiting:
                await _write(writer, pack(self._waiting.popleft()))


def read_once(path: Path, timeout_s: float) -> StudioView:
    """Ask the watch half for its present view; blocks.  Raises BridgeError saying what is wrong."""
    try:
        return asyncio.run(asyncio.wait_for(_first_view(path), timeout_s))
    except TimeoutError as error:
        raise BridgeError(
            f"the watch half at {path} gave no view within {timeout_s:g} s"
        ) from error
    except PermissionError as error:
        raise BridgeError(f"no permission to use {path}; try as root") from error
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise BridgeError(f"the watch half is not running (nobody serves {path})") from error
    except (EOFError, OSError) as error:
        raise BridgeError(f"the watch half at {path} hung up; try as root") from error


async def _first_view(path: Path) -> StudioView:
    async with _streams(await _connect(path)) as (reader, _):
        while True:
            message = await read_message(reader, ToDesk)
            if isinstance(message, StudioView):
                return message
