"""django-allauth with allauth.mfa; TOTP for everyone by a middleware of ours."""

from bench.harness.adapter import Peer
from bench.harness.client import Response, Session
from bench.harness.users import PASSWORD, User


class Adapter(Peer):
    name = "django_allauth"
    title = "django-allauth[mfa]"
    hasher = "Django PBKDF2-SHA256, 1,000,000 rounds"
    can_grow = True
    login_path = "/accounts/login/"
    code_path = "/accounts/2fa/authenticate/"
    setup_path = "/accounts/2fa/totp/activate/"
    again_path = "/accounts/reauthenticate/"
    notes = (
        "django-allauth cannot require MFA of everyone; a middleware of ours does, with one query a request.",
        (
            "django-allauth keeps spent codes and its rate limits in Django's cache, here the default one in each"
            " process's memory: two workers do not see each other's."
        ),
    )

    def login_journey(self, session: Session, user: User) -> None:
        code_page = self.expect(self._password(session, user), 'name="code"')
        fields = code_page.hidden() | {"code": user.code()}
        self.expect(session.post(self.code_path, fields), user.name)

    def _password(self, session: Session, user: User) -> Response:
        page = self.expect(session.get(self.login_path), 'name="login"')
        fields = page.hidden() | {"login": user.name, "password": PASSWORD}
        return session.post(self.login_path, fields)

    def open_setup(self, session: Session, user: User) -> None:
        # Signing in does not count: the set-up page asks for the password once more.
        again = self.expect(self._password(session, user), "reauthenticate")
        fields = again.hidden() | {"password": PASSWORD}
        self.expect(session.post(self.again_path, fields), "svg")

    def render_setup(self, session: Session) -> list[Response]:
        return [self.expect(session.get(self.setup_path), "svg")]
