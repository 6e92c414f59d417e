"""The studio on MQTT: for desk lights, Home Assistant and whatever else listens on the LAN.

In: views and alerts.  Out, below PREFIX/BOX: availability ("online", "offline"; retained, also the
last will), state (JSON, retained), event (JSON, when the standing changes), alert (JSON, retained:
the gravest that is open), and the discovery message of Home Assistant.  The rule: it shows and
decides nothing; the newest view wins, nothing queues without bound; views hold no client's name.

paho has a thread of its own for the socket; everything else happens on the event loop.
"""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from edge_watchdog.clock import Clock
from edge_watchdog.core.actions import Alert, Reason, Severity
from edge_watchdog.core.codec import encode
from edge_watchdog.core.model import Health, VendorLevel
from edge_watchdog.core.units import FilePath
from edge_watchdog.core.view import Standing, StudioView

KEEPALIVE_S = 10  # a box that dies is "offline" within half as much again; see MQTT 3.1.1, 3.1.2.10
ACK_S = 10.0
LEAVE_S = 2.0
PACE_S = 1.0  # between two states that differ in numbers only
REFRESH_S = 60.0
FRESH_S = 120.0  # an older view is not said again: Home Assistant then shows "unavailable"
EXPIRE_S = 180
RECONNECT_S = (1, 15)
QUEUED = 100
DELAYED_S = 60.0
HOME_ASSISTANT = "homeassistant"
ONLINE, OFFLINE = "online", "offline"
PORTS: Mapping[str, int] = {"mqtt": 1883, "mqtts": 8883}
LOUDNESS = (Severity.NOTICE, Severity.WARNING, Severity.OUTAGE)
APP_TROUBLE: Mapping[Health, bool | None] = {
    Health.UP: False,
    Health.DEGRADED: True,
    Health.DOWN: True,
    Health.UNKNOWN: None,
}
PAGE_TROUBLE = frozenset(
    {VendorLevel.DEGRADED, VendorLevel.PARTIAL_OUTAGE, VendorLevel.MAJOR_OUTAGE}
)


@dataclass(frozen=True, slots=True)
class Mqtt:
    """A broker that is told how things are; Home Assistant finds the box there by itself."""

    url: str = field(
        metadata={
            "doc": "The broker: mqtt://host or mqtts://host, with :port when it is not the usual.",
            "example": "mqtt://127.0.0.1:1883",
        }
    )
    user: str | None = field(
        default=None, metadata={"doc": "The name the broker knows us by.", "example": "watchdog"}
    )
    password_file: FilePath | None = field(
        default=None, metadata={"doc": "A file with the password of that user."}
    )
    ca_file: FilePath | None = field(
        default=None,
        metadata={"doc": "Whom to trust for mqtts, when not the system's authorities."},
    )
    prefix: str = field(default="edge_watchdog", metadata={"doc": "The first level of our topics."})
    home_assistant: bool = field(
        default=True, metadata={"doc": "Tell Home Assistant what there is (MQTT discovery)."}
    )

    def __post_init__(self) -> None:
        """Refuse what no broker could take; raises ValueError."""
        parts = urlsplit(self.url)
        if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
            raise ValueError('url: write "mqtt://host", "mqtts://host" or either with ":port"')
        if parts.username or parts.password:
            raise ValueError("url: name the user in user, and put the password in a file")
        if not re.fullmatch(r"[^+#/\s\0][^+#\s\0]*(?<!/)", self.prefix):
            raise ValueError("prefix: no blank, + or #, and no / at its ends")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or PORTS[parts.scheme]


class MqttFace:
    """Publishes views, and is a channel for alerts too.  Made on the event loop that runs it."""

    name = "mqtt"

    def __init__(self, options: Mqtt, *, box_id: str, clock: Clock) -> None:
        self._options = options
        self._box = re.sub(r"[^A-Za-z0-9_-]+", "-", box_id) or "box"
        self._base = f"{options.prefix}/{self._box}"
        self._clock = clock
        self._client: Client | None = None
        self._connected = False
        self._view: StudioView | None = None
        self._shown: StudioView | None = None
        self._state_mid: int | None = None
        self._alerts: dict[int, Alert] = {}
        self._alert_due = True  # the alert topic may not say what is open now
        self._acks: dict[int, asyncio.Future[None]] = {}
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()
        self._trouble = ""

    @property
    def problem(self) -> str:
        """What keeps us from the broker, in a sentence; "" = nothing that is known."""
        host, port = self._options.address
        return f"MQTT broker {host}:{port}: {self._trouble}." if self._trouble else ""

    def show(self, view: StudioView) -> None:
        """Publish *view* soon, unless a newer one comes; returns at once."""
        before, self._view = self._view, view
        if before is not None and _gist(before) != _gist(view):
            self._urgent.set()
            if before.banner.standing is not view.banner.standing:
                self._publish("event", _event(view))
        for one in view.incidents:
            if one.resolved_wall is not None and one.id in self._alerts:
                del self._alerts[one.id]
                self._alert_due = True
        self._news.set()

    async def send(self, alert: Alert) -> None:
        """Publish *alert*; the broker has it when this returns.

        Raises ConnectionError when there is no broker, TimeoutError when it does not confirm.
        """
        if alert.reason is Reason.RESOLVED:
            self._alerts.pop(alert.incident, None)
        else:
            self._alerts[alert.incident] = alert
        data = alert_data(self._top() or alert, self._clock.now().wall)
        mid = self._publish("alert", data, retain=True)
        if mid is None:
            raise ConnectionError("the MQTT broker is not connected")
        self._acks[mid] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ACK_S):
                await self._acks[mid]
        finally:
            self._acks.pop(mid, None)

    async def run(self) -> None:
        """Stay connected and publish for ever; raises ValueError or OSError for unusable files."""
        loop = asyncio.get_running_loop()
        client = self._new_client()
        self._listen(client, loop)
        client.connect_async(*self._options.address, keepalive=KEEPALIVE_S)
        self._client = client
        client.loop_start()
        try:
            while True:
                self._news.clear()
                self._urgent.clear()
                self._publish_state()
                await _either(self._urgent, PACE_S)
                await _either(self._news, REFRESH_S)
        finally:
            await self._leave(client)

    async def close(self) -> None:
        """Nothing is left to do once run() was cancelled: it says "offline" itself."""

    def _new_client(self) -> Client:
        options = self._options
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"edge-watchdog-{self._box}")
        if options.user is not None:
            secret = options.password_file
            password = None if secret is None else Path(secret).read_text("utf-8").strip()
            client.username_pw_set(options.user, password)
        if options.url.startswith("mqtts:"):
            client.tls_set(ca_certs=options.ca_file)
        client.will_set(f"{self._base}/availability", OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(*RECONNECT_S)
        client.max_queued_messages_set(QUEUED)
        return client

    def _listen(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        """Bring what paho's thread hears to the event loop."""

        def hear(work: Callable[..., None], *values: object) -> None:
            loop.call_soon_threadsafe(work, *values)

        client.on_connect = lambda _c, _u, _f, reason, _p: hear(
            self._joined, str(reason) if reason.is_failure else ""
        )
        client.on_connect_fail = lambda _c, _u: hear(self._lost, "cannot be reached")
        client.on_disconnect = lambda _c, _u, _f, reason, _p: hear(self._lost, str(reason))
        client.on_publish = lambda _c, _u, mid, _r, _p: hear(self._acked, mid)
        client.on_message = lambda _c, _u, message: hear(self._heard, message)

    def _joined(self, refusal: str) -> None:
        self._trouble = f"it refuses us ({refusal})" if refusal else ""
        self._connected = not refusal
        if self._client is None or refusal:
            return
        self._state_mid = None
        if self._options.home_assistant:
            self._client.subscribe(f"{HOME_ASSISTANT}/status", qos=1)
        self._greet()

    def _greet(self) -> None:
        """Say all that is retained: a broker without persistence has forgotten it."""
        if self._client is not None and self._options.home_assistant:
            topic = f"{HOME_ASSISTANT}/device/{self._box}/config"
            version = self._view.version if self._view is not None else ""
            data = discovery(self._base, self._box, version)
            self._client.publish(topic, json.dumps(data), qos=1, retain=True)
        self._publish("availability", ONLINE, retain=True)
        self._alert_due = True
        self._news.set()
        self._urgent.set()

    def _lost(self, why: str) -> None:
        self._connected = False
        self._trouble = self._trouble or why
        for ack in self._acks.values():
            if not ack.done():
                ack.set_exception(ConnectionError("the MQTT broker went away"))

    def _acked(self, mid: int) -> None:
        ack = self._acks.get(mid)
        if ack is not None and not ack.done():
            ack.set_result(None)
        if mid == self._state_mid:
            self._state_mid = None
            if self._view is not None and self._view is not self._shown:
                self._news.set()
                if self._shown is None or _gist(self._shown) != _gist(self._view):
                    self._urgent.set()

    def _heard(self, message: MQTTMessage) -> None:
        """Home Assistant has started: it forgot what is not retained, and asks by its birth."""
        if message.payload == ONLINE.encode() and not message.retain:
            self._greet()

    def _publish_state(self) -> None:
        """Publish the newest view, unless the last one is still on its way."""
        view = self._view
        if view is None or self._state_mid is not None:
            return
        if self._clock.now().since(view.at) > FRESH_S:
            return
        self._state_mid = self._publish("state", state(view), retain=True)
        if self._state_mid is not None:
            self._shown = view
        top = self._top()
        opened = any(one.resolved_wall is None for one in view.incidents)
        # after a restart the words of an open alert are not known; what is retained still says it
        if self._alert_due and (top is not None or not opened):
            data = alert_data(top, self._clock.now().wall)
            self._alert_due = self._publish("alert", data, retain=True) is None

    def _top(self) -> Alert | None:
        """Give the gravest open alert, of several the newest."""
        return max(
            self._alerts.values(),
            key=lambda one: (LOUDNESS.index(one.severity), one.said_wall),
            default=None,
        )

    def _publish(self, what: str, data: object, *, retain: bool = False) -> int | None:
        """Hand a message to paho; None when there is no broker, and nothing is kept for later."""
        if self._client is None or not self._connected:
            return None
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        sent = self._client.publish(f"{self._base}/{what}", text, qos=1, retain=retain)
        return sent.mid if sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    async def _leave(self, client: Client) -> None:
        """Say "offline" ourselves: a broker keeps the will to itself when we go in order."""
        mid = self._publish("availability", OFFLINE, retain=True)
        self._client = None
        if mid is not None:
            self._acks[mid] = ack = asyncio.get_running_loop().create_future()
            await asyncio.wait([ack], timeout=LEAVE_S)
            del self._acks[mid]
        client.disconnect()
        await _stopped(client)
        self._connected = False


async def _stopped(client: Client) -> None:
    """End paho's thread; one that hangs in a question for the broker's name is not waited for."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        client.loop_stop()
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program is ending
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=stop, name="mqtt leaves", daemon=True).start()
    await _either(done, LEAVE_S)


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _gist(view: StudioView) -> tuple[object, ...]:
    """Give what is worth publishing at once when it changes."""
    return (view.banner.standing, view.banner.cause, view.active, view.phase)


def state(view: StudioView) -> dict[str, object]:
    """Give the state message: a few plain fields for templates, and the whole view.

    None means "not known".  *rtt_ms* and *loss_percent* are those of the uplink in use.
    *data_percent*: of the plan of the metered line that has the least left.
    """
    used = next((uplink for uplink in view.uplinks if uplink.name == view.active), None)
    health = used.health if used is not None else Health.UNKNOWN
    online = None if health is Health.UNKNOWN else health is not Health.DOWN
    return {
        "v": 1,
        "standing": view.banner.standing.value,
        "headline": view.banner.headline,
        "can_work": view.banner.can_work,
        "cause": view.banner.cause,
        "online": False if view.banner.standing is Standing.OFFLINE else online,
        "vendor_trouble": _vendor_trouble(view),
        "active": view.active,
        "rtt_ms": _scaled(used.rtt_s if used else None, 1000),
        "loss_percent": _scaled(used.loss_ratio if used else None, 100),
        "data_percent": _fullest(view),
        "at": _time(view.at.wall),
        "view": encode(view),
    }


def _fullest(view: StudioView) -> int | None:
    """Give how much of its plan the metered line with the least left has used, in per cent."""
    plans = [one.data for one in view.uplinks if one.data is not None and one.data.cap_bytes]
    return max((100 * plan.used_bytes // (plan.cap_bytes or 1) for plan in plans), default=None)


def _vendor_trouble(view: StudioView) -> bool | None:
    if view.vendor is None:
        return None
    return True if view.vendor.page in PAGE_TROUBLE else APP_TROUBLE[view.vendor.app]


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else round(value * factor, 1)


def _event(view: StudioView) -> dict[str, object]:
    return {
        "event_type": view.banner.standing.value,
        "headline": view.banner.headline,
        "cause": view.banner.cause,
        "at": _time(view.at.wall),
    }


def alert_data(alert: Alert | None, now_wall: float) -> dict[str, object]:
    """Give the alert message; level "none" means that nothing is open."""
    if alert is None:
        return {"v": 1, "level": "none", "text": "", "id": None}
    return {
        "v": 1,
        "level": "none" if alert.reason is Reason.RESOLVED else alert.severity.value,
        "code": alert.cause,
        "text": alert.headline,
        "body": alert.body,
        "steps": list(alert.steps),
        "reason": alert.reason.value,
        "id": alert.incident,
        "since": _time(alert.since_wall),
        "said": _time(alert.said_wall),
        "delayed": now_wall - alert.said_wall > DELAYED_S,
    }


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def discovery(base: str, box: str, version: str) -> dict[str, object]:
    """Give the device discovery message; see home-assistant.io/integrations/mqtt.

    "None" as a state is Home Assistant's word for "unknown".
    """
    device = {"identifiers": [f"edge_watchdog_{box}"], "name": f"edge-watchdog {box}"}
    return {
        "device": {**device, "model": "edge-watchdog", "sw_version": version},
        "origin": {"name": "edge-watchdog", "sw_version": version},
        "availability_topic": f"{base}/availability",
        "state_topic": f"{base}/state",
        "qos": 1,
        "components": {
            "online": _sensor(box, "online", "Internet", _flag("online"), "connectivity"),
            "vendor": _sensor(box, "vendor", "Vendor", _flag("vendor_trouble"), "problem"),
            "standing": _sensor(box, "standing", "Standing", "{{ value_json.standing }}"),
            "active": _sensor(box, "active", "Uplink in use", "{{ value_json.active }}"),
            "headline": _sensor(box, "headline", "Headline", "{{ value_json.headline }}"),
            "latency": {
                **_sensor(box, "latency", "Latency", "{{ value_json.rtt_ms }}"),
                "unit_of_measurement": "ms",
                "state_class": "measurement",
            },
            "event": {
                "platform": "event",
                "unique_id": f"edge_watchdog_{box}_event",
                "name": "Change",
                "state_topic": f"{base}/event",
                "event_types": [standing.value for standing in Standing],
            },
        },
    }


def _sensor(
    box: str, key: str, name: str, template: str, device_class: str | None = None
) -> dict[str, object]:
    """Describe a sensor; one with a device class is a binary one."""
    common = {"unique_id": f"edge_watchdog_{box}_{key}", "name": name, "value_template": template}
    if device_class is None:
        return {"platform": "sensor", **common, "expire_after": EXPIRE_S}
    kind = {"platform": "binary_sensor", "device_class": device_class}
    return {**kind, **common, "expire_after": EXPIRE_S}


def _flag(name: str) -> str:
    known = f"{{{{ 'ON' if value_json.{name} else 'OFF' }}}}"
    return f"{{% if value_json.{name} is none %}}None{{% else %}}{known}{{% endif %}}"
