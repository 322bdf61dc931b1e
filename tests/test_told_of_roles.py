"""Who is given another role, removed, or made an operator is mailed, whoever did it."""

from flask import Flask

from mfaportal.domain import accounts, members
from mfaportal.rules.roles import MemberRole
from tests.clock import MovableClock
from tests.people import PORTAL, Cast, on_the_command_line
from tests.told import told


def test_each_change_of_a_role_is_told_once(app: Flask, people: Cast, clock: MovableClock) -> None:
    person = people.reader
    with app.app_context():
        cli = on_the_command_line(clock)
        members.change_role(cli, PORTAL, person.id, MemberRole.READER)  # nothing changes
        members.change_role(cli, PORTAL, person.id, MemberRole.EDITOR)
        members.remove(cli, PORTAL, person.id)
        members.add(cli, PORTAL, person.id, MemberRole.ADMIN)
        accounts.change_operator(cli, person.id, operator=True)
        accounts.change_operator(cli, person.id, operator=False)
    mails = told(app)
    assert {(mail.kind, mail.recipient) for mail in mails} == {("role-changed", person.email)}
    assert [(mail.facts.get("before"), mail.facts.get("role"), mail.facts.get("operator")) for mail in mails] == [
        ("reader", "editor", None),
        ("editor", None, None),
        (None, "admin", None),
        (None, None, True),
        (None, None, False),
    ]
    assert mails[0].facts["portal"] == "City data"
