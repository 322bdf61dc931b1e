"""What all forms share: only the body counts, and no field holds what no database should."""

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, PasswordField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from ..rules.password_rule import MAX_LENGTH


class PortalForm(FlaskForm):
    """The gate has checked the CSRF value before any form is made."""

    class Meta(FlaskForm.Meta):
        csrf = False

        def wrap_formdata(self, _form: Any, formdata: Any) -> Any:
            """The urlencoded body; not JSON, not files, not the query."""
            if isinstance(formdata, MultiDict):
                return formdata
            return request.form if request.method == "POST" else None


class TextField(StringField):
    """A line of text; a string once the form is valid."""

    data: str


class LongTextField(TextAreaField):
    """Several lines of text; line ends are plain newlines, whatever the browser sent."""

    data: str

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        self.data = (self.data or "").replace("\r\n", "\n")


class SecretField(PasswordField):
    """The same, never shown again."""

    data: str


def without_nul(_form: object, field: Field) -> None:
    """PostgreSQL refuses it and nobody types it."""
    if field.data and "\x00" in field.data:
        raise ValidationError("This holds a character that cannot be used here.")


def text_field(label: str, *, longest: int, missing: str, help_text: str = "", **attributes: Any) -> TextField:
    """A line of text that must be there."""
    return TextField(
        label,
        [
            InputRequired(missing),
            Length(max=longest, message=f"Use at most {longest} characters."),
            without_nul,
        ],
        description=help_text,
        render_kw={"maxlength": longest, **attributes},
    )


def long_text_field(
    label: str, *, longest: int, missing: str | None = None, help_text: str = "", rows: int = 4
) -> LongTextField:
    """Several lines of text; they may be left empty where nothing is said to be `missing`."""
    needed = Optional() if missing is None else InputRequired(missing)
    return LongTextField(
        label,
        [needed, Length(max=longest, message=f"Use at most {longest} characters."), without_nul],
        description=help_text,
        render_kw={"maxlength": longest, "rows": rows},
    )


def password_field(label: str, *, new: bool, help_text: str = "") -> SecretField:
    """A password; browsers and password managers are told whether it is a new one."""
    return SecretField(
        label,
        [InputRequired("Enter a password." if new else "Enter your password.")],
        description=help_text,
        render_kw={"autocomplete": "new-password" if new else "current-password", "maxlength": MAX_LENGTH * 4},
    )


def code_field() -> TextField:
    """The six digits; shape is judged by the rule, not here."""
    return TextField(
        "One-time code",
        [InputRequired("Enter the six digits that your app shows.")],
        render_kw={
            "inputmode": "numeric",
            "autocomplete": "one-time-code",
            "class": "code",
            "autocapitalize": "off",
            "spellcheck": "false",
            "maxlength": 64,
        },
    )
