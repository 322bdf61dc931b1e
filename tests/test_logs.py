"""The logs: one line an event whatever people type, and nothing secret in any of them."""

import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from mfaportal.plumbing.logs import OneLine, masked
from tests import databases
from tests.browser_client import Browser
from tests.input.wire import WireBrowser, head, raw
from tests.people import Cast
from tests.phone import Phone
from tests.server import Server

MARKER = "marker-Zq7"
PASSWORDS = [f"{MARKER} first quiet otter", f"{MARKER} second quiet otter", f"{MARKER} third quiet otter"]
WRONG = f"{MARKER} wrong password"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GET /reset-password/abc-DEF_1 HTTP/1.1", "GET /reset-password/*** HTTP/1.1"),
        ("GET /invitations/abc HTTP/1.1", "GET /invitations/*** HTTP/1.1"),
        ("GET /confirm-address/abc HTTP/1.1", "GET /confirm-address/*** HTTP/1.1"),
        ("GET /confirm-email/abc HTTP/1.1", "GET /confirm-email/*** HTTP/1.1"),
        ("GET //invitations//abc HTTP/1.1", "GET //invitations//*** HTTP/1.1"),
        ("GET /welcome?token=abc HTTP/1.1", "GET /welcome?token=*** HTTP/1.1"),
        ("GET /welcome?a=b&token=abc&c=d HTTP/1.1", "GET /welcome?a=b&token=***&c=d HTTP/1.1"),
        ("GET /welcome?token=abc&token=def HTTP/1.1", "GET /welcome?token=***&token=*** HTTP/1.1"),
        ("GET /a/users?q=ada%40example.org HTTP/1.1", "GET /a/users?q=*** HTTP/1.1"),
        ("GET /a/users?role=admin&q=a@b/c?d&after=7 HTTP/1.1", "GET /a/users?role=admin&q=***&after=7 HTTP/1.1"),
        ("GET /a/activity?kind=people&person=ada HTTP/1.1", "GET /a/activity?kind=people&person=*** HTTP/1.1"),
        (
            "GET /log-in?next=/a/users%3Fq%3Dada%26role%3Dadmin HTTP/1.1",
            "GET /log-in?next=/a/users%3Fq%3D*** HTTP/1.1",
        ),
        (
            "GET /log-in?next=/a%3Frole%3Dadmin%26person%3Da HTTP/1.1",
            "GET /log-in?next=/a%3Frole%3Dadmin%26person%3D*** HTTP/1.1",
        ),
        ("GET /hand-off?to=%252Fa%253Fq%253Dada HTTP/1.1", "GET /hand-off?to=%252Fa%253Fq%253D*** HTTP/1.1"),
        ("GET /a?seq=1&persons=2&q=&q HTTP/1.1", "GET /a?seq=1&persons=2&q=&q HTTP/1.1"),
        ("GET /reset-password HTTP/1.1", "GET /reset-password HTTP/1.1"),
        ("GET /account?a=token HTTP/1.1", "GET /account?a=token HTTP/1.1"),
        ("a\r\nb\x00c\x1b[31md\x7fe\x9bf\x85g\th", "a\\x0d\\x0ab\\x00c\\x1b[31md\\x7fe\\x9bf\\x85g\\x09h"),
        ("a\u2028b", "a\u2028b"),
    ],
)
def test_a_line_is_masked(line: str, expected: str) -> None:
    assert masked(line) == expected


def _fail(words: str) -> None:
    raise ValueError(words)


def test_a_message_is_one_line_and_a_traceback_keeps_its_own_lines_only() -> None:
    with pytest.raises(ValueError, match="what was") as caught:
        _fail("what was\r\nsent\x1b[31m /invitations/abc")
    error = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("mfaportal", logging.ERROR, "file", 1, "at %s", ("/a\nb",), error)
    text = OneLine("%(levelname)s %(message)s").format(record)
    assert text.startswith("ERROR at /a\\x0ab\nTraceback (most recent call last):\n")
    assert "\r" not in text
    assert "\x1b" not in text
    assert "/invitations/***" in text


def test_a_broken_database_does_not_put_what_was_typed_into_the_log(
    browser: Browser, people: Cast, instance: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = browser.get("/log-in")
    databases.contents_of(instance).execute("ALTER TABLE throttles RENAME TO gone")
    answer = browser.send(page, email=f"{MARKER}@example.org", password=WRONG)
    # To PostgreSQL a missing table is a mistake of whoever asks, to SQLite one of many troubles that may pass.
    assert answer.status == (500 if databases.on_postgresql() else 503)
    assert "throttles" in caplog.text
    assert MARKER not in caplog.text
    assert not re.search(r"\b[0-9a-f]{64}\b", caplog.text), "a digest of the e-mail"


class Visit:
    """Somebody with a browser and a running server; keeps every secret that they see."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.secrets: set[str] = set()
        self.browser = WireBrowser(server)

    def submit(self, path: str, **fields: str) -> str:
        """Send a form; where it leads, or nothing where it was refused."""
        csrf = self.browser.csrf(path)
        self.secrets |= {csrf, *self.browser.cookies.values()}
        self.secrets |= {value for name, value in fields.items() if name in ("code", "password", "token")}
        answer = self.browser.post(path, {"csrf_token": csrf, **fields})
        self.secrets |= set(self.browser.cookies.values())
        return answer.location

    def open_link(self, path: str) -> str:
        self.secrets.add(re.split(r"[/=]", path)[-1])
        return self.browser.get(path).location

    def code(self, phone: Phone, step: int = 0) -> str:
        return phone.code(datetime.now(UTC), step)


def _whole_life(server: Server) -> Visit:
    """Welcome, set-up, log-out, wrong and right log-ins, codes, a reset, an invitation: every secret there is."""
    visit = Visit(server)
    token = visit.server.welcome_path.partition("=")[2]
    assert visit.open_link(server.welcome_path) == "/welcome"
    email = "first@example.org"
    where = visit.submit("/welcome", token=token, email=email, name="First", password=PASSWORDS[0], portal="Data")
    assert where == "/account/security/methods/add?first=yes"
    page = visit.browser.get(where)
    key = re.findall(r'<code class="key">([^<]+)</code>', page.body)[0]
    phone = Phone(key)
    visit.secrets |= {key, phone.key}
    assert visit.submit("/account/security/methods/add", code=visit.code(phone), name="My phone")
    codes = re.findall(r"<code>([A-Z2-7-]{19})</code>", visit.browser.get("/account/security/recovery-codes").body)
    visit.secrets |= {each for code in codes for each in (code, code.replace("-", ""))}
    assert visit.submit("/confirm", code=codes[0])
    assert visit.submit("/account", name="First of all")
    csrf = visit.browser.csrf("/account")
    visit.browser.post("/log-out", {"csrf_token": csrf})
    assert not visit.submit("/log-in", email=email, password=WRONG)
    assert visit.submit("/log-in", email=email, password=PASSWORDS[0]) == "/log-in/code"
    assert not visit.submit("/log-in/code", code=phone.wrong_code(datetime.now(UTC)))
    assert visit.submit("/log-in/code", code=visit.code(phone, 1)) == "/"
    for search in ("/installation/accounts?q=", "/installation/activity?person="):
        assert visit.browser.get(f"{search}{MARKER}%40example.org").status == 200
        visit.browser.get(f"/log-in?next={quote(search, safe='/')}{MARKER}%2540example.org")
    _links(visit, email)
    return visit


def _links(visit: Visit, email: str) -> None:
    """A reset and an invitation, made on the command line and taken."""
    made = visit.server.flask("accounts", "reset-link", email).stdout
    assert visit.open_link(re.findall(r"/reset-password/\S+", made)[0]) == "/reset-password"
    assert visit.submit("/reset-password", password=PASSWORDS[1]).startswith("/log-in")
    made = visit.server.flask("accounts", "create", "second@example.org", "--name", "Second").stdout
    assert visit.open_link(re.findall(r"/invitations/\S+", made)[0]) == "/invitation"
    assert visit.submit("/invitation", name="Second", password=PASSWORDS[2]).startswith("/log-in")


def test_after_a_whole_life_nothing_secret_stands_in_the_log(server: Server) -> None:
    server.start(workers=2)
    visit = _whole_life(server)
    greeting = f"Make the first account at {server.url}{server.welcome_path}"
    assert server.log.count(greeting) == 1
    log = server.log.replace(greeting, "")
    for line in (
        "GET /welcome?token=*** ",
        "GET /reset-password/*** ",
        "GET /invitations/*** ",
        "POST /log-in/code ",
        "GET /installation/accounts?q=*** ",
        "GET /installation/activity?person=*** ",
        "GET /log-in?next=/installation/accounts%3Fq%3D*** ",
    ):
        assert line in log
    assert len(visit.secrets) > 20
    assert MARKER not in log
    assert not [secret for secret in visit.secrets if secret in log]
    assert "Traceback" not in log


def test_what_clients_write_stays_on_one_line_of_the_access_log(server: Server) -> None:
    server.start(workers=1)
    lines = len(server.log.split("\n")) - 1
    agents = ['a" 200 1 "forged', "a\\x0a", "a\x9b31mb", "a\x85b", "a\u00e9"]
    for agent in agents:
        assert raw(server, head(server, "GET /log-in HTTP/1.1", f"User-Agent: {agent}")).status == 200
    for path in ("/%0d%0aforged", "/%1b[31mforged", "/%00", "/a%c2%9bb", "/%e2%80%a8"):
        assert raw(server, head(server, f"GET {path} HTTP/1.1")).status == 404
    for header in ("User-Agent: a\x1b[31mb", "User-Agent: a\x00b", "User-Agent: a\rb", "X\x1b[31m: a"):
        assert raw(server, head(server, "GET /log-in HTTP/1.1", header)).status == 400
    written = server.log.split("\n")[lines:]
    assert not [line for line in written if re.search(r"[\x00-\x1f\x7f-\x9f]", line)]
    assert not [line for line in written if line.startswith("forged")]
    requests = [
        line for line in written if '"GET /' in line and "/healthz" not in line and re.search(r'" (200|404) ', line)
    ]
    assert len(requests) == len(agents) + 5
    assert not [line for line in requests if re.search(r'" 200 \d+ "forged"', line)]
