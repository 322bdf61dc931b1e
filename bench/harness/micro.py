"""Run inside the `micro` environment: prints, as JSON, what the parts cost in-process.

One call prints one round; run.py repeats it. The order of the parts turns with
the round, given as the only argument.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import bcrypt
import pyotp
import qrcode
import qrcode.image.svg
import segno
from argon2 import PasswordHasher
from django.conf import settings
from werkzeug.security import check_password_hash, generate_password_hash

from bench.harness.stats import rotated, time_call
from bench.harness.users import ISSUER, PASSWORD, User

URI = pyotp.TOTP(User(1).base32).provisioning_uri(name=User(1).email, issuer_name=ISSUER)


def hashers() -> dict[str, Callable[[], object]]:
    """What verifying a correct password calls, by name."""
    settings.configure(USE_I18N=False)
    from django.contrib.auth.hashers import check_password, make_password  # noqa: PLC0415  # needs the settings

    def argon2(hasher: PasswordHasher) -> Callable[[], object]:
        stored = hasher.hash(PASSWORD)
        return lambda: hasher.verify(stored, PASSWORD)

    scrypt, pbkdf2 = generate_password_hash(PASSWORD), make_password(PASSWORD)
    blowfish = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(12))
    return {
        "argon2-cffi, OWASP (19 MiB, t=2, p=1)": argon2(
            PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)
        ),
        "argon2-cffi, defaults (64 MiB, t=3, p=4)": argon2(PasswordHasher()),
        "argon2-cffi, 64 MiB, t=3, p=1": argon2(PasswordHasher(parallelism=1)),
        "werkzeug scrypt, default (32768:8:1)": lambda: check_password_hash(scrypt, PASSWORD),
        "Django PBKDF2, default (1,000,000)": lambda: check_password(PASSWORD, pbkdf2),
        "bcrypt 12": lambda: bcrypt.checkpw(PASSWORD.encode(), blowfish),
    }


def totp() -> dict[str, Callable[[], object]]:
    generator = pyotp.TOTP(User(1).base32)
    time = 1_800_000_000
    code = generator.at(time)

    def verify(otp: str) -> Callable[[], bool]:
        return lambda: generator.verify(otp, for_time=time, valid_window=1)

    return {
        "pyotp.TOTP.verify(valid_window=1), current code": verify(code),
        "pyotp.TOTP.verify(valid_window=1), wrong code": verify("wrong!"),
        "pyotp.random_base32()": pyotp.random_base32,
    }


def images() -> dict[str, Callable[[], bytes]]:
    """QR codes of a typical otpauth URI, as bytes ready to send."""

    def from_qrcode(factory: type | None) -> Callable[[], bytes]:
        def draw() -> bytes:
            out = io.BytesIO()
            qrcode.make(URI, image_factory=factory).save(out)
            return out.getvalue()

        return draw

    def from_segno(mask: int | None = None, **options: object) -> Callable[[], bytes]:
        def draw() -> bytes:
            out = io.BytesIO()
            segno.make(URI, micro=False, mask=mask).save(out, **options)
            return out.getvalue()

        return draw

    return {
        "qrcode, SVG (SvgPathImage)": from_qrcode(qrcode.image.svg.SvgPathImage),
        "qrcode, SVG (SvgImage)": from_qrcode(qrcode.image.svg.SvgImage),
        "qrcode, PNG (Pillow)": from_qrcode(None),
        "segno, SVG": from_segno(kind="svg", scale=4),
        "segno, SVG, mask 2 instead of the best of eight": from_segno(
            mask=2, kind="svg", scale=4
        ),
        "segno, PNG": from_segno(kind="png", scale=10),
    }  # fmt: skip


def main(turn: int) -> None:
    result: dict[str, dict[str, object]] = {}
    for group, parts, budget_s in (
        ("hashers", hashers(), 0.5),
        ("totp", totp(), 0.15),
        ("images", images(), 0.2),
    ):
        seconds = {name: time_call(parts[name], budget_s) for name in rotated(parts, turn)}
        result[group] = {name: seconds[name] for name in parts}
    result["image_bytes"] = {name: len(draw()) for name, draw in images().items()}
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]))
