"""A guarded host, as its proxy and a browser before it see it: asks the gateway, follows where it is sent."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from mfaportal.models import BackOfficePath, GuardedAddress, Portal
from mfaportal.plumbing.db import transaction
from tests.browser_client import ORIGIN, Browser, Page
from tests.people import PORTAL

PROXY = "192.0.2.80"
TRUST = {"MFAPORTAL_TRUSTED_PROXIES": PROXY}
DATA = "https://data.example.org"
IDENTITY = ("Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups")
STRANGER = dict.fromkeys(IDENTITY, "")


def guard(app: Flask, *addresses: str, slug: str = PORTAL, back_office: tuple[str, ...] = ()) -> None:
    """Let a portal guard addresses, as its operator would."""
    with app.app_context(), transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == slug)).one()
        for address in addresses:
            parts = urlsplit(address)
            session.add(
                GuardedAddress(portal_id=portal_id, scheme=parts.scheme, host=parts.netloc, prefix=parts.path)
            )
        session.add_all(BackOfficePath(portal_id=portal_id, path=path) for path in back_office)


class GuardedHost:
    """The proxy in front of `origin`, and the cookies that a browser has for it."""

    def __init__(self, browser: Browser, origin: str = DATA) -> None:
        self.browser = browser
        self.origin = origin

    def ask(
        self,
        uri: str = "/",
        *,
        at: str = "forward",
        method: str = "GET",
        headers: Mapping[str, str | None] | None = None,
    ) -> Page:
        """What the proxy is told about this browser's request; `headers` take the place of its own."""
        parts = urlsplit(self.origin)
        sent: dict[str, str | None] = {
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": parts.scheme,
            "X-Forwarded-Host": parts.netloc,
            "X-Forwarded-Uri": uri,
            "X-Forwarded-For": self.browser.address,
            **(headers or {}),
        }
        return self.browser.open(
            "GET",
            f"/gateway/{at}",
            base_url=self.origin,
            environ_base={"REMOTE_ADDR": PROXY},
            headers={name: value for name, value in sent.items() if value is not None},
        )

    def own(self, path: str) -> Page:
        """What the proxy hands to the portal of this host: a path below /.mfaportal/."""
        return self.browser.open(
            "GET",
            path,
            base_url=self.origin,
            environ_base={"REMOTE_ADDR": PROXY},
            headers={"X-Forwarded-For": self.browser.address},
        )

    def open(self, uri: str = "/") -> Page:
        """What a person gets who opens a page: the gateway's 200, or the page where the redirects end."""
        return self.follow(self.ask(uri))

    def follow(self, page: Page) -> Page:
        """Go where a page leads, from host to host, as a browser does."""
        for _ in range(12):
            if page.status not in (302, 303):
                return page
            page = self.go(page.location)
        raise AssertionError(f"sent round and round, at last to {page.location}")

    def go(self, url: str) -> Page:
        """Open any address, of the portal or of this host."""
        parts = urlsplit(url)
        where = parts._replace(scheme="", netloc="").geturl() or "/"
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            return self.browser.get(where, base_url=ORIGIN)
        return self.own(where) if where.startswith("/.mfaportal/") else self.ask(where)


def identity(page: Page) -> dict[str, str]:
    """The four headers of an answer, as they are sent."""
    return {name: page.response.headers[name] for name in IDENTITY}
