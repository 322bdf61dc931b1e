"""Flask-Security's default hasher: Argon2 over an HMAC with the application's salt."""

from flask_security import utils

from wsgi import application


def hash_password(password: str) -> str:
    with application.app_context():
        return utils.hash_password(password)


def verify_password(password: str, stored: str) -> bool:
    with application.app_context():
        return utils.verify_password(password, stored)
