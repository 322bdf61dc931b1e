"""`flask --app wsgi demo`: a portal to look at."""

import click
from flask.cli import with_appcontext

from ..domain import demo
from ..domain.demo import DemoPerson, DemoRefusal, Meets
from ..plumbing.runtime import runtime
from ..rules.totp import grouped
from .terminal import as_json, caller, prepared, refuse, say, say_json

_AT_LOG_IN = {
    Meets.NOTHING: "The password is enough: the rule covers only those with access to the back office.",
    Meets.CODE: "A code is asked for, as of everybody who has an app.",
    Meets.SET_UP: "An app has to be set up before anything else opens: the rule covers this person.",
    Meets.SUSPENDED: "Refused, with the reason: the account is suspended.",
    Meets.NO_PORTAL: "Refused, with the reason: the account is in no portal.",
    Meets.WAITING: "Refused, with the reason: the request for access is waiting.",
    Meets.DECLINED: "Refused, with the reason: the request for access was declined.",
}


@click.command("demo")
@as_json
@with_appcontext
@prepared
def command(as_json: bool) -> None:
    """Fill an empty installation with people in every state, and print how to log in as each."""
    outcome = demo.fill(caller())
    if isinstance(outcome, DemoRefusal):
        refuse("There are accounts here already; a demo needs an installation of its own (see MFAPORTAL_INSTANCE).")
    if as_json:
        say_json([_as_dict(person) for person in outcome.people])
        return
    say(f"Filled the portal “{outcome.portal}”, whose MFA rule is {outcome.rule}.")
    say(f"Log in at {runtime().settings.public_url}/log-in")
    for person in outcome.people:
        say(_paragraph(person))


def _paragraph(person: DemoPerson) -> str:
    keys = [f"  set-up key  {grouped(app.secret)}  ({app.name})" for app in person.apps]
    lines = [
        "",
        person.name,
        f"  e-mail      {person.email}",
        f"  password    {person.password}",
        *keys,
        f"  at log-in   {_AT_LOG_IN[person.meets]}",
    ]
    return "\n".join(lines)


def _as_dict(person: DemoPerson) -> dict[str, object]:
    return {
        "name": person.name,
        "email": person.email,
        "password": person.password,
        "set_up_keys": [{"name": app.name, "key": app.secret} for app in person.apps],
        "at_log_in": _AT_LOG_IN[person.meets],
    }
