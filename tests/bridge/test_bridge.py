import asyncio
import json
import os
import socket
import stat
import struct
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_watchdog import bridge
from edge_watchdog.bridge import (
    Acknowledge,
    BridgeClient,
    BridgeError,
    BridgeServer,
    Heartbeat,
    Order,
    ToDesk,
    ToWatch,
    pack,
    read_message,
    read_once,
    unpack,
)
from edge_watchdog.core.actions import FetchSchedule
from edge_watchdog.core.events import OrderKind
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import CacheReport, Health, Mode
from edge_watchdog.core.view import Banner, History, Standing, Stretch, StudioView
from tests.patience import soon

T0 = Instant(100.0, 1.7e9)
US = frozenset({os.getuid()})


class Clock:
    def now(self):
        return T0


def view_named(headline):
    banner = Banner(Standing.NORMAL, "none", headline, "yes", "nothing")
    return StudioView(T0, "0.1", Mode.SELF, "settled", "a", "a", banner, ())


def report(count, source="front desk"):
    return CacheReport(T0, source, count, None, None)


HISTORY = History((Stretch("a", 1.0, 300.0, Health.UP, active=True),))
ORDER = Order(OrderKind.USE, "phone", 600.0, "testing")


@asynccontextmanager
async def running(*works):
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


class Ends:
    """A server and a client on one path, and what each has heard."""

    def __init__(self, path, uids=US, heartbeat_s=5.0):
        self.path = path
        self.heard_by_watch: list[ToWatch] = []
        self.heard_by_desk: list[ToDesk] = []
        self.lost = 0
        self.server = self.new_server(uids, heartbeat_s)
        self.client = BridgeClient(
            path, self.heard_by_desk.append, clock=Clock(), on_lost=self.on_lost
        )

    def new_server(self, uids=US, heartbeat_s=5.0):
        return BridgeServer(
            self.path, allowed_uids=uids, on_message=self.heard_by_watch.append, clock=Clock(),
            heartbeat_s=heartbeat_s,
        )  # fmt: skip

    def on_lost(self):
        self.lost += 1

    def told(self, kind):
        return [message for message in self.heard_by_desk if isinstance(message, kind)]


@pytest.fixture
def ends(tmp_path):
    return Ends(tmp_path / "bridge.sock")


async def test_a_new_client_gets_the_last_view_and_history_at_once(ends):
    ends.server.show(view_named("old"))
    ends.server.show(view_named("new"))
    ends.server.tell(HISTORY)
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: ends.told(History))
    assert [v.banner.headline for v in ends.told(StudioView)] == ["new"]
    assert ends.told(History) == [HISTORY]
    assert ends.client.heard == T0


async def test_both_halves_hear_each_other(ends):
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: ends.client.connected)
        ends.server.ask_fetch(FetchSchedule(7, "back online"))
        assert ends.client.send(report(41))
        assert ends.client.send(Acknowledge(3, "Anna B."))
        assert ends.client.send(ORDER)
        await soon(lambda: len(ends.heard_by_watch) == 3 and ends.told(FetchSchedule))
    assert ends.heard_by_watch == [report(41), Acknowledge(3, "Anna B."), ORDER]


async def test_the_client_comes_back_when_the_server_does(ends):
    async with running(ends.client.run()):
        async with running(ends.server.run()):
            await soon(lambda: ends.client.connected)
        await soon(lambda: ends.lost == 1)
        assert not ends.client.connected
        ends.server = ends.new_server()
        async with running(ends.server.run()):
            await soon(lambda: ends.client.connected)
    assert ends.lost == 2


async def test_only_the_newest_report_outlives_the_connection(ends):
    assert not ends.client.send(report(1))
    assert not ends.client.send(report(2))
    assert not ends.client.send(report(9, "spa"))
    assert not ends.client.send(ORDER)
    assert not ends.client.send(Acknowledge(1, "A"))
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: len(ends.heard_by_watch) == 2)
        assert ends.client.send(ORDER)
        await soon(lambda: len(ends.heard_by_watch) == 3)
    assert ends.heard_by_watch == [report(2), report(9, "spa"), ORDER]


async def test_a_client_that_is_stopped_while_the_link_breaks_does_stop(ends):
    async with running(ends.client.run()) as (client,):
        async with running(ends.server.run()):
            await soon(lambda: ends.client.connected)
        client.cancel()
        async with asyncio.timeout(20):
            await asyncio.wait([client])


async def test_orders_that_do_not_leave_are_bounded(ends):
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: ends.client.connected)
        taken = [ends.client.send(ORDER) for _ in range(200)]
    assert taken.count(True) == bridge.ORDERS


async def test_heartbeats_come_in_time(tmp_path):
    ends = Ends(tmp_path / "b", heartbeat_s=0.01)
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: len(ends.told(Heartbeat)) > 3)


async def test_strangers_are_dropped_and_logged_once(tmp_path, caplog):
    ends = Ends(tmp_path / "b", uids=frozenset({4242}))
    async with running(ends.server.run()):
        await soon(ends.path.exists)
        for _ in range(3):
            reader, writer = await asyncio.open_unix_connection(str(ends.path))
            assert await reader.read() == b""
            writer.close()
        with pytest.raises(BridgeError, match="hung up"):
            await asyncio.to_thread(read_once, ends.path, 2)
    assert caplog.text.count("may not connect") == 1
    assert ends.server.connected == 0


async def test_more_clients_than_allowed_are_refused(ends):
    async with running(ends.server.run()):
        await soon(ends.path.exists)
        streams = [
            await asyncio.open_unix_connection(str(ends.path)) for _ in range(bridge.CLIENTS)
        ]
        await soon(lambda: ends.server.connected == bridge.CLIENTS)
        reader, writer = await asyncio.open_unix_connection(str(ends.path))
        assert await reader.read() == b""
        writer.close()
        for _, writer in streams:
            writer.close()
        await soon(lambda: ends.server.connected == 0)


def frame(body):
    return struct.pack(">I", len(body)) + body


def in_version(number, message=None):
    return frame(json.dumps({"v": number, "message": message}).encode())


@pytest.mark.parametrize(
    "raw, said",
    [
        (b"\xff\xff\xff\xffx", "at most 65536 are allowed"),
        (frame(b"no json"), "not a JSON frame"),
        (frame(b"\xff\xfe"), "not a JSON frame"),
        (frame(b"[" * 60000), "not a JSON frame"),
        (in_version(2), "speaks version 2, this one 1"),
        (frame(b"[1]"), "speaks version None"),
        (in_version(1, {"type": []}), "not a message"),
        (in_version(1, {"type": "Order", "kind": "use"}), "not a message"),
        (in_version(1, {"type": "StudioView"}), "not a message: $: expected one of CacheReport"),
        (in_version(1, {"type": "Acknowledge", "incident": 1, "by": "a\nb"}), "printable"),
        (frame(b'{"v":1,"message":NaN}'), "not a JSON frame"),
    ],
)
async def test_a_bad_frame_costs_its_sender_the_connection_and_nothing_else(
    ends, caplog, raw, said
):
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: ends.client.connected)
        reader, writer = await asyncio.open_unix_connection(str(ends.path))
        writer.write(raw)
        async with asyncio.timeout(20):
            await reader.read()
        writer.close()
        await soon(lambda: ends.server.connected == 1)
        assert ends.client.send(ORDER)
        await soon(lambda: ends.heard_by_watch == [ORDER])
    assert said in caplog.text


def test_what_stands_in_a_bad_message_is_not_repeated():
    body = in_version(1, {"type": "Acknowledge", "incident": "Mrs Secret", "by": ""})[4:]
    with pytest.raises(BridgeError) as caught:
        unpack(body, ToWatch)
    assert "Secret" not in str(caught.value)
    assert "$.incident" in str(caught.value)


@pytest.mark.parametrize("for_s", [-1.0, 1e9, float("nan"), float("inf")])
def test_an_order_lasts_a_week_at_most(for_s):
    with pytest.raises(ValueError, match="a week"):
        Order(OrderKind.AUTO, None, for_s, "")


def test_a_message_that_fits_no_frame_is_refused_by_its_sender():
    with pytest.raises(BridgeError, match="does not fit"):
        pack(view_named("x" * bridge.LIMIT_BYTES))


async def test_a_view_too_large_is_left_out_and_the_link_stays(ends, caplog):
    ends.server.show(view_named("x" * bridge.LIMIT_BYTES))
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: ends.client.connected)
        ends.server.show(view_named("small"))
        await soon(lambda: ends.told(StudioView))
    assert "does not fit" in caplog.text


async def test_a_slow_client_gets_the_newest_view_and_not_a_backlog(ends):
    async with running(ends.server.run()):
        await soon(ends.path.exists)
        reader, writer = await asyncio.open_unix_connection(str(ends.path), limit=1024)
        await soon(lambda: ends.server.connected == 1)
        for number in range(300):
            ends.server.show(view_named(f"{number} " + "x" * 100_000))
            await asyncio.sleep(0)
        seen: list[str] = []
        while not seen or not seen[-1].startswith("299 "):
            message = await read_message(reader, ToDesk)
            if isinstance(message, StudioView):
                seen.append(message.banner.headline)
        writer.close()
    assert len(seen) < 20


def test_the_command_line_reads_one_view(tmp_path):
    ends = Ends(tmp_path / "b")
    ends.server.show(view_named("all well"))

    async def serve_and_read():
        async with running(ends.server.run()):
            await soon(ends.path.exists)
            return await asyncio.to_thread(read_once, ends.path, 5)

    assert asyncio.run(serve_and_read()) == view_named("all well")


def test_the_command_line_is_told_when_nobody_is_there(tmp_path):
    with pytest.raises(BridgeError, match="is not running"):
        read_once(tmp_path / "b", 1)


async def test_the_command_line_is_told_when_there_is_no_view_yet(ends):
    async with running(ends.server.run()):
        await soon(ends.path.exists)
        with pytest.raises(BridgeError, match=r"no view within 0\.2 s"):
            await asyncio.to_thread(read_once, ends.path, 0.2)


async def test_the_socket_is_for_owner_and_group_and_goes_with_the_server(ends):
    async with running(ends.server.run()):
        await soon(ends.path.exists)
        assert stat.S_IMODE(ends.path.stat().st_mode) == 0o660
    assert not ends.path.exists()


async def test_a_dead_servers_socket_is_replaced(ends):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(ends.path))
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: ends.client.connected)


async def test_a_live_servers_socket_is_not_stolen(ends):
    async with running(ends.server.run(), ends.client.run()):
        await soon(lambda: ends.client.connected)
        with pytest.raises(BridgeError, match="already serves"):
            await ends.new_server().run()
        assert ends.client.send(ORDER)
        await soon(lambda: ends.heard_by_watch == [ORDER])


async def test_a_server_too_busy_to_accept_still_counts_as_live(ends):
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(ends.path))
        busy.listen(0)
        waiting.connect(str(ends.path))
        with pytest.raises(BridgeError, match="already serves"):
            await ends.server.run()


async def test_a_file_in_the_way_is_named_and_kept(ends):
    ends.path.write_text("mine")
    with pytest.raises(BridgeError, match="in the way"):
        await ends.server.run()
    assert ends.path.read_text() == "mine"


async def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(BridgeError, match="cannot listen on"):
        await Ends(tmp_path / "no" / "b").server.run()


MESSAGES = [view_named("x"), HISTORY, FetchSchedule(1, "y"), Heartbeat(T0), report(None), ORDER]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_messages_survive_the_frame(message):
    assert unpack(pack(message)[4:], ToDesk | ToWatch) == message


def read_all(raw):
    """Feed *raw* to the reader until it stops; give the messages and how it ended."""

    async def read():
        reader = asyncio.StreamReader()
        reader.feed_data(raw)
        reader.feed_eof()
        messages = []
        try:
            while True:
                messages.append(await read_message(reader, ToDesk | ToWatch))
        except (EOFError, BridgeError) as end:
            return messages, type(end)

    return asyncio.run(read())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
kinds = st.sampled_from([type(m).__name__ for m in MESSAGES])
bodies = (
    st.binary()
    | json_values.map(lambda v: json.dumps(v).encode())
    | st.builds(
        lambda kind, rest: json.dumps({"v": 1, "message": {**rest, "type": kind}}).encode(),
        kinds | json_values,
        st.dictionaries(st.sampled_from(["at", "id", "why", "by", "kind", "for_s"]), json_values),
    )
)


@given(st.binary() | st.lists(bodies.map(frame)).map(b"".join))
@example(frame(b'{"v":1,"message":{"type":"Heartbeat","at":{"mono":1' + b"0" * 400 + b"}}}"))
@settings(max_examples=150, deadline=None)
def test_no_bytes_bring_anything_but_messages_and_one_clean_end(raw):
    _, end = read_all(raw)
    assert end in (EOFError, BridgeError)


@given(st.lists(st.sampled_from(MESSAGES), max_size=6), st.binary(max_size=8))
@settings(max_examples=100, deadline=None)
def test_whole_frames_arrive_whatever_follows_them(messages, tail):
    heard, _ = read_all(b"".join(map(pack, messages)) + tail)
    assert heard[: len(messages)] == messages
