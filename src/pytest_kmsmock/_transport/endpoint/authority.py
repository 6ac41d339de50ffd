"""TLS of the HTTP endpoint: a certificate authority (CA) in a folder, made on first use, and server certificates."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import ipaddress
import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pytest_kmsmock._runtime.machine_time import machine_time
from pytest_kmsmock.errors import InvalidOption

_CERTIFICATE, _KEY = "ca.pem", "ca-key.pem"
_CA_VALIDITY = timedelta(days=3650)
#: Some clients refuse a longer one.
_CERTIFICATE_VALIDITY = timedelta(days=397)
_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
_CLOCK_SKEW = timedelta(days=1)


@contextlib.contextmanager
def _real_datetime() -> Iterator[None]:
    """Hide freezegun's class from cryptography, which remembers the first `datetime` class that it sees."""
    seen = dt.datetime
    real = next(kind for kind in seen.__mro__ if (kind.__module__, kind.__name__) == ("datetime", "datetime"))
    dt.datetime = real  # type: ignore[misc, assignment]  # as freezegun replaces it
    try:
        yield
    finally:
        dt.datetime = seen  # type: ignore[misc]  # freezegun's, or the original


@final
class Authority:
    """A certificate authority.

    Args:
        folder: the folder of its certificate, `ca.pem`, and its key; both are made if they do not exist.

    Raises:
        InvalidOption: the folder holds other or damaged files.
        OSError: the folder cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.certificate_path = folder / _CERTIFICATE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not self.certificate_path.exists():
                _make(folder)
            self._certificate = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
            key = serialization.load_pem_private_key((folder / _KEY).read_bytes(), None)
        except (ValueError, FileNotFoundError) as error:
            raise InvalidOption(
                f"{folder} holds no certificate authority: {error}. Remove the folder to make a new one."
            ) from None
        except OSError as error:
            raise OSError(
                f"{folder} cannot hold a certificate authority: {error.strerror}. Give another folder as tls_dir "
                "(--tls-dir)."
            ) from None
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self.context = functools.lru_cache(maxsize=256)(self._context)

    @_real_datetime()
    def _context(self, *names: str) -> ssl.SSLContext:
        """Return the TLS context of a server with these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = _now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(names[0][:64]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + _CERTIFICATE_VALIDITY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(list(map(_subject, names))), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = self._use_server_name
        # Python loads certificates only from files.
        with tempfile.TemporaryDirectory(prefix="pytest-kmsmock-") as folder:
            path = Path(folder) / "server.pem"
            path.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(path)
        return context

    def _use_server_name(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Use a certificate for the server name (SNI), such as the name of a container or a host of AWS."""
        if name is not None and _NAME.fullmatch(name):
            connection.context = self.context(name)


@_real_datetime()
def _make(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = _name("pytest-kmsmock test CA"), _now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _CA_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    descriptor = os.open(folder / _KEY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_pem(key))
    (folder / _CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(machine_time(), timezone.utc)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _subject(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)
