"""Installation > Mail: what does not reach people, and why; tried again at once when whatever was wrong is right."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...domain import mail_list, notices, outbox
from ...rules.access import Audience
from .. import asking, query
from ..fresh import StepUp
from ..gate import audience
from ..mail_words import of_kind

blueprint = Blueprint("installation_mail", __name__, url_prefix="/installation/mail")


@blueprint.get("")
@audience(Audience.OPERATORS)
def index() -> ResponseReturnValue:
    before = query.number("before")
    return render_template(
        "installation/mail.html",
        page=mail_list.page(before),
        before=before,
        works=notices.mail_works(),
        of_kind=of_kind,
    )


@blueprint.route("/try-again", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.ROW)
def try_all_again() -> ResponseReturnValue:
    return _try_again(None)


@blueprint.route("/<number:mail_id>/try-again", methods=["GET", "POST"])
@audience(Audience.OPERATORS, step_up=StepUp.ROW)
def try_again(mail_id: int) -> ResponseReturnValue:
    return _try_again(mail_id)


def _try_again(mail_id: int | None) -> ResponseReturnValue:
    """Then back to the list: also for whoever had to confirm first, since no POST is replayed."""
    if request.method == "POST":
        moved = outbox.try_again(asking.caller(), mail_id)
        if moved:
            flash(f"{moved} mail{'' if moved == 1 else 's'} will be tried again in a moment.", "good")
        else:
            flash("Nothing waits for its next try any more.", "good")
    return redirect(url_for("installation_mail.index"), 303)
