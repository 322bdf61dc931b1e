"""Installation > Accounts: everybody, whatever portals they are in, and one account's page."""

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...domain import installation
from ...domain.installation import AccountsQuery, AccountState
from ...rules.access import Audience
from .. import asking, query
from ..admin import operator_actions
from ..admin.action_page import Desk
from ..gate import audience

blueprint = Blueprint("installation_accounts", __name__, url_prefix="/installation/accounts")


@blueprint.get("")
@audience(Audience.OPERATORS)
def index() -> ResponseReturnValue:
    state = request.args.get("state", "")
    wanted = AccountsQuery(
        text=query.text("q"),
        state=AccountState(state) if state in list(AccountState) else None,
        after=query.number("after"),
    )
    return render_template("installation/accounts.html", page=installation.accounts(wanted), query=wanted)


@blueprint.get("/<number:account_id>")
@audience(Audience.OPERATORS)
def one(account_id: int) -> ResponseReturnValue:
    found = installation.account(account_id)
    if found is None:
        abort(404)
    return render_template("installation/account.html", member=found, own=asking.account(), desk=DESK)


def _list() -> str:
    return url_for("installation_accounts.index")


DESK = Desk(Audience.OPERATORS, "installation/base.html", installation.account, _list)
"""Where accounts are acted on, also those that are in no portal."""
operator_actions.hang(blueprint, DESK)
