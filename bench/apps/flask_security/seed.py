"""Fill $BENCH_DATA with a database of N users, each with an authenticator set up."""

import itertools
import sys

from passwords import hash_password
from sqlalchemy import text

from bench.harness.users import ACTIVE, PASSWORD, User, enrolled, fresh
from wsgi import application, db, security

USERS = text("""
INSERT INTO user (id, email, password, active, fs_uniquifier, tf_primary_method, tf_totp_secret,
                  create_datetime, update_datetime)
VALUES (:id, :email, :password, 1, :uniquifier, :method, :secret,
        '2026-01-01 00:00:00', '2026-01-01 00:00:00')
""")
BATCH = 10_000

count = int(sys.argv[1])
stored = hash_password(PASSWORD)


def rows():
    totp = security.totp_factory._totp  # noqa: SLF001  # its own way makes a new secret
    for index in itertools.chain(enrolled(count), fresh(count)):
        user = User(index)
        if index <= min(ACTIVE, count):
            secret = totp(key=user.base32, format="base32").to_json(encrypt=True)
        yield {
            "id": index,
            "email": user.email,
            "password": stored,
            "uniquifier": f"{index:032x}",
            "method": "authenticator" if index <= count else None,
            "secret": secret if index <= count else None,
        }


with application.app_context():
    db.create_all()
    remaining = rows()
    while batch := list(itertools.islice(remaining, BATCH)):
        db.session.execute(USERS, batch)
    db.session.commit()
