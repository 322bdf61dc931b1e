"""Menus: they ask the same `decide` as the gate, so nobody is shown a link that they may not open."""

from dataclasses import dataclass
from urllib.parse import quote

from flask import g, request, url_for

from ..domain import notices
from ..models.identity import Identity
from ..plumbing.config import DEFAULT_NAME
from ..plumbing.runtime import runtime
from ..rules.access import Audience, Pass, decide
from ..rules.roles import Role
from ..rules.stages import Stage
from . import asking


@dataclass(frozen=True, slots=True)
class Link:
    words: str
    href: str
    current: bool = False
    heading: str = ""
    """Stands above the link: where a group of the menu begins."""
    count: int = 0
    """How many things wait there."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask, in the words of the portal's admins; `href` where these are an address that a browser opens."""

    words: str
    href: str | None


def who() -> Identity | None:
    """Who is asking; nobody on pages that answer alike for everyone, and on those of an error before the gate."""
    known = vars(g._get_current_object())  # noqa: SLF001  # a page asks a dozen times, and a proxy each time for each
    if known.get("alike") or "now" not in known:
        return None
    return known.get("identity") or asking.identity()


def installation() -> str:
    """The installation's name: the setting, else the first portal's."""
    found = who()
    return runtime().settings.name or (found.installation_name if found else None) or DEFAULT_NAME


def place() -> str:
    """The portal that one looks at, else the installation."""
    if g.get("place_name"):
        return str(g.place_name)
    found = who()
    here = found.portal if found is not None and "portal" in (request.view_args or {}) else None
    return here.name if here is not None else installation()


def contact(words: str | None = None) -> Contact | None:
    """Whom to ask where one can get no further; nobody where the portal names none. `words`: another portal's, which
    may name nobody.
    """
    found = who()
    if words is None and found is not None:
        words = found.contact
    if not words:
        return None
    if " " in words:
        return Contact(words, None)
    if words.startswith("https://"):
        return Contact(words, words)
    return Contact(words, f"mailto:{quote(words, safe='@')}" if "@" in words else None)


def request_access() -> str | None:
    """Where somebody who is no member of the portal that they look at may ask to become one."""
    found = who()
    if found is None or found.portal is None or not found.portal.takes_requests or found.role >= Role.READER:
        return None
    return url_for("front_office.request_access", portal=found.portal.slug)


def signs_up() -> bool:
    """Whether the portal that one looks at lets in whoever confirms an address."""
    found = who()
    here = found.portal if found is not None else None
    return here is not None and here.open_sign_up and notices.mail_works()


def is_logged_in() -> bool:
    found = who()
    return found is not None and found.stage is Stage.COMPLETE


def is_half_logged_in() -> bool:
    """On the pages of a half log-in only: elsewhere such people appear anonymous."""
    found = who()
    return found is not None and found.stage in (Stage.CODE, Stage.SET_UP)


def home() -> str | None:
    """Where the name at the top leads: the home page, for those who may open it."""
    if g.get("guarded_host"):
        return runtime().settings.public_url  # what is at the root here is not ours
    found = who()
    if found is None:
        return url_for("front_office.home")
    role = max(found.role, Role.VISITOR) if found.several_portals else found.role  # several: it lists them
    may_see = isinstance(decide(Audience.FRONT_OFFICE, found.stage, role), Pass)
    return url_for("front_office.home") if may_see else None


def back_office() -> str | None:
    """Where "Back office" leads: the portal's that one looks at; on pages of none, the only one that one has."""
    found = who()
    if found is None:
        return None
    slug = found.back_office_slug
    if found.portal is not None:
        slug = found.portal.slug if may(Audience.BACK_OFFICE) else None
    return url_for("back_office.desk", portal=slug) if slug else None


def may(audience: Audience) -> bool:
    """What the gate would say to this person, here, about pages for `audience` (step-up aside)."""
    found = who()
    return found is not None and isinstance(decide(audience, found.stage, found.role), Pass)


_OF_PROFILE = ("account.profile", "account.leave", "account.delete")


def account_menu() -> list[Link]:
    """The tabs of one's account."""
    return [
        Link("Profile", url_for("account.profile"), request.endpoint in _OF_PROFILE),
        Link("Security", url_for("account.security"), request.endpoint not in _OF_PROFILE),
    ]


def back_office_menu() -> list[Link]:
    """The menu beside the back office's pages."""
    slug = asking.portal().slug
    endpoint = request.endpoint or ""
    links = [
        Link("Desk", url_for("back_office.desk", portal=slug), endpoint == "back_office.desk"),
        Link(
            "Datasets",
            url_for("back_office.list_datasets", portal=slug),
            endpoint.startswith("back_office.") and "dataset" in endpoint,
        ),
    ]
    if may(Audience.ADMINS):
        links += _access_menu(slug, endpoint)
    if may_operate():
        links += installation_menu()
    return links


def _access_menu(slug: str, endpoint: str) -> list[Link]:
    return [
        Link(
            "Users",
            url_for("access_users.index", portal=slug),
            endpoint.startswith(("access_users.", "access_invitations.")),
            heading="Access",
        ),
        Link(
            "Requests",
            url_for("access_requests.index", portal=slug),
            endpoint.startswith("access_requests."),
            count=asking.identity().open_requests,
        ),
        Link(
            "Security",
            url_for("access_security.edit", portal=slug),
            endpoint.startswith("access_security."),
        ),
        Link(
            "Log in & Sign up",
            url_for("access_signup.edit", portal=slug),
            endpoint.startswith("access_signup."),
        ),
        Link(
            "Activity",
            url_for("access_activity.index", portal=slug),
            endpoint.startswith("access_activity."),
        ),
    ]


def installation_menu() -> list[Link]:
    """What operators run beside any one portal: a menu of its own, and the end of the back office's."""
    endpoint = request.endpoint or ""
    return [
        Link(
            "Portals",
            url_for("installation_portals.index"),
            endpoint.startswith("installation_portals."),
            heading="Installation",
        ),
        Link(
            "Accounts",
            url_for("installation_accounts.index"),
            endpoint.startswith("installation_accounts."),
        ),
        Link(
            "Mail",
            url_for("installation_mail.index"),
            endpoint.startswith("installation_mail."),
        ),
        Link(
            "Activity",
            url_for("installation_activity.index"),
            endpoint.startswith("installation_activity."),
        ),
    ]


def may_administer() -> bool:
    return may(Audience.ADMINS)


def may_operate() -> bool:
    return may(Audience.OPERATORS)
