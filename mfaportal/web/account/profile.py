"""Tab Profile: one's name and e-mail, and the portals that one is a member of.

One form for both; what is not sent stays as it is. A new e-mail is sensitive: it asks for step-up when it is sent,
and nothing changes until a link to the new address is opened.
"""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from ...domain import accounts, email_changes, leaving, notices
from ...domain.authority import NotAllowed
from ...domain.outcomes import AccountRefusal, PausedUntil
from ...models.identity import AccountSeen
from ...plumbing.addresses import MAX_LENGTH
from ...rules.access import Audience
from ...rules.names import PERSON_MAX, clean_name
from .. import asking, page
from ..forms import PortalForm, text_field
from ..gate import audience
from ..wording import OF_ACCOUNT, of_pause
from ._blueprint import blueprint

TEMPLATE = "account/profile.html"
_ASKED = (
    "A link is on its way to the new address. Open it within 24 hours: until then you log in with the old one,"
    " which is told of this, too."
)


class ProfileForm(PortalForm):
    name = text_field("Name", longest=PERSON_MAX, missing="Enter your name.", autocomplete="name")
    email = text_field(
        "E-mail",
        longest=MAX_LENGTH,
        missing="Enter your e-mail address.",
        help_text="A new address has to be confirmed: a link goes to it.",
        type="email",
        autocomplete="email",
        autocapitalize="off",
        spellcheck="false",
    )


@blueprint.route("", methods=["GET", "POST"])
@audience(Audience.ACCOUNT)
def profile() -> ResponseReturnValue:
    account = asking.account()
    form = ProfileForm(_sent(account), name=account.name, email=account.email)
    if not form.is_submitted():
        return render_template(TEMPLATE, form=form, **_context())
    if not form.validate():
        return page.invalid(TEMPLATE, form, **_context())
    if clean_name(form.name.data, PERSON_MAX) is None:
        return page.refused(TEMPLATE, form, form.name, OF_ACCOUNT[AccountRefusal.BAD_NAME], **_context())
    new_email = form.email.data.strip().lower() != account.email
    refused = _ask_for_email(form) if new_email else None
    if refused is not None:
        return refused
    renamed = accounts.rename(asking.caller(), form.name.data) is not AccountRefusal.NO_CHANGE
    if renamed or not new_email:
        flash("Your name is saved.", "good")
    return redirect(url_for("account.profile"), 303)


def _sent(account: AccountSeen) -> MultiDict[str, str] | None:
    if request.method != "POST":
        return None
    sent = MultiDict(request.form)
    if "email" in sent:
        sent.setdefault("name", account.name)
    else:
        sent["email"] = account.email
    return sent


def _ask_for_email(form: ProfileForm) -> ResponseReturnValue | None:
    """The form again if the new address is refused."""
    field = form.email if notices.mail_works() else None
    try:
        outcome = email_changes.ask(asking.caller(), form.email.data)
    except NotAllowed:
        flash("Confirm that it is you. Then enter the new address again.", "bad")
        raise
    if isinstance(outcome, PausedUntil):
        sentence = of_pause("changes of e-mail", outcome, asking.now())
        return page.paused(TEMPLATE, form, form.email, sentence, outcome, **_context())
    if isinstance(outcome, AccountRefusal) and outcome is not AccountRefusal.NO_CHANGE:
        return page.refused(TEMPLATE, form, field, OF_ACCOUNT[outcome], **_context())
    if outcome is not AccountRefusal.NO_CHANGE:
        flash(_ASKED, "good")
    return None


def _context() -> dict[str, Any]:
    account = asking.account()
    return {"account": account, "portals": leaving.portals_of(account.id), "by_mail": notices.mail_works()}
