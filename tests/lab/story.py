"""A pulled cable, played unattended: what the box did and when, against what it should do.

In: a running demo.  Out: a timeline on standard output and an exit status: 0 when route and page
were right at every step.
"""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from edge_watchdog.core.view import StudioView
from tests.lab.daemon import Daemon
from tests.lab.netns import boottime_s
from tests.lab.panel import Panel
from tests.lab.places import CONNECTIVITY, HOSTS

BROADBAND, BACKUP = ("broadband", "wan0"), ("LTE stick", "lte0")
PAGE_S, ROUTE_S, BACK_S = 60.0, 20.0, 120.0  # bounds; how long it took is printed


@dataclass(slots=True)
class Timeline:
    """Prints each step with the seconds since *start*, and remembers whether all was right."""

    start: float
    ok: bool = True

    def note(self, text: str, *, right: bool = True) -> None:
        """Print one step."""
        self.ok = self.ok and right
        mark = "" if right else "   <-- wrong"
        print(f"{boottime_s() - self.start:7.2f} s  {text}{mark}", flush=True)


async def play(panel: Panel, daemon: Daemon, page: str) -> int:
    """Play it; gives the exit status."""
    line = Timeline(boottime_s())
    await _expect(line, daemon, BROADBAND, page, ROUTE_S)
    await panel.change("cable_out", "inject")
    line.start = boottime_s()
    line.note("the cable of the broadband router is pulled")
    await _expect(line, daemon, BACKUP, page, ROUTE_S)
    await _visit(line, panel)
    await panel.change("cable_out", "heal")
    line.note("the cable is back in")
    await _expect(line, daemon, BROADBAND, page, BACK_S)
    await _visit(line, panel)
    print("All was right." if line.ok else "Not all was right.")
    return 0 if line.ok else 1


async def _expect(
    line: Timeline, daemon: Daemon, uplink: tuple[str, str], page: str, within_s: float
) -> None:
    """See that the box uses *uplink*, by its route and by its page."""
    name, interface = uplink

    async def routed() -> bool:
        return await asyncio.to_thread(daemon.overlay) in (interface, _unsteered(interface))

    line.note(f"new connections leave by {interface}", right=await _until(routed, within_s))
    view = await asyncio.to_thread(_view_using, daemon, name)
    headline = view.banner.headline if view else "nothing"
    shown = await _until(lambda: _page_says(page, headline), PAGE_S)
    line.note(f'the desk page says "{headline}"', right=view is not None and shown)


def _unsteered(interface: str) -> str:
    """On the preferred line the overlay may as well be empty: the system's own route is right."""
    return "" if interface == BROADBAND[1] else interface


def _view_using(daemon: Daemon, name: str) -> StudioView | None:
    try:
        return daemon.wait(lambda view: view.active == name, ROUTE_S)
    except AssertionError:
        return None


async def _until(is_so: Callable[[], Awaitable[bool]], within_s: float) -> bool:
    end = boottime_s() + within_s
    while not await is_so():
        if boottime_s() > end:
            return False
        await asyncio.sleep(0.05)
    return True


async def _page_says(page: str, words: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(page) as answer:
            text = html.unescape(re.sub(r"<[^>]*>", " ", await answer.text()))
            return answer.status == 200 and " ".join(words.split()) in " ".join(text.split())
    except aiohttp.ClientError:
        return False


async def _visit(line: Timeline, panel: Panel) -> None:
    """Have a program in the box open a new connection to the internet, as any other would."""
    argv = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{local_ip}", "-m", "5"]
    url = f"http://{HOSTS[CONNECTIVITY]}/204"
    done = await asyncio.to_thread(panel.lab.box.run, [*argv, url])
    code, _, address = done.stdout.partition(" ")
    line.note(f"a program in the box reaches the internet, from {address}", right=code == "204")
