"""``python -m tests.lab.demo``: the studio in a box, to look at and to break.

In: nothing but root and a browser.  Out: on this machine's loopback the desk page as the box serves
it, beside it the faults as switches.  Outside the lab nothing is touched; Ctrl-C removes it all.
"""

import argparse
import asyncio
import contextlib
import errno
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web

from edge_watchdog.bridge import BridgeError
from tests.lab import story
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab, missing
from tests.lab.mirror import mirror
from tests.lab.panel import Panel, application

LOOPBACK = "127.0.0.1"
DESK_PORT_IN_BOX = 8080
EXTRA = '[timing]\nfailback_after = "10s"\n'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; gives the exit status."""
    args = arguments(argv)
    if lacking := missing():
        print(f"The demo makes network namespaces; here it lacks: {', '.join(lacking)}.")
        print("Programs come from Debian: apt-get install iproute2 nftables dnsmasq-base")
        print("mosquitto busybox.  Without root, this watches the lines of this machine: make run")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return asyncio.run(run(args))
    except KeyboardInterrupt:
        print("\nThe studio is taken down.")
        return 0
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"Port {args.port} or {args.port + 1} is taken; choose another with --port.")
        return 1


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8800, help="of the page; the next is used too")
    parser.add_argument("--for", type=float, dest="seconds", metavar="SECONDS", help="then stop")
    parser.add_argument(
        "--script", action="store_true", help="play a pulled cable unattended, print what happened"
    )
    return parser.parse_args(argv)


async def run(args: argparse.Namespace) -> int:
    """Have the studio stand until it is over; gives the exit status."""
    print("The studio is being built ...", flush=True)
    with Lab() as lab:
        daemon = Daemon(
            lab,
            lab.folder / "demo",
            phone=True,
            frame_ancestors=tuple(f"http://{name}:{args.port}" for name in (LOOPBACK, "localhost")),
            extra=EXTRA,
        )
        panel = Panel(lab, daemon.log, lambda: mind_of(daemon), desk_port=args.port + 1)
        async with serving(panel, args.port):
            print(f"Open http://{LOOPBACK}:{args.port}/  (Ctrl-C ends it)", flush=True)
            async with started(daemon):
                return await play(args, panel, daemon)


async def play(args: argparse.Namespace, panel: Panel, daemon: Daemon) -> int:
    """Tell the story, or wait for people and for the end."""
    if args.script:
        page = f"http://{LOOPBACK}:{panel.desk_port}/"
        return await story.play(panel, daemon, page)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), args.seconds)
    print("The studio is taken down.")
    return 0


@asynccontextmanager
async def started(daemon: Daemon) -> AsyncIterator[None]:
    """Have the daemon run; it needs a moment to know its lines, and who waits may leave."""
    starting = asyncio.create_task(asyncio.to_thread(daemon.__enter__))
    try:
        await asyncio.shield(starting)
        yield
    finally:
        await asyncio.to_thread(daemon.stop)


@asynccontextmanager
async def serving(panel: Panel, port: int) -> AsyncIterator[None]:
    """Serve both pages on the loopback and follow what happens."""
    hosts = frozenset(f"{name}:{port}" for name in (LOOPBACK, "localhost"))
    address = f"{panel.lab.box_address}:{DESK_PORT_IN_BOX}"
    async with AsyncExitStack() as stack:
        for app, at in (
            (application(panel, hosts), port),
            (mirror(panel.lab.box.namespace, address), panel.desk_port),
        ):
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, LOOPBACK, at).start()
        followers = [asyncio.create_task(f()) for f in (panel.follow_log, panel.follow_state)]
        try:
            yield
        finally:
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)


def mind_of(daemon: Daemon) -> dict[str, Any]:
    """Give what the mind shows of each uplink, or why that cannot be had."""
    try:
        view = daemon.view()
    except (BridgeError, OSError) as error:
        return {"trouble": str(error)}
    return {
        "uplinks": [
            {"name": u.name, "role": u.role, "health": u.health, "cause": u.cause}
            for u in view.uplinks
        ]
    }


if __name__ == "__main__":
    sys.exit(main())
