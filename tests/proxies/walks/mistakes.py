"""Slips in the configurations under deploy/: what an operator leaves out or puts in another place."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from mfaportal.models import GuardedAddress, Portal
from mfaportal.plumbing.db import transaction
from tests.people import PORTAL
from tests.proxies.fronts import Front
from tests.server import free_port

QUESTION, GUARD, ONCE, CADDY = (
    "snippets/mfaportal-question.conf",
    "snippets/mfaportal-guard.conf",
    "mfaportal-http.conf",
    "mfaportal.caddy",
)


@dataclass(frozen=True)
class Slip:
    """In one file of one proxy: what the pattern finds is replaced."""

    file: str
    pattern: str
    replacement: str = ""

    def make(self, folder: Path) -> None:
        path = folder / self.file
        text, found = re.subn(self.pattern, self.replacement, path.read_text(), flags=re.MULTILINE)
        assert found, f"{self.file} has nothing like {self.pattern!r} any more"
        path.write_text(text)


@dataclass(frozen=True)
class Mistake:
    """The slips that make it, by proxy, and the page that tells of it."""

    slips: dict[str, tuple[Slip, ...]]
    status: int
    heading: str
    told: str
    """Stands on the page."""
    doctor: str
    """All that `doctor` says of it, `{root}` for the address of the host and `{port}` for its port."""


_NO_COOKIE = (
    "The cookie __Host-mfaportal-pass-{port} does not reach the gateway, so nobody gets in: let the proxy send Cookie"
    " with its question."
)
MISTAKES = {
    "asks the gateway without the cookie": Mistake(
        {
            "nginx": (
                Slip(QUESTION, r"Cookie \$http_cookie", "Cookie $ours_only"),
                Slip(ONCE, r"\A", 'map $request_uri $ours_only { default ""; "~^/[.]mfaportal/" $http_cookie; }'),
            ),
            "caddy": (Slip(CADDY, r"^\tforward_auth", "\trequest_header -Cookie\n\tforward_auth"),),
        },
        409,
        "Set up wrongly",
        "header Cookie",
        _NO_COOKIE,
    ),
    "keeps our paths to itself": Mistake(
        {
            "nginx": (Slip(GUARD, r"^location \^~ /\.mfaportal/ \{[^}]*\}"),),
            "caddy": (Slip(CADDY, r"^\treverse_proxy @mfaportal .*"),),
        },
        409,
        "Set up wrongly",
        "keeps /.mfaportal/ to itself",
        "{root}/.mfaportal/ is not handed to the portal, or is guarded itself, so nobody gets in: let the proxy hand"
        " /.mfaportal/ to the portal without asking the gateway.",
    ),
    "cuts all cookies off": Mistake(
        {
            "nginx": (Slip(QUESTION, r"Cookie \$http_cookie", 'Cookie ""'),),
            "caddy": (Slip(CADDY, r"^\trequest_header -Remote-\*", "\trequest_header -Cookie"),),
        },
        410,
        "This link no longer works",
        "does not pass the header Cookie on",
        _NO_COOKIE,
    ),
    "hands our paths over under a Host of its own": Mistake(
        {
            "nginx": (Slip(QUESTION, r"^proxy_set_header Host .*", "proxy_set_header Host $proxy_host;"),),
            "caddy": (
                Slip(
                    CADDY,
                    r"^\treverse_proxy @mfaportal (.*)",
                    "\treverse_proxy @mfaportal \\1 {\n\t\theader_up Host {upstream_hostport}\n\t}",
                ),
            ),
        },
        409,
        "Set up wrongly",
        "Host",
        "{root}/.mfaportal/ is handed to the portal under another name: let the proxy send Host"
        " (and X-Forwarded-Host) as the browser sent it.",
    ),
}


def wrong_front(right: Front, folder: Path, host: str, mistake: Mistake) -> Front:
    """A proxy of the same kind with the mistake in it, before one host on a port of its own, which is guarded, too.

    It is not started.
    """
    site = replace(
        right.site, port=free_port(), http_port=free_port(), applications={host: right.site.applications[host]}
    )

    def configure(front: Front) -> None:
        type(right).configure(front)
        for slip in mistake.slips[right.name]:
            slip.make(front.folder)

    with transaction() as session:
        portal_id = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
        session.add(GuardedAddress(portal_id=portal_id, scheme="https", host=f"{host}:{site.port}", prefix=""))
    front: Front = type("Wrong", (type(right),), {"configure": configure})(folder, site)
    return front
