"""Invitations as tests use them: made on the command line, read off the page that shows their links."""

import re

from flask import Flask

from mfaportal.domain import invitations, portals
from mfaportal.rules.roles import MemberRole
from tests.browser_client import ORIGIN, Page
from tests.clock import MovableClock
from tests.people import PORTAL, on_the_command_line

USERS = f"/portals/{PORTAL}/backoffice/access/users"
INVITE = f"{USERS}/invite"
NEW = "new@example.org"
CHOSEN = "nine kettles in the attic"
"""A password that somebody invited chooses."""


def invited(app: Flask, clock: MovableClock, email: str = NEW, role: str = "reader", slug: str = PORTAL) -> str:
    """The path of a link for this address. Made by nobody, as the command line is."""
    with app.app_context():
        made = invitations.invite(on_the_command_line(clock), slug, [email], MemberRole(role))
    assert isinstance(made, list)
    assert made[0].token is not None
    return f"/invitations/{made[0].token}"


def second_portal(app: Flask, clock: MovableClock) -> str:
    """Another portal, "Harbour", of which nobody is a member; its slug."""
    with app.app_context():
        portals.create(on_the_command_line(clock), "Harbour", "harbour")
    return "harbour"


def links_on(page: Page) -> dict[str, str]:
    """The path of each link that a page shows, by its address."""
    found = re.findall(rf'<h2>([^<]*)</h2>\s*<code class="key">{ORIGIN}(/invitations/[^<]*)</code>', page.html)
    return dict(found)
