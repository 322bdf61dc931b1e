"""Access requests, invitations, datasets; how one gets into a portal, and whom to ask; confirmed addresses."""

import sqlalchemy as sa
from alembic import op

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _portals()
    _accounts()
    _access_requests()
    _invitations()
    _datasets()


def _portals() -> None:
    """Portals that there are already stay closed: nobody could ask before, and nobody can until an admin says so."""
    for column in (
        sa.Column("sign_up", sa.String(length=20), server_default="closed", nullable=False),
        sa.Column("message_required", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("contact", sa.String(length=200), server_default=sa.text("''"), nullable=False),
    ):
        op.add_column("portals", column)


def _accounts() -> None:
    """Accounts were made by operators until now, who stand for the addresses."""
    op.add_column("accounts", sa.Column("email_confirmed_at", sa.BigInteger(), nullable=True))
    accounts = sa.table("accounts", sa.column("email_confirmed_at"), sa.column("created_at"))
    op.execute(accounts.update().values(email_confirmed_at=accounts.c.created_at))


def _access_requests() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("portal_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("password_digest", sa.String(length=255), nullable=True),
        sa.Column("message", sa.String(length=2000), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_access_requests_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_access_requests_portal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_requests")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_access_requests_account_id", "access_requests", ["account_id"], unique=False)
    op.create_index("ix_access_requests_email", "access_requests", ["email", "id"], unique=False)
    op.create_index("ix_access_requests_portal_id", "access_requests", ["portal_id", "state", "id"], unique=False)
    op.create_index(
        "uq_access_requests_open",
        "access_requests",
        ["portal_id", "account_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("portal_id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_by", ID, nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_invitations_portal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_invitations_token_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitations_email", "invitations", ["email"], unique=False)
    op.create_index("ix_invitations_portal_id", "invitations", ["portal_id", "id"], unique=False)


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("portal_id", ID, nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("title_key", sa.String(length=800), nullable=False),
        sa.Column("description", sa.String(length=5000), nullable=False),
        sa.Column("visibility", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=True),
        sa.Column("file_digest", sa.String(length=64), nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["portal_id"], ["portals.id"], name=op.f("fk_datasets_portal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("portal_id", "slug", name=op.f("uq_datasets_portal_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_datasets_file_digest", "datasets", ["file_digest"], unique=False)
    op.create_index("ix_datasets_portal_id", "datasets", ["portal_id", "title_key", "id"], unique=False)


def downgrade() -> None:
    for table in ("datasets", "invitations", "access_requests"):
        op.drop_table(table)
    op.drop_column("accounts", "email_confirmed_at")
    for name in ("contact", "message_required", "sign_up"):
        op.drop_column("portals", name)
