"""Name servers are found where the network manager of the box keeps them."""

from pathlib import Path

import pytest

from edge_watchdog.links.leases import find_resolvers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nameserver 192.0.2.53\nnameserver 198.51.100.53\n", ("192.0.2.53", "198.51.100.53")),
        ("# nameserver 192.0.2.1\nnameserver 127.0.0.53\n", ()),
        ("nameserver 2001:db8::1\nnameserver 192.0.2.53\nnameserver 192.0.2.53\n", ("192.0.2.53",)),
        ("nameserver router.example\n", ()),
        ("", ()),
    ],
)
def test_a_file_in_resolv_conf_form_is_read(
    tmp_path: Path, text: str, found: tuple[str, ...]
) -> None:
    file = tmp_path / "resolvers"
    file.write_text(text)
    assert find_resolvers("wan0", 999_999, str(file)) == found


def test_a_file_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert find_resolvers("wan0", 999_999, str(tmp_path / "none")) == ()
