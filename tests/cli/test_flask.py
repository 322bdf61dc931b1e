"""The commands as people run them: `flask --app wsgi …`, a process of its own, beside a server at work."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

from mfaportal.plumbing.migrations import HEAD
from tests.databases import contents_of, settings_of
from tests.migrating import Look
from tests.server import Server

PASSWORD = "seven lamps on the quiet harbour"


def made(server: Server) -> dict[str, object]:
    """The tables that are there, and how many rows each holds."""
    return Look(server.database_url).rows()


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_what_is_done_goes_to_standard_output_with_0(server: Server) -> None:
    ran = server.flask(
        *("accounts", "create", "one@example.org", "--name", "Żółw", "--operator", "--password-stdin"), stdin=PASSWORD
    )
    assert (ran.stdout, ran.stderr) == ("Made the account one@example.org, operator.\n", "")
    found = json.loads(server.flask("accounts", "list", "--json").stdout)
    assert [(account["email"], account["name"]) for account in found] == [("one@example.org", "Żółw")]


def test_what_is_refused_goes_to_standard_error_with_1(server: Server) -> None:
    ran = server.flask("accounts", "suspend", "nobody@example.org", check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "Error: There is no account nobody@example.org.\n"


def test_wrong_usage_ends_with_2(server: Server) -> None:
    ran = server.flask("mfa", "rule", "portal", "maybe", check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("Usage: ")
    assert "'maybe' is not one of 'off', 'back_office', 'everyone'" in ran.stderr


def test_a_password_that_is_refused_is_not_shown(server: Server) -> None:
    ran = server.flask(
        *("accounts", "create", "one@example.org", "--name", "One", "--password-stdin"),
        stdin="hunter2\n",
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (1, "Error: Use at least 12 characters.\n")
    assert "hunter2" not in ran.stdout + ran.stderr


def test_a_terminal_that_knows_ascii_only_gets_escapes(server: Server) -> None:
    server.flask("accounts", "create", "one@example.org", "--name", "Żółw")
    server.environment = {"PYTHONIOENCODING": "ascii"}
    assert r"\u017b\xf3\u0142w" in server.flask("accounts", "list").stdout


def test_a_wrong_setting_is_told_in_a_sentence(server: Server) -> None:
    server.settings["MFAPORTAL_WORKERS"] = "many"
    ran = server.flask("accounts", "list", check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "mfaportal: MFAPORTAL_WORKERS must be a number from 1 to 64, not 'many'.\n"


def test_the_groups_are_listed_with_what_they_are_for(server: Server) -> None:
    text = server.flask("--help").stdout
    for name in ("accounts", "portals", "mfa", "demo", "db"):
        assert re.search(rf"^  {name} +\S", text, re.MULTILINE), name


def test_db_upgrade_makes_the_database_and_a_second_run_changes_nothing(server: Server, tmp_path: Path) -> None:
    server.settings |= settings_of(tmp_path / "fresh")
    said = f"The database is up to date (revision {HEAD}).\n"
    assert server.flask("db", "upgrade").stdout == said
    before = made(server)
    assert "accounts" in before
    again = server.flask("db", "upgrade")
    assert (again.stdout, again.stderr) == (said, "")
    assert made(server) == before
    assert server.flask("db", "current").stdout == f"{HEAD} (head)\n"


def test_db_upgrade_migrates_what_was_taken_back(server: Server) -> None:
    server.flask("db", "downgrade", "base")
    assert "accounts" not in made(server)
    server.flask("db", "upgrade")
    assert "accounts" in made(server)


def test_db_upgrade_of_an_unknown_revision_says_so(server: Server, instance: Path) -> None:
    contents_of(instance).execute("UPDATE alembic_version SET version_num = 'abcd'")
    ran = server.flask("db", "upgrade", check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Can't locate revision identified by 'abcd'" in ran.stderr


def test_a_demo_beside_a_running_server_closes_its_welcome_page(server: Server) -> None:
    server.start(workers=1)
    assert status(server.url + "/welcome") == 200
    ran = server.flask("demo")
    assert f"Log in at {server.url}/log-in" in ran.stdout
    assert status(server.url + "/welcome") == 404
    assert server.flask("demo", check=False).returncode == 1
