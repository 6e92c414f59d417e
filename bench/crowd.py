"""Many people at the desk page at once: each opens it, looks for a moment, opens it again.

    python -m bench.crowd URL CLIENTS

Runs until it is ended.
"""

import asyncio
import contextlib
import sys

import aiohttp

LOOKS_S = 0.5


async def client(session: aiohttp.ClientSession, url: str) -> None:
    """Open the page for ever."""
    while True:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(url) as page:
                await page.read()
        await asyncio.sleep(LOOKS_S)


async def main(url: str, clients: int) -> None:
    """Have *clients* of them."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        await asyncio.gather(*(client(session, url) for _ in range(clients)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
