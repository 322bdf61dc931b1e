"""Fill $BENCH_DATA with a database of N users, each with a confirmed TOTP device."""

import itertools
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
DEVICES = """
INSERT INTO otp_totp_totpdevice (user_id, name, confirmed, key, step, t0, digits, tolerance,
                                 drift, last_t, throttling_failure_count, created_at)
VALUES (%s, 'default', 1, %s, 30, 0, 6, 1, 0, -1, 0, '2026-01-01 00:00:00')
"""

count = int(sys.argv[1])
call_command("migrate", verbosity=0)
stored = hash_password(PASSWORD)
with transaction.atomic(), connection.cursor() as cursor:
    users = map(User, itertools.chain(enrolled(count), fresh(count)))
    cursor.executemany(USERS, ((u.index, u.name, u.email, stored) for u in users))
    cursor.executemany(DEVICES, ((i, User(i).key.hex()) for i in enrolled(count)))
