"""Floor: the page with no sign-in at all."""

from bench.harness.adapter import Peer


class Adapter(Peer):
    name = "hello"
    title = "hello (floor)"
    has_login = False
    has_mfa = False
    login_path = "/secret/"
