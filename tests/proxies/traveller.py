"""A browser as far as redirects and cookies go: it follows from host to host, each time through the proxy."""

import re
from collections import defaultdict
from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.proxies.fronts import Answer, Front

_FOLLOWED = (301, 302, 303, 307, 308)


class Traveller:
    """Cookies belong to the host that set them; `held` may be given some to begin with."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self.held: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self.way: list[str] = []
        """Each address on the last way, as it was asked for."""

    def open(self, host: str, path: str) -> Answer:
        """What is shown at the end of the way."""
        self.way = []
        for _ in range(12):
            self.way.append(f"{self._front.url(host)}{path}")
            answer = self._ask(host, path)
            if answer.status not in _FOLLOWED:
                return answer
            to = urlsplit(answer.header("Location"))
            host, path = to.hostname or host, to._replace(scheme="", netloc="").geturl() or "/"
        raise AssertionError(f"sent round and round: {self.way}")

    def send(self, host: str, path: str, page: Answer, fields: Mapping[str, str]) -> Answer:
        """A form of `page`, filled in; nothing is followed."""
        found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page.body)
        assert found, page.body
        return self._ask(host, path, urlencode({"csrf_token": found[1].decode(), **fields}).encode())

    def _ask(self, host: str, path: str, form: bytes = b"") -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.held[host].items())
        headers = {"Cookie": cookies} if cookies else {}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self._front.get(host, path, headers, method="POST" if form else "GET", body=form)
        for name, line in answer.headers:
            if name.lower() == "set-cookie":
                self.held[host] |= {key: morsel.value for key, morsel in SimpleCookie(line).items()}
        return answer
