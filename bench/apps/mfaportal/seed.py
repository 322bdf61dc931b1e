"""Fill $BENCH_DATA with an installation of N people: one portal, whose rule covers everyone.

Everybody is a reader there with a password and an app; as many as are going to log in have recovery codes, too.
"""

import itertools
import secrets
import sys
from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert

from bench.apps.mfaportal import passwords
from bench.harness.users import ACTIVE, PASSWORD, User, enrolled, fresh
from mfaportal import create_app
from mfaportal.domain import access_security, accounts
from mfaportal.domain.accounts import Newcomer
from mfaportal.domain.caller import Caller, Source
from mfaportal.domain.outcomes import Created
from mfaportal.models import Account, Authenticator, Membership, Portal, RecoveryCode
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.lifetimes import LoginLimits
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.names import key_of
from mfaportal.rules.recovery_codes import A_SET
from mfaportal.rules.roles import MemberRole

BATCH = 20_000
CACHE_KB = 500_000
Rows = Iterator[dict[str, Any]]


def main(count: int) -> None:
    """Make the operator and the rule by the portal's own operations, then the many in batches."""
    with create_app().app_context():
        settings, now = runtime().settings, runtime().now()
        caller = Caller(now, Source.COMMAND_LINE, LoginLimits(settings.login_idle, settings.login_max_age))
        made = accounts.create(caller, Newcomer("operator@example.com", "operator", PASSWORD, operator=True))
        if not isinstance(made, Created):
            raise SystemExit(str(made))
        with transaction() as session:
            portal = session.query(Portal).order_by(Portal.id).first()
            if portal is None:
                raise SystemExit("an installation begins with a portal")
            slug, portal_id, first = portal.slug, portal.id, made.account_id
        access_security.change(caller, slug, visibility=None, rule=MfaRule.EVERYONE, apply_now=True)
        stored = passwords.hash_password(PASSWORD)
        everybody = [*enrolled(count), *fresh(count)]
        _fill(Account, (_account(first, index, stored, now) for index in everybody))
        _fill(Membership, (_membership(first, index, portal_id, now) for index in everybody))
        _fill(Authenticator, _apps(first, count, now))
        _fill(RecoveryCode, _codes(first, count, now))


def _fill(table: type[Any], rows: Rows) -> None:
    """A transaction for each batch: one for all would not fit into memory."""
    while batch := list(itertools.islice(rows, BATCH)):
        with transaction() as session:
            session.connection().exec_driver_sql(f"PRAGMA cache_size = {-CACHE_KB}")
            session.execute(insert(table), batch)


def _account(first: int, index: int, stored: str, now: Any) -> dict[str, Any]:
    user = User(index)
    return {
        "id": first + index,
        "email": user.email,
        "name": user.name,
        "name_key": key_of(user.name),
        "password_digest": stored,
        "is_operator": False,
        "created_at": now,
        "email_confirmed_at": now,
        "codes_saved_at": now,
    }


def _membership(first: int, index: int, portal_id: int, now: Any) -> dict[str, Any]:
    return {"account_id": first + index, "portal_id": portal_id, "role": MemberRole.READER, "since": now}


def _apps(first: int, count: int, now: Any) -> Rows:
    """An app each. Only the secrets of those who will log in are their own."""
    sealed = b""
    for index in enrolled(count):
        if index <= ACTIVE:
            sealed = runtime().keys.sealer.seal(owner_of(first + index), User(index).base32)
        yield {
            "account_id": first + index,
            "name": "app",
            "name_key": key_of("app"),
            "sealed_secret": sealed,
            "added_at": now,
        }


def _codes(first: int, count: int, now: Any) -> Rows:
    """Recovery codes that nobody knows."""
    key = runtime().keys.digester.newest
    for index in enrolled(min(count, ACTIVE)):
        for _ in range(A_SET):
            yield {"account_id": first + index, "key": key, "digest": secrets.token_bytes(32), "made_at": now}


if __name__ == "__main__":
    main(int(sys.argv[1]))
