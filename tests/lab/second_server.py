"""An old router that somebody plugged in: a second DHCP server, which leads computers to itself.

``second_server.py INTERFACE PREFIX ADDRESS``: dnsmasq gives out PREFIX200 to PREFIX220 with ADDRESS
as router and name server, as it does out of the box; says "ready", and ends at SIGTERM.
"""

import signal
import subprocess
import sys


def main() -> None:
    """Have it so until the end."""
    interface, prefix, address = sys.argv[1:]
    options = [
        *("keep-in-foreground", "conf-file=/dev/null", "user=root", "pid-file=", "no-hosts"),
        *("no-resolv", "port=0", f"interface={interface}", "bind-interfaces", "log-facility=-"),
        f"dhcp-range={prefix}200,{prefix}220,255.255.255.0,1h",
        f"dhcp-option=option:router,{address}",
        f"dhcp-option=option:dns-server,{address}",
        *("dhcp-leasefile=/dev/null", "quiet-dhcp"),
    ]
    argv = ["dnsmasq", *(f"--{one}" for one in options)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        for line in server.stderr:
            print(line, end="", file=sys.stderr)
            if "started" in line:
                break
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # the server began without it
        print("ready", flush=True)
        signal.sigwait({signal.SIGTERM})
        server.terminate()


if __name__ == "__main__":
    main()
