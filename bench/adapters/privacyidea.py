"""privacyIDEA: an authentication server with a JSON API, its own browser front end aside."""

import json
from http import HTTPStatus
from typing import Any

from bench.harness.adapter import Peer
from bench.harness.client import HTTPError, Response, Session
from bench.harness.users import PASSWORD, User


class Adapter(Peer):
    name = "privacyidea"
    title = "privacyIDEA (API)"
    hasher = "argon2id by passlib, t=9, 64 MiB, p=4 (PIN)"
    has_setup_page = False
    users = 500  # enrolling takes 25 ms each
    login_path = "/app/v2/"
    guarded_path = "/token/"
    auth_path = "/auth"
    setup_path = "/token/init"
    marker = '"tokens"'
    notes = (
        (
            "privacyIDEA renders no pages: its journey is the front end's shell, POST /auth with the PIN (a "
            "challenge comes back), POST /auth with the code (a signed JWT comes back) and GET /token/, its "
            "guarded 'page' is that list of the user's tokens as signed JSON, and its set-up 'page' is the JSON "
            "answer to enrolling a token, QR code as a PNG inside."
        ),
    )

    def login_journey(self, session: Session, user: User) -> None:
        self.expect(session.get(self.login_path), "<app-root")
        challenge = self._auth(session, user, PASSWORD)
        transaction = challenge["detail"]["transaction_id"]
        answer = self._auth(session, user, user.code(), transaction_id=transaction)
        if not answer["result"]["value"]:
            raise HTTPError(f"code refused: {answer['detail']}")
        session.headers["Authorization"] = answer["result"]["value"]["token"]
        tokens = self.expect(session.get(self.guarded_path), self.marker)
        if user.name not in tokens.text:
            raise HTTPError("the tokens listed are another user's")

    def _auth(self, session: Session, user: User, password: str, **fields: str) -> dict[str, Any]:
        fields |= {"username": user.name, "password": password}
        response = session.post(self.auth_path, fields)
        if response.status != HTTPStatus.OK:
            raise HTTPError(f"{self.auth_path}: {response.status} {response.text[:300]}")
        answer: dict[str, Any] = json.loads(response.body)
        return answer

    def open_setup(self, session: Session, user: User) -> None:  # noqa: ARG002  # see below
        # A user without a token cannot sign in where a code is asked of everyone,
        # so the set-up is measured with one who has a token already.
        self.login_journey(session, User(1))

    def render_setup(self, session: Session) -> list[Response]:
        fields = {"type": "totp", "genkey": "1"}
        return [self.expect(session.post(self.setup_path, fields), "data:image")]
