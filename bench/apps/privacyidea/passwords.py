"""privacyIDEA's hash of a token PIN, which stands for the password here."""

from privacyidea.lib.crypto import pass_hash, verify_pass_hash

from wsgi import application


def hash_password(password: str) -> str:
    with application.app_context():
        return pass_hash(password)


def verify_password(password: str, stored: str) -> bool:
    with application.app_context():
        return verify_pass_hash(password, stored)
