"""What writes and is no form of `tests.input.forms`: buttons on other forms' pages, uploads, and two links.

For tests that look at each request which changes something; together with those forms these are all.
"""

from dataclasses import replace
from ipaddress import ip_network
from urllib.parse import quote, urlsplit

from sqlalchemy import select

from mfaportal.domain import notices, outbox
from mfaportal.domain.caller import the_portal_itself
from mfaportal.models import Invitation, MailKind
from mfaportal.plumbing.db import reading, transaction
from mfaportal.plumbing.runtime import runtime
from tests.guarded import DATA, PROXY, GuardedHost, guard
from tests.input import scenes
from tests.input.forms import FormCase
from tests.input.scenes import ACCESS, Opened, Opener, Scene
from tests.invitations import invited
from tests.people import PORTAL, on_the_command_line

MAIL = "/installation/mail"
NEW_DATASET = f"/portals/{PORTAL}/backoffice/datasets/new"
FILE = b"name,height\nbeech,31\n"


def _log_out(scene: Scene) -> Opened:
    scene.log_in("reader")
    return Opened("/log-out", {}, page="/account")


def _withdraw(scene: Scene) -> Opened:
    asked = scenes.request_access(scene)
    scene.browser.submit(asked.path, message="Please")
    return Opened(f"{asked.path}/withdraw", {}, page=asked.path)


def _invitation(action: str) -> Opener:
    def opened(scene: Scene) -> Opened:
        scene.log_in("admin")
        invited(scene.app, scene.clock)
        with scene.app.app_context(), reading() as session:
            number = session.scalars(select(Invitation.id)).one()
        return Opened(f"{ACCESS}/users/invitations/{number}/{action}", {}, page=f"{ACCESS}/users/invite")

    return opened


def _mail(path: str) -> Opener:
    """A mail that could not be sent waits for its next try."""

    def opened(scene: Scene) -> Opened:
        scene.log_in("operator")
        scene.with_mail()
        with scene.app.app_context():
            with transaction() as session:
                notices.tell(session, on_the_command_line(scene.clock), MailKind.APP_ADDED, 1, app="One")
            claimed = outbox.claim(the_portal_itself())
            assert claimed is not None
            outbox.failed(the_portal_itself(), claimed.id, "no answer", for_good=False)
        return Opened(f"{MAIL}/{path.format(claimed.id)}", {}, page=MAIL)

    return opened


def _add_dataset(scene: Scene) -> Opened:
    scene.log_in("editor")
    return Opened(NEW_DATASET, {"title": "Beeches", "description": "", "visibility": "members"}, file=FILE)


def _edit_dataset(scene: Scene) -> Opened:
    """Another file in place of the one that there is."""
    good = {"title": "Old trees", "description": "", "visibility": "members", "version": "1"}
    return replace(scenes.dataset("trees", good)(scene), file=FILE)


def _at_guarded_host(scene: Scene) -> None:
    """Logged in, before a host that the portal guards behind a trusted proxy."""
    scene.log_in("reader")
    guard(scene.app, DATA)
    with scene.app.app_context():
        runtime().settings = replace(runtime().settings, trusted_proxies=(ip_network(PROXY),))


def _hand_off(scene: Scene) -> Opened:
    _at_guarded_host(scene)
    path = f"/hand-off?to={quote(DATA + '/', safe='')}&browser={'x' * 43}"
    return Opened(path, {}, page="/account", method="GET")


def _enter(scene: Scene) -> Opened:
    """The guarded host's own link, with the token of the hand-off."""
    _at_guarded_host(scene)
    host = GuardedHost(scene.browser)
    page = host.ask("/")
    while "token=" not in page.location:
        page = host.go(page.location)
    parts = urlsplit(page.location)
    options = {
        "base_url": DATA,
        "environ_base": {"REMOTE_ADDR": PROXY},
        "headers": {"X-Forwarded-For": scene.browser.address},
    }
    return Opened(f"{parts.path}?{parts.query}", {}, page="/account", method="GET", options=options)


def _button(name: str, opened: Opener, done: int = 303) -> FormCase:
    return FormCase(name, name.partition(" ")[0], opened, {}, frozenset({done}))


BUTTONS = (
    _button("auth.log_out", _log_out),
    _button("front_office.withdraw_request", _withdraw),
    _button("access_invitations.again", _invitation("again"), 200),
    _button("access_invitations.revoke", _invitation("revoke")),
    _button("installation_mail.try_again", _mail("{}/try-again")),
    _button("installation_mail.try_all_again", _mail("try-again")),
    _button("back_office.add_dataset", _add_dataset),
    _button("back_office.edit_dataset with a file", _edit_dataset),
    _button("hand_off.hand_off", _hand_off),
    _button("guarded_host.enter", _enter),
)
