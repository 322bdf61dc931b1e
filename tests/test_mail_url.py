"""What the two settings about mail come to."""

import pytest

from mfaportal.plumbing.config import SettingError, read
from mfaportal.plumbing.mail_url import MailServer, Sender, Tls, sender_of, server_of


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer("mail.example.org", 587, Tls.OFFERED, None, "")),
        ("smtp://mail.example.org:25/", MailServer("mail.example.org", 25, Tls.OFFERED, None, "")),
        ("smtps://Mail.example.org", MailServer("mail.example.org", 465, Tls.FROM_THE_START, None, "")),
        ("smtp://[::1]:2525?starttls=required", MailServer("::1", 2525, Tls.REQUIRED, None, "")),
        (
            "smtps://a%40b.org:p%3A%2F%3F%23%25+%40@mail.example.org",
            MailServer("mail.example.org", 465, Tls.FROM_THE_START, "a@b.org", "p:/?#%+@"),
        ),
    ],
)
def test_a_url_names_server_encryption_and_log_in(url: str, server: MailServer) -> None:
    assert server_of(url) == server


@pytest.mark.parametrize(
    ("text", "host", "sender"),
    [
        (None, "data.example.org", Sender("noreply@data.example.org", None)),
        (None, "192.0.2.7", Sender("noreply@[192.0.2.7]", None)),
        (None, "::1", Sender("noreply@[IPv6:::1]", None)),
        ("portal@example.org", "x", Sender("portal@example.org", None)),
        ('"City data" <portal@example.org>', "x", Sender("portal@example.org", "City data")),
        ("<portal@example.org>", "x", Sender("portal@example.org", None)),
    ],
)
def test_mails_come_from_whom_the_setting_says_or_from_nobody_who_reads(
    text: str | None, host: str, sender: Sender
) -> None:
    assert sender_of(text, host) == sender


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtp://user:topsecret@mail.example.org?tls=on", "may only have ?starttls=required behind its port."),
        ("smtp://user:topsecret@mail.example.org:0", "must look like smtp://user:password@mail.example.org:587."),
        ("smtp://user:top secret@mail.example.org", "must be ASCII without spaces"),
        ("smtp://topsecret@mail.example.org", "must hold both a user and a password, or none"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_never_the_password(url: str, words: str) -> None:
    with pytest.raises(SettingError) as refusal:
        read({"MFAPORTAL_MAIL_URL": url})
    assert str(refusal.value).startswith(f"MFAPORTAL_MAIL_URL {words}")
    assert "topsecret" not in str(refusal.value)
