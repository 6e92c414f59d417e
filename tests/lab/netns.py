"""Hands inside a network namespace: programs, packet filter rules and links.

In: the name of a namespace and what to do there.  Out: it is done, and when it took hold.  The rule
of the room: the calling thread is in its own namespace again before any of these functions return.
Rules and links are changed by system calls of this process, not by programs, so that a fault takes
hold within a millisecond of the moment that is reported.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lab.manifest import NETNS, LabError

SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFMTU, IFF_UP = 0x8913, 0x8914, 0x8922, 0x1


def boottime_s() -> float:
    """Give the seconds of CLOCK_BOOTTIME, the clock the product measures with."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Have the calling thread in *namespace*; sockets made there stay there."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(NETNS / namespace, os.O_RDONLY)
    try:
        if libc.setns(there, 0) != 0:
            raise LabError(f"cannot enter {namespace}: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            if libc.setns(home, 0) != 0:
                raise LabError(f"cannot leave {namespace}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(there)
        os.close(home)


class Filter:
    """nftables of the namespace in which the calling thread is, by libnftables."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL("libnftables.so.1")
        self._lib.nft_ctx_new.restype = ctypes.c_void_p
        self._lib.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
        self._context = ctypes.c_void_p(self._lib.nft_ctx_new(0))
        self._lib.nft_ctx_buffer_error(self._context)

    def run(self, text: str) -> None:
        """Apply *text* as one transaction; raises LabError with nft's own words."""
        if self._lib.nft_run_cmd_from_buffer(self._context, text.encode()) != 0:
            words = self._lib.nft_ctx_get_error_buffer(self._context)
            raise LabError(f"nft refused {text!r}: {words.decode().strip()}")

    def close(self) -> None:
        """Give the library's memory back."""
        self._lib.nft_ctx_free(self._context)


@contextmanager
def packet_filter(namespace: str) -> Iterator[Filter]:
    """Stand in *namespace* with its packet filter in hand."""
    with inside(namespace):
        nft = Filter()
        try:
            yield nft
        finally:
            nft.close()


def set_link(namespace: str, interface: str, *, up: bool) -> float:
    """Set an interface up or down; gives the CLOCK_BOOTTIME of the moment it was done."""
    with (
        inside(namespace),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control,
    ):
        request = struct.pack("16sH14x", interface.encode(), 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        flags = flags | IFF_UP if up else flags & ~IFF_UP
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", interface.encode(), flags))
        return boottime_s()


def set_mtu(namespace: str, interface: str, mtu_bytes: int) -> float:
    """Set how big a packet may be; gives the CLOCK_BOOTTIME of the moment it was done.

    Raises LabError when the kernel refuses.
    """
    with (
        inside(namespace),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control,
    ):
        try:
            fcntl.ioctl(control, SIOCSIFMTU, struct.pack("16si20x", interface.encode(), mtu_bytes))
        except OSError as error:
            raise LabError(f"{interface} cannot have an MTU of {mtu_bytes}: {error}") from error
        return boottime_s()


def open_socket(namespace: str, family: int, kind: int) -> socket.socket:
    """Make a socket that lives in *namespace*, whoever uses it later."""
    with inside(namespace):
        return socket.socket(family, kind | socket.SOCK_CLOEXEC)


class Host:
    """One machine of the lab.  Programs run in its network, with its own /etc/resolv.conf."""

    def __init__(self, namespace: str, note: Callable[["subprocess.Popen[Any]"], None]) -> None:
        self.namespace = namespace
        self._note = note
        self._door: tuple[str, ...] = ("nsenter", f"--net={NETNS / namespace}")

    def give_files(self, resolv_conf: Path) -> None:
        """Start the process that keeps this host's mounts: own /sys and own resolv.conf."""
        script = (
            'mount -t sysfs lab /sys && mount --bind "$0" /etc/resolv.conf'
            " && echo ready && exec sleep infinity"
        )
        keeper = self.popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, resolv_conf],
            stdout=subprocess.PIPE,
        )
        assert keeper.stdout is not None
        with keeper.stdout as words:
            if words.readline().strip() != b"ready":
                raise LabError(f"{self.namespace}: no own view of /etc/resolv.conf")
        self._door = (*self._door, f"--mount=/proc/{keeper.pid}/ns/mnt")

    def command(self, argv: Sequence[str | Path]) -> list[str]:
        """Give the argv that runs *argv* on this host, in the present working directory."""
        return [*self._door, f"--wdns={Path.cwd()}", "--", *map(str, argv)]

    def run(
        self, argv: Sequence[str | Path], *, check: bool = False, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; its output is text.  *options* are those of subprocess.run."""
        options = {"capture_output": True, "text": True, "timeout": 30} | options
        return subprocess.run(self.command(argv), check=check, **options)

    def popen(self, argv: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
        """Start a program; the lab ends it at the latest when the lab ends."""
        process = subprocess.Popen(self.command(argv), **options)
        self._note(process)
        return process

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Make a socket that lives on this host."""
        return open_socket(self.namespace, family, kind)

    def set_ping_allowed(self, allowed: bool) -> None:
        """Say whether programs without privilege may open ICMP echo sockets here."""
        self.sysctl("net.ipv4.ping_group_range", "0 2147483647" if allowed else "1 0")

    def sysctl(self, key: str, value: str) -> None:
        """Set a kernel setting of this host's network."""
        with inside(self.namespace):
            Path("/proc/sys", *key.split(".")).write_text(value)
