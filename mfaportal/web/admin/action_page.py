"""The page of one thing that is done to a person: what will happen, a button, and where one is led afterwards.

The same pages hang below a portal's list of people and below the installation's: a `Desk` says which.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import abort, flash, g, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms.validators import DataRequired, Length, Optional

from ...domain.outcomes import AccountRefusal, AppsReset, LinkMade
from ...plumbing.runtime import runtime
from ...rules.access import Audience
from .. import asking, navigation, page
from ..forms import PortalForm, TextField, without_nul
from ..wording import OF_ACCOUNT

TEMPLATE = "admin/user_action.html"
_REASON_MAX = 500
_CONFLICTS = {
    AccountRefusal.LAST_OPERATOR,
    AccountRefusal.LAST_ADMIN,
    AccountRefusal.ONESELF,
    AccountRefusal.AN_OPERATOR,
}


class Somebody(Protocol):
    """What is known of a person at any desk."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def is_operator(self) -> bool: ...
    @property
    def confirmed(self) -> bool: ...


class BareForm(PortalForm):
    """Nothing to fill in."""


def reason_field(*, needed: bool) -> TextField:
    """Why something is done. It goes into the event."""
    return TextField(
        "Reason",
        [
            DataRequired("Say why; it is kept in the log.") if needed else Optional(),
            Length(max=_REASON_MAX, message=f"Use at most {_REASON_MAX} characters."),
            without_nul,
        ],
        description="Kept in the log of events." if needed else "Optional; kept in the log of events.",
        render_kw={"maxlength": _REASON_MAX, "autocomplete": "off"},
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """Where people are looked up: who may look, what its pages extend, who is there, and the address of the list.

    A person's page stands below the list, the actions below that.
    """

    audience: Audience
    base: str
    find: Callable[[int], Somebody | None]
    list_address: Callable[[], str]

    def address(self, account_id: int, action: str = "") -> str:
        """Of somebody's page, or of one thing that can be done to them."""
        return f"{self.list_address()}/{account_id}{'/' if action else ''}{action}"


@dataclass(frozen=True, slots=True)
class Action:
    """What the page says. `button` is fixed by pages.md; `words` go before the usual ones for a refusal."""

    title: str
    explanation: str
    button: str
    done: str
    danger: bool = False
    form: type[PortalForm] = BareForm
    start: Callable[[PortalForm, Any], None] = field(default=lambda _form, _member: None)
    words: Mapping[AccountRefusal, str] = field(default_factory=dict)


def run(desk: Desk, account_id: int, action: Action, do: Callable[[Any], object]) -> ResponseReturnValue:
    """Show the action's page, or do it and go on."""
    member = desk.find(account_id)
    if member is None:
        abort(404)
    form: Any = action.form()
    context: dict[str, Any] = {"action": action, "member": member, "desk": desk}
    if not form.is_submitted():
        action.start(form, member)
        return render_template(TEMPLATE, form=form, **context)
    if not form.validate():
        return page.invalid(TEMPLATE, form, **context)
    outcome = do(form)
    if outcome is AccountRefusal.UNKNOWN:
        abort(404)
    if isinstance(outcome, AccountRefusal) and outcome is not AccountRefusal.NO_CHANGE:
        status = 409 if outcome in _CONFLICTS else 422
        refusal = action.words.get(outcome, OF_ACCOUNT[outcome])
        return page.invalid(TEMPLATE, form, status=status, refusal=refusal, **context)
    token = outcome.token if isinstance(outcome, LinkMade) else None
    token = outcome.link_token if isinstance(outcome, AppsReset) else token
    if token is not None:
        return _show_link(desk, member, token)
    flash(action.done, "good")
    return redirect(_page_after(desk, account_id), 303)


def _show_link(desk: Desk, member: Somebody, token: str) -> ResponseReturnValue:
    """Shown in the answer itself: a link that went through a cookie or a second page would lie around."""
    link = runtime().settings.public_url + url_for("auth.open_reset_link", token=token)
    return make_response(render_template("admin/link_made.html", member=member, link=link, desk=desk))


def _page_after(desk: Desk, account_id: int) -> str:
    """The person's page; the list if they are gone from it; one's own account if one may open neither any more."""
    if account_id == asking.account().id:
        g.pop("identity", None)  # what one may has just changed
        if not navigation.may(desk.audience):
            return url_for("account.profile")
    return desk.address(account_id) if desk.find(account_id) is not None else desk.list_address()
