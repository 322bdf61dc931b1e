"""Floor: password sign-in with Flask-Login, no second factor."""

from bench.harness.adapter import Peer
from bench.harness.client import Session
from bench.harness.users import PASSWORD, User


class Adapter(Peer):
    name = "bare"
    title = "bare (floor)"
    hasher = "werkzeug scrypt 32768:8:1"
    has_mfa = False
    can_grow = True

    def login_journey(self, session: Session, user: User) -> None:
        self.expect(session.get(self.login_path), "Sign in")
        page = session.post(self.login_path, {"name": user.name, "password": PASSWORD})
        self.expect(page, user.name)
