"""The first tables, and the first portal."""

import sqlalchemy as sa
from alembic import op

from mfaportal.plumbing.clock import to_microseconds
from mfaportal.plumbing.config import DEFAULT_NAME
from mfaportal.plumbing.runtime import runtime

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _accounts()
    _events()
    _portals()
    _settings()
    _throttles()
    _authenticators()
    _logins()
    _memberships()
    _one_time_links()
    _first_portal()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=400), nullable=False),
        sa.Column("password_digest", sa.String(length=255), nullable=True),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_login_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_accounts_name_key", "accounts", ["name_key", "id"], unique=False)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("portal_id", ID, nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_account_id", "events", ["account_id", "id"], unique=False)
    op.create_index("ix_events_portal_id", "events", ["portal_id", "id"], unique=False)


def _portals() -> None:
    op.create_table(
        "portals",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("mfa_rule", sa.String(length=20), nullable=False),
        sa.Column("back_office_since", sa.BigInteger(), nullable=True),
        sa.Column("everyone_since", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portals")),
        sa.UniqueConstraint("slug", name=op.f("uq_portals_slug")),
        sqlite_autoincrement=True,
    )


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )


def _throttles() -> None:
    op.create_table(
        "throttles",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("attempts", sa.Text(), nullable=False),
        sa.Column("in_a_row", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_throttles")),
    )
    op.create_index("ix_throttles_changed_at", "throttles", ["changed_at"], unique=False)


def _authenticators() -> None:
    op.create_table(
        "authenticators",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_key", sa.String(length=256), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("burned_step", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_authenticators_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authenticators")),
        sa.UniqueConstraint("account_id", "name_key", name=op.f("uq_authenticators_account_id")),
        sqlite_autoincrement=True,
    )


def _logins() -> None:
    op.create_table(
        "logins",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("password_at", sa.BigInteger(), nullable=False),
        sa.Column("second_factor_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("pending_secret", sa.LargeBinary(), nullable=True),
        sa.Column("pending_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_logins_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_logins_token_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_logins_account_id", "logins", ["account_id", "ended_at"], unique=False)


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("portal_id", ID, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_memberships_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_memberships_portal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "portal_id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_portal_id", "memberships", ["portal_id", "role"], unique=False)


def _one_time_links() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_one_time_links_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_one_time_links_token_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_one_time_links_account_id", "one_time_links", ["account_id"], unique=False)


def _first_portal() -> None:
    """A fresh installation has one portal, which the first operator names."""
    portals = sa.table(
        "portals",
        *(sa.column(name) for name in ("slug", "name", "visibility", "mfa_rule", "created_at")),
    )
    op.bulk_insert(
        portals,
        [
            {
                "slug": "portal",
                "name": runtime().settings.name or DEFAULT_NAME,
                "visibility": "private",
                "mfa_rule": "off",
                "created_at": to_microseconds(runtime().now()),
            }
        ],
    )


def downgrade() -> None:
    for table in (
        "one_time_links",
        "memberships",
        "logins",
        "authenticators",
        "throttles",
        "settings",
        "portals",
        "events",
        "accounts",
    ):
        op.drop_table(table)
