"""What somebody who attacks would look at and send: every page, every form, and what they would be after."""

import re
from collections.abc import Iterator

from flask import Flask

from mfaportal.models import (
    Account,
    Authenticator,
    Invitation,
    Login,
    Membership,
    OneTimeLink,
    Portal,
    RecoveryCode,
)
from mfaportal.web.fresh import StepUp
from mfaportal.web.gate import declared_of
from tests.browser_client import ORIGIN, Page
from tests.people import PORTAL
from tests.stored import stored

_KEY = re.compile(r"otpauth:|<svg[^>]*role=\"img\"|\b(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}\b|\b[A-Z2-7]{32}\b")
_RECOVERY_CODE = re.compile(r"\b(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}\b")
FIELDS = {
    "name": "Taken over",
    "code": "000000",
    "email": "thief@example.org",
    "emails": "thief@example.org",
    "password": "the password of a thief",
    "portal": "Taken over",
    "role": "admin",
    "operator": "yes",
    "reason": "because",
    "visibility": "public",
    "mfa_rule": "off",
    "end_others": "yes",
    "new_password_too": "yes",
    "confirmed": "yes",
    "account_id": "4",
    "saved": "yes",
    "current_password": "a guess of a thief",
    "login": "1",
    "others": "yes",
    "replace": "yes",
}
"""What all the portal's forms together ask for."""


def addresses(app: Flask, method: str, *, app_id: int, account_id: int, step_up: bool = False) -> dict[str, str]:
    """The path of each endpoint that takes a method, filled with these numbers; without static files and log-out."""
    values = {"portal": PORTAL, "app_id": app_id, "account_id": account_id, "invitation_id": 1, "mail_id": 1}
    values["dataset"] = "trees"
    values["token"] = "x" * 43
    adapter = app.url_map.bind("127.0.0.1:8000")
    asking = {StepUp.FORM, StepUp.UNLESS_RECOVERED}
    asking |= set() if method == "GET" else {StepUp.ROW}  # a list may be read without
    return {
        rule.endpoint: adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments}, method=method)
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ())
        and rule.endpoint not in ("static", "guarded_host.static", "auth.log_out")
        and (not step_up or declared_of(app, rule.endpoint).step_up in asking)
    }


def shows_a_key(page: Page) -> bool:
    """Whether a set-up key stands on the page in any of its shapes, or a recovery code."""
    return bool(_KEY.search(page.html) or _RECOVERY_CODE.search(page.html))


def what_matters(app: Flask, *, keys_on_offer: bool = True) -> list[tuple[object, ...]]:
    """All that an attacker would change: who may log in with what, and what for."""
    return list(_facts(app, keys_on_offer=keys_on_offer))


def _facts(app: Flask, *, keys_on_offer: bool) -> Iterator[tuple[object, ...]]:
    for model in (Authenticator, Invitation, Membership, OneTimeLink, Portal, RecoveryCode):
        yield from stored(app, model)
    for account in stored(app, Account):
        yield account.email, account.name, account.password_digest, account.is_operator, account.suspended_at
        yield account.id, account.codes_saved_at
    for login in stored(app, Login):
        yield login.account_id, login.second_factor_at, login.confirmed_at, login.ended_at
        if keys_on_offer:
            yield login.id, login.pending_secret


def is_local(page: Page) -> bool:
    """Whether a redirect stays on this site."""
    return page.location.startswith("/") or page.location.startswith(ORIGIN)
