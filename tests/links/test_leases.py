"""Name servers are found where the network manager of the box keeps them."""

from pathlib import Path

import pytest

from edge_watchdog.links.leases import find_portal_api, find_resolvers


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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://welcome.guest.example/api\n", "https://welcome.guest.example/api"),
        ("urn:ietf:params:capport:unrestricted", "urn:ietf:params:capport:unrestricted"),
        ("\n", ""),
    ],
)
def test_who_says_whether_a_sign_in_is_due_stands_in_the_client_s_file(
    tmp_path: Path, text: str, found: str
) -> None:
    file = tmp_path / "portal"
    file.write_text(text)
    assert find_portal_api(999_999, str(file)) == found


def test_or_in_the_link_file_of_systemd_networkd(tmp_path: Path) -> None:
    # as systemd 254 writes it (src/network/networkd-state-file.c)
    (tmp_path / "7").write_text(
        "# This is private data. Do not parse.\nADMIN_STATE=configured\nOPER_STATE=routable\n"
        "DNS=192.0.2.53\nCAPTIVE_PORTAL=https://welcome.guest.example/api\n"
    )
    (tmp_path / "8").write_text("ADMIN_STATE=configured\nDNS=192.0.2.53\n")
    networkd = str(tmp_path / "{index}")
    assert find_portal_api(7, networkd=networkd) == "https://welcome.guest.example/api"
    assert find_portal_api(8, networkd=networkd) == ""
    assert find_portal_api(9, networkd=networkd) == ""
