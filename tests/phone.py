"""An authenticator app of the tests' own: RFC 6238 from the standard library, so not the one that checks the codes.

`test_phone` holds it against oathtool; browser tests ask oathtool itself.
"""

import base64
import hashlib
import hmac
import subprocess
from datetime import datetime

from tests.plugins.tools import tool


class Phone:
    """An app that was given a set-up key."""

    def __init__(self, key: str) -> None:
        self.key = key.replace(" ", "")

    def code(self, now: datetime, step: int = 0) -> str:
        """The code that it shows at `now`; `step` steps later (or earlier)."""
        counter = int(now.timestamp()) // 30 + step
        secret = base64.b32decode(self.key)
        mac = hmac.new(secret, counter.to_bytes(8, "big"), hashlib.sha1).digest()
        offset = mac[-1] & 15
        return f"{(int.from_bytes(mac[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"

    def wrong_code(self, now: datetime) -> str:
        """Six digits that are wrong at `now` and in the quarter of an hour around it."""
        near = {self.code(now, step) for step in range(-30, 31)}
        return next(code for code in (f"{number:06d}" for number in range(1000)) if code not in near)


def oathtool_code(key: str, now: datetime | None = None) -> str:
    """What oathtool shows for a key, now or at a given time."""
    when = ["--now", now.strftime("%Y-%m-%d %H:%M:%S UTC")] if now else []
    done = subprocess.run(
        [tool("oathtool"), "--totp", "--base32", *when, key.replace(" ", "")],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
