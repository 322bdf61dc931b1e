"""A browser of few words for a real server: keeps cookies and one connection, fills in the form that it sees.

`tests.browser_client` does the same without a server, and sees more of a page.
"""

import html
import re
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.input.multipart import MULTIPART, multipart, text_part
from tests.people import Person
from tests.server import Server

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """`get` and `post` follow no redirect; `status`, `location` and `body` are those of the last answer.

    Without `keep_alive` each request has a connection of its own: a server whose clock leaps drops idle ones.
    """

    def __init__(self, server: Server, *, keep_alive: bool = False, address: str = "") -> None:
        """`address`: what a trusted proxy in front would say."""
        self._keep_alive = keep_alive
        self._forwarded = {"X-Forwarded-For": address} if address else {}
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.cookies: dict[str, str] = {}
        self.statuses: list[int] = []
        self.location = self.body = ""

    @property
    def status(self) -> int:
        return self.statuses[-1]

    @property
    def key(self) -> str:
        """The set-up key that the page shows."""
        found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', self.body)
        assert found, f"no set-up key on this page ({self.status}): {self.text[:300]}"
        return found[1].replace(" ", "")

    @property
    def text(self) -> str:
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.body)).split())

    def get(self, path: str) -> "Visitor":
        return self._send("GET", path)

    def post(self, path: str, **fields: str) -> "Visitor":
        """With the CSRF value of the page that was seen last, or else of the path's own."""
        return self._send("POST", path, urlencode({"csrf_token": self._csrf(path), **fields}))

    def upload(self, path: str, content: bytes, **fields: str) -> "Visitor":
        """Like `post`, with a file named data.csv in the field `file`."""
        texts = [text_part(name, value) for name, value in {"csrf_token": self._csrf(path), **fields}.items()]
        part = b'Content-Disposition: form-data; name="file"; filename="data.csv"\r\n\r\n' + content
        return self._send("POST", path, multipart(*texts, part), MULTIPART)

    def _csrf(self, path: str) -> str:
        if not _CSRF.search(self.body):
            self.get(path)
        found = _CSRF.search(self.body)
        return found[1] if found else ""

    def submit(self, path: str, **fields: str) -> "Visitor":
        """Open a page and send its form."""
        self.get(path)
        assert self.status == 200, f"{path}: {self.status} {self.location}"
        return self.post(path, **fields)

    def give_password(self, person: Person) -> "Visitor":
        return self.submit("/log-in", email=person.email, password=person.password)

    def _send(
        self, method: str, path: str, body: str | bytes | None = None, kind: str = "application/x-www-form-urlencoded"
    ) -> "Visitor":
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **self._forwarded}
        if body is not None:
            headers["Content-Type"] = kind
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        self.body = answer.read().decode("utf-8", "replace")
        self.location = answer.headers.get("Location", "")
        self.statuses.append(answer.status)
        if not self._keep_alive:
            self.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0" or not morsel.value:
                    del self.cookies[name]
        return self

    def close(self) -> None:
        self._connection.close()
