"""The product's configuration for the studio that the lab is.

In: what differs from the usual.  Out: the text of an edge_watchdog TOML file wired to the lab.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.places import ANCHORS, APP, BROKER_ADDRESS, CONNECTIVITY, HOOKS, SECOND_CHECK, STATUS


@dataclass(frozen=True, slots=True)
class Studio:
    """What the configuration says beside the addresses; *extra* is TOML put at the end."""

    mode: str = "self"
    state_dir: str = "/var/lib/edge-watchdog"
    runtime_dir: str = "/run/edge-watchdog"
    opening_hours: str = "Mon-Sun 00:00-24:00"
    lan_interfaces: tuple[str, ...] = ("wan0",)
    dhcp_range: str = ""
    listen: str = "0.0.0.0:8080"
    frame_ancestors: tuple[str, ...] = ()
    phone: bool = False
    outage_budget: str = ""
    vendor: bool = True
    schedule: bool = True
    schedule_every: str = "5m"
    desk: bool = True
    mqtt: bool = True
    alert: bool = True
    extra: str = ""


def config_text(studio: Studio, folder: Path) -> str:
    """Give the whole file; *folder* is the lab's."""
    ca_file = folder / "pki/ca.pem"
    parts = [_head(studio), *_uplinks(studio, folder), *_anchors(), _probe()]
    if studio.vendor:
        parts.append(_vendor(ca_file))
    if studio.schedule:
        parts.append(_schedule(studio.schedule_every))
    if studio.desk:
        parts.append(_desk(studio))
    if studio.mqtt:
        parts.append(f'[mqtt]\nurl = "mqtt://{BROKER_ADDRESS}:1883"\n')
    if studio.alert:
        parts.append(f'[[alert]]\nkind = "webhook"\nurl = "https://{HOOKS}/x"\n')
    return "\n".join([*parts, studio.extra])


def _head(studio: Studio) -> str:
    interfaces = ", ".join(f'"{name}"' for name in studio.lan_interfaces)
    dhcp_range = f'dhcp_range = "{studio.dhcp_range}"\n' if studio.dhcp_range else ""
    return f"""[studio]
name = "Lotus Room"
time_zone = "Europe/London"
opening_hours = "{studio.opening_hours}"

[box]
mode = "{studio.mode}"
lan_interfaces = [{interfaces}]
state_dir = "{studio.state_dir}"
runtime_dir = "{studio.runtime_dir}"
{dhcp_range}"""


def _uplinks(studio: Studio, folder: Path) -> list[str]:
    uplinks = [("broadband", "wan0", False), ("LTE stick", "lte0", True)]
    uplinks += [("phone", "phone0", True)] if studio.phone else []
    budget = f'outage_budget = "{studio.outage_budget}"\n' if studio.outage_budget else ""
    return [
        f'[[uplink]]\nname = "{name}"\nkind = "ethernet"\ninterface = "{interface}"\n'
        f'resolvers_file = "{folder}/run/resolvers.{interface}"\n'
        f'portal_file = "{folder}/run/portal.{interface}"\n'
        + (f"metered = true\n{budget}" if metered else "")
        for name, interface, metered in uplinks
    ]


def _anchors() -> list[str]:
    return [
        f'[[anchor]]\noperator = "{a.operator}"\naddress = "{a.address}"\ndns = true\n'
        for a in ANCHORS
    ]


def _probe() -> str:
    return f'[probe]\nweb = ["http://{CONNECTIVITY}/204", "http://{SECOND_CHECK}/204"]\n'


def _vendor(ca_file: Path) -> str:
    return f"""[vendor]
name = "BookWell"
app_url = "https://{APP}/login"
status = {{ kind = "statuspage", url = "https://{STATUS}" }}
ca_file = "{ca_file}"
"""


def _desk(studio: Studio) -> str:
    sites = ", ".join(f'"{site}"' for site in studio.frame_ancestors)
    return f'[desk]\nlisten = "{studio.listen}"\nframe_ancestors = [{sites}]\n'


def _schedule(every: str) -> str:
    return f"""[[schedule]]
name = "front desk"
kind = "ics"
url = "https://{APP}/feed.ics"
every = "{every}"
"""
