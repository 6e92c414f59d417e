"""Secure pages without the internet: an authority of the box's own, for the studio's names alone.

Names and addresses in; a root certificate to trust and a context to serve with, out.  The rule:
the root can vouch for the box's names and for addresses that no site on the internet has, so
trusting it costs little even when it is stolen, and a LAN that is numbered anew needs no new one.
"""

import contextlib
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.seal import Seal

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding

# Fixed, so that a box whose clock is not set yet makes a root that holds all the same.
ROOT_FROM = datetime(2024, 1, 1, tzinfo=UTC)
ROOT_UNTIL = datetime(2044, 1, 1, tzinfo=UTC)
# No site on the internet has such an address (RFC 1918, RFC 3927).
PRIVATE = tuple(
    ipaddress.IPv4Network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")
)
SELF_GIVEN = ipaddress.IPv4Network("169.254.0.0/16")  # while no router gives one
LEAF_DAYS = 390  # browsers refuse more than 398 (CA/Browser Forum, Apple)
RENEW_DAYS = 30
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Names:
    """What this box is called: host names, and addresses of the LAN as text."""

    hosts: tuple[str, ...]
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Root:
    """The root certificate, as PEM and DER, and what it can vouch for.

    *instead_of* is the name of the one before it, "" when every device that trusts the box trusts
    this one.
    """

    pem: bytes
    der: bytes
    hosts: frozenset[str]
    networks: tuple[ipaddress.IPv4Network, ...] = ()
    instead_of: str = ""

    @property
    def fingerprint(self) -> str:
        """Give its SHA-256, as systems show it."""
        digest = hashlib.sha256(self.der).hexdigest().upper()
        return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))

    @property
    def lone(self) -> tuple[str, ...]:
        """Give the addresses that it can vouch for one by one."""
        return tuple(str(one.network_address) for one in self.networks if one.prefixlen == 32)

    @property
    def ranges(self) -> tuple[str, ...]:
        """Give the ranges of addresses that it can vouch for."""
        return tuple(str(one) for one in self.networks if one.prefixlen < 32)

    def permits(self, name: str) -> bool:
        """Tell whether it can vouch for *name*, a host name or an address."""
        try:
            address = ipaddress.IPv4Address(name)
        except ValueError:
            return name in self.hosts
        return any(address in one for one in self.networks)

    def fits(self, names: Names) -> bool:
        """Tell whether the box can be reached by an address that this can vouch for.

        An address that the box gave itself, because no router gave it one, is no reason to make
        every device trust another root.
        """
        given = [one for one in names.addresses if ipaddress.ip_address(one) not in SELF_GIVEN]
        return not given or any(self.permits(one) for one in given)


class Authority:
    """The box's own authority in *folder*; methods block and raise OSError."""

    def __init__(self, folder: Path, seal: Seal) -> None:
        self._folder = folder
        self._seal = seal

    def root(self, studio: str, names: Names) -> Root:
        """Give the root; made for *names* when there is none that fits, or its key is lost."""
        with contextlib.suppress(OSError, ValueError, DaybookError):
            found = self._root()
            if found.fits(names):
                return found
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "leaf.pem").unlink()
        # Until the new one is whole there is none: a key never stands beside another root.
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "root.pem").replace(self._folder / "before.pem")
        self._make_root(studio, names)
        return self._root()

    def context(self, names: Names, now_wall: float) -> ssl.SSLContext:
        """Give a context to serve with; renew() first."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.renew(context, names, now_wall)
        return context

    def renew(self, context: ssl.SSLContext, names: Names, now_wall: float) -> None:
        """Have *context* show a certificate that holds now, for those of *names* that may be."""
        self.freshen(names, now_wall)
        self.show_in(context)

    def freshen(self, names: Names, now_wall: float) -> bool:
        """Have such a certificate on the disk; True when another one had to be made."""
        path = self._folder / "leaf.pem"
        may = self._root().permits
        wanted = sorted({one for one in (*names.hosts, *names.addresses) if may(one)})
        if _serves(path, wanted, now_wall):
            return False
        _write(path, self._leaf(wanted, now_wall))
        return True

    def show_in(self, context: ssl.SSLContext) -> None:
        """Have *context* show the certificate that is there.

        A context that serves must be changed by the thread that serves: OpenSSL frees the old
        certificate while another thread's handshake may be using it.
        """
        context.load_cert_chain(self._folder / "leaf.pem")

    def _root(self) -> Root:
        """Read the root; raises OSError, ValueError, DaybookError when it cannot be used."""
        from cryptography import x509  # noqa: PLC0415 - some MiB, and only where pages are secure

        pem = (self._folder / "root.pem").read_bytes()
        found = x509.load_pem_x509_certificate(pem)
        self._key()
        may = found.extensions.get_extension_for_class(x509.NameConstraints).value
        values = [one.value for one in may.permitted_subtrees or ()]
        return Root(
            pem,
            ssl.PEM_cert_to_DER_cert(pem.decode("ascii")),
            frozenset(one for one in values if isinstance(one, str)),
            tuple(one for one in values if isinstance(one, ipaddress.IPv4Network)),
            _name_in(self._folder / "before.pem"),
        )

    def _key(self) -> "EllipticCurvePrivateKey":
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see _root()

        body = self._seal.unseal((self._folder / "root.key").read_bytes())
        return serialization.load_der_private_key(body, None)  # type: ignore[return-value]

    def _make_root(self, studio: str, names: Names) -> None:
        from cryptography import x509  # noqa: PLC0415 - see _root()
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(f"{studio[:30]}: the studio's box {os.urandom(3).hex()}")
        made = (
            _begun(subject, subject, key, (ROOT_FROM, ROOT_UNTIL))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_ca_usage(), critical=True)
            .add_extension(_only(names), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, hashes.SHA256())
        )
        plain = _plain(key, serialization.Encoding.DER)
        _write(self._folder / "root.key", self._seal.seal(plain))
        _write(self._folder / "root.pem", made.public_bytes(serialization.Encoding.PEM))

    def _leaf(self, wanted: list[str], now_wall: float) -> bytes:
        """Give certificate and key of the server, as PEM."""
        from cryptography import x509  # noqa: PLC0415 - see _root()
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

        root = x509.load_pem_x509_certificate((self._folder / "root.pem").read_bytes())
        key, signer = ec.generate_private_key(ec.SECP256R1()), self._key()
        now = datetime.fromtimestamp(now_wall, UTC)
        holds = (now - timedelta(days=1), now + timedelta(days=LEAF_DAYS))
        subject = _named(wanted[0] if wanted else "the studio's box")
        made = (
            _begun(subject, root.subject, key, holds)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.SubjectAlternativeName([_general(one) for one in wanted]), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
            )
            .sign(signer, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return made.public_bytes(pem) + _plain(key, pem)


def _begun(
    subject: "x509.Name",
    issuer: "x509.Name",
    key: "EllipticCurvePrivateKey",
    holds: tuple[datetime, datetime],
) -> "x509.CertificateBuilder":
    """Begin a certificate for *key* that holds from the first time to the second."""
    from cryptography import x509  # noqa: PLC0415 - see Authority._root()

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(holds[0])
        .not_valid_after(holds[1])
    )


def _plain(key: "EllipticCurvePrivateKey", encoding: "Encoding") -> bytes:
    """Give the key as it is, in PKCS 8."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see Authority._root()

    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _only(names: Names) -> "x509.NameConstraints":
    """Permit *names* and nothing else, of any kind that a browser looks at (RFC 5280, 4.2.1.10).

    With a private address all private ones: a LAN is numbered anew with each router that is
    replaced.  A kind that is not mentioned would be free, so addresses are mentioned even when
    there are none, and IPv6, which the box does not serve, is left out.
    """
    from cryptography import x509  # noqa: PLC0415 - see Authority._root()

    permitted: list[x509.GeneralName] = [x509.DNSName(one) for one in names.hosts]
    permitted += [x509.IPAddress(one) for one in _networks(names.addresses)]
    excluded: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_network("::/0"))]
    if not names.addresses:
        excluded.append(x509.IPAddress(ipaddress.ip_network("0.0.0.0/0")))
    return x509.NameConstraints(permitted, excluded)


def _networks(addresses: tuple[str, ...]) -> list[ipaddress.IPv4Network]:
    """Give what must be permitted for *addresses*, and for those that may come after them."""
    own = [ipaddress.IPv4Network(one) for one in addresses]
    lone = [one for one in own if not any(one.subnet_of(many) for many in PRIVATE)]
    return [*lone, *(PRIVATE if len(lone) < len(own) else ())]


def _general(name: str) -> "x509.GeneralName":
    from cryptography import x509  # noqa: PLC0415 - see Authority._root()

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _named(text: str) -> "x509.Name":
    from cryptography import x509  # noqa: PLC0415 - see Authority._root()
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _ca_usage() -> "x509.KeyUsage":
    from cryptography import x509  # noqa: PLC0415 - see Authority._root()

    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _name_in(path: Path) -> str:
    """Give the common name of the certificate at *path*, "" where there is none."""
    from cryptography import x509  # noqa: PLC0415 - see Authority._root()
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return ""
    return "".join(
        str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    )


def _serves(path: Path, wanted: list[str], now_wall: float) -> bool:
    """Tell whether the certificate at *path* is for *wanted* and holds for a while."""
    from cryptography import x509  # noqa: PLC0415 - see Authority._root()

    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    since, until = (
        one.timestamp() for one in (found.not_valid_before_utc, found.not_valid_after_utc)
    )
    for_now = since <= now_wall < until - RENEW_DAYS * DAY_S
    return for_now and sorted(_texts(names)) == wanted


def _texts(names: "x509.SubjectAlternativeName") -> Iterator[str]:
    return (str(one.value) for one in names)


def _write(path: Path, body: bytes) -> None:
    """Replace a file, whole or not at all, for its owner only."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
        file.write(body)
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)
