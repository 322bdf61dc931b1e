"""Guarded addresses, their back-office paths, and the passes of logins into guarded hosts."""

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _guarded_addresses()
    _back_office_paths()
    _login_passes()


def _guarded_addresses() -> None:
    op.create_table(
        "guarded_addresses",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("portal_id", ID, nullable=False),
        sa.Column("scheme", sa.String(length=5), nullable=False),
        sa.Column("host", sa.String(length=260), nullable=False),
        sa.Column("prefix", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_guarded_addresses_portal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guarded_addresses")),
        sa.UniqueConstraint("host", "prefix", name=op.f("uq_guarded_addresses_host")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_guarded_addresses_portal_id", "guarded_addresses", ["portal_id"])


def _back_office_paths() -> None:
    op.create_table(
        "back_office_paths",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("portal_id", ID, nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_back_office_paths_portal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_back_office_paths")),
        sa.UniqueConstraint("portal_id", "path", name=op.f("uq_back_office_paths_portal_id")),
        sqlite_autoincrement=True,
    )


def _login_passes() -> None:
    op.create_table(
        "login_passes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("login_id", ID, nullable=False),
        sa.Column("host", sa.String(length=260), nullable=False),
        sa.Column("hand_off_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["login_id"], ["logins.id"], name=op.f("fk_login_passes_login_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_passes")),
        sa.UniqueConstraint("hand_off_digest", name=op.f("uq_login_passes_hand_off_digest")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_login_passes_token_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_login_passes_login_id", "login_passes", ["login_id", "host"])


def downgrade() -> None:
    for table in ("login_passes", "back_office_paths", "guarded_addresses"):
        op.drop_table(table)
