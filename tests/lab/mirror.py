"""The desk page of the box, on this machine's loopback: a relay whose sockets live in the box.

In: requests of a browser on the host.  Out: the answers of the desk half, streamed as they come.
Host and Origin are rewritten to the box's own address, as the browser of the desk PC would say
them; nothing else is changed.
"""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from tests.lab.netns import open_socket

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}
)
WAITING = """<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<body style="font:1rem/1.5 system-ui;margin:3rem;color:#555">
The desk page does not answer yet, or not any more.
<small>It is asked again every two seconds.</small>"""


def mirror(namespace: str, address: str) -> web.Application:
    """Make the relay to *address* ("192.0.2.7:8080") as seen from inside *namespace*."""
    origin = f"http://{address}"

    def inside_box(info: Any) -> Any:
        made = open_socket(namespace, info[0], info[1])
        made.setblocking(False)
        return made

    async def session(app: web.Application) -> AsyncIterator[None]:
        # One connector for all; a page keeps its event stream open for hours.
        connector = aiohttp.TCPConnector(socket_factory=inside_box, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=2)
        app[client] = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False
        )
        yield
        await app[client].close()

    async def relay(request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        headers |= {"Host": address}
        for name in ("Origin", "Referer"):
            if name in headers:
                headers[name] = headers[name].replace(f"http://{request.host}", origin, 1)
        try:
            async with request.app[client].request(
                request.method,
                origin + request.raw_path,
                headers=headers,
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                return await _pass_on(request, answer)
        except aiohttp.ClientConnectionError:
            return web.Response(status=502, text=WAITING, content_type="text/html")

    client = web.AppKey("client", aiohttp.ClientSession)
    app = web.Application(client_max_size=16 << 20)
    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", relay)
    return app


async def _pass_on(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    for name, value in answer.headers.items():
        if name.lower() not in HOP_BY_HOP | {"content-length"}:
            response.headers.add(name, value)
    if answer.content_length is not None:
        response.content_length = answer.content_length
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    except aiohttp.ClientError:
        return response  # the box went away in the middle; the browser asks again
    await response.write_eof()
    return response
