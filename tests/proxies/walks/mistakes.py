"""Slips in the configurations under deploy/: what an operator leaves out or puts in another place."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.proxies.deployed import Site
from tests.proxies.fronts import FRONTS, Front

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
    ),
    "keeps our paths to itself": Mistake(
        {
            "nginx": (Slip(GUARD, r"^location \^~ /\.mfaportal/ \{[^}]*\}"),),
            "caddy": (Slip(CADDY, r"^\treverse_proxy @mfaportal .*"),),
        },
        409,
        "Set up wrongly",
        "keeps /.mfaportal/ to itself",
    ),
    "cuts all cookies off": Mistake(
        {
            "nginx": (Slip(QUESTION, r"Cookie \$http_cookie", 'Cookie ""'),),
            "caddy": (Slip(CADDY, r"^\trequest_header -Remote-\*", "\trequest_header -Cookie"),),
        },
        410,
        "This link no longer works",
        "does not pass the header Cookie on",
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
    ),
}


def wrong_front(kind: str, folder: Path, site: Site, mistake: Mistake) -> Front:
    """A proxy with the mistake in it, beside the right one; not started."""
    right = FRONTS[kind]

    def configure(front: Front) -> None:
        right.configure(front)
        for slip in mistake.slips[kind]:
            slip.make(front.folder)

    front: Front = type("Wrong", (right,), {"configure": configure})(folder, site)
    return front
