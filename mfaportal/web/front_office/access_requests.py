"""Asking for access: a stranger with name, e-mail and password, somebody logged in with a message; taking it back."""

from typing import Any

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...domain import access_requests, notices
from ...domain.access_requests import Asking
from ...domain.outcomes import AccountRefusal, Done, Joined, PausedUntil, RequestRefusal
from ...domain.stranger_rows import Wish
from ...rules.access import Audience
from ...rules.names import MESSAGE_MAX, PERSON_MAX
from ...rules.roles import Role
from .. import asking, navigation, new_password, page
from ..auth.forms import LONG_ENOUGH
from ..forms import PortalForm, email_field, long_text_field, password_field, text_field
from ..gate import audience, wants_json, with_next
from ..wording import OF_ACCOUNT, of_pause
from .home import blueprint

TEMPLATE = "front_office/request_access.html"
_NO_MESSAGE = "Say who you are and what you need access for."


class MessageForm(PortalForm):
    message = long_text_field("Message", longest=MESSAGE_MAX, help_text="Only the admins of this portal read it.")

    def show_needed(self, *, message_required: bool) -> None:
        """Have the browser ask for the message where the portal wants one."""
        if message_required:
            self.message.flags.required = True

    def is_valid(self, *, message_required: bool) -> bool:
        """Whether it may be sent: a portal may want a message, or not."""
        valid = self.validate()
        if message_required and not self.message.data.strip():
            self.message.errors = [_NO_MESSAGE]
            return False
        return valid


class StrangerForm(MessageForm):
    name = text_field("Name", longest=PERSON_MAX, missing="Enter your name.", autocomplete="name")
    email = email_field()
    password = password_field("Password", new=True, help_text=f"You will log in with it. {LONG_ENOUGH}")


@blueprint.route("/portals/<slug:portal>/request-access", methods=["GET", "POST"])
@audience(Audience.PUBLIC)
def request_access(portal: str) -> ResponseReturnValue:
    """Half logged in is a stranger, too."""
    here = asking.portal()
    if not here.takes_requests:
        return _closed()
    if not navigation.is_logged_in():
        return _ask_as_stranger(portal)
    if asking.identity().role >= Role.READER:
        return _member()
    return _ask(portal)


def _closed() -> ResponseReturnValue:
    """The same for everybody; but whoever asked before may still take it back."""
    if wants_json():
        return jsonify(error="forbidden"), 403
    own = _own() if navigation.is_logged_in() else None
    return make_response(render_template("front_office/request_closed.html", portal=asking.portal(), own=own), 403)


def _own() -> Asking:
    return access_requests.look(asking.portal().id, asking.account().id)


def _member() -> ResponseReturnValue:
    """A GET says so in a page of its own: a message would have to be written into the session first."""
    if request.method == "POST":
        return redirect(url_for("front_office.request_access", portal=asking.portal().slug), 303)
    return make_response(render_template("front_office/request_member.html", portal=asking.portal()))


def _ask_as_stranger(portal: str) -> ResponseReturnValue:
    here = asking.portal()
    seen = access_requests.look(here.id, None)
    form = StrangerForm()
    form.show_needed(message_required=seen.message_required)
    log_in = with_next(url_for("auth.log_in"), url_for("front_office.request_access", portal=portal))
    context: dict[str, Any] = {"portal": here, "own": seen, "log_in": log_in, "by_mail": notices.mail_works()}
    if not form.is_submitted():
        sent = "sent" in request.args
        return render_template("front_office/request_sent.html" if sent else TEMPLATE, form=form, **context)
    if not form.is_valid(message_required=seen.message_required):
        return page.invalid(TEMPLATE, form, **context)
    page.if_busy(lambda: page.refused(TEMPLATE, form, form.password, page.BUSY, **context))
    sentence = new_password.refusal_of(form.password.data, form.email.data, form.name.data, here.name)
    if sentence:
        return page.refused(TEMPLATE, form, form.password, sentence, **context)
    wish = Wish(form.email.data, form.name.data, form.password.data, form.message.data)
    outcome = access_requests.ask_as_stranger(asking.caller(), portal, wish)
    match outcome:
        case Done():
            return redirect(url_for("front_office.request_access", portal=portal, sent="yes"), 303)
        case RequestRefusal():
            return _closed()
        case AccountRefusal():
            field = form.email if outcome is AccountRefusal.BAD_EMAIL else form.name
            return page.refused(TEMPLATE, form, field, OF_ACCOUNT[outcome], **context)


def _ask(portal: str) -> ResponseReturnValue:
    own = _own()
    form = MessageForm()
    form.show_needed(message_required=own.message_required)
    context: dict[str, Any] = {"portal": asking.portal(), "own": own}
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, **context)
    if not form.is_valid(message_required=own.message_required):
        return page.invalid(TEMPLATE, form, **context)
    outcome = access_requests.ask(asking.caller(), portal, form.message.data)
    match outcome:
        case PausedUntil():
            sentence = of_pause("requests", outcome, asking.now())
            return page.paused(TEMPLATE, form, form.message, sentence, outcome, **context)
        case RequestRefusal.CLOSED:
            return _closed()
        case RequestRefusal.MEMBER:
            return _member()
        case Joined():
            flash(f"You are a member of {asking.portal().name} now.", "good")
            return redirect(url_for("front_office.portal", portal=portal), 303)
        case RequestRefusal.ALREADY_OPEN:
            flash("You have asked already.", "good")
        case _:
            flash("Your request is sent.", "good")
    return redirect(url_for("front_office.request_access", portal=portal), 303)


@blueprint.post("/portals/<slug:portal>/request-access/withdraw")
@audience(Audience.ACCOUNT)
def withdraw_request(portal: str) -> ResponseReturnValue:
    outcome = access_requests.withdraw(asking.caller(), portal)
    if isinstance(outcome, Done):
        flash("Your request is withdrawn.", "good")
    else:
        flash("You have no open request here.", "bad")
    return redirect(url_for("front_office.request_access", portal=portal), 303)
