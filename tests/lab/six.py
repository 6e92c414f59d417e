"""IPv6 that leads nowhere: an address of the internet's and a router, but nothing behind it.

``six.py INTERFACE ADDRESS/LENGTH ROUTER``: gives the interface both, says "ready", and takes them
away again at SIGTERM.
"""

import signal
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Have it so until the end."""
    interface, address, router = sys.argv[1:]
    switch = Path(f"/proc/sys/net/ipv6/conf/{interface}/disable_ipv6")
    switch.write_text("0")
    try:
        for words in (f"addr add {address} dev {interface} nodad",
                      f"route add default via {router} dev {interface}"):  # fmt: skip
            subprocess.run(["ip", "-6", *words.split()], check=True)
        print("ready", flush=True)
        signal.sigwait({signal.SIGTERM})
    finally:
        switch.write_text("1")


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
