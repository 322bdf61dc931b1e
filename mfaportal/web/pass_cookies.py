"""The cookies of a guarded host: the pass, and what says for a few minutes that this browser asked for one.

They are of that host alone (`__Host-`), know nothing of the portal's own, and the proxy takes them out of what the
application gets.
"""

from dataclasses import dataclass

from flask import request
from werkzeug.sansio.http import parse_cookie
from werkzeug.wrappers import Response

from ..plumbing.tokens import digest, new_token, well_formed
from ..rules import cookie_names
from ..rules.lifetimes import ASKED

_AGAIN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class PassCookies:
    """Those of one guarded host, which with a port has names of its own: cookies do not know about ports."""

    scheme: str
    host: str

    @property
    def pass_token(self) -> str | None:
        """The pass that the browser sends, or something in its place that cannot be one."""
        return self._sent("pass")

    @property
    def pass_digest(self) -> bytes | None:
        token = self.pass_token
        return digest(token) if token is not None and well_formed(token) else None

    @property
    def asked_token(self) -> str | None:
        token = self._sent("asked")
        return token if token is not None and well_formed(token) else None

    @property
    def came_back(self) -> bool:
        """Whether the browser was sent back to its page a moment ago, with a good pass."""
        return self._sent("again") == "1"

    def ask(self, response: Response) -> str:
        """Mark the browser as one that asked; with the mark that it has, if there is one."""
        token = self.asked_token or new_token()
        self._set(response, "asked", token, int(ASKED.total_seconds()))
        return token

    def give(self, response: Response, token: str) -> None:
        """Let the browser keep a pass until it is closed; how long it is good for is the login's business."""
        self._set(response, "pass", token, None)
        self._drop(response, "asked")
        self._drop(response, "again")

    def send_back(self, response: Response) -> None:
        self._set(response, "again", "1", _AGAIN_SECONDS)

    def _sent(self, what: str) -> str | None:
        """Read as `request.cookies` does, which looks through all headers first."""
        return parse_cookie(request.environ.get("HTTP_COOKIE", "")).get(self._name(what))

    def _set(self, response: Response, what: str, value: str, seconds: int | None) -> None:
        response.set_cookie(
            self._name(what), value, max_age=seconds, secure=self._secure, httponly=True, samesite="Lax"
        )

    def _drop(self, response: Response, what: str) -> None:
        response.delete_cookie(self._name(what), secure=self._secure, httponly=True, samesite="Lax")

    @property
    def _secure(self) -> bool:
        return self.scheme == "https"

    def _name(self, what: str) -> str:
        return cookie_names.on_guarded_host(what, self.scheme, self.host)
