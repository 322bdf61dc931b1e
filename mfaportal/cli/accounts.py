"""`flask --app wsgi accounts …`: made, listed, suspended, given roles and links."""

from dataclasses import asdict

import click

from ..domain import accounts, members, new_passwords, one_time_links, portals, reports
from ..domain.accounts import Newcomer
from ..domain.outcomes import AccountRefusal, Created
from ..domain.reports import AccountListed
from ..plumbing.config import DEFAULT_NAME
from ..plumbing.runtime import runtime
from ..rules.lifetimes import INVITATION, RESET_LINK
from ..rules.roles import MemberRole
from .refusals import refuse_account
from .terminal import (
    FLASK,
    Commands,
    Email,
    Text,
    as_json,
    caller,
    count,
    link,
    read_password,
    refuse,
    say,
    say_json,
    table,
)

group = Commands("accounts", help="The people of the installation.")
_email = click.argument("email", type=Email())
_portal = click.option("--portal", "slug", metavar="SLUG", type=Text(), help="The portal to be a member of.")
_role = click.option("--role", type=click.Choice([role.value for role in MemberRole]), help="The role there.")


@group.command("create")
@_email
@click.option("--name", required=True, type=Text(), help="The person's name.")
@click.option("--operator", is_flag=True, help="Make the account an operator of the installation.")
@_portal
@_role
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def create(email: str, name: str, operator: bool, slug: str | None, role: str | None, password_stdin: bool) -> None:
    """Make an account; without a password, print an invitation link with which the person chooses one."""
    _check_pair(slug, role)
    password = _new_password(email, name, slug or "") if password_stdin else None
    newcomer = Newcomer(email, name, password, operator, slug, MemberRole(role or MemberRole.READER))
    outcome = accounts.create(caller(), newcomer)
    if isinstance(outcome, AccountRefusal):
        refuse_account(outcome, email, slug)
    say(f"Made the account {email}{_as_what(operator, slug, role)}.")
    _say_invitation(outcome)


def _check_pair(slug: str | None, role: str | None) -> None:
    if (slug is None) != (role is None):
        raise click.UsageError("--portal and --role go together.")


def _new_password(*own_words: str) -> str:
    password = read_password()
    refusal = new_passwords.refusal_of(password, _installation(), *own_words)
    if refusal is not None:
        refuse(refusal.value)
    return password


def _installation() -> str:
    """What the pages call the installation: the setting, else the first portal."""
    names = [runtime().settings.name, *(portal.name for portal in portals.every())]
    return next((name for name in names if name), DEFAULT_NAME)


def _as_what(operator: bool, slug: str | None, role: str | None) -> str:
    parts = (["operator"] if operator else []) + ([f"{role} in {slug}"] if slug else [])
    return ", " + " and ".join(parts) if parts else f", in no portal yet (see: {FLASK} accounts role --help)"


def _say_invitation(made: Created) -> None:
    if made.token is not None:
        say(f"Invitation link, works once within {INVITATION.days} days: {link('invitations', made.token)}")


@group.command("list")
@as_json
def list_all(as_json: bool) -> None:
    """List all accounts."""
    found = reports.accounts()
    if as_json:
        say_json([_as_dict(account) for account in found])
    elif not found:
        say(f"There is no account yet. Make one: {FLASK} accounts create --help")
    else:
        say(table(("E-MAIL", "NAME", "RIGHTS", "MFA", "STATE"), [_as_row(account) for account in found]))


def _as_dict(account: AccountListed) -> dict[str, object]:
    return {
        "email": account.email,
        "name": account.name,
        "operator": account.is_operator,
        "suspended": account.suspended,
        "mfa": account.set_up,
        "memberships": [{**asdict(membership), "status": "member"} for membership in account.memberships],
    }


def _as_row(account: AccountListed) -> tuple[str, ...]:
    rights = ["operator"] if account.is_operator else []
    rights += [f"{membership.role} in {membership.portal}" for membership in account.memberships]
    return (
        account.email,
        account.name,
        ", ".join(rights) or "none",
        "set up" if account.set_up else "not set up",
        ("suspended" if account.suspended else "active") + ("" if account.confirmed else ", address not confirmed"),
    )


@group.command("suspend")
@_email
def suspend(email: str) -> None:
    """End all logins of an account and let it log in no more."""
    outcome = accounts.suspend(caller(), id_of(email))
    if outcome is AccountRefusal.NO_CHANGE:
        say(f"{email} is suspended already.")
    elif isinstance(outcome, AccountRefusal):
        refuse_account(outcome, email)
    else:
        say(f"Suspended {email} and ended all its logins.")


@group.command("restore")
@_email
def restore(email: str) -> None:
    """Let a suspended account log in again."""
    outcome = accounts.restore(caller(), id_of(email))
    if outcome is AccountRefusal.NO_CHANGE:
        say(f"{email} is not suspended.")
    elif isinstance(outcome, AccountRefusal):
        refuse_account(outcome, email)
    else:
        say(f"Restored {email}: it may log in again.")


@group.command("end-logins")
@_email
def end_logins(email: str) -> None:
    """Log somebody out of every browser."""
    outcome = accounts.end_logins(caller(), id_of(email))
    if isinstance(outcome, AccountRefusal):
        refuse_account(outcome, email)
    say(f"Ended {count(outcome, 'login', 'logins')} of {email}.")


@group.command("unlock")
@_email
def unlock(email: str) -> None:
    """Lift the stop after too many wrong codes or passwords."""
    outcome = accounts.unlock(caller(), id_of(email))
    if isinstance(outcome, AccountRefusal):
        refuse_account(outcome, email)
    say(f"Unlocked {email}: its wrong codes and passwords are forgotten.")


@group.command("role")
@_email
@click.option("--operator/--no-operator", default=None, help="Make the account an operator, or no longer one.")
@_portal
@_role
def change_role(email: str, operator: bool | None, slug: str | None, role: str | None) -> None:
    """Make somebody an operator (or no longer), or give them a role in a portal. Ends their logins."""
    _check_pair(slug, role)
    if (operator is None) == (slug is None):
        raise click.UsageError("Name one change: --operator, --no-operator, or --portal SLUG --role ROLE.")
    account_id = id_of(email)
    if operator is not None:
        outcome = accounts.change_operator(caller(), account_id, operator=operator)
        result = f"{email} is {'an operator' if operator else 'no operator'}"
    else:
        outcome = members.add(caller(), slug or "", account_id, MemberRole(role or ""))
        result = f"{email} is {role} in {slug}"
    if isinstance(outcome, AccountRefusal) and outcome is not AccountRefusal.NO_CHANGE:
        refuse_account(outcome, email, slug)
    say(f"{result} already." if outcome is AccountRefusal.NO_CHANGE else f"{result} now; its logins have ended.")


@group.command("reset-link")
@_email
def reset_link(email: str) -> None:
    """Print a link with which somebody sets a new password. It leaves their apps alone."""
    outcome = one_time_links.make_reset_link(caller(), id_of(email))
    if isinstance(outcome, AccountRefusal):
        refuse_account(outcome, email)
    say(reset_line(email, outcome.token))


def reset_line(email: str, token: str) -> str:
    minutes = int(RESET_LINK.total_seconds()) // 60
    url = link("reset-password", token)
    return f"Link for {email} to set a new password, works once within {minutes} minutes: {url}"


def id_of(email: str) -> int:
    """The number of the account that was named; there must be one."""
    found = accounts.id_of(email)
    if found is None:
        refuse_account(AccountRefusal.UNKNOWN, email)
    return found
