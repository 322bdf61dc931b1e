"""One mail to a real SMTP server: what arrives, over what line, and what each refusal comes to."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mfaportal.plumbing import mail
from mfaportal.plumbing.config import Settings, read
from mfaportal.plumbing.mail import RefusedForGood, Sent, TryAgain, deliver, probe
from mfaportal.plumbing.mail_message import Letter
from tests.mail_server import PASSWORD, USER, MailServer, mail_server, odd_server, self_made_certificate

LETTER = Letter(
    recipient="kim@example.org",
    subject="An app was added",
    text='Hello Kim,\n\nThe app "Télé" was added.\n.\nhttps://data.example.org/account/security\n',
    sender_name="Data of the city, é",
    message_id="<0123@data.example.org>",
    made_at=datetime(2026, 3, 2, 9, 0, 15, tzinfo=UTC),
)
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}"


def settings(url: str, **more: str) -> Settings:
    given = {"PUBLIC_URL": "https://data.example.org", "MAIL_URL": url, **more}
    return read({f"MFAPORTAL_{name}": value for name, value in given.items()})


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_made_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trusted by this machine, in the way that operators would tell it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


def with_letter(**changed: Any) -> Letter:
    values = {name: getattr(LETTER, name) for name in LETTER.__slots__}
    return Letter(**{**values, **changed})


def test_a_mail_arrives_with_all_that_belongs_to_one(server: MailServer) -> None:
    assert deliver(settings(server.url), LETTER) == Sent()
    (got,) = server.received
    assert (server.recipients, server.senders) == (["kim@example.org"], ["noreply@data.example.org"])
    assert got["To"] == "kim@example.org"
    assert got["From"] == '"Data of the city, é" <noreply@data.example.org>'
    assert got["Date"].datetime == LETTER.made_at
    assert (got["Subject"], got["Message-ID"], got["Auto-Submitted"]) == (
        LETTER.subject,
        LETTER.message_id,
        "auto-generated",
    )
    assert got.get_content_type() == "text/plain"
    assert got.get_content().replace("\r\n", "\n") == LETTER.text
    assert server.encrypted == [False]


def test_the_sender_may_have_an_address_and_a_name_of_its_own(server: MailServer) -> None:
    for given, shown in (
        ("portal@example.org", '"Data of the city, é" <portal@example.org>'),
        ("City <portal@example.org>", "City <portal@example.org>"),
    ):
        assert deliver(settings(server.url, MAIL_FROM=given), LETTER) == Sent()
        assert server.received[-1]["From"] == shown
    assert set(server.senders) == {"portal@example.org"}


@pytest.mark.parametrize("name", ["a" * 80, "ж" * 80, 'Data, "the" <best>', "a\u0300 = 🏛️"])
def test_whatever_the_installation_is_called_the_address_stays_its_own(server: MailServer, name: str) -> None:
    letter = with_letter(sender_name=name, subject=f"Invitation to {name}")
    assert deliver(settings(server.url), letter) == Sent()
    (address,) = server.received[0]["From"].addresses
    assert address.addr_spec == "noreply@data.example.org"
    assert address.display_name.split() == name.split() or address.display_name.replace(" ", "") == name
    assert server.received[0]["Subject"] == letter.subject


@pytest.mark.parametrize("header", ["subject", "sender_name", "message_id"])
def test_no_header_can_be_smuggled_in(server: MailServer, header: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|CR|LF"):
        deliver(settings(server.url), with_letter(**{header: "a\r\nBcc: all@example.org"}))
    assert server.tried == 0


@pytest.mark.parametrize(
    "address", ["a@b.org\r\nDATA", "a b@c.org", "<a@b.org>", "nobody", "@b.org", f"a@{'b' * 70}é"]
)
def test_what_is_no_address_reaches_no_server(server: MailServer, address: str) -> None:
    assert isinstance(deliver(settings(server.url), with_letter(recipient=address)), RefusedForGood)
    assert server.tried == 0


def test_an_address_beyond_ascii_goes_where_it_can(server: MailServer) -> None:
    assert deliver(settings(server.url), with_letter(recipient="kim@bücher.example")) == Sent()
    assert deliver(settings(server.url), with_letter(recipient="jürgen@example.org")) == Sent()
    assert server.recipients == ["kim@xn--bcher-kva.example", "jürgen@example.org"]


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"rcpt": "550 5.1.1 <{address}>: no such user"}, RefusedForGood("550 5.1.1: the recipient is refused")),
        ({"rcpt": "550 nobody"}, RefusedForGood("550: the recipient is refused")),
        ({"data": "554 5.7.1 spam: /reset-password/token"}, RefusedForGood("554 5.7.1: the mail is refused")),
        ({"rcpt": "450 4.2.1 later"}, TryAgain("450 4.2.1: the recipient is refused", everybody=False)),
        ({"data": "451 4.3.0 later"}, TryAgain("451 4.3.0: the mail is refused", everybody=False)),
        ({"rcpt": "421 4.7.0 too many"}, TryAgain("421 4.7.0: the recipient is refused", everybody=True)),
        ({"rcpt": "530 5.7.0 log in first"}, TryAgain("530 5.7.0: the recipient is refused", everybody=True)),
        ({"sender": "553 5.1.8 who"}, TryAgain("553 5.1.8: the sender's address is refused", everybody=True)),
    ],
)
def test_each_refusal_is_told_by_its_code_and_never_in_the_servers_words(
    server: MailServer, answers: dict[str, str], outcome: object
) -> None:
    for command, answer in answers.items():
        setattr(server, command, answer)
    assert deliver(settings(server.url), LETTER) == outcome
    assert server.received == []


def test_starttls_is_used_where_it_is_offered_and_its_certificate_is_looked_at(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(certificate=certificate) as server:
        refused = deliver(settings(server.url), LETTER)
        assert isinstance(refused, TryAgain)
        assert refused.error.startswith("the mail server's certificate is not trusted: self-signed certificate")
        assert server.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert deliver(settings(f"smtp://localhost:{server.port}"), LETTER) != Sent()  # it is for 127.0.0.1
        assert deliver(settings(server.url), LETTER) == Sent()
        assert server.encrypted == [True]


def test_a_line_that_is_encrypted_from_the_start(trusted: Path) -> None:
    with mail_server(certificate=trusted, from_the_start=True) as server:
        url = f"smtps://127.0.0.1:{server.port}"
        assert deliver(settings(url), LETTER) == Sent()
        assert probe(settings(url)) is None
        assert server.encrypted == [True]


def test_a_setting_that_insists_on_starttls_sends_nothing_without(server: MailServer) -> None:
    outcome = deliver(settings(f"{server.url}?starttls=required"), LETTER)
    assert outcome == TryAgain("the mail server offers no STARTTLS, and the setting insists on it", everybody=True)
    assert server.tried == 0


def test_it_logs_in_with_what_the_setting_says(trusted: Path) -> None:
    with mail_server(certificate=trusted, auth=True) as server:
        url = server.url.replace("//", f"//{LOGIN}@")
        assert deliver(settings(url), LETTER) == Sent()
        assert probe(settings(url)) is None
        server.refuses_login = True
        words = "535: the mail server refuses the user and password"
        assert deliver(settings(url), LETTER) == TryAgain(words, everybody=True)
        assert probe(settings(url)) == words
        assert PASSWORD not in words


def test_a_password_never_goes_over_an_open_line(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.url.replace("//", f"//{LOGIN}@")
    monkeypatch.setattr(mail, "stays_here", lambda _host: False)
    outcome = deliver(settings(url), LETTER)
    words = "the mail server offers no STARTTLS, and a password does not go over an open line"
    assert outcome == TryAgain(words, everybody=True)
    monkeypatch.undo()
    assert deliver(settings(url), LETTER) == Sent(), "on this machine there is no line to listen to"


def test_nobody_at_the_port_is_said_at_once() -> None:
    with odd_server(lambda _connection: None) as port:
        pass
    outcome = deliver(settings(f"smtp://127.0.0.1:{port}"), LETTER)
    assert outcome == TryAgain("the mail server cannot be reached: Connection refused", everybody=True)
    assert probe(settings(f"smtp://127.0.0.1:{port}")) == "the mail server cannot be reached: Connection refused"


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"554 5.3.2 not today\r\n", "554: the mail server is not ready"),
        (b"HTTP/1.1 400 Bad Request\r\n", "the mail server broke off"),
    ],
)
def test_what_is_no_mail_server_is_not_taken_for_one(greeting: bytes, error: str) -> None:
    with odd_server(lambda connection: connection.sendall(greeting)) as port:
        outcome = deliver(settings(f"smtp://127.0.0.1:{port}"), LETTER)
    assert isinstance(outcome, TryAgain)
    assert outcome.error in (error, "-1: the mail server is not ready")


def test_a_silent_server_is_left_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS", 0.2)
    with odd_server(lambda _connection: None) as port:
        begun = time.monotonic()
        outcome = deliver(settings(f"smtp://127.0.0.1:{port}"), LETTER)
    assert outcome == TryAgain("the mail server does not answer in time", everybody=True)
    assert time.monotonic() - begun < 2


def test_a_server_that_sends_a_byte_now_and_then_is_left_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "ALL_SECONDS", 0.4)

    def drip(connection: Any) -> None:
        for _ in range(100):
            connection.sendall(b"2")
            time.sleep(0.05)

    with odd_server(drip) as port:
        begun = time.monotonic()
        outcome = deliver(settings(f"smtp://127.0.0.1:{port}"), LETTER)
    assert outcome == TryAgain("the mail server does not answer in time", everybody=True)
    assert time.monotonic() - begun < 2
