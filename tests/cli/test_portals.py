"""`portals create` and `portals list`."""

import pytest
from flask import Flask
from sqlalchemy import select

from mfaportal.models import EventKind, Portal
from tests import rows
from tests.cli.terminal import Terminal
from tests.people import Cast


def test_a_new_portal_is_private_and_demands_nothing(terminal: Terminal, app: Flask) -> None:
    ran = terminal.do("portals", "create", "Bridges  and roads", "--slug", "bridges")
    assert ran.lines == ["Made the portal bridges: private, MFA rule off, no members yet."]
    assert ran.kinds == [EventKind.PORTAL_CREATED]
    portal = rows.portal(app, "bridges")
    assert (portal.name, portal.visibility, portal.mfa_rule) == ("Bridges and roads", "private", "off")
    assert ran.events[0].portal_id == portal.id


def test_the_list(terminal: Terminal, people: Cast) -> None:
    terminal.do("portals", "create", "Bridges", "--slug", "bridges")
    terminal.do("mfa", "rule", "city-data", "everyone")
    assert terminal.do("portals", "list", "--json").json == [
        {"slug": "city-data", "name": "City data", "visibility": "private", "mfa_rule": "everyone"},
        {"slug": "bridges", "name": "Bridges", "visibility": "private", "mfa_rule": "off"},
    ]
    assert [line.split() for line in terminal.do("portals", "list").lines] == [
        ["SLUG", "NAME", "VISIBILITY", "MFA", "RULE"],
        ["city-data", "City", "data", "private", "everyone"],
        ["bridges", "Bridges", "private", "off"],
    ]


def test_a_fresh_installation_has_one(terminal: Terminal) -> None:
    assert [portal["slug"] for portal in terminal.do("portals", "list", "--json").json] == ["portal"]


BAD_SLUG = "A slug has 1 to 40 characters of a-z, 0-9 and -, neither begins nor ends with -, and is not new."


@pytest.mark.parametrize(
    ("name", "slug", "sentence"),
    [
        ("", "bridges", "A portal's name has 1 to 80 visible characters."),
        ("x" * 81, "bridges", "A portal's name has 1 to 80 visible characters."),
        ("Bridges\u200b", "bridges", "A portal's name has 1 to 80 visible characters."),
        ("Bridges", "", BAD_SLUG),
        ("Bridges", "Bridges", BAD_SLUG),
        ("Bridges", "bridges/roads", BAD_SLUG),
        ("Bridges", "-bridges", BAD_SLUG),
        ("Bridges", "b" * 41, BAD_SLUG),
        ("Bridges", "new", BAD_SLUG),
        ("Bridges", "portal", "There is a portal portal already."),
    ],
)
def test_a_refusal_makes_no_portal(terminal: Terminal, app: Flask, name: str, slug: str, sentence: str) -> None:
    assert terminal.refused("portals", "create", name, f"--slug={slug}") == sentence
    assert len(rows.rows(app, select(Portal))) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("Bridges",), "Missing option '--slug'."),
        (("--slug", "bridges"), "Missing argument 'NAME'."),
        (("\udcff", "--slug", "bridges"), "This is not UTF-8."),
        (("Bridges", "--slug", "\udcff"), "This is not UTF-8."),
    ],
)
def test_wrong_usage_makes_no_portal(
    terminal: Terminal, app: Flask, arguments: tuple[str, ...], complaint: str
) -> None:
    assert complaint in terminal.misused("portals", "create", *arguments)
    assert len(rows.rows(app, select(Portal))) == 1
