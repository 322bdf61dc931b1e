"""Tab Security: whether MFA is set up, and with what."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...domain import authenticators
from ...rules.access import Audience
from .. import asking
from ..gate import audience
from ._blueprint import blueprint


@blueprint.get("/security")
@audience(Audience.ACCOUNT)
def security() -> ResponseReturnValue:
    account = asking.account()
    apps = authenticators.apps_of(account.id) if account.has_authenticator else []
    return render_template("account/security.html", account=account, apps=apps)
