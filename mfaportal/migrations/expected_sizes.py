"""What SQLite is told of the tables that grow: so it takes the index that a million rows need, from the first row on.

Without it SQLite takes ten rows for whatever one key of an index finds, and sorts half a table. Fixed numbers rather
than `ANALYZE`: plans are the same on every day and in every installation, and a test reads them. PostgreSQL counts by
itself.
"""

from alembic import op

SIZES = {
    "access_requests": {
        "ix_access_requests_account_id": "200000 40000",  # most have none
        "ix_access_requests_confirm_digest": "200000 1",
        "ix_access_requests_decided_at": "200000 100000 2 1",
        "ix_access_requests_email": "200000 2 1",
        "ix_access_requests_portal_id": "200000 100000 20000 1",
        "ix_access_requests_strangers": "100000 20000 1",
        "uq_access_requests_open": "2000 1000 1",
    },
    "accounts": {
        "ix_accounts_name_key": "1000000 3 1",
        "ix_accounts_operators": "20 1 1",
        "ix_accounts_suspended": "5000 1 1",
        "sqlite_autoindex_accounts_1": "1000000 1",
    },
    "authenticators": {"sqlite_autoindex_authenticators_1": "600000 1 1"},
    "events": {
        "ix_events_account_id": "10000000 10 1",
        "ix_events_actor_id": "10000000 10 1",
        "ix_events_kind": "10000000 200000 1",
        "ix_events_portal_id": "10000000 500000 1",
        "ix_events_portal_kind": "10000000 500000 50000 1",
    },
    "logins": {
        "ix_logins_account_id": "300000 2 1",
        "ix_logins_password_at": "300000 1",
        "ix_logins_pending_at": "100 1",
        "ix_logins_shown_at": "100 1",
        "sqlite_autoindex_logins_1": "300000 1",
    },
    "mails": {
        "ix_mails_about": "100000 2",
        "ix_mails_account_id": "100000 2",
        "ix_mails_failed": "100 1",
        "ix_mails_gave_up_at": "100 1",
        "ix_mails_next_try_at": "100000 2",
        "ix_mails_sent_at": "100000 1",
        "ix_mails_untold": "1000 1",
        "sqlite_autoindex_mails_1": "100000 1",
    },
    "memberships": {
        "ix_memberships_portal_id": "1000000 100000 20000",
        "sqlite_autoindex_memberships_1": "1000000 1 1",
    },
    "portal_people": {
        "ix_portal_people_account_id": "1000000 1 1",
        "ix_portal_people_counts_as": "1000000 100000 20000 10000 2 1",
        "ix_portal_people_set_up": "1000000 100000 50000 1",
        "portal_people": "1000000 100000 3 1",
    },
}
"""By table and index, as `ANALYZE` would write it: how many rows, then how many share the first column, and so on."""


def tell() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("ANALYZE sqlite_master")  # makes the table that holds them, and counts nothing
    for table, indexes in SIZES.items():
        op.execute(f"DELETE FROM sqlite_stat1 WHERE tbl = '{table}'")
        for index, sizes in indexes.items():
            op.execute(f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{index}', '{sizes}')")
    op.execute("ANALYZE sqlite_master")


def forget() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in SIZES:
            op.execute(f"DELETE FROM sqlite_stat1 WHERE tbl = '{table}'")
