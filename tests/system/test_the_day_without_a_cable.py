"""Every cable is out and the box was rebooted: the day is there, prints, and takes what happens.

One box for all of it: it reads the vendor's feed once, a team member writes on its paper, and in
the middle of that its power is cut.  Then it boots again, with both lines dead.
"""

import asyncio
import contextlib
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from tests.desk.doors import PIN, sign_in
from tests.lab import feed, pki
from tests.lab.netns import open_socket
from tests.system.box import REPO, Box
from tests.system.steps import CONFIG, DESK, WATCH, bring, install, start
from tests.system.tablet import ADDRESS, Tablet, team_member_at
from tests.system.vendor import APP

CA = "/etc/edge-watchdog/vendor-ca.pem"
STUDIO = (REPO / "tests/system/studio.toml").read_text()
SOURCES = f"""
[vendor]
name = "BookWell"
ca_file = "{CA}"

[[schedule]]
name = "front desk"
kind = "ics"
url = "https://{APP}/feed.ics"

[mqtt]
url = "mqtt://broker.example"

[print]
command = ["lp", "-d", "front-desk"]
"""
CLIENT = "Anna B."
Boots = Callable[..., AbstractContextManager[Box]]
SPOOL = "/var/spool/cups"
# What it is given vanishes; what was asked of it stays a day in the spool, as Debian has it.
PRINTER = "lpadmin -p front-desk -E -v file:/dev/null -m raw"
STREAM, HALF_A_FORM, PDF = "GET /live?page=desk", "POST /sign-in", "GET /pack/tomorrow.pdf"
PY = "/opt/edge-watchdog/bin/python -c"
# Takes every question and answers none.
SILENT_NAMES = (
    "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
    ' s.bind(("127.0.0.53", 53)); time.sleep(600)'
)
WRITERS = 4
WRITTEN_BEFORE_THE_CUT = 25
# Stands in for a box without a clock that runs while it is off: it wakes up three days ago.
THREE_DAYS_AGO = "import time; time.time = lambda real=time.time: real() - 3 * 86400"
VENV = "/opt/edge-watchdog/lib/python{}.{}/site-packages".format(*sys.version_info)


@dataclass
class Studio:
    """The box after the cut, a signed-in tablet, and which entries the box had said it kept."""

    box: Box
    tablet: Tablet
    kept: frozenset[int]
    sent: int

    def visitor(self, request: str) -> socket.socket:
        """Send *request* from the desk PC, and listen no more."""
        made = open_socket(self.box.world_space, socket.AF_INET, socket.SOCK_STREAM)
        made.connect((ADDRESS, 8080))
        made.sendall(f"{request} HTTP/1.1\r\nHost: {ADDRESS}\r\n".encode())
        made.sendall(b"Content-Length: 200\r\n\r\npin=" if "POST" in request else b"\r\n")
        return made

    def page(self, path: str) -> str:
        status, text = asyncio.run(self.tablet.get(path))
        assert status == 200, (path, text)
        return text


@pytest.fixture(scope="module")
def studio(boots: Boots, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    disk = tmp_path_factory.mktemp("disk")
    ca = pki.make(tmp_path_factory.mktemp("pki"), (APP,), name="BookWell")
    with boots(disk) as box, box.beside("tests.system.vendor", str(ca.parent)):
        bring(box)
        box.write(CONFIG, STUDIO.replace("[box]", f"{closed_an_hour_ago()}\n[box]", 1) + SOURCES)
        box.write(CA, ca.read_text())
        box.write("/etc/resolv.conf", "nameserver 192.0.2.1\n")
        box.run("systemctl unmask cups.service cups.socket")
        box.run(f"systemctl enable --now cups.socket && {PRINTER}")
        box.run("systemctl stop cups.service")  # it writes its queues down after half a minute
        install(box)
        start(box)
        box.eventually("the day is read", lambda: CLIENT in box.page()[1], within_s=40)
        tablet = asyncio.run(team_member_at(box))
        writing = Writing(tablet)
        writing.start()
        box.eventually("it writes", lambda: len(writing.kept) >= WRITTEN_BEFORE_THE_CUT)
        box.cut_the_power()
        writing.join(60)
    with boots(disk, cut_off=True) as again:
        again.eventually("both are ready", lambda: again.active(WATCH) and again.active(DESK))
        tablet.move_to(again)
        # after a start the box asks for the PIN before it shows notes and whole names
        again.eventually("it answers", lambda: asyncio.run(tablet.get("/sign-in"))[0] == 200)
        assert asyncio.run(tablet.post("/unlock", secret=PIN, next="/paper")) == (303, "/paper")
        yield Studio(again, tablet, frozenset(writing.kept), writing.sent)


class Writing(threading.Thread):
    """Writes notes on paper from four windows at once until nobody answers any more."""

    def __init__(self, tablet: Tablet) -> None:
        super().__init__(daemon=True)
        self.tablet = tablet
        self.kept: set[int] = set()
        self.sent = 0

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._write() for _ in range(WRITERS)))

    async def _write(self) -> None:
        while True:
            self.sent += 1
            number = self.sent
            try:
                status, there = await self.tablet.post(
                    *("/paper/new",),
                    kind="note",
                    text=f"note {number}",
                    form=f"f{number}",
                    do="keep",
                )
            except (TimeoutError, OSError, aiohttp.ClientError):
                return
            assert status == 303, there
            self.kept.add(int(there.partition("kept=")[2].partition("&")[0]))


def closed_an_hour_ago() -> str:
    """Give opening hours that ended so that the day pack is due to be printed."""
    now = datetime.now(ZoneInfo("Europe/London"))
    begins, ends = now - timedelta(minutes=90), now - timedelta(minutes=60)
    hours = f"{begins:%H:%M}-{ends:%H:%M}" if begins.date() == ends.date() == now.date() else ""
    return f'opening_hours = "Mon-Sun {hours or "22:00-24:00"}"'


def today() -> str:
    return feed.today().isoformat()


def test_the_desk_page_shows_the_day_and_since_when(studio: Studio) -> None:
    studio.box.eventually(
        "it says that there is no internet", lambda: "No internet" in studio.box.page()[1]
    )
    page = studio.box.page()[1]
    assert CLIENT in page
    assert re.search(
        r"as of <strong>[^<]+</strong> <span class=\"age\">\((just now|\d+ min ago)", page
    )


@pytest.mark.parametrize("path", ["/book", "/book?by=time", "/next", "/pack/today", "/pack/{}"])
def test_the_book_and_the_pack_answer(path: str, studio: Studio) -> None:
    status, page = studio.box.page(path.format(today()))
    assert status == 200
    assert "as of" in page


def test_the_pack_comes_as_a_pdf_for_the_printer(studio: Studio) -> None:
    status, body = asyncio.run(studio.tablet.bytes_of(f"/pack/{today()}.pdf"))
    assert status == 200
    assert body.startswith(b"%PDF")


def test_the_next_days_pack_prints_itself_from_the_sandbox_on_a_real_queue(studio: Studio) -> None:
    box = studio.box
    box.eventually("CUPS has a job", lambda: "d00001-001" in box.out(f"ls {SPOOL}"), within_s=60)
    assert box.out(f"head -c 4 {SPOOL}/d00001-001") == "%PDF"
    note = "/var/lib/edge-watchdog/desk/printed.json"
    box.eventually("it is noted", lambda: box.run(f"test -e {note}", ok=False).code == 0)
    assert "edge-watchdog-desk" in box.out("lpstat -W completed -o")
    assert "is not printed yet" not in box.page()[1]


def test_no_entry_that_was_kept_is_lost_by_the_cut_and_none_is_there_twice(studio: Studio) -> None:
    numbers = [int(n) for n in re.findall(r'id="P-(\d+)"', studio.page("/paper"))]
    texts = re.findall(r">note (\d+)<", studio.page("/paper"))
    assert len(studio.kept) >= WRITTEN_BEFORE_THE_CUT
    assert studio.kept <= set(numbers)
    assert len(numbers) == len(set(numbers)) <= studio.sent
    assert WRITTEN_BEFORE_THE_CUT <= len(texts) == len(set(texts))


def test_more_can_be_written_and_the_numbers_go_on(studio: Studio) -> None:
    asyncio.run(studio.tablet.get("/paper/new?kind=booking"))
    booking = {
        "client": "Beth Carter",
        "member": "Mia",
        "service": "Fringe trim",
        "date": today(),
        "time": "21:30",
        "minutes": "15",
    }
    said = asyncio.run(
        studio.tablet.post("/paper/new", kind="booking", form="after", do="keep", **booking)
    )
    assert said[0] == 303, said
    assert int(said[1].partition("kept=")[2]) > max(studio.kept)
    assert "Beth Carter" in studio.page("/paper")


@pytest.mark.parametrize("unit", [WATCH, DESK])
def test_a_stop_ends_in_time_whatever_is_under_way(unit: str, studio: Studio) -> None:
    box = studio.box
    box.run(f"systemd-run -qu names {PY} {SILENT_NAMES!r}", ok=False)
    box.write("/etc/resolv.conf", "nameserver 127.0.0.53\noptions timeout:30 attempts:5\n")
    box.run(f"systemctl restart {unit}")
    box.eventually("it is back", lambda: box.page()[0] == 200 and box.active(unit))
    with contextlib.ExitStack() as visitors:
        for request in (STREAM, HALF_A_FORM, PDF):
            visitors.enter_context(studio.visitor(request))
        box.eventually("names are asked for", lambda: box.out("ss -Hun dst 127.0.0.53") != "")
        box.run(f"systemctl stop {unit}")
        # whoever is not done when TimeoutStopSec is over is killed, and the result is "timeout"
        assert box.show(unit, "Result") == "success", box.journal(unit)
    box.run(f"systemctl start {unit}")


def test_a_clock_that_stood_still_meanwhile_is_told_and_the_day_is_there_all_the_same(
    studio: Studio,
) -> None:
    box = studio.box
    box.write(f"{VENV}/no_clock.pth", f"{THREE_DAYS_AGO}\n")
    box.run(f"systemctl restart {WATCH} {DESK}")
    box.eventually("it is back", lambda: box.page()[0] == 200)
    for path in ("/", "/book", f"/pack/{today()}"):
        page = box.page(path)[1]
        assert CLIENT in page, path
        assert "age unknown, clock not set" in page, path
        assert not re.search(r"\d (min|h|days) ago", page), path
    assert "The clock is not set yet" in box.page()[1]
    # a session that seems to begin in the future holds no more; the PIN does
    assert asyncio.run(sign_in(studio.tablet)) == 303
    assert ">note 1<" in studio.page("/paper")


def test_of_all_that_was_read_and_written_nothing_stands_outside_the_sealed_day(
    studio: Studio,
) -> None:
    box = studio.box
    people = {"Beth Carter", "Beth C.", *re.findall(r"SUMMARY:.* - (.+)", feed.of_today())}
    private = {*people, "07700 900", "Prefers the window", "note 1"}
    box.write("/root/private", "\n".join(sorted(one.strip() for one in private)))
    box.run("journalctl --no-pager --output=export >/root/journal.txt")
    box.run(f"systemctl status --no-pager --full {WATCH} {DESK} >/root/status.txt", ok=False)
    box.run("journalctl --flush --sync")
    places = "/root/*.txt /var/log /run/log /run/edge-watchdog /var/lib/edge-watchdog /tmp"
    found = box.run(f"grep -D skip -rlaFf /root/private {places}", ok=False).out
    assert found == ""
