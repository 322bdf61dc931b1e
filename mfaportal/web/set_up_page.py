"""The one set-up form: at log-in when a rule demands it, and from the Security tab."""

from dataclasses import dataclass
from typing import Any

from flask import render_template
from flask.wrappers import Response

from ..domain import set_up
from ..domain.outcomes import CodeRefusal, NameRefusal, PausedUntil, SetUpDone, SetUpRefusal
from ..rules.totp import grouped, provisioning_uri
from . import asking, navigation, page, qr
from .auth.forms import SetUpForm
from .wording import of_app_name, of_code, of_set_up


@dataclass(frozen=True, slots=True)
class Offer:
    """The key on offer in its three shapes: to scan, to type, to open on this device."""

    qr: qr.QrCode
    key: str
    link: str


def show(template: str, *, name: str | None = None, **context: Any) -> str:
    return render_template(template, form=SetUpForm(name=name), offer=_offer(), **context)


def submit(
    template: str, *, log_out_others: bool, replaced: int | None = None, **context: Any
) -> SetUpDone | Response:
    """Try to finish; what comes back is done, or the form again with the reason, the name and the same QR code.

    `replaced` is the number of the app that goes with it.
    """
    form = SetUpForm()
    if not form.validate():
        return page.invalid(template, form, offer=_offer(), **context)
    outcome = set_up.finish(
        asking.caller(), form.code.data, form.name.data, end_others=log_out_others, replaced=replaced
    )
    match outcome:
        case SetUpDone():
            return outcome
        case NameRefusal():
            return page.refused(template, form, form.name, of_app_name(outcome), offer=_offer(), **context)
        case SetUpRefusal():
            return page.refused(template, form, None, of_set_up(outcome), offer=_offer(), **context)
        case _:
            return _wrong_code(template, form, outcome, **context)


def _wrong_code(template: str, form: SetUpForm, refusal: CodeRefusal, **context: Any) -> Response:
    sentence = of_code(refusal, asking.now())
    if isinstance(refusal, PausedUntil):
        return page.paused(template, form, form.code, sentence, refusal, offer=_offer(), **context)
    return page.refused(template, form, form.code, sentence, offer=_offer(), **context)


def _offer() -> Offer:
    secret = set_up.begin(asking.caller())
    link = provisioning_uri(secret, email=asking.account().email, issuer=navigation.installation())
    return Offer(qr.draw(link), grouped(secret), link)
