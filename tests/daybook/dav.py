"""Two CalDAV servers that strangers wrote, each in its own process, and a way to break them."""

import base64
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook.caldav import CalDav
from edge_watchdog.daybook.registry import CalDavOptions
from tests.ports import free_ports

USER, PASSWORD = "desk", "six-words-of-salt"
START_S = 20.0
RADICALE = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
[logging]
level = error
"""


@dataclass
class Server:
    """A running server; *home* is the path below which calendars are made."""

    name: str
    folder: Path
    home: str
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password_file(self) -> str:
        path = self.folder / "password"
        path.write_text(f"{PASSWORD}\n")
        return str(path)

    def start(self) -> None:
        self.port = self.port or free_ports(1)[0]
        self.process = subprocess.Popen(
            self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder
        )
        wait_for(self.port)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _command(self) -> list[str]:
        programs = Path(sys.executable).parent
        if self.name == "radicale":
            (self.folder / "users").write_text(f"{USER}:{PASSWORD}\n")
            config = self.folder / "config"
            config.write_text(RADICALE.format(port=self.port, folder=self.folder))
            return [str(programs / "radicale"), "--config", str(config)]
        state = self.folder / "state"
        return [
            *(str(programs / "xandikos"), "serve", "-d", str(self.folder / "data")),
            *("--defaults", "--state-dir", str(state), "--no-detect-systemd"),
            *("-l", "127.0.0.1", "-p", str(self.port)),
        ]


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Server]:
    home = {"radicale": f"/{USER}/", "xandikos": "/user/calendars/"}[name]
    server = Server(name, folder, home)
    (folder / "data").mkdir(exist_ok=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def wait_for(port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not start")


@dataclass
class Owner:
    """The person at the other end: makes calendars and entries over plain HTTP."""

    server: Server

    async def make(self, calendar: str) -> str:
        body = (
            '<?xml version="1.0"?><C:mkcalendar xmlns="DAV:" '
            'xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>'
            f"<displayname>{calendar}</displayname></prop></set></C:mkcalendar>"
        )
        path = f"{self.server.home}{calendar.lower()}/"
        await self.send("MKCALENDAR", path, body)
        return path

    async def put(self, calendar: str, uid: str, *events: str) -> None:
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
        for event in events:
            lines += ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20261101T000000Z"]
            lines += [*event.strip().splitlines(), "END:VEVENT"]
        body = "\r\n".join([*lines, "END:VCALENDAR", ""])
        await self.send("PUT", f"{self.server.home}{calendar.lower()}/{uid}.ics", body)

    async def delete(self, calendar: str, uid: str) -> None:
        await self.send("DELETE", f"{self.server.home}{calendar.lower()}/{uid}.ics", "")

    async def send(self, method: str, path: str, body: str) -> None:
        async with (
            aiohttp.ClientSession(headers=authorized()) as session,
            session.request(
                method,
                f"{self.server.url}{path}",
                data=body.encode(),
                headers={"Content-Type": "text/calendar" if method == "PUT" else "text/xml"},
            ) as response,
        ):
            assert response.status < 300, (method, path, response.status, await response.text())


def authorized() -> dict[str, str]:
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


@dataclass
class Between:
    """A proxy in front of a server: counts, and answers itself when *breaks* says so."""

    server: Server
    url: str = ""
    breaks: Callable[["Between", web.Request, bytes], web.Response | None] = (
        lambda _self, _request, _body: None
    )
    seen: list[str] = field(default_factory=list)
    adds_login: bool = False

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        names = ("calendar-multiget", "calendar-query", "sync-collection")
        name = next((one for one in names if one.encode() in body), "")
        self.seen.append(f"{request.method} {name}".strip())
        broken = self.breaks(self, request, body)
        if broken is not None:
            return broken
        target = URL(f"{self.server.url}{request.raw_path}", encoded=True)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(
                request.method,
                target,
                data=body,
                headers={
                    **{k: v for k, v in request.headers.items() if k != "Host"},
                    **(authorized() if self.adds_login else {}),
                },
                allow_redirects=False,
            ) as response,
        ):
            kept = ("Content-Type", "ETag", "Location", "Content-Encoding", "DAV")
            headers = {k: v for k, v in response.headers.items() if k in kept}
            answer = await response.read()
        return web.Response(status=response.status, body=answer, headers=headers)


@asynccontextmanager
async def between(server: Server) -> AsyncIterator[Between]:
    proxy = Between(server)
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield proxy
    finally:
        await runner.cleanup()


def connect(server: Server, url: str, *calendars: str, user: str = USER) -> CalDav:
    return options(server, url, *calendars, user=user).build(SystemClock(), None)


def options(server: Server, url: str, *calendars: str, user: str = USER) -> CalDavOptions:
    return CalDavOptions(
        url=Url(url),
        user=user,
        password_file=FilePath(server.password_file),
        calendars=calendars,
    )
