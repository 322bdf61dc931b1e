"""What all forms share: only the body counts, and no field holds what no database should."""

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict
from wtforms import Field, FileField, PasswordField, StringField, TextAreaField, ValidationError
from wtforms.utils import unset_value
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import PasswordInput, TextInput

from ..domain.datasets import Upload
from ..plumbing.addresses import MAX_LENGTH as EMAIL_MAX
from ..plumbing.file_store import SpooledFile
from ..rules.file_names import FILE_MAX
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


def attributes(**given: Any) -> Markup:
    """What WTForms' own writes into a tag, in a third of the time."""
    written = [
        name if value is True else f'{name}="{escape(value)}"'
        for name, value in sorted(given.items())
        if value is not False
    ]
    return Markup(" ".join(written))  # noqa: S704  # each value is escaped


class _Line(TextInput):
    html_params = staticmethod(attributes)


class _Dots(PasswordInput):
    html_params = staticmethod(attributes)


class TextField(StringField):
    """A line of text; a string once the form is valid."""

    data: str
    widget = _Line()


class LongTextField(TextAreaField):
    """Several lines of text; line ends are plain newlines, whatever the browser sent."""

    data: str

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)
        self.data = (self.data or "").replace("\r\n", "\n")


class UploadField(FileField):
    """A file, if one was chosen. Text under its name is none, and only its own endpoint's files are looked at."""

    data: Upload | None

    def __init__(self, label: str, *, missing: str | None, **options: Any) -> None:
        super().__init__(label, **options)
        self._missing = missing
        self.flags.required = missing is not None

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        super().process(None, data, extra_filters)
        self.data = None
        sent = None if formdata is None else request.files.get(self.name)
        if sent is not None and sent.filename and isinstance(sent.stream, SpooledFile):
            self.data = Upload(sent.stream, sent.filename)

    def pre_validate(self, _form: object) -> None:
        if self.data is None and self._missing is not None:
            raise ValidationError(self._missing)
        if self.data is not None and self.data.file.size > FILE_MAX:
            raise ValidationError("This file is larger than 200 MB.")


class SecretField(PasswordField):
    """The same, never shown again."""

    data: str
    widget = _Dots()


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


def email_field() -> TextField:
    """Somebody's own address: what they log in with."""
    return text_field(
        "E-mail",
        longest=EMAIL_MAX,
        missing="Enter your e-mail address.",
        type="email",
        autocomplete="username",
        autocapitalize="off",
        spellcheck="false",
    )


def long_text_field(
    label: str, *, longest: int, missing: str | None = None, help_text: str = "", rows: int = 4, **attributes: Any
) -> LongTextField:
    """Several lines of text; they may be left empty where nothing is said to be `missing`."""
    needed = Optional() if missing is None else InputRequired(missing)
    return LongTextField(
        label,
        [needed, Length(max=longest, message=f"Use at most {longest} characters."), without_nul],
        description=help_text,
        render_kw={"maxlength": longest, "rows": rows, **attributes},
    )


def upload_field(label: str, *, missing: str | None = None, help_text: str = "") -> UploadField:
    """A file; it may be left out where nothing is said to be `missing`."""
    return UploadField(label, missing=missing, description=help_text)


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
