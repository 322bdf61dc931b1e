"""The index over parts of names and addresses, three characters each: SQLite's FTS5, PostgreSQL's pg_trgm.

SQLite's follows the accounts by triggers; PostgreSQL's is an index like others.
"""

from alembic import op
from sqlalchemy.exc import DBAPIError

from mfaportal.migrations import kept_rows
from mfaportal.migrations.kept_rows import Trigger

MARK = "char(2) || char(2)"
"""Stands before each word of the search's text: so the beginning of a word is found by one or two characters."""
_VALUES = f"{{row}}.id, {MARK} || replace({{row}}.name_key, ' ', ' ' || {MARK}), {MARK} || {{row}}.email"
"""What is taken out must be what was put in."""
_PUT_IN = f"INSERT INTO account_search (rowid, name, email) VALUES ({_VALUES.format(row='NEW')})"
_TAKE_OUT = (
    f"INSERT INTO account_search (account_search, rowid, name, email) VALUES ('delete', {_VALUES.format(row='OLD')})"
)
_STALE = (
    "INSERT INTO settings (name, value) VALUES ('search-to-sweep', hex(randomblob(8)))"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
"""The index marks what is taken out and keeps it until it is merged: upkeep sees to that."""

TRIGGERS = (
    Trigger("search_added", "INSERT ON accounts", (_PUT_IN,)),
    Trigger("search_removed", "DELETE ON accounts", (_TAKE_OUT, _STALE)),
    Trigger("search_changed", "UPDATE OF name_key, email ON accounts", (_TAKE_OUT, _PUT_IN, _STALE),
            "NEW.name_key <> OLD.name_key OR NEW.email <> OLD.email"),
)  # fmt: skip


def create() -> None:
    """Make the index, over whoever is there.

    Raises:
        RuntimeError: the database lacks what it is made with; the message says what to do.
    """
    if op.get_bind().dialect.name != "sqlite":
        _create_in_postgresql()
        return
    if not op.get_bind().exec_driver_sql("SELECT sqlite_compileoption_used('ENABLE_FTS5')").scalar():
        raise RuntimeError("this Python's SQLite lacks FTS5: use Debian's, python.org's or uv's Python")
    columns = _VALUES.format(row="accounts")
    op.execute(f"CREATE VIEW account_texts (id, name, email) AS SELECT {columns} FROM accounts")
    op.execute(
        "CREATE VIRTUAL TABLE account_search USING fts5"
        " (name, email, content = 'account_texts', content_rowid = 'id',"
        " tokenize = 'trigram case_sensitive 1', detail = 'none', columnsize = 0)"
    )
    op.execute("INSERT INTO account_search (account_search) VALUES ('rebuild')")
    kept_rows.create(TRIGGERS)


def _create_in_postgresql() -> None:
    try:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError as error:
        raise RuntimeError("the database lacks pg_trgm: its administrator runs CREATE EXTENSION pg_trgm") from error
    op.execute("CREATE INDEX ix_accounts_search ON accounts USING gin (name_key gin_trgm_ops, email gin_trgm_ops)")


def drop() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_index("ix_accounts_search", "accounts")
        return
    kept_rows.drop(TRIGGERS)
    op.execute("DROP TABLE account_search")
    op.execute("DROP VIEW account_texts")
