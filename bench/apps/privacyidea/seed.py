"""Fill $BENCH_DATA with keys, a user store and N TOTP tokens, one a user.

The users live in a table of their own that privacyIDEA reads through its SQL
resolver, from where it is seeded; the password is the PIN of the user's token.
"""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from bench.harness.users import PASSWORD, User, enrolled, fresh

DATA = Path(os.environ["BENCH_DATA"])
MANAGE = Path(sys.executable).with_name("pi-manage")
CONFIG = Path(__file__).with_name("pi.cfg")

count = int(sys.argv[1])

database = sqlite3.connect(DATA / "users.sqlite3")
database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, password TEXT)")
everyone = [*enrolled(count), *fresh(count)]
database.executemany("INSERT INTO users VALUES (?, ?, '')", ((i, User(i).name) for i in everyone))
database.commit()
database.close()

for step in ("create_enckey", "create_audit_keys", "create_tables"):
    environment = os.environ | {"PRIVACYIDEA_CONFIGFILE": str(CONFIG)}
    subprocess.run([MANAGE, "setup", step], env=environment, check=True)

from privacyidea.lib.policy import set_policy  # noqa: E402  (needs the keys above)
from privacyidea.lib.realm import set_default_realm, set_realm  # noqa: E402
from privacyidea.lib.resolver import save_resolver  # noqa: E402
from privacyidea.lib.token import init_token  # noqa: E402
from privacyidea.lib.user import User as Owner  # noqa: E402
from privacyidea.models import Token, db  # noqa: E402

from wsgi import application  # noqa: E402

with application.app_context():
    save_resolver(
        {
            "resolver": "store",
            "type": "sqlresolver",
            "Driver": "sqlite",
            "Database": str(DATA / "users.sqlite3"),
            "Table": "users",
            "Map": '{"userid": "id", "username": "name", "password": "password"}',
        }
    )
    set_realm("bench", [{"name": "store"}])
    set_default_realm("bench")
    set_policy("webui", scope="webui", action="login_mode=privacyIDEA")
    set_policy("challenge", scope="authentication", action="challenge_response=totp")
    set_policy("self-service", scope="user", action="enrollTOTP, enrollpin, auditlog, setpin")
    for index in enrolled(count):
        user = User(index)
        init_token(
            {"type": "totp", "otpkey": user.key.hex(), "serial": f"TOTP{index:08d}"},
            user=Owner(user.name, realm="bench"),
        )
    first = Token.query.filter_by(serial="TOTP00000001").one()
    first.set_pin(PASSWORD)
    db.session.commit()
    Token.query.update({"pin_hash": first.pin_hash, "pin_seed": first.pin_seed})
    db.session.commit()
