"""The kinds of uplink there are: one line each."""

from collections.abc import Mapping

from edge_watchdog.links.keys import Ethernet

DRIVERS: Mapping[str, type[Ethernet]] = {"ethernet": Ethernet}
