"""A finger on the wires: what it feels, and what it only wonders about."""

import contextlib
import socket

from edge_watchdog.links.finger import QUIET_TOUCHES, RATE_LIMIT_TOUCHES, Finger, KernelWires


class FakeWires:
    """Two wires whose signal and counters are set by hand."""

    def __init__(self) -> None:
        self.signals: dict[str, bool | None] = {"wan0": True, "lte0": True}
        self.counted = {"wan0": (10, 10), "lte0": (10, 10)}

    def signal(self, interface: str) -> bool | None:
        return self.signals.get(interface)

    def packets(self) -> dict[str, tuple[int, int]]:
        return self.counted

    def pass_packets(self, *, heard: int, sent: int) -> None:
        before = self.counted["wan0"]
        self.counted["wan0"] = before[0] + heard, before[1] + sent


class Touched:
    """A finger that has felt both wires once."""

    def __init__(self) -> None:
        self.wires, self.signals, self.doubts = FakeWires(), 0, list[str]()
        self.finger = Finger(
            {"broadband": "wan0", "LTE stick": "lte0", "phone": "phone0"},
            on_signal=self._count,
            on_doubt=self.doubts.append,
        )
        self.touch()
        self.signals = 0

    def _count(self) -> None:
        self.signals += 1

    def touch(self, times: int = 1, *, heard: int = 0, sent: int = 0) -> None:
        for _ in range(times):
            self.wires.pass_packets(heard=heard, sent=sent)
            self.finger.touch(self.wires)


def test_a_signal_that_comes_or_goes_is_told_once():
    one = Touched()
    one.wires.signals["wan0"] = False
    one.touch(3)
    assert one.signals == 1
    one.wires.signals |= {"wan0": True, "lte0": None}
    one.touch(3)
    assert one.signals == 3


def test_packets_that_leave_while_none_come_are_wondered_at_once():
    one = Touched()
    one.touch(heard=1, sent=1)
    one.touch(QUIET_TOUCHES - 1, sent=1)
    assert one.doubts == []
    one.touch(50, sent=1)
    assert one.doubts == ["broadband"]


def test_who_sends_nothing_expects_nothing():
    one = Touched()
    one.touch(heard=1, sent=1)
    one.touch(50)
    assert one.doubts == []


def test_a_line_that_pauses_all_the_time_is_not_wondered_at_all_the_time():
    one = Touched()
    for _ in range(8):
        one.touch(heard=1)
        one.touch(QUIET_TOUCHES, sent=1)
    assert len(one.doubts) == -(-8 * (QUIET_TOUCHES + 1) // (RATE_LIMIT_TOUCHES + QUIET_TOUCHES))


def test_the_kernel_knows_its_own_loop():
    with contextlib.closing(KernelWires()) as wires:
        assert wires.signal("lo") is True
        assert wires.signal("nothing0") is None
        assert len(wires.packets()["lo"]) == 2


def test_what_moved_between_two_touches_is_felt():
    with (
        contextlib.closing(KernelWires()) as wires,
        contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock,
    ):
        heard, sent = wires.packets()["lo"]
        sock.sendto(b"", ("127.0.0.1", 9))
        assert wires.packets()["lo"] > (heard, sent)
        assert [wires.signal("lo") for _ in range(3)] == [True] * 3
