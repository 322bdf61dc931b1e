"""Django's default hasher (the first of PASSWORD_HASHERS)."""

from django.contrib.auth.hashers import check_password, make_password

import wsgi  # noqa: F401  (sets Django up)


def hash_password(password: str) -> str:
    return make_password(password)


def verify_password(password: str, stored: str) -> bool:
    return check_password(password, stored)
