"""Every setting: its default, what it takes, and the one sentence that a wrong value stops the start with."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from mfaportal.plumbing.config import KNOWN, ROOT, SettingError, Settings, read

P = "MFAPORTAL_"
PUBLIC = "https://portal.example.org"


def _read(**values: str) -> Settings:
    return read({P + name: value for name, value in values.items()})


def test_without_any_setting_the_portal_listens_on_this_machine_only() -> None:
    settings = read({})
    assert settings.instance == ROOT / "instance"
    assert settings.database_url == f"sqlite:///{ROOT / 'instance' / 'mfaportal.sqlite3'}"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert (settings.listen_host, settings.listen_port, settings.workers) == ("127.0.0.1", 8000, 2)
    assert settings.keyring == ROOT / "instance" / "keyring"
    assert settings.secret_key is None
    assert (settings.mail_url, settings.mail_from, settings.name) == (None, None, None)
    assert settings.trusted_proxies == ()
    assert (settings.login_idle, settings.login_max_age) == (timedelta(hours=12), timedelta(hours=24))
    assert settings.https is False


def test_an_empty_setting_is_none_and_spaces_around_it_do_not_count() -> None:
    assert read(dict.fromkeys(KNOWN, "  ")) == read({})
    assert _read(WORKERS=" 3 ").workers == 3


def test_other_names_of_the_environment_are_not_looked_at() -> None:
    assert read({"PATH": "/bin", "WORKERS": "nonsense", "mfaportal_workers": "nonsense"}) == read({})


GOOD = [
    ("INSTANCE", "/srv/portal", "instance", Path("/srv/portal")),
    ("DATABASE_URL", "sqlite:////srv/portal.sqlite3", "database_url", "sqlite:////srv/portal.sqlite3"),
    ("DATABASE_URL", "postgresql+psycopg://a@db/portal", "database_url", "postgresql+psycopg://a@db/portal"),
    ("PUBLIC_URL", "https://Portal.Example.org/", "public_url", PUBLIC),
    ("PUBLIC_URL", "https://portal.example.org:443", "public_url", PUBLIC),
    ("PUBLIC_URL", "https://portal.example.org:8443", "public_url", "https://portal.example.org:8443"),
    ("PUBLIC_URL", "https://xn--bcher-kva.example", "public_url", "https://xn--bcher-kva.example"),
    ("PUBLIC_URL", "https://192.0.2.7", "public_url", "https://192.0.2.7"),
    ("PUBLIC_URL", "https://[2001:db8::1]:8443", "public_url", "https://[2001:db8::1]:8443"),
    ("PUBLIC_URL", "http://localhost", "public_url", "http://localhost"),
    ("PUBLIC_URL", "http://portal.localhost:8000", "public_url", "http://portal.localhost:8000"),
    ("PUBLIC_URL", "http://portal.test", "public_url", "http://portal.test"),
    ("PUBLIC_URL", "http://127.0.0.9", "public_url", "http://127.0.0.9"),
    ("LISTEN", "127.0.0.1:1", "listen_port", 1),
    ("LISTEN", "localhost:65535", "listen_host", "localhost"),
    ("LISTEN", "[::1]:8000", "listen_host", "::1"),
    ("LISTEN", "[::1]:8000", "public_url", "http://[::1]:8000"),
    ("LISTEN", "LOCALHOST:8000", "public_url", "http://localhost:8000"),
    ("WORKERS", "1", "workers", 1),
    ("WORKERS", "64", "workers", 64),
    ("SECRET_KEY", "k" * 40, "secret_key", "k" * 40),
    ("KEYRING", "/etc/portal/keyring", "keyring", Path("/etc/portal/keyring")),
    ("MAIL_URL", "smtp://a:b@mail.example.org:587", "mail_url", "smtp://a:b@mail.example.org:587"),
    ("MAIL_URL", "smtps://mail.example.org", "mail_url", "smtps://mail.example.org"),
    ("MAIL_URL", "smtp://[::1]?starttls=required", "mail_url", "smtp://[::1]?starttls=required"),
    ("MAIL_FROM", "portal@example.org", "mail_from", "portal@example.org"),
    ("MAIL_FROM", "Data, é <portal@example.org>", "mail_from", "Data, é <portal@example.org>"),
    ("TRUSTED_PROXIES", "127.0.0.1", "trusted_proxies", (ip_network("127.0.0.1"),)),
    (
        "TRUSTED_PROXIES",
        "10.0.0.0/8, ::1,,192.168.7.30/24 ",
        "trusted_proxies",
        (ip_network("10.0.0.0/8"), ip_network("::1"), ip_network("192.168.7.0/24")),
    ),
    ("NAME", "Data of the city \u00e9", "name", "Data of the city \u00e9"),
    ("LOGIN_IDLE", "60s", "login_idle", timedelta(minutes=1)),
    ("LOGIN_IDLE", "90m", "login_idle", timedelta(minutes=90)),
    ("LOGIN_MAX_AGE", "30d", "login_max_age", timedelta(days=30)),
]


@pytest.mark.parametrize(("name", "value", "attribute", "expected"), GOOD)
def test_a_good_value_is_taken(name: str, value: str, attribute: str, expected: object) -> None:
    assert getattr(_read(**{name: value}), attribute) == expected


BAD = [
    (
        "DATABASE_URL",
        ["mysql://a/b", "portal.sqlite3", "sqlite:///", "sqlite:///:memory:", "sqlite://", "postgresql://a/b"],
    ),
    (
        "PUBLIC_URL",
        [
            "portal.example.org",
            "ftp://portal.example.org",
            "https://",
            "https:///path",
            "https://portal.example.org/portal",
            "https://portal.example.org?a=b",
            "https://portal.example.org?",
            "https://portal.example.org#a",
            "https://name@portal.example.org",
            "https://name:word@portal.example.org",
            "https://:word@portal.example.org",
            "https://portal.example.org:0",
            "https://portal.example.org:65536",
            "https://portal.example.org:port",
            "https://portal.example.org:8443:8443",
            "https://portal example.org",
            "https://portal..example.org",
            "https://-portal.example.org",
            "https://b\u00fccher.example",
            "https://portal.example.org\\evil",
            'https://portal"<b>.example.org',
            "https://[::1",
            "https://[::gg]",
            "https://" + "a" * 64,
            "javascript:alert(1)",
        ],
    ),
    (
        "LISTEN",
        [
            "8000",
            ":8000",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "127.0.0.1:-1",
            "::1:8000",
            "[::g]:1",
            "[127.0.0.1]:8000",
            "[]:8000",
            "unix:/run/a.sock",
            "a b:8000",
            "-a:8000",
            "127.0.0.1:\uff18\uff10",
            "127.0.0.1:80 81",
        ],
    ),
    ("WORKERS", ["0", "-1", "65", "1000", "two", "1.5", "\uff12", "2 3", "1e1"]),
    (
        "MAIL_URL",
        [
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtp://:587",
            "smtp://a:port",
            "smtps://[::1",
            "smtp:a",
            "smtp://mail.example.org/inbox",
            "smtp://mail.example.org?starttls=maybe",
            "smtp://mail.example.org?starttls=required&starttls=required",
            "smtp://mail.example.org?tls=yes",
            "smtps://mail.example.org?starttls=required",
            "smtp://user@mail.example.org",
            "smtp://:password@mail.example.org",
            "smtp://user:pass%0Aword@mail.example.org",
            "smtp://user:p%C3%A9@mail.example.org",
            "smtp://user:a#b@mail.example.org",
            "smtp://user:pass word@mail.example.org",
            "smtp://m\u00e4il.example.org",
            "smtp://mail_server",
        ],
    ),
    (
        "MAIL_FROM",
        [
            "portal",
            "@example.org",
            "portal@",
            "a@b@c",
            "a@b c",
            "portal@example.org\r\nBcc: all@example.org",
            "A <b",
            "A <b@c> d",
            "\u00e9@e.org",
            "A <a@\u00e9.org>",
        ],
    ),
    (
        "TRUSTED_PROXIES",
        ["proxy", "10.0.0.0/33", "10.0.0", "10.0.0.1; 10.0.0.2", "10.0.0.1 10.0.0.2", "fe80::1%eth0/64/", "*"],
    ),
    ("TRUSTED_PROXIES", ["0.0.0.0/0", "::/0", "127.0.0.1, 0.0.0.0/0", "10.0.0.1/0"]),
    ("NAME", ["a" * 81, "a\nb", "a\x00b", "a\x1b[31m", "a\u202eb", "a\u2028b"]),
    (
        "LOGIN_IDLE",
        [
            "0h",
            "12",
            "h",
            "12 h",
            "-12h",
            "1.5h",
            "12H",
            "12w",
            "59s",
            "31d",
            "999999d",
            "\uff11h",
            "1h30m",
            "12h\n"[:-1] + "x",
        ],
    ),
    ("LOGIN_MAX_AGE", ["0d", "24", "forever", "59s", "31d"]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD for value in values])
def test_a_bad_value_is_refused_in_one_sentence_that_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(SettingError) as refusal:
        _read(**{name: value})
    sentence = str(refusal.value)
    assert P + name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize("name", ["SECRET", "PUBLIC_URLS", "DEBUG", "TESTING", "WORKER", "", "public_url", "LISTEN "])
def test_a_name_that_is_no_setting_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match=f"^{P}{name} is no setting of this portal"):
        _read(**{name: "1"})


@pytest.mark.parametrize(
    "host", ["portal.example.org", "192.0.2.7", "10.0.0.1", "[2001:db8::1]", "portal", "localhost.example"]
)
def test_plain_http_is_refused_where_others_could_listen(host: str) -> None:
    with pytest.raises(SettingError, match="MFAPORTAL_PUBLIC_URL must begin with https://"):
        _read(PUBLIC_URL=f"http://{host}")
    with pytest.raises(SettingError, match="MFAPORTAL_PUBLIC_URL must begin with https://"):
        _read(LISTEN=f"{host}:8000")
    assert _read(LISTEN=f"{host}:8000", PUBLIC_URL=PUBLIC).public_url == PUBLIC


@pytest.mark.parametrize("listen", ["0.0.0.0:8000", "[::]:8000", "[0:0:0:0:0:0:0:0]:8000"])
def test_listening_everywhere_needs_a_public_address(listen: str) -> None:
    with pytest.raises(SettingError, match="MFAPORTAL_PUBLIC_URL must"):
        _read(LISTEN=listen)
    settings = _read(LISTEN=listen, PUBLIC_URL=PUBLIC)
    assert settings.allowed_hosts == {"portal.example.org"}


def test_cookies_of_two_installations_on_one_host_have_two_names() -> None:
    suffixes = [
        _read(LISTEN="127.0.0.1:8001").cookie_suffix,
        _read(LISTEN="127.0.0.1:8002").cookie_suffix,
        _read(PUBLIC_URL=PUBLIC).cookie_suffix,
        _read(PUBLIC_URL=f"{PUBLIC}:8443").cookie_suffix,
    ]
    assert len(set(suffixes)) == 4
