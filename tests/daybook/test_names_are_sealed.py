"""The seal and its key: where it comes from, what it refuses, and what it never overwrites."""

from pathlib import Path

import pytest

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.seal import KeySeal, open_seal

NAME = b"Anna Bell"


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def test_what_was_sealed_comes_back_and_never_looks_the_same_twice(tmp_path) -> None:
    seal = open_seal(str(tmp_path / "keys" / "k"), "daybook")
    once, again = seal.seal(NAME), seal.seal(NAME)
    assert seal.unseal(once) == seal.unseal(again) == NAME
    assert once != again
    assert NAME not in once + again


@pytest.mark.parametrize("place", [0, 1, 12, 13, -1])
def test_a_changed_byte_is_refused_wherever_it_is(place) -> None:
    seal = KeySeal(bytes(32), "daybook")
    body = bytearray(seal.seal(NAME))
    body[place] ^= 1
    with pytest.raises(DaybookError, match="another key, or is damaged"):
        seal.unseal(bytes(body))


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x01" + bytes(12), b"plain text"])
def test_what_was_never_sealed_is_refused(cut) -> None:
    with pytest.raises(DaybookError, match="another key, or is damaged"):
        KeySeal(bytes(32), "daybook").unseal(cut)


@pytest.mark.parametrize("other", [KeySeal(b"k" * 32, "daybook"), KeySeal(bytes(32), "paper")])
def test_another_key_or_another_use_cannot_unseal(other) -> None:
    with pytest.raises(DaybookError, match="another key"):
        other.unseal(KeySeal(bytes(32), "daybook").seal(NAME))


def test_the_key_is_made_once_for_its_owner_only_and_stays(tmp_path) -> None:
    path = tmp_path / "keys" / "daybook.key"
    sealed = open_seal(str(path), "daybook").seal(NAME)
    key = path.read_bytes()
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert open_seal(str(path), "daybook").unseal(sealed) == NAME
    assert path.read_bytes() == key


def test_a_key_that_was_cut_off_is_made_anew(tmp_path) -> None:
    path = tmp_path / "daybook.key"
    path.write_bytes(b"half")
    seal = open_seal(str(path), "daybook")
    assert len(path.read_bytes()) == 32
    assert seal.unseal(seal.seal(NAME)) == NAME


def credentials(monkeypatch, folder: Path, content: bytes) -> None:
    (folder / "daybook-key").write_bytes(content)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))


@pytest.mark.parametrize("content", [bytes(range(32)), b"a longer secret, with a line end" * 4])
def test_a_credential_of_systemd_comes_before_the_file(tmp_path, monkeypatch, content) -> None:
    credentials(monkeypatch, tmp_path, content)
    path = tmp_path / "keys" / "daybook.key"
    sealed = open_seal(str(path), "daybook").seal(NAME)
    assert open_seal(str(path), "daybook").unseal(sealed) == NAME
    assert not path.exists()


def test_a_credential_that_is_too_short_is_said_and_not_replaced(tmp_path, monkeypatch) -> None:
    credentials(monkeypatch, tmp_path, b"short")
    with pytest.raises(DaybookError, match="shorter than 32 bytes"):
        open_seal(str(tmp_path / "k"), "daybook")
    assert (tmp_path / "daybook-key").read_bytes() == b"short"


def test_a_place_where_no_key_can_be_made_is_said_in_words(tmp_path) -> None:
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(DaybookError, match="cannot be read or made"):
        open_seal(str(tmp_path / "keys" / "k"), "daybook")


def test_no_key_is_left_half_written_beside(tmp_path) -> None:
    (tmp_path / "k.new").write_bytes(b"left from a power cut")
    open_seal(str(tmp_path / "k"), "daybook")
    assert [file.name for file in tmp_path.iterdir()] == ["k"]
