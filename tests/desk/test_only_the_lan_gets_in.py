"""The desk half between a LAN and a way out, on real interfaces: only the LAN is answered."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and iproute2"
)

ROOT = str(Path(__file__).parent.parent.parent)
NAME = f"ewd{os.getpid()}"
BOX, PC, STRANGER = f"{NAME}b", f"{NAME}p", f"{NAME}s"
SERVE = """
import asyncio, sys
from edge_watchdog.desk.app import serve
from edge_watchdog.desk.settings import DeskSettings
folder = sys.argv[1]
asyncio.run(serve(DeskSettings("Lotus Room", "Europe/London", folder, folder + "/none.sock",
                               folder + "/key/k", listen_port=8080, lan_interfaces=("lan0",))))
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def wire(other: str, ours: str, address: str, theirs: str) -> None:
    link = f"{NAME}x"
    ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", other)
    ip("link", "set", link, "netns", BOX, "name", ours)
    for place, name, at in ((BOX, ours, address), (other, "eth0", theirs)):
        ip("-n", place, "addr", "add", at, "dev", name)
        ip("-n", place, "link", "set", name, "up")


@contextlib.contextmanager
def network() -> Iterator[None]:
    made = []
    try:
        for place in (BOX, PC, STRANGER):
            ip("netns", "add", place)
            made.append(place)
            ip("-n", place, "link", "set", "lo", "up")
        wire(PC, "lan0", "192.168.50.2/24", "192.168.50.10/24")
        wire(STRANGER, "wan0", "203.0.113.2/24", "203.0.113.9/24")
        ip("-n", STRANGER, "route", "add", "192.168.50.0/24", "via", "203.0.113.2")
        yield
    finally:
        for place in made:
            ip("netns", "del", place)


async def asked(place: str, url: str, *more: str) -> str:
    """Give the status that curl sees, "000" when nobody answers."""
    curl = await asyncio.create_subprocess_exec(
        *("ip", "netns", "exec", place, "curl", "-s", "-m", "3", "-o", "/dev/null"),
        *("-w", "%{http_code}", *more, url),
        stdout=asyncio.subprocess.PIPE,
    )
    return (await curl.communicate())[0].decode()


async def test_only_the_lans_side_is_answered(tmp_path) -> None:
    with network():
        desk = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", BOX, sys.executable, "-c", SERVE, str(tmp_path)),
            env={**os.environ, "PYTHONPATH": ROOT},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            for _ in range(600):
                if await asked(PC, "http://192.168.50.2:8080/") == "200":
                    break
                await asyncio.sleep(0.1)
            found = {
                "pc": await asked(PC, "http://192.168.50.2:8080/"),
                "itself": await asked(BOX, "http://127.0.0.1:8080/"),
                "by a strange name": await asked(
                    PC, "http://192.168.50.2:8080/", "-H", "Host: evil.example"
                ),
                "stranger, way out": await asked(STRANGER, "http://203.0.113.2:8080/"),
                "stranger, LAN address": await asked(STRANGER, "http://192.168.50.2:8080/"),
                "the box by its way out": await asked(BOX, "http://203.0.113.2:8080/"),
            }
        finally:
            desk.terminate()
            await desk.wait()
    assert found == {
        "pc": "200",
        "itself": "200",
        "by a strange name": "421",
        "stranger, way out": "000",
        "stranger, LAN address": "000",
        "the box by its way out": "000",
    }
