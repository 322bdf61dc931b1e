"""Flask-Security (formerly Flask-Security-Too), two-factor required."""

from bench.harness.adapter import Peer
from bench.harness.client import Response, Session
from bench.harness.users import PASSWORD, User


class Adapter(Peer):
    name = "flask_security"
    title = "Flask-Security"
    hasher = "argon2id over HMAC-SHA512 (libpass: 64 MiB, t=3, p=4)"
    can_grow = True
    code_path = "/tf-validate"
    setup_path = "/tf-setup"
    notes = (
        (
            "Flask-Security accepts a code again within its 2-minute window unless the project subclasses its "
            "Totp: its journeys write nothing to the database for that."
        ),
    )

    def login_journey(self, session: Session, user: User) -> None:
        code_page = self.expect(self._password(session, user), 'name="code"')
        fields = code_page.hidden() | {"code": user.code()}
        self.expect(session.post(self.code_path, fields), user.email)

    def _password(self, session: Session, user: User) -> Response:
        page = self.expect(session.get(self.login_path), 'name="email"')
        fields = page.hidden() | {"email": user.email, "password": PASSWORD}
        return session.post(self.login_path, fields)

    def open_setup(self, session: Session, user: User) -> None:
        page = self.expect(self._password(session, user), 'name="setup"')
        self._fields = page.hidden() | {"setup": "authenticator"}

    def render_setup(self, session: Session) -> list[Response]:
        return [self.expect(session.post(self.setup_path, self._fields), "qrcode")]
