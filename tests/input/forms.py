"""Every form of the portal: what it takes, and how one gets to it.

`test_every_form` holds this table against the endpoints that take a POST and the fields that the pages show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from mfaportal.models import LinkKind
from tests.input import scenes
from tests.input.scenes import NEW_PASSWORD, Opener
from tests.input.values import REFUSED, Bad
from tests.people import PORTAL


class Kind(Enum):
    """What a field takes, which decides what becomes of a bad value."""

    NAME = auto()
    REASON = auto()
    REASON_OR_NOTHING = auto()
    NAME_OR_NOTHING = auto()
    NAME_IF_SENT = auto()
    EMAIL_IF_SENT = auto()
    """What is not sent stays as it is; but one of a form's fields has to be."""
    MESSAGE_OR_NOTHING = auto()
    LINES_OR_NOTHING = auto()
    """Addresses or paths, one a line: no bad value is any of them."""
    EMAIL = auto()
    SLUG = auto()
    TOKEN = auto()
    PASSWORD = auto()
    NEW_PASSWORD = auto()
    CODE = auto()
    RECOVERY_CODE = auto()
    CHOICE = auto()
    CHOICE_OR_NOTHING = auto()
    """What is not sent stays as it is."""
    ROWS = auto()
    """Numbers of rows, as many as are ticked: what is none spoils nothing for the others."""
    FILE = auto()
    """Text under its name is no file: as good as not sent."""
    BOX = auto()
    """Ticked by being there, whatever it says."""
    BOX_NEEDED = auto()
    """The same, and without it nothing is done."""

    @property
    def is_secret(self) -> bool:
        """Never shown again."""
        return self in (Kind.TOKEN, Kind.PASSWORD, Kind.NEW_PASSWORD, Kind.CODE, Kind.RECOVERY_CODE)

    def accepts(self, value: Bad) -> bool:
        """Whether the form may be accepted with this value in the field, all others being right."""
        if_sent = self in (Kind.NAME_IF_SENT, Kind.EMAIL_IF_SENT)
        return (if_sent and value.text is None) or self._takes(value)

    def _takes(self, value: Bad) -> bool:
        match self:
            case Kind.NAME | Kind.NAME_IF_SENT:
                return value.is_name
            case Kind.REASON:
                return value.is_reason
            case Kind.REASON_OR_NOTHING:
                return value.is_reason or not (value.text or "").strip()
            case Kind.NAME_OR_NOTHING:
                return value.is_name or not (value.text or "").strip()
            case Kind.MESSAGE_OR_NOTHING | Kind.LINES_OR_NOTHING:
                is_one = value.is_message and self is Kind.MESSAGE_OR_NOTHING
                return is_one or not (value.text or "").strip()
            case Kind.NEW_PASSWORD:
                return value.is_password
            case Kind.SLUG:
                return value.text in ("true", "null", "1e309")
            case Kind.CHOICE_OR_NOTHING:
                return not value.text
            case Kind.BOX | Kind.BOX_NEEDED | Kind.FILE:
                return self is not Kind.BOX_NEEDED or value.text is not None
            case _:
                return False


@dataclass(frozen=True)
class FormCase:
    """One form. `done` are the statuses of success."""

    name: str
    endpoint: str
    open: Opener
    fields: Mapping[str, Kind]
    done: frozenset[int] = frozenset({303})

    def __str__(self) -> str:
        return self.name

    @property
    def without_fields(self) -> frozenset[int]:
        """The statuses where the CSRF value came through and no field did."""
        optional = (
            Kind.BOX,
            Kind.CHOICE_OR_NOTHING,
            Kind.REASON_OR_NOTHING,
            Kind.NAME_OR_NOTHING,
            Kind.MESSAGE_OR_NOTHING,
        )
        return self.done if all(kind in optional for kind in self.fields.values()) else frozenset({REFUSED})

    def expected(self, kind: Kind, value: Bad) -> frozenset[int]:
        """The statuses that a value may get in a field of this kind."""
        if value.whole_body:
            return frozenset({value.whole_body})
        return self.done if kind.accepts(value) else frozenset({REFUSED})


def _form(name: str, open_it: Opener, done: int | None = None, /, **fields: Kind) -> FormCase:
    """`name` is the endpoint, with what tells two forms of one endpoint apart behind a space."""
    statuses = frozenset({303} if done is None else {303, done})
    return FormCase(name, name.partition(" ")[0], open_it, fields, statuses)


FORMS = (
    _form(
        "auth.welcome",
        scenes.welcome,
        token=Kind.TOKEN,
        email=Kind.EMAIL,
        name=Kind.NAME,
        password=Kind.NEW_PASSWORD,
        portal=Kind.NAME,
    ),
    _form("auth.log_in", scenes.log_in, email=Kind.EMAIL, password=Kind.PASSWORD),
    _form("auth.enter_code", scenes.code, code=Kind.CODE),
    _form("auth.recovery", scenes.recovery, code=Kind.RECOVERY_CODE),
    _form("auth.finish_set_up", scenes.set_up, code=Kind.CODE, name=Kind.NAME),
    _form("auth.confirm by code", scenes.confirm_by_code, code=Kind.CODE),
    _form("auth.confirm by password", scenes.confirm_by_password, password=Kind.PASSWORD),
    _form(
        "auth.reset_password",
        scenes.link(LinkKind.RESET, {"password": NEW_PASSWORD}),
        password=Kind.NEW_PASSWORD,
    ),
    _form(
        "auth.invitation",
        scenes.link(LinkKind.INVITATION, {"name": "Invited", "password": NEW_PASSWORD}),
        name=Kind.NAME,
        password=Kind.NEW_PASSWORD,
    ),
    _form(
        "auth.invitation into a portal",
        scenes.invited_as_nobody,
        name=Kind.NAME,
        password=Kind.NEW_PASSWORD,
    ),
    _form("auth.invitation with an account", scenes.invited_reader),
    _form("auth.confirm_address", scenes.confirm_address, password=Kind.PASSWORD),
    _form("auth.forgot_password", scenes.forgot_password, email=Kind.EMAIL),
    _form("auth.confirm_email", scenes.confirm_email),
    _form("account.profile", scenes.profile, name=Kind.NAME_IF_SENT, email=Kind.EMAIL_IF_SENT),
    _form("account.password", scenes.change_password, current_password=Kind.PASSWORD, password=Kind.NEW_PASSWORD),
    _form("account.end_logins", scenes.own_logins, login=Kind.CHOICE, others=Kind.BOX),
    _form("account.leave", scenes.by_reader("/account/portals/city-data/leave")),
    _form("account.delete", scenes.by_reader("/account/delete")),
    _form(
        "account.finish_add_app",
        scenes.add_app,
        code=Kind.CODE,
        name=Kind.NAME,
        end_others=Kind.BOX,
        cancel=Kind.BOX,
    ),
    _form(
        "account.finish_replace_app",
        scenes.replace_app,
        code=Kind.CODE,
        name=Kind.NAME,
        end_others=Kind.BOX,
        cancel=Kind.BOX,
    ),
    _form(
        "account.change_recovery_codes",
        scenes.recovery_codes,
        saved=Kind.BOX_NEEDED,
        version=Kind.CHOICE_OR_NOTHING,
        replace=Kind.BOX,
    ),
    _form("account.rename_app", scenes.own_app("rename", {"name": "Another"}), name=Kind.NAME),
    _form("account.finish_delete_app", scenes.own_app("delete", {}), end_others=Kind.BOX),
    _form(
        "back_office.edit_dataset",
        scenes.dataset("trees", {"title": "Old trees", "description": "", "visibility": "members", "version": "1"}),
        title=Kind.NAME,
        description=Kind.MESSAGE_OR_NOTHING,
        visibility=Kind.CHOICE,
        version=Kind.CHOICE,
        file=Kind.FILE,
    ),
    _form("back_office.delete_dataset", scenes.dataset("trees/delete", {})),
    _form(
        "access_security.edit",
        scenes.access_security,
        visibility=Kind.CHOICE_OR_NOTHING,
        mfa_rule=Kind.CHOICE_OR_NOTHING,
        apply_now=Kind.BOX,
    ),
    _form(
        "front_office.request_access as a stranger",
        scenes.request_access_as_a_stranger,
        name=Kind.NAME,
        email=Kind.EMAIL,
        password=Kind.NEW_PASSWORD,
        message=Kind.MESSAGE_OR_NOTHING,
    ),
    _form("front_office.request_access", scenes.request_access, message=Kind.MESSAGE_OR_NOTHING),
    _form(
        "access_requests.index",
        scenes.access_requests,
        requests=Kind.ROWS,
        role=Kind.CHOICE_OR_NOTHING,
        reason=Kind.REASON_OR_NOTHING,
        decision=Kind.CHOICE,
    ),
    _form(
        "access_signup.edit",
        scenes.access_signup,
        policy=Kind.CHOICE_OR_NOTHING,
        message_required=Kind.BOX,
        contact=Kind.NAME_OR_NOTHING,
    ),
    _form(
        "access_invitations.invite",
        scenes.invite,
        200,
        emails=Kind.EMAIL,
        role=Kind.CHOICE_OR_NOTHING,
    ),
    _form("access_users.role", scenes.member("role", "reader", {"role": "editor"}), role=Kind.CHOICE),
    _form("access_users.remove", scenes.member("remove", "reader", {})),
    _form("access_users.operator", scenes.member("operator", "admin", {"operator": "yes"}), operator=Kind.CHOICE),
    _form(
        "access_users.suspend", scenes.member("suspend", "reader", {"reason": "away"}), reason=Kind.REASON_OR_NOTHING
    ),
    _form("access_users.restore", scenes.member("restore", "reader", {})),
    _form("access_users.end_logins", scenes.member("end-logins", "reader", {})),
    _form(
        "access_users.reset_mfa",
        scenes.member("reset-mfa", "reader", {"reason": "lost phone"}),
        200,
        reason=Kind.REASON,
        new_password_too=Kind.BOX,
    ),
    _form("access_users.reset_link", scenes.member("reset-link", "reader", {}), 200),
    _form("installation_accounts.operator", scenes.account("operator", {"operator": "yes"}), operator=Kind.CHOICE),
    _form("installation_accounts.suspend", scenes.account("suspend", {}), reason=Kind.REASON_OR_NOTHING),
    _form("installation_accounts.restore", scenes.account("restore", {})),
    _form("installation_accounts.end_logins", scenes.account("end-logins", {})),
    _form(
        "installation_accounts.reset_mfa",
        scenes.account("reset-mfa", {"reason": "lost phone"}),
        200,
        reason=Kind.REASON,
        new_password_too=Kind.BOX,
    ),
    _form("installation_accounts.reset_link", scenes.account("reset-link", {}), 200),
    *(
        _form(
            f"installation_portals.{endpoint}",
            scenes.portal(path, "harbour"),
            name=Kind.NAME,
            slug=Kind.SLUG,
            addresses=Kind.LINES_OR_NOTHING,
            back_office_paths=Kind.LINES_OR_NOTHING,
        )
        for endpoint, path in (("add", "new"), ("edit", PORTAL))
    ),
    _form("installation_portals.delete", scenes.portal_to_delete),
)
WITH_A_FILE = {"back_office.add_dataset"}
"""Endpoints whose POST has to bring a file: the same form as for a change, and `test_datasets_back` sends it."""
OF_EACH_KIND = tuple({frozenset(case.fields.items()): case for case in reversed(FORMS)}.values())
"""One form of those with the same fields: for what all forms have in common by being a `PortalForm`."""
WITHOUT_FIELDS = {
    "access_invitations.again",
    "access_invitations.revoke",
    "auth.log_out",
    "front_office.withdraw_request",
    "installation_mail.try_again",
    "installation_mail.try_all_again",
}
"""Endpoints whose POST has nothing but the CSRF value, and no page of their own."""
