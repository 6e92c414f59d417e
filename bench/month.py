"""What a metered standby costs in a month: bytes of each question, times how often it comes.

    python -m bench.month

At its start the daemon asks for names and pages over the metered stick of the lab, and all hosts
when broadband dies; the carrier counts each kind apart, in bytes of IP both ways.  The names and
pages of the lab are short: real names are some bytes longer, and a vendor's page is as large as it
is.  Needs root.
"""

import re
import tempfile
import time
from pathlib import Path

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.policy import PACES
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.places import ANCHORS, APP, HOSTS, Place

MONTH_S = 30 * 86_400.0
LISTEN_S = 20.0
DNS_SHARE = 0.25  # every fourth pulse
VISITS = {  # one kind of packet for each that opens such a visit, all of its packets besides
    "web": "tcp {way} 80",
    "secure": "tcp {way} 443 ip {side} != " + HOSTS[APP],
    "journey": "tcp {way} 443 ip {side} " + HOSTS[APP],
}
OPENS = "tcp flags & (syn | ack) == syn"


def rules() -> str:
    """Give the packet filter that counts each kind by name; "first" counts questions."""
    hosts = "{ " + ", ".join(a.address for a in ANCHORS) + " }"
    lines = ["icmp type echo-request counter comment", "icmp type echo-reply counter comment"]
    named = [(line, "echo") for line in lines]
    named.append(("icmp type echo-request counter comment", "echo first"))
    for name, whom in (("dns", hosts), ("names", f"!= {hosts}")):
        for way, side in (("dport", "daddr"), ("sport", "saddr")):
            named.append((f"udp {way} 53 ip {side} {whom} counter comment", name))
        named.append((f"udp dport 53 ip daddr {whom} counter comment", f"{name} first"))
    for name, words in VISITS.items():
        for way, side in (("dport", "daddr"), ("sport", "saddr")):
            named.append((f"{words.format(way=way, side=side)} counter comment", name))
        opens = words.format(way="dport", side="daddr")
        named.append((f"{opens} {OPENS} counter comment", f"{name} first"))
    body = "\n".join(f'    {rule} "{name}"' for rule, name in named)
    return (
        f"table inet month {{\n  chain kinds {{\n{body}\n  }}\n"
        "  chain in { type filter hook prerouting priority -460\n"
        '    iifname "stick" jump kinds\n  }\n'
        "  chain out { type filter hook postrouting priority 460\n"
        '    oifname "stick" jump kinds\n  }\n}\n'
    )


def each(text: str) -> dict[str, float]:
    """Give the bytes of one question of each kind that was asked."""
    total: dict[str, int] = {}
    first: dict[str, int] = {}
    found = re.findall(r'counter packets (\d+) bytes (\d+) comment "([^"]+)"', text)
    for packets, size, name in found:
        kind, _, is_first = name.partition(" ")
        if is_first:
            first[kind] = int(packets)
        else:
            total[kind] = total.get(kind, 0) + int(size)
    return {kind: total[kind] / first[kind] for kind in total if first.get(kind)}


def questions() -> dict[str, float]:
    """Give how many of each kind a month has, by the pace of a metered standby."""
    pace = PACES[Pace.STANDBY_METERED]
    pulses = _count(pace.pulse)
    visits = {"web": pace.web, "secure": pace.secure, "journey": pace.journey}
    counts = {name: _count(period) for name, period in visits.items()}
    names = _count(pace.names) + sum(counts.values())
    return {"echo": pulses * (1 - DNS_SHARE), "dns": pulses * DNS_SHARE, "names": names, **counts}


def _count(period_s: float | None) -> float:
    return 0.0 if period_s is None else MONTH_S / period_s


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, Lab("self", phone=False) as lab:
        carrier = lab.host(Place.CARRIER)
        carrier.run(["nft", "-f", "-"], input=rules(), check=True)
        with Daemon(lab, Path(folder), only="watch"):
            time.sleep(LISTEN_S)
            lab.inject("blackhole")
            time.sleep(LISTEN_S)
            text = carrier.run(
                ["nft", "list", "chain", "inet", "month", "kinds"], check=True
            ).stdout
    sizes, total = each(text), 0.0
    print("| kind | bytes each | a month | MB a month |\n|---|---|---|---|")
    for kind, count in questions().items():
        size = sizes[kind]
        total += size * count
        print(f"| {kind} | {size:.0f} | {count:.0f} | {size * count / 1e6:.2f} |")
    print(f"\n{total / 1e6:.1f} MB a month")


if __name__ == "__main__":
    main()
