"""`flask --app wsgi portals …`: made and listed."""

from dataclasses import asdict

import click

from ..domain import portals
from ..domain.outcomes import PortalRefusal
from .refusals import refuse_portal
from .terminal import Commands, Text, as_json, caller, say, say_json, table

group = Commands("portals", help="What people enter.")


@group.command("create")
@click.argument("name", type=Text())
@click.option("--slug", required=True, type=Text(), help="Its name in URLs: a-z, 0-9 and -.")
def create(name: str, slug: str) -> None:
    """Make a portal: private, with no MFA rule and no members."""
    outcome = portals.create(caller(), name, slug)
    if isinstance(outcome, PortalRefusal):
        refuse_portal(outcome, slug)
    say(f"Made the portal {slug}: private, MFA rule off, no members yet.")


@group.command("list")
@as_json
def list_all(as_json: bool) -> None:
    """List all portals."""
    found = portals.every()
    if as_json:
        say_json([asdict(portal) for portal in found])
    else:
        rows = [(portal.slug, portal.name, portal.visibility, portal.mfa_rule) for portal in found]
        say(table(("SLUG", "NAME", "VISIBILITY", "MFA RULE"), rows))
