"""A portal that has a mail server, which nothing is sent to: what it would send stands in the outbox."""

from collections.abc import Callable

from flask import Flask

from tests.told import Told, told

MAILING = {"MFAPORTAL_MAIL_URL": "smtp://127.0.0.1:1"}


def with_mail(make_app: Callable[..., Flask]) -> Flask:
    return make_app(**MAILING)


def mails(app: Flask, kind: str) -> list[Told]:
    """Those of one kind, oldest first."""
    return [mail for mail in told(app) if mail.kind == kind]


def link_in(mail: Told) -> str:
    link = mail.facts["link"]
    assert isinstance(link, str)
    return link
