"""The rule is written twice: as a rule, and in SQL so that one statement can ask it of every portal. They agree."""

from datetime import UTC, datetime
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import delete, insert, literal, select

from mfaportal.models import Portal
from mfaportal.models.membership import works_in_back_office
from mfaportal.models.portal import covered_since
from mfaportal.plumbing.db import transaction
from mfaportal.rules.mfa_rule import RuleInForce
from mfaportal.rules.roles import Role, has_back_office, role_in_portal

FIRST = datetime(2026, 1, 10, tzinfo=UTC)
SECOND = datetime(2026, 2, 10, tzinfo=UTC)
RULES = ["off", "back_office", "everyone", "", "Off", "EVERYONE", "nobody", "back_office "]
ROLES = ["reader", "editor", "admin", "", "owner", "Admin", "editor "]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_covers_in_sql_whom_it_covers_in_the_rules(app: Flask, rule: str) -> None:
    instants = [None, FIRST, SECOND]
    with app.app_context(), transaction() as session:
        session.execute(delete(Portal))
        for number, (back_office, everyone) in enumerate(product(instants, instants)):
            session.execute(
                insert(Portal).values(
                    slug=f"p{number}",
                    name="Portal",
                    visibility="private",
                    mfa_rule=rule,
                    back_office_since=back_office,
                    everyone_since=everyone,
                    created_at=FIRST,
                )
            )
        for role in Role:
            since = covered_since(Portal, literal(has_back_office(role)))
            rows = session.execute(select(Portal.back_office_since, Portal.everyone_since, since)).all()
            assert len(rows) == 9
            for back_office, everyone, found in rows:
                assert found == RuleInForce(rule, back_office, everyone).covered_since(role), (rule, role)


@pytest.mark.parametrize("role", ROLES)
def test_a_membership_has_a_back_office_in_sql_when_it_has_one_in_the_rules(app: Flask, role: str) -> None:
    with app.app_context(), transaction() as session:
        found = session.scalar(select(works_in_back_office(literal(role))))
        assert bool(found) is has_back_office(role_in_portal(operator=False, member=role, public=True))
