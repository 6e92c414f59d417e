"""Real network managers in a box: told its addresses as an installer would tell them."""

from tests.system.box import Box

WIRES = (
    ("wan0", "192.0.2.2/24", "192.0.2.1", 100),
    ("lte0", "203.0.113.2/24", "203.0.113.1", 700),
    ("lan0", "192.168.50.1/24", "", 600),
)
PROFILE = """
[connection]
id={name}
type=ethernet
interface-name={name}
[ipv4]
method=manual
address1={address},{gateway}
route-metric={metric}
[ipv6]
method=disabled
"""
NETWORK = "[Match]\nName=lan0\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
DROP_IN = "/usr/lib/systemd/networkd.conf.d/60-edge-watchdog.conf"


def begin_network_manager(box: Box) -> None:
    """Have NetworkManager keep every wire."""
    for name, address, gateway, metric in WIRES:
        profile = PROFILE.format(name=name, address=address, gateway=gateway, metric=metric)
        path = f"/etc/NetworkManager/system-connections/{name}.nmconnection"
        box.write(path, profile, mode=0o600)
    box.run("systemctl unmask NetworkManager && systemctl start NetworkManager")
    for name, *_ in WIRES:
        box.run(f"nmcli --wait 20 connection up {name}")


def have_networkd_work(box: Box) -> None:
    """Have systemd-networkd start anew and set one wire up, as after an update."""
    box.write("/etc/systemd/network/lan.network", NETWORK)
    box.run("systemctl restart systemd-networkd && networkctl reconfigure lan0")
    box.eventually("it has done its work", lambda: " configured" in box.out("networkctl"))


def managed(box: Box) -> set[str]:
    """Give the wires that NetworkManager keeps."""
    lines = box.out("nmcli --terse --fields DEVICE,STATE device").splitlines()
    return {line.partition(":")[0] for line in lines if line.endswith(":connected")}
