"""For a million accounts: lists of people kept ready, counts kept up, a search index, and indexes for every list."""

import sqlalchemy as sa
from alembic import op

from mfaportal.migrations import expected_sizes, kept_rows, search_index

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_accounts_operators", "accounts", ["name_key", "id"], "is_operator = 1"),
    ("ix_accounts_suspended", "accounts", ["name_key", "id"], "suspended_at IS NOT NULL"),
    ("ix_access_requests_decided_at", "access_requests", ["portal_id", "decided_at", "id"], ""),
    ("ix_access_requests_strangers", "access_requests", ["state", "made_at"], "account_id IS NULL"),
    ("ix_event_seals_kept", "event_seals", ["last_event"], "pruned_at IS NULL"),
    ("ix_events_kind", "events", ["kind", "id"], ""),
    ("ix_events_portal_kind", "events", ["portal_id", "kind", "id"], ""),
    ("ix_invitations_expires_at", "invitations", ["expires_at"], ""),
    ("ix_login_passes_not_taken", "login_passes", ["made_at"], "taken_at IS NULL"),
    ("ix_logins_password_at", "logins", ["password_at"], ""),
    ("ix_logins_pending_at", "logins", ["pending_at"], "pending_at IS NOT NULL"),
    ("ix_logins_shown_at", "logins", ["shown_at"], "shown_at IS NOT NULL"),
    ("ix_mail_jobs_dies_at", "mail_jobs", ["dies_at"], ""),
    ("ix_mails_failed", "mails", ["id"], "sent_at IS NULL AND (tries > 0 OR gave_up_at IS NOT NULL)"),
    ("ix_mails_gave_up_at", "mails", ["gave_up_at"], "gave_up_at IS NOT NULL"),
    ("ix_mails_sent_at", "mails", ["sent_at"], "sent_at IS NOT NULL"),
    ("ix_mails_untold", "mails", ["dies_at"], "sent_at IS NULL AND gave_up_at IS NULL"),
    ("ix_one_time_links_expires_at", "one_time_links", ["expires_at"], ""),
)
"""Name, table, columns, and for which rows: partial ones hold the few that somebody looks for."""


def upgrade() -> None:
    _tables()
    _collate_keys()
    _cut_keys()
    kept_rows.fill()
    _indexes_of_people()
    kept_rows.create()
    search_index.create()
    for name, table, columns, rows in INDEXES:
        sqlite, postgresql = rows, rows.replace("is_operator = 1", "is_operator")  # as each compares truth values
        op.create_index(
            name,
            table,
            columns,
            sqlite_where=sa.text(sqlite) if rows else None,
            postgresql_where=sa.text(postgresql) if rows else None,
        )
    expected_sizes.tell()


def _tables() -> None:
    op.create_table(
        "portal_people",
        sa.Column("portal_id", ID, autoincrement=False, nullable=False),
        sa.Column("name_key", sa.String(length=400), nullable=False),
        sa.Column("account_id", ID, autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("counts_as", sa.String(length=20), nullable=False),
        sa.Column("set_up", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_portal_people_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("portal_id", "name_key", "account_id", name=op.f("pk_portal_people")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "portal_counts",
        sa.Column("portal_id", ID, autoincrement=False, nullable=False),
        sa.Column("counted", sa.String(length=20), nullable=False),
        sa.Column("number", ID, nullable=False),
        sa.Column("set_up", ID, nullable=False),
        sa.PrimaryKeyConstraint("portal_id", "counted", name=op.f("pk_portal_counts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event_days",
        sa.Column("day", ID, autoincrement=False, nullable=False),
        sa.Column("first_event", ID, nullable=False),
        sa.Column("before_event", ID, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_event_days")),
    )


def _collate_keys() -> None:
    """Text is the same, sorts and begins alike on both: byte by byte, whatever the language of PostgreSQL's own.

    Before triggers are made: none may name a column that is altered.
    """
    if op.get_bind().dialect.name != "postgresql":
        return
    columns = sa.text("""
        SELECT table_name,
               string_agg(format('ALTER COLUMN %I TYPE %s%s COLLATE "C"', column_name, data_type,
                                 '(' || character_maximum_length || ')'), ', ')
        FROM information_schema.columns JOIN information_schema.tables USING (table_catalog, table_schema, table_name)
        WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> 'alembic_version'
          AND data_type IN ('text', 'character varying') GROUP BY table_name ORDER BY table_name
    """)
    for table, changes in op.get_bind().execute(columns).all():
        op.execute(f'ALTER TABLE "{table}" {changes}')


def _cut_keys() -> None:
    """SQLite keeps what is longer than its column; PostgreSQL, where a copy may go, does not."""
    for name, longest in (("accounts", 400), ("authenticators", 256)):
        key = sa.column("name_key", sa.Text)
        cut = {"name_key": sa.func.substr(key, 1, longest)}
        op.execute(sa.table(name, key).update().where(sa.func.length(key) > longest).values(cut))


def _indexes_of_people() -> None:
    """Behind the rows: an index is made faster at once than row by row."""
    op.create_index("ix_portal_people_account_id", "portal_people", ["account_id", "portal_id"], unique=True)
    op.create_index(
        "ix_portal_people_counts_as",
        "portal_people",
        ["portal_id", "counts_as", "set_up", "name_key", "account_id"],
    )
    op.create_index("ix_portal_people_set_up", "portal_people", ["portal_id", "set_up", "account_id"])


def downgrade() -> None:
    expected_sizes.forget()
    for name, table, _columns, _rows in reversed(INDEXES):
        op.drop_index(name, table)
    search_index.drop()
    kept_rows.drop()
    for table in ("event_days", "portal_counts", "portal_people"):
        op.drop_table(table)
