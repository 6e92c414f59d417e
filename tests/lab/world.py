"""The one process behind all servers of the lab: name servers, web servers, the hooks' sink.

In: the lab's id and folder, and orders as JSON lines on ``control.sock``.  Out: answers to whoever
asks in the lab's namespaces.  The process itself stays outside them; only its sockets are inside.
When its standard input closes, the lab's owner is gone: it sweeps the lab and ends.
"""

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.lab import dns, pki, vendor
from tests.lab.manifest import Manifest
from tests.lab.netns import inside
from tests.lab.places import (
    ANCHORS,
    APP,
    CARRIER_ADDRESS,
    CARRIER_RESOLVER,
    CONNECTIVITY,
    FILTER_PORTS,
    HOOKS,
    HOSTS,
    ISP_RESOLVER,
    LIE_ADDRESS,
    PORTAL_PORT,
    ROUTER_ADDRESS,
    SECOND_CHECK,
    SIGN_IN_PORT,
    SINK_ADDRESS,
    STATUS,
    Place,
)

IP_FREEBIND = 15
DISCARD_PORT = 9


def bound(address: str, port: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Make a socket in the present namespace; the address may still be on its way."""
    made = socket.socket(socket.AF_INET, kind)
    made.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.setblocking(False)
    return made


async def serve_names(stage: vendor.Stage, prefix: str) -> list[asyncio.Server]:
    """Start every name server; words for "isp-names" make the provider's misbehave, and so on."""
    servers = []
    for place, addresses in (
        (Place.INTERNET, [anchor.address for anchor in ANCHORS]),
        (Place.ISP, [ISP_RESOLVER]),
        (Place.CARRIER, [CARRIER_RESOLVER]),
    ):
        words = functools.partial(stage.of, f"{place}-names")
        for address in addresses:
            with inside(prefix + place):
                udp, tcp = bound(address, 53, socket.SOCK_DGRAM), bound(address, 53)
            servers.append(await dns.serve(udp, tcp, HOSTS, words))
    return servers


async def serve_web(stage: vendor.Stage, prefix: str, folder: Path) -> None:
    """Start every web server: in clear, with TLS, and as a filter on the router shows it."""
    tls, forged = (pki.server_context(folder / name) for name in ("pki", "filter_pki"))
    for host, app in (
        (CONNECTIVITY, vendor.checks(stage)),
        (SECOND_CHECK, vendor.checks(stage)),
        (APP, vendor.app(stage)),
        (STATUS, vendor.status_page(stage)),
        (HOOKS, vendor.hooks(stage)),
    ):
        with inside(prefix + Place.INTERNET):
            plain, secure = bound(HOSTS[host], 80), bound(HOSTS[host], 443)
        with inside(prefix + Place.ROUTER):
            filtered = bound("0.0.0.0", FILTER_PORTS[HOSTS[host]])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, plain).start()
        await web.SockSite(runner, secure, ssl_context=tls).start()
        await web.SockSite(runner, filtered, ssl_context=forged).start()


async def serve_in_the_way(stage: vendor.Stage, prefix: str, folder: Path) -> None:
    """Start the pages that people get instead of what they asked for, and who tells of them."""
    for place, address, port, app in (
        (Place.ROUTER, "0.0.0.0", PORTAL_PORT, vendor.portal(stage, ROUTER_ADDRESS)),
        (Place.CARRIER, "0.0.0.0", PORTAL_PORT, vendor.portal(stage, CARRIER_ADDRESS)),
        (Place.ISP, LIE_ADDRESS, 80, vendor.search_help(stage)),
    ):
        with inside(prefix + place):
            door = bound(address, port)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.SockSite(runner, door).start()
    with inside(prefix + Place.ROUTER):
        door = bound("0.0.0.0", SIGN_IN_PORT)
    runner = web.AppRunner(vendor.sign_in(stage), access_log=None)
    await runner.setup()
    tls = pki.server_context(folder / "pki")
    await web.SockSite(runner, door, ssl_context=tls).start()


async def serve_sink(prefix: str) -> asyncio.Server:
    """Start the service that throws away what it gets."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 16):
                pass
        writer.close()

    with inside(prefix + Place.INTERNET):
        door = bound(SINK_ADDRESS, DISCARD_PORT)
    return await asyncio.start_server(swallow, sock=door)


async def obey(stage: vendor.Stage, order: dict[str, Any]) -> object:
    """Carry out one order and give the answer."""
    match order:
        case {"do": "behave", "words": words}:
            await stage.tell(frozenset(words))
        case {"do": "feed", "text": text}:
            stage.feed_text = text
        case {"do": "sink"}:
            return stage.sink
        case {"do": "asked"}:
            return list(stage.asked)
        case {"do": "forget"}:
            stage.sink.clear()
            stage.asked.clear()
        case _:
            return {"error": f"unknown order {order!r}"}
    return {"ok": True}


async def serve_control(stage: vendor.Stage, path: Path) -> asyncio.Server:
    """Take orders on a Unix socket, one JSON value a line."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await obey(stage, json.loads(line))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(talk, path, limit=1 << 24)


async def run(manifest: Manifest) -> bool:
    """Serve until told to end; gives True if the lab's owner vanished."""
    stage = vendor.Stage()
    over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def end(orphaned: bool) -> None:
        if not over.done():
            over.set_result(orphaned)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, end, False)
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_reader(sys.stdin.fileno(), end, True)
    servers = await serve_names(stage, manifest.prefix)
    await serve_web(stage, manifest.prefix, manifest.folder)
    await serve_in_the_way(stage, manifest.prefix, manifest.folder)
    servers.append(await serve_sink(manifest.prefix))
    servers.append(await serve_control(stage, manifest.folder / "control.sock"))
    return await over


def main() -> None:
    """Run the world of one lab: ``world.py ID FOLDER``."""
    manifest = Manifest(sys.argv[1], Path(sys.argv[2]))
    os.setsid()
    if asyncio.run(run(manifest)):
        manifest.remove(spare=os.getpid())


if __name__ == "__main__":
    main()
