"""An authenticator app as a person has it: it scans a QR code off the screen, or is told the key; oathtool counts."""

import subprocess
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from playwright.sync_api import Page

from tests.browser.server_clock import ServerClock
from tests.phone import Phone
from tests.plugins.tools import tool

QR_NAME = "QR code to scan with your authenticator app"


@dataclass(frozen=True)
class Scanned:
    """What an app takes from a QR code."""

    issuer: str
    email: str
    key: str


@dataclass(frozen=True)
class AppOnPhone:
    key: str
    clock: ServerClock

    def code(self) -> str:
        return self.clock.code(self.key)

    def wrong_code(self) -> str:
        """Six digits that it does not show, nor did or will for a while."""
        return Phone(self.key).wrong_code(self.clock())


def scan(page: Page) -> Scanned:
    """Hold a phone in front of the screen: a picture of what the window shows, read by zbarimg."""
    page.get_by_role("img", name=QR_NAME).scroll_into_view_if_needed()
    return read(text_in(page.screenshot()))


def text_in(picture: bytes) -> str:
    """The one QR code of a picture."""
    done = subprocess.run(
        [tool("zbarimg"), "--quiet", "--raw", "--set", "disable", "--set", "qrcode.enable", "-"],
        input=picture,
        capture_output=True,
        check=False,
    )
    found = done.stdout.decode().splitlines()
    assert len(found) == 1, f"{len(found)} QR codes in the picture"
    return found[0]


def read(uri: str) -> Scanned:
    """An otpauth link as apps read it. Period, digits and algorithm are the defaults: few apps know others."""
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    values = {name: value for name, [value] in parse_qs(parts.query, strict_parsing=True).items()}
    assert set(values) <= {"secret", "issuer", "period", "digits", "algorithm"}
    assert values.get("period", "30") == "30"
    assert values.get("digits", "6") == "6"
    assert values.get("algorithm", "SHA1") == "SHA1"
    issuer, email = unquote(parts.path.removeprefix("/")).split(":")
    assert issuer == values["issuer"]
    return Scanned(issuer, email, values["secret"])
