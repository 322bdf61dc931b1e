"""Access > Requests: who wants to come in, to be accepted or declined, one or many; and what was decided before."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Field, RadioField, StringField
from wtforms.validators import InputRequired, Length, Optional

from ...domain import request_decisions, request_queue
from ...domain.request_decisions import Decision, Verdict
from ...rules.access import Audience
from ...rules.names import REASON_MAX
from ...rules.roles import MemberRole
from .. import asking, page, query
from ..forms import PortalForm, without_nul
from ..fresh import StepUp
from ..gate import audience
from ..wording import of_decided

blueprint = Blueprint("access_requests", __name__, url_prefix="/portals/<slug:portal>/backoffice/access/requests")
TEMPLATE = "admin/requests.html"
_DIGITS_MAX = 18


class NumbersField(Field):
    """Rows chosen by their check-boxes; 0, which no row has, stands for what is no number."""

    data: list[int]

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = [
            int(each) if each.isascii() and each.isdigit() and len(each) <= _DIGITS_MAX else 0 for each in valuelist
        ]


class DecisionForm(PortalForm):
    requests = NumbersField("Requests", [InputRequired("Choose at least one request.")], default=list)
    role = RadioField(
        "Role", [Optional(strip_whitespace=False)], choices={role.value: role.value for role in MemberRole}
    )
    reason = StringField(
        "Reason",
        [Optional(), Length(max=REASON_MAX, message=f"Use at most {REASON_MAX} characters."), without_nul],
        description="Optional. Somebody who is declined reads it.",
        render_kw={"maxlength": REASON_MAX, "autocomplete": "off"},
    )
    decision = RadioField(
        "Decision",
        [InputRequired("Accept or decline?")],
        choices={decision.value: decision.value for decision in Decision},
    )

    @property
    def mistake(self) -> str:
        """What is wrong beside the reason, which shows its own."""
        if self.requests.errors:
            return "Choose at least one request."
        if self.role.errors:
            return "Choose reader, editor or admin."
        return "Accept or decline?" if self.decision.errors else ""


@blueprint.route("", methods=["GET", "POST"])
@audience(Audience.ADMINS, step_up=StepUp.ROW)
def index(portal: str) -> ResponseReturnValue:
    form = DecisionForm()
    here, after = asking.portal(), query.number("after")
    if not form.is_submitted():
        if "history" in request.args:
            history = request_queue.history(here.id, after)
            return render_template("admin/requests_history.html", page=history, portal=here, after=after)
        return render_template(
            TEMPLATE, form=form, page=request_queue.queue(here.id, after, asking.now()), portal=here, after=after
        )
    if not form.validate():
        return _again(form, form.mistake)
    verdict = Verdict(
        Decision(form.decision.data), MemberRole(form.role.data or MemberRole.READER), form.reason.data or ""
    )
    decided = request_decisions.decide(asking.caller(), portal, form.requests.data, verdict)
    sentence = of_decided(decided, verdict.decision)
    if not decided.done:
        return _again(form, sentence)
    flash(sentence, "good")
    return redirect(url_for("access_requests.index", portal=portal), 303)


def _again(form: DecisionForm, sentence: str) -> ResponseReturnValue:
    """The queue as it is now, with what was chosen."""
    here, after = asking.portal(), query.number("after")
    found = request_queue.queue(here.id, after, asking.now())
    context: dict[str, Any] = {"page": found, "portal": here, "after": after}
    return page.refused(TEMPLATE, form, None, sentence, **context)
