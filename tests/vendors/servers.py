"""Real aiohttp servers on loopback, with certificates of a small authority made on the spot."""

import contextlib
import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web
from aiohttp.abc import AbstractResolver
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates for host names; *root* is the file to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self._number = 0
        now = dt.datetime.now(dt.UTC)
        root = self._builder(self._name, self._key, now - dt.timedelta(days=900), now + YEAR * 9)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.root = folder / "root.pem"
        signed = root.sign(self._key, hashes.SHA256())
        self.root.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str, *, start_days: int = -1, end_days: int = 30) -> ssl.SSLContext:
        """Give a server's context with a certificate for *host*."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        begin, end = now + dt.timedelta(days=start_days), now + dt.timedelta(days=end_days)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        builder = self._builder(name, key, begin, end)
        try:
            general: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            general = x509.DNSName(host)
        builder = builder.add_extension(x509.SubjectAlternativeName([general]), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        self._number += 1
        path = self._folder / f"server{self._number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(self, name, key, begin, end) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )


YEAR = dt.timedelta(days=365)


@contextlib.asynccontextmanager
async def serving(handler: Any, *, context: ssl.SSLContext | None = None, sock=None):
    """Serve *handler* for every path; yields the port."""

    async def serve(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    if sock is None:
        site: web.BaseSite = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    else:
        site = web.SockSite(runner, sock, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Loopback(AbstractResolver):
    """Every name is this machine; names that end in .nowhere are not known."""

    async def resolve(self, host, port=0, family=0):
        if host.endswith(".nowhere"):
            raise OSError(113, f"{host}: NXDOMAIN")
        if host.endswith(".unasked"):
            raise OSError(101, f"cannot ask for {host}: No such device")
        return [
            {"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0}
            | {"flags": 0}
        ]

    async def close(self) -> None:
        pass


def session(root: Path | None = None) -> ClientSession:
    context = ssl.create_default_context(cafile=str(root) if root else None)
    connector = TCPConnector(resolver=Loopback(), ssl=context, force_close=True)
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar())
