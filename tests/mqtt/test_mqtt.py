import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from edge_watchdog.core.actions import Alert, Reason, Severity
from edge_watchdog.core.codec import decode
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Mode, VendorLevel
from edge_watchdog.core.units import FilePath
from edge_watchdog.core.view import (
    Banner,
    IncidentView,
    Standing,
    StudioView,
    UplinkView,
    VendorView,
)
from edge_watchdog.mqtt import Mqtt, MqttFace, alert_data, discovery, state
from tests.patience import soon
from tests.ports import free_ports

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
HOME = Path(__file__).parents[2]


class Clock:
    def __init__(self):
        self.mono = 1000.0

    def now(self):
        return Instant(self.mono, 1_790_000_000.0 + self.mono)


class Broker:
    """A real mosquitto on loopback."""

    def __init__(self, folder, port, lines=("allow_anonymous true",)):
        self.port = port
        self.config = folder / "mosquitto.conf"
        text = [f"listener {port} 127.0.0.1", "persistence false", "user root", *lines, ""]
        self.config.write_text("\n".join(text))
        self.process = None

    def start(self):
        assert Path(MOSQUITTO).exists(), "these tests need mosquitto"
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            self.process.poll()
            assert self.process.returncode is None, "mosquitto ended at once"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
        pytest.fail("mosquitto does not listen")

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


class Ear:
    """A listener on the broker: every message in order, and what is retained."""

    def __init__(self, port, **login):
        self.all: list[tuple[str, str]] = []
        self.last: dict[str, str] = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        if login:
            self._client.username_pw_set(login["user"], login["password"])
        self._client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _hear(self, _client, _data, message):
        self.all.append((message.topic, message.payload.decode()))
        self.last[message.topic] = message.payload.decode()

    def say(self, topic, text):
        self._client.publish(topic, text, qos=1)

    def json(self, what):
        return json.loads(self.last.get(f"edge_watchdog/lotus/{what}", "{}"))

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path, free_ports(1)[0])
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def ear(broker):
    ear = Ear(broker.port)
    yield ear
    ear.close()


@contextlib.asynccontextmanager
async def running(face):
    task = asyncio.create_task(face.run())
    try:
        yield face
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def new_face(broker, **options):
    return MqttFace(
        Mqtt(f"mqtt://127.0.0.1:{broker.port}", **options), box_id="lotus", clock=Clock()
    )


async def until(condition, seconds=10.0):
    await soon(condition, seconds)


def a_view(
    standing=Standing.NORMAL,
    *,
    mono=1000.0,
    health=Health.UP,
    incidents=(),
    vendor=None,
    rtt_s=0.0123,
):
    banner = Banner(standing, "none", f"It is {standing}.", "Yes.", "")
    uplink = UplinkView(
        "broadband", "wan0", False, "in use", health, "", 1.0, (), (), rtt_s, 0.015, None
    )
    at = Instant(mono, 1_790_000_000.0 + mono)
    return StudioView(
        at, "0.1", Mode.SELF, "settled", "broadband", "broadband", banner, (uplink,),
        vendor=vendor, incidents=tuple(incidents),
    )  # fmt: skip


def an_alert(incident=1, reason=Reason.FIRST, severity=Severity.OUTAGE, said=1000.0):
    wall = 1_790_000_000.0
    return Alert(
        incident, reason, severity, "router dead", f"{incident} {reason}", "Yes.", ("Wait.",),
        wall + 990, wall + said,
    )  # fmt: skip


def an_incident(number, *, over=False):
    return IncidentView(number, "c", "h", Severity.OUTAGE, 1.0, 2.0 if over else None, "")


def topic(what):
    return f"edge_watchdog/lotus/{what}"


async def test_the_state_is_retained_and_whole(broker):
    face = new_face(broker)
    face.show(a_view())
    async with running(face):
        await until(lambda: face.problem == "" and face._shown is not None)
        late = Ear(broker.port)
        await until(lambda: topic("state") in late.last and topic("availability") in late.last)
        late.close()
    data = late.json("state")
    assert late.last[topic("availability")] == "online"
    assert (data["standing"], data["online"], data["rtt_ms"]) == ("normal", True, 12.3)
    assert decode(StudioView, data["view"]) == a_view()


async def test_the_newest_view_wins(broker, ear):
    face = new_face(broker)
    async with running(face):
        await until(lambda: ear.last.get(topic("availability")) == "online")
        for number in range(500):
            face.show(a_view(rtt_s=number / 1000))
        await until(lambda: topic("state") in ear.last and ear.json("state").get("rtt_ms") == 499)
    states = [text for name, text in ear.all if name == topic("state")]
    assert len(states) <= 3


async def test_a_change_is_said_at_once_and_as_an_event(broker, ear):
    face = new_face(broker)
    face.show(a_view())
    async with running(face):
        await until(lambda: topic("state") in ear.last)
        face.show(a_view(Standing.BACKUP))
        await until(lambda: ear.json("state").get("standing") == "backup", seconds=0.9)
        await until(lambda: topic("event") in ear.last)
    assert ear.json("event").get("event_type") == "backup"


async def test_an_orderly_end_says_offline(broker, ear):
    async with running(new_face(broker)):
        await until(lambda: ear.last.get(topic("availability")) == "online")
    await until(lambda: ear.last[topic("availability")] == "offline")


CHILD = """
import asyncio, sys
from edge_watchdog.clock import SystemClock
from edge_watchdog.mqtt import Mqtt, MqttFace

async def main():
    url = f"mqtt://127.0.0.1:{sys.argv[1]}"
    await MqttFace(Mqtt(url), box_id="lotus", clock=SystemClock()).run()

asyncio.run(main())
"""


async def test_a_killed_process_leaves_its_last_will(broker, ear):
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(broker.port), env=os.environ | {"PYTHONPATH": str(HOME)}
    )
    await until(lambda: ear.last.get(topic("availability")) == "online")
    child.kill()
    await child.wait()
    await until(lambda: ear.last[topic("availability")] == "offline")


async def test_after_a_restart_of_the_broker_everything_is_said_again(broker, ear):
    face = new_face(broker)
    face.show(a_view())
    async with running(face):
        await until(lambda: topic("state") in ear.last)
        broker.stop()
        await until(lambda: face.problem != "")
        face.show(a_view(Standing.OFFLINE))
        ear.last.clear()
        broker.start()
        await until(lambda: len(ear.last) >= 3, seconds=20)
        await until(lambda: topic("state") in ear.last)
        assert ear.json("state").get("standing") == "offline"
        assert ear.last[topic("availability")] == "online"
        assert "homeassistant/device/lotus/config" in ear.last
        assert face.problem == ""


async def test_home_assistant_is_told_what_there_is_and_again_when_it_is_born(broker, ear):
    face = new_face(broker)
    face.show(a_view())
    name = "homeassistant/device/lotus/config"
    async with running(face):
        await until(lambda: name in ear.last and topic("state") in ear.last)
        ear.all.clear()
        ear.say("homeassistant/status", "offline")
        ear.say("homeassistant/status", "online")
        await until(lambda: name in [t for t, _ in ear.all])
        await until(lambda: topic("availability") in [t for t, _ in ear.all])
    data = json.loads(ear.last[name])
    assert data["availability_topic"] == topic("availability")
    assert data["device"]["identifiers"] == ["edge_watchdog_lotus"]
    assert data["origin"]["name"] == "edge-watchdog"


async def test_without_home_assistant_nothing_is_said_to_it(broker, ear):
    async with running(new_face(broker, home_assistant=False)):
        await until(lambda: ear.last.get(topic("availability")) == "online")
    assert not [t for t, _ in ear.all if t.startswith("homeassistant/")]


async def test_an_alert_is_retained_until_it_is_over(broker, ear):
    face = new_face(broker)
    async with running(face):
        await until(lambda: ear.last.get(topic("availability")) == "online")
        await face.send(an_alert())
        await until(lambda: topic("alert") in ear.last and ear.json("alert").get("id") == 1)
        assert ear.json("alert").get("level") == "outage"
        await face.send(an_alert(reason=Reason.RESOLVED))
        await until(lambda: ear.json("alert").get("level") == "none")
        assert ear.json("alert").get("text") == "1 resolved"


async def test_of_several_alerts_the_gravest_stands(broker, ear):
    face = new_face(broker)
    async with running(face):
        await until(lambda: ear.last.get(topic("availability")) == "online")
        await face.send(an_alert(1, severity=Severity.OUTAGE))
        await face.send(an_alert(2, severity=Severity.WARNING, said=2000.0))
        await until(lambda: topic("alert") in ear.last)
        assert ear.json("alert").get("id") == 1
        await face.send(an_alert(1, Reason.RESOLVED))
        await until(lambda: ear.json("alert").get("id") == 2)


async def test_an_alert_goes_when_the_view_shows_that_it_is_over(broker, ear):
    face = new_face(broker)
    async with running(face):
        await until(lambda: ear.last.get(topic("availability")) == "online")
        face.show(a_view(incidents=[an_incident(1)]))
        await face.send(an_alert(1))
        face.show(a_view(incidents=[an_incident(1, over=True)]))
        await until(lambda: ear.json("alert").get("level") == "none")


async def test_what_is_retained_of_an_open_incident_is_left_alone_after_a_restart(broker, ear):
    face = new_face(broker)
    async with running(face):
        await until(lambda: ear.last.get(topic("availability")) == "online")
        await face.send(an_alert(1))
    again = new_face(broker)
    again.show(a_view(incidents=[an_incident(1)]))
    async with running(again):
        await until(lambda: again._shown is not None and again._state_mid is None)
        assert ear.json("alert").get("id") == 1


async def test_an_alert_without_a_broker_is_not_taken(broker):
    face = new_face(broker)
    with pytest.raises(ConnectionError):
        await face.send(an_alert())
    broker.stop()
    async with running(face):
        await until(lambda: face.problem != "")
        with pytest.raises(ConnectionError):
            await face.send(an_alert())
        assert face.problem == f"MQTT broker 127.0.0.1:{broker.port}: cannot be reached."


async def test_an_alert_on_its_way_when_the_broker_goes_is_not_confirmed(broker):
    face = new_face(broker)
    async with running(face):
        await until(lambda: face._connected)
        broker.process.send_signal(19)  # SIGSTOP: it takes bytes and answers nothing
        send = asyncio.create_task(face.send(an_alert()))
        await until(lambda: bool(face._acks))
        broker.process.kill()
        broker.process.wait()
        with pytest.raises(ConnectionError):
            await send


async def test_a_view_that_is_old_is_not_said_again(broker, ear):
    face = new_face(broker)
    face.show(a_view(mono=800.0))
    async with running(face):
        await until(lambda: ear.last.get(topic("availability")) == "online")
        face.show(a_view(Standing.BACKUP, mono=810.0))
        await until(lambda: topic("event") in ear.last)
        await asyncio.sleep(0.05)
    assert topic("state") not in ear.last


def with_password(folder, user, password):
    path = folder / "passwords"
    tool = shutil.which("mosquitto_passwd")
    assert tool, "these tests need mosquitto_passwd"
    subprocess.run([tool, "-b", "-c", str(path), user, password], check=True)
    path.chmod(0o644)
    return ("allow_anonymous false", f"password_file {path}")


async def test_user_and_password_are_used_and_a_refusal_is_said(tmp_path):
    broker = Broker(tmp_path, free_ports(1)[0], with_password(tmp_path, "watchdog", "s3cret"))
    (tmp_path / "pass").write_text("s3cret\n")
    (tmp_path / "wrong").write_text("wrong\n")
    tmp_path.chmod(0o755)
    broker.start()
    try:
        good = new_face(broker, user="watchdog", password_file=FilePath(str(tmp_path / "pass")))
        async with running(good):
            await until(lambda: good._connected)
        bad = new_face(broker, user="watchdog", password_file=FilePath(str(tmp_path / "wrong")))
        async with running(bad):
            await until(lambda: "refuses us" in bad.problem)
        assert "wrong" not in bad.problem
    finally:
        broker.stop()


@pytest.mark.parametrize(
    "options, said",
    [
        ({"url": "http://host"}, "url"),
        ({"url": "mqtt://"}, "url"),
        ({"url": "mqtt://host/topic"}, "url"),
        ({"url": "mqtt://user:secret@host"}, "password in a file"),
        ({"url": "mqtt://host", "prefix": "a/#"}, "prefix"),
        ({"url": "mqtt://host", "prefix": "/a"}, "prefix"),
        ({"url": "mqtt://host", "prefix": "a/"}, "prefix"),
        ({"url": "mqtt://host", "prefix": ""}, "prefix"),
    ],
)
def test_options_no_broker_could_take_are_refused(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        Mqtt(**options)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url, address",
    [
        ("mqtt://host", ("host", 1883)),
        ("mqtts://host", ("host", 8883)),
        ("mqtt://[::1]:99", ("::1", 99)),
    ],
)
def test_the_usual_ports_need_not_be_written(url, address):
    assert Mqtt(url, prefix="studio/lotus").address == address


VENDOR = VendorView("BookWell", VendorLevel.OPERATIONAL, "", "", None, Health.UP, "")


@pytest.mark.parametrize(
    "view, online, trouble",
    [
        (a_view(), True, None),
        (a_view(health=Health.DEGRADED), True, None),
        (a_view(health=Health.DOWN), False, None),
        (a_view(health=Health.UNKNOWN), None, None),
        (a_view(Standing.OFFLINE), False, None),
        (replace(a_view(), active=None), None, None),
        (a_view(vendor=VENDOR), True, False),
        (a_view(vendor=replace(VENDOR, app=Health.DOWN)), True, True),
        (a_view(vendor=replace(VENDOR, app=Health.UNKNOWN)), True, None),
        (a_view(vendor=replace(VENDOR, page=VendorLevel.MAJOR_OUTAGE)), True, True),
    ],
)
def test_what_is_not_known_is_shown_neither_as_fine_nor_as_down(view, online, trouble):
    data = state(view)
    assert (data["online"], data["vendor_trouble"]) == (online, trouble)


def test_a_late_alert_says_so():
    assert alert_data(an_alert(said=1000.0), 1_790_000_000.0 + 1030)["delayed"] is False
    assert alert_data(an_alert(said=1000.0), 1_790_000_000.0 + 1090)["delayed"] is True


def test_every_component_can_expire_and_has_a_name_of_its_own():
    data = discovery("edge_watchdog/lotus", "lotus", "0.1")
    components = data["components"]
    assert isinstance(components, dict)
    assert len({one["unique_id"] for one in components.values()}) == len(components)
    assert all(one.get("expire_after") for name, one in components.items() if name != "event")
    assert all("platform" in one for one in components.values())


def test_an_odd_box_name_makes_a_plain_topic():
    face = MqttFace(Mqtt("mqtt://host"), box_id="Lotus Room/#1", clock=Clock())
    assert face._base == "edge_watchdog/Lotus-Room-1"
