"""django-two-factor-auth, on django-otp."""

from typing import ClassVar

from bench.harness.adapter import Peer
from bench.harness.client import Response, Session
from bench.harness.users import PASSWORD, User

CDN = "//cdnjs.cloudflare.com/ajax/libs"


class Adapter(Peer):
    name = "django_two_factor"
    title = "django-two-factor-auth"
    hasher = "Django PBKDF2-SHA256, 1,000,000 rounds"
    can_grow = True
    login_path = "/account/login/"
    setup_path = "/account/two_factor/setup/"
    qr_path = "/account/two_factor/qrcode/"
    # As in the npm packages bootstrap 4.5.2 and jquery 3.5.1.
    external_bytes: ClassVar[dict[str, int]] = {
        f"{CDN}/twitter-bootstrap/4.5.2/css/bootstrap.min.css": 160_302,
        f"{CDN}/twitter-bootstrap/4.5.2/js/bootstrap.min.js": 60_044,
        f"{CDN}/jquery/3.5.1/jquery.min.js": 89_476,
    }

    def login_journey(self, session: Session, user: User) -> None:
        code_page = self.expect(self._password(session, user), "token-otp_token")
        fields = code_page.hidden() | {"token-otp_token": user.code()}
        self.expect(session.post(self.login_path, fields), user.name)

    def _password(self, session: Session, user: User) -> Response:
        page = self.expect(session.get(self.login_path), "auth-username")
        fields = page.hidden() | {"auth-username": user.name, "auth-password": PASSWORD}
        return session.post(self.login_path, fields)

    def open_setup(self, session: Session, user: User) -> None:
        self._password(session, user)
        welcome = self.expect(session.get(self.setup_path), "setup_view-current_step")
        self._next = welcome.hidden()

    def render_setup(self, session: Session) -> list[Response]:
        page = self.expect(session.post(self.setup_path, self._next), self.qr_path)
        return [page, self.expect(session.get(self.qr_path), "<svg")]
