"""What is true in a studio in memory: how each way out is, and how the vendor is.

The mind never sees these; studio.py lets it find out by asking.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge_watchdog.core.model import Anchor, LinkState, Neighbour, Stage, VendorLevel, Window

ANCHORS = (
    Anchor("alpha", "198.51.100.1", dns=True),
    Anchor("beta", "198.51.100.65", dns=True),
    Anchor("gamma", "203.0.113.1", dns=True),
    Anchor("delta", "203.0.113.65", dns=True),
)


@dataclass(frozen=True, slots=True)
class Line:
    """How one way out really is.  *dead*: operators whose hosts answer nobody over it."""

    device: bool = True
    carrier: bool = True
    lease: bool = True
    router: bool = True
    beyond: bool = True
    rejects: bool = False
    echo: bool = True
    names: bool = True
    portal: bool = False
    dead: frozenset[str] = frozenset()
    loss_ratio: float = 0.0
    rtt_s: float = 0.02

    @property
    def far(self) -> bool:
        """Tell whether the internet can be reached."""
        near = self.device and self.carrier and self.lease and self.router
        return near and self.beyond and not self.rejects

    def link(self, before: LinkState | None) -> LinkState:
        """Give what the kernel says of it; it finds a dead router in two looks."""
        if not (self.device and self.carrier and self.lease):
            return LinkState(self.device, self.carrier if self.device else None)
        neighbour = Neighbour.REACHABLE
        if not self.router:
            told = before is not None and before.neighbour is not Neighbour.REACHABLE
            neighbour = Neighbour.FAILED if told else Neighbour.PROBING
        return LinkState(
            True, True, ("192.168.1.7/24",), "192.168.1.1", neighbour, routed=True
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vendor:
    """How the vendor really is; *page* None: the status page cannot be read."""

    stage: Stage = Stage.DONE
    status: int | None = 200
    seconds: float = 0.4
    page: VendorLevel | None = VendorLevel.OPERATIONAL
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the mind; *obeys* tells whether the kernel does as it is told."""

    lines: Mapping[str, Line]
    vendor: Vendor = field(default_factory=Vendor)
    obeys: bool = True


Turn = Callable[[World], World]
