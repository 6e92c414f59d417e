"""Connections of a dead line are ended by the kernel, and only those."""

import asyncio
import socket

from edge_watchdog.links.evict import end_connections


async def connected(address: str) -> tuple[socket.socket, socket.socket]:
    loop = asyncio.get_running_loop()
    with socket.create_server((address, 0)) as server:
        server.setblocking(False)
        near = socket.socket()
        near.setblocking(False)
        near.bind((address, 0))
        await loop.sock_connect(near, server.getsockname())
        far, _ = await loop.sock_accept(server)
    return near, far


async def test_connections_from_one_address_end_and_others_live() -> None:
    dead, dead_far = await connected("127.0.0.77")
    alive, alive_far = await connected("127.0.0.78")
    try:
        assert await end_connections("127.0.0.77") >= 1
        assert dead.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        assert alive.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    finally:
        for one in (dead, dead_far, alive, alive_far):
            one.close()
