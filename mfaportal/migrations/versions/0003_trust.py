"""Recovery codes, the outbox, seals over events, confirmed addresses."""

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_REMOVED_BY_RETENTION = """
    EXISTS (SELECT 1 FROM event_seals
            WHERE last_event >= OLD.id AND after_event < OLD.id AND pruned_at IS NOT NULL)
"""
_SEALED = "id, after_event, first_event, last_event, events, batch, key, seal, sealed_at"
TRIGGERS = {
    "events_never_change": "UPDATE ON events BEGIN SELECT RAISE(ABORT, 'an event never changes'); END",
    "events_stay": f"""DELETE ON events WHEN NOT {_REMOVED_BY_RETENTION}
        BEGIN SELECT RAISE(ABORT, 'only retention removes events'); END""",
    "seals_never_change": f"""UPDATE OF {_SEALED} ON event_seals
        BEGIN SELECT RAISE(ABORT, 'a seal never changes'); END""",
    "seals_stay": "DELETE ON event_seals BEGIN SELECT RAISE(ABORT, 'seals stay'); END",
}
"""Against mistakes of programs. Whoever owns the file can drop them; that the log is whole is what seals show."""
_REFUSE = "RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'"
FUNCTIONS = {
    "mfaportal_refuse": f"{_REFUSE};",
    "mfaportal_events_stay": f"IF NOT {_REMOVED_BY_RETENTION} THEN {_REFUSE}; END IF; RETURN OLD;",
    "mfaportal_seals_never_change": f"""IF to_jsonb(NEW) - 'pruned_at' - 'pruned'
        <> to_jsonb(OLD) - 'pruned_at' - 'pruned' THEN {_REFUSE}; END IF; RETURN NEW;""",
}
POSTGRESQL_TRIGGERS = (
    ("events_never_change", "UPDATE", "events", "ROW", "mfaportal_refuse", "an event never changes"),
    ("events_stay", "DELETE", "events", "ROW", "mfaportal_events_stay", "only retention removes events"),
    ("events_stay_all", "TRUNCATE", "events", "STATEMENT", "mfaportal_refuse", "only retention removes events"),
    ("seals_never_change", "UPDATE", "event_seals", "ROW", "mfaportal_seals_never_change", "a seal never changes"),
    ("seals_stay", "DELETE", "event_seals", "ROW", "mfaportal_refuse", "seals stay"),
    ("seals_stay_all", "TRUNCATE", "event_seals", "STATEMENT", "mfaportal_refuse", "seals stay"),
)
"""The same for PostgreSQL, which can also empty a table at once. The table's owner may disable them."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("codes_saved_at", sa.BigInteger(), nullable=True))
    op.add_column("logins", sa.Column("recovered_at", sa.BigInteger(), nullable=True))
    op.add_column("logins", sa.Column("shown_codes", sa.LargeBinary(), nullable=True))
    op.add_column("logins", sa.Column("shown_at", sa.BigInteger(), nullable=True))
    op.add_column("one_time_links", sa.Column("email", sa.String(length=254), nullable=True))
    op.add_column("access_requests", sa.Column("confirm_digest", sa.LargeBinary(length=32), nullable=True))
    op.add_column("access_requests", sa.Column("email_confirmed_at", sa.BigInteger(), nullable=True))
    op.add_column("invitations", sa.Column("mailed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("throttles", sa.Column("noted_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_access_requests_confirm_digest", "access_requests", ["confirm_digest"], unique=True)
    _recovery_codes()
    _mails()
    _mail_jobs()
    _event_seals()
    op.create_index("ix_events_actor_id", "events", ["actor_id", "id"])
    _triggers()


def _triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, rule in TRIGGERS.items():
            op.execute(f"CREATE TRIGGER {name} BEFORE {rule}")
        return
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$")
    for name, change, table, each, function, words in POSTGRESQL_TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}('{words}')"
        )


def _recovery_codes() -> None:
    """Who set up before has none, is told so under Security, and makes them there."""
    op.create_table(
        "recovery_codes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("account_id", "digest", name=op.f("uq_recovery_codes_account_id")),
        sqlite_autoincrement=True,
    )


def _mails() -> None:
    op.create_table(
        "mails",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("about", sa.String(length=60), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("dies_at", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("gave_up_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_mails_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mails_message_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mails_next_try_at", "mails", ["next_try_at"])
    op.create_index("ix_mails_about", "mails", ["about"])
    op.create_index("ix_mails_account_id", "mails", ["account_id"])


def _mail_jobs() -> None:
    op.create_table(
        "mail_jobs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("dies_at", sa.BigInteger(), nullable=False),
        sa.Column("after", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_jobs")),
        sqlite_autoincrement=True,
    )


def _event_seals() -> None:
    op.create_table(
        "event_seals",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("after_event", ID, nullable=False),
        sa.Column("first_event", ID, nullable=False),
        sa.Column("last_event", ID, nullable=False),
        sa.Column("events", ID, nullable=False),
        sa.Column("batch", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("pruned_at", sa.BigInteger(), nullable=True),
        sa.Column("pruned", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_seals")),
        sa.UniqueConstraint("after_event", name=op.f("uq_event_seals_after_event")),
        sa.UniqueConstraint("last_event", name=op.f("uq_event_seals_last_event")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
    else:
        for name in FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}() CASCADE")
    op.drop_index("ix_events_actor_id", "events")
    for table in ("event_seals", "mail_jobs", "mails", "recovery_codes"):
        op.drop_table(table)
    op.drop_index("ix_access_requests_confirm_digest", "access_requests")
    for table, column in (
        ("throttles", "noted_at"),
        ("invitations", "mailed"),
        ("access_requests", "email_confirmed_at"),
        ("access_requests", "confirm_digest"),
        ("one_time_links", "email"),
        ("logins", "shown_at"),
        ("logins", "shown_codes"),
        ("logins", "recovered_at"),
        ("accounts", "codes_saved_at"),
    ):
        op.drop_column(table, column)
