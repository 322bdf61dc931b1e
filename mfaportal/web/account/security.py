"""Tab Security: whether MFA is set up, and with what, and how many recovery codes are left."""

from flask import render_template
from flask.typing import ResponseReturnValue

from ...domain import authenticators, recovery_codes
from ...rules.access import Audience
from ...rules.recovery_codes import LOW
from .. import asking
from ..gate import audience
from ._blueprint import blueprint


@blueprint.get("/security")
@audience(Audience.ACCOUNT)
def security() -> ResponseReturnValue:
    account = asking.account()
    apps = authenticators.apps_of(account.id) if account.has_authenticator else []
    codes = recovery_codes.look(account.id) if apps else None
    return render_template("account/security.html", account=account, apps=apps, codes=codes, low=LOW)
