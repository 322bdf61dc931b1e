"""The forms of logging in. They check shape only."""

from wtforms.validators import InputRequired

from ...rules.names import PERSON_MAX, PORTAL_MAX
from ...rules.password_rule import MIN_LENGTH
from ..forms import PortalForm, TextField, code_field, email_field, password_field, text_field

LONG_ENOUGH = f"At least {MIN_LENGTH} characters. A few words in a row make a good one."


class LogInForm(PortalForm):
    email = email_field()
    password = password_field("Password", new=False)


class ForgotPasswordForm(PortalForm):
    email = email_field()


class CodeForm(PortalForm):
    code = code_field()


class RecoveryForm(PortalForm):
    code = TextField(
        "Recovery code",
        [InputRequired("Enter one of your recovery codes: 16 letters and digits.")],
        description="Case, spaces and dashes do not matter.",
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "maxlength": 64},
    )


class PasswordForm(PortalForm):
    password = password_field("Password", new=False)


class SetUpForm(PortalForm):
    code = code_field()
    name = text_field(
        "Name",
        longest=64,
        missing="Give the app a name.",
        help_text="So that you know this app again, for example “My phone”.",
        autocomplete="off",
    )


class WelcomeForm(PortalForm):
    token = text_field("Token", longest=200, missing="Open the link that the terminal printed.", autocomplete="off")
    email = email_field()
    name = text_field("Your name", longest=PERSON_MAX, missing="Enter your name.", autocomplete="name")
    password = password_field("Password", new=True, help_text=LONG_ENOUGH)
    portal = text_field(
        "Name of the portal",
        longest=PORTAL_MAX,
        missing="Enter a name for the portal.",
        help_text="What people see at the top of each page, and in their app.",
        autocomplete="off",
    )


class NewPasswordForm(PortalForm):
    password = password_field("New password", new=True, help_text=LONG_ENOUGH)


class InvitationForm(PortalForm):
    name = text_field("Your name", longest=PERSON_MAX, missing="Enter your name.", autocomplete="name")
    password = password_field("Password", new=True, help_text=LONG_ENOUGH)


class AcceptForm(PortalForm):
    """Nothing to fill in: the account is there."""
