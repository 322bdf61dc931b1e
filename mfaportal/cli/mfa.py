"""`flask --app wsgi mfa …`: whom the rules cover, and the two ways out for whoever is locked out."""

from dataclasses import asdict

import click

from ..domain import access_security, authenticators, portals, reports
from ..domain.outcomes import AccountRefusal, PortalRefusal
from ..domain.portals import PortalListed
from ..domain.reports import Covered
from ..rules.mfa_rule import MfaRule
from .accounts import id_of, reset_line
from .refusals import refuse_account, refuse_portal
from .terminal import Commands, Email, Text, as_json, caller, count, say, say_json, table

REASON_MAX = 500
group = Commands("mfa", help="The rules, and whom they cover.")


@group.command("status")
@click.option("--portal", "slug", metavar="SLUG", type=Text(), help="Only this portal.")
@as_json
def status(slug: str | None, as_json: bool) -> None:
    """List everybody in the portals: covered by the rule or not, MFA set up or not."""
    shown = [portal for portal in portals.every() if slug in (None, portal.slug)]
    if slug is not None and not shown:
        refuse_portal(PortalRefusal.UNKNOWN, slug)
    found = list(reports.coverage(slug))
    if as_json:
        say_json([asdict(person) for person in found])
        return
    for portal in shown:
        say(_block(portal, [person for person in found if person.portal == portal.slug]))


def _block(portal: PortalListed, people: list[Covered]) -> str:
    covered = [person for person in people if person.covered]
    missing = sum(not person.set_up for person in covered)
    head = f"{portal.slug}: MFA rule {portal.mfa_rule}, {_figures(len(covered), missing)}"
    rows = [
        (
            f"  {person.email}",
            person.role,
            "covered" if person.covered else "not covered",
            "set up" if person.set_up else "not set up",
        )
        for person in people
    ]
    return f"{head}\n{table(rows[0], rows[1:])}" if rows else head


def _figures(people: int, without_app: int) -> str:
    """How many a rule covers, and how many of them have not set up."""
    if people == 0:
        return "covers nobody"
    lacking = f"{without_app} of them without an app" if without_app else "all with an app"
    return f"covers {count(people, 'person', 'people')}, {lacking}"


@group.command("rule")
@click.argument("slug", type=Text())
@click.argument("rule", type=click.Choice([rule.value for rule in MfaRule]))
@click.option("--apply-now", is_flag=True, help="Ask those who are logged in now, too.")
def change_rule(slug: str, rule: str, apply_now: bool) -> None:
    """Set whom a portal's MFA rule covers. It is met at the next log-in."""
    outcome = access_security.change(caller(), slug, visibility=None, rule=MfaRule(rule), apply_now=apply_now)
    if isinstance(outcome, PortalRefusal):
        refuse_portal(outcome, slug)
    say(f"The MFA rule of {slug} is {rule}: {_effect(slug, apply_now)}.")


def _effect(slug: str, apply_now: bool) -> str:
    found = access_security.look(slug)
    if found is None or found.rule is MfaRule.OFF:
        return "it covers nobody; whoever has an app is still asked for its code"
    reach = found.everyone if found.rule is MfaRule.EVERYONE else found.back_office
    when = "with their next click" if apply_now else "at their next log-in"
    return f"it {_figures(reach.people, reach.without_app)}{f', who set one up {when}' if reach.without_app else ''}"


@group.command("reset")
@click.argument("email", type=Email())
@click.option("--reason", required=True, type=Text(), help="Kept in the log of events.")
@click.option("--new-password-too", is_flag=True, help="Void the password, too, and print a link to set a new one.")
def reset(email: str, reason: str, new_password_too: bool) -> None:
    """Delete all apps of somebody who lost them, and end all their logins."""
    said = " ".join(reason.split())
    if not said or len(said) > REASON_MAX:
        raise click.BadParameter(f"Say why, in 1 to {REASON_MAX} characters.", param_hint="'--reason'")
    outcome = authenticators.reset(caller(), id_of(email), said, new_password_too=new_password_too)
    if isinstance(outcome, AccountRefusal):
        refuse_account(outcome, email)
    say(f"Reset MFA of {email}: {count(outcome.apps, 'app', 'apps')} deleted, all logins ended.")
    if outcome.link_token is not None:
        say(reset_line(email, outcome.link_token))
