"""When a connection of the box was last answered, by the kernel's own dates."""

import pytest

from edge_watchdog.links.life import NEARBY, heard_ago_s, youngest
from tests.lab.lab import Lab
from tests.lab.netns import inside
from tests.lab.places import SINK_ADDRESS
from tests.patience import air

HEAD = "0      0      192.168.1.100:43210 {peer} cubic wscale:10,10 rto:204 rtt:20/10 "


@pytest.mark.parametrize(
    "line, ago_s",
    [
        (HEAD.format(peer="203.0.113.80:443") + "lastsnd:5 lastrcv:900 lastack:40", 0.04),
        (HEAD.format(peer="203.0.113.80:443") + "lastsnd:5 lastrcv:30 lastack:40", 0.03),
        (HEAD.format(peer="203.0.113.80:443") + "lastsnd:5 lastrcv:900", 0.0),
        (HEAD.format(peer="203.0.113.80:443").partition("cubic")[0], None),
        (HEAD.format(peer="203.0.113.80:80") + "lastrcv:1 lastack:1", None),
        (HEAD.format(peer="203.0.113.80:53") + "lastrcv:1 lastack:1", None),
        (HEAD.format(peer="192.168.8.1:443") + "lastrcv:1 lastack:1", None),
        (HEAD.format(peer="[2001:db8::1]:443") + "lastrcv:1 lastack:1", None),
        ("garbage", None),
        ("", None),
    ],
    ids=["the newer of two", "data", "just now", "nothing told", "plain page", "names", "nearby",
         "IPv6", "garbage", "none"],
)  # fmt: skip
def test_the_last_word_from_outside_is_read(line, ago_s):
    assert youngest(line, NEARBY) == ago_s


async def test_the_kernel_dates_the_last_acknowledgement(lab: Lab) -> None:
    with inside(lab.box.namespace):
        assert await heard_ago_s("192.168.1.100", ()) is None
        with lab.box.socket() as sock:
            sock.bind(("192.168.1.100", 0))
            sock.connect((SINK_ADDRESS, 9))
            sock.sendall(b"x")
            ago_s = await heard_ago_s("192.168.1.100", ("192.168.1.100/24",))
            assert ago_s is not None
            assert 0.0 <= ago_s < air(2)
            assert await heard_ago_s("192.168.1.100", ("203.0.113.0/24",)) is None
