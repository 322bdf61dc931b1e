"""What a set-up page offers to scan, to type and to open, read off the page as an app or a person would."""

import re
import subprocess
from pathlib import Path

from tests.browser_client import Browser, Page
from tests.clock import MovableClock
from tests.phone import Phone
from tests.plugins.tools import tool

SET_UP = "/log-in/set-up"
CODES = "/account/security/recovery-codes"
_RUN = re.compile(r"(?:M(\d+) (\d+)\.5|m(\d+) 0)h(\d+)")
_SCALE = 4


class Offer:
    """The one key of the page in its three shapes."""

    def __init__(self, page: Page) -> None:
        self.html = page.html
        (self.grouped,) = re.findall(r'<code class="key">([^<]+)</code>', page.html)
        (self.link,) = re.findall(r'href="(otpauth://[^"]+)"', page.html)
        self.key = self.grouped.replace(" ", "")
        self.phone = Phone(self.key)

    @property
    def drawing(self) -> str:
        (path,) = re.findall(r'<path stroke="#000" d="([^"]+)"/></svg></div>', self.html)
        return str(path)

    @property
    def matrix(self) -> list[list[bool]]:
        """The drawing as modules, dark ones true, its quiet zone included."""
        ((width, height),) = re.findall(r'<svg viewBox="0 0 (\d+) (\d+)" role="img"', self.html)
        assert width == height
        assert _RUN.sub("", self.drawing) == ""
        dark = [[False] * int(width) for _ in range(int(width))]
        x = y = 0
        for left, top, further, length in _RUN.findall(self.drawing):
            x, y = (x + int(further), y) if further else (int(left), int(top))
            dark[y][x : x + int(length)] = [True] * int(length)
            x += int(length)
        return dark

    def scanned(self, folder: Path) -> str:
        """What zbarimg reads off the drawing."""
        rows = [[int(dark) for dark in row for _ in range(_SCALE)] for row in self.matrix for _ in range(_SCALE)]
        picture = folder / "qr.pbm"
        picture.write_text(f"P1 {len(rows)} {len(rows)}\n" + "\n".join(" ".join(map(str, row)) for row in rows))
        done = subprocess.run(
            [tool("zbarimg"), "--quiet", "--raw", str(picture)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


def offer_of(browser: Browser, path: str = SET_UP) -> Offer:
    page = browser.get(path)
    assert page.status == 200, (page.status, page.location)
    return Offer(page)


def set_up(browser: Browser, clock: MovableClock, name: str = "My phone", *, leads_to: str = "/") -> Phone:
    """Finish the set-up that a log-in leads to, and be let in: to the recovery codes, then to where it leads."""
    page = browser.get(SET_UP)
    phone = Offer(page).phone
    answer = browser.send(page, code=phone.code(clock()), name=name)
    assert (answer.status, answer.location) == (303, f"{CODES}?next={leads_to}"), answer.text
    return phone
