"""A studio for the desk's tests: views for every standing, a day, and the half itself, running."""

import asyncio
import contextlib
import dataclasses
import os
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_watchdog.bridge import BridgeServer, ToWatch
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.actions import Severity
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Mode, VendorLevel, Window
from edge_watchdog.core.units import FilePath
from edge_watchdog.core.view import (
    Banner,
    History,
    IncidentView,
    RungView,
    Standing,
    Stretch,
    StudioView,
    UplinkView,
    VendorView,
)
from edge_watchdog.daybook.registry import IcsOptions
from edge_watchdog.daybook.secret import Cost
from edge_watchdog.desk.app import serve
from edge_watchdog.desk.settings import DeskSettings, ScheduleSetting

ZONE = "Europe/London"
NOON = 1795262400.0  # Saturday 21 November 2026, 12:00 in London
CHECKED = "connectivity-check.example"  # as long as real ones are


@dataclass
class StepClock:
    """A clock that stands until it is stepped."""

    mono: float = 1000.0
    wall: float = NOON

    def now(self) -> Instant:
        return Instant(self.mono, self.wall)

    def step(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += seconds


def banner(standing: Standing, now_wall: float = NOON) -> Banner:
    """Give the banner that the watch half would show, in its own words."""
    began = now_wall - 720
    match standing:
        case Standing.NORMAL:
            return Banner(
                standing, "none", "Everything works.", "Yes, work as usual.", "No trouble is known."
            )
        case Standing.CHECKING:
            return Banner(
                standing,
                "checking",
                "Something is not right. Still checking.",
                "Yes, today's list works without the internet.",
                "Broadband stopped answering a moment ago. What is broken is not known yet.",
                ("Wait a moment. This page says more soon.",),
                since_wall=now_wall - 3,
            )
        case Standing.LIMITED:
            return Banner(
                standing,
                "line loss",
                "Broadband is unsteady.",
                "Mostly. Some pages may be slow or not open. Today's list works.",
                "Part of what is sent gets lost on the way. Pages may be slow.",
                ("Nothing needs to be done.",),
                since_wall=began,
            )
        case Standing.BACKUP:
            return Banner(
                standing,
                "provider down",
                "The internet provider of broadband has a fault.",
                "Yes. The box is online over LTE stick and keeps today's list fresh. Computers "
                "that use broadband are offline until it is back.",
                "The router works, but nothing beyond it answers.",
                (
                    "Leave the router as it is.",
                    "Call the internet provider and ask when the line will be back.",
                ),
                "The internet provider.",
                began + 3600,
                began,
            )
        case Standing.VENDOR:
            return Banner(
                standing,
                "vendor silent",
                "BookWell is not working. It is not us.",
                "Yes, with today's list. It is a copy and cannot be changed here.",
                "Our internet works, BookWell's app does not. Its status page does not say so yet.",
                (
                    "Use today's list on the desk page.",
                    "Take bookings and sales on paper and enter them later.",
                    "Do not restart anything here.",
                ),
                "BookWell's support, if nobody has yet.",
                began + 3600,
                began,
            )
        case Standing.OFFLINE:
            return Banner(
                standing,
                "cable out",
                "No internet. The network cable of broadband is out.",
                "Yes, with today's list and on paper. There is no internet.",
                "The box has lost the signal on the cable that leads to the router.",
                (
                    "Use today's list on the desk page. Take bookings and sales on paper.",
                    "Push the network cable back in at the box and at the router until it clicks.",
                    "Look whether the router has lights. If not, check its plug.",
                ),
                "",
                began + 3600,
                began,
            )


def uplink(name: str, health: Health, role: str, cause: str, now_wall: float) -> UplinkView:
    down = health is Health.DOWN
    told = "not asked" if down else "answered"
    evidence = "0 of 6 anchors answered for 12 min" if down else "6 of 6 anchors answered"
    rungs = (
        RungView("link", Health.UP, "signal on the cable"),
        RungView("gateway", Health.UP, "answered 2 s ago"),
        RungView("internet", health, evidence),
        RungView("names", Health.UNKNOWN if down else health, f"dns {CHECKED} {told}"),
        RungView("web", Health.UNKNOWN if down else health, told),
    )
    because = ("router answered 2 s ago", "no anchor answered since 11:48") if down else ()
    return UplinkView(
        name,
        "wan0" if name == "broadband" else "lte0",
        name != "broadband",
        role,
        health,
        cause,
        0.93 if down else 1.0,
        because,
        rungs,
        None if down else 0.018,
        1.0 if down else 0.0,
        now_wall - 720,
    )


def view(standing: Standing, now_wall: float = NOON, **changes: object) -> StudioView:
    """Give a whole view for *standing*."""
    broken = standing in (Standing.BACKUP, Standing.OFFLINE, Standing.CHECKING)
    said = banner(standing, now_wall)
    line = uplink(
        "broadband",
        Health.DOWN if broken else Health.UP,
        "out" if broken else "in use",
        "internet provider down" if broken else "",
        now_wall,
    )
    spare = uplink(
        "LTE stick",
        Health.DOWN if standing is Standing.OFFLINE else Health.UP,
        "in use" if standing is Standing.BACKUP else "standby",
        "",
        now_wall,
    )
    opened = IncidentView(
        7,
        said.cause,
        f"broadband: {said.cause}",
        Severity.OUTAGE,
        now_wall - 720,
        None,
        "",
        (
            "router answered 2 s ago",
            "0 of 6 anchors answered over broadband since 11:48",
            "5 of 5 answered over LTE stick",
        ),
    )
    vendor_bad = standing is Standing.VENDOR
    vendor = VendorView(
        "BookWell",
        VendorLevel.OPERATIONAL,
        "All systems go",
        "",
        now_wall - 40,
        Health.DOWN if vendor_bad else Health.UP,
        "sign-in page gave 503, three times in a row" if vendor_bad else "sign-in page in 0.4 s",
        (Window("w1", "Database upgrade", now_wall + 86400, now_wall + 93600, False),),
    )
    made = StudioView(
        at=Instant(1000.0, now_wall),
        version="0.1.0",
        mode=Mode.SELF,
        phase="settled",
        active="LTE stick" if standing is Standing.BACKUP else "broadband",
        preferred="broadband",
        banner=said,
        uplinks=(line, spare),
        vendor=vendor,
        incidents=() if standing in (Standing.NORMAL, Standing.LIMITED) else (opened,),
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def history(now_wall: float = NOON) -> History:
    """Give a day with an outage, a brownout and two hours in which the box was off."""
    stretches = []
    for number in range(288):
        start = now_wall - 86400 + number * 300
        if 60 <= number < 84:
            continue
        bad = 200 <= number < 209
        weak = 120 <= number < 126
        health = Health.DOWN if bad else Health.DEGRADED if weak else Health.UP
        loss = 1.0 if bad else 0.12 if weak else 0.0
        stretches.append(Stretch("broadband", start, 300.0, health, not bad, loss, 0.02))
        stretches.append(Stretch("LTE stick", start, 300.0, Health.UP, bad, 0.0, 0.06))
    over = IncidentView(
        6,
        "router not responding",
        "broadband: router not responding",
        Severity.OUTAGE,
        now_wall - 26400,
        now_wall - 23700,
        "the desk",
        ("the router did not answer 40 questions",),
    )
    return History(tuple(stretches), (over,))


def calendar(day: str, rows: int = 9, now_hour: int = 12) -> str:
    """Write a calendar for *day* ("20261121") with *rows* entries for each of three people."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//"]
    services = ("Cut and blow-dry", "Half head highlights, toner", "Deep tissue massage")
    names = ("Anna", "Beth", "Carol", "Dana", "Ella", "Fay", "Gina", "Hana", "Iris")
    for person, member in enumerate(("Mia", "Tom", "Ravi")):
        for number in range(rows):
            hour, minute = 8 + number, 15 * person
            lines += [
                "BEGIN:VEVENT",
                f"UID:{day}-{person}-{number}",
                f"DTSTART;TZID={ZONE}:{day}T{hour:02}{minute:02}00",
                f"DURATION:PT{(45, 60, 30)[number % 3]}M",
                f"SUMMARY:{services[person]} - {names[number % 9]} {chr(66 + number)}",
                f"ORGANIZER;CN={member}:mailto:{member.lower()}@studio.example",
                f"LOCATION:Chair {person + 1}",
                f"STATUS:{'TENTATIVE' if number == 5 else 'CONFIRMED'}",
                "END:VEVENT",
            ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


@dataclass
class Running:
    """The desk half at work; *watch* is the other half, *orders* what it was told."""

    url: str
    port: int
    folder: Path
    watch: BridgeServer
    orders: list[ToWatch] = field(default_factory=list)
    stop_watch: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None

    def write_day(self, text: str) -> None:
        (self.folder / "day.ics").write_text(text)


def today() -> str:
    """Give the present day in the studio, as calendars write it."""
    return f"{datetime.now(ZoneInfo(ZONE)):%Y%m%d}"


def settings(folder: Path, **changes: object) -> DeskSettings:
    """Give the settings of a desk half in *folder*."""
    options = IcsOptions(path=FilePath(str(folder / "day.ics")))
    made = DeskSettings(
        studio_name="Lotus Room",
        time_zone=ZONE,
        state_dir=str(folder / "state"),
        bridge_path=str(folder / "bridge.sock"),
        key_file=str(folder / "key" / "daybook.key"),
        vendor_name="BookWell",
        opening_hours="Mon-Sat 09:00-19:00",
        schedules=(ScheduleSetting("front desk", 60.0, options),),
        guess_cost=Cost(4, 8, 1),
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()


@contextlib.asynccontextmanager
async def running(folder: Path, **changes: object) -> AsyncIterator[Running]:
    """Run the desk half and a watch half that says what it is told to, on loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    listener.setblocking(False)
    port = listener.getsockname()[1]
    doors: list[socket.socket] = [listener, *changes.pop("more_doors", ())]  # type: ignore[misc]
    orders: list[ToWatch] = []
    watch = BridgeServer(
        folder / "bridge.sock",
        allowed_uids=frozenset({os.getuid()}),
        on_message=orders.append,
        clock=SystemClock(),
    )
    tasks = {
        "desk": asyncio.create_task(serve(settings(folder, **changes), doors=doors)),
        "watch": asyncio.create_task(watch.run()),
    }
    made = Running(
        f"http://127.0.0.1:{port}",
        port,
        folder,
        watch,
        orders,
        stop_watch=lambda: _cancel(tasks["watch"]),
        stop=lambda: _cancel(tasks["desk"]),
    )
    try:
        yield made
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
