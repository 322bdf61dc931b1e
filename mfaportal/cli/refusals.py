"""Sentences for what operations refuse, with the thing that was named on the command line."""

from typing import NoReturn

from ..domain.outcomes import AccountRefusal, PortalRefusal
from ..rules.names import PERSON_MAX, PORTAL_MAX, SLUG_MAX
from .terminal import FLASK, refuse

# The other refusals are for people who act on themselves or without an operator's rights: never the command line.
_OF_ACCOUNT = {
    AccountRefusal.UNKNOWN: "There is no account {email}.",
    AccountRefusal.EXISTS: "There is an account {email} already.",
    AccountRefusal.BAD_EMAIL: "{email} is no e-mail address.",
    AccountRefusal.BAD_NAME: f"A name has 1 to {PERSON_MAX} visible characters.",
    AccountRefusal.UNKNOWN_PORTAL: "There is no portal {slug}.",
    AccountRefusal.LAST_OPERATOR: (
        "{email} is the last operator who can log in."
        f" First make somebody else one: {FLASK} accounts role EMAIL --operator"
    ),
}
_OF_PORTAL = {
    PortalRefusal.UNKNOWN: "There is no portal {slug}.",
    PortalRefusal.BAD_NAME: f"A portal's name has 1 to {PORTAL_MAX} visible characters.",
    PortalRefusal.BAD_SLUG: (
        f"A slug has 1 to {SLUG_MAX} characters of a-z, 0-9 and -, neither begins nor ends with -, and is not new."
    ),
    PortalRefusal.SLUG_TAKEN: "There is a portal {slug} already.",
}


def refuse_account(refusal: AccountRefusal, email: str, slug: str | None = None) -> NoReturn:
    refuse(_OF_ACCOUNT[refusal].format(email=email, slug=slug))


def refuse_portal(refusal: PortalRefusal, slug: str) -> NoReturn:
    refuse(_OF_PORTAL[refusal].format(slug=slug))
