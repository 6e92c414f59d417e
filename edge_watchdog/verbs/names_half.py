"""The name service of gateway mode: this process becomes dnsmasq, set up from the configuration."""

import os
from pathlib import Path

from edge_watchdog.config import Config
from edge_watchdog.core.model import Mode
from edge_watchdog.links.fence import sort_out
from edge_watchdog.links.names import dnsmasq_command, upstreams, write_upstreams
from edge_watchdog.verbs import Answer, complaint


def become_dnsmasq(config: Config) -> Answer:
    """Serve until told to stop; comes back only when that cannot be."""
    box = config.box
    if box.mode is not Mode.GATEWAY:
        return complaint([f'[box] mode = "{box.mode}": names are served in mode "gateway" only.'])
    folder, file = Path(box.names_dir), Path(box.names_file)
    try:
        if not file.exists():  # the watch half has not chosen a line yet
            write_upstreams(file, upstreams((), config.anchors))
        if box.dhcp_range is not None:
            folder.mkdir(parents=True, exist_ok=True)
        command = dnsmasq_command(
            box.lan_interfaces,
            file,
            leases=folder / "leases",
            dhcp_range=box.dhcp_range,
            allowed=sort_out(config.allowed)[0],
        )
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        return complaint([f"names cannot be served: dnsmasq, {folder} or {file}: {error}"])
