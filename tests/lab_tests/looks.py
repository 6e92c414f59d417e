"""What the box sees of the lab, by plain ping, curl and one DNS question."""

import json
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable

from tests.lab import Lab
from tests.lab.dns import FRESH, FRESH_ADDRESS
from tests.lab.places import (
    ANCHORS,
    APP,
    CONNECTIVITY,
    HOOKS,
    HOSTS,
    ISP_RESOLVER,
    ROUTER_ADDRESS,
    STATUS,
    STICK_ADDRESS,
)
from tests.patience import air

WAIT_S = 1.0
QUICK = ("--max-time", str(WAIT_S))  # for a look at all at once, which is done again if need be
IP_RECVERR = 11
RCODES = {2: "server failed", 3: "no such name"}
HEALTHY = {
    "carrier": "1",
    "router": "answers",
    "provider": "answers",
    "alpha": "answers",
    "beta": "answers",
    "delta": "answers",
    "router names": FRESH_ADDRESS,
    "provider names": FRESH_ADDRESS,
    "anchor names": FRESH_ADDRESS,
    "missing name": "no such name",
    "web": "204",
    "app": "200",
    "status": "none",
    "feed": "200",
    "hooks": "200",
    "lte": "answers",
    "lte names": FRESH_ADDRESS,
    "lte web": "204",
    "phone": "answers",
}


def look(lab: Lab) -> dict[str, str]:
    """Look at everything at once and give what was seen by the names of HEALTHY."""
    looks: dict[str, Callable[[], str]] = {
        "carrier": lambda: carrier(lab, "wan0"),
        "router": lambda: ping(lab, ROUTER_ADDRESS),
        "provider": lambda: ping(lab, ISP_RESOLVER),
        "alpha": lambda: ping(lab, ANCHORS[0].address),
        "beta": lambda: ping(lab, ANCHORS[2].address),
        "delta": lambda: ping(lab, ANCHORS[6].address),
        "router names": lambda: ask_name(lab, ROUTER_ADDRESS),
        "provider names": lambda: ask_name(lab, ISP_RESOLVER),
        "anchor names": lambda: ask_name(lab, ANCHORS[2].address),
        "missing name": lambda: ask_name(lab, ROUTER_ADDRESS, below="nobody.example"),
        "web": lambda: code(lab, f"http://{CONNECTIVITY}/204", *QUICK),
        "app": lambda: code(lab, f"https://{APP}/login", *QUICK),
        "status": lambda: indicator(lab),
        "feed": lambda: code(lab, f"https://{APP}/feed.ics", *QUICK),
        "hooks": lambda: code(lab, f"https://{HOOKS}/x", "-d", "{}", *QUICK),
        "lte": lambda: ping(lab, ANCHORS[4].address, "lte0"),
        "lte names": lambda: ask_name(lab, STICK_ADDRESS, "lte0"),
        "lte web": lambda: code(lab, f"http://{CONNECTIVITY}/204", "--interface", "lte0", *QUICK),
        "phone": lambda: ping(lab, ANCHORS[4].address, "phone0"),
    }
    seen: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda n=name, ask=ask: seen.__setitem__(n, ask()))
        for name, ask in looks.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def settle(lab: Lab, wanted: dict[str, str] = HEALTHY) -> dict[str, str]:
    """Look until all is as *wanted*: a renewed lease or a busy machine takes a moment."""
    end = time.monotonic() + air(10)
    while (seen := look(lab)) != wanted and time.monotonic() < end:
        time.sleep(0.1)
    return seen


def carrier(lab: Lab, interface: str) -> str:
    """Give "1" or "0"."""
    return lab.box.run(["cat", f"/sys/class/net/{interface}/carrier"]).stdout.strip()


def ping(lab: Lab, address: str, interface: str = "wan0") -> str:
    """Give "answers", "refused" (an ICMP error came) or "silent"."""
    done = lab.box.run(["ping", "-n", "-c1", f"-W{WAIT_S}", "-I", interface, address])
    if done.returncode == 0:
        return "answers"
    return "refused" if "Unreachable" in done.stdout and "+1 errors" in done.stdout else "silent"


def ask_name(lab: Lab, server: str, interface: str = "wan0", below: str = FRESH) -> str:
    """Ask a name server over UDP for a name that stands in no cache.

    Gives its address, or "silent", "refused" (an ICMP error came), "no such name", "server failed".
    """
    name = f"n{time.monotonic_ns()}.{below}"
    labels = b"".join(bytes([len(w)]) + w.encode() for w in name.split("."))
    query = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1)
    with lab.box.socket(kind=socket.SOCK_DGRAM) as talk:
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        talk.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        talk.settimeout(WAIT_S)
        try:
            talk.connect((server, 53))
            talk.send(query)
            reply = talk.recv(512)
        except TimeoutError:
            return "silent"
        except OSError:
            return "refused"
    return RCODES.get(reply[3] & 0x0F) or socket.inet_ntoa(reply[-4:])


def curl(lab: Lab, url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run curl by wan0 without asking a name server."""
    host = url.split("/")[2]
    known = [
        w for port in (80, 443) for w in ("--resolve", f"{host}:{port}:{HOSTS.get(host, host)}")
    ]
    argv = ["curl", "-sS", "--max-time", str(air(4)), "--interface", "wan0", *known]
    return lab.box.run([*argv, "--cacert", str(lab.ca_file), *options, url])


def code(lab: Lab, url: str, *options: str) -> str:
    """Give the HTTP status, or "000" when there was no answer."""
    return curl(lab, url, "-o", "/dev/null", "-w", "%{http_code}", *options).stdout


def indicator(lab: Lab) -> str:
    """Give the status page's indicator, or what is wrong with the page."""
    done = curl(lab, f"https://{STATUS}/api/v2/summary.json", "-w", "\n%{http_code}", *QUICK)
    body, _, status = done.stdout.rpartition("\n")
    if status != "200":
        return status
    try:
        return str(json.loads(body)["status"]["indicator"])
    except ValueError:
        return "no JSON"
