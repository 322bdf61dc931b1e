"""mfaportal itself, as it is in this checkout: nothing of it is switched off."""

from pathlib import Path

from bench.harness.adapter import ROOT, Peer, Setup
from bench.harness.client import Response, Session
from bench.harness.users import PASSWORD, User


class Adapter(Peer):
    """Runs from the checkout, in an environment with the portal's own pinned requirements."""

    name = "mfaportal"
    title = "mfaportal"
    app = "bench.apps.mfaportal.wsgi:application"
    hasher = "argon2id, OWASP (19 MiB, t=2, p=1)"
    can_grow = True
    login_path = "/log-in"
    code_path = "/log-in/code"
    setup_path = "/log-in/set-up"
    notes = (
        (
            "mfaportal runs SQLite with synchronous=FULL, as it always does: a journey waits for the disk before each"
            " answer to a form (the commit that counts an attempt is taken along by the next one). The others do not."
        ),
    )

    @property
    def requirements(self) -> Path:
        """The project's own, with their hashes."""
        return ROOT / "requirements.txt"

    def seed_inputs(self) -> list[Path]:
        """A new migration makes the databases anew."""
        return [*super().seed_inputs(), *sorted((ROOT / "mfaportal/migrations").rglob("*.py"))]

    def environment(self, data: Path, setup: Setup) -> dict[str, str]:
        """Its settings. Behind a proxy for TLS, as the others are, so that cookies are secure."""
        own = {"MFAPORTAL_INSTANCE": str(data), "MFAPORTAL_PUBLIC_URL": "https://127.0.0.1:{port}"}
        return super().environment(data, setup) | own

    def login_journey(self, session: Session, user: User) -> None:
        """GET and POST the password, GET and POST the code, GET the page: five requests."""
        code_page = self.expect(self._password(session, user), 'name="code"')
        fields = code_page.hidden() | {"code": user.code()}
        self.expect(session.post(self.code_path, fields), user.name)

    def _password(self, session: Session, user: User) -> Response:
        entrance = f"{self.login_path}?next={self.guarded_path}"
        page = self.expect(session.get(entrance), 'name="email"')
        fields = page.hidden() | {"email": user.email, "password": PASSWORD}
        return session.post(entrance, fields)

    def open_setup(self, session: Session, user: User) -> None:
        """The rule covers everyone: whoever has no app is sent to set one up."""
        self.expect(self._password(session, user), "QR code")

    def render_setup(self, session: Session) -> list[Response]:
        """The page, with the QR code in it."""
        return [self.expect(session.get(self.setup_path), "QR code")]
