"""What a mail is about, in the words of the operators' page."""

from ..models import MailKind

OF_KIND = {
    MailKind.APP_ADDED: "App added",
    MailKind.APP_RENAMED: "App renamed",
    MailKind.APP_DELETED: "App deleted",
    MailKind.RECOVERY_CODE_USED: "Recovery code used",
    MailKind.CODES_REPLACED: "Recovery codes replaced",
    MailKind.CODES_LOW: "Few recovery codes left",
    MailKind.NEW_BROWSER: "Log-in from a new browser",
    MailKind.WRONG_CODES: "Wrong codes after the right password",
    MailKind.PASSWORD_CHANGED: "Password changed",
    MailKind.RESET_LINK: "Link to set a new password",
    MailKind.EMAIL_CHANGE: "Link to confirm a new address",
    MailKind.EMAIL_CHANGED: "E-mail changed",
    MailKind.MFA_RESET: "MFA reset",
    MailKind.ROLE_CHANGED: "Role changed",
    MailKind.RULE_RAISED: "MFA asked for",
    MailKind.REQUEST_RECEIVED: "Request received",
    MailKind.REQUEST_ACCEPTED: "Request accepted",
    MailKind.REQUEST_DECLINED: "Request declined",
    MailKind.REQUEST_KNOWN: "Request with the address of an account",
    MailKind.CONFIRM_ADDRESS: "Link to confirm an address",
    MailKind.INVITATION: "Invitation",
}


def of_kind(kind: str) -> str:
    """A kind that a later version wrote stands as it is."""
    return OF_KIND[MailKind(kind)] if kind in list(MailKind) else kind
