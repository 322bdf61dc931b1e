"""Fill $BENCH_DATA with a database of N users."""

import os
import sqlite3
import sys
from pathlib import Path

from passwords import hash_password

from bench.harness.users import PASSWORD, User, enrolled

count = int(sys.argv[1])
stored = hash_password(PASSWORD)
database = sqlite3.connect(Path(os.environ["BENCH_DATA"]) / "app.sqlite3")
database.execute("PRAGMA journal_mode = WAL")
database.execute("CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT UNIQUE, password TEXT)")
database.executemany(
    "INSERT INTO user VALUES (?, ?, ?)",
    ((index, User(index).name, stored) for index in enrolled(count)),
)
database.commit()
database.close()
