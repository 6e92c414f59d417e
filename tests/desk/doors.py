"""Browsers for the tests of who may see what: cookies, forms, and roles on a running desk half."""

import re
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp

from edge_watchdog.clock import SystemClock
from edge_watchdog.daybook import setup_code
from tests.desk.studio import Running

PASSWORD, PIN = "three calm words", "482915"
OPEN_LINE = {"Forwarded": "for=192.0.2.7"}  # then this machine does not count as its own


@dataclass
class Browser:
    """One browser; *headers* go with every request."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    jar: aiohttp.CookieJar = field(default_factory=lambda: aiohttp.CookieJar(unsafe=True))
    token: str = ""
    ssl: bool = True

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self._session() as session:
            more = {**self.headers, **headers}
            async with session.get(
                self.url + path, headers=more, allow_redirects=False, ssl=self.ssl
            ) as answer:
                text = await answer.text()
        found = re.search(r'name="csrf" value="(\w+)"', text)
        self.token = found[1] if found else self.token
        return answer.status, text

    async def post(self, path: str, **fields: object) -> tuple[int, str]:
        """Send a form with the token of the last page."""
        data = {"csrf": self.token, **{name: str(value) for name, value in fields.items()}}
        origin = {"Origin": self.url, **self.headers}
        async with (
            self._session() as session,
            session.post(
                self.url + path, data=data, headers=origin, allow_redirects=False, ssl=self.ssl
            ) as answer,
        ):
            text = await answer.text()
            return answer.status, answer.headers.get("Location", text)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(cookie_jar=self.jar)

    def cookies(self) -> dict[str, str]:
        return {one.key: one.value for one in self.jar}


_B = TypeVar("_B", bound=Browser)


def new_setup_code(desk: Running) -> str:
    return setup_code.leave(desk.folder / "state", SystemClock().now().wall)


async def owner_of(desk: Running, url: str = "", **more: object) -> Browser:
    """Set the box up and give the owner's browser."""
    browser = Browser(url or desk.url, **more)  # type: ignore[arg-type]
    await browser.get("/setup")  # it is up now, and has made its folder
    fields = {"password": PASSWORD, "again": PASSWORD}
    status, there = await browser.post("/setup", code=new_setup_code(desk), **fields)
    assert (status, there) == (303, "/owner/people")
    await browser.get("/owner/people")
    return browser


async def device_of(owner: _B, name: str = "tablet", url: str = "", **more: object) -> _B:
    """Pair another browser by a code of the owner's."""
    _, page = await owner.post("/owner/devices/code", name=name)
    found = re.search(r'class="code">([\w-]+)<', page)
    assert found
    browser = type(owner)(url or owner.url, **{"ssl": owner.ssl, **more})  # type: ignore[arg-type]
    status, _ = await browser.post("/pair", code=found[1])
    assert status == 303
    return browser


async def sign_in(device: Browser, name: str = "Mia", pin: str = PIN) -> int:
    """Sign a team member in on a paired device; gives the status."""
    _, page = await device.get("/sign-in")
    found = re.search(rf'value="(\d+)" required><span>{name}<', page)
    assert found, page
    status, _ = await device.post("/sign-in", person=found[1], pin=pin, next="/")
    await device.get("/sign-in")
    return status


async def staff_of(owner: Browser, name: str = "Mia") -> Browser:
    """Add a team member and sign them in on a device of their own."""
    assert (await owner.post("/owner/people/add", name=name, pin=PIN))[0] == 303
    device = await device_of(owner, f"tablet of {name}")
    assert await sign_in(device, name) == 303
    return device
