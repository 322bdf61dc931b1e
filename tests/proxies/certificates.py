"""A certificate authority for one run of the tests, so that https and `__Host-` cookies are real."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Certificates:
    """Three files: `authority` (whom clients trust), `chain` and `key` (what a server shows for all its names)."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        folder.mkdir()
        self.authority, self.chain, self.key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = _signed(authority_key, authority_key, "Authority of the tests", None, names=[])
        leaf = _signed(key, authority_key, names[0], authority, names=names)
        self.authority.write_bytes(_pem(authority))
        self.chain.write_bytes(_pem(leaf) + _pem(authority))
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @property
    def client(self) -> ssl.SSLContext:
        """For clients that believe this authority and no other."""
        return ssl.create_default_context(cafile=str(self.authority))


def _signed(
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    name: str,
    issuer: x509.Certificate | None,
    *,
    names: list[str],
) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(by, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
