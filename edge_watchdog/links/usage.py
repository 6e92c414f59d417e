"""How much each uplink has carried, by the kernel's counters."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Carried:
    """Bytes and packets since the device came up."""

    received_bytes: int
    sent_bytes: int
    received_packets: int = 0
    sent_packets: int = 0


def read_usage() -> Mapping[str, Carried]:
    """Give the counters of every device."""
    counters = psutil.net_io_counters(pernic=True)
    return {
        name: Carried(c.bytes_recv, c.bytes_sent, c.packets_recv, c.packets_sent)
        for name, c in counters.items()
    }
