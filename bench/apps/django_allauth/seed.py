"""Fill $BENCH_DATA with a database of N users, each with TOTP and a verified address."""

import itertools
import json
import sys

from django.core.management import call_command
from django.db import connection, transaction
from passwords import hash_password

from bench.harness.users import PASSWORD, User, enrolled, fresh

USERS = """
INSERT INTO auth_user (id, username, email, password, first_name, last_name,
                       is_active, is_staff, is_superuser, date_joined)
VALUES (%s, %s, %s, %s, '', '', 1, 0, 0, '2026-01-01 00:00:00')
"""
ADDRESSES = """
INSERT INTO account_emailaddress (user_id, email, verified, "primary") VALUES (%s, %s, 1, 1)
"""
AUTHENTICATORS = """
INSERT INTO mfa_authenticator (user_id, type, data, created_at)
VALUES (%s, 'totp', %s, '2026-01-01 00:00:00')
"""

count = int(sys.argv[1])
call_command("migrate", verbosity=0)
stored = hash_password(PASSWORD)


def users():
    return map(User, itertools.chain(enrolled(count), fresh(count)))


with transaction.atomic(), connection.cursor() as cursor:
    cursor.executemany(USERS, ((u.index, u.name, u.email, stored) for u in users()))
    cursor.executemany(ADDRESSES, ((u.index, u.email) for u in users()))
    cursor.executemany(AUTHENTICATORS, ((i, json.dumps({"secret": User(i).base32})) for i in enrolled(count)))
