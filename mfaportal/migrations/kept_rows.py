"""The triggers behind `portal_people`, `portal_counts` and `event_days`: one text for both databases.

A migration that rebuilds one of their tables makes them anew: `drop` before, `create` behind. In which order rows
come and go does not matter to them, nor what changes a row: an operation, a copy, a hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alembic import op

DAY = 24 * 60 * 60 * 1_000_000
APART = 1000
"""So many events may follow before a day's bound is written again."""
_ROLES = "('reader', 'editor', 'admin')"
_COLUMNS = "portal_id, account_id, name_key, email, counts_as, set_up"
_HAS_APP = "EXISTS (SELECT 1 FROM authenticators x WHERE x.account_id = a.id)"


def counts_as(role: str) -> str:
    """What an account `a` counts as where its membership says `role`."""
    return f"CASE WHEN a.is_operator THEN 'operator' WHEN {role} IN {_ROLES} THEN {role} ELSE 'none' END"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What happens `after` a change of one row, `when` that holds. The statements know the row as NEW and OLD."""

    name: str
    after: str
    statements: tuple[str, ...]
    when: str = ""

    def create(self, dialect: str) -> list[str]:
        """In the words of a database."""
        when, body = f"WHEN ({self.when})" if self.when else "", "; ".join(self.statements)
        if dialect == "sqlite":
            return [f"CREATE TRIGGER {self.name} AFTER {self.after} FOR EACH ROW {when} BEGIN {body}; END"]
        function = f"$body$ BEGIN {body}; RETURN NULL; END $body$"
        return [
            f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS {function}",
            f"CREATE TRIGGER {self.name} AFTER {self.after} FOR EACH ROW {when} EXECUTE FUNCTION {self.name}()",
        ]

    def drop(self, dialect: str) -> list[str]:
        table = self.after.rpartition(" ")[2]
        if dialect == "sqlite":
            return [f"DROP TRIGGER IF EXISTS {self.name}"]
        return [f"DROP TRIGGER IF EXISTS {self.name} ON {table}", f"DROP FUNCTION IF EXISTS {self.name}()"]


def _line(of: str, portal: str, role: str) -> str:
    return (
        f"INSERT INTO portal_people ({_COLUMNS})"
        f" SELECT {portal}, a.id, a.name_key, a.email, {counts_as(role)}, {_HAS_APP} {of} ON CONFLICT DO NOTHING"
    )


def _counted(row: str, by: str) -> str:
    return (
        f"UPDATE portal_counts SET number = number {by} 1,"
        f" set_up = set_up {by} CASE WHEN {row}.set_up THEN 1 ELSE 0 END"
        f" WHERE portal_id = {row}.portal_id AND counted = {row}.counts_as"
    )


def _one_more(counted: str, portal: str, set_up: str = "0") -> str:
    return (
        f"INSERT INTO portal_counts (portal_id, counted, number, set_up) VALUES ({portal}, {counted}, 1, {set_up})"
        " ON CONFLICT (portal_id, counted) DO UPDATE SET number = portal_counts.number + 1,"
        " set_up = portal_counts.set_up + excluded.set_up"
    )


def _one_less(counted: str, portal: str) -> str:
    return f"UPDATE portal_counts SET number = number - 1 WHERE portal_id = {portal} AND counted = {counted}"


def _nowhere(account: str) -> str:
    return (
        f"FROM accounts a WHERE a.id = {account} AND NOT a.is_operator"
        " AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.account_id = a.id)"
    )


_IN_PORTALS = "FROM accounts a JOIN memberships m ON m.account_id = a.id WHERE a.id = NEW.id"
_EVERYWHERE = "FROM accounts a CROSS JOIN portals p WHERE a.is_operator AND a.id = NEW.id"
_NEW_PERSON = _one_more("NEW.counts_as", "NEW.portal_id", "CASE WHEN NEW.set_up THEN 1 ELSE 0 END")
_MEMBER = "account_id = OLD.account_id AND portal_id = OLD.portal_id"

PEOPLE = (
    Trigger("people_member_added", "INSERT ON memberships", (
        _line("FROM accounts a WHERE a.id = NEW.account_id", "NEW.portal_id", "NEW.role"),
        "DELETE FROM portal_people WHERE account_id = NEW.account_id AND portal_id = 0",
        _one_more("'members'", "NEW.portal_id"),
    )),
    Trigger("people_role_changed", "UPDATE OF role ON memberships", (
        (
            f"UPDATE portal_people SET counts_as = CASE WHEN NEW.role IN {_ROLES} THEN NEW.role ELSE 'none' END"
            " WHERE account_id = NEW.account_id AND portal_id = NEW.portal_id AND counts_as <> 'operator'"
        ),
    ), "NEW.role <> OLD.role"),
    Trigger("people_member_removed", "DELETE ON memberships", (
        f"DELETE FROM portal_people WHERE {_MEMBER} AND counts_as <> 'operator'",
        _line(_nowhere("OLD.account_id"), "0", "''"),
        _one_less("'members'", "OLD.portal_id"),
    )),
    Trigger("people_account_added", "INSERT ON accounts", (
        _line(_nowhere("NEW.id"), "0", "''"),
        _line(_EVERYWHERE, "p.id", "''"),
    )),
    Trigger("people_account_changed", "UPDATE OF name_key, email ON accounts", (
        "UPDATE portal_people SET name_key = NEW.name_key, email = NEW.email WHERE account_id = NEW.id",
    ), "NEW.name_key <> OLD.name_key OR NEW.email <> OLD.email"),
    Trigger("people_operator_made", "UPDATE OF is_operator ON accounts", (
        "DELETE FROM portal_people WHERE account_id = NEW.id AND portal_id = 0",
        "UPDATE portal_people SET counts_as = 'operator' WHERE account_id = NEW.id",
        _line(_EVERYWHERE, "p.id", "''"),
    ), "NEW.is_operator AND NOT OLD.is_operator"),
    Trigger("people_operator_no_more", "UPDATE OF is_operator ON accounts", (
        "DELETE FROM portal_people WHERE account_id = NEW.id",
        _line(_IN_PORTALS, "m.portal_id", "m.role"),
        _line(_nowhere("NEW.id"), "0", "''"),
    ), "OLD.is_operator AND NOT NEW.is_operator"),
    Trigger("people_app_added", "INSERT ON authenticators", (
        "UPDATE portal_people SET set_up = TRUE WHERE account_id = NEW.account_id AND NOT set_up",
    )),
    Trigger("people_app_deleted", "DELETE ON authenticators", (
        (
            "UPDATE portal_people SET set_up = FALSE WHERE account_id = OLD.account_id AND set_up"
            " AND NOT EXISTS (SELECT 1 FROM authenticators x WHERE x.account_id = OLD.account_id)"
        ),
    )),
    Trigger("people_portal_added", "INSERT ON portals", (
        _line("FROM accounts a WHERE a.is_operator", "NEW.id", "''"),
    )),
    Trigger("people_portal_deleted", "DELETE ON portals", (
        "DELETE FROM portal_people WHERE portal_id = OLD.id",
        "DELETE FROM portal_counts WHERE portal_id = OLD.id",
    )),
)  # fmt: skip

COUNTS = (
    Trigger("counts_person_added", "INSERT ON portal_people", (_NEW_PERSON,)),
    Trigger("counts_person_removed", "DELETE ON portal_people", (_counted("OLD", "-"),)),
    Trigger("counts_person_changed", "UPDATE OF counts_as, set_up ON portal_people", (
        _counted("OLD", "-"),
        _NEW_PERSON,
    ), "NEW.counts_as <> OLD.counts_as OR NEW.set_up <> OLD.set_up"),
    Trigger("counts_request_made", "INSERT ON access_requests", (
        _one_more("'open requests'", "NEW.portal_id"),
    ), "NEW.state = 'open'"),
    Trigger("counts_request_opened", "UPDATE OF state ON access_requests", (
        _one_more("'open requests'", "NEW.portal_id"),
    ), "NEW.state = 'open' AND OLD.state <> 'open'"),
    Trigger("counts_request_closed", "UPDATE OF state ON access_requests", (
        _one_less("'open requests'", "OLD.portal_id"),
    ), "OLD.state = 'open' AND NEW.state <> 'open'"),
    Trigger("counts_request_removed", "DELETE ON access_requests", (
        _one_less("'open requests'", "OLD.portal_id"),
    ), "OLD.state = 'open'"),
)  # fmt: skip

DAYS = (
    Trigger("days_event_added", "INSERT ON events", ((
        "INSERT INTO event_days (day, first_event, before_event)"
        f" SELECT NEW.at / {DAY}, NEW.id, NEW.id + {APART} WHERE NOT EXISTS"
        f" (SELECT 1 FROM event_days d WHERE d.day = NEW.at / {DAY}"
        " AND d.first_event <= NEW.id AND NEW.id < d.before_event)"
        " ON CONFLICT (day) DO UPDATE SET"
        " first_event = CASE WHEN excluded.first_event < event_days.first_event"
        " THEN excluded.first_event ELSE event_days.first_event END,"
        " before_event = CASE WHEN excluded.before_event > event_days.before_event"
        " THEN excluded.before_event ELSE event_days.before_event END"
    ),)),
)  # fmt: skip

ALL = (*PEOPLE, *COUNTS, *DAYS)


def create(triggers: Sequence[Trigger] = ALL) -> None:
    dialect = op.get_bind().dialect.name
    for trigger in triggers:
        for statement in trigger.create(dialect):
            op.execute(statement)


def drop(triggers: Sequence[Trigger] = ALL) -> None:
    """Take them away: for as long as their tables are rebuilt, or for good."""
    dialect = op.get_bind().dialect.name
    for trigger in triggers:
        for statement in trigger.drop(dialect):
            op.execute(statement)


def fill() -> None:
    """Make the rows from what there is, in the order in which they are read; before the triggers are there."""
    op.execute(f"""INSERT INTO portal_people ({_COLUMNS})
        SELECT * FROM (
            SELECT m.portal_id, a.id, a.name_key, a.email, {counts_as("m.role")}, {_HAS_APP}
            FROM memberships m JOIN accounts a ON a.id = m.account_id
            UNION ALL
            SELECT p.id, a.id, a.name_key, a.email, 'operator', {_HAS_APP} FROM accounts a CROSS JOIN portals p
            WHERE a.is_operator AND NOT EXISTS
                (SELECT 1 FROM memberships m WHERE m.account_id = a.id AND m.portal_id = p.id)
            UNION ALL
            SELECT 0, a.id, a.name_key, a.email, 'none', {_HAS_APP} FROM accounts a
            WHERE NOT a.is_operator AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.account_id = a.id)
        ) lines ORDER BY 1, 3, 2""")
    op.execute("""INSERT INTO portal_counts (portal_id, counted, number, set_up)
        SELECT portal_id, counts_as, count(*), sum(CASE WHEN set_up THEN 1 ELSE 0 END)
        FROM portal_people GROUP BY portal_id, counts_as
        UNION ALL SELECT portal_id, 'members', count(*), 0 FROM memberships GROUP BY portal_id
        UNION ALL SELECT portal_id, 'open requests', count(*), 0 FROM access_requests
        WHERE state = 'open' GROUP BY portal_id""")
    op.execute(f"""INSERT INTO event_days (day, first_event, before_event)
        SELECT at / {DAY}, min(id), max(id) + 1 FROM events GROUP BY at / {DAY}""")
