"""Time-based one-time codes (RFC 6238): what a code is, which step it belongs to, and what a wrong one may mean.

Whether a step was used before is not decided here: only the database can, in one statement.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime

import pyotp

DIGITS = 6
STEP_SECONDS = 30
SECRET_CHARACTERS = 32
"""Base32 characters: 160 bits, the length of the HMAC's output (RFC 4226 §4 R6, RFC 6238 §5.1)."""
DRIFT_STEPS = 1
"""At most one step each way for delay (RFC 6238 §5.2)."""
EXPLAINED_STEPS = 10
"""How far a wrong code is looked for to say what is wrong with a clock; never to accept it."""
_TYPED_MAX = 64
_SIX_DIGITS = re.compile(rf"[0-9]{{{DIGITS}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Matches:
    """The steps, newest first, at which the code is right now."""

    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClockOff:
    """Right at `step`, which is not now: the device's clock is `seconds` fast (or slow, when negative)."""

    step: int
    seconds: int


def new_secret() -> str:
    """A set-up key: 160 bits from the operating system, in Base32."""
    return pyotp.random_base32(SECRET_CHARACTERS)


def clean_code(typed: str) -> str | None:
    """The six ASCII digits that somebody typed, spaces taken out; None when it is anything else.

    Length first, and no normalising: pyotp would take full-width digits for the same code, which would make each
    alias a fresh one (security.md, facts 1 to 3).
    """
    if len(typed) > _TYPED_MAX:
        return None
    digits = typed.replace(" ", "")
    return digits if _SIX_DIGITS.fullmatch(digits) else None


def step_at(now: datetime) -> int:
    """The time step (RFC 6238 §4.2): whole 30 seconds since 1970."""
    return int(now.timestamp()) // STEP_SECONDS


def check(secret: str, code: str, now: datetime) -> Matches | ClockOff | None:
    """What six digits are to this secret at `now`. Every step of the window is computed, whatever the code."""
    key = pyotp.HOTP(secret).byte_secret()
    here = step_at(now)
    right = [
        step
        for step in range(here + EXPLAINED_STEPS, here - EXPLAINED_STEPS - 1, -1)
        if step >= 0 and hmac.compare_digest(_code_at(key, step), code)
    ]
    near = tuple(step for step in right if abs(step - here) <= DRIFT_STEPS)
    if near:
        return Matches(near)
    if right:
        step = min(right, key=lambda step: abs(step - here))
        return ClockOff(step, (step - here) * STEP_SECONDS)
    return None


def _code_at(key: bytes, step: int) -> str:
    """RFC 4226 §5.3. pyotp takes five times as long, and there are 21 for each code that is judged."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def provisioning_uri(secret: str, *, email: str, issuer: str) -> str:
    """The otpauth link that apps read from the QR code. Period, digits and algorithm are the defaults, left out.

    A colon parts issuer and e-mail in apps that decode before they cut, so the issuer goes without.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer.replace(":", ""))


def grouped(secret: str) -> str:
    """The key as people type it: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
