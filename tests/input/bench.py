"""A form on the test bench: sent with whatever body, each time from the same state, and looked at from all sides."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.browser_client import Page
from tests.input.database import Database
from tests.input.forms import FormCase, Kind
from tests.input.multipart import MULTIPART, file_part, multipart, text_part
from tests.input.scenes import Opened, Scene
from tests.input.values import UNESCAPED, Bad

URLENCODED = "application/x-www-form-urlencoded"
LONGEST = 2.0
"""Seconds that any answer may take, hashing included."""
NOTHING_DONE = {400, 413}
"""Refused before any work: not even an attempt is counted."""


@dataclass
class Bench:
    """`faults` collects what was wrong, so that a test names every bad value and not only the first."""

    scene: Scene
    database: Database
    case: FormCase
    faults: list[str] = field(default_factory=list)
    sent: int = 0
    broken: int = 0
    """How many were answered with a 5xx."""
    form: Opened = field(init=False)
    csrf: str = field(init=False)

    def __post_init__(self) -> None:
        self.form = self.case.open(self.scene)
        self.csrf = self._csrf_of(self.page())
        self.database.remember()
        self._cookies = dict(self.scene.browser.client._cookies or {})

    def page(self) -> Page:
        """The page that shows the form."""
        page = self.scene.browser.get(self.form.page or self.form.path)
        assert page.status == 200, f"{page.path}: {page.status} {page.text[:200]}"
        return page

    @staticmethod
    def _csrf_of(page: Page) -> str:
        return next(form.fields["csrf_token"] for form in page.forms if "csrf_token" in form.fields)

    def again(self) -> None:
        """Back to the moment before the form was sent."""
        self.database.restore()
        self.scene.browser.client._cookies = dict(self._cookies)

    def body(self, bad: dict[str, Bad] | None = None, *, csrf: bool = True) -> bytes:
        """The good values, with bad ones in their place."""
        bad = bad or {}
        parts = [value.in_body(name) for name, value in bad.items()]
        parts += [urlencode({name: value}).encode() for name, value in self.form.good.items() if name not in bad]
        parts += [urlencode({"csrf_token": self.csrf}).encode()] if csrf else []
        return b"&".join(part for part in parts if part)

    def whole(self) -> tuple[bytes, str]:
        """The body as a browser sends it, with its file, and what type it says that it is of."""
        if not self.form.file:
            return self.body(), URLENCODED
        texts = [text_part(name, value) for name, value in {**self.form.good, "csrf_token": self.csrf}.items()]
        return multipart(*texts, file_part("file", self.form.file.decode())), MULTIPART

    def post(self, body: bytes, content_type: str, path: str | None = None, **options: Any) -> Page:
        """Send it from whatever state there is."""
        sent = {"data": body, "content_type": content_type} if self.form.method == "POST" else {}
        to, options = path or self.form.path, {**self.form.options, **options}
        return self.scene.browser.open(self.form.method, to, **sent, **options)

    def send(self, body: bytes, content_type: str = URLENCODED, *, path: str | None = None, **options: Any) -> Page:
        """Send a body from the remembered state. Whatever it is, the answer comes soon and is no 5xx."""
        self.again()
        started = time.perf_counter()
        page = self.post(body, content_type, path, **options)
        took = time.perf_counter() - started
        self.sent += 1
        if page.status >= 500:
            self.broken += 1
            self.faults.append(f"{body[:80]!r}: {page.status}")
        if took > LONGEST:
            self.faults.append(f"{body[:80]!r}: {took:.1f} s")
        return page

    def check(self) -> None:
        assert not self.faults, "\n".join(self.faults)

    def expect(self, what: str, page: Page, statuses: set[int] | frozenset[int]) -> None:
        """Note a wrong status, an unescaped value, and whatever a refused form left in the database."""
        if page.status not in statuses:
            self.faults.append(f"{what}: {page.status}, not {sorted(statuses)}: {page.text[:160]}")
        for text in UNESCAPED:
            if text in page.html:
                self.faults.append(f"{what}: {text} stands in the page")
        left = self.database.changes() if page.status in NOTHING_DONE else self.database.more_than_attempts()
        if page.status >= 400 and left:
            self.faults.append(f"{what}: refused with {page.status}, but changed {left}")

    def try_body(
        self,
        what: str,
        body: bytes,
        statuses: set[int] | frozenset[int],
        content_type: str = URLENCODED,
        **options: Any,
    ) -> Page:
        """Send a body and note what is wrong with the answer."""
        page = self.send(body, content_type, **options)
        self.expect(what, page, statuses)
        return page

    def try_value(self, name: str, kind: Kind, value: Bad) -> None:
        """Send the form with a bad value in one field."""
        what = f"{name}: {value.what}"
        page = self.send(self.body({name: value}))
        self.expect(what, page, self.case.expected(kind, value))
        if kind.is_secret and page.status < 500:
            self._expect_not_shown(what, page, name, value.text or "")

    def _expect_not_shown(self, what: str, page: Page, name: str, text: str) -> None:
        shown = [form.fields[name] for form in page.forms if form.fields.get(name)]
        if shown or (len(text) > 8 and text in page.html):
            self.faults.append(f"{what}: shown again")
