import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.lab import Lab, demo
from tests.lab.faults import FAULTS
from tests.lab.lab import missing
from tests.lab.panel import Panel
from tests.patience import air, until
from tests.ports import free_ports

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"a lab needs {missing()}")

PAGE_IN_BOX = """
import asyncio
from aiohttp import web

async def tell(request):
    return web.json_response({
        "host": request.host, "origin": request.headers.get("Origin"), "from": request.remote,
        "method": request.method, "path": request.path_qs, "body": await request.text(),
    })

async def stream(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for count in range(1000):
        await response.write(f"data: {count}\\n\\n".encode())
        await asyncio.sleep(0.05)

app = web.Application()
app.router.add_get("/stream", stream)
app.router.add_route("*", "/{path:.*}", tell)
web.run_app(app, host="0.0.0.0", port=8080, print=None)
"""
MIND = {
    "uplinks": [
        {"name": "broadband", "role": "in use", "health": "up", "cause": ""},
        {"name": "LTE stick", "role": "standby", "health": "down", "cause": "cable out"},
    ]
}


@pytest.fixture(scope="module")
def lab():
    with Lab() as standing:
        standing.box.popen([sys.executable, "-c", PAGE_IN_BOX])
        page = ["curl", "-s", "-o", "/dev/null", f"http://{standing.box_address}:8080/"]
        until(lambda: standing.desk_pc.run(page).returncode == 0, 5)
        yield standing


@pytest.fixture
async def site(lab, tmp_path) -> AsyncIterator[tuple[str, str, Panel]]:
    """Serve the demo of a box whose page tells what it was asked."""
    port = free_ports(2)[0]
    panel = Panel(lab, tmp_path / "daemon.log", lambda: MIND, port + 1)
    (tmp_path / "daemon.log").write_text("the box speaks\nunfinished")
    async with demo.serving(panel, port):
        yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}", panel
    lab.heal_all()


async def next_event(answer: aiohttp.ClientResponse, kind: str) -> dict[str, Any]:
    while True:
        name = (await answer.content.readline()).decode().strip().removeprefix("event: ")
        data = (await answer.content.readline()).decode().removeprefix("data: ")
        await answer.content.readline()
        if name == kind:
            return dict(json.loads(data))


async def test_the_desk_page_is_asked_as_a_browser_on_the_lan_would(site, lab):
    _control, desk, _panel = site
    async with aiohttp.ClientSession() as session:
        answer = await session.post(
            f"{desk}/a%2Fb?c=1", data="hello", headers={"Origin": desk, "Cookie": "x=1"}
        )
        told = await answer.json()
    address = f"{lab.box_address}:8080"
    assert told["host"] == address
    assert told["origin"] == f"http://{address}"
    assert told["from"] == lab.box_address
    assert (told["method"], told["path"], told["body"]) == ("POST", "/a%2Fb?c=1", "hello")


async def test_an_event_stream_comes_through_as_it_is_written(site):
    _control, desk, _panel = site
    async with aiohttp.ClientSession() as session, session.get(f"{desk}/stream") as answer:
        assert await asyncio.wait_for(answer.content.readline(), air(2)) == b"data: 0\n"
        await answer.content.readline()
        assert await asyncio.wait_for(answer.content.readline(), air(2)) == b"data: 1\n"


async def test_the_page_answers_calmly_while_the_box_does_not(site, lab):
    _control, desk, _panel = site
    async with aiohttp.ClientSession() as session:
        lab.box.run(["nft", "add table inet deaf"])
        lab.box.run(["nft", "add chain inet deaf in { type filter hook input priority 0; }"])
        lab.box.run(["nft", "add rule inet deaf in tcp dport 8080 reject with tcp reset"])
        answer = await session.get(desk)
        lab.box.run(["nft", "delete table inet deaf"])
        assert answer.status == 502
        assert "does not answer" in await answer.text()


async def test_a_click_injects_and_another_heals(site, lab):
    control, _desk, _panel = site
    async with aiohttp.ClientSession() as session, session.get(f"{control}/events") as events:
        assert (await next_event(events, "line"))["text"] == "the box speaks"
        state = await next_event(events, "state")
        assert (state["present"], state["mind"]) == ([], MIND)
        assert "from all lookup main" in state["routes"]
        answer = await session.post(f"{control}/faults/blackhole/inject")
        assert answer.status == 204
        assert lab.present == ("blackhole",)
        assert (await next_event(events, "line"))["text"].startswith(
            "inject blackhole - The router"
        )
        assert (await next_event(events, "state"))["present"] == ["blackhole"]
        again = await session.post(f"{control}/faults/blackhole/inject")
        assert (again.status, await again.text()) == (409, "blackhole is present already")
        await session.post(f"{control}/faults/blackhole/heal")
        assert lab.present == ()


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
    ids=["another host", "another site", "no site"],
)
async def test_other_sites_cannot_break_anything(site, lab, headers):
    control, _desk, _panel = site
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{control}/faults/blackhole/inject", headers=headers)
        assert answer.status == 403
    assert lab.present == ()


async def test_the_page_offers_every_fault(site):
    control, _desk, _panel = site
    async with aiohttp.ClientSession() as session:
        text = await (await session.get(control)).text()
        assert all(json.dumps(fault.says) in text for fault in FAULTS)
        assert (await session.get(f"{control}/page/page.js")).status == 200
