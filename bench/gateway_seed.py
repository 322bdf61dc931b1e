"""Fill a portal with members, log one of them in through the forms, and let them into a guarded host."""

import re
from urllib.parse import urljoin

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from mfaportal import create_app
from mfaportal.domain import accounts
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.caller import Caller, Source
from mfaportal.domain.outcomes import Created
from mfaportal.models import Account, Authenticator, GuardedAddress, Membership
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.lifetimes import LoginLimits
from mfaportal.rules.roles import MemberRole

ORIGIN = "http://127.0.0.1:8471"
PASSWORD = "a password for the benchmark"  # noqa: S105
EMAIL = "bench@example.org"
"""One account is enough: nothing about it is cached."""


def enter(host: str, scheme: str = "http", members: int = 2000) -> str:
    """The cookie of somebody with a pass for a guarded host, by all the steps that lead to it."""
    app = create_app()
    client = _logged_in(app, members)
    with app.app_context(), transaction() as session:
        session.add(GuardedAddress(portal_id=1, scheme=scheme, host=host, prefix=""))
    way = f"{ORIGIN}/hand-off?to={scheme}://{host}/"
    while True:
        scheme, _, rest = way.partition("://")
        netloc, _, path = rest.partition("/")
        answer = client.get(f"/{path}", base_url=f"{scheme}://{netloc}")
        for cookie in answer.headers.getlist("Set-Cookie"):
            if cookie.removeprefix("__Host-").startswith("mfaportal-pass"):
                return cookie.partition(";")[0]
        if answer.status_code != 303:  # noqa: PLR2004
            raise SystemExit(answer.text)
        way = urljoin(way, answer.headers["Location"])


def _logged_in(app: Flask, members: int) -> FlaskClient:
    """A client that has logged in by password and code."""
    with app.app_context():
        key = _seed(members)
    client = app.test_client()
    page = client.get("/log-in", base_url=ORIGIN).text
    answer = client.post(
        "/log-in", base_url=ORIGIN, data={"csrf_token": _csrf(page), "email": EMAIL, "password": PASSWORD}
    )
    page = client.get(answer.headers["Location"], base_url=ORIGIN).text
    answer = client.post(
        "/log-in/code", base_url=ORIGIN, data={"csrf_token": _csrf(page), "code": pyotp.TOTP(key).now()}
    )
    if answer.status_code != 303:  # noqa: PLR2004
        raise SystemExit(answer.text)
    return client


def _seed(members: int) -> str:
    settings = runtime().settings
    now = runtime().now()
    caller = Caller(now, Source.COMMAND_LINE, LoginLimits(settings.login_idle, settings.login_max_age))
    made = accounts.create(caller, Newcomer(EMAIL, "Bench", PASSWORD, portal="portal", role=MemberRole.EDITOR))
    if not isinstance(made, Created):
        raise SystemExit(str(made))
    key = pyotp.random_base32()
    with transaction() as session:
        app = Authenticator(
            account_id=made.account_id,
            sealed_secret=runtime().keys.sealer.seal(owner_of(made.account_id), key),
            added_at=now,
        )
        app.rename("Bench")
        session.add(app)
        numbers = range(1000, 1000 + members)
        people = [
            {"id": n, "email": f"p{n}@example.org", "name": f"P {n}", "name_key": f"p {n}", "created_at": now}
            | {"is_operator": False}
            for n in numbers
        ]
        session.execute(insert(Account), people)
        session.execute(
            insert(Membership),
            [{"account_id": n, "portal_id": 1, "role": "reader", "since": now} for n in numbers],
        )
    return key


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise SystemExit(page)
    return found[1]
